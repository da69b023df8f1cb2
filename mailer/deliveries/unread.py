"""Who got an alert and has not said that they read it: to be called, when an organiser says so.

Never by itself: an alert may have gone to thousands, and a queue to whose end nobody comes helps
nobody. So many at a time, those on the highest levels first.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import aliased

from mailer.activity.model import Activity
from mailer.campaigns.model import Campaign
from mailer.campaigns.reading import READ, UNREAD, note_read
from mailer.deliveries.model import FIRST_RUN, Delivery
from mailer.followups.model import CaseKind, FollowUp, Outcome
from mailer.followups.opening import open_many
from mailer.followups.settling import settle
from mailer.followups.store import are_there, is_resting
from mailer.kit.errors import Conflict
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber, visible
from mailer.tiers.model import ChosenTier, Tier

AT_ONCE = 100
WITHIN = timedelta(hours=24)
"""So long somebody has to read an alert by themselves."""


class NotAnAlert(Conflict):
    """Only alerts ask whether they were read."""


async def how_many(work: Work, campaign: Campaign) -> int:
    """Count those who got an alert a day ago or before and did not say that they read it.

    Of the people whom the actor may see; who is or was to be called about it is not counted again.
    """
    found = _unread(work, campaign).subquery()
    return await work.session.scalar(select(func.count()).select_from(found)) or 0


async def follow_up(work: Work, campaign: Campaign) -> int:
    """Open cases for the next of them, a hundred at a time; count those."""
    if not campaign.is_urgent:
        raise NotAnAlert
    people = await _next(work, campaign)
    return await open_many(work, CaseKind.ALERT, dict.fromkeys(people, campaign.no))


async def say_read(work: Work, case: FollowUp) -> FollowUp:
    """Write down that somebody says on the telephone that they read an alert, which settles it."""
    if case.kind is not CaseKind.ALERT:
        raise NotAnAlert
    settled = await settle(work, case, Outcome.REACHED)
    person = await subscribers.by_no(work, settled.subscriber_no)
    assert person is not None  # settling held them
    await note_read(work, person, settled.subject_no)
    return settled


async def _next(work: Work, campaign: Campaign) -> Sequence[int]:
    found = await work.session.scalars(
        _unread(work, campaign)
        .outerjoin(ChosenTier, ChosenTier.subscriber_no == Delivery.subscriber_no)
        .outerjoin(Tier, Tier.no == ChosenTier.tier_no)
        .order_by(func.coalesce(Tier.rank, 0).desc(), Delivery.subscriber_no)
        .limit(AT_ONCE)
    )
    return found.all()


def _unread(work: Work, campaign: Campaign) -> Select[int]:
    return (
        select(Delivery.subscriber_no)
        .join(Subscriber, Subscriber.no == Delivery.subscriber_no)
        .where(
            Delivery.campaign_no == campaign.no,
            Delivery.run == FIRST_RUN,
            Delivery.state == DeliveryState.SENT,
            Delivery.at <= work.now - WITHIN,
            ~_has_read(campaign),
            ~_was_followed(campaign),
            ~is_resting(work, Delivery.subscriber_no),
            visible(work),
            *are_there(),
        )
    )


def _has_read(campaign: Campaign) -> ColumnElement[bool]:
    """Say that the newest line about this alert says that it was read."""
    said, since = aliased(Activity), aliased(Activity)
    taken_back = exists().where(*_says(since, UNREAD, campaign), since.no > said.no)
    return exists().where(*_says(said, READ, campaign), ~taken_back)


def _says(line: type[Activity], kind: str, campaign: Campaign) -> tuple[ColumnElement[bool], ...]:
    about = line.facts["campaign"].as_integer() == campaign.no
    return line.subscriber_no == Delivery.subscriber_no, line.kind == kind, about


def _was_followed(campaign: Campaign) -> ColumnElement[bool]:
    return exists().where(
        FollowUp.kind == CaseKind.ALERT,
        FollowUp.subject_no == campaign.no,
        FollowUp.subscriber_no == Delivery.subscriber_no,
    )
