"""Every question about tiers."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, case, func, select
from sqlalchemy.orm import aliased

from mailer.consent.store import is_active
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber, visible
from mailer.tiers.model import ChosenTier, Source, Tier, TierChange, TierRequest


class Through(msgspec.Struct, frozen=True):
    """What one campaign moved."""

    ups: int
    downs: int
    requests: int


async def ladder(work: Work) -> Sequence[Tier]:
    """Give the tiers, lowest first."""
    return (await work.session.scalars(select(Tier).order_by(Tier.rank))).all()


async def by_no(work: Work, no: int) -> Tier | None:
    """Find a tier by number."""
    return await work.session.get(Tier, no)


async def by_slug(work: Work, slug: str) -> Tier | None:
    """Find a tier by its slug."""
    return await work.session.scalar(select(Tier).where(Tier.slug == slug))


async def chosen(work: Work, subscriber_no: int) -> Tier | None:
    """Give the tier that holds for somebody. The caller has asked whether they may."""
    return await work.session.scalar(
        select(Tier)
        .join(ChosenTier, ChosenTier.tier_no == Tier.no)
        .where(ChosenTier.subscriber_no == subscriber_no),
    )


async def chosen_of(work: Work, subscriber_nos: Collection[int]) -> dict[int, Tier]:
    """Give the tiers that hold for several people; who has none is not in it."""
    found = await work.session.execute(
        select(ChosenTier.subscriber_no, Tier)
        .join(Tier, Tier.no == ChosenTier.tier_no)
        .where(ChosenTier.subscriber_no.in_(subscriber_nos)),
    )
    return dict(found.all())


async def people_for_mail(
    work: Work, subscriber_nos: Collection[int]
) -> Sequence[Row[int, str | None, str, str, str, str, datetime, int]]:
    """Give of several people what their mail may say: plain columns, for there are millions.

    Number, address, first name, last name, city, language, when they joined, number of their tier.
    """
    found = await work.session.execute(
        select(
            Subscriber.no,
            Subscriber.address,
            Subscriber.first_name,
            Subscriber.last_name,
            Subscriber.city,
            Subscriber.language,
            Subscriber.joined_at,
            ChosenTier.tier_no,
        )
        .outerjoin(ChosenTier, ChosenTier.subscriber_no == Subscriber.no)
        .where(Subscriber.no.in_(subscriber_nos), Subscriber.address.is_not(None), visible(work))
    )
    return found.all()


async def chosen_row(work: Work, subscriber_no: int) -> ChosenTier | None:
    """Give the row that says which tier holds, as it is now."""
    return await work.session.get(ChosenTier, subscriber_no, populate_existing=True)


async def changes_of(work: Work, subscriber_no: int) -> Sequence[TierChange]:
    """Give somebody's moves, newest first. The caller has asked whether they may."""
    found = await work.session.scalars(
        select(TierChange)
        .where(TierChange.subscriber_no == subscriber_no)
        .order_by(TierChange.no.desc()),
    )
    return found.all()


async def newest_change(work: Work, subscriber_no: int) -> TierChange | None:
    """Give somebody's last move."""
    return await work.session.scalar(
        select(TierChange)
        .where(TierChange.subscriber_no == subscriber_no)
        .order_by(TierChange.no.desc())
        .limit(1),
    )


async def change_by_no(work: Work, no: int) -> TierChange | None:
    """Find a move by number, as it is now."""
    return await work.session.get(TierChange, no, populate_existing=True)


async def undo_of(work: Work, change: TierChange) -> TierChange | None:
    """Find the move that undid another."""
    return await work.session.scalar(select(TierChange).where(TierChange.undoes_no == change.no))


async def request_by_uid(work: Work, uid: str) -> TierRequest | None:
    """Find a request, if the actor may see whose it is."""
    return await work.session.scalar(
        select(TierRequest)
        .join(Subscriber, Subscriber.no == TierRequest.subscriber_no)
        .where(TierRequest.uid == uid, visible(work)),
    )


async def request_by_no(work: Work, no: int) -> TierRequest | None:
    """Find a request by number, as it is now."""
    return await work.session.get(TierRequest, no, populate_existing=True)


async def standing_request(work: Work, subscriber_no: int) -> TierRequest | None:
    """Find somebody's request that waits for an answer."""
    return await work.session.scalar(
        select(TierRequest)
        .where(TierRequest.subscriber_no == subscriber_no, *_waiting())
        .order_by(TierRequest.no.desc())
        .limit(1),
    )


async def requests_of(work: Work, subscriber_no: int) -> Sequence[TierRequest]:
    """Give somebody's requests, oldest first. The caller has asked whether they may."""
    found = await work.session.scalars(
        select(TierRequest)
        .where(TierRequest.subscriber_no == subscriber_no)
        .order_by(TierRequest.no),
    )
    return found.all()


async def open_requests(work: Work) -> Sequence[tuple[TierRequest, Subscriber, Tier]]:
    """Give the requests that wait for an answer, oldest first.

    Only of people whom the actor may see and who are active: a sign-up that nobody has confirmed
    asks nothing of an organiser.
    """
    found = await work.session.execute(
        select(TierRequest, Subscriber, Tier)
        .join(Subscriber, Subscriber.no == TierRequest.subscriber_no)
        .join(Tier, Tier.no == TierRequest.tier_no)
        .where(*_waiting(), is_active(work.now), visible(work))
        .order_by(TierRequest.no),
    )
    return found.all()


async def counts(work: Work) -> dict[int, int]:
    """Count the active people whom the actor may see on each tier; a tier without any has 0."""
    counted = await work.session.execute(
        select(ChosenTier.tier_no, func.count())
        .join(Subscriber, Subscriber.no == ChosenTier.subscriber_no)
        .where(is_active(work.now), visible(work))
        .group_by(ChosenTier.tier_no),
    )
    found = dict(counted.all())
    return {tier.no: found.get(tier.no, 0) for tier in await ladder(work)}


async def moves_since(work: Work, since: datetime) -> dict[int, tuple[int, int]]:
    """Count, for each tier, who stepped up onto it or past it, and who stepped down from there.

    That is what crossed the line between the tier and the one below. Joining is no move, and one
    that was undone is none.
    """
    tiers = await ladder(work)
    moves = await work.session.execute(
        select(_FROM.rank, _TO.rank, func.count())
        .select_from(TierChange)
        .join(_FROM, _FROM.no == TierChange.from_no)
        .join(_TO, _TO.no == TierChange.to_no)
        .join(Subscriber, Subscriber.no == TierChange.subscriber_no)
        .where(TierChange.made_at >= since, *_stands(), visible(work))
        .group_by(_FROM.rank, _TO.rank),
    )
    counted = moves.all()
    return {
        tier.no: (
            sum(number for old, new, number in counted if old < tier.rank <= new),
            sum(number for old, new, number in counted if new < tier.rank <= old),
        )
        for tier in tiers
    }


async def through(work: Work, campaign_no: int) -> Through:
    """Count the moves and requests that a campaign caused."""
    up, down = _FROM.rank < _TO.rank, _FROM.rank > _TO.rank
    moved = await work.session.execute(
        select(_how_many(up), _how_many(down))
        .select_from(TierChange)
        .join(_FROM, _FROM.no == TierChange.from_no)
        .join(_TO, _TO.no == TierChange.to_no)
        .where(TierChange.campaign_no == campaign_no, *_stands()),
    )
    ups, downs = moved.one()
    requests = await work.session.scalar(
        select(func.count(TierRequest.no)).where(
            TierRequest.campaign_no == campaign_no, TierRequest.withdrawn_at.is_(None)
        ),
    )
    return Through(ups=ups, downs=downs, requests=requests or 0)


_FROM, _TO = aliased(Tier, name="left_tier"), aliased(Tier, name="reached_tier")


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _waiting() -> tuple[ColumnElement[Any], ...]:
    return TierRequest.withdrawn_at.is_(None), TierRequest.answered_at.is_(None)


def _stands() -> tuple[ColumnElement[Any], ...]:
    return TierChange.undone_at.is_(None), TierChange.source != Source.UNDO
