"""Looking after a case: taking it, passing it on, noting something, writing to who waits."""

import dataclasses
from datetime import date, datetime
from typing import Any

from mailer.accounts import store as accounts
from mailer.accounts.model import Account, Power
from mailer.audit import actions as audit
from mailer.consent import store as consent
from mailer.consent.model import SubscriberState
from mailer.followups import hours, store
from mailer.followups.holding import ask_nobody_is_at_it, held_case, open_case_of
from mailer.followups.model import (
    HELD_FOR,
    CaseState,
    FollowUp,
    FollowUpStep,
    StepKind,
)
from mailer.followups.opening import LATEST, LONGEST_WORDS, DayOutOfRange, note_step
from mailer.followups.subjects import store as subjects
from mailer.kit.errors import Conflict, Forbidden
from mailer.kit.texts import lines
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber


class CannotCare(Forbidden):
    """%(name)s may not look after this person."""


class CannotWrite(Conflict):
    """They have no email address, or have asked that we do not write."""


async def take(work: Work, found: FollowUp) -> FollowUp:
    """Hold a case for an hour, to call; it is the actor's if it was nobody's.

    Of two who want it at the same moment one gets it, and the other is told who has it. Each time
    is noted, also where it makes the hour longer: the number is in sight.
    """
    found, subscriber = await open_case_of(work, found)
    await audit.note(work, "follow_up_taken", subscriber=subscriber.no)
    values: dict[str, Any] = {"held_by": work.account, "held_until": work.now + HELD_FOR}
    if found.owner_no is None:
        values |= {"owner_no": work.account, "state": _owned(found)}
    return await store.change(work, found, values)


def _owned(found: FollowUp) -> CaseState:
    return CaseState.ASSIGNED if found.state is CaseState.NEW else found.state


async def let_go(work: Work, found: FollowUp) -> FollowUp:
    """Hold a case no longer; whose it is stays so. Letting go of what is not held is nothing."""
    found, _subscriber = await held_case(work, found)
    if found.holder(work.now) != work.account:
        return found
    return await store.change(work, found, {"held_by": None, "held_until": None})


async def assign(work: Work, found: FollowUp, account: Account | None) -> FollowUp:
    """Pass a case on to an account, or None: to whoever comes to it.

    Refuses an account that may not see who waits. Whose it is already it stays.
    """
    found, subscriber = await open_case_of(work, found)
    if account is not None and not await _may_care(work, account, subscriber):
        raise CannotCare(name=account.name)
    to_no = account.no if account is not None else None
    if found.owner_no == to_no:
        return found
    before = {"owner_no": found.owner_no, "state": found.state.value}
    await note_step(work, found, StepKind.ASSIGNED, to_no=to_no, before=before)
    state = CaseState.NEW if to_no is None else _owned(found)
    return await store.change(
        work, found, {"owner_no": to_no, "state": state, "held_by": None, "held_until": None}
    )


async def _may_care(work: Work, account: Account, subscriber: Subscriber) -> bool:
    """Say whether an account may look after somebody: its role, and whom it sees."""
    if not account.may(Power.CHANGE_PEOPLE):
        return False
    seen = dataclasses.replace(work, scope=await accounts.scope_of(work, account))
    return bool(await subscribers.by_nos(seen, [subscriber.no]))


async def note(work: Work, found: FollowUp, words: str) -> FollowUpStep | None:
    """Note something about a case for whoever calls next; also about one that is over.

    The person can ask to read it. The same words again are no news, and give None.
    """
    words = lines(words, longest=LONGEST_WORDS, field="words", needed=True)
    found, _subscriber = await held_case(work, found)
    newest = next((one for one in await store.steps_of(work, found.no) if one.sealed), None)
    if newest is not None and store.words_of(work, newest) == words:
        return None
    return await note_step(work, found, StepKind.NOTED, words=words)


async def write(work: Work, found: FollowUp, words: str) -> FollowUpStep | None:
    """Write to who waits, by email and in words of one's own, which are kept with the case.

    Refuses where they are not to be written to (`may_write`). The same words again are not sent
    again, and give None.
    """
    words = lines(words, longest=LONGEST_WORDS, field="letter", needed=True)
    found, subscriber = await held_case(work, found)
    await ask_nobody_is_at_it(work, found)
    if not await may_write(work, found, subscriber):
        raise CannotWrite(field="letter")
    written = [one for one in await store.steps_of(work, found.no) if one.kind is StepKind.WROTE]
    if written and store.words_of(work, written[0]) == words:
        return None
    step = await note_step(work, found, StepKind.WROTE, words=words)
    await post(
        work,
        Post(
            kind="follow-up",
            dedupe_key=f"follow-up:{step.no}",
            language=subscriber.language,
            facts={"step": step.no},
            subscriber=subscriber.no,
        ),
    )
    if found.is_open:
        owner_no = work.account if found.owner_no is None else found.owner_no
        await store.change(
            work,
            found,
            {"state": CaseState.CONTACTED, "last_at": work.now, "owner_no": owner_no},
        )
    return step


async def may_write(
    work: Work, found: FollowUp, subscriber: Subscriber, *, since: datetime | None = None
) -> bool:
    """Say whether somebody may be written to about a case.

    Readers may. Whoever is on a break, has left or never confirmed only about a yes of theirs that
    stands, while the case is open; with `since`, was open when it was written.
    """
    if subscriber.address is None:
        return False
    state = (await consent.states(work, [subscriber.no])).get(subscriber.no)
    if state is SubscriberState.ACTIVE:
        return True
    if state not in _MAY_HAVE_PLEDGED:
        return False
    ended_at = found.resolved_at
    is_open = ended_at is None or (since is not None and ended_at >= since)
    about = (await subjects.pledges_about(work, [found])).get(found.no)
    return is_open and about is not None and about[0].stands


_MAY_HAVE_PLEDGED = (
    SubscriberState.PENDING,
    SubscriberState.PAUSED,
    SubscriberState.UNSUBSCRIBED,
)


async def set_due(work: Work, found: FollowUp, day: date | None) -> FollowUp:
    """Set the day by whose end somebody should have heard from us, within a year.

    A case that would come back later than that comes back in the morning of the day.
    """
    today = await hours.today(work)
    if day is None or not today <= day <= today + LATEST:
        raise DayOutOfRange(field="due")
    found, _subscriber = await open_case_of(work, found)
    due_at = await hours.end_of(work, day)
    if found.due_at == due_at:
        return found
    before = {"next_at": found.next_at.isoformat(), "due_at": found.due_at.isoformat()}
    await note_step(work, found, StepKind.DATED, before=before)
    begins = max(await hours.morning_of(work, day), work.now)
    return await store.change(
        work, found, {"due_at": due_at, "next_at": min(found.next_at, begins)}
    )
