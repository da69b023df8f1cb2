"""Letters about dates: one shortly before, one after, to who has it still to do, and no more."""

import contextlib
import dataclasses
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest

from mailer.asks import actions as asks
from mailer.asks.model import Ask
from mailer.asks.reminding.actions import owe_own_dates, remind_due
from mailer.asks.reminding.model import ASKING, REMINDING
from mailer.bootstrap import House
from mailer.kit.work import Door, Work
from mailer.outbox.model import Letter
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tiers.upkeep import rounds
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import opened, pledged
from tests.support.sending import letters

ABOUT_DATES = {REMINDING.letter, ASKING.letter}


class Later:
    """The same house on another day."""

    def __init__(self, house: House, **by: float) -> None:
        self._house, self._by = house, by

    @contextlib.asynccontextmanager
    async def work(self, *, reading: bool = False) -> AsyncGenerator[Work]:
        async with self._house.work(reading=reading) as work:
            yield make.later(work, **self._by)


async def owed(house: House, **by: float) -> list[tuple[str, int | None]]:
    """Let the step do all that is due on another day; give what is owed about dates by then."""
    while await remind_due(Later(house, **by)):
        pass
    return [(one.kind, one.subscriber_no) for one in await about_dates(house)]


async def about_dates(house: House) -> list[Letter]:
    return [one for one in await letters(house) if one.kind in ABOUT_DATES]


async def in_ten_days(house: House, **said: object) -> Ask:
    async with house.work(reading=True) as work:
        day = work.now + timedelta(days=10)
    return await opened(house, "Bring a chair", deadline=day, **said)


async def test_one_letter_before_the_date_and_one_after(house: House, cast: Cast) -> None:
    ask = await in_ten_days(house)
    await pledged(house, cast.bo, ask)
    bo = cast.bo.no
    assert await owed(house, days=6) == []
    assert await owed(house, days=6, hours=11) == [("pledge-due", bo)]
    for day in (7, 8, 9, 10):
        assert await owed(house, days=day) == [("pledge-due", bo)]
    both = [("pledge-due", bo), ("did-you-do-it", bo)]
    assert await owed(house, days=10, hours=11) == both
    for day in (11, 15, 23, 30, 200):
        assert await owed(house, days=day) == both


async def test_who_comes_late_is_reached_by_the_next_days_walk(house: House, cast: Cast) -> None:
    ask = await in_ten_days(house)
    await pledged(house, cast.bo, ask)
    await owed(house, days=7)
    async with house.work(door=Door.PAGE) as work:
        await asks.pledge(make.later(work, days=7), cast.gil, ask)
    assert await owed(house, days=7, hours=20) == [("pledge-due", cast.bo.no)]
    assert await owed(house, days=8, hours=1) == [
        ("pledge-due", cast.bo.no),
        ("pledge-due", cast.gil.no),
    ]


async def test_who_has_done_it_or_needs_help_is_left_alone(house: House, cast: Cast) -> None:
    ask = await in_ten_days(house)
    async with house.work(door=Door.PAGE) as work:
        await asks.report_done(work, cast.bo, ask)
        await asks.need_help(work, cast.gil, ask, words="How?")
        await asks.decline(work, cast.dana, ask)
        await asks.pledge(work, cast.chidi, ask)
        await asks.withdraw(work, cast.chidi, ask)
    for day in (7, 9, 11):
        assert await owed(house, days=day) == []


async def test_who_cannot_be_written_to_is_not(house: House, cast: Cast) -> None:
    ask = await in_ten_days(house)
    for who in (cast.bo, cast.gil):
        await pledged(house, who, ask)
    async with house.work(door=Door.ADMIN) as work:
        paper = await subscribers.add(work, address=None, first_name="Paper")
        await asks.pledge(work, paper, ask)
        await subscribers.stop_silently(work, cast.bo)
    assert await owed(house, days=7) == [("pledge-due", cast.gil.no)]


async def test_a_day_of_their_own_goes_before_the_asks(house: House, cast: Cast) -> None:
    ask = await in_ten_days(house)
    async with house.work(door=Door.PAGE) as work:
        await asks.pledge(work, cast.bo, ask)
        until = (work.now + timedelta(days=30)).date()
        await asks.not_yet(work, cast.bo, ask, until=until)
    for day in (7, 11, 20):
        assert await owed(house, days=day) == []
    assert await owed(house, days=29) == [("pledge-due", cast.bo.no)]
    [letter] = await about_dates(house)
    end_of_day = datetime.combine(until, datetime.max.time(), UTC).replace(microsecond=0)
    assert letter.facts["due"] == int(end_of_day.timestamp())
    assert (await owed(house, days=32))[1:] == [("did-you-do-it", cast.bo.no)]


async def test_another_day_is_reminded_of_and_asked_about_anew(house: House, cast: Cast) -> None:
    ask = await in_ten_days(house)
    await pledged(house, cast.bo, ask)
    await owed(house, days=7)
    await owed(house, days=11)
    async with house.work(door=Door.EMAIL) as work:
        late = make.later(work, days=12)
        await asks.not_yet(late, cast.bo, ask, until=(late.now + timedelta(days=2)).date())
    assert len(await owed(house, days=12, hours=2)) == 2, "not on the day of their answer"
    assert len(await owed(house, days=13, hours=1)) == 3
    assert (
        await owed(house, days=16)
        == [
            ("pledge-due", cast.bo.no),
            ("did-you-do-it", cast.bo.no),
        ]
        * 2
    )


async def test_a_later_deadline_is_one_more_date(house: House, cast: Cast) -> None:
    ask = await in_ten_days(house)
    await pledged(house, cast.bo, ask)
    assert len(await owed(house, days=7)) == 1
    assert ask.deadline
    async with house.work(door=Door.ADMIN) as work:
        await asks.revise(
            work,
            ask,
            version=ask.version,
            title=ask.title,
            deadline=ask.deadline + timedelta(days=30),
        )
    assert len(await owed(house, days=12)) == 1
    assert await owed(house, days=37) == [("pledge-due", cast.bo.no)] * 2


async def test_of_an_ask_that_was_closed_nobody_is_reminded(house: House, cast: Cast) -> None:
    ask = await in_ten_days(house)
    await pledged(house, cast.bo, ask)
    async with house.work(door=Door.ADMIN) as work:
        await asks.close_ask(work, ask)
    assert await owed(house, days=7) == []
    assert await owed(house, days=11) == [("did-you-do-it", cast.bo.no)]


async def test_what_has_no_date_has_no_letters(house: House, cast: Cast) -> None:
    ask = await opened(house, "Any time")
    await pledged(house, cast.bo, ask)
    for day in (7, 60, 300):
        assert await owed(house, days=day) == []


async def test_a_crowd_is_walked_in_stretches(
    house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "STRETCH", 4)
    ask = await in_ten_days(house)
    async with house.work(door=Door.IMPORT) as work:
        people = await make.people(work, 10)
        for one in people:
            await asks.pledge(work, one, ask)
    assert sorted(no for _kind, no in await owed(house, days=7) if no) == sorted(
        one.no for one in people
    )


async def test_own_dates_go_in_batches(cast: Cast, work: Work) -> None:
    ask = await asks.open_ask(work, await asks.draft(work, title={"en": "Any time"}))
    people = [cast.bo, cast.gil, cast.dana]
    for one in people:
        await asks.not_yet(work, await _who_said_yes(work, one, ask), ask, until=work.now.date())
    soon = dataclasses.replace(work, now=work.now + timedelta(days=1, hours=10))
    await work.session.flush()
    assert await owe_own_dates(soon, ASKING, limit=2) == 2
    assert await owe_own_dates(soon, ASKING, limit=2) == 1
    assert await owe_own_dates(soon, ASKING, limit=2) == 0


async def _who_said_yes(work: Work, who: Subscriber, ask: Ask) -> Subscriber:
    await asks.pledge(work, who, ask)
    return who
