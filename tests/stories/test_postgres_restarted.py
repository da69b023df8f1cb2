"""PostgreSQL is restarted, or ends as in a power cut, under workers that live or are stopped.

A restart frees every lock: a worker that only looks whether another's lock is free would take a
living one for dead, and send again what that has in hand.
"""

import asyncio
import os
import signal
from collections.abc import Generator

import pytest

from mailer.bootstrap import House
from mailer.outbox.model import DeliveryState
from tests import makers as make
from tests.cast import Cast
from tests.stories.test_killed import CONNECTIONS, start, until_taken
from tests.support import postgres
from tests.support.databases import TEMPLATE, migrated_template
from tests.support.relay import Relay
from tests.support.rooms import Rooms
from tests.support.sending import PATIENCE, copies, no_letters, ready, rows, until_sent

pytestmark = [
    pytest.mark.story,
    pytest.mark.timeout(400),
    pytest.mark.any_database,  # which is PostgreSQL, whatever was asked for
]

SENT, IN_DOUBT = DeliveryState.SENT, DeliveryState.IN_DOUBT


@pytest.fixture
def cluster() -> Generator[postgres.Cluster]:
    """Give a cluster that no other test needs, and that keeps what it has committed."""
    if not postgres.binaries():
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with postgres.Cluster.start(postgres.DURABLE) as cluster:
        migrated_template(cluster.folder)
        yield cluster


@pytest.fixture
def database(cluster: postgres.Cluster) -> str:
    return postgres.url(cluster.folder, TEMPLATE)


async def campaign_of_many(house: House, relay: Relay) -> int:
    async with house.work() as work:
        await make.people(work, 150)
    await no_letters(house)
    relay.delay = 0.02
    return await ready(house)


async def nothing_is_lost_or_repeated(
    house: House, relay: Relay, no: int, *, in_doubt: int
) -> None:
    await until_sent(house, no)
    taken = copies(house, relay, no)
    found = await rows(house, no)
    assert {row.state for row in found.values()} <= {SENT, IN_DOUBT}
    assert {number for number, row in found.items() if row.state == SENT} <= set(taken)
    assert set(taken.values()) == {1}
    assert sum(row.state == IN_DOUBT for row in found.values()) <= in_doubt


async def until_begun(rooms: Rooms, number: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while rooms.said().count("worker_began") < number:
            await asyncio.sleep(0.05)


async def test_restarted_while_a_worker_is_stopped(
    house: House, cast: Cast, relay: Relay, rooms: Rooms, cluster: postgres.Cluster
) -> None:
    sleeper = start(rooms, relay)
    start(rooms, relay)
    await until_begun(rooms, 2)
    no = await campaign_of_many(house, relay)
    await until_taken(relay, 20)

    os.kill(sleeper.pid, signal.SIGSTOP)
    await asyncio.to_thread(cluster.restart)
    await house.engine.dispose()  # ours are broken too
    await asyncio.sleep(9)  # lease and takeover are four each
    os.kill(sleeper.pid, signal.SIGCONT)

    await nothing_is_lost_or_repeated(house, relay, no, in_doubt=2 * CONNECTIONS)


async def test_crashed_under_two_workers(
    house: House, cast: Cast, relay: Relay, rooms: Rooms, cluster: postgres.Cluster
) -> None:
    start(rooms, relay)
    start(rooms, relay)
    await until_begun(rooms, 2)
    no = await campaign_of_many(house, relay)
    for number in (20, 80):
        await until_taken(relay, number)
        await asyncio.to_thread(cluster.restart, signal.SIGQUIT)
        await house.engine.dispose()

    await nothing_is_lost_or_repeated(house, relay, no, in_doubt=4 * CONNECTIONS)


async def test_a_worker_that_starts_while_the_server_is_away_waits_for_it(
    house: House, cast: Cast, relay: Relay, rooms: Rooms, cluster: postgres.Cluster
) -> None:
    no = await campaign_of_many(house, relay)
    await asyncio.to_thread(cluster.end)
    worker = start(rooms, relay)
    async with asyncio.timeout(PATIENCE):
        while "ledger_not_opened" not in rooms.said():
            await asyncio.sleep(0.05)
    assert not relay.letters

    await asyncio.to_thread(cluster.restart)
    await house.engine.dispose()

    await nothing_is_lost_or_repeated(house, relay, no, in_doubt=0)
    assert worker.alive()
