"""Doubt: what a person decides where no server will tell.

The line broke after the message was handed over and before its answer. Most such messages have
arrived. Sent again, they carry the same Message-ID, so that many servers drop the second.
"""

from collections.abc import Sequence

from mailer.audit import actions as audit
from mailer.campaigns.model import Campaign
from mailer.deliveries import fates
from mailer.deliveries.model import Reason
from mailer.deliveries.reopening import go_on, hold_open
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState


async def send_again(
    work: Work, campaign: Campaign, subscriber_nos: Sequence[int] | None = None
) -> int:
    """Queue messages in doubt again, some or (None) all of them; give their number.

    People who have left since are found out by the mark before the body, as everybody is. A
    campaign that was done goes on until these are done too.
    """
    await hold_open(work, campaign)
    number = await fates.decide(
        work, campaign, subscriber_nos, state=DeliveryState.QUEUED, due_at=None, worker=None
    )
    await go_on(work, campaign, number)
    await audit.note(work, "doubt_sent_again", campaign=campaign.no, count=number)
    return number


async def dismiss(
    work: Work, campaign: Campaign, subscriber_nos: Sequence[int] | None = None
) -> int:
    """Leave messages in doubt as they are, some or (None) all of them; give their number."""
    number = await fates.decide(
        work,
        campaign,
        subscriber_nos,
        state=DeliveryState.FAILED,
        reply=Reason.LEFT_IN_DOUBT.value,
    )
    await audit.note(work, "doubt_left", campaign=campaign.no, count=number)
    return number
