"""The database goes away under a worker, or time does: no body goes out without a fresh mark."""

import asyncio
import dataclasses
from collections.abc import Generator

import pytest
from sqlalchemy import make_url, text

from mailer.bootstrap import House
from mailer.deliveries import engine as room
from mailer.deliveries.writing import Desk
from mailer.kit.db import make_engine
from mailer.outbox.model import DeliveryState
from tests import makers as make
from tests.cast import Cast
from tests.support.databases import PostgresCopies
from tests.support.relay import Relay
from tests.support.sending import (
    copies,
    counts,
    no_letters,
    ready,
    rows,
    until_sent,
    working,
)

pytestmark = pytest.mark.any_database  # which is PostgreSQL, whatever was asked for


@pytest.fixture
def database(postgres_copies: PostgresCopies) -> Generator[str]:
    with postgres_copies.one(altered=False) as url:
        yield url


async def test_every_session_is_ended_again_and_again_and_nobody_gets_it_twice(
    house: House, cast: Cast, relay: Relay
) -> None:
    async with house.work() as work:
        await make.people(work, 60)
    await no_letters(house)
    relay.delay = 0.02
    no = await ready(house)
    named = make_url(house.settings.database_url).update_query_dict({"application_name": "victim"})
    victim = make_engine(named.render_as_string(hide_password=False))

    async with working(dataclasses.replace(house, engine=victim), relay):
        for number in (10, 25, 40):
            async with asyncio.timeout(30):
                while len(relay.letters) < number:
                    await asyncio.sleep(0.01)
            async with house.work() as work:
                await work.session.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = 'victim' AND datname = current_database()"
                    )
                )
        await until_sent(house, no)
    await victim.dispose()

    assert set(copies(house, relay, no).values()) == {1}
    assert await counts(house, no) == {DeliveryState.SENT: 62}


async def test_a_grant_that_is_not_fresh_any_more_sends_nothing(
    house: House, cast: Cast, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that slept between the commit and the first octet must ask again."""
    await no_letters(house)
    no = await ready(house, tiers=[cast.supporter.no])

    with monkeypatch.context() as asleep:
        asleep.setattr(room, "GRANT_IS_FRESH", -1.0)
        async with working(house, relay):
            async with asyncio.timeout(20):
                while (await rows(house, no))[cast.bo.no].attempt < 2:
                    await asyncio.sleep(0.02)
    assert not relay.letters
    assert await counts(house, no) == {DeliveryState.QUEUED: 1}

    async with working(house, relay):
        await until_sent(house, no)
    assert copies(house, relay, no) == {cast.bo.no: 1}


async def test_claims_that_fail_are_made_again(
    house: House, cast: Cast, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    await no_letters(house)
    no = await ready(house)
    errands, failures = Desk.errands, 2

    async def failing(desk, *what):
        nonlocal failures
        if failures:
            failures -= 1
            raise ValueError("a fault of ours")
        return await errands(desk, *what)

    monkeypatch.setattr(Desk, "errands", failing)
    async with working(house, relay):
        await until_sent(house, no)

    assert set(copies(house, relay, no).values()) == {1}
