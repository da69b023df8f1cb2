"""Trying again: what was given up, or refused, is begun anew because a person says so.

A mailbox that was full for five days has been emptied; an address was refused by a slip of its
server. The row is queued again under the same Message-ID, and its five days begin anew. Who has
left or was taken off since is left out by the mark before the body, as everybody is.
"""

from collections.abc import Sequence

from mailer.audit import actions as audit
from mailer.campaigns.model import Campaign
from mailer.deliveries import fates
from mailer.deliveries.reopening import go_on, hold_open
from mailer.kit.work import Work


async def try_failed(
    work: Work, campaign: Campaign, subscriber_nos: Sequence[int] | None = None
) -> int:
    """Queue again what was given up, for some or (None) for all; give their number.

    "All" are those whose five days are over. A doubt that somebody decided to leave is tried again
    by name only: most of those have arrived.
    """
    await hold_open(work, campaign)
    number = await fates.begin_anew(
        work, campaign, subscriber_nos, fates.is_failed(or_left_in_doubt=subscriber_nos is not None)
    )
    await go_on(work, campaign, number)
    await audit.note(work, "failed_tried_again", campaign=campaign.no, count=number)
    return number


async def try_refused(
    work: Work, campaign: Campaign, subscriber_nos: Sequence[int] | None = None
) -> int:
    """Queue again what servers refused for good, for some or (None) for all; give their number."""
    await hold_open(work, campaign)
    number = await fates.begin_anew(work, campaign, subscriber_nos, fates.is_refused())
    await go_on(work, campaign, number)
    await audit.note(work, "refused_tried_again", campaign=campaign.no, count=number)
    return number
