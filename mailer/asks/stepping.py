"""One step of a pledge, as it is written down: the pledge, what an undo puts back, the timeline.

And the signs of how far somebody goes. A yes counts once and as long as it stands, a deed as often
as it was done; none moves anybody on the ladder.
"""

from datetime import datetime
from typing import Any

from mailer.activity import actions as activity
from mailer.asks import plain, store
from mailer.asks.model import IS_DONE, STANDS, Ask, Pledge, PledgeChange, PledgeState
from mailer.kit.errors import Conflict, NotFound
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.model import SignKind


class AskClosed(Conflict):
    """This ask is no longer open."""


class NotPledged(NotFound):
    """There is no yes to this ask."""


class DoneAlready(Conflict):
    """This was reported as done. If that was a mistake, undo it first."""


async def take(
    work: Work,
    subscriber_no: int,
    ask: Ask,
    standing: Pledge | None,
    to: PledgeState,
    kind: str,
    *,
    campaign_no: int | None = None,
    **said: Any,
) -> Pledge:
    """Bring somebody's answer, who is held, to a state; `kind` is the line in their timeline.

    `campaign_no` is the mail that asked, if they had no yes that stands.
    """
    from_state = None if standing is None else standing.state
    times, made_at = (0, work.now) if standing is None else (standing.times, standing.made_at)
    if from_state not in STANDS:
        said |= {"made_at": work.now, "door": work.door, "campaign_no": campaign_no}
    if standing is None:
        before: dict[str, Any] = {}
        [pledge] = await add_missing(
            work, Pledge, [{"subscriber_no": subscriber_no, "ask_no": ask.no, "state": to, **said}]
        )
    else:
        before = plain.kept(standing, said)
        pledge = await store.change(work, standing, state=to, **said)
    work.session.add(
        PledgeChange(
            pledge_no=pledge.no,
            subscriber_no=subscriber_no,
            from_state=from_state,
            to_state=to,
            at=work.now,
            door=work.door,
            account_no=work.account,
            before=before,
        )
    )
    await work.session.flush()
    await activity.record(work, subscriber_no, kind, ask=ask.no, pledge=pledge.no)
    await _weigh(work, ask, pledge, was=from_state, made_at=made_at, times=times)
    return pledge


async def _weigh(
    work: Work, ask: Ask, pledge: Pledge, *, was: PledgeState | None, made_at: datetime, times: int
) -> None:
    """Note what a step tells of how far somebody goes, and forget what it takes back."""
    no = pledge.subscriber_no
    if pledge.times > times:
        suggested = ask.suggested_tier_no
        ready_for = None if suggested is None else await ladder.by_no(work, suggested)
        await tiers.note_sign(work, no, SignKind.DONE, work.now, ready_for=ready_for)
    elif pledge.state in STANDS and was not in STANDS:
        await tiers.note_sign(work, no, SignKind.PLEDGED, work.now)
    elif was in STANDS and pledge.state not in STANDS:
        await tiers.forget_sign(work, no, SignKind.PLEDGED, made_at)


async def unweigh(work: Work, pledge: Pledge, change: PledgeChange, *, times: int) -> None:
    """Take back what an undone step told; `pledge` is as it stands again, `times` as it was."""
    no = pledge.subscriber_no
    if pledge.times < times:
        await tiers.forget_sign(work, no, SignKind.DONE, change.at)
    elif change.to_state in STANDS and change.from_state not in STANDS:
        await tiers.forget_sign(work, no, SignKind.PLEDGED, change.at)
    elif change.from_state in STANDS and change.to_state not in STANDS:
        await tiers.note_sign(work, no, SignKind.PLEDGED, pledge.made_at)


async def to_do(work: Work, subscriber_no: int, ask: Ask) -> Pledge:
    """Give a yes that stands and is not done; refuses where there is none."""
    standing = await store.pledge_of(work, subscriber_no, ask.no)
    if standing is None or standing.state not in STANDS:
        raise NotPledged
    if standing.state in IS_DONE:
        raise DoneAlready
    return standing
