"""Freezing: the moment at which it is decided who gets a campaign, and counted.

Nobody is added afterwards. Whoever leaves, pauses or is taken off later is left out all the same,
in the last transaction before the body.
"""

import msgspec

from mailer.asks import choosing
from mailer.audit import actions as audit
from mailer.campaigns import asking, composing, linking, sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState
from mailer.deliveries import promising, store
from mailer.deliveries.model import Delivery, Reason
from mailer.kit import planning
from mailer.kit.errors import Conflict, Invalid
from mailer.kit.work import Work


class ListMissing(Invalid):
    """Choose the list whose people get it."""


class NobodyChosen(Invalid):
    """Nobody gets this yet. Choose some levels, or everybody on the list."""


class AlreadyBegun(Conflict):
    """It has begun: somebody may have it already. It can be paused or stopped, not taken back."""


async def review(work: Work, campaign: Campaign, *, base: str) -> Campaign:
    """Compile a draft, prove it, and freeze who gets it: afterwards `recipients` is exact.

    Refuses words that cannot be sent and an audience of nobody, and leaves the draft as it was.
    An audience that turns out to be empty is frozen as the number 0, which cannot be confirmed.
    """
    await campaigns.hold(work, campaign)  # so that nothing is saved while this is being proven
    if campaign.state is not CampaignState.DRAFT:
        raise sending.NotNow
    if campaign.list_no is None:
        raise ListMissing(field="list")
    if not (campaign.to_everybody or campaign.tier_nos or campaign.segment_no):
        raise NobodyChosen(field="tier")
    chosen = await store.chosen(work, campaign)
    await promising.ask_for_alert(work, campaign)
    revision = await campaigns.newest_revision(work, campaign)
    if revision is not None:
        await linking.ask_for_answers(work, campaign, revision.document, now=True)
    offered = await asking.asked(work, campaign)
    program = await composing.program(work, campaign, base=base, revision=revision, offered=offered)
    asked = await asking.blocks_of(work, offered, tuple(program.programs))
    await _step(work, campaign, CampaignState.IN_REVIEW)
    await _step(work, campaign, CampaignState.FREEZING)
    await store.drop_rows(work, campaign)  # of a draft, if it was called off without us
    await choosing.forget(work, campaign.no)
    recipients = await store.freeze(work, campaign, chosen)
    left_out = await store.left_out(work, campaign, chosen)
    if often_enough := await promising.leave_out(work, campaign):
        recipients -= often_enough
        left_out[Reason.OFTEN_ENOUGH.value] = often_enough
    if offered:
        await planning.count_afresh(work, Delivery)  # its rows are joined with what people answered
    if campaign.best_ask:
        await choosing.choose(work, campaign.no, store.recipients(campaign), offered)
    elif offered:
        await choosing.offer(work, campaign.no, store.recipients(campaign), offered[0])
    await _step(
        work,
        campaign,
        CampaignState.FROZEN,
        recipients=recipients,
        left_out=left_out,
        frozen_at=work.now,
        segment_version=chosen.segment_version,
        asked=msgspec.to_builtins(asked),
    )
    await audit.note(work, "campaign_frozen", campaign=campaign.no, recipients=recipients)
    return campaign


async def _step(work: Work, campaign: Campaign, wanted: CampaignState, **changes: object) -> None:
    if not await campaigns.step(work, campaign, wanted, **changes):
        raise sending.NotNow


async def unfreeze(work: Work, campaign: Campaign) -> Campaign:
    """Bring a frozen or scheduled campaign back to draft: its rows go, and nothing has left."""
    await sending.call_off(work, campaign)
    if await store.anything_begun(work, campaign):
        raise AlreadyBegun
    await store.drop_rows(work, campaign)
    await choosing.forget(work, campaign.no)
    return campaign
