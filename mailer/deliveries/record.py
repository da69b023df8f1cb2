"""What a timeline says of the campaigns that somebody was sent."""

from datetime import datetime

from mailer.activity.model import Entry
from mailer.campaigns.model import Campaign
from mailer.deliveries import fates
from mailer.deliveries.model import Delivery, last_word
from mailer.kit.i18n import N_, _
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState

_WORDS = {
    DeliveryState.SENT: N_("Was sent “%(campaign)s”"),
    DeliveryState.DEFERRED: N_("Could not be sent “%(campaign)s” yet"),
    DeliveryState.REFUSED: N_("Their mail server refused “%(campaign)s”"),
    DeliveryState.FAILED: N_("Was not sent “%(campaign)s”: we gave up"),
    DeliveryState.IN_DOUBT: N_("May have been sent “%(campaign)s”: we can’t tell"),
    DeliveryState.SKIPPED: N_("Was left out of “%(campaign)s”"),
}


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell what became of each message, from the ledger's own rows, newest first."""
    found = await fates.of_subscriber(work, subscriber_no)
    return [
        _told(delivery, campaign, delivery.at)
        for delivery, campaign in found
        if delivery.at is not None and DeliveryState(delivery.state) in _WORDS
    ]


def _told(delivery: Delivery, campaign: Campaign, at: datetime) -> Entry:
    state = DeliveryState(delivery.state)
    return Entry(
        at=at,
        kind=f"delivery_{state.name.lower()}",
        words=_(_WORDS[state]) % {"campaign": campaign.name},
        details=_("Accepted by their mail server.")
        if state is DeliveryState.SENT
        else last_word(delivery.reply),
    )
