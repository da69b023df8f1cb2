"""Ending: whether every row of a campaign is accounted for, and what is written down then."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, update

from mailer.asks import choosing
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState
from mailer.deliveries.model import Delivery, Reason
from mailer.deliveries.store import OPEN, rows_of
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.subscribers.model import Subscriber, visible


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
                *rows_of(campaign),
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
        await choosing.take_back(
            work,
            campaign.no,
            _never_reached(campaign).where(
                Delivery.subscriber_no > after, Delivery.subscriber_no <= last
            ),
        )
    return last


def _never_reached(campaign: Campaign) -> Select[int]:
    return select(Delivery.subscriber_no).where(
        *rows_of(campaign),
        Delivery.state == DeliveryState.SKIPPED,
        Delivery.reply == Reason.CANCELLED.value,
    )


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
            *rows_of(campaign),
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
    return exists().where(*rows_of(campaign), Delivery.state.in_(OPEN))


async def end_swept(work: Work, campaign: Campaign) -> None:
    """Say that a cancelled campaign is over, unless a body is still under way.

    Whom the last beat skipped, and not the sweeping, was offered nothing either.
    """
    await choosing.take_back(work, campaign.no, _never_reached(campaign))
    await work.session.execute(
        update(Campaign)
        .where(Campaign.no == campaign.no, ~_has_open_rows(campaign))
        .values(ended_at=work.now)
        .execution_options(synchronize_session=False)
    )


async def finish(work: Work, campaign: Campaign) -> None:
    """Call a campaign sent, unless a row is still open or somebody has stopped it.

    Whoever is about to queue rows again holds it; their rows are seen once we have waited, by a
    statement of its own.
    """
    await campaigns.lock(work, campaign.no)
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
    """Note when the next people were mailed; give where to go on, None at the end.

    A campaign that is opened again for a few comes to its end twice: the others were mailed once.
    """
    accepted = (DeliveryState.SENT,)
    last = await _last_of_unit(work, campaign, accepted, after=after, limit=limit)
    if last is not None:
        theirs = (
            *rows_of(campaign),
            Delivery.subscriber_no == Subscriber.no,
            Delivery.state == DeliveryState.SENT,
        )
        is_news = or_(Subscriber.last_mailed_at.is_(None), Subscriber.last_mailed_at < Delivery.at)
        sent_at = select(Delivery.at).where(*theirs).correlate(Subscriber).scalar_subquery()
        await work.session.execute(
            update(Subscriber)
            .where(
                Subscriber.no > after,
                Subscriber.no <= last,
                exists().where(*theirs, is_news).correlate(Subscriber),
                visible(work),
            )
            .values(last_mailed_at=sent_at)
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
