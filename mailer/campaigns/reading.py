"""*I have read this*: people say so of an alert, and can take it back.

Opens are not collected. This is what somebody declares, so that organisers can call those of whom
they do not know.
"""

from mailer.activity import actions as activity
from mailer.activity import store as lines
from mailer.campaigns import store
from mailer.campaigns.model import Campaign
from mailer.kit.errors import NotFound
from mailer.kit.work import Work
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber

READ, UNREAD = "read", "read_taken_back"
"""Lines of a timeline; the newer one about a campaign counts."""


class AlertUnknown(NotFound):
    """There is no such alert."""


async def note_read(work: Work, subscriber: Subscriber, campaign_no: int) -> None:
    """Note that somebody has read an alert. Saying so twice is saying so once."""
    await _say(work, subscriber, campaign_no, has_read=True)


async def take_back(work: Work, subscriber: Subscriber, campaign_no: int) -> None:
    """Take it back, if it was said."""
    await _say(work, subscriber, campaign_no, has_read=False)


async def _say(work: Work, subscriber: Subscriber, campaign_no: int, *, has_read: bool) -> None:
    subscriber = await held(work, subscriber)
    campaign = await _alert(work, campaign_no)
    if await has_been_read(work, subscriber.no, campaign.no) is has_read:
        return
    await activity.record(work, subscriber.no, READ if has_read else UNREAD, campaign=campaign.no)
    await store.count_reader(work, campaign, by=1 if has_read else -1)


async def _alert(work: Work, no: int) -> Campaign:
    campaign = await store.by_no(work, no)
    if campaign is None or not campaign.is_urgent:
        raise AlertUnknown
    return campaign


async def has_been_read(work: Work, subscriber_no: int, campaign_no: int) -> bool:
    """Say whether somebody has said that they read an alert. The caller asked whether they may."""
    said = await lines.lines_of(work, subscriber_no, kinds=(READ, UNREAD))
    newest = next((one for one in said if one.facts["campaign"] == campaign_no), None)
    return newest is not None and newest.kind == READ
