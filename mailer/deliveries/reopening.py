"""Opening a campaign again, because some of it is to be sent once more."""

from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState
from mailer.kit.errors import Conflict
from mailer.kit.work import Work


class NotWhileStopped(Conflict):
    """This campaign was stopped for good. Nothing of it is sent again."""


async def hold_open(work: Work, campaign: Campaign) -> None:
    """Keep a campaign from being called sent until this unit of work has queued rows of it.

    In the moment between, its rows would be left queued in a campaign that nobody looks at.
    """
    await campaigns.lock(work, campaign.no)
    await work.session.refresh(campaign)
    if campaign.state is CampaignState.CANCELLED:
        raise NotWhileStopped


async def go_on(work: Work, campaign: Campaign, number: int) -> None:
    """Let a campaign that was done be sent on until these rows are done too."""
    if number and campaign.state is CampaignState.SENT:
        await campaigns.step(work, campaign, CampaignState.SENDING, ended_at=None)
