"""Saying yes to an ask, saying no, and taking a yes back.

Each is dated and idempotent: what is so already stays as it is, with its first date.
"""

from mailer.asks import store
from mailer.asks.model import IS_DONE, STANDS, Ask, AskState, Pledge, PledgeState
from mailer.asks.stepping import AskClosed, DoneAlready, NotPledged, take
from mailer.kit.errors import Conflict, Forbidden
from mailer.kit.i18n import in_language
from mailer.kit.work import Door, Work
from mailer.outbox.actions import Post, post
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber
from mailer.tiers import store as tiers

_UNTOLD = (Door.IMPORT, Door.SYSTEM)
"""By these doors nobody said anything just now, and there is nothing to be thanked for."""


class Full(Conflict):
    """Enough people have said yes to this one. Thank you."""


class TierTooLow(Forbidden):
    """This is for people on the level %(level)s and above. You can step up first."""


async def pledge(
    work: Work, subscriber: Subscriber, ask: Ask, *, campaign_no: int | None = None
) -> Pledge:
    """Record that somebody says yes to an ask; `campaign_no` is the mail that asked.

    Saying yes twice is saying yes once: the standing pledge is returned. Who had said no, or had
    taken it back, says yes anew. They get a letter that says so, with an undo.
    """
    subscriber = await held(work, subscriber)
    standing = await store.pledge_of(work, subscriber.no, ask.no)
    if standing is not None and standing.state in STANDS:
        return standing
    ask = await store.again(work, ask)
    if not ask.is_open(work.now):
        raise AskClosed
    await _ask_for_level(work, subscriber, ask)
    if ask.capacity is not None:
        await store.hold(work, ask)  # two who want the last place are served one after the other
        if await store.standing(work, ask.no) >= ask.capacity:
            raise Full
    said = await take(
        work,
        subscriber.no,
        ask,
        standing,
        PledgeState.PLEDGED,
        "pledged",
        campaign_no=campaign_no,
        due_at=None,
        reminded_at=None,
        asked_at=None,
        note=None,
        link="",
    )
    await _tell(work, subscriber, ask, said)
    return said


async def _ask_for_level(work: Work, subscriber: Subscriber, ask: Ask) -> None:
    if ask.minimum_tier_no is None:
        return
    least = await tiers.by_no(work, ask.minimum_tier_no)
    here = await tiers.chosen(work, subscriber.no)
    if least is not None and (here is None or here.rank < least.rank):
        raise TierTooLow(level=in_language(least.name))


async def _tell(work: Work, subscriber: Subscriber, ask: Ask, said: Pledge) -> None:
    """Owe the letters about a yes: that it is noted, and that somebody will be in touch."""
    change = await store.last_change(work, said.no)
    if work.door in _UNTOLD or subscriber.address is None or change is None:
        return
    kinds = ["pledge-receipt", *(["support-is-coming"] if ask.needs_support else [])]
    for kind in kinds:
        await post(
            work,
            Post(
                kind=kind,
                dedupe_key=f"{kind}:{change.no}",
                language=subscriber.language,
                facts={"pledge": said.no, "change": change.no},
                subscriber=subscriber.no,
            ),
        )


async def decline(
    work: Work, subscriber: Subscriber, ask: Ask, *, campaign_no: int | None = None
) -> Pledge:
    """Record that this ask is not for somebody. A yes that is not done ends with it."""
    subscriber = await held(work, subscriber)
    standing = await store.pledge_of(work, subscriber.no, ask.no)
    if standing is not None and standing.state is PledgeState.DECLINED:
        return standing
    if standing is not None and standing.state in IS_DONE:
        raise DoneAlready
    ask = await store.again(work, ask)
    if ask.state is AskState.DRAFT:
        raise AskClosed
    return await take(
        work,
        subscriber.no,
        ask,
        standing,
        PledgeState.DECLINED,
        "pledge_declined",
        campaign_no=campaign_no,
        due_at=None,
        note=None,
    )


async def withdraw(work: Work, subscriber: Subscriber, ask: Ask) -> Pledge:
    """Take a yes back. Refuses what was reported as done."""
    subscriber = await held(work, subscriber)
    standing = await store.pledge_of(work, subscriber.no, ask.no)
    if standing is not None and standing.state is PledgeState.WITHDRAWN:
        return standing
    if standing is None or standing.state not in STANDS:
        raise NotPledged
    if standing.state in IS_DONE:
        raise DoneAlready
    return await take(
        work,
        subscriber.no,
        ask,
        standing,
        PledgeState.WITHDRAWN,
        "pledge_withdrawn",
        due_at=None,
        note=None,
    )
