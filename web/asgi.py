"""What uvicorn serves: `uvicorn --factory web.asgi:serve`."""

import os

from litestar import Litestar

from mailer import settings
from mailer.bootstrap import open_house
from web.app import make_app


def serve() -> Litestar:
    """Make the application that the environment describes."""
    return make_app(open_house(settings.from_environment(os.environ)))  # noqa: TID251  # the edge
