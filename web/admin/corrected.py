"""What is said of the campaign that a correction corrects, wherever the correction is shown."""

from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState
from mailer.deliveries import store as deliveries
from mailer.kit.i18n import _, ngettext
from mailer.kit.work import Work
from web.admin.telling import number

GOING_ON = {CampaignState.SENDING, CampaignState.PAUSED, CampaignState.HELD}


async def first_of(work: Work, correction: Campaign) -> Campaign | None:
    """Give what a correction corrects; None if it is none."""
    if correction.corrects_no is None:
        return None
    return await campaigns.by_no(work, correction.corrects_no)


async def still_going(work: Work, first: Campaign | None) -> str:
    """Say who gets the first later than its correction is counted; empty when it is over."""
    if first is None or first.state not in GOING_ON:
        return ""
    waiting = (await deliveries.progress(work, first)).waiting
    if not waiting:
        return ""
    waits = ngettext(
        "One person still waits for it.", "%(count)s people still wait for it.", waiting
    ) % {"count": number(waiting)}
    misses = _(
        "Whoever gets it after the correction was counted does not get the correction. Stop it"
        " first if nobody else should get it."
    )
    return f"{waits} {misses}"
