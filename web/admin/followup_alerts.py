"""Calling those who have not read an alert: how many they are, and one button to begin."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.campaigns.model import Campaign
from mailer.deliveries import unread
from mailer.kit.i18n import _, ngettext
from mailer.kit.work import Work
from web.admin.campaigns import Working, at, campaign_at
from web.admin.followup_places import HERE, place_of
from web.admin.followups import case_of
from web.admin.telling import number
from web.kit.forms import attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked


@get("/campaigns/{uid:str}/unread", opt=gated(Power.CHANGE_PEOPLE))
async def show_unread(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Say how many have not read an alert, and ask whether they are to be called."""
    campaign = await _alert_at(work, uid)
    count = await unread.how_many(work, campaign)
    told = ngettext(
        "One person got it more than a day ago and has not said that they read it.",
        "%(count)s people got it more than a day ago and have not said that they read it.",
        count,
    )
    more = _("More than %(count)s people got it more than a day ago and have not said so.")
    if count > unread.COUNTED:
        told = more % {"count": number(unread.COUNTED)}
    elif count:
        told = told % {"count": number(count)}
    else:
        told = _("Nobody is left to be called.")
    return page(
        request,
        "admin/followups/unread.html",
        name=campaign.name,
        here=at(campaign, "/unread"),
        back=at(campaign),
        count=count,
        told=told,
        seen=await unread.put_in(work, campaign),
        at_once=min(count, unread.AT_ONCE),
        is_more=count > unread.AT_ONCE,
    )


@post("/campaigns/{uid:str}/unread", opt=gated(Power.CHANGE_PEOPLE))
async def follow_up(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Let the next of them wait in the queue."""
    campaign = await _alert_at(work, uid)
    form = await read_form(request)
    if form.raw("do") != "call":
        return redirect(at(campaign, "/unread"), notice=_("Nothing has changed."), kind="info")
    count = 0
    async with attempt(work) as tried:
        count = await unread.follow_up(work, campaign, seen=form.whole("seen") or 0)
    if tried.refusal:
        return redirect(at(campaign, "/unread"), notice=tried.words, kind="warn")
    told = ngettext("One person waits to be called.", "%(count)s people wait to be called.", count)
    return redirect(HERE, notice=told % {"count": number(count)})


@post("/followups/{uid:str}/reading", opt=gated(Power.CHANGE_PEOPLE))
async def say_read(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Write down that somebody says on the telephone that they have read it."""
    case, _person = await case_of(work, uid)
    form = await read_form(request)
    place = place_of(form.values)
    if form.raw("read") != "yes":
        return redirect(place.case(case), notice=_("Nothing has changed."), kind="info")
    async with attempt(work) as tried:
        await unread.say_read(work, case)
    if tried.refusal:
        return redirect(place.case(case), notice=tried.words, kind="warn")
    return redirect(place.queue(done=case.uid), notice=_("Noted: they have read it."))


async def _alert_at(work: Work, uid: str) -> Campaign:
    campaign = await campaign_at(work, uid)
    await unread.ask_for_reach(work, campaign)
    return campaign


HANDLERS = [show_unread, follow_up, say_read]
