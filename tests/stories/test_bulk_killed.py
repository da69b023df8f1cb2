"""A worker that is killed while it does one thing to many: the next goes on exactly there."""

import asyncio
import random

import pytest
from sqlalchemy import func, select

from mailer.bootstrap import House
from mailer.bulk import actions as bulk
from mailer.bulk.model import BulkAct, BulkPerson, BulkState, Deed
from mailer.kit.work import Door
from mailer.outbox.model import Letter
from mailer.tiers.model import Source, TierChange
from tests import makers as make
from tests.cast import Cast
from tests.support.relay import Relay
from tests.support.rooms import Rooms

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]

PEOPLE = 800
KILLS = 4


async def now(house: House, no: int) -> BulkAct:
    async with house.work(reading=True) as work:
        return await work.session.get_one(BulkAct, no)


async def until(house: House, no: int, *, done: int = 0, state: BulkState | None = None) -> BulkAct:
    async with asyncio.timeout(120):
        while True:
            act = await now(house, no)
            if act.state is state or (state is None and act.done + act.returned >= done):
                return act
            await asyncio.sleep(0.01)


async def test_killed_again_and_again_nobody_is_moved_twice_and_nobody_is_left_out(
    house: House, cast: Cast, relay: Relay, rooms: Rooms
) -> None:
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await make.people(work, PEOPLE, tier=cast.follower)
        act = await bulk.propose(
            work,
            Deed.TIER,
            {"tier": cast.activist.no, "reason": "They came to the congress."},
            tree={"everybody": True},
        )
        await bulk.confirm(work, act, typed=act.touches)
    relay.delay = 0.2  # the letters are not what is looked at
    worker = rooms.worker(relay_port=relay.port)

    for number in range(1, KILLS + 1):
        await until(house, act.no, done=number * act.touches // (KILLS + 2))
        await asyncio.sleep(random.uniform(0, 0.03))
        worker.kill()
        worker = rooms.worker(relay_port=relay.port)
    ended = await until(house, act.no, state=BulkState.DONE)

    assert (ended.done, ended.changed) == (ended.touches, ended.touches)
    async with house.work(reading=True) as work:
        moves = await work.session.execute(
            select(TierChange.subscriber_no, func.count())
            .where(TierChange.source == Source.ASSIGNED)
            .group_by(TierChange.subscriber_no)
        )
        counts = dict(moves.all())
        assert (len(counts), set(counts.values())) == (ended.touches, {1})
        letters = select(func.count()).where(Letter.kind == "tier-changed")
        assert await work.session.scalar(letters) == ended.touches

    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await bulk.undo(work, await work.session.get_one(BulkAct, act.no))
    await until(house, act.no, done=ended.touches + ended.touches // 3)
    worker.kill()
    rooms.worker(relay_port=relay.port)
    ended = await until(house, act.no, state=BulkState.UNDONE)

    assert (ended.returned, ended.left) == (ended.changed, 0)
    async with house.work(reading=True) as work:
        undone = select(func.count()).where(TierChange.source == Source.UNDO)
        assert await work.session.scalar(undone) == ended.changed
        told = select(func.count()).where(BulkPerson.before.is_not(None))
        assert await work.session.scalar(told) == ended.changed
