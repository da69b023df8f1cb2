"""*I have read this*: what an alert asks for, so that organisers know whom to call.

The page looks the same before and after: whether somebody said so is nobody's to whom the mail was
passed on.
"""

from typing import Any

from mailer.campaigns import reading
from mailer.campaigns import store as campaigns
from mailer.kit.tokens import LinkUnknown
from web.public.opening import Answer, Opened


async def show_alert(link: Opened) -> Answer:
    """Ask whether an alert was read. Whoever it was passed on to sees no more than that."""
    return await _page(link, said=False)


async def show_noted(link: Opened) -> Answer:
    """Thank for saying so, with a way to take it back."""
    return await _page(link, said=True, path=link.noted)


async def _page(link: Opened, *, said: bool, **more: Any) -> Answer:
    campaign = await campaigns.by_no(link.work, link.claim.subject)
    if campaign is None or not campaign.is_urgent:
        raise LinkUnknown
    return link.page(
        "public/links/read.html",
        said_so=said,
        here=link.here,
        archive=f"/n/{campaign.slug}" if campaign.in_archive else "",
        **more,
    )


async def say_read(link: Opened) -> str:
    """Say that it was read."""
    await reading.note_read(link.work, link.subscriber, link.claim.subject)
    return link.noted


async def take_back(link: Opened) -> str:
    """Say that it was not."""
    await reading.take_back(link.work, link.subscriber, link.claim.subject)
    return link.here
