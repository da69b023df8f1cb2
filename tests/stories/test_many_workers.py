"""Several workers on PostgreSQL: they share, one is killed, one sleeps for long."""

import asyncio
import os
import signal
from collections.abc import Generator

import pytest

from mailer.bootstrap import House
from mailer.outbox.model import DeliveryState
from tests import makers as make
from tests.cast import Cast
from tests.stories.test_killed import start, until_taken
from tests.support.databases import PostgresCopies
from tests.support.relay import Relay
from tests.support.rooms import Rooms
from tests.support.sending import copies, counts, no_letters, ready, rows, until, until_sent

pytestmark = [
    pytest.mark.story,
    pytest.mark.timeout(400),
    pytest.mark.any_database,  # which is PostgreSQL, whatever was asked for
]

SENT, IN_DOUBT = DeliveryState.SENT, DeliveryState.IN_DOUBT


@pytest.fixture
def database(postgres_copies: PostgresCopies) -> Generator[str]:
    with postgres_copies.one(altered=False) as url:
        yield url


async def test_two_workers_never_send_twice(
    house: House, cast: Cast, relay: Relay, rooms: Rooms
) -> None:
    async with house.work() as work:
        await make.people(work, 150)
    await no_letters(house)
    relay.delay = 0.01
    no = await ready(house)

    start(rooms, relay, lease="60", takeover="120")
    start(rooms, relay, lease="60", takeover="120")
    await until_sent(house, no)

    assert await counts(house, no) == {SENT: 152}
    assert set(copies(house, relay, no).values()) == {1}
    workers = {row.worker for row in (await rows(house, no)).values()}
    assert len(workers) == 2


async def test_one_goes_on_when_the_other_is_killed(
    house: House, cast: Cast, relay: Relay, rooms: Rooms
) -> None:
    async with house.work() as work:
        await make.people(work, 100)
    await no_letters(house)
    relay.delay = 0.02
    no = await ready(house)
    victim = start(rooms, relay)
    start(rooms, relay)
    await until_taken(relay, 20)

    victim.kill()
    await until_sent(house, no)
    await asyncio.sleep(0.3)

    taken = copies(house, relay, no)
    found = await rows(house, no)
    assert {row.state for row in found.values()} <= {SENT, IN_DOUBT}
    assert set(taken.values()) == {1}
    assert {number for number, row in found.items() if row.state == SENT} <= set(taken)


async def test_a_worker_that_was_stopped_for_long_repeats_nothing(
    house: House, cast: Cast, relay: Relay, rooms: Rooms
) -> None:
    """It sleeps past its lease and past the takeover; then it wakes and goes on."""
    async with house.work() as work:
        await make.people(work, 100)
    await no_letters(house)
    relay.delay = 0.02
    no = await ready(house)
    sleeper = start(rooms, relay)
    start(rooms, relay)
    await until_taken(relay, 20)

    os.kill(sleeper.pid, signal.SIGSTOP)
    await asyncio.sleep(6)
    os.kill(sleeper.pid, signal.SIGCONT)
    await until(house, no, lambda campaign: campaign.ended_at is not None)

    assert set(copies(house, relay, no).values()) == {1}
    assert await counts(house, no) == {SENT: 102}
