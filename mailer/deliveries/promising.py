"""The promise of how often we write, kept: whoever has had as many as promised is left out.

A level promises so many newsletters in so many days, and somebody may ask for fewer than that: both
are kept, so that the fewer emails win. Who gets a newsletter is decided when it is
frozen, and looked at again as each mail is written: somebody may have stepped down since, or two
campaigns were confirmed side by side. Alerts are not counted and not held back, and a correction
belongs to the newsletter that it mends.

Where too few other newsletters fall into the days of every promise, nothing is asked: that is the
usual case, and costs nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, union
from sqlalchemy.sql.selectable import CompoundSelect

from mailer.campaigns import composing
from mailer.campaigns.model import Campaign, CampaignState, Kind
from mailer.consent import store as consent
from mailer.consent.model import AtMost, Pace
from mailer.deliveries.model import FIRST_RUN, Delivery
from mailer.kit.errors import Conflict
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.tiers import store as tiers
from mailer.tiers.model import ChosenTier

ALERTS_A_YEAR = 4
_YEAR = timedelta(days=365)


class AlertsSpent(Conflict):
    """Four alerts a year are promised, and four have gone. Write a newsletter instead."""


_UNDER_WAY = (
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.SENDING,
    DeliveryState.DEFERRED,
    DeliveryState.IN_DOUBT,
)
_WITH_THEM = (DeliveryState.SENDING, DeliveryState.IN_DOUBT)


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """So many mails in so many days: to those of a tier, or to those who asked for a pace."""

    tier_no: int | None = None
    chosen_before: datetime | None = None  # to those who chose the tier before; None: to all
    pace: Pace | None = None
    mails: int
    days: int


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What a campaign might break: so many of the others have gone, or go, in the days of it."""

    given: Given
    since: datetime
    others: tuple[int, ...]


async def at_stake(work: Work, campaign: Campaign) -> list[Promise]:
    """Give the promises that this campaign might break."""
    if campaign.kind is not Kind.NEWSLETTER or campaign.corrects_no is not None:
        return []
    promised = await _given(work)
    others = await _others(work, campaign, max((one.days for one in promised), default=0))
    found = []
    for given in promised:
        days = timedelta(days=given.days)
        since, until = work.now - days, work.now + days
        near = tuple(
            one.no
            for one in others
            if (one.ended_at is None or one.ended_at > since)
            and (one.send_at is None or one.send_at < until)
        )
        if len(near) >= given.mails:
            found.append(Promise(given=given, since=since, others=near))
    return found


async def _given(work: Work) -> list[Given]:
    """Give all that was promised to anybody."""
    return [
        *[
            Given(tier_no=one.no, mails=one.most_mails, days=one.most_in_days)
            for one in await tiers.ladder(work)
        ],
        *[
            Given(
                tier_no=one.tier_no,
                chosen_before=one.until,
                mails=one.most_mails,
                days=one.most_in_days,
            )
            for one in await tiers.promises(work)
        ],
        *[Given(pace=pace, mails=1, days=pace.days) for pace in await consent.paces(work)],
    ]


async def _others(work: Work, campaign: Campaign, days: int) -> Sequence[Campaign]:
    """Give the other newsletters that were confirmed, and were not over before so many days."""
    since = work.now - timedelta(days=days)
    found = await work.session.scalars(
        select(Campaign)
        .where(
            Campaign.no != campaign.no,
            Campaign.kind == Kind.NEWSLETTER,
            Campaign.corrects_no.is_(None),
            or_(Campaign.started_at.is_not(None), Campaign.state == CampaignState.SCHEDULED),
            or_(Campaign.ended_at.is_(None), Campaign.ended_at > since),
        )
        .order_by(Campaign.no)
    )
    return found.all()


async def ask_for_alert(work: Work, campaign: Campaign) -> None:
    """Refuse an alert without a reason, and the fifth in a year. A correction is none."""
    if campaign.kind is not Kind.ALERT or campaign.corrects_no is not None:
        return
    if not campaign.why_urgent:
        raise composing.AlertUnexplained(field="why_urgent")
    if await _alerts(work, campaign, since=work.now - _YEAR) >= ALERTS_A_YEAR:
        raise AlertsSpent


async def _alerts(work: Work, campaign: Campaign, *, since: datetime) -> int:
    """Count the other alerts that were confirmed and have gone since, or will go."""
    counted = select(func.count()).where(
        Campaign.no != campaign.no,
        Campaign.kind == Kind.ALERT,
        Campaign.corrects_no.is_(None),
        or_(Campaign.started_at > since, Campaign.state == CampaignState.SCHEDULED),
    )
    return await work.session.scalar(counted) or 0


async def leave_out(work: Work, campaign: Campaign) -> int:
    """Take those out of a campaign that is just frozen who have, or will have, had enough; count.

    One pass over the rows of the other campaigns, and none where no promise is at stake.
    """
    promises = await at_stake(work, campaign)
    if not promises:
        return 0
    gone = await work.session.execute(
        delete(Delivery).where(
            Delivery.campaign_no == campaign.no,
            Delivery.run == FIRST_RUN,
            Delivery.subscriber_no.in_(_reached(promises, _UNDER_WAY)),
        ),
        execution_options={"preserve_rowcount": True, "synchronize_session": False},
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]  # a CursorResult


async def had_enough_by_now(
    work: Work, promises: Sequence[Promise], numbers: Collection[int]
) -> set[int]:
    """Give those of these people to whom a promise would be broken by what they have already."""
    if not promises:
        return set()
    found = await work.session.scalars(
        _reached(promises, _WITH_THEM, Delivery.subscriber_no.in_(numbers))
    )
    return set(found)


def _reached(
    promises: Sequence[Promise],
    states: Collection[DeliveryState],
    *conditions: ColumnElement[bool],
) -> CompoundSelect[int]:
    """Name those who have had as many as any of these promises: one pass for each sort of them."""
    of_tiers = [one for one in promises if one.given.pace is None]
    of_paces = [one for one in promises if one.given.pace is not None]
    return union(
        *[
            _had_enough(some, states, whose, *conditions)
            for some, whose in ((of_tiers, ChosenTier), (of_paces, AtMost))
            if some
        ]
    )


def _had_enough(
    promises: Sequence[Promise],
    states: Collection[DeliveryState],
    whose: type[ChosenTier | AtMost],
    *conditions: ColumnElement[bool],
) -> Select[int]:
    """Count what people have had, of those to whom one of these promises was given."""
    others = {no for one in promises for no in one.others}
    return (
        select(Delivery.subscriber_no)
        .join(whose, whose.subscriber_no == Delivery.subscriber_no)
        .where(
            Delivery.campaign_no.in_(others),
            Delivery.run == FIRST_RUN,
            Delivery.state.in_({*states, DeliveryState.SENT}),
            or_(*[_is_given(one.given) for one in promises]),
            *conditions,
        )
        .group_by(Delivery.subscriber_no, *_said_in(whose))
        .having(or_(*[_is_reached(one, states) for one in promises]))
    )


def _said_in(whose: type[ChosenTier | AtMost]) -> list[ColumnElement[Any]]:
    """Give the columns that say what was promised: one row of them each."""
    said = [ChosenTier.tier_no, ChosenTier.since] if whose is ChosenTier else [AtMost.pace]
    return [column.expression for column in said]


def _is_given(given: Given) -> ColumnElement[bool]:
    """Say whether somebody was given it."""
    if given.pace is not None:
        return AtMost.pace == given.pace
    if given.chosen_before is None:
        return ChosenTier.tier_no == given.tier_no
    return and_(ChosenTier.tier_no == given.tier_no, ChosenTier.since < given.chosen_before)


def _is_reached(promise: Promise, states: Collection[DeliveryState]) -> ColumnElement[bool]:
    counts = and_(
        Delivery.campaign_no.in_(promise.others),
        or_(Delivery.state.in_(states), Delivery.at > promise.since),
    )
    return and_(_is_given(promise.given), func.count().filter(counts) >= promise.given.mails)
