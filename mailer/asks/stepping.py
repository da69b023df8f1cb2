"""One step of a pledge, as it is written down: the pledge, what an undo puts back, the timeline.

And the signs of how far somebody goes. A yes counts once and as long as it stands, a deed as often
as it was done; none moves anybody on the ladder.
"""

from datetime import datetime, timedelta
from typing import Any

from mailer.activity import actions as activity
from mailer.activity.model import DECLARED
from mailer.asks import plain, store
from mailer.asks.model import IS_DONE, STANDS, Ask, Pledge, PledgeChange, PledgeState, Turn
from mailer.asks.telling import tell
from mailer.kit.errors import Conflict, NotFound
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.model import SignKind

MOST_A_DAY = 20
"""Answers of one person to one ask within a day. A no is never too much, and needs a yes before."""

SAME_WITHIN = timedelta(minutes=15)
"""The same again so soon is a button pressed twice."""


class AskClosed(Conflict):
    """This ask is no longer open."""


class NotPledged(NotFound):
    """There is no yes to this ask."""


class DoneAlready(Conflict):
    """This was reported as done. If that was a mistake, undo it first."""


class TooOften(Conflict):
    """You have changed this answer many times today. Please come back tomorrow."""


async def take(
    work: Work,
    subscriber: Subscriber,
    ask: Ask,
    standing: Pledge | None,
    to: PledgeState,
    kind: str,
    *,
    campaign_no: int | None = None,
    **said: Any,
) -> Pledge:
    """Bring somebody's answer, who is held, to a state; `kind` is the line in their timeline.

    `campaign_no` is the mail that asked, if they had no yes that stands. They are told by letter.
    """
    if standing is not None and to in STANDS and work.door in DECLARED:
        since = work.now - timedelta(days=1)
        if await store.steps_since(work, standing.no, since) >= MOST_A_DAY:
            raise TooOften
    from_state = None if standing is None else standing.state
    times, made_at = (0, work.now) if standing is None else (standing.times, standing.made_at)
    if from_state not in STANDS:
        said |= {"made_at": work.now, "door": work.door, "campaign_no": campaign_no}
    if standing is None:
        before: dict[str, Any] = {}
        [pledge] = await add_missing(
            work, Pledge, [{"subscriber_no": subscriber.no, "ask_no": ask.no, "state": to, **said}]
        )
    else:
        if not standing.is_answered:
            said["is_answered"] = True
        before = plain.kept(standing, said)
        pledge = await store.change(work, standing, state=to, **said)
    change = PledgeChange(
        pledge_no=pledge.no,
        subscriber_no=subscriber.no,
        from_state=from_state,
        to_state=to,
        at=work.now,
        door=work.door,
        account_no=work.account,
        before=before,
        keeps_words=plain.holds_words(before),
    )
    work.session.add(change)
    await work.session.flush()
    await activity.record(work, subscriber.no, kind, ask=ask.no, pledge=pledge.no)
    await _weigh(work, ask, pledge, was=from_state, made_at=made_at, times=times)
    await tell(work, subscriber, ask, change, kind)
    return pledge


async def _weigh(
    work: Work, ask: Ask, pledge: Pledge, *, was: PledgeState | None, made_at: datetime, times: int
) -> None:
    """Note what a step tells of how far somebody goes, and forget what it takes back."""
    no = pledge.subscriber_no
    if pledge.times > times:
        suggested = ask.suggested_tier_no
        ready_for = None if suggested is None else await ladder.by_no(work, suggested)
        await tiers.note_sign(work, no, SignKind.DONE, work.now, ready_for=ready_for, ask_no=ask.no)
    elif pledge.state in STANDS and was not in STANDS:
        await tiers.note_sign(work, no, SignKind.PLEDGED, work.now, ask_no=ask.no)
    elif was in STANDS and pledge.state not in STANDS:
        await _forget(work, no, SignKind.PLEDGED, made_at)


async def unweigh(work: Work, pledge: Pledge, change: PledgeChange, *, times: int) -> None:
    """Take back what an undone step told; `pledge` is as it stands again, `times` as it was."""
    no = pledge.subscriber_no
    if pledge.times < times:
        await _forget(work, no, SignKind.DONE, change.at)
    elif change.to_state in STANDS and change.from_state not in STANDS:
        await _forget(work, no, SignKind.PLEDGED, change.at)
    elif change.from_state in STANDS and change.to_state not in STANDS:
        await tiers.note_sign(work, no, SignKind.PLEDGED, pledge.made_at, ask_no=pledge.ask_no)


async def _forget(work: Work, subscriber_no: int, kind: SignKind, at: datetime) -> None:
    """Forget a sign; what they have done besides may still show them ready for a level."""
    suggested = await store.suggested_by_deeds(work, subscriber_no)
    ready_for = None if suggested is None else await ladder.by_no(work, suggested)
    await tiers.forget_sign(work, subscriber_no, kind, at, ready_for=ready_for)


def ask_for_to_do(ask: Ask, standing: Pledge) -> None:
    """Refuse where something is done; a habit is never done with, and can be left on any day."""
    if standing.state in IS_DONE and ask.turn is not Turn.STANDING:
        raise DoneAlready


async def to_do(work: Work, subscriber_no: int, ask: Ask) -> Pledge:
    """Give a yes that stands and is not done; refuses where there is none."""
    standing = await store.pledge_of(work, subscriber_no, ask.no)
    if standing is None or standing.state not in STANDS:
        raise NotPledged
    ask_for_to_do(ask, standing)
    return standing


async def was_just_said(work: Work, standing: Pledge, to: PledgeState) -> bool:
    """Say whether the newest step led to a state so lately that this is the same once more."""
    newest = await store.last_change(work, standing.no)
    return (
        newest is not None
        and standing.state is newest.to_state is to
        and work.now - newest.at <= SAME_WITHIN
    )
