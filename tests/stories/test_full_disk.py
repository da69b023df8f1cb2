"""A full disk under SQLite: nothing is sent without a mark, nothing is lost, and it goes on."""

import asyncio
import resource
from collections.abc import Generator

import pytest

from mailer.bootstrap import House
from mailer.outbox.model import DeliveryState
from tests import makers as make
from tests.cast import Cast
from tests.stories.test_killed import CONNECTIONS, start, until_taken
from tests.support.databases import SqliteCopies
from tests.support.relay import Relay
from tests.support.rooms import Rooms
from tests.support.sending import copies, counts, no_letters, ready, until_sent

pytestmark = [
    pytest.mark.story,
    pytest.mark.timeout(400),
    pytest.mark.any_database,  # which is SQLite, whatever was asked for
]


@pytest.fixture
def database(sqlite_copies: SqliteCopies) -> Generator[str]:
    with sqlite_copies.one(altered=False) as url:
        yield url


async def test_a_full_disk_stops_the_sending_and_loses_nothing(
    house: House, cast: Cast, relay: Relay, rooms: Rooms
) -> None:
    async with house.work() as work:
        await make.people(work, 60)
    await no_letters(house)
    relay.delay = 0.02
    no = await ready(house)
    worker = start(rooms, relay)
    await until_taken(relay, 10)

    # No file of the worker's may grow beyond this: to SQLite that is a full disk.
    _soft, hard = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (32_768, hard))
    await asyncio.sleep(2)
    stopped_at = len(relay.letters)
    await asyncio.sleep(2)
    assert stopped_at < 62, "the disk was never full"
    assert len(relay.letters) <= stopped_at + CONNECTIONS
    assert worker.alive()
    assert worker.log
    assert "ledger_lost" in worker.log.read_text()

    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (hard, hard))
    await until_sent(house, no)

    assert set(copies(house, relay, no).values()) == {1}
    assert await counts(house, no) == {DeliveryState.SENT: 62}
