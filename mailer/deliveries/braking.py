"""Brakes: a campaign that too many servers turn away, or too many people complain of, stops.

The numbers say that something is wrong with the list or the message, and each further one harms the
sender's name. So the campaign is paused with the reason in words, and a person decides. Nobody is
suppressed by it.

Who lets it go on has seen the reason: from then on the brakes count afresh. They pull again if the
rest goes as badly; and who knows better raises the limit on the page “How we send”.
"""

from collections.abc import Callable
from functools import partial

import structlog
from sqlalchemy import func, literal, select, update

from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState
from mailer.campaigns.sending import NotNow
from mailer.deliveries import finishing
from mailer.deliveries.finishing import OpenWork
from mailer.deliveries.model import Delivery
from mailer.kit.i18n import _
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.relays import store as relays

log = structlog.get_logger()

_ANSWERED = (DeliveryState.SENT, DeliveryState.REFUSED)
_AFRESH = "afresh"  # beside the campaign, from the brake until it goes on


async def note_bounce(work: Work, campaign_no: int, n: int = 1) -> None:
    """Count bounces of a campaign: refusals in the conversation, and reports that come later."""
    await work.session.execute(
        update(Campaign)
        .where(Campaign.no == campaign_no)
        .values(bounces=Campaign.bounces + n)
        .execution_options(synchronize_session=False)
    )


async def note_complaint(work: Work, campaign_no: int, n: int = 1) -> None:
    """Count complaints about a campaign: people who called it spam."""
    await work.session.execute(
        update(Campaign)
        .where(Campaign.no == campaign_no)
        .values(complaints=Campaign.complaints + n)
        .execution_options(synchronize_session=False)
    )


async def check(open_work: OpenWork, campaign_no: int) -> bool:
    """Pause a campaign if its bounces or complaints have reached a brake; say whether it did.

    It costs little: rows are counted only when there are enough bounces or complaints for a brake,
    and then no more of them than would make those too few.
    """
    async with open_work(reading=True) as work:
        campaign = await campaigns.by_no(work, campaign_no)
        if campaign is None or campaign.state is not CampaignState.SENDING:
            return False
        why = None if _AFRESH in campaign.braked else await _reached(work, campaign)
    if _AFRESH in campaign.braked:
        async with open_work() as work:
            await _begin_afresh(work, campaign_no)
    if why is None:
        return False
    try:
        async with open_work() as work:
            return await _pause(work, campaign_no, why)
    except NotNow:  # another worker was faster
        return False


async def _pause(work: Work, campaign_no: int, why: Callable[[], str]) -> bool:
    campaign = await campaigns.by_no(work, campaign_no)
    if campaign is None or campaign.state is not CampaignState.SENDING:
        return False
    await finishing.pause(work, campaign_no, why)
    await _set_braked(work, campaign_no, {_AFRESH: True})
    log.warning("braked", campaign=campaign_no)
    return True


async def _reached(work: Work, campaign: Campaign) -> Callable[[], str] | None:
    rules = await relays.the_rules(work)
    before = campaign.braked
    bounces = campaign.bounces - before.get("bounces", 0)
    complaints = campaign.complaints - before.get("complaints", 0)
    for number, brake, least, why in (
        (complaints, rules.complaint_brake, rules.complaints_from, _complaints),
        (bounces, rules.bounce_brake, rules.bounces_from, _bounces),
    ):
        enough = 1000 * number // brake  # at so many messages, or fewer, the brake is reached
        if enough < least:
            continue
        answered = await _answered(work, campaign, besides=before.get("answered", 0), most=enough)
        if least <= answered <= enough:
            return partial(why, number, answered, brake)
    return None


async def _answered(
    work: Work, campaign: Campaign, *, besides: int = 0, most: int | None = None
) -> int:
    """Count the messages that servers have accepted or refused; one more than `most` is many."""
    rows = select(literal(1)).where(
        Delivery.campaign_no == campaign.no, Delivery.state.in_(_ANSWERED)
    )
    if most is not None:
        rows = rows.limit(besides + most + 1)
    counted = await work.session.scalar(select(func.count()).select_from(rows.subquery()))
    return (counted or 0) - besides


async def _begin_afresh(work: Work, campaign_no: int) -> None:
    """Count from now on; what was counted until a person let it go on is theirs to know."""
    campaign = await work.session.get_one(Campaign, campaign_no)
    await _set_braked(
        work,
        campaign_no,
        {
            "bounces": campaign.bounces,
            "complaints": campaign.complaints,
            "answered": await _answered(work, campaign),
        },
    )


async def _set_braked(work: Work, campaign_no: int, braked: dict[str, int]) -> None:
    await work.session.execute(
        update(Campaign)
        .where(Campaign.no == campaign_no)
        .values(braked=braked)
        .execution_options(synchronize_session=False)
    )


def _bounces(number: int, answered: int, brake: int) -> str:
    return _(
        "The brake stopped it: servers turned away %(number)s of %(sent)s emails; it stops at"
        " %(brake)s in a thousand. See why before it goes on; then it counts afresh."
    ) % {"number": number, "sent": answered, "brake": brake}


def _complaints(number: int, answered: int, brake: int) -> str:
    return _(
        "The brake stopped it: %(number)s of %(sent)s people called it spam; it stops at"
        " %(brake)s in a thousand. Look who gets it before it goes on; then it counts afresh."
    ) % {"number": number, "sent": answered, "brake": brake}
