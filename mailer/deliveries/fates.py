"""Fates: what became of each person's message, by name, and what a person decides about it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, and_, func, or_, select, update

from mailer.campaigns.model import Campaign
from mailer.deliveries.model import FIRST_RUN, Delivery, Reason
from mailer.deliveries.retrying import LAST_ROUND, next_round, still_to_wait
from mailer.kit.pages import Page, cut
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.subscribers.model import Subscriber, visible


class Fate(msgspec.Struct, frozen=True):
    """What became of one person's message. `subscriber` is None where we may not see them."""

    subscriber_no: int
    subscriber: Subscriber | None
    state: DeliveryState
    at: datetime | None
    code: int | None
    reply: str  # a Reason, or what the server said last: say it with `last_word`
    due_at: datetime | None = None  # of the next try
    until: datetime | None = None  # when it is given up, if every try fails like the last


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
            Delivery.run == FIRST_RUN,
            Delivery.state.in_(list(states)),
            Delivery.subscriber_no > after,
        )
        .order_by(Delivery.subscriber_no)
        .limit(limit + 1)
    )
    rows = [_fate(delivery, subscriber) for delivery, subscriber in found]
    return cut(rows, limit, lambda fate: fate.subscriber_no)


def _fate(delivery: Delivery, subscriber: Subscriber | None) -> Fate:
    due_at = delivery.due_at
    return Fate(
        subscriber_no=delivery.subscriber_no,
        subscriber=subscriber,
        state=DeliveryState(delivery.state),
        at=delivery.at,
        code=delivery.code,
        # A server may have repeated the address of one unseen.
        reply="" if subscriber is None else delivery.reply or "",
        due_at=due_at,
        until=due_at + still_to_wait(delivery.attempt) if due_at else None,
    )


async def doubts(work: Work, campaign: Campaign, *, after: int = 0, limit: int = 25) -> Page[Fate]:
    """List those of whom we cannot tell whether the message arrived."""
    return await fates(work, campaign, [DeliveryState.IN_DOUBT], after=after, limit=limit)


async def how_many(work: Work, campaign: Campaign, which: ColumnElement[bool]) -> int:
    """Count the rows of a campaign that meet one of the conditions below."""
    counted = (
        select(func.count())
        .select_from(Delivery)
        .where(Delivery.campaign_no == campaign.no, Delivery.run == FIRST_RUN, which)
    )
    return await work.session.scalar(counted) or 0


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


# --- which rows -----------------------------------------------------------------------------------


def may_have_it() -> ColumnElement[bool]:
    """Say that it was accepted, or that nobody can tell; a doubt that was left is one still."""
    return or_(
        Delivery.state.in_([DeliveryState.SENT, DeliveryState.IN_DOUBT]), _is_left_in_doubt()
    )


def is_failed(*, or_left_in_doubt: bool) -> ColumnElement[bool]:
    """Say that it was given up after days of trying, or (if wanted) that a doubt was left."""
    failed = Delivery.state == DeliveryState.FAILED
    return failed if or_left_in_doubt else and_(failed, ~_is_left_in_doubt())


def is_refused() -> ColumnElement[bool]:
    """Say that their mail server refused it for good."""
    return Delivery.state == DeliveryState.REFUSED


def _is_left_in_doubt() -> ColumnElement[bool]:
    # Never NULL, so that it may be negated.
    return and_(
        Delivery.state == DeliveryState.FAILED,
        Delivery.reply.is_not(None),
        Delivery.reply == Reason.LEFT_IN_DOUBT.value,
    )


# --- what a person decides ------------------------------------------------------------------------


async def decide(
    work: Work, campaign: Campaign, numbers: Sequence[int] | None, **changes: object
) -> int:
    """Change rows in doubt, of some people or (None) of all; count those that were."""
    return await _change(
        work, campaign, numbers, Delivery.state == DeliveryState.IN_DOUBT, **changes
    )


async def begin_anew(
    work: Work, campaign: Campaign, numbers: Sequence[int] | None, which: ColumnElement[bool]
) -> int:
    """Queue rows as if they had never been tried, of some people or (None) of all; count them.

    What the server said last stays beside them until it says something else.
    """
    return await _change(
        work,
        campaign,
        numbers,
        and_(which, Delivery.attempt < LAST_ROUND),
        state=DeliveryState.QUEUED,
        attempt=next_round(Delivery.attempt),
        due_at=None,
        worker=None,
    )


async def _change(
    work: Work,
    campaign: Campaign,
    numbers: Sequence[int] | None,
    which: ColumnElement[bool],
    **changes: object,
) -> int:
    changing = (
        update(Delivery)
        .where(
            Delivery.campaign_no == campaign.no,
            Delivery.run == FIRST_RUN,
            which,
            *([] if numbers is None else [Delivery.subscriber_no.in_(numbers)]),
        )
        .values(**changes)
        .execution_options(synchronize_session=False)
    )
    done = await work.session.execute(changing)
    return int(done.rowcount)  # type: ignore[attr-defined]  # a CursorResult
