"""Saying yes to an ask, saying no, and taking a yes back.

Each is dated and idempotent: what is so already stays as it is, with its first date.
"""

from typing import Any

from mailer.asks import days, store
from mailer.asks.model import STANDS, Ask, AskState, Pledge, PledgeState
from mailer.asks.stepping import AskClosed, NotPledged, ask_for_to_do, take
from mailer.kit.errors import Conflict, Forbidden
from mailer.kit.i18n import in_language
from mailer.kit.work import Work
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber
from mailer.tiers import store as tiers

_OVER: dict[str, Any] = {
    "due_at": None,
    "is_our_day": False,
    "note": None,
    "link": None,
    "verified_at": None,
    "verified_by": None,
}
"""What a pledge says no more once there is no yes; what was done stays counted."""


class Full(Conflict):
    """Enough people have said yes to this one. Thank you."""


class TierTooLow(Forbidden):
    """This is for people on the level %(level)s and above. You can step up first."""


async def pledge(
    work: Work, subscriber: Subscriber, ask: Ask, *, campaign_no: int | None = None
) -> Pledge:
    """Record that somebody says yes to an ask; `campaign_no` is the mail that asked.

    Saying yes twice is saying yes once: the standing pledge is returned. Who had said no, or had
    taken it back, says yes anew, and so does who is asked again. They get a letter that says so,
    with an undo. Where nobody gave a date, we ask after a month how it went.
    """
    subscriber = await held(work, subscriber)
    standing = await store.pledge_of(work, subscriber.no, ask.no)
    if standing is not None and standing.state in STANDS and standing.is_answered:
        return standing
    ask = await let_in(work, subscriber, ask, standing)
    return await take(
        work,
        subscriber,
        ask,
        standing,
        PledgeState.PLEDGED,
        "pledged",
        campaign_no=campaign_no,
        **await days.first_day(work, ask),
        reminded_at=None,
        reminders=0,
        asked_at=None,
        note=None,
        link=None,
    )


async def let_in(work: Work, subscriber: Subscriber, ask: Ask, standing: Pledge | None) -> Ask:
    """Give an ask as it is now, if somebody may say yes to it; whoever has a place keeps it."""
    ask = await store.again(work, ask)
    if ask.capacity is not None:
        # Two who want the last place are served one after the other.
        ask = await store.hold(work, ask)
    if not ask.is_open(work.now):
        raise AskClosed
    await _ask_for_level(work, subscriber, ask)
    has_a_place = standing is not None and standing.state in STANDS
    if not has_a_place and await is_full(work, ask):
        raise Full
    return ask


async def is_full(work: Work, ask: Ask) -> bool:
    """Say whether nobody else can say yes to an ask."""
    return ask.capacity is not None and await store.standing(work, ask.no) >= ask.capacity


async def _ask_for_level(work: Work, subscriber: Subscriber, ask: Ask) -> None:
    if ask.minimum_tier_no is None:
        return
    least = await tiers.by_no(work, ask.minimum_tier_no)
    here = await tiers.chosen(work, subscriber.no)
    if least is not None and (here is None or here.rank < least.rank):
        raise TierTooLow(level=in_language(least.name))


async def decline(
    work: Work, subscriber: Subscriber, ask: Ask, *, campaign_no: int | None = None
) -> Pledge:
    """Record that this ask is not for somebody. A yes that is not done ends with it."""
    subscriber = await held(work, subscriber)
    standing = await store.pledge_of(work, subscriber.no, ask.no)
    if standing is not None and standing.state is PledgeState.DECLINED:
        return standing
    ask = await store.again(work, ask)
    if standing is not None:
        ask_for_to_do(ask, standing)
    if ask.state is AskState.DRAFT:
        raise AskClosed
    return await take(
        work,
        subscriber,
        ask,
        standing,
        PledgeState.DECLINED,
        "pledge_declined",
        campaign_no=campaign_no,
        **_OVER,
    )


async def withdraw(work: Work, subscriber: Subscriber, ask: Ask) -> Pledge:
    """Take a yes back. Refuses what was reported as done, unless it is a habit."""
    subscriber = await held(work, subscriber)
    standing = await store.pledge_of(work, subscriber.no, ask.no)
    if standing is not None and standing.state is PledgeState.WITHDRAWN:
        return standing
    if standing is None or standing.state not in STANDS:
        raise NotPledged
    ask = await store.again(work, ask)
    ask_for_to_do(ask, standing)
    return await take(
        work, subscriber, ask, standing, PledgeState.WITHDRAWN, "pledge_withdrawn", **_OVER
    )
