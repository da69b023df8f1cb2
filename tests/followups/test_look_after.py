"""Taking a case, passing it on, noting something, and writing to who waits."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from mailer.asks import pledging
from mailer.asks.model import Ask
from mailer.audit.model import AuditLine
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.followups import caring, hours, jotting, opening, settling, store
from mailer.followups.caring import CannotCare, CannotWrite
from mailer.followups.holding import CaseOver, CaseUnknown, WithSomebody
from mailer.followups.model import HELD_FOR, CaseState, FollowUp, Outcome, Resolution, StepKind
from mailer.followups.opening import DayOutOfRange
from mailer.kit.errors import Refusal
from mailer.kit.texts import TextMissing
from mailer.kit.work import Door, Work
from mailer.subscribers import actions as subscribers
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.following import blocked, called, now, remembered
from tests.support.sending import letters


@pytest.fixture
async def ask(house: House, cast: Cast) -> Ask:
    return await opened(house, "Pass the model motion")


@pytest.fixture
async def case(house: House, cast: Cast, ask: Ask) -> FollowUp:
    """Bo has asked for help, and it is Amina's."""
    return await blocked(house, cast.bo, ask)


@pytest.fixture
async def free(house: House, cast: Cast, case: FollowUp) -> FollowUp:
    """Nobody looks after Bo's."""
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        return await caring.assign(work, case, None)


# --- taking ---------------------------------------------------------------------------------------


async def test_who_takes_it_holds_it_for_an_hour_and_it_is_theirs(
    house: House, cast: Cast, free: FollowUp
) -> None:
    async with house.work(account=cast.esra.no, door=Door.ADMIN) as work:
        taken = await caring.take(work, free)
        assert taken.holder(work.now) == cast.esra.no
        assert taken.holder(work.now + HELD_FOR) is None
        assert (taken.owner_no, taken.state) == (cast.esra.no, CaseState.ASSIGNED)
        await caring.take(make.later(work, minutes=50), free)
        acts = await work.session.scalars(
            select(AuditLine.account_no).where(AuditLine.act == "follow_up_taken")
        )
        assert list(acts) == [cast.esra.no, cast.esra.no], "each time that the number is in sight"


async def test_of_two_who_take_it_at_the_same_moment_one_gets_it(
    house: House, cast: Cast, free: FollowUp
) -> None:
    async def take(account: int) -> str:
        async with house.work(account=account, door=Door.ADMIN) as work:
            try:
                await caring.take(work, free)
            except WithSomebody as refusal:
                return str(refusal.facts["name"])
        return "taken"

    said = await asyncio.gather(take(cast.amina.no), take(cast.esra.no))

    taken = await now(house, free)
    winner = {cast.amina.no: "Amina", cast.esra.no: "Esra"}[taken.held_by or 0]
    assert sorted(said) == sorted(["taken", winner])
    assert taken.owner_no == taken.held_by


async def test_taking_anothers_leaves_it_theirs(house: House, cast: Cast, case: FollowUp) -> None:
    async with house.work(account=cast.esra.no, door=Door.ADMIN) as work:
        taken = await caring.take(work, case)
    assert (taken.owner_no, taken.held_by) == (cast.amina.no, cast.esra.no)


async def test_after_an_hour_or_when_let_go_another_may(
    house: House, cast: Cast, case: FollowUp
) -> None:
    async with house.work(account=cast.esra.no, door=Door.ADMIN) as work:
        await caring.take(work, case)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await caring.take(make.later(work, minutes=61), case)
        await caring.let_go(make.later(work, minutes=62), case)
    async with house.work(account=cast.esra.no, door=Door.ADMIN) as work:
        assert (await caring.take(work, case)).held_by == cast.esra.no


async def test_letting_go_of_what_another_holds_is_nothing(
    house: House, cast: Cast, case: FollowUp
) -> None:
    async with house.work(account=cast.esra.no, door=Door.ADMIN) as work:
        await caring.take(work, case)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await caring.let_go(work, case)
    assert (await now(house, case)).held_by == cast.esra.no


async def test_what_is_over_is_taken_by_nobody(house: House, cast: Cast, case: FollowUp) -> None:
    await called(house, case, cast.amina, Outcome.REACHED)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        with pytest.raises(CaseOver):
            await caring.take(work, case)


async def test_a_case_out_of_sight_is_not_there(cast: Cast, work: Work, case: FollowUp) -> None:
    farids = make.seen_by(work, cast.harbour, account=cast.farid.no)
    assert await store.by_uid(farids, case.uid) is None
    for verb in (caring.take(farids, case), caring.note(farids, case, "I looked.")):
        with pytest.raises(CaseUnknown):
            await verb


# --- passing on -----------------------------------------------------------------------------------


async def test_it_is_passed_on_and_held_by_nobody(house: House, cast: Cast, case: FollowUp) -> None:
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await caring.take(work, case)
        passed = await caring.assign(work, case, cast.esra)
        again = await caring.assign(work, case, cast.esra)
        assert (passed.owner_no, passed.held_by) == (cast.esra.no, None)
        assert again.owner_no == cast.esra.no
        steps = await store.steps_of(work, case.no)
    assert [(one.kind, one.to_no) for one in steps] == [(StepKind.ASSIGNED, cast.esra.no)]


async def test_not_to_who_may_not_see_them(house: House, cast: Cast, case: FollowUp) -> None:
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        with pytest.raises(CannotCare) as refused:
            await caring.assign(work, case, cast.farid)
    assert refused.value.said() == "Farid may not look after this person."


async def test_not_while_another_is_at_it(house: House, cast: Cast, case: FollowUp) -> None:
    async with house.work(account=cast.esra.no, door=Door.ADMIN) as work:
        await caring.take(work, case)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        with pytest.raises(WithSomebody):
            await caring.assign(work, case, None)


# --- another day ----------------------------------------------------------------------------------


async def test_another_day_is_set_and_taken_back(cast: Cast, work: Work, case: FollowUp) -> None:
    amina = make.by_account(work, cast.amina.no)
    day = work.now.date() + timedelta(days=9)
    dated = await caring.set_due(amina, case, day)
    assert dated.due_at == await hours.end_of(work, day)
    assert (await caring.set_due(amina, case, day)).due_at == dated.due_at
    [step] = await store.steps_of(work, case.no)
    back = await settling.take_back(amina, case, step.no)
    assert (back.due_at, back.next_at) == (case.due_at, case.next_at)


async def test_it_comes_back_on_that_day_if_it_would_have_come_later(
    cast: Cast, work: Work, case: FollowUp
) -> None:
    amina = make.by_account(work, cast.amina.no)
    await settling.settle(amina, case, Outcome.CALL_BACK, call_at=work.now + timedelta(days=20))
    day = work.now.date() + timedelta(days=3)
    dated = await caring.set_due(amina, case, day)
    assert dated.next_at == await hours.morning_of(work, day)


@pytest.mark.parametrize("days", [None, -2, 400])
async def test_the_day_is_within_a_year(
    cast: Cast, work: Work, case: FollowUp, days: int | None
) -> None:
    day = None if days is None else work.now.date() + timedelta(days=days)
    with pytest.raises(DayOutOfRange) as refused:
        await caring.set_due(make.by_account(work, cast.amina.no), case, day)
    assert refused.value.facts["field"] == "due"


# --- what nobody waited for -----------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [Outcome.REACHED, Outcome.NO_ANSWER])
async def test_a_call_of_ones_own_is_written_down_in_one_step(
    house: House, cast: Cast, outcome: Outcome
) -> None:
    for _time in range(2):
        async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
            case = await jotting.jot_call(work, cast.bo, outcome, words="They are well.")
    async with house.work(reading=True) as work:
        [step] = await store.steps_with(work, cast.bo.no)
        assert (step.outcome, store.words_of(work, step)) == (outcome, "They are well.")
        assert len(await store.cases_of(work, cast.bo.no)) == 1
    assert (await now(house, case)).is_open == (outcome is Outcome.NO_ANSWER)


async def test_a_note_of_ones_own_lets_nobody_wait(house: House, cast: Cast) -> None:
    for _time in range(2):
        async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
            case = await jotting.jot_note(work, cast.bo, words="Works nights.")
    assert (await now(house, case)).resolution is Resolution.NOTED
    async with house.work(reading=True) as work:
        assert len(await store.steps_with(work, cast.bo.no)) == 1


async def test_a_note_stands_with_what_they_wait_for(
    house: House, cast: Cast, case: FollowUp
) -> None:
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        assert (await jotting.jot_note(work, cast.bo, words="Works nights.")).no == case.no
        with pytest.raises(TextMissing):
            await jotting.jot_note(work, cast.bo, words=" ")


# --- notes ----------------------------------------------------------------------------------------


async def test_a_note_is_kept_encrypted_and_once(house: House, cast: Cast, case: FollowUp) -> None:
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        step = await caring.note(work, case, "Rule 14 has helped others.")
        assert await caring.note(work, case, "Rule 14 has helped others.") is None
        assert step is not None
        assert b"Rule" not in (step.sealed or b"")
        assert store.words_of(work, step) == "Rule 14 has helped others."
        with pytest.raises(TextMissing):
            await caring.note(work, case, " ")


# --- writing to them ------------------------------------------------------------------------------


async def test_an_email_goes_out_once_and_its_words_stand_only_encrypted(
    house: House, cast: Cast, case: FollowUp
) -> None:
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        step = await caring.write(work, case, "Dear Bo, use **rule 14**.")
        assert await caring.write(work, case, "Dear Bo, use **rule 14**.") is None

    assert step is not None
    [letter] = [one for one in await letters(house) if one.kind == "follow-up"]
    assert (letter.subscriber_no, letter.facts) == (cast.bo.no, {"step": step.no})
    assert (await now(house, case)).state is CaseState.CONTACTED


async def refusal_of(work: Work, case: FollowUp) -> Refusal | None:
    try:
        await caring.write(work, case, "Hello.")
    except Refusal as refusal:
        return refusal
    return None


async def test_about_a_yes_that_stands_also_to_who_left_the_lists_but_never_to_the_suppressed(
    cast: Cast, work: Work, case: FollowUp
) -> None:
    amina = make.by_account(work, cast.amina.no)
    await consent.unsubscribe(work, cast.bo, list_no=None)
    assert await refusal_of(amina, case) is None
    await consent.take_off(work, cast.bo)
    assert isinstance(await refusal_of(amina, case), CannotWrite)


async def test_nor_to_who_left_when_it_is_over_or_their_yes_was_taken_back(
    cast: Cast, work: Work, ask: Ask, case: FollowUp
) -> None:
    amina = make.by_account(work, cast.amina.no)
    await consent.unsubscribe(work, cast.bo, list_no=None)
    await settling.settle(amina, case, Outcome.REACHED)
    assert isinstance(await refusal_of(amina, case), CannotWrite)
    [step] = await store.steps_of(work, case.no)
    await settling.take_back(amina, case, step.no)
    assert await refusal_of(amina, case) is None
    await pledging.withdraw(work, cast.bo, ask)
    assert isinstance(await refusal_of(make.later(amina, hours=1), case), CannotWrite)


async def test_to_a_reader_also_about_what_is_over(cast: Cast, work: Work, case: FollowUp) -> None:
    amina = make.by_account(work, cast.amina.no)
    await settling.settle(amina, case, Outcome.REACHED)
    assert await refusal_of(amina, case) is None


async def test_about_anything_else_to_readers_alone(house: House, cast: Cast) -> None:
    bos = await remembered(house, cast.bo, cast.amina)
    chidis = await remembered(house, cast.chidi, cast.amina)  # who has left
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        assert await refusal_of(work, bos) is None
        refused = await refusal_of(work, chidis)
    assert isinstance(refused, CannotWrite)
    assert refused.facts["field"] == "letter"


async def test_nobody_writes_to_who_has_no_address(cast: Cast, work: Work) -> None:
    amina = make.by_account(work, cast.amina.no)
    paper = await subscribers.add(work, address=None, first_name="Paper")
    case = await opening.remember(amina, paper, words="They have no address.")
    assert isinstance(await refusal_of(amina, case), CannotWrite)
