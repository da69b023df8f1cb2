"""Requests: people who asked for a level that somebody has to agree to."""

from collections.abc import Callable, Sequence
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.asks import store as asks
from mailer.campaigns import store as campaigns
from mailer.groups import store as groups
from mailer.kit.errors import NotFound
from mailer.kit.i18n import _, in_language, ngettext
from mailer.kit.work import Work
from mailer.tiers import actions as tiers
from mailer.tiers import store
from mailer.tiers.model import ANSWER_WITHIN, UNDO_FOR, TierRequest, TierSuggestion
from web.admin.campaigns import Working
from web.admin.people import called
from web.admin.telling import day, number
from web.kit.forms import Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked

ANSWERED, READY = 20, 20


class RequestUnknown(NotFound):
    """There is no such request, or it is from somebody who is not in your care."""


@get("/requests", opt=gated(Power.CHANGE_PEOPLE))
async def show_requests(request: Asked, work: Working) -> Template:
    """Show who waits for an answer, the longest first."""
    return await _requests_page(request, work)


@post("/requests/{uid:str}/undo", opt=gated(Power.CHANGE_PEOPLE))
async def take_back(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Take an answer back: the request waits again."""
    asked = await store.request_by_uid(work, uid)
    if asked is None:
        raise RequestUnknown
    form = await read_form(request)
    if form.raw("answer") != "back":
        return redirect("/admin/requests", notice=_("Nothing has changed."), kind="info")
    async with attempt(work) as tried:
        await tiers.take_back_answer(work, asked)
    if tried.refusal:
        return redirect("/admin/requests", notice=tried.words, kind="warn")
    return redirect(
        "/admin/requests",
        notice=_("Taken back. The request waits again, and your next answer counts."),
    )


@post("/requests/{uid:str}", opt=gated(Power.CHANGE_PEOPLE))
async def answer(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Grant or decline a request; they are told either way."""
    asked = await store.request_by_uid(work, uid)
    if asked is None:
        raise RequestUnknown
    form = await read_form(request)
    said = form.raw("answer")
    if said not in {"grant", "decline"}:
        return redirect("/admin/requests", notice=_("Nothing has changed."), kind="info")
    async with attempt(work) as tried:
        reason = form.text("reason", limit=300)
        await tiers.answer(work, asked, granted=said == "grant", reason=reason)
    if "reason" in tried.errors:
        return await _requests_page(request, work, uid=uid, typed=form.raw("reason"), tried=tried)
    if tried.refusal:
        return redirect("/admin/requests", notice=tried.words, kind="warn")
    told = _("Granted. They have moved, and are told.")
    if said == "decline":
        told = _("Declined. They are told, and stay where they are.")
    return redirect("/admin/requests", notice=told)


async def _requests_page(
    request: Asked, work: Work, *, uid: str = "", typed: str = "", tried: Tried | None = None
) -> Template:
    waiting = await store.open_requests(work)
    nos = [person.no for _request, person, _tier in waiting]
    standing, theirs = await store.chosen_of(work, nos), await groups.of_many(work, nos)
    count = len(waiting)
    ready = await store.ready_to_step_up(work, limit=READY)
    after = await _after_what(
        work, [*(one for one, _who, _to in waiting), *(one for one, _who, _to in ready)]
    )
    return page(
        request,
        "admin/requests/list.html",
        status=422 if tried else 200,
        told=ngettext("One person waits.", "%(count)s people wait.", count)
        % {"count": number(count)},
        error=tried.errors.get("reason", "") if tried else "",
        mending=uid,
        typed=typed,
        answered=[
            {
                "uid": asked.uid,
                "person": called(person),
                "wanted": in_language(tier.name),
                "granted": asked.granted,
                "when": day(asked.answered_at),
                "reason": asked.reason,
            }
            for asked, person, tier in await store.answered_requests(
                work, work.now - UNDO_FOR, limit=ANSWERED
            )
            if asked.answered_at is not None
        ],
        ready=[
            {
                "person": called(person),
                "href": f"/admin/people/{person.uid}",
                "level": in_language(tier.name),
                "since": day(suggestion.made_at),
                "after": after(suggestion),
            }
            for suggestion, person, tier in ready
        ],
        requests=[
            {
                "uid": asked.uid,
                "person": called(person),
                "href": f"/admin/people/{person.uid}",
                "wanted": in_language(tier.name),
                "stands": in_language(standing[person.no].name) if person.no in standing else "",
                "groups": ", ".join(group.name for group in theirs.get(person.no, [])),
                "since": day(asked.made_at),
                "after": after(asked),
                "until": day(asked.made_at + ANSWER_WITHIN),
                "hold": f"/admin/people/{person.uid}/hold",
            }
            for asked, person, tier in waiting
        ],
    )


async def _after_what(
    work: Work, of: Sequence[TierRequest | TierSuggestion]
) -> Callable[[TierRequest | TierSuggestion], str]:
    """Give what names the ask or the newsletter that led to a wish; nothing, where none did."""
    asked = await asks.by_nos(work, {one.ask_no for one in of if one.ask_no})
    mailed = await campaigns.by_nos(work, {no for one in of if (no := _mail_of(one))})

    def after(one: TierRequest | TierSuggestion) -> str:
        if one.ask_no in asked:
            return _("After the ask “%(what)s”.") % {"what": in_language(asked[one.ask_no].title)}
        if (no := _mail_of(one)) in mailed:
            return _("After the newsletter “%(what)s”.") % {"what": mailed[no].name}
        return ""

    return after


def _mail_of(one: TierRequest | TierSuggestion) -> int:
    return (one.campaign_no or 0) if isinstance(one, TierRequest) else 0


HANDLERS = [show_requests, answer, take_back]
