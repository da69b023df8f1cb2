"""What the tests of public pages share: links as mails hold them, and every row there is."""

import datetime as dt
from collections.abc import Awaitable, Callable

import pytest

from mailer.bootstrap import House
from mailer.kit.links import Links
from mailer.kit.tokens import Purpose, Signer
from mailer.kit.work import clock
from tests.support.dumps import everything

Link = Callable[..., str]
Facts = Callable[[], Awaitable[dict[str, list[str]]]]


@pytest.fixture
def link(house: House) -> Link:
    """Make the path of a link; `ago` is how long before now it was made."""

    def make(
        purpose: Purpose,
        who: int,
        subject: int = 0,
        *,
        cause: int = 0,
        ago: dt.timedelta = dt.timedelta(),
    ) -> str:
        links = Links("", Signer(house.keys), clock() - ago)
        return links.to(purpose, who, subject=subject, cause=cause)

    return make


@pytest.fixture
def facts(house: House) -> Facts:
    """Give every row of every table, to be compared."""

    async def read() -> dict[str, list[str]]:
        return await everything(house)

    return read
