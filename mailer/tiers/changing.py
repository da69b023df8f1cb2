"""One move on the ladder, as it is written down and told. Who may cause one is said elsewhere."""

from mailer.activity import actions as activity
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post
from mailer.subscribers.model import Subscriber
from mailer.tiers import store
from mailer.tiers.model import ChosenTier, SignKind, Source, Tier, TierChange
from mailer.tiers.signs import note_sign

_BY_THEMSELVES = (Source.SELF_LINK, Source.SELF_FORM, Source.ACCEPTED)


async def move(
    work: Work,
    subscriber: Subscriber,
    here: Tier | None,
    to: Tier,
    *,
    source: Source,
    campaign_no: int | None = None,
    ask_no: int | None = None,
    reason: str = "",
    undoes_no: int | None = None,
) -> TierChange:
    """Put somebody who is held on another tier, and write down how they came there."""
    chosen = await store.chosen_row(work, subscriber.no)
    if chosen is None:
        chosen = ChosenTier(subscriber_no=subscriber.no, tier_no=to.no, since=work.now)
        work.session.add(chosen)
    else:
        chosen.tier_no, chosen.since = to.no, work.now
    change = TierChange(
        subscriber_no=subscriber.no,
        from_no=here.no if here is not None else None,
        to_no=to.no,
        source=source,
        door=work.door,
        campaign_no=campaign_no,
        ask_no=ask_no,
        account_no=work.account,
        reason=reason,
        made_at=work.now,
        undoes_no=undoes_no,
    )
    work.session.add(change)
    await work.session.flush()
    kind = "tier_chosen" if here is None else "tier_changed"
    await activity.record(work, subscriber.no, kind, change=change.no)
    if here is not None and to.rank > here.rank and source in _BY_THEMSELVES:
        await note_sign(work, subscriber.no, SignKind.MOVED, work.now)
    return change


async def tell(work: Work, subscriber: Subscriber, change: TierChange, *, by: str) -> None:
    """Owe the letter about a move, with its undo; `by` is "you", "organiser" or "time"."""
    await post(
        work,
        Post(
            kind="tier-changed",
            dedupe_key=f"tier-changed:{change.no}",
            language=subscriber.language,
            facts={"change": change.no, "by": by},
            subscriber=subscriber.no,
        ),
    )


async def tier_of(work: Work, no: int) -> Tier:
    """Give a tier that a row names; a rung is never deleted."""
    tier = await store.by_no(work, no)
    assert tier is not None
    return tier
