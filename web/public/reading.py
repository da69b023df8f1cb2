"""*I have read this*: what an alert asks for, so that organisers know whom to call."""

from mailer.campaigns import reading
from mailer.campaigns import store as campaigns
from mailer.kit.tokens import LinkUnknown
from web.public.opening import Answer, Opened


async def show_alert(link: Opened) -> Answer:
    """Ask whether an alert was read; say that it was, where they have said so."""
    campaign = await campaigns.by_no(link.work, link.claim.subject)
    if campaign is None or not campaign.is_urgent:
        raise LinkUnknown
    return link.page(
        "public/links/read.html",
        has_read=await reading.has_been_read(link.work, link.subscriber.no, campaign.no),
        archive=f"/n/{campaign.slug}" if campaign.in_archive else "",
    )


async def say_read(link: Opened) -> str:
    """Say that it was read."""
    await reading.note_read(link.work, link.subscriber, link.claim.subject)
    return link.here


async def take_back(link: Opened) -> str:
    """Say that it was not."""
    await reading.take_back(link.work, link.subscriber, link.claim.subject)
    return link.here
