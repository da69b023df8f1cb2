"""Lists: what can be subscribed to, and the words that somebody says yes to."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.consent import actions
from mailer.consent import store as lists
from mailer.consent.model import MailingList, SubscriptionState
from mailer.kit.errors import NotFound
from mailer.kit.i18n import _, in_language, language
from mailer.kit.work import Work
from web.admin.campaigns import Working
from web.admin.telling import number
from web.admin.wording import errors_of, filled, labels, tongues, written
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked, visit_of

IN_EACH = ("name", "about", "consent_text")
TICKED = ("is_public", "double_opt_in")


class ListUnknown(NotFound):
    """There is no such list."""


async def list_at(work: Work, slug: str) -> MailingList:
    """Find the list that an address names."""
    found = await lists.list_by_slug(work, slug)
    if found is None:
        raise ListUnknown
    return found


@get("/lists", opt=gated(Power.SEE_PEOPLE))
async def show_lists(request: Asked, work: Working) -> Template:
    """Show the lists with their numbers and their words."""
    counts = await lists.counts_by_list(work)
    nobody = dict.fromkeys(SubscriptionState, 0)
    open_ones = await lists.lists(work)
    organisation = visit_of(request).organisation.name
    return page(
        request,
        "admin/lists/list.html",
        lists=[_shown(one, counts.get(one.no, nobody), organisation) for one in open_ones],
        may_join=any(one.is_public for one in open_ones),
        may_change=account_of(request).may(Power.SETTINGS),
        is_scoped=work.scope is not None,
    )


def _shown(
    one: MailingList, counts: dict[SubscriptionState, int], organisation: str
) -> dict[str, Any]:
    return {
        "slug": one.slug,
        "name": in_language(one.name),
        "about": in_language(one.about),
        "wording": one.wording(language.get(), organisation),
        "is_public": one.is_public,
        "double_opt_in": one.double_opt_in,
        "figures": [
            (
                _("Confirmed"),
                number(counts[SubscriptionState.CONFIRMED]),
                _("said yes"),
            ),
            (
                _("Waiting"),
                number(counts[SubscriptionState.UNCONFIRMED]),
                _("have not answered our letter yet"),
            ),
            (_("Left"), number(counts[SubscriptionState.UNSUBSCRIBED]), _("took their yes back")),
        ],
    }


@get("/lists/new", opt=gated(Power.SETTINGS))
async def show_new_list(request: Asked) -> Template:
    """Ask for the words of a new list."""
    values = {"is_public": "yes", "double_opt_in": "yes"}
    for field in IN_EACH:
        values |= filled(field, {})
    return _list_page(request, None, values, errors={})


@post("/lists/new", opt=gated(Power.SETTINGS))
async def open_list(request: Asked, work: Working) -> Response[Any]:
    """Open a list."""
    form = await read_form(request)
    async with attempt(work) as tried:
        opened = await actions.open_list(
            work,
            name=written(form, "name"),
            about=written(form, "about"),
            consent_text=written(form, "consent_text"),
            is_public=form.flag("is_public"),
            double_opt_in=form.flag("double_opt_in"),
        )
    if tried.refusal:
        return _list_page(request, None, _typed(form), errors=errors_of(tried, *IN_EACH))
    told = _("The list “%(list)s” is open. Nobody is on it yet.")
    return redirect("/admin/lists", notice=told % {"list": in_language(opened.name)})


@get("/lists/{slug:str}", opt=gated(Power.SETTINGS))
async def show_list(request: Asked, work: Working, slug: FromPath[str]) -> Template:
    """Show a list's words for changing."""
    mailing_list = await list_at(work, slug)
    return _list_page(request, mailing_list, _saved(mailing_list), errors={})


@post("/lists/{slug:str}", opt=gated(Power.SETTINGS))
async def save_list(request: Asked, work: Working, slug: FromPath[str]) -> Response[Any]:
    """Change a list's words."""
    mailing_list = await list_at(work, slug)
    form = await read_form(request)
    async with attempt(work) as tried:
        await actions.describe_list(
            work,
            mailing_list,
            name=written(form, "name"),
            about=written(form, "about"),
            consent_text=written(form, "consent_text"),
            is_public=form.flag("is_public"),
            double_opt_in=form.flag("double_opt_in"),
        )
    if tried.refusal:
        return _list_page(request, mailing_list, _typed(form), errors=errors_of(tried, *IN_EACH))
    told = _("The list “%(list)s” is saved. Nobody gets an email because of it.")
    return redirect("/admin/lists", notice=told % {"list": in_language(mailing_list.name)})


def _saved(mailing_list: MailingList) -> dict[str, str]:
    values = {field: "yes" if getattr(mailing_list, field) else "" for field in TICKED}
    for field in IN_EACH:
        values |= filled(field, getattr(mailing_list, field))
    return values


def _typed(form: Form) -> dict[str, str]:
    values = {field: "yes" if form.flag(field) else "" for field in TICKED}
    for field in IN_EACH:
        values |= filled(field, written(form, field))
    return values


def _list_page(
    request: Asked,
    mailing_list: MailingList | None,
    values: dict[str, str],
    *,
    errors: dict[str, str],
) -> Template:
    return page(
        request,
        "admin/lists/edit.html",
        status=422 if errors else 200,
        slug=mailing_list.slug if mailing_list else "",
        name=in_language(mailing_list.name) if mailing_list else "",
        values=values,
        tongues=tongues(),
        our_name="%(organisation)s",  # as it is typed into a consent text
        errors=errors,
        summary=[
            (field, label, errors.get(field))
            for field, label in (
                *labels("name", _("Name")),
                *labels("about", _("What it is about")),
                *labels("consent_text", _("What people say yes to")),
            )
        ],
    )


HANDLERS = [show_lists, show_new_list, open_list, show_list, save_list]
