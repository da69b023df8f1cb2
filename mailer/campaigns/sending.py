"""Sending: when a campaign goes, and how it is stopped.

Each step is taken only from the state that the organiser saw; if a worker or somebody else was
faster, it is refused and nothing has changed.
"""

import re
from datetime import datetime, timedelta

from mailer.asks import choosing
from mailer.audit import actions as audit
from mailer.campaigns import store
from mailer.campaigns.model import Campaign, CampaignState
from mailer.kit.errors import Conflict, Invalid
from mailer.kit.i18n import _
from mailer.kit.work import Work

TOO_LATE = timedelta(hours=1)
"""A scheduled time that has passed by more than this is asked about, not acted upon."""


class NotNow(Conflict):
    """That cannot be done in the state this campaign is in now. Please look at it again."""


class CountWrong(Invalid):
    """That is not the number of people who get it. Type the exact number, %(recipients)s."""


class NobodyLeft(Conflict):
    """Nobody is left to get this campaign. Bring it back to draft and look at who gets it."""


class TimePassed(Invalid):
    """This time has passed. Choose one that is still to come."""


async def schedule(
    work: Work,
    campaign: Campaign,
    *,
    typed: str,
    undo_seconds: int,
    send_at: datetime | None = None,
) -> Campaign:
    """Confirm a frozen campaign by typing the number of its people.

    Nothing leaves before the time to call it off is over, whatever hour was chosen.
    """
    if campaign.state is not CampaignState.FROZEN:
        raise NotNow
    if not campaign.recipients:
        raise NobodyLeft
    if _digits(typed) != str(campaign.recipients):
        raise CountWrong(field="count", recipients=campaign.recipients)
    if send_at is not None and send_at < work.now:
        raise TimePassed(field="send_at")
    earliest = work.now + timedelta(seconds=undo_seconds)
    begins = max(send_at or earliest, earliest)
    await _step(
        work,
        campaign,
        CampaignState.SCHEDULED,
        "campaign_confirmed",
        send_at=begins,
        confirmed_at=work.now,
        confirmed_by=work.account,
        reason="",
    )
    return campaign


def _digits(typed: str) -> str:
    """Read a number as people write it: 4,906 or 4.906 or 4 906."""
    return re.sub(r"[\s,.’']", "", typed)


async def call_off(work: Work, campaign: Campaign) -> Campaign:
    """Bring a frozen or scheduled campaign back to draft. Its rows go by `deliveries.unfreeze`."""
    if campaign.state not in {CampaignState.FROZEN, CampaignState.SCHEDULED}:
        raise NotNow
    await _step(
        work,
        campaign,
        CampaignState.DRAFT,
        "campaign_called_off",
        frozen_at=None,
        recipients=None,
        left_out={},
        send_at=None,
        confirmed_at=None,
        confirmed_by=None,
        reason="",
    )
    return campaign


async def pause(work: Work, campaign: Campaign, *, reason: str = "") -> Campaign:
    """Stop for now: what is in its body is finished, nobody else is written to."""
    await _step(work, campaign, CampaignState.PAUSED, "campaign_paused", reason=_short(reason))
    return campaign


async def resume(work: Work, campaign: Campaign) -> Campaign:
    """Go on with those who have not had it."""
    if campaign.state is not CampaignState.PAUSED:
        raise NotNow
    await _step(work, campaign, CampaignState.SENDING, "campaign_resumed", reason="")
    return campaign


async def cancel(work: Work, campaign: Campaign) -> Campaign:
    """Stop for good. The worker turns the rows that are left into `skipped`, a few at a time.

    Nobody was offered what never began to leave; of what did, the sweeping takes back the rest.
    """
    never_begun = campaign.started_at is None
    await _step(
        work,
        campaign,
        CampaignState.CANCELLED,
        "campaign_cancelled",
        reason="",
        **({"ended_at": work.now} if never_begun and not campaign.recipients else {}),
    )
    if never_begun:
        await choosing.forget(work, campaign.no)
    return campaign


async def hold(work: Work, campaign: Campaign, *, reason: str) -> Campaign:
    """Keep it from sending until a person releases it, and say why."""
    await _step(work, campaign, CampaignState.HELD, "campaign_held", reason=_short(reason))
    return campaign


async def release(work: Work, campaign: Campaign, *, undo_seconds: int = 0) -> Campaign:
    """Let a held campaign go: on, if it had begun, else after the time to call it off."""
    if campaign.state is not CampaignState.HELD:
        raise NotNow
    if campaign.started_at is not None:
        await _step(work, campaign, CampaignState.SENDING, "campaign_released", reason="")
        return campaign
    await _step(
        work,
        campaign,
        CampaignState.SCHEDULED,
        "campaign_released",
        reason="",
        send_at=work.now + timedelta(seconds=undo_seconds),
    )
    return campaign


async def start_due(work: Work) -> list[Campaign]:
    """Begin the campaigns whose time has come; hold those whose time passed long ago.

    After a night without a worker nobody wants this morning's mail at noon unasked.
    """
    begun = []
    for campaign in await store.due(work):
        if campaign.send_at is not None and work.now - campaign.send_at > TOO_LATE:
            await hold(
                work,
                campaign,
                reason=_("Its time passed while nothing was running. Release it if it still fits."),
            )
        elif await store.step(
            work, campaign, CampaignState.SENDING, started_at=work.now, reason=""
        ):
            begun.append(campaign)
    return begun


async def _step(
    work: Work, campaign: Campaign, wanted: CampaignState, act: str, **changes: object
) -> None:
    if not campaign.may_become(wanted):
        raise NotNow
    if not await store.step(work, campaign, wanted, **changes):
        raise NotNow
    await audit.note(work, act, campaign=campaign.no, recipients=campaign.recipients)


def _short(reason: str) -> str:
    return " ".join(reason.split())[:300]
