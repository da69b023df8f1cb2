"""What time does: asks close at their deadline, and those that repeat are open again."""

import contextlib
import dataclasses
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from mailer.activity import store as activity
from mailer.asks import actions as asks
from mailer.asks import choosing, store, upkeep
from mailer.asks.counting import store as counting
from mailer.asks.model import AskState, PledgeState, Turn
from mailer.asks.offers import store as offers
from mailer.bootstrap import House
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber, visible
from tests import makers as make
from tests.cast import Cast


@dataclasses.dataclass(frozen=True)
class Clock:
    """A house at another hour."""

    house: House
    now: datetime

    @contextlib.asynccontextmanager
    async def work(self, *, reading: bool = False) -> AsyncGenerator[Work]:
        async with self.house.work(reading=reading) as work:
            yield dataclasses.replace(work, now=self.now)


async def test_an_ask_closes_at_its_deadline_and_not_before(house: House, cast: Cast) -> None:
    async with house.work() as work:
        over = await make.ask(work, "Over", deadline=work.now + timedelta(days=1))
        stands = await make.ask(work, "Stands", deadline=work.now + timedelta(days=3))
        now = work.now
    later = Clock(house, now + timedelta(days=2))
    assert await upkeep.close_due(later) is False
    assert await upkeep.close_due(later) is False
    async with house.work(reading=True) as work:
        found = await store.by_nos(work, [over.no, stands.no])
    assert found[over.no].state is AskState.CLOSED
    assert found[over.no].closed_at == now + timedelta(days=2)
    assert found[stands.no].state is AskState.OPEN


async def test_what_repeats_is_asked_again_after_its_days(house: House, cast: Cast) -> None:
    async with house.work() as work:
        ask = await make.ask(work, turn=Turn.REPEAT, repeat_days=30, unit={"en": "calls"})
        once = await make.ask(work, "Once")
        for one in (ask, once):
            await asks.report_done(work, cast.bo, one, amount=2, note="Done.")
        await asks.report_done(make.later(work, days=1), cast.gil, ask)
        now = work.now
    await upkeep.close_due(Clock(house, now + timedelta(days=30)))
    async with house.work(reading=True) as work:
        [again, other] = [await store.pledge_of(work, cast.bo.no, one.no) for one in (ask, once)]
        gils = await store.pledge_of(work, cast.gil.no, ask.no)
    assert again is not None
    assert (again.state, again.done_at, again.times, again.amount, again.note) == (
        PledgeState.PLEDGED,
        now,
        1,
        2,
        None,
    )
    assert other is not None
    assert gils is not None
    assert other.state is gils.state is PledgeState.DONE

    async with house.work() as work:
        anew = await asks.report_done(make.later(work, days=31), cast.bo, ask, amount=5)
        assert (anew.times, anew.amount) == (2, 7)
        assert (await activity.kinds(work, cast.bo.no))[-2:] == ["pledge_reopened", "pledge_done"]
        counted = (await counting.counts(work, [ask.no]))[ask.no]
    assert (counted.done, counted.amount) == (2, 7)


async def test_an_ask_that_was_closed_is_asked_of_nobody_again(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, turn=Turn.REPEAT, repeat_days=1)
    await asks.report_done(work, cast.bo, ask)
    await asks.close_ask(work, ask)
    assert await store.repeating(make.later(work, days=9)) == []


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_many_are_asked_again_a_batch_at_a_time(work: Work, cast: Cast, limit: int) -> None:
    ask = await make.ask(work, turn=Turn.REPEAT, repeat_days=1)
    for somebody in await make.people(work, 5):
        await asks.report_done(work, somebody, ask)
    later = make.later(work, days=1)
    opened: list[int] = []
    while not opened or opened[-1]:
        opened.append(await upkeep.open_again(later, ask, limit=limit))
    assert sum(opened) == 5
    assert max(opened) == limit
    assert (await counting.counts(work, [ask.no]))[ask.no].to_do == 5


async def test_offers_are_forgotten_after_ninety_days_and_their_number_stays(
    house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "FORGOTTEN_AT_ONCE", 2)
    async with house.work() as work:
        ask = await make.ask(work)
        for campaign in (1, 2):
            roll = select(Subscriber.no).where(visible(work))
            await choosing.offer(make.later(work, days=campaign), campaign, roll, ask)
        before = (await counting.counts(work, [ask.no]))[ask.no].offered
        now = work.now
    assert before == 8  # four people, twice
    on_the_day = Clock(house, now + timedelta(days=91))
    assert await upkeep.forget_offers(on_the_day) is False
    late = Clock(house, now + timedelta(days=91, seconds=1))
    rounds = 1
    while await upkeep.forget_offers(late):
        rounds += 1
    assert rounds == 3  # two, two, and none
    async with house.work(reading=True) as work:
        assert (await counting.counts(work, [ask.no]))[ask.no].offered == 8
        left = await offers.offers_to(work, cast.bo.no)
    assert [one.campaign_no for one in left] == [2]
