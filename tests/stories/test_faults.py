"""What surrounds a worker breaks: the relay, its name, its speed, the clock. Nothing is lost.

Killed and stopped workers are in test_killed.py and test_many_workers.py, a full disk is in
test_full_disk.py; bench/faults.py does all of it at size.
"""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from mailer.bootstrap import House
from mailer.campaigns.model import CampaignState
from mailer.outbox.model import DeliveryState
from tests import makers as make
from tests.cast import Cast
from tests.stories.test_killed import CONNECTIONS, start, until_taken
from tests.support.clock import JumpingClock
from tests.support.debian import Unavailable
from tests.support.relay import Relay
from tests.support.rooms import Rooms
from tests.support.sending import (
    copies,
    counts,
    no_letters,
    ready,
    rows,
    until,
    until_sent,
)

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]

SENT, QUEUED, IN_DOUBT = DeliveryState.SENT, DeliveryState.QUEUED, DeliveryState.IN_DOUBT
HOUR = 3600


async def campaign_to(house: House, number: int) -> int:
    """Confirm a campaign to so many people and the two of the cast."""
    async with house.work() as work:
        await make.people(work, number)
    await no_letters(house)
    return await ready(house)


async def test_a_relay_that_goes_away_is_waited_for(
    house: House, cast: Cast, relay: Relay, rooms: Rooms
) -> None:
    relay.delay = 0.02
    no = await campaign_to(house, 80)
    start(rooms, relay)
    await until_taken(relay, 20)

    await relay.__aexit__(None, None, None)
    taken = len(relay.letters)
    waits = await until(house, no, lambda campaign: bool(campaign.reason))
    assert waits.state is CampaignState.SENDING  # nobody need do anything
    assert len(relay.letters) == taken
    await relay.__aenter__()
    done = await until_sent(house, no)

    assert done.reason == ""
    found = await rows(house, no)
    assert {row.state for row in found.values()} <= {SENT, IN_DOUBT}
    in_doubt = [number for number, row in found.items() if row.state == IN_DOUBT]
    assert len(in_doubt) <= CONNECTIONS
    assert set(copies(house, relay, no).values()) == {1}
    assert {number for number, row in found.items() if row.state == SENT} <= set(
        copies(house, relay, no)
    )


async def test_a_relay_whose_name_is_not_found_costs_nobody_anything(
    house: House, cast: Cast, relay: Relay, rooms: Rooms
) -> None:
    """NXDOMAIN of the relay is our own trouble, and says nothing about those we write to."""
    no = await campaign_to(house, 20)
    lost = rooms.worker(
        relay_port=relay.port,
        smtp_host="relay.invalid",  # RFC 6761 6.4: no such name, ever
        smtp_connections=str(CONNECTIONS),
    )
    waits = await until(house, no, lambda campaign: bool(campaign.reason))
    assert waits.state is CampaignState.SENDING
    await asyncio.to_thread(lost.stop)
    assert await counts(house, no) == {QUEUED: 22}

    start(rooms, relay)
    await until_sent(house, no)

    assert await counts(house, no) == {SENT: 22}
    assert set(copies(house, relay, no).values()) == {1}


async def test_told_to_end_before_a_slow_relay_a_worker_leaves_no_doubt(
    house: House, cast: Cast, relay: Relay, rooms: Rooms
) -> None:
    relay.delay = 0.5
    no = await campaign_to(house, 30)
    worker = start(rooms, relay)
    await until_taken(relay, CONNECTIONS)

    began = time.monotonic()
    os.kill(worker.pid, signal.SIGTERM)
    await asyncio.to_thread(worker.keeper.wait, 40)
    assert time.monotonic() - began < 30
    assert await counts(house, no) == {SENT: len(relay.letters), QUEUED: 32 - len(relay.letters)}

    relay.delay = 0.0
    start(rooms, relay)
    await until_sent(house, no)
    assert await counts(house, no) == {SENT: 32}
    assert set(copies(house, relay, no).values()) == {1}


async def test_a_clock_that_jumps_sends_nothing_twice(
    house: House, cast: Cast, relay: Relay, rooms: Rooms, tmp_path: Path
) -> None:
    """An hour ahead, then two back, as when somebody sets it: the monotonic clocks run on."""
    try:
        clock = JumpingClock(tmp_path)
    except Unavailable as missing:
        pytest.skip(str(missing))
    rooms.environment |= clock.environment
    relay.delay = 0.1
    no = await campaign_to(house, 150)
    start(rooms, relay)
    await until_taken(relay, 30)
    clock.jump(HOUR)
    await until_taken(relay, 90)
    clock.jump(-HOUR)
    await until_sent(house, no)

    assert await counts(house, no) == {SENT: 152}
    assert set(copies(house, relay, no).values()) == {1}
