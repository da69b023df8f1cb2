"""What time does: asks close at their deadline, and those that repeat are open again."""

import contextlib
import dataclasses
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from mailer.activity import store as activity
from mailer.asks import actions as asks
from mailer.asks import choosing, record, store, upkeep
from mailer.asks.ageing import store as ageing
from mailer.asks.counting import store as counting
from mailer.asks.model import Ask, AskState, PledgeState, Turn
from mailer.asks.offers import store as offers
from mailer.bootstrap import House
from mailer.kit.work import Door, Work
from mailer.outbox import store as outbox
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


async def test_a_deadline_that_was_just_moved_closes_nothing(
    house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house.work() as work:
        ask = await make.ask(work, deadline=work.now + timedelta(days=1))
        now = work.now
    hold = store.hold

    async def moved_before(work: Work, over: Ask) -> Ask:
        await work.session.execute(
            update(Ask).where(Ask.no == over.no).values(deadline=now + timedelta(days=9))
        )
        return await hold(work, over)

    monkeypatch.setattr(store, "hold", moved_before)
    await upkeep.close_due(Clock(house, now + timedelta(days=2)))
    async with house.work(reading=True) as work:
        assert (await store.again(work, ask)).state is AskState.OPEN


async def test_who_did_it_is_told_that_it_is_open_again_and_may_be_offered_it(
    work: Work, cast: Cast
) -> None:
    async def letters(who: Subscriber) -> list[str]:
        found = await outbox.letters_to(work, who.no)
        return [one.kind for one in found if one.kind == upkeep.AGAIN]

    ask = await make.ask(work, turn=Turn.REPEAT, repeat_days=10)
    for who in (cast.bo, cast.dana):
        await asks.report_done(work, who, ask)
    assert await choosing.best_for(work, cast.bo.no) is None
    later = make.through(make.later(work, days=10), Door.SYSTEM)
    assert await upkeep.open_again(later, ask) == 2
    assert await letters(cast.bo) == [upkeep.AGAIN]
    assert await letters(cast.dana) == [], "she never confirmed"
    assert await upkeep.open_again(make.later(later, days=1), ask) == 0

    offered = await choosing.best_for(later, cast.bo.no)
    assert offered is not None
    assert offered.no == ask.no
    by_mail = make.through(later, Door.EMAIL)
    said = await asks.pledge(by_mail, cast.bo, ask)
    assert (said.state, said.is_answered) == (PledgeState.PLEDGED, True)
    assert await choosing.best_for(later, cast.bo.no) is None
    kinds = await activity.kinds(work, cast.bo.no)
    assert kinds[-2:] == ["pledge_reopened", "pledged"]


async def test_what_somebody_wrote_before_is_kept_as_long_as_it_may_be_put_back(
    house: House, cast: Cast
) -> None:
    async with house.work(door=Door.EMAIL) as work:
        ask = await make.ask(work)
        await asks.need_help(work, cast.bo, ask, words="My manager found out.")
        await asks.not_yet(work, cast.bo, ask, until=work.now.date() + timedelta(days=9))
        link = "https://example.org/photo"
        told = make.later(work, hours=1)
        await asks.report_done(told, cast.bo, ask, note="It went well.", link=link)
        for no, words in ((2, "It went so."), (3, "It went well after all.")):
            await asks.report_done(make.later(work, hours=no), cast.bo, ask, note=words)
        now = work.now

    async def kept() -> list[str]:
        async with house.work(reading=True) as work:
            steps = (await record.known(work, cast.bo.no))[1]
            return [str(one["you_wrote_before"]) for one in steps.rows if one["you_wrote_before"]]

    everything = ["My manager found out.", "It went well.", "It went so."]
    assert await kept() == everything
    assert await upkeep.forget_words(Clock(house, now + timedelta(days=30))) is False
    assert await kept() == everything
    late = Clock(house, now + timedelta(days=30, seconds=1))
    assert await upkeep.forget_words(late) is False
    assert await kept() == everything[1:]
    later = Clock(house, now + timedelta(days=31))
    assert await upkeep.forget_words(later) is False
    assert await kept() == []
    async with house.work(reading=True) as work:
        assert not any(one.keeps_words for one in await store.changes_of(work, cast.bo.no))
        said = await store.pledge_of(work, cast.bo.no, ask.no)
        assert said is not None
        assert (asks.note_of(work, said), asks.link_of(work, said)) == (
            "It went well after all.",
            link,
        )


async def test_an_ask_that_was_closed_is_asked_of_nobody_again(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, turn=Turn.REPEAT, repeat_days=1)
    await asks.report_done(work, cast.bo, ask)
    await asks.close_ask(work, ask)
    assert await ageing.repeating(make.later(work, days=9)) == []


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
