"""Holding: a doubtful sign-up is kept at the lowest level without a word to them."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.kit.i18n import _, in_language
from mailer.kit.work import Work
from mailer.records import actions as records
from mailer.subscribers.model import Subscriber
from mailer.tiers import holding, store
from web.admin.campaigns import Working
from web.admin.people import at, called
from web.admin.telling import day
from web.kit.forms import Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked


@get("/people/{uid:str}/hold", opt=gated(Power.CHANGE_PEOPLE))
async def show_hold(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Ask whether to hold somebody, or to let them go."""
    person = (await records.person(work, uid)).subscriber
    return await _hold_page(request, work, person, Tried())


@post("/people/{uid:str}/hold", opt=gated(Power.CHANGE_PEOPLE))
async def hold(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Hold somebody at the lowest level, or let them go. No letter tells them."""
    person = (await records.person(work, uid)).subscriber
    form = await read_form(request)
    match form.raw("do"):
        case "hold":
            async with attempt(work) as tried:
                reason = form.text("reason", limit=300)
                await holding.hold_back(work, person, reason=reason)
            if tried.refusal:
                return await _hold_page(request, work, person, tried, typed=form.raw("reason"))
            return redirect(at(person), notice=_("Held at the lowest level. They are not told."))
        case "let-go":
            await holding.let_go(work, person)
            return redirect(at(person), notice=_("Let go. They stand where they stood before."))
        case _:
            return redirect(at(person), notice=_("Nothing has changed."), kind="info")


async def _hold_page(
    request: Asked, work: Work, person: Subscriber, tried: Tried, *, typed: str = ""
) -> Template:
    standing = await store.hold_of(work, person.no)
    lowest = (await store.ladder(work))[0]
    return page(
        request,
        "admin/requests/hold.html",
        status=422 if tried.refusal else 200,
        name=called(person),
        back=at(person),
        here=f"{at(person)}/hold",
        lowest=in_language(lowest.name),
        since=day(standing.held_at) if standing else "",
        reason=standing.reason if standing else "",
        typed=typed,
        error=tried.errors.get("reason", ""),
    )


HANDLERS = [show_hold, hold]
