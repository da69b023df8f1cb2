"""The web application: every route in one place."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template import TemplateConfig

from mailer.accounts.passwords import STANDARD, Hasher
from mailer.bootstrap import House
from mailer.kit.errors import Refusal
from web import admin, public
from web.kit import errors
from web.kit.pages import templates
from web.kit.security import GateRefusal, NotSignedIn, gate
from web.kit.statics import static_files
from web.wiring import Entrance, begin_work, note_what_waits, provide_account

BODY = 1_000_000  # octets; a route that takes files says so itself


def make_app(house: House, *, hasher: Hasher = STANDARD) -> Litestar:
    """Make the application over an open house, whose database it closes when it stops.

    `hasher` sets the price of a password; only tests pay less than the standard one.
    """

    @asynccontextmanager
    async def close_the_database(_app: Litestar) -> AsyncGenerator[None]:
        yield
        await house.engine.dispose()

    app = Litestar(
        route_handlers=[
            *public.HANDLERS,
            *(public.OF_THE_DEMO if house.settings.demo else []),
            Router(
                "/admin",
                route_handlers=admin.HANDLERS,
                dependencies={"account": Provide(provide_account)},
                before_request=note_what_waits,
            ),
            static_files(),
        ],
        dependencies={"work": Provide(begin_work)},
        guards=[gate],
        exception_handlers={
            NotSignedIn: errors.lead_to_sign_in,
            GateRefusal: errors.answer_gate,
            Refusal: errors.answer_refusal,
            HTTPException: errors.answer_http,
            Exception: errors.answer_fault,
        },
        lifespan=[close_the_database],
        template_config=TemplateConfig(instance=JinjaTemplateEngine.from_environment(templates())),
        openapi_config=None,
        logging_config=None,
        request_max_body_size=BODY,
    )
    # Round everything, not among the middleware: that is not asked where no route answers.
    app.asgi_handler = Entrance(house, hasher, app.asgi_handler)
    return app
