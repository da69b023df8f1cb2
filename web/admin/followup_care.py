"""Looking after a case: whose it is, notes for the next person, an email."""

from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from mailer.accounts import store as accounts
from mailer.accounts.model import Power
from mailer.followups import caring
from mailer.kit.errors import NotFound
from mailer.kit.i18n import _
from web.admin.campaigns import Working
from web.admin.days import day_of
from web.admin.followup_places import place_of
from web.admin.followups import case_of, case_page
from web.kit.forms import attempt, read_form
from web.kit.pages import redirect
from web.kit.security import gated
from web.kit.sessions import Asked


class CarerUnknown(NotFound):
    """There is no such account."""


@post("/followups/{uid:str}/owner", opt=gated(Power.CHANGE_PEOPLE))
async def assign(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Pass a case on, or leave it to whoever comes to it."""
    case, _person = await case_of(work, uid)
    form = await read_form(request)
    there = place_of(form.values).case(case)
    to = form.raw("to")
    account = await accounts.by_uid(work, to) if to else None
    if to and account is None:
        raise CarerUnknown
    async with attempt(work) as tried:
        await caring.assign(work, case, account)
    if tried.refusal:
        return redirect(there, notice=tried.words, kind="warn")
    if account is None:
        return redirect(there, notice=_("It waits for whoever comes to it."))
    passed = _("%(name)s looks after it now.") % {"name": account.name}
    return redirect(there, notice=passed)


@post("/followups/{uid:str}/notes", opt=gated(Power.CHANGE_PEOPLE))
async def note(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Keep a note for whoever calls next."""
    case, person = await case_of(work, uid)
    form = await read_form(request)
    there = place_of(form.values).case(case)
    async with attempt(work) as tried:
        await caring.note(work, case, form.raw("words"))
    if "words" in tried.errors:
        return await case_page(request, work, case, person, typed=form.values, tried=tried)
    if tried.refusal:
        return redirect(there, notice=tried.words, kind="warn")
    return redirect(there, notice=_("The note is kept."))


@post("/followups/{uid:str}/letters", opt=gated(Power.CHANGE_PEOPLE))
async def write(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Write to who waits, by email."""
    case, person = await case_of(work, uid)
    form = await read_form(request)
    there = place_of(form.values).case(case)
    sent = None
    async with attempt(work) as tried:
        sent = await caring.write(work, case, form.raw("letter"))
    if "letter" in tried.errors:
        return await case_page(request, work, case, person, typed=form.values, tried=tried)
    if tried.refusal:
        return redirect(there, notice=tried.words, kind="warn")
    if sent is None:
        return redirect(there, notice=_("You wrote them just that already."), kind="info")
    return redirect(there, notice=_("Your email is on its way. Their answer comes to our office."))


@post("/followups/{uid:str}/due", opt=gated(Power.CHANGE_PEOPLE))
async def set_due(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Set another day by which they should hear from us."""
    case, person = await case_of(work, uid)
    form = await read_form(request)
    there = place_of(form.values).case(case)
    async with attempt(work) as tried:
        await caring.set_due(work, case, day_of(form, "due"))
    if "due" in tried.errors:
        return await case_page(request, work, case, person, typed=form.values, tried=tried)
    if tried.refusal:
        return redirect(there, notice=tried.words, kind="warn")
    return redirect(there, notice=_("The day is set."))


HANDLERS = [assign, note, write, set_due]
