"""What came of trying to reach somebody, and taking that back.

Each outcome says what becomes of the case (`model.after`). It is written down as a step with what
the case said before, and can be taken back for 30 days while nothing was done since.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from mailer.activity import store as timeline
from mailer.asks.model import PledgeState
from mailer.followups import hours, numbers, store
from mailer.followups.holding import CaseOver, ask_nobody_is_at_it, held_case
from mailer.followups.model import (
    STAYS,
    TALKED,
    UNDONE,
    After,
    CaseKind,
    CaseState,
    FollowUp,
    FollowUpStep,
    Outcome,
    Rank,
    Resolution,
    StepKind,
    after,
)
from mailer.followups.opening import LONGEST_WORDS, note_step
from mailer.followups.subjects import store as subjects
from mailer.kit.errors import Conflict, Invalid, NotFound
from mailer.kit.orm import Facts
from mailer.kit.texts import lines
from mailer.kit.work import Work
from mailer.phones import actions as phones
from mailer.phones import store as phone_store
from mailer.subscribers.model import Subscriber
from mailer.tiers import store as tiers
from mailer.tiers.upkeep import lapsing

LATEST = timedelta(days=92)

SAID_TWICE = timedelta(minutes=2)
"""The same outcome from the same account so soon again is the same form, sent twice."""


class CallAtOutOfRange(Invalid):
    """Choose a day and an hour that are still to come, within three months."""


class StepUnknown(NotFound):
    """There is nothing here that could be taken back."""


class DoneSince(Conflict):
    """Something was done about it since. Please take back the newest first."""


class TooLateToTakeBack(Conflict):
    """This can no longer be taken back: 30 days have gone by."""


class NotAnswered(Conflict):
    """They still wait for help. Please write down what came of a call."""


class WaitsAnew(Conflict):
    """They wait for the same again, in another follow-up. Please go on there."""


async def settle(
    work: Work,
    found: FollowUp,
    outcome: Outcome,
    *,
    call_at: datetime | None = None,
    words: str = "",
    keeps: Mapping[str, Any] | None = None,
) -> FollowUp:
    """Write down what came of a call, with a note for whoever calls next.

    `call_at` is needed to call back, and is what was agreed. *Never call* counts for everybody at
    once. Whoever was quiet and was talked to is still with us. `keeps` is what a room above has to
    know to take back what it did besides. Refuses where the case is over, or somebody else is at
    it; the same sent twice is once.
    """
    words = lines(words, longest=LONGEST_WORDS, field="words")
    if outcome is Outcome.CALL_BACK:
        _ask_for_hour(work, call_at)
    found, subscriber = await held_case(work, found)
    if await _is_said_twice(work, found, outcome):
        return found
    if not found.is_open:
        raise CaseOver
    await ask_nobody_is_at_it(work, found)
    then = after(
        found.kind,
        outcome,
        tries=found.tries,
        now=work.now,
        evening=await hours.tomorrow_evening(work, subscriber),
        call_at=call_at,
    )
    before = _kept(found) | dict(keeps or {})
    if outcome is Outcome.NEVER_CALL and await _never_call(work, subscriber, never=True):
        before["could_call"] = True
    if outcome is Outcome.WRONG_NUMBER:
        before[numbers.DIALLED] = await numbers.dialled(work, found)
    if found.kind is CaseKind.QUIET and outcome in TALKED:
        before["question"] = await _they_stay(work, found, subscriber)
    if then.rests is not None:
        before["others"] = await _put_others_off(work, found, work.now + then.rests)
    await note_step(
        work,
        found,
        StepKind.TRIED,
        words=words,
        outcome=outcome,
        before=before,
        rests_until=work.now + then.rests if then.rests is not None else None,
    )
    return await store.change(work, found, _columns(work, found, outcome, then))


def _ask_for_hour(work: Work, call_at: datetime | None) -> None:
    if call_at is None or not work.now < call_at <= work.now + LATEST:
        raise CallAtOutOfRange(field="call_at")


async def _is_said_twice(work: Work, found: FollowUp, outcome: Outcome) -> bool:
    steps = await store.steps_of(work, found.no)
    return bool(
        steps
        and steps[0].undone_at is None
        and steps[0].outcome is outcome
        and steps[0].account_no == work.account
        and work.now - steps[0].at < SAID_TWICE
    )


def _columns(work: Work, found: FollowUp, outcome: Outcome, then: After) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": then.state,
        "tries": then.tries,
        "last_at": work.now,
        "last_outcome": outcome,
        "owner_no": work.account if found.owner_no is None else found.owner_no,
        "held_by": None,
        "held_until": None,
    }
    if then.comes_back is None:
        return {**values, "resolved_at": work.now, "resolution": then.resolution}
    return {
        **values,
        "next_at": then.comes_back,
        "due_at": then.comes_back if then.is_promised else max(found.due_at, then.comes_back),
        **({"rank": Rank.CALL_BACK} if then.is_promised else {}),
    }


async def _they_stay(work: Work, found: FollowUp, subscriber: Subscriber) -> int | None:
    """End the question whether somebody is still with us: we have talked to them.

    Gives its number; None where it was over already.
    """
    question = await tiers.question_by_no(work, found.subject_no)
    if question is None or question.subscriber_no != subscriber.no or question.ended_at is not None:
        return None
    return (await lapsing.stay(work, subscriber, question.no)).no


async def _put_others_off(work: Work, found: FollowUp, until: datetime) -> list[Facts]:
    """Let somebody's other cases wait that nobody was promised; give when each was due."""
    others = [
        one
        for one in await store.open_of(work, found.subscriber_no)
        if one.no != found.no
        and one.kind not in STAYS
        and one.rank != Rank.CALL_BACK
        and one.next_at < until
    ]
    before = [{"no": one.no, **_dates(one, "next_at", "due_at")} for one in others]
    for one in others:
        await store.change(work, one, {"next_at": until, "due_at": max(one.due_at, until)})
    return before


async def _never_call(work: Work, subscriber: Subscriber, *, never: bool) -> bool:
    """Write down that somebody is never to be called, or take that back; say whether it is news."""
    phone = await phone_store.of(work, subscriber.no)
    if phone is not None and phone.never_call is never:
        return False
    await phones.note(
        work,
        subscriber,
        phone_store.opened(work, phone) if phone else "",
        wording="",
        language=subscriber.language,
        best_time=phone.best_time if phone else "",
        never_call=never,
    )
    return True


async def end(work: Work, found: FollowUp) -> FollowUp:
    """End a call for help that was answered otherwise since, by a link of a mail.

    The mail may have been forwarded, so an organiser decides. Twice is once.
    """
    found, _subscriber = await held_case(work, found)
    if not found.is_open:
        return found
    await ask_nobody_is_at_it(work, found)
    if not await is_answered_otherwise(work, found):
        raise NotAnswered
    await note_step(work, found, StepKind.ENDED, before=_kept(found))
    owner_no = work.account if found.owner_no is None else found.owner_no
    ended = await store.end_by_itself(work, found)
    return await store.change(work, ended, {"owner_no": owner_no})


async def is_answered_otherwise(work: Work, found: FollowUp) -> bool:
    """Say whether who asked for help has said something else since, by a link of a mail."""
    about = (await subjects.pledges_about(work, [found])).get(found.no)
    if found.kind is not CaseKind.BLOCKED or about is None:
        return False
    return about[0].state is not PledgeState.BLOCKED


# --- taking back ----------------------------------------------------------------------------------


async def take_back(work: Work, found: FollowUp, step_no: int) -> FollowUp:
    """Take back the newest outcome, or passing on: the case says again what it said before.

    Notes stay. Refuses where something was done since, and after 30 days. Twice is once.
    """
    found, subscriber = await held_case(work, found)
    step = await store.step_by_no(work, step_no)
    if step is None or step.case_no != found.no:
        raise StepUnknown
    if step.undone_at is not None:
        return found
    if step.kind not in UNDONE:
        raise StepUnknown
    if not step.is_open_to_undo(work.now):
        raise TooLateToTakeBack
    if await _newest(work, found) != step.no or found.ended_otherwise(step):
        raise DoneSince
    await ask_nobody_is_at_it(work, found)
    if not found.is_open and await _waits_anew(work, found):
        raise WaitsAnew
    await store.mark_undone(work, step)
    await _restore_others(work, step.before.get("others", []))
    if step.before.get("could_call"):
        await _let_call_again(work, subscriber, step)
    if step.before.get("question"):
        await lapsing.ask_on(work, subscriber, step.before["question"], since=step.at)
    return await store.change(work, found, _read(step.before))


async def _newest(work: Work, found: FollowUp) -> int | None:
    """Give the number of what was done last, notes aside."""
    done = [
        one.no
        for one in await store.steps_of(work, found.no)
        if one.undone_at is None and one.kind is not StepKind.NOTED
    ]
    return done[0] if done else None


async def _waits_anew(work: Work, found: FollowUp) -> bool:
    other = await store.standing(work, found.subscriber_no, found.kind, found.subject_no)
    return other is not None


async def _let_call_again(work: Work, subscriber: Subscriber, step: FollowUpStep) -> None:
    """Take back that somebody is never to be called, unless that was said elsewhere since."""
    for other in await store.steps_with(work, subscriber.no):
        is_said_again = other.outcome is Outcome.NEVER_CALL and other.undone_at is None
        if is_said_again and other.no > step.no:
            # It was no news then, and is what the wish stands on now.
            other.before = {**other.before, "could_call": True}
            await work.session.flush()
            return
    wishes = await timeline.lines_of(work, subscriber.no, kinds=("call_wishes",), limit=1)
    if not wishes or wishes[0].at <= step.at:
        await _never_call(work, subscriber, never=False)


async def _restore_others(work: Work, others: list[Facts]) -> None:
    for before in others:
        other = await store.by_no(work, before["no"])
        if other is not None and other.is_open:
            await store.change(work, other, _read(before))


_PLAIN = ("state", "rank", "owner_no", "tries", "last_outcome", "resolution")
_DATES = ("next_at", "due_at", "last_at", "resolved_at")
_ENUMS = {"state": CaseState, "last_outcome": Outcome, "resolution": Resolution}


def _kept(found: FollowUp) -> Facts:
    """Write the columns that an outcome changes as plain JSON."""
    return {**{name: getattr(found, name) for name in _PLAIN}, **_dates(found, *_DATES)}


def _dates(found: FollowUp, *names: str) -> Facts:
    moments: dict[str, datetime | None] = {name: getattr(found, name) for name in names}
    return {name: at and at.isoformat() for name, at in moments.items()}


def _read(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Read columns as `_kept` wrote them; what is no column is left out."""
    values: dict[str, Any] = {}
    for name, value in kept.items():
        if name in _DATES:
            values[name] = value and datetime.fromisoformat(value)
        elif name in _PLAIN:
            values[name] = _ENUMS[name](value) if value and name in _ENUMS else value
    return values
