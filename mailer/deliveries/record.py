"""What a timeline says of the campaigns that somebody was sent, and of alerts that they read."""

from datetime import datetime

from sqlalchemy import and_, or_, select, update

from mailer.activity.model import Entry
from mailer.activity.record import entry_of, lines
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign
from mailer.campaigns.reading import READ, UNREAD
from mailer.deliveries import fates
from mailer.deliveries.model import FIRST_RUN, Delivery, Reason, last_word
from mailer.kit.i18n import N_, _
from mailer.kit.known import Part
from mailer.kit.orm import Facts
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


_SAID = {
    READ: N_("Said that they have read “%(campaign)s”"),
    UNREAD: N_("Took back that they have read “%(campaign)s”"),
}


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell what became of each message, from the ledger's own rows, and what they said of it."""
    found = await fates.of_subscriber(work, subscriber_no)
    return [
        *[
            _told(delivery, campaign, delivery.at)
            for delivery, campaign in found
            if delivery.at is not None and DeliveryState(delivery.state) in _WORDS
        ],
        *await _said(work, subscriber_no),
    ]


async def _said(work: Work, subscriber_no: int) -> list[Entry]:
    said = await lines(work, subscriber_no, tuple(_SAID))
    named = await campaigns.by_nos(work, {line.facts["campaign"] for line in said})
    return [
        entry_of(
            line, {"words": _(_SAID[line.kind]) % {"campaign": named[line.facts["campaign"]].name}}
        )
        for line in said
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


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give what became of each campaign that somebody was to get."""
    found = await work.session.execute(
        select(Delivery, Campaign)
        .join(Campaign, Campaign.no == Delivery.campaign_no)
        .where(Delivery.run == FIRST_RUN, Delivery.subscriber_no == subscriber_no)
        .order_by(Campaign.no)
    )
    return [
        Part(
            name="campaigns",
            table="delivery",
            words=_("Newsletters and alerts to you"),
            rows=[
                {
                    "campaign": campaign.name,
                    "state": DeliveryState(delivery.state).name.lower(),
                    "at": delivery.at,
                    "due_at": delivery.due_at,
                    "tries": delivery.attempt,
                    "code": delivery.code,
                    "reply": delivery.reply,
                }
                for delivery, campaign in found
            ],
        )
    ]


async def forget(work: Work, subscriber_no: int) -> None:
    """Keep the rows of somebody, which name nobody any more, without the words of servers.

    A server may repeat an address. The states stand: a campaign still sums to the number frozen,
    and what waits is skipped by the engine in the last transaction before the body.
    """
    await work.session.execute(
        update(Delivery)
        .where(
            Delivery.campaign_no.in_(select(Campaign.no)),  # the campaign leads the key
            Delivery.run == FIRST_RUN,
            Delivery.subscriber_no == subscriber_no,
            Delivery.reply.not_in([reason.value for reason in Reason]),
        )
        .values(reply=None)
        .execution_options(synchronize_session=False)
    )


_SETTLED = (
    DeliveryState.SENT,
    DeliveryState.REFUSED,
    DeliveryState.FAILED,
    DeliveryState.IN_DOUBT,
    DeliveryState.SKIPPED,
)


async def repoint(work: Work, from_no: int, to_no: int) -> Facts:
    """Count what was sent to one person as sent to another, where that one has no row of their own.

    What still waits is left: it will be skipped, for its person is no longer on the roll.
    """
    theirs = (
        select(Delivery.campaign_no, Delivery.run).where(Delivery.subscriber_no == to_no).distinct()
    )
    stands = {tuple(row) for row in await work.session.execute(theirs)}
    had = await work.session.execute(
        select(Delivery.campaign_no, Delivery.run).where(
            Delivery.subscriber_no == from_no, Delivery.state.in_(_SETTLED)
        )
    )
    moved = [[campaign, run] for campaign, run in had if (campaign, run) not in stands]
    await _count_for(work, moved, from_no, to_no)
    return {"deliveries": moved}


async def restore(work: Work, from_no: int, to_no: int, moved: Facts) -> None:
    """Take a `repoint` back."""
    await _count_for(work, moved["deliveries"], to_no, from_no)


async def _count_for(work: Work, keys: list[list[int]], from_no: int, to_no: int) -> None:
    if not keys:
        return
    these = [and_(Delivery.campaign_no == campaign, Delivery.run == run) for campaign, run in keys]
    await work.session.execute(
        update(Delivery)
        .where(Delivery.subscriber_no == from_no, or_(*these))
        .values(subscriber_no=to_no)
        .execution_options(synchronize_session=False)
    )
