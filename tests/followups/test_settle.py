"""What came of a call, what follows from it, and taking it back."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailer.accounts.model import Account
from mailer.asks import reporting
from mailer.asks.model import Ask
from mailer.bootstrap import House
from mailer.followups import caring, opening, settling, store
from mailer.followups.holding import CaseOver, WithSomebody
from mailer.followups.model import (
    STAYS,
    TRIES,
    CaseKind,
    CaseState,
    FollowUp,
    Outcome,
    Rank,
    Resolution,
    StepKind,
    after,
)
from mailer.followups.settling import (
    CallAtOutOfRange,
    DoneSince,
    StepUnknown,
    TooLateToTakeBack,
    WaitsAnew,
)
from mailer.kit.texts import TextTooLong
from mailer.kit.work import Door, Work
from mailer.phones import actions as phones
from mailer.phones import store as phone_store
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.following import blocked, called, followed, now, open_cases, remembered, waiting

NOW = datetime(2026, 6, 11, 10, tzinfo=UTC)
EVENING = datetime(2026, 6, 12, 17, tzinfo=UTC)
PHONE = "+44 20 7946 0991"


# --- what follows ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(CaseKind))
@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("tries", range(TRIES + 2))
def test_every_outcome_of_every_case_ends_it_or_brings_it_back(
    kind: CaseKind, outcome: Outcome, tries: int
) -> None:
    then = after(
        kind,
        outcome,
        tries=tries,
        now=NOW,
        evening=EVENING,
        call_at=NOW + timedelta(days=2),
    )
    assert (then.comes_back is None) == (then.resolution is not None)
    assert (then.state is CaseState.RESOLVED) == (then.resolution is not None)
    if then.comes_back is not None:
        assert then.comes_back >= NOW
    if kind in STAYS and outcome is not Outcome.REACHED:
        assert then.comes_back is not None, "what was promised is not over unless they were reached"


@pytest.mark.parametrize(
    ("kind", "outcome", "tries", "comes_back", "resolution"),
    [
        ("blocked", "no_answer", 0, EVENING, None),
        ("blocked", "no_answer", 2, NOW + timedelta(days=7), None),
        ("blocked", "left_message", 0, NOW + timedelta(days=3), None),
        ("blocked", "wrong_number", 0, NOW, None),
        ("blocked", "not_now", 0, NOW + timedelta(days=14), None),
        ("blocked", "never_call", 0, NOW, None),
        ("quiet", "no_answer", 0, EVENING, None),
        ("quiet", "no_answer", 1, EVENING, None),
        ("quiet", "no_answer", 2, None, Resolution.NOT_REACHED),
        ("quiet", "left_message", 2, None, Resolution.NOT_REACHED),
        ("quiet", "wrong_number", 0, None, Resolution.NOT_REACHED),
        ("quiet", "not_now", 0, None, Resolution.NOT_NOW),
        ("quiet", "never_call", 0, None, Resolution.NOT_NOW),
        ("quiet", "reached", 0, None, Resolution.REACHED),
    ],
)
def test_what_follows_from_an_outcome(
    kind: str,
    outcome: str,
    tries: int,
    comes_back: datetime | None,
    resolution: Resolution | None,
) -> None:
    then = after(CaseKind(kind), Outcome(outcome), tries=tries, now=NOW, evening=EVENING)
    assert (then.comes_back, then.resolution) == (comes_back, resolution)


# --- the verb -------------------------------------------------------------------------------------


@pytest.fixture
async def ask(house: House, cast: Cast) -> Ask:
    return await opened(house, "Pass the model motion")


@pytest.fixture
async def case(house: House, cast: Cast, ask: Ask) -> FollowUp:
    """Bo has asked for help."""
    return await blocked(house, cast.bo, ask)


async def proactive(
    house: House, who: Subscriber, kind: CaseKind = CaseKind.READY, subject_no: int = 7
) -> FollowUp:
    """Let somebody wait for a call that they have not asked for."""
    async with house.work() as work:
        return await opening.open_case(work, who, kind, subject_no=subject_no)


async def test_whoever_was_reached_waits_no_longer(
    house: House, cast: Cast, case: FollowUp
) -> None:
    ended = await called(house, case, cast.esra, Outcome.REACHED, "Leila helps them.")

    assert (ended.state, ended.resolution) == (CaseState.RESOLVED, Resolution.REACHED)
    assert await waiting(house, cast.amina) == []
    async with house.work(reading=True) as work:
        [step] = await store.steps_of(work, case.no)
        assert (step.kind, step.outcome, step.account_no) == (
            StepKind.TRIED,
            Outcome.REACHED,
            cast.esra.no,
        )
        assert store.words_of(work, step) == "Leila helps them."
        assert b"Leila" not in (step.sealed or b"")


async def test_a_promised_hour_comes_before_all_when_it_has_come(
    house: House, cast: Cast, ask: Ask, case: FollowUp
) -> None:
    await blocked(house, cast.gil, ask)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        agreed = work.now + timedelta(hours=30)
        waits = await settling.settle(work, case, Outcome.CALL_BACK, call_at=agreed)
        assert (waits.state, waits.rank) == (CaseState.WAITING, Rank.CALL_BACK)
        assert (waits.next_at, waits.due_at) == (agreed, agreed)
    assert await waiting(house, cast.amina) == [("Gil", CaseKind.BLOCKED)]

    async with house.work() as work:
        await store.change(work, case, {"next_at": work.now, "due_at": work.now})
    assert (await waiting(house, cast.amina))[0] == ("Bo", CaseKind.BLOCKED)


@pytest.mark.parametrize("hours", [None, -1, 24 * 100])
async def test_to_call_back_an_hour_is_needed_that_is_still_to_come(
    cast: Cast, work: Work, case: FollowUp, hours: int | None
) -> None:
    call_at = None if hours is None else work.now + timedelta(hours=hours)
    amina = make.by_account(work, cast.amina.no)
    with pytest.raises(CallAtOutOfRange) as refused:
        await settling.settle(amina, case, Outcome.CALL_BACK, call_at=call_at)
    assert refused.value.facts["field"] == "call_at"


async def test_nobody_answered_and_it_comes_back_in_their_evening(
    cast: Cast, work: Work, case: FollowUp
) -> None:
    await subscribers.change_details(work, cast.bo, time_zone="America/Lima")

    waits = await settling.settle(make.by_account(work, cast.amina.no), case, Outcome.NO_ANSWER)

    there = waits.next_at.astimezone(ZoneInfo("America/Lima"))
    assert (there.hour, there.minute) == (18, 0)
    assert there.date() == work.now.astimezone(ZoneInfo("America/Lima")).date() + timedelta(days=1)
    assert waits.tries == 1


async def test_the_same_form_sent_twice_is_one_call(
    house: House, cast: Cast, case: FollowUp
) -> None:
    await called(house, case, cast.amina, Outcome.NO_ANSWER)
    await called(house, case, cast.amina, Outcome.NO_ANSWER)
    assert (await now(house, case)).tries == 1
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await settling.settle(make.later(work, days=1), case, Outcome.NO_ANSWER)
    assert (await now(house, case)).tries == 2


async def test_two_who_settle_at_the_same_moment_settle_once(
    house: House, cast: Cast, case: FollowUp
) -> None:
    async def settle(account: Account) -> str:
        try:
            await called(house, case, account, Outcome.REACHED)
        except CaseOver:
            return "over"
        return "settled"

    said = await asyncio.gather(settle(cast.amina), settle(cast.esra))

    assert sorted(said) == ["over", "settled"]
    async with house.work(reading=True) as work:
        assert len(await store.steps_of(work, case.no)) == 1


async def test_not_while_another_is_at_it(house: House, cast: Cast, case: FollowUp) -> None:
    async with house.work(account=cast.esra.no, door=Door.ADMIN) as work:
        await caring.take(work, case)
    with pytest.raises(WithSomebody) as refused:
        await called(house, case, cast.amina, Outcome.REACHED)
    assert refused.value.said() == ("Esra is at it just now. Nobody is called by two people.")


async def test_a_note_has_an_end(house: House, cast: Cast, case: FollowUp) -> None:
    with pytest.raises(TextTooLong):
        await called(house, case, cast.amina, Outcome.REACHED, "x" * 2001)


# --- what counts for everybody --------------------------------------------------------------------


async def test_never_call_counts_for_everybody_and_help_is_still_owed(
    house: House, cast: Cast, case: FollowUp
) -> None:
    async with house.work() as work:
        await phones.note(work, cast.bo, PHONE, wording="Yes, call me.", language="en")

    await called(house, case, cast.amina, Outcome.NEVER_CALL)

    async with house.work(reading=True) as work:
        phone = await phone_store.of(work, cast.bo.no)
        assert phone is not None
        assert phone.never_call
        assert phone_store.opened(work, phone) == "+442079460991"
    assert (await now(house, case)).is_open


async def test_taking_it_back_lets_them_be_called_again(
    house: House, cast: Cast, case: FollowUp
) -> None:
    await called(house, case, cast.amina, Outcome.NEVER_CALL)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        [step] = await store.steps_of(work, case.no)
        await settling.take_back(work, case, step.no)
        phone = await phone_store.of(work, cast.bo.no)
    assert phone is None, "there was neither a number nor a wish before"


async def test_a_wish_that_stood_before_stands_after_taking_back(
    house: House, cast: Cast, case: FollowUp
) -> None:
    async with house.work() as work:
        await phones.note(work, cast.bo, "", wording="", language="en", never_call=True)
    await called(house, case, cast.amina, Outcome.NEVER_CALL)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        [step] = await store.steps_of(work, case.no)
        await settling.take_back(work, case, step.no)
        phone = await phone_store.of(work, cast.bo.no)
        assert phone is not None
        assert phone.never_call


async def test_the_same_wish_said_in_another_call_since_outlives_taking_the_first_back(
    house: House, cast: Cast, case: FollowUp
) -> None:
    other = await remembered(house, cast.bo, cast.amina)
    for one in (case, other):
        await called(house, one, cast.amina, Outcome.NEVER_CALL)
    for one, never in ((case, True), (other, False)):
        step = await step_of(house, one) if one is case else await newest_call(house, one)
        async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
            await settling.take_back(work, one, step)
            phone = await phone_store.of(work, cast.bo.no)
        assert (phone is not None and phone.never_call) is never


async def newest_call(house: House, case: FollowUp) -> int:
    async with house.work(reading=True) as work:
        steps = await store.steps_of(work, case.no)
    return next(one.no for one in steps if one.outcome is not None)


async def test_a_wish_written_down_anew_since_outlives_taking_the_call_back(
    house: House, cast: Cast, case: FollowUp
) -> None:
    await called(house, case, cast.amina, Outcome.NEVER_CALL)
    for never in (False, True):
        async with house.work(door=Door.ADMIN) as work:
            await phones.note(
                work, cast.bo, "", wording="", language="en", best_time="x", never_call=never
            )
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        [step] = await store.steps_of(work, case.no)
        await settling.take_back(work, case, step.no)
        phone = await phone_store.of(work, cast.bo.no)
    assert phone is not None
    assert phone.never_call


async def test_whoever_was_talked_to_is_not_called_for_something_else_so_soon(
    house: House, cast: Cast, case: FollowUp
) -> None:
    other = await proactive(house, cast.bo)
    promised = await remembered(house, cast.bo, cast.amina)

    await called(house, case, cast.amina, Outcome.REACHED)

    assert (await now(house, other)).next_at > datetime.now(UTC) + timedelta(days=13)
    assert await waiting(house, cast.amina) == [("Bo", CaseKind.MANUAL)]
    assert (await now(house, promised)).is_open


# --- taking back ----------------------------------------------------------------------------------


async def step_of(house: House, case: FollowUp) -> int:
    async with house.work(reading=True) as work:
        return (await store.steps_of(work, case.no))[0].no


def columns(case: FollowUp) -> dict[str, object]:
    return {column.key: getattr(case, column.key) for column in FollowUp.__table__.columns}


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.CALL_BACK])
@pytest.mark.parametrize("kind", [CaseKind.READY, CaseKind.MANUAL])
async def test_everything_is_as_it_was_after_taking_back(
    house: House, cast: Cast, outcome: Outcome, kind: CaseKind
) -> None:
    case = await proactive(house, cast.bo, kind)
    other = await proactive(house, cast.bo, CaseKind.QUIET)
    before = columns(await now(house, case)), columns(await now(house, other))
    await called(house, case, cast.esra, outcome)
    assert columns(await now(house, case)) != before[0]
    step = await step_of(house, case)

    for _time in range(2):
        async with house.work(account=cast.esra.no, door=Door.ADMIN) as work:
            await settling.take_back(work, case, step)

    assert (columns(await now(house, case)), columns(await now(house, other))) == before


async def test_passing_on_is_taken_back(house: House, cast: Cast, case: FollowUp) -> None:
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await caring.assign(work, case, cast.esra)
        [step] = await store.steps_of(work, case.no)
        back = await settling.take_back(work, case, step.no)
    assert back.owner_no == cast.amina.no


async def test_not_what_they_have_settled_themselves_since(
    house: House, cast: Cast, ask: Ask, case: FollowUp
) -> None:
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await caring.assign(work, case, cast.esra)
    async with house.work(door=Door.PAGE) as work:
        await reporting.report_done(work, cast.bo, ask)
    await followed(house)
    step = await step_of(house, case)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        with pytest.raises(DoneSince):
            await settling.take_back(work, case, step)


async def test_for_thirty_days(house: House, cast: Cast, case: FollowUp) -> None:
    await called(house, case, cast.amina, Outcome.REACHED)
    step = await step_of(house, case)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        with pytest.raises(TooLateToTakeBack):
            await settling.take_back(make.later(work, days=31), case, step)
        assert (await settling.take_back(make.later(work, days=29), case, step)).is_open


async def test_the_newest_first_but_notes_are_in_nobodys_way(
    house: House, cast: Cast, case: FollowUp
) -> None:
    await called(house, case, cast.amina, Outcome.NO_ANSWER)
    first = await step_of(house, case)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await settling.settle(make.later(work, days=1), case, Outcome.LEFT_MESSAGE)
    second = await step_of(house, case)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        note = await caring.note(work, case, "They work nights.")
        assert note is not None
        with pytest.raises(DoneSince):
            await settling.take_back(work, case, first)
        with pytest.raises(StepUnknown):
            await settling.take_back(work, case, note.no)
        with pytest.raises(StepUnknown):
            await settling.take_back(work, case, 999_999)
        await settling.take_back(work, case, second)
        assert (await settling.take_back(work, case, first)).tries == 0


async def test_not_where_they_wait_for_the_same_anew(
    house: House, cast: Cast, ask: Ask, case: FollowUp
) -> None:
    await called(house, case, cast.amina, Outcome.REACHED)
    step = await step_of(house, case)
    anew = await blocked(house, cast.bo, ask, words="He did it again.")
    assert anew.no != case.no
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        with pytest.raises(WaitsAnew):
            await settling.take_back(work, case, step)
    assert [one.no for one in await open_cases(house, cast.bo)] == [anew.no]
