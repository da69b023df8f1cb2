"""Questions about deliveries: how many, who, and why not.

What the engine itself reads and writes is in `ledger.py`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    not_,
    select,
    true,
    update,
)

from mailer.campaigns.model import Campaign, CampaignState
from mailer.consent import store as consent
from mailer.consent.model import Subscription, SubscriptionState
from mailer.deliveries.model import FIRST_RUN, Delivery, Reason, Worker
from mailer.kit.pages import Page, cut
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.subscribers.model import Subscriber, visible
from mailer.tiers.model import ChosenTier

OPEN = (
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.SENDING,
    DeliveryState.DEFERRED,
)
"""What still has something to come. A doubt is shown beside, and does not keep a campaign open."""


# --- who gets it ----------------------------------------------------------------------------------


def is_chosen(campaign: Campaign) -> ColumnElement[bool]:
    """Say whether a subscriber is on one of the tiers that were chosen. No tier is nobody."""
    if campaign.to_everybody:
        return true()
    return (
        exists()
        .where(ChosenTier.subscriber_no == Subscriber.no, ChosenTier.tier_no.in_(campaign.tier_nos))
        .correlate(Subscriber)
    )


def why_not(list_no: int | None, now: datetime) -> ColumnElement[Any]:
    """Say why a subscriber may not be mailed from a list; NULL if they may.

    The same rule as `consent.may_mail`, told with its reasons; a test holds the two together.
    """
    subscription = (
        select(Subscription.state)
        .where(Subscription.subscriber_no == Subscriber.no, Subscription.list_no == list_no)
        .correlate(Subscriber)
        .scalar_subquery()
    )
    return case(
        (consent.is_erased(), Reason.ERASED.value),
        (not_(consent.has_address()), Reason.NO_ADDRESS.value),
        (consent.is_suppressed_sql(), Reason.SUPPRESSED.value),
        (consent.is_stopped(), Reason.STOPPED.value),
        (subscription.is_(None), Reason.NOT_ON_LIST.value),
        (subscription == SubscriptionState.UNSUBSCRIBED, Reason.UNSUBSCRIBED.value),
        (subscription == SubscriptionState.UNCONFIRMED, Reason.UNCONFIRMED.value),
        (consent.is_paused_at(now), Reason.PAUSED.value),
        else_=None,
    )


async def freeze(work: Work, campaign: Campaign) -> int:
    """Write one row for each person who gets it, in the order of their numbers; count them.

    One statement: 0.3 s (SQLite) and 4 s (PostgreSQL) for a million people.
    """
    assert campaign.list_no is not None
    people = (
        select(literal(campaign.no), literal(FIRST_RUN), Subscriber.no)
        .where(consent.may_mail(campaign.list_no, work.now), is_chosen(campaign), visible(work))
        .order_by(Subscriber.no)
    )
    columns = [Delivery.campaign_no, Delivery.run, Delivery.subscriber_no]
    done = await work.session.execute(
        insert(Delivery).from_select(columns, people, include_defaults=False),
        execution_options={"preserve_rowcount": True},
    )
    return int(done.rowcount)  # type: ignore[attr-defined]  # a CursorResult


async def left_out(work: Work, campaign: Campaign) -> dict[str, int]:
    """Count by reason those on the list who do not get it."""
    why = why_not(campaign.list_no, work.now).label("why")
    people = (
        select(why, is_chosen(campaign).label("chosen"))
        .join(
            Subscription,
            and_(
                Subscription.subscriber_no == Subscriber.no,
                Subscription.list_no == campaign.list_no,
            ),
        )
        .where(visible(work))
        .subquery()
    )
    reason = case(
        (people.c.why.is_not(None), people.c.why),
        (~people.c.chosen, Reason.OTHER_LEVEL.value),
        else_=None,
    )
    counted = select(reason, func.count()).select_from(people).group_by(reason)
    found = await work.session.execute(counted)
    return {why: count for why, count in found if why is not None}


async def anything_begun(work: Work, campaign: Campaign) -> bool:
    """Say whether any row is not queued any more, or was tried before."""
    begun = exists().where(
        Delivery.campaign_no == campaign.no,
        (Delivery.state != DeliveryState.QUEUED) | (Delivery.attempt > 0),
    )
    return bool(await work.session.scalar(select(begun)))


async def drop_rows(work: Work, campaign: Campaign) -> None:
    """Take the frozen rows away."""
    await work.session.execute(delete(Delivery).where(Delivery.campaign_no == campaign.no))


# --- how far it has come --------------------------------------------------------------------------


class Progress(msgspec.Struct, frozen=True):
    """How far a campaign has come. The counts sum to the number that was frozen."""

    counts: dict[DeliveryState, int]
    rate: int  # accepted in the last minute
    finish_at: datetime | None  # at this rate; None when nothing moves or nothing is left

    def of(self, *states: DeliveryState) -> int:
        """Give the number in these states."""
        return sum(self.counts.get(state, 0) for state in states)

    @property
    def total(self) -> int:
        """Give the number of all rows."""
        return sum(self.counts.values())

    @property
    def waiting(self) -> int:
        """Give the number of those that have something to come."""
        return self.of(*OPEN)


async def progress(work: Work, campaign: Campaign) -> Progress:
    """Count the rows by state, and how fast they go."""
    lately = case((Delivery.at > work.now - timedelta(minutes=1), 1), else_=0)
    found = await work.session.execute(
        select(Delivery.state, func.count(), func.sum(lately))
        .where(Delivery.campaign_no == campaign.no)
        .group_by(Delivery.state)
    )
    rows = found.all()
    counts = {DeliveryState(state): count for state, count, _lately in rows}
    rate = next((int(lately) for state, _, lately in rows if state == DeliveryState.SENT), 0)
    waiting = sum(counts.get(state, 0) for state in OPEN)
    finish_at = work.now + timedelta(minutes=waiting / rate) if rate and waiting else None
    return Progress(counts=counts, rate=rate, finish_at=finish_at)


async def why_skipped(work: Work, campaign: Campaign) -> dict[str, int]:
    """Count by reason those who were left out after the freezing."""
    found = await work.session.execute(
        select(Delivery.reply, func.count())
        .where(Delivery.campaign_no == campaign.no, Delivery.state == DeliveryState.SKIPPED)
        .group_by(Delivery.reply)
    )
    return {reply or "": count for reply, count in found}


async def by_language(work: Work, campaign: Campaign) -> dict[str, int]:
    """Count the people of a frozen campaign by their language."""
    found = await work.session.execute(
        select(Subscriber.language, func.count())
        .join(Delivery, Delivery.subscriber_no == Subscriber.no)
        .where(Delivery.campaign_no == campaign.no, visible(work))
        .group_by(Subscriber.language)
    )
    return dict(found.all())


async def by_tier(work: Work, campaign: Campaign) -> dict[int, int]:
    """Count the people of a frozen campaign by the number of their tier."""
    found = await work.session.execute(
        select(ChosenTier.tier_no, func.count())
        .join(Delivery, Delivery.subscriber_no == ChosenTier.subscriber_no)
        .where(Delivery.campaign_no == campaign.no)
        .group_by(ChosenTier.tier_no)
    )
    return dict(found.all())


# --- by name --------------------------------------------------------------------------------------


class Fate(msgspec.Struct, frozen=True):
    """What became of one person's message. `subscriber` is None where we may not see them."""

    subscriber_no: int
    subscriber: Subscriber | None
    state: DeliveryState
    at: datetime | None
    code: int | None
    reply: str  # a Reason, or what the server said last: say it with `last_word`


async def fates(
    work: Work,
    campaign: Campaign,
    states: Iterable[DeliveryState],
    *,
    after: int = 0,
    limit: int = 25,
) -> Page[Fate]:
    """List whose message is in one of these states, by name where the actor may see them."""
    found = await work.session.execute(
        select(Delivery, Subscriber)
        .outerjoin(Subscriber, and_(Subscriber.no == Delivery.subscriber_no, visible(work)))
        .where(
            Delivery.campaign_no == campaign.no,
            Delivery.state.in_(list(states)),
            Delivery.subscriber_no > after,
        )
        .order_by(Delivery.subscriber_no)
        .limit(limit + 1)
    )
    rows = [
        Fate(
            subscriber_no=delivery.subscriber_no,
            subscriber=subscriber,
            state=DeliveryState(delivery.state),
            at=delivery.at,
            code=delivery.code,
            reply=_said(delivery, subscriber),
        )
        for delivery, subscriber in found
    ]
    return cut(rows, limit, lambda fate: fate.subscriber_no)


def _said(delivery: Delivery, subscriber: Subscriber | None) -> str:
    """Give the last word about somebody; a server may have repeated the address of one unseen."""
    return "" if subscriber is None else delivery.reply or ""


async def doubts(work: Work, campaign: Campaign, *, after: int = 0, limit: int = 25) -> Page[Fate]:
    """List those of whom we cannot tell whether the message arrived."""
    return await fates(work, campaign, [DeliveryState.IN_DOUBT], after=after, limit=limit)


async def decide(
    work: Work, campaign: Campaign, numbers: Sequence[int] | None, **changes: object
) -> int:
    """Change rows in doubt, of some people or (None) of all; count those that were."""
    deciding = (
        update(Delivery)
        .where(
            Delivery.campaign_no == campaign.no,
            Delivery.state == DeliveryState.IN_DOUBT,
            *([] if numbers is None else [Delivery.subscriber_no.in_(numbers)]),
        )
        .values(**changes)
        .execution_options(synchronize_session=False)
    )
    done = await work.session.execute(deciding)
    return int(done.rowcount)  # type: ignore[attr-defined]  # a CursorResult


async def of_subscriber(
    work: Work, subscriber_no: int, *, limit: int = 100
) -> Sequence[tuple[Delivery, Campaign]]:
    """Give one person's messages of campaigns that have begun, newest campaign first.

    The caller has asked whether they may. There is no index by person: the numbers of campaigns
    lead the key, so this looks once into each campaign.
    """
    found = await work.session.execute(
        select(Delivery, Campaign)
        .join(
            Campaign,
            and_(
                Campaign.no == Delivery.campaign_no,
                Delivery.run == FIRST_RUN,
                Delivery.subscriber_no == subscriber_no,
            ),
        )
        .where(Campaign.started_at.is_not(None), Delivery.at.is_not(None))
        .order_by(Campaign.no.desc())
        .limit(limit)
    )
    return found.all()


async def last_heartbeat(work: Work) -> datetime | None:
    """Say when a worker was last seen alive."""
    return await work.session.scalar(
        select(func.max(Worker.seen_at)).where(Worker.ended_at.is_(None))
    )


# --- coming to an end -----------------------------------------------------------------------------


async def unswept(work: Work) -> Sequence[Campaign]:
    """Give the cancelled campaigns that may have rows which nobody has closed."""
    found = await work.session.scalars(
        select(Campaign).where(
            Campaign.state == CampaignState.CANCELLED, Campaign.ended_at.is_(None)
        )
    )
    return found.all()


async def sweep(work: Work, campaign: Campaign, *, after: int, limit: int) -> int | None:
    """Close the next rows of a cancelled campaign; give where to go on, None at the end."""
    still = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
    last = await _last_of_unit(work, campaign, still, after=after, limit=limit)
    if last is not None:
        await work.session.execute(
            update(Delivery)
            .where(
                Delivery.campaign_no == campaign.no,
                Delivery.subscriber_no > after,
                Delivery.subscriber_no <= last,
                Delivery.state.in_(still),
            )
            .values(
                state=DeliveryState.SKIPPED,
                reply=Reason.CANCELLED.value,
                due_at=None,
                worker=None,
                at=work.now,
            )
            .execution_options(synchronize_session=False)
        )
    return last


async def _last_of_unit(
    work: Work,
    campaign: Campaign,
    states: Iterable[DeliveryState],
    *,
    after: int,
    limit: int,
) -> int | None:
    """Find the key up to which the next so many rows in some states reach."""
    unit = (
        select(Delivery.subscriber_no)
        .where(
            Delivery.campaign_no == campaign.no,
            Delivery.subscriber_no > after,
            Delivery.state.in_(list(states)),
        )
        .order_by(Delivery.subscriber_no)
        .limit(limit)
        .subquery()
    )
    last: int | None = await work.session.scalar(select(func.max(unit.c.subscriber_no)))
    return last


def _has_open_rows(campaign: Campaign) -> ColumnElement[bool]:
    return exists().where(Delivery.campaign_no == campaign.no, Delivery.state.in_(OPEN))


async def end_swept(work: Work, campaign: Campaign) -> None:
    """Say that a cancelled campaign is over, unless a body is still under way."""
    await work.session.execute(
        update(Campaign)
        .where(Campaign.no == campaign.no, ~_has_open_rows(campaign))
        .values(ended_at=work.now)
        .execution_options(synchronize_session=False)
    )


async def finish(work: Work, campaign: Campaign) -> None:
    """Call a campaign sent, unless a row is still open or somebody has stopped it."""
    await work.session.execute(
        update(Campaign)
        .where(
            Campaign.no == campaign.no,
            Campaign.state == CampaignState.SENDING,
            ~_has_open_rows(campaign),
        )
        .values(state=CampaignState.SENT, ended_at=work.now, reason="")
        .execution_options(synchronize_session=False)
    )


async def note_mailed(work: Work, campaign: Campaign, *, after: int, limit: int) -> int | None:
    """Note when the next people were mailed; give where to go on, None at the end."""
    accepted = (DeliveryState.SENT,)
    last = await _last_of_unit(work, campaign, accepted, after=after, limit=limit)
    if last is not None:
        theirs = select(Delivery.subscriber_no).where(
            Delivery.campaign_no == campaign.no,
            Delivery.subscriber_no > after,
            Delivery.subscriber_no <= last,
            Delivery.state == DeliveryState.SENT,
        )
        await work.session.execute(
            update(Subscriber)
            .where(Subscriber.no.in_(theirs), visible(work))
            .values(last_mailed_at=work.now)
            .execution_options(synchronize_session=False)
        )
    return last


async def tell(work: Work, numbers: Sequence[int], reason: str) -> None:
    """Write a reason beside campaigns that are being sent."""
    await work.session.execute(
        update(Campaign)
        .where(
            Campaign.no.in_(numbers),
            Campaign.state == CampaignState.SENDING,
            Campaign.reason != reason[:300],
        )
        .values(reason=reason[:300])
        .execution_options(synchronize_session=False)
    )


async def last_seen(work: Work) -> datetime | None:
    """Say when any worker was last seen, living or ended."""
    return await work.session.scalar(select(func.max(Worker.seen_at)))
