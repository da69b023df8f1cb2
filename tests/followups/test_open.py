"""Cases are opened by what people say, and by organisers who want to remember somebody."""

import asyncio
from datetime import timedelta

import pytest

from mailer.accounts.actions import disable
from mailer.accounts.model import Account
from mailer.asks import pledging, reporting, undoing
from mailer.asks import store as asks
from mailer.asks.model import Ask
from mailer.bootstrap import House
from mailer.followups import opening, settling, store
from mailer.followups.helping import help_of
from mailer.followups.model import DUE_WITHIN, CaseKind, CaseState, Outcome, Resolution, StepKind
from mailer.followups.opening import DayOutOfRange, open_case
from mailer.followups.rounds.looking import look_around
from mailer.followups.subjects import store as subjects
from mailer.kit.texts import TextMissing
from mailer.kit.work import Door, Work
from mailer.subscribers import actions as subscribers
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import opened, pledged
from tests.support.following import (
    WORDS,
    blocked,
    called,
    followed,
    now,
    open_cases,
    remembered,
    waiting,
)


@pytest.fixture
async def ask(house: House, cast: Cast) -> Ask:
    return await opened(house, "Pass the model motion")


@pytest.fixture
async def supported(house: House, cast: Cast) -> Ask:
    return await opened(house, "Hold a meeting at work", needs_support=True)


# --- by what people say ---------------------------------------------------------------------------


async def test_asking_for_help_opens_one_with_an_owner_and_a_date(
    house: House, cast: Cast, ask: Ask
) -> None:
    case = await blocked(house, cast.bo, ask)

    assert case.state is CaseState.ASSIGNED
    assert case.owner_no == cast.amina.no, "of those who may, nobody has fewer cases"
    assert case.due_at == case.opened_at + DUE_WITHIN[CaseKind.BLOCKED]
    async with house.work(reading=True) as work:
        pledge, _ask = (await subjects.pledges(work, [case.subject_no]))[case.subject_no]
        assert reporting.note_of(work, pledge) == WORDS


async def test_a_yes_to_an_ask_with_support_opens_one(
    house: House, cast: Cast, ask: Ask, supported: Ask
) -> None:
    await pledged(house, cast.bo, supported)
    await pledged(house, cast.gil, ask)
    await followed(house)

    assert [one.kind for one in await open_cases(house, cast.bo)] == [CaseKind.SUPPORT]
    assert await open_cases(house, cast.gil) == []


async def test_nothing_is_open_before_it_was_committed(house: House, cast: Cast, ask: Ask) -> None:
    with pytest.raises(RuntimeError, match="power"):
        async with house.work(door=Door.EMAIL) as work:
            await reporting.need_help(work, cast.bo, ask, words=WORDS)
            raise RuntimeError("the power went")
    await followed(house)
    assert await open_cases(house, cast.bo) == []


async def test_asking_twice_is_one_case_that_comes_to_the_front_again(
    house: House, cast: Cast, ask: Ask
) -> None:
    case = await blocked(house, cast.bo, ask)
    async with house.work() as work:
        await store.change(work, case, {"next_at": work.now + timedelta(days=3)})
    assert await waiting(house, cast.amina) == []

    again = await blocked(house, cast.bo, ask, words="Now he shouts at me.")

    assert again.no == case.no
    assert await waiting(house, cast.amina) == [("Bo", CaseKind.BLOCKED)]


@pytest.mark.parametrize(("days", "comes_forward"), [(1, False), (30, True)])
async def test_a_second_call_for_help_comes_before_what_was_agreed_for_much_later(
    house: House, cast: Cast, ask: Ask, days: int, *, comes_forward: bool
) -> None:
    case = await blocked(house, cast.bo, ask)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        agreed = work.now + timedelta(days=days)
        await settling.settle(work, case, Outcome.CALL_BACK, call_at=agreed)

    again = await blocked(house, cast.bo, ask, words="Again.")

    assert (again.next_at < agreed) == comes_forward
    assert (again.state is CaseState.ASSIGNED) == comes_forward
    assert (again.due_at < agreed) == comes_forward


async def test_a_second_call_for_help_after_the_first_was_settled_opens_another(
    house: House, cast: Cast, ask: Ask
) -> None:
    case = await blocked(house, cast.bo, ask)
    await called(house, case, cast.amina, Outcome.REACHED)
    assert (await blocked(house, cast.bo, ask, words="He did it again.")).no != case.no


ANSWERS = pytest.mark.parametrize("answer", ["done", "later", "withdraw", "decline"])


async def answer_otherwise(house: House, cast: Cast, ask: Ask, answer: str, door: Door) -> None:
    async with house.work(door=door) as work:
        match answer:
            case "done":
                await reporting.report_done(work, cast.bo, ask)
            case "later":
                await reporting.not_yet(work, cast.bo, ask, until=None)
            case "withdraw":
                await pledging.withdraw(work, cast.bo, ask)
            case _:
                await pledging.decline(work, cast.bo, ask)


@ANSWERS
@pytest.mark.parametrize("door", [Door.PAGE, Door.ADMIN])
async def test_whoever_answers_otherwise_themselves_needs_nobody_any_more(
    house: House, cast: Cast, ask: Ask, answer: str, door: Door
) -> None:
    case = await blocked(house, cast.bo, ask)

    await answer_otherwise(house, cast, ask, answer, door)
    await followed(house)

    ended = await now(house, case)
    assert (ended.state, ended.resolution) == (CaseState.RESOLVED, Resolution.ANSWERED)


@ANSWERS
async def test_an_answer_by_a_link_that_may_have_been_passed_on_ends_no_call_for_help(
    house: House, cast: Cast, ask: Ask, answer: str
) -> None:
    case = await blocked(house, cast.bo, ask)

    await answer_otherwise(house, cast, ask, answer, Door.EMAIL)
    await followed(house)
    while await look_around(house):
        pass

    assert (await now(house, case)).is_open
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        pledge, _ask = (await subjects.pledges_about(work, [case]))[case.no]
        call = await help_of(work, pledge)
        assert call is not None
        assert call.words == WORDS
        assert await settling.is_answered_otherwise(work, case)
        ended = await settling.end(work, case)
        assert ended.resolution is Resolution.ANSWERED
        assert (await settling.end(work, case)).no == case.no
        [step] = await store.steps_of(work, case.no)
        assert step.kind is StepKind.ENDED
        assert (await settling.take_back(work, case, step.no)).is_open


async def test_only_what_was_answered_otherwise_is_ended_without_a_talk(
    house: House, cast: Cast, ask: Ask
) -> None:
    case = await blocked(house, cast.bo, ask)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        with pytest.raises(settling.NotAnswered):
            await settling.end(work, case)


@pytest.mark.parametrize("door", [Door.PAGE, Door.EMAIL])
async def test_who_answered_before_anybody_reacted(
    house: House, cast: Cast, ask: Ask, door: Door
) -> None:
    async with house.work(door=door) as work:
        await reporting.need_help(work, cast.bo, ask, words=WORDS)
        await reporting.report_done(work, cast.bo, ask)
    await followed(house)
    assert len(await open_cases(house, cast.bo)) == (door is Door.EMAIL)


async def test_an_answer_that_is_taken_back_before_anybody_reacted_leaves_the_call_for_help(
    house: House, cast: Cast, ask: Ask
) -> None:
    async with house.work(door=Door.PAGE) as work:
        await reporting.need_help(work, cast.bo, ask, words=WORDS)
    async with house.work(door=Door.PAGE) as work:
        done = await reporting.report_done(work, cast.bo, ask)
    await followed(house)
    assert await open_cases(house, cast.bo) == []
    async with house.work(door=Door.PAGE) as work:
        change = await asks.last_change(work, done.no)
        assert change is not None
        await undoing.undo(work, change.no, subscriber=cast.bo)
    await followed(house)
    assert [one.kind for one in await open_cases(house, cast.bo)] == [CaseKind.BLOCKED]


async def test_what_an_organiser_settled_stays_settled_when_an_answer_is_taken_back(
    house: House, cast: Cast, ask: Ask
) -> None:
    case = await blocked(house, cast.bo, ask)
    await called(house, case, cast.amina, Outcome.REACHED)
    async with house.work(door=Door.PAGE) as work:
        done = await reporting.report_done(work, cast.bo, ask)
        change = await asks.last_change(work, done.no)
    assert change is not None
    async with house.work(door=Door.PAGE) as work:
        await undoing.undo(work, change.no, subscriber=cast.bo)
    await followed(house)
    assert await open_cases(house, cast.bo) == []


async def test_taking_the_call_for_help_back_ends_it(house: House, cast: Cast, ask: Ask) -> None:
    await pledged(house, cast.bo, ask)
    case = await blocked(house, cast.bo, ask)
    async with house.work(door=Door.EMAIL) as work:
        change = await asks.last_change(work, case.subject_no)
        assert change is not None
        await undoing.undo(work, change.no, subscriber=cast.bo)
    await followed(house)
    assert (await now(house, case)).resolution is Resolution.ANSWERED


@pytest.mark.parametrize("asks_first", [True, False])
async def test_support_is_owed_also_to_who_asks_for_help_first(
    house: House, cast: Cast, supported: Ask, *, asks_first: bool
) -> None:
    if not asks_first:
        await pledged(house, cast.bo, supported)
    await blocked(house, cast.bo, supported)
    kinds = {one.kind for one in await open_cases(house, cast.bo)}
    assert kinds == {CaseKind.BLOCKED, CaseKind.SUPPORT}


async def test_an_answer_that_is_undone_lets_them_wait_again(
    house: House, cast: Cast, supported: Ask
) -> None:
    await pledged(house, cast.bo, supported)
    await followed(house)
    [case] = await open_cases(house, cast.bo)
    async with house.work(door=Door.EMAIL) as work:
        done = await reporting.report_done(work, cast.bo, supported)
        change = await asks.last_change(work, done.no)
    await followed(house)
    assert await open_cases(house, cast.bo) == []

    assert change is not None
    async with house.work(door=Door.EMAIL) as work:
        await undoing.undo(work, change.no, subscriber=cast.bo)
    await followed(house)

    assert [one.no for one in await open_cases(house, cast.bo)] == [case.no]


async def test_a_yes_that_is_undone_ends_what_it_opened(
    house: House, cast: Cast, supported: Ask
) -> None:
    pledge = await pledged(house, cast.bo, supported)
    await followed(house)
    async with house.work(door=Door.EMAIL) as work:
        change = await asks.last_change(work, pledge.no)
        assert change is not None
        await undoing.undo(work, change.no, subscriber=cast.bo)
    await followed(house)
    assert await open_cases(house, cast.bo) == []


async def test_who_was_stopped_silently_is_not_called(house: House, cast: Cast, ask: Ask) -> None:
    case = await blocked(house, cast.bo, ask)
    async with house.work(door=Door.ADMIN) as work:
        await subscribers.stop_silently(work, cast.bo)

    assert await waiting(house, cast.amina) == []
    async with house.work(reading=True) as work:
        assert await store.by_uid(work, case.uid) is None


# --- whose it is ----------------------------------------------------------------------------------


async def test_who_looks_after_their_group_comes_first(house: House, cast: Cast, ask: Ask) -> None:
    assert (await blocked(house, cast.gil, ask)).owner_no == cast.farid.no


async def test_who_has_another_case_of_theirs_comes_before_all(
    house: House, cast: Cast, ask: Ask, supported: Ask
) -> None:
    await remembered(house, cast.gil, cast.esra)
    assert (await blocked(house, cast.gil, ask)).owner_no == cast.esra.no


async def test_else_whoever_has_the_fewest(house: House, cast: Cast, ask: Ask) -> None:
    for who in (cast.chidi, cast.dana):
        await remembered(house, who, cast.amina)
    assert (await blocked(house, cast.bo, ask)).owner_no == cast.esra.no


async def test_where_nobody_may_it_waits_for_whoever_comes(
    house: House, cast: Cast, ask: Ask
) -> None:
    async with house.work(door=Door.CLI) as work:
        for account in (cast.esra, cast.amina):
            fresh = await work.session.get_one(Account, account.no)
            fresh.disabled_at = work.now

    case = await blocked(house, cast.bo, ask)

    assert (case.owner_no, case.state) == (None, CaseState.NEW)


async def test_an_account_that_was_closed_gets_no_case(house: House, cast: Cast, ask: Ask) -> None:
    async with house.work(door=Door.CLI) as work:
        await disable(work, await work.session.get_one(Account, cast.esra.no))
    for who in (cast.chidi, cast.dana, cast.bo):
        assert (await blocked(house, who, ask)).owner_no == cast.amina.no


# --- by hand --------------------------------------------------------------------------------------


async def test_an_organiser_remembers_somebody_and_why(house: House, cast: Cast) -> None:
    case = await remembered(house, cast.bo, cast.esra, "Ask how the meeting went.")

    assert (case.kind, case.owner_no) == (CaseKind.MANUAL, cast.esra.no)
    async with house.work(reading=True) as work:
        [note] = await store.steps_of(work, case.no)
        assert note.kind is StepKind.NOTED
        assert store.words_of(work, note) == "Ask how the meeting went."
        assert b"meeting" not in (note.sealed or b"")


async def test_remembering_twice_is_one_case_with_both_notes(house: House, cast: Cast) -> None:
    first = await remembered(house, cast.bo, cast.esra, "Ask how it went.")
    again = await remembered(house, cast.bo, cast.amina, "And whether Gil was there.")
    await remembered(house, cast.bo, cast.amina, "And whether Gil was there.")

    assert again.no == first.no
    async with house.work(reading=True) as work:
        steps = await store.steps_of(work, first.no)
    assert len(steps) == 2, "the same form sent twice is one note"


async def test_from_a_day_on(cast: Cast, work: Work) -> None:
    mine = make.by_account(work, cast.amina.no)
    day = work.now.date() + timedelta(days=5)

    case = await opening.remember(mine, cast.bo, words="Their holiday is over.", day=day)

    assert case.next_at > work.now + timedelta(days=3)
    assert case.due_at == case.next_at + timedelta(days=1)


@pytest.mark.parametrize("days", [-2, 400])
async def test_the_day_is_still_to_come_and_within_a_year(
    cast: Cast, work: Work, days: int
) -> None:
    day = work.now.date() + timedelta(days=days)
    with pytest.raises(DayOutOfRange) as refused:
        await opening.remember(work, cast.bo, words="Call.", day=day)
    assert refused.value.facts["field"] == "day"


async def test_why_has_to_be_said(cast: Cast, work: Work) -> None:
    with pytest.raises(TextMissing) as refused:
        await opening.remember(work, cast.bo, words="  \n ")
    assert refused.value.facts["field"] == "words"


async def test_two_at_the_same_moment_open_one(house: House, cast: Cast) -> None:
    async def open_one() -> int:
        async with house.work() as work:
            return (await open_case(work, cast.bo, CaseKind.READY, subject_no=7)).no

    assert len(set(await asyncio.gather(*[open_one() for _time in range(4)]))) == 1
    assert len(await open_cases(house, cast.bo)) == 1


async def test_who_is_out_of_sight_cannot_be_remembered(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour, account=cast.farid.no)
    with pytest.raises(subscribers.SubscriberUnknown):
        await opening.remember(farids, cast.bo, words="Call them.")
    assert (await opening.remember(farids, cast.gil, words="Call them.")).owner_no == cast.farid.no
