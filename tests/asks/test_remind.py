"""Letters about dates: one shortly before, one after, to who has it still to do, and no more."""

import contextlib
import dataclasses
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest

from mailer.asks import actions as asks
from mailer.asks import store, upkeep
from mailer.asks.model import Ask, Turn
from mailer.asks.reminding import store as due
from mailer.asks.reminding.actions import owe_own_dates, remind_due
from mailer.asks.reminding.model import ASKING, REMINDING
from mailer.bootstrap import House
from mailer.followups.model import CaseKind
from mailer.followups.rounds.looking import look_around
from mailer.kit.work import Door, Work
from mailer.outbox import store as outbox
from mailer.outbox.model import Letter
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tiers.upkeep import rounds
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import opened, pledged
from tests.support.following import open_cases
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


@pytest.mark.parametrize("turn", [Turn.ONCE, Turn.STANDING])
async def test_what_has_no_date_is_asked_about_once_after_a_month(
    house: House, cast: Cast, turn: Turn
) -> None:
    ask = await opened(house, "Any time", turn=turn)
    await pledged(house, cast.bo, ask)
    for day in (7, 27, 29):
        assert await owed(house, days=day) == [], "nobody is reminded of a day that nobody gave"
    for day in (32, 60, 300):
        assert await owed(house, days=day) == [("did-you-do-it", cast.bo.no)]
    await look_around(Later(house, days=33))
    assert await open_cases(house, cast.bo) == []
    await look_around(Later(house, days=35))
    assert [one.kind for one in await open_cases(house, cast.bo)] == [CaseKind.PAST_DUE]


async def test_a_deadline_that_goes_leaves_a_day_and_one_that_comes_counts(
    house: House, cast: Cast
) -> None:
    ask = await in_ten_days(house)
    deadline = ask.deadline
    await pledged(house, cast.bo, ask)
    for now in (None, deadline):
        async with house.work(door=Door.ADMIN) as work:
            version = (await store.again(work, ask)).version
            await asks.revise(work, ask, version=version, title=ask.title, deadline=now)
        assert await upkeep.give_days(house) is False
        async with house.work(reading=True) as work:
            said = await store.pledge_of(work, cast.bo.no, ask.no)
        assert said is not None
        assert said.is_our_day is (now is None)
        assert (said.due_at is None) is (now is not None)
    assert await owed(house, days=7) == [("pledge-due", cast.bo.no)]


async def test_moving_a_deadline_reminds_nobody_more_than_twice(house: House, cast: Cast) -> None:
    ask = await in_ten_days(house)
    await pledged(house, cast.bo, ask)
    for times in range(1, 5):
        day = 7 + 20 * (times - 1)
        assert len(await owed(house, days=day)) == min(times, 2)
        async with house.work(door=Door.ADMIN) as work:
            found = await store.again(work, ask)
            assert found.deadline
            later = found.deadline + timedelta(days=20)
            await asks.revise(work, ask, version=found.version, title=ask.title, deadline=later)
    async with house.work(door=Door.EMAIL) as work:
        late = make.later(work, days=80)
        until = (late.now + timedelta(days=10)).date()
        await asks.not_yet(late, cast.bo, ask, until=until)
    assert len(await owed(house, days=88)) == 3, "a day of their own is one they want to know of"


async def test_not_yet_without_a_day_is_asked_about_a_week_later(house: House, cast: Cast) -> None:
    ask = await in_ten_days(house)
    await pledged(house, cast.bo, ask)
    both = await owed(house, days=7) + await owed(house, days=11)
    assert len(both) == 3
    async with house.work(door=Door.EMAIL) as work:
        await asks.not_yet(make.later(work, days=12), cast.bo, ask, until=None)
    assert len(await owed(house, days=18)) == 2
    assert (await owed(house, days=21))[-1] == ("did-you-do-it", cast.bo.no)
    assert len(await owed(house, days=40)) == 3


@pytest.mark.parametrize("own_day", [False, True])
async def test_who_is_on_a_break_is_asked_when_it_is_over(
    house: House, cast: Cast, *, own_day: bool
) -> None:
    ask = await in_ten_days(house)
    async with house.work(door=Door.PAGE) as work:
        said = await asks.pledge(work, cast.bo, ask)
        if own_day:
            until = (work.now + timedelta(days=10)).date()
            said = await asks.not_yet(work, cast.bo, ask, until=until)
        await subscribers.pause(work, cast.bo, days=60)
        back = work.now + timedelta(days=60)
    for day in (7, 11, 12, 30, 59):
        assert await owed(house, days=day) == []
    async with house.work(reading=True) as work:
        found = await store.pledge_by_no(work, said.no)
        assert found is not None
        assert not found.is_overdue(ask, back), "no case is opened about them until then"
        assert (found.reminded_at, found.asked_at) == (None, None)
    assert await owed(house, days=62) == [("did-you-do-it", cast.bo.no)]


async def test_who_has_left_the_lists_hears_of_their_pledge_and_who_never_confirmed_does_not(
    house: House, cast: Cast
) -> None:
    ask = await in_ten_days(house)
    for who in (cast.chidi, cast.dana):
        await pledged(house, who, ask)
    assert await owed(house, days=11) == [("did-you-do-it", cast.chidi.no)]
    async with house.work(reading=True) as work:
        danas = await store.pledge_of(work, cast.dana.no, ask.no)
        assert danas is not None
        assert danas.asked_at is None
        kinds = {one.kind for one in await outbox.letters_to(work, cast.dana.no)}
    assert kinds <= {"confirm", "reminder"}


async def test_of_a_closed_ask_nobody_is_reminded_who_gave_a_day_of_their_own(
    house: House, cast: Cast
) -> None:
    ask = await in_ten_days(house)
    async with house.work(door=Door.PAGE) as work:
        await asks.pledge(work, cast.bo, ask)
        until = (work.now + timedelta(days=20)).date()
        await asks.not_yet(work, cast.bo, ask, until=until)
        await asks.close_ask(work, ask)
    assert await owed(house, days=18) == []
    assert await owed(house, days=22) == [("did-you-do-it", cast.bo.no)]


async def test_who_answers_between_the_look_and_the_note_is_left_alone(
    work: Work, cast: Cast
) -> None:
    ask = await make.ask(work)
    for who in (cast.bo, cast.gil):
        await asks.pledge(work, who, ask)
        await asks.not_yet(work, who, ask, until=work.now.date())
    soon = make.later(work, days=1, hours=11)
    waiting = await due.of_own_date(soon, ASKING, limit=9)
    assert len(waiting) == 2
    await asks.report_done(soon, cast.bo, ask)
    noted = await due.note(soon, ASKING, waiting, None)
    assert [one.waiting.subscriber_no for one in noted] == [cast.gil.no]
    assert await due.note(soon, ASKING, waiting, None) == [], "another worker has been here"


async def test_who_was_asked_again_and_said_nothing_has_promised_nothing(
    house: House, cast: Cast
) -> None:
    ask = await in_ten_days(house, turn=Turn.REPEAT, repeat_days=1)
    async with house.work(door=Door.PAGE) as work:
        for who in (cast.bo, cast.gil):
            await asks.report_done(work, who, ask)
        later = make.later(work, days=2)
        await upkeep.open_again(make.through(later, Door.SYSTEM), ask)
        await asks.pledge(later, cast.gil, ask)
    assert await owed(house, days=11) == [("did-you-do-it", cast.gil.no)]
    await look_around(Later(house, days=15))
    assert await open_cases(house, cast.bo) == []
    assert len(await open_cases(house, cast.gil, CaseKind.PAST_DUE)) == 1


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
    people = [cast.bo, cast.gil, cast.chidi]
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
