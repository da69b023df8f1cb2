"""Sending: a campaign is called off, paused, let go on, released, or stopped for good."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from mailer.accounts.model import Power
from mailer.campaigns import sending
from mailer.campaigns.model import Campaign, CampaignState
from mailer.deliveries import freezing
from mailer.deliveries import store as deliveries
from mailer.kit.i18n import _, ngettext
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from web.admin.campaigns import Working, at, campaign_at
from web.admin.telling import number
from web.kit.forms import attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked, visit_of


@post("/campaigns/{uid:str}/call-off", opt=gated(Power.SEND))
async def call_off(work: Working, uid: FromPath[str]) -> Response[Any]:
    """Undo the confirmation: a draft again, and nothing has left."""
    campaign = await campaign_at(work, uid)
    return await _done(
        work,
        campaign,
        lambda: freezing.unfreeze(work, campaign),
        _("Called off. It is a draft again, and nothing has left."),
    )


@post("/campaigns/{uid:str}/pause", opt=gated(Power.SEND))
async def pause(work: Working, uid: FromPath[str]) -> Response[Any]:
    """Hold back those who wait."""
    campaign = await campaign_at(work, uid)
    return await _done(
        work,
        campaign,
        lambda: sending.pause(work, campaign),
        _("Paused. What is being handed over at this moment still arrives."),
    )


@post("/campaigns/{uid:str}/resume", opt=gated(Power.SEND))
async def resume(work: Working, uid: FromPath[str]) -> Response[Any]:
    """Go on with those who wait."""
    campaign = await campaign_at(work, uid)
    return await _done(work, campaign, lambda: sending.resume(work, campaign), _("It goes on."))


@post("/campaigns/{uid:str}/release", opt=gated(Power.SEND))
async def release(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Let a held campaign go; if it had not begun, there is time to undo again."""
    campaign = await campaign_at(work, uid)
    undo_seconds = visit_of(request).house.settings.undo_seconds
    return await _done(
        work,
        campaign,
        lambda: sending.release(work, campaign, undo_seconds=undo_seconds),
        _("Released."),
    )


@get("/campaigns/{uid:str}/cancel", opt=gated(Power.SEND))
async def ask_to_cancel(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Say what stopping for good would do, and ask."""
    campaign = await campaign_at(work, uid)
    if not campaign.may_become(CampaignState.CANCELLED):
        return redirect(at(campaign))
    progress = await deliveries.progress(work, campaign)
    gone = progress.of(DeliveryState.SENT, DeliveryState.REFUSED, DeliveryState.IN_DOUBT)
    return page(
        request,
        "admin/campaigns/stop.html",
        campaign=campaign,
        effects=[
            ngettext(
                "One person who waits will never get it.",
                "%(count)s people who wait will never get it.",
                progress.waiting,
            )
            % {"count": number(progress.waiting)},
            ngettext(
                "To one person it has been handed over; that cannot be taken back.",
                "To %(count)s people it has been handed over; that cannot be taken back.",
                gone,
            )
            % {"count": number(gone)},
            _("It cannot be taken up again. If you are not sure, pause it instead."),
        ],
    )


@post("/campaigns/{uid:str}/cancel", opt=gated(Power.SEND))
async def cancel(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Stop for good, if that is the answer."""
    campaign = await campaign_at(work, uid)
    if (await read_form(request)).raw("answer") != "yes":
        return redirect(at(campaign), notice=_("Nothing has changed."), kind="info")
    return await _done(
        work,
        campaign,
        lambda: sending.cancel(work, campaign),
        _("Stopped for good. Those who waited will not get it."),
    )


async def _done(
    work: Work, campaign: Campaign, verb: Callable[[], Awaitable[object]], notice: str
) -> Response[Any]:
    """Do it, and lead back to the campaign, which says what was done or why it was not.

    Somebody else or the worker may have been faster; then the page shows what is so now.
    """
    async with attempt(work) as tried:
        await verb()
    if tried.refusal:
        return redirect(at(campaign), notice=tried.words, kind="warn")
    return redirect(at(campaign), notice=notice)


HANDLERS = [call_off, pause, resume, release, ask_to_cancel, cancel]
