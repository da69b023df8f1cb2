"""Workers that are killed as a power cut would, and stopped as a suspended machine is.

The relay's own log says what was accepted; the ledger is judged by it.
"""

import asyncio
import os
import random
import signal

import pytest

from mailer.bootstrap import House
from mailer.campaigns.model import OnDoubt
from mailer.deliveries.model import Reason
from mailer.outbox.actions import Post, post
from mailer.outbox.model import DeliveryState
from tests import makers as make
from tests.cast import Cast
from tests.support.processes import Kept
from tests.support.relay import HANG, Relay
from tests.support.rooms import Rooms
from tests.support.sending import (
    PATIENCE,
    copies,
    counts,
    letters,
    no_letters,
    ready,
    rows,
    until_counts,
    until_sent,
)

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]

QUEUED, SENDING, SENT = DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.SENT
IN_DOUBT, SKIPPED = DeliveryState.IN_DOUBT, DeliveryState.SKIPPED
CONNECTIONS = 4


def start(rooms: Rooms, relay: Relay, *, lease: str = "4", takeover: str = "4") -> Kept:
    return rooms.worker(
        relay_port=relay.port,
        lease=lease,
        takeover=takeover,
        smtp_connections=str(CONNECTIONS),
    )


async def until_taken(relay: Relay, number: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(relay.letters) < number:
            await asyncio.sleep(0.01)


async def test_a_worker_killed_during_data_leaves_the_delivery_in_doubt(
    house: House, cast: Cast, relay: Relay, rooms: Rooms
) -> None:
    await no_letters(house)
    relay.plan("DATA bo@example.org", HANG)
    no = await ready(house)
    first = start(rooms, relay)
    await relay.wait_for("DATA bo@example.org")
    await until_counts(house, no, {SENDING: 1, SENT: 1})

    first.kill()
    start(rooms, relay)
    await until_sent(house, no)

    assert await counts(house, no) == {IN_DOUBT: 1, SENT: 1}
    assert (await rows(house, no))[cast.bo.no].reply == Reason.WORKER_ENDED
    assert copies(house, relay, no) == {cast.gil.no: 1}  # Bo's server was not asked again


async def test_where_it_was_chosen_the_next_worker_sends_it_again(
    house: House, cast: Cast, relay: Relay, rooms: Rooms
) -> None:
    await no_letters(house)
    relay.plan("DATA bo@example.org", HANG)
    no = await ready(house, on_doubt=OnDoubt.RESEND)
    first = start(rooms, relay)
    await relay.wait_for("DATA bo@example.org")
    await until_counts(house, no, {SENDING: 1, SENT: 1})

    first.kill()
    start(rooms, relay)
    await until_sent(house, no)

    assert await counts(house, no) == {SENT: 2}
    assert copies(house, relay, no) == {cast.bo.no: 1, cast.gil.no: 1}


async def test_a_letter_that_was_being_sent_is_sent_again(
    house: House, cast: Cast, relay: Relay, rooms: Rooms
) -> None:
    await no_letters(house)
    relay.plan("DATA", HANG)
    async with house.work() as work:
        await post(
            work,
            Post(kind="private-link", dedupe_key="once", language="en", subscriber=cast.bo.no),
        )
    first = start(rooms, relay)
    await relay.wait_for("DATA")

    first.kill()
    start(rooms, relay)
    await until_taken(relay, 1)

    async with asyncio.timeout(20):
        while (await letters(house))[0].state != SENT:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("on_doubt", list(OnDoubt))
async def test_killed_again_and_again_nobody_is_lost(
    house: House, cast: Cast, relay: Relay, rooms: Rooms, on_doubt: OnDoubt
) -> None:
    """Four kills at random: every row is accounted for, and doubt is no more than what was open."""
    async with house.work() as work:
        await make.people(work, 100)
    await no_letters(house)
    relay.delay = 0.02
    no = await ready(house, on_doubt=on_doubt)
    worker = start(rooms, relay)

    kills = 0
    for number in range(1, 5):
        await until_taken(relay, number * 20)
        await asyncio.sleep(random.uniform(0, 0.1))
        worker.kill()
        kills += 1
        worker = start(rooms, relay)
    await until_sent(house, no)
    await asyncio.sleep(0.3)

    taken = copies(house, relay, no)
    found = await rows(house, no)
    told_sent = {number for number, row in found.items() if row.state == SENT}
    in_doubt = {number for number, row in found.items() if row.state == IN_DOUBT}
    assert told_sent | in_doubt == set(found)
    assert not told_sent - set(taken), "called sent, and nobody took it"
    repeated = sum(number - 1 for number in taken.values())
    if on_doubt is OnDoubt.HOLD:
        assert repeated == 0
        assert len(in_doubt) <= kills * CONNECTIONS
    else:
        assert repeated <= kills * CONNECTIONS
        assert max(taken.values()) <= 3


async def test_told_to_end_a_worker_finishes_and_leaves_no_doubt(
    house: House, cast: Cast, relay: Relay, rooms: Rooms
) -> None:
    async with house.work() as work:
        await make.people(work, 60)
    await no_letters(house)
    relay.delay = 0.02
    no = await ready(house)
    worker = start(rooms, relay)
    await until_taken(relay, 15)

    os.kill(worker.pid, signal.SIGTERM)
    await asyncio.to_thread(worker.keeper.wait, 30)

    found = await counts(house, no)
    assert found == {SENT: len(relay.letters), QUEUED: 62 - len(relay.letters)}
    assert set(copies(house, relay, no).values()) == {1}
