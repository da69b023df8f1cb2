"""Who got an alert and has not said that they read it: to be called, when an organiser says so.

Never by itself: an alert may have gone to thousands, and a queue to whose end nobody comes helps
nobody. So many at a time, those on the highest levels first.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, exists, func, select

from mailer.campaigns import reading
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, Kind
from mailer.campaigns.reading import AlertUnknown, has_been_read, note_read
from mailer.deliveries.model import FIRST_RUN, Delivery
from mailer.followups import settling
from mailer.followups import store as followups
from mailer.followups.model import CaseKind, FollowUp, Outcome
from mailer.followups.opening import open_many
from mailer.followups.settling import settle
from mailer.followups.store import has_read, is_resting, may_be_called_unasked
from mailer.kit.errors import Conflict
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber, visible
from mailer.tiers.model import ChosenTier, Tier

AT_ONCE = 100
WITHIN = timedelta(hours=24)
"""So long somebody has to read an alert by themselves."""

REMINDS_FOR = timedelta(days=7)
"""So long we remind organisers of an alert that nobody follows up."""

COUNTED = 10_000
"""Beyond that nobody needs the number: counting stops there."""


class NotAnAlert(Conflict):
    """Only alerts ask whether they were read."""


class PutInSince(Conflict):
    """People were put into the queue since you opened this page. Please look again."""


async def ask_for_reach(work: Work, campaign: Campaign) -> None:
    """Refuse where none of those whom the actor may see has got a campaign, or it is no alert."""
    got_it = (
        select(Delivery.subscriber_no)
        .join(Subscriber, Subscriber.no == Delivery.subscriber_no)
        .where(
            Delivery.campaign_no == campaign.no,
            Delivery.run == FIRST_RUN,
            Delivery.state == DeliveryState.SENT,
            visible(work),
        )
        .limit(1)
    )
    if await work.session.scalar(got_it) is None:
        raise AlertUnknown
    if not campaign.is_urgent:
        raise NotAnAlert


async def how_many(work: Work, campaign: Campaign) -> int:
    """Count those who got an alert a day ago or before and did not say that they read it.

    Of the people whom the actor may see; who is or was to be called about it is not counted again.
    At most one more than `COUNTED`.
    """
    found = _unread(work, campaign).limit(COUNTED + 1).subquery()
    return await work.session.scalar(select(func.count()).select_from(found)) or 0


async def put_in(work: Work, campaign: Campaign) -> int:
    """Count those who were put into the queue about an alert, by anybody, until now."""
    counted = select(func.count(FollowUp.no)).where(
        FollowUp.kind == CaseKind.ALERT, FollowUp.subject_no == campaign.no
    )
    return await work.session.scalar(counted) or 0


async def follow_up(work: Work, campaign: Campaign, *, seen: int) -> int:
    """Open cases for the next of them, a hundred at a time; count those.

    `seen` is what `put_in` said when somebody decided it: the same form sent twice is once.
    """
    if not campaign.is_urgent:
        raise NotAnAlert
    if await put_in(work, campaign) != seen:
        raise PutInSince
    people = await _next(work, campaign)
    return await open_many(work, CaseKind.ALERT, dict.fromkeys(people, campaign.no))


async def unfollowed(work: Work) -> Sequence[Campaign]:
    """Give the alerts of the last week that went out a day ago or before and nobody follows up.

    Only those that somebody whom the actor may see has got and not said to have read.
    """
    followed = exists().where(FollowUp.kind == CaseKind.ALERT, FollowUp.subject_no == Campaign.no)
    sent = await work.session.scalars(
        select(Campaign)
        .where(
            Campaign.kind == Kind.ALERT,
            Campaign.started_at > work.now - REMINDS_FOR,
            Campaign.started_at <= work.now - WITHIN,
            ~followed,
        )
        .order_by(Campaign.no)
    )
    return [one for one in sent.all() if await _is_any_unread(work, one)]


async def names_of(work: Work, nos: Collection[int]) -> dict[int, str]:
    """Name alerts by their numbers."""
    return {no: one.name for no, one in (await campaigns.by_nos(work, nos)).items()}


async def count_unfollowed(work: Work) -> int:
    """Count the alerts that nobody follows up."""
    return len(await unfollowed(work))


async def _is_any_unread(work: Work, campaign: Campaign) -> bool:
    return await work.session.scalar(_unread(work, campaign).limit(1)) is not None


async def say_read(work: Work, case: FollowUp) -> FollowUp:
    """Write down that somebody says on the telephone that they read an alert, which settles it."""
    if case.kind is not CaseKind.ALERT:
        raise NotAnAlert
    is_news = not await has_been_read(work, case.subscriber_no, case.subject_no)
    settled = await settle(work, case, Outcome.REACHED, keeps={_READ: is_news})
    person = await subscribers.by_no(work, settled.subscriber_no)
    assert person is not None  # settling held them
    await note_read(work, person, settled.subject_no)
    return settled


_READ = "read"


async def take_back(work: Work, case: FollowUp, step_no: int) -> FollowUp:
    """Take back what was done last about a case, and that they have read it, if that was said."""
    step = await followups.step_by_no(work, step_no)
    is_new = step is not None and step.undone_at is None
    back = await settling.take_back(work, case, step_no)
    if step is not None and is_new and step.before.get(_READ):
        person = await subscribers.by_no(work, back.subscriber_no)
        assert person is not None  # taking back held them
        await reading.take_back(work, person, back.subject_no)
    return back


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
            ~has_read(Delivery.subscriber_no, campaign.no),
            ~_was_followed(campaign),
            ~is_resting(work, Delivery.subscriber_no),
            may_be_called_unasked(work, Delivery.subscriber_no),
            visible(work),
        )
    )


def _was_followed(campaign: Campaign) -> ColumnElement[bool]:
    return exists().where(
        FollowUp.kind == CaseKind.ALERT,
        FollowUp.subject_no == campaign.no,
        FollowUp.subscriber_no == Delivery.subscriber_no,
    )
