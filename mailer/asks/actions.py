"""Saying yes to an ask, telling that it is done, and taking the yes back.

Each is dated and idempotent: what is so already stays as it is, with its first date.
"""

from mailer.activity import actions as activity
from mailer.asks import store
from mailer.asks.model import IS_DONE, STANDS, Ask, Pledge, PledgeState
from mailer.kit.errors import Conflict, NotFound
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber


class AskClosed(Conflict):
    """This ask is no longer open."""


class NotPledged(NotFound):
    """There is no yes to this ask."""


class DoneAlready(Conflict):
    """This was reported as done, and cannot be taken back."""


async def pledge(
    work: Work, subscriber: Subscriber, ask: Ask, *, campaign_no: int | None = None
) -> Pledge:
    """Record that somebody says yes to an ask; `campaign_no` is the mail that asked.

    Saying yes twice is saying yes once: the standing pledge is returned. Who had taken it back says
    yes anew.
    """
    subscriber = await held(work, subscriber)
    standing = await store.pledge_of(work, subscriber.no, ask.no)
    if standing is not None and standing.state in STANDS:
        return standing
    ask = await store.again(work, ask)
    if not ask.is_open(work.now):
        raise AskClosed
    said = {
        "state": PledgeState.PLEDGED,
        "made_at": work.now,
        "door": work.door,
        "campaign_no": campaign_no,
    }
    if standing is None:
        [standing] = await add_missing(
            work, Pledge, [{"subscriber_no": subscriber.no, "ask_no": ask.no, **said}]
        )
    else:
        standing = await store.change(work, standing, done_at=None, **said)
    await activity.record(work, subscriber.no, "pledged", ask=ask.no, pledge=standing.no)
    return standing


async def report_done(work: Work, subscriber: Subscriber, ask: Ask) -> Pledge:
    """Record that somebody has done what they said yes to; the first date stands.

    Also after the ask was closed: it was done.
    """
    subscriber = await held(work, subscriber)
    standing = await _standing(work, subscriber, ask)
    if standing.state in IS_DONE:
        return standing
    done = await store.change(work, standing, state=PledgeState.DONE, done_at=work.now)
    await activity.record(work, subscriber.no, "pledge_done", ask=ask.no, pledge=done.no)
    return done


async def withdraw(work: Work, subscriber: Subscriber, ask: Ask) -> Pledge:
    """Take a yes back. Refuses what was reported as done."""
    subscriber = await held(work, subscriber)
    standing = await store.pledge_of(work, subscriber.no, ask.no)
    if standing is not None and standing.state is PledgeState.WITHDRAWN:
        return standing
    standing = await _standing(work, subscriber, ask)
    if standing.state in IS_DONE:
        raise DoneAlready
    ended = await store.change(work, standing, state=PledgeState.WITHDRAWN)
    await activity.record(work, subscriber.no, "pledge_withdrawn", ask=ask.no, pledge=ended.no)
    return ended


async def _standing(work: Work, subscriber: Subscriber, ask: Ask) -> Pledge:
    standing = await store.pledge_of(work, subscriber.no, ask.no)
    if standing is None or standing.state not in STANDS:
        raise NotPledged
    return standing
