"""Signals: a line and what follows from it are there together, and it follows once."""

import asyncio

import pytest
from sqlalchemy import delete, select

from mailer.activity import actions as activity
from mailer.activity import store as lines
from mailer.activity.model import Activity
from mailer.activity.signals import following, reactions, store
from mailer.activity.signals.following import CLAIMED_FOR, FIRST_REST, follow_signals
from mailer.activity.signals.model import Signal
from mailer.activity.signals.reactions import Reaction
from mailer.bootstrap import House
from mailer.kit.errors import Conflict
from mailer.kit.work import Work
from mailer.records import erasing, merging
from mailer.records.erasing import Ground, Remains
from mailer.subscribers import store as people
from mailer.subscribers.model import Subscriber
from tests.cast import Cast
from tests.support.waiting import Later

KIND = "waved"


class NoLongerSo(Conflict):
    """This is not so any more."""


class Follower:
    """Somebody who follows lines, and may fail at it."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.fails_at: set[int] = set()

    async def reaction(self, work: Work, line: Activity) -> None:
        await activity.record(work, line.subscriber_no, "waved_back", to=line.no)
        if line.subscriber_no in self.fails_at:
            raise KeyError("wave")
        self.seen.append(line.subscriber_no)


@pytest.fixture
def follower(monkeypatch: pytest.MonkeyPatch) -> Follower:
    """Let one follow a kind of lines that nobody else knows."""
    one = Follower()
    known: dict[str, list[Reaction]] = {KIND: [one.reaction]}
    monkeypatch.setattr(reactions, "_REACTIONS", known)
    return one


async def wave(house: House, *people: int) -> None:
    async with house.work() as work:
        await activity.record_many(work, people, KIND)


async def waiting(house: House) -> int:
    async with house.work(reading=True) as work:
        return await store.waiting(work)


async def kinds(house: House, no: int) -> list[str]:
    async with house.work(reading=True) as work:
        return [kind for kind in await lines.kinds(work, no) if kind.startswith("waved")]


async def test_what_follows_a_line_is_done_once(
    house: House, cast: Cast, follower: Follower
) -> None:
    await wave(house, cast.bo.no, cast.gil.no)
    assert await waiting(house) == 2
    assert follower.seen == []

    assert await follow_signals(house) is False
    assert await follow_signals(house) is False

    assert follower.seen == [cast.bo.no, cast.gil.no]
    assert await kinds(house, cast.bo.no) == ["waved", "waved_back"]
    assert await waiting(house) == 0


async def test_a_line_that_nobody_follows_leaves_no_signal(house: House, cast: Cast) -> None:
    await wave(house, cast.bo.no)
    assert await waiting(house) == 0


async def test_a_line_that_was_not_committed_has_none(
    house: House, cast: Cast, follower: Follower
) -> None:
    with pytest.raises(NoLongerSo):
        async with house.work() as work:
            await activity.record(work, cast.bo.no, KIND)
            await work.session.flush()
            raise NoLongerSo
    await follow_signals(house)
    assert follower.seen == []


async def test_a_fault_holds_up_nobody_else_and_is_tried_again(
    house: House, cast: Cast, follower: Follower
) -> None:
    follower.fails_at = {cast.bo.no}
    await wave(house, cast.bo.no, cast.gil.no)

    await follow_signals(house)

    assert follower.seen == [cast.gil.no]
    assert await kinds(house, cast.bo.no) == ["waved"], "what it had begun is taken back"
    follower.fails_at = set()
    await follow_signals(house)
    assert follower.seen == [cast.gil.no], "it rests"
    await follow_signals(Later(house, seconds=FIRST_REST.total_seconds() + 5))
    assert follower.seen == [cast.gil.no, cast.bo.no]
    assert await waiting(house) == 0


async def test_each_rest_is_twice_as_long_and_never_more_than_a_day(
    house: House, cast: Cast, follower: Follower
) -> None:
    follower.fails_at = {cast.bo.no}
    await wave(house, cast.bo.no)
    rests, tried = [], 0
    for day in range(16):
        await follow_signals(Later(house, days=2 * day))
        async with house.work(reading=True) as work:
            signal = (await work.session.scalars(select(Signal))).one()
            tried = signal.tried
            rests.append(round((signal.due_at - work.now).total_seconds() / 60) - 2 * day * 1440)
    assert rests[:4] == [1, 2, 4, 8]
    assert rests[-1] == 1440
    assert tried == 16


async def test_a_refusal_is_an_answer(house: House, cast: Cast, follower: Follower) -> None:
    async def refuses(work: Work, line: Activity) -> None:
        raise NoLongerSo

    reactions.follow(KIND, refuses)
    await wave(house, cast.bo.no)

    await follow_signals(house)

    assert await waiting(house) == 0


async def test_more_than_a_batch_is_followed_in_the_order_in_which_it_happened(
    house: House, cast: Cast, follower: Follower
) -> None:
    people = [cast.bo.no, cast.gil.no, cast.chidi.no] * (following.BATCH // 2)
    await wave(house, *people)

    assert await follow_signals(house) is True
    while await follow_signals(house):
        pass

    assert follower.seen == people


async def test_two_workers_hand_each_on_once(house: House, cast: Cast, follower: Follower) -> None:
    people = [cast.bo.no, cast.gil.no] * following.BATCH
    await wave(house, *people)

    async def work_on() -> None:
        while await waiting(house):
            await follow_signals(house)

    await asyncio.gather(work_on(), work_on(), work_on())

    assert sorted(follower.seen) == sorted(people)


async def test_following_twice_is_following_once(follower: Follower) -> None:
    reactions.follow(KIND, follower.reaction)
    assert len(reactions.to(KIND)) == 1
    assert reactions.is_followed(KIND)
    assert not reactions.is_followed("slept")


async def test_a_signal_goes_with_its_line_to_whom_two_turned_out_to_be(
    house: House, cast: Cast, follower: Follower
) -> None:
    await wave(house, cast.bo.no)
    async with house.work() as work:
        await merging.merge(work, cast.gil, cast.bo)

    await follow_signals(house)

    assert follower.seen == [cast.gil.no]


async def test_who_was_erased_leaves_no_signal(
    house: House, cast: Cast, follower: Follower
) -> None:
    await wave(house, cast.bo.no)
    async with house.work() as work:
        await erasing.erase(work, cast.bo, remains=Remains.NOTHING, ground=Ground.DIED)

    assert await waiting(house) == 0


async def test_who_is_erased_while_a_signal_about_them_is_handed_on(
    house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both hold the person first, so that neither waits for the other for ever."""

    async def holds(work: Work, line: Activity) -> None:
        assert await people.hold(work, line.subscriber_no) is not None

    monkeypatch.setattr(reactions, "_REACTIONS", {KIND: [holds]})
    everybody = [cast.bo, cast.gil, cast.chidi, cast.dana]
    await wave(house, *[one.no for one in everybody])

    async def erase(who: Subscriber) -> None:
        async with house.work() as work:
            await erasing.erase(work, who, remains=Remains.NOTHING, ground=Ground.DIED)

    await asyncio.gather(
        *[erase(one) for one in everybody], follow_signals(house), follow_signals(house)
    )

    while await follow_signals(Later(house, minutes=2)):
        pass
    assert await waiting(house) == 0


async def test_what_a_dead_worker_had_claimed_is_handed_on_a_minute_later(
    house: House, cast: Cast, follower: Follower
) -> None:
    await wave(house, cast.bo.no)
    async with house.work() as work:
        assert len(await store.claim(work, work.now + CLAIMED_FOR, limit=5)) == 1
    await follow_signals(house)
    assert follower.seen == []
    await follow_signals(Later(house, seconds=CLAIMED_FOR.total_seconds() + 5))
    assert follower.seen == [cast.bo.no]


async def test_what_another_worker_has_done_meanwhile_is_done_once(
    house: House, cast: Cast, follower: Follower
) -> None:
    async def is_slow(work: Work, line: Activity) -> None:
        """Take so long that the claim has run out, and another has dropped the signal."""
        await work.session.execute(delete(Signal))

    reactions.follow(KIND, is_slow)
    await wave(house, cast.bo.no)
    await follow_signals(house)
    assert await kinds(house, cast.bo.no) == ["waved"], "what was done here is taken back"
