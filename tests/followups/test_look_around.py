"""Who has begun to wait by time alone, and whose reason is gone."""

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import timedelta

import pytest

from mailer.asks import pledging, reporting
from mailer.asks.model import Ask, Pledge
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.followups import opening, record, settling, store
from mailer.followups.model import CaseKind, FollowUp, Outcome, Resolution
from mailer.followups.rounds import looking
from mailer.followups.rounds.forgetting import forget_notes
from mailer.followups.rounds.looking import EVERY, look_around
from mailer.kit.work import Door, Work
from mailer.phones import actions as phones
from mailer.subscribers import actions as subscribers
from mailer.subscribers import pausing
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.model import SignKind, Stayed, StillWithUs
from mailer.tiers.upkeep.lapsing import stay
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import opened, pledged
from tests.support.following import blocked, called, followed, now, open_cases, remembered
from tests.support.waiting import Later


async def looked(house: House, **by: float) -> None:
    """Look around on another day, to the end; each time as if it were long since the last."""
    while await look_around(Later(house, **by)):
        pass


async def kinds(house: House, cast: Cast) -> list[CaseKind]:
    return [one.kind for one in await open_cases(house, cast.bo)]


# --- a date that went by --------------------------------------------------------------------------


@pytest.fixture
async def ask(house: House, cast: Cast) -> Ask:
    """Due in ten days."""
    async with house.work(reading=True) as work:
        return await opened(house, "Write a letter", deadline=work.now + timedelta(days=10))


@pytest.fixture
async def pledge(house: House, cast: Cast, ask: Ask) -> Pledge:
    """Bo's."""
    return await pledged(house, cast.bo, ask)


async def test_three_days_after_the_letter_that_asks(
    house: House, cast: Cast, pledge: Pledge
) -> None:
    await looked(house, days=13)
    assert await open_cases(house, cast.bo) == []

    await looked(house, days=14, hours=1)

    [case] = await open_cases(house, cast.bo)
    assert (case.kind, case.subject_no, case.owner_no) == (CaseKind.PAST_DUE, pledge.no, None)
    await looked(house, days=15)
    assert len(await open_cases(house, cast.bo)) == 1


async def test_by_the_date_that_they_gave_themselves(
    house: House, cast: Cast, ask: Ask, pledge: Pledge
) -> None:
    async with house.work(door=Door.EMAIL) as work:
        until = work.now.date() + timedelta(days=40)
        await reporting.not_yet(work, cast.bo, ask, until=until)
    await looked(house, days=20)
    assert await open_cases(house, cast.bo) == []
    await looked(house, days=46)
    assert await kinds(house, cast) == [CaseKind.PAST_DUE]


@pytest.mark.parametrize("answer", ["done", "help", "decline"])
async def test_who_has_answered_is_left_alone(
    house: House, cast: Cast, ask: Ask, pledge: Pledge, answer: str
) -> None:
    async with house.work(door=Door.EMAIL) as work:
        match answer:
            case "done":
                await reporting.report_done(work, cast.bo, ask)
            case "help":
                await reporting.need_help(work, cast.bo, ask, words="How?")
            case _:
                await pledging.decline(work, cast.bo, ask)
    await followed(house)
    await looked(house, days=15)
    assert CaseKind.PAST_DUE not in await kinds(house, cast)


async def test_an_answer_ends_it_at_once_and_it_is_not_opened_again(
    house: House, cast: Cast, ask: Ask, pledge: Pledge
) -> None:
    await looked(house, days=15)
    [case] = await open_cases(house, cast.bo)
    async with house.work(door=Door.EMAIL) as work:
        await reporting.report_done(work, cast.bo, ask)
    await followed(house)
    assert (await now(house, case)).resolution is Resolution.ANSWERED
    await looked(house, days=16)
    assert await open_cases(house, cast.bo) == []


async def test_whoever_was_called_about_a_date_is_not_called_about_it_again(
    house: House, cast: Cast, pledge: Pledge
) -> None:
    await looked(house, days=15)
    [case] = await open_cases(house, cast.bo)
    await called(house, case, cast.amina, Outcome.REACHED)
    await looked(house, days=40)
    assert await open_cases(house, cast.bo) == []


async def test_nor_about_a_date_of_long_ago(house: House, cast: Cast, pledge: Pledge) -> None:
    await looked(house, days=10 + 61)
    assert await open_cases(house, cast.bo) == []


async def test_whoever_is_promised_support_has_a_case_about_it_already(
    house: House, cast: Cast
) -> None:
    async with house.work(reading=True) as work:
        deadline = work.now + timedelta(days=1)
    ask = await opened(house, "Hold a meeting", deadline=deadline, needs_support=True)
    await pledged(house, cast.bo, ask)
    await followed(house)
    await looked(house, days=10)
    assert await kinds(house, cast) == [CaseKind.SUPPORT]


# --- ready to step up -----------------------------------------------------------------------------


@pytest.fixture
async def suggested(house: House, cast: Cast) -> int:
    """Bo does what activists do."""
    async with house.work() as work:
        for days in (5, 3, 1):
            at = work.now - timedelta(days=days)
            await tiers.note_sign(work, cast.bo.no, SignKind.DONE, at)
        found = await ladder.suggested(work, cast.bo.no)
        assert found is not None
        return found[0].no


async def test_who_does_not_answer_a_suggestion_is_called(
    house: House, cast: Cast, suggested: int
) -> None:
    await looked(house, days=2)
    assert await open_cases(house, cast.bo) == []
    await looked(house, days=4)
    [case] = await open_cases(house, cast.bo)
    assert (case.kind, case.subject_no) == (CaseKind.READY, suggested)


async def test_an_answer_to_it_ends_that(house: House, cast: Cast, suggested: int) -> None:
    await looked(house, days=4)
    [case] = await open_cases(house, cast.bo)
    async with house.work(door=Door.EMAIL) as work:
        await tiers.dismiss(work, cast.bo, suggested)
    await looked(house, days=5)
    assert (await now(house, case)).resolution is Resolution.ANSWERED
    await looked(house, days=6)
    assert await open_cases(house, cast.bo) == []


# --- gone quiet -----------------------------------------------------------------------------------


async def asked_twice(work: Work, cast: Cast) -> StillWithUs:
    question = StillWithUs(
        subscriber_no=cast.bo.no,
        tier_no=cast.supporter.no,
        asked_at=work.now - timedelta(days=14),
        again_at=work.now,
        next_at=work.now + timedelta(days=14),
    )
    work.session.add(question)
    await work.session.flush()
    return question


async def test_whoever_left_the_first_letter_unanswered_is_called(house: House, cast: Cast) -> None:
    async with house.work() as work:
        question = await asked_twice(work, cast)
    await looked(house)
    [case] = await open_cases(house, cast.bo)
    assert (case.kind, case.subject_no) == (CaseKind.QUIET, question.no)

    async with house.work(door=Door.EMAIL) as work:
        await stay(work, cast.bo, question.no)
    await looked(house, hours=1)

    assert (await now(house, case)).resolution is Resolution.ANSWERED


@pytest.mark.parametrize("outcome", [Outcome.REACHED, Outcome.NO_ANSWER])
async def test_whoever_was_talked_to_is_still_with_us(
    house: House, cast: Cast, outcome: Outcome
) -> None:
    async with house.work() as work:
        question = await asked_twice(work, cast)
    await looked(house)
    [case] = await open_cases(house, cast.bo)

    await called(house, case, cast.amina, outcome)

    async with house.work(reading=True) as work:
        found = await ladder.question_by_no(work, question.no)
        assert found is not None
        assert (found.ended is Stayed.KEPT) == (outcome is Outcome.REACHED)


async def test_not_after_the_first_letter_alone(house: House, cast: Cast) -> None:
    async with house.work() as work:
        (await asked_twice(work, cast)).again_at = None
    await looked(house)
    assert await open_cases(house, cast.bo) == []


# --- whom nobody calls ----------------------------------------------------------------------------


async def test_whoever_was_talked_to_lately_is_called_when_that_is_over(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        talk = await opening.open_case(work, cast.bo, CaseKind.BLOCKED, subject_no=1)
    await called(house, talk, cast.amina, Outcome.REACHED)
    async with house.work() as work:
        await asked_twice(work, cast)
    await looked(house)
    assert await open_cases(house, cast.bo) == []
    await looked(house, days=15)
    assert await kinds(house, cast) == [CaseKind.QUIET]


async def test_nobody_calls_who_was_stopped_silently(house: House, cast: Cast) -> None:
    async with house.work() as work:
        await asked_twice(work, cast)
        await subscribers.stop_silently(work, cast.bo)
    await looked(house)
    assert await open_cases(house, cast.bo) == []


# --- rounds ---------------------------------------------------------------------------------------


async def test_what_is_settled_is_looked_for_every_ten_minutes(house: House, cast: Cast) -> None:
    async with house.work() as work:
        question = await asked_twice(work, cast)
    await looked(house)
    [case] = await open_cases(house, cast.bo)
    async with house.work(door=Door.EMAIL) as work:
        await stay(work, cast.bo, question.no)
    await looked(house, minutes=9)
    assert (await now(house, case)).is_open
    await looked(house, seconds=EVERY.total_seconds() + 5)
    assert not (await now(house, case)).is_open


async def test_who_begins_to_wait_is_looked_for_once_a_day(house: House, cast: Cast) -> None:
    await looked(house)
    async with house.work() as work:
        await asked_twice(work, cast)
    await looked(house, hours=20)
    assert await open_cases(house, cast.bo) == []
    await looked(house, hours=25)
    assert len(await open_cases(house, cast.bo)) == 1


async def test_more_than_a_stretch_and_two_workers_open_each_once(
    house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "STRETCH", 3)
    many = await silent(house, 10)

    await asyncio.gather(looked(house), looked(house))
    await looked(house, days=1, hours=1)

    for one in many:
        assert len(await open_cases(house, one)) == 1


async def silent(house: House, count: int) -> Sequence[Subscriber]:
    """Let some have let a date of their own go by, and said nothing since."""
    ask = await opened(house, "Write a letter")
    async with house.work() as work:
        many = await make.people(work, count)
        for one in many:
            pledge = await pledging.pledge(make.later(work, days=-9), one, ask)
            pledge.due_at = work.now - timedelta(days=5)
    return many


async def waiting(house: House, many: Sequence[Subscriber]) -> int:
    return sum([len(await open_cases(house, one)) for one in many])


async def test_so_many_a_day_of_each_ask_and_the_others_on_the_next(
    house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "STRETCH", 3)
    monkeypatch.setattr(looking, "A_DAY", 4)
    many = await silent(house, 9)
    for hours, count in ((0, 4), (12, 4), (25, 8), (50, 9)):
        await looked(house, hours=hours)
        assert await waiting(house, many) == count


async def test_never_more_than_so_many_who_did_not_ask(
    house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "AT_MOST", 3)
    many = await silent(house, 5)
    for days in (0, 2):
        await looked(house, days=days)
        assert await waiting(house, many) == 3
    [case] = [one for who in many for one in await open_cases(house, who)][:1]
    await called(house, case, cast.amina, Outcome.REACHED)
    await looked(house, days=4)
    assert await waiting(house, many) == 3


# --- who said something, or is to be left alone ---------------------------------------------------


async def test_whoever_says_not_yet_after_the_date_is_not_silent(
    house: House, cast: Cast, ask: Ask, pledge: Pledge
) -> None:
    async with Later(house, days=11).work() as work:
        await reporting.not_yet(
            dataclasses.replace(work, door=Door.EMAIL), cast.bo, ask, until=None
        )
    await looked(house, days=15)
    assert await open_cases(house, cast.bo) == []


async def test_not_yet_ends_it_and_the_same_date_opens_it_no_more(
    house: House, cast: Cast, ask: Ask, pledge: Pledge
) -> None:
    await looked(house, days=15)
    [case] = await open_cases(house, cast.bo)
    async with Later(house, days=16).work() as work:
        await reporting.not_yet(dataclasses.replace(work, door=Door.PAGE), cast.bo, ask, until=None)
    await followed(Later(house, days=16))
    assert (await now(house, case)).resolution is Resolution.ANSWERED
    await looked(house, days=20)
    assert await open_cases(house, cast.bo) == []


async def leave(work: Work, cast: Cast, how: str) -> None:
    match how:
        case "break":
            await pausing.pause(work, cast.bo, days=90)
        case "left":
            await consent.unsubscribe(work, cast.bo, list_no=None)
        case _:
            await phones.note(work, cast.bo, "", wording="", language="en", never_call=True)


LEAVING = pytest.mark.parametrize("how", ["break", "left", "never call"])


@LEAVING
async def test_whoever_wants_to_be_left_alone_is_not_called_unasked(
    house: House, cast: Cast, pledge: Pledge, suggested: int, how: str
) -> None:
    async with house.work(door=Door.PAGE) as work:
        await asked_twice(work, cast)
        await leave(work, cast, how)
    await looked(house, days=15)
    assert await open_cases(house, cast.bo) == []


@LEAVING
async def test_what_nobody_asked_for_ends_when_they_leave_and_help_is_still_owed(
    house: House, cast: Cast, pledge: Pledge, suggested: int, how: str
) -> None:
    other = await opened(house, "Hold a meeting")
    help_ = await blocked(house, cast.bo, other)
    await looked(house, days=15)
    assert len(await open_cases(house, cast.bo)) == 3
    async with house.work(door=Door.PAGE) as work:
        await leave(work, cast, how)
    await looked(house, days=16)
    assert [one.no for one in await open_cases(house, cast.bo)] == [help_.no]


async def test_a_date_that_was_moved_ends_what_is_about_it(
    house: House, cast: Cast, ask: Ask, pledge: Pledge
) -> None:
    await looked(house, days=15)
    [case] = await open_cases(house, cast.bo)
    async with house.work() as work:
        fresh = await work.session.get_one(Ask, ask.no)
        fresh.deadline = work.now + timedelta(days=40)
    await looked(house, days=16)
    assert (await now(house, case)).resolution is Resolution.ANSWERED


async def test_taking_a_talk_back_asks_again_whether_they_are_still_with_us(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        question = await asked_twice(work, cast)
    await looked(house)
    [case] = await open_cases(house, cast.bo)
    await called(house, case, cast.amina, Outcome.REACHED)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        [step] = await store.steps_of(work, case.no)
        await settling.take_back(work, case, step.no)
        found = await ladder.question_by_no(work, question.no)
        assert found is not None
        assert (found.ended_at, found.ended) == (None, None)
        assert found.next_at > work.now
    await looked(house, hours=1)
    assert (await now(house, case)).is_open


# --- notes ----------------------------------------------------------------------------------------


async def test_notes_are_forgotten_a_year_after_the_end(house: House, cast: Cast) -> None:
    ended = await remembered(house, cast.bo, cast.amina, "Ask how it went.")
    await called(house, ended, cast.amina, Outcome.REACHED, "Well.")
    standing = await remembered(house, cast.gil, cast.amina, "Ask them too.")

    async def noted(case: FollowUp, days: int) -> list[str]:
        while await forget_notes(Later(house, days=days)):
            pass
        async with house.work(reading=True) as work:
            return [store.words_of(work, one) for one in await store.steps_of(work, case.no)]

    assert await noted(ended, 364) == ["Well.", "Ask how it went."]
    assert await noted(ended, 366) == ["", ""]
    assert await noted(standing, 800) == ["Ask them too."]
    async with house.work(reading=True) as work:
        cases, _steps = await record.known(work, cast.bo.no)
    assert cases.rows[0]["notes_forgotten_at"] is not None
