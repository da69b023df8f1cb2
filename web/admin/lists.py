"""Lists: what can be subscribed to, and the words that somebody says yes to."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.consent import actions
from mailer.consent import store as lists
from mailer.consent.model import MailingList, SubscriptionState
from mailer.deliveries import welcoming
from mailer.forms import store as forms
from mailer.kit.errors import NotFound, Refusal
from mailer.kit.i18n import LANGUAGES, _, in_language, language
from mailer.kit.work import Work
from mailer.segments import guarding
from web.admin.campaigns import Working
from web.admin.previewing import document, unshown
from web.admin.telling import language_name, number, people, shortly
from web.admin.wording import errors_of, filled, labels, tongues, written
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked, visit_of

IN_EACH = ("name", "about", "consent_text")
TICKED = ("is_public", "double_opt_in")
GREETINGS = ("welcome_subject", "welcome", "landing")


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
    """Show the lists with their numbers and their words; closed ones by name."""
    counts = await lists.counts_by_list(work)
    nobody = dict.fromkeys(SubscriptionState, 0)
    every = await lists.all_lists(work)
    open_ones = [one for one in every if one.closed_at is None]
    organisation = visit_of(request).organisation.name
    return page(
        request,
        "admin/lists/list.html",
        lists=[_shown(one, counts.get(one.no, nobody), organisation) for one in open_ones],
        closed=[(one.slug, in_language(one.name)) for one in every if one.closed_at is not None],
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
        "version": one.consent_version,
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
async def show_new_list(request: Asked, work: Working) -> Template:
    """Ask for the words of a new list."""
    values = {"is_public": "yes", "double_opt_in": "yes"}
    for field in IN_EACH:
        values |= filled(field, {})
    return await _list_page(request, work, None, values, errors={})


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
        errors = errors_of(tried, *IN_EACH)
        return await _list_page(request, work, None, _typed(form), errors=errors)
    told = _("The list “%(list)s” is open. Nobody is on it yet.")
    return redirect("/admin/lists", notice=told % {"list": in_language(opened.name)})


@get("/lists/{slug:str}", opt=gated(Power.SETTINGS))
async def show_list(request: Asked, work: Working, slug: FromPath[str]) -> Template:
    """Show a list's words for changing, and those that it had before."""
    mailing_list = await list_at(work, slug)
    return await _list_page(request, work, mailing_list, _saved(mailing_list), errors={})


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
        errors = errors_of(tried, *IN_EACH)
        return await _list_page(request, work, mailing_list, _typed(form), errors=errors)
    told = _("The list “%(list)s” is saved. Nobody gets an email because of it.")
    return redirect("/admin/lists", notice=told % {"list": in_language(mailing_list.name)})


@post("/lists/{slug:str}/closing", opt=gated(Power.SETTINGS))
async def close_list(request: Asked, work: Working, slug: FromPath[str]) -> Response[Any]:
    """Close a list, unless something stands on it, or open it again."""
    mailing_list = await list_at(work, slug)
    named = {"list": in_language(mailing_list.name)}
    if (await read_form(request)).raw("open"):
        await actions.reopen_list(work, mailing_list)
        told = _("The list “%(list)s” is open again.") % named
        return redirect(f"/admin/lists/{slug}", notice=told)
    async with attempt(work) as tried:
        await guarding.close_list(work, mailing_list)
    if tried.refusal:
        return redirect(f"/admin/lists/{slug}", notice=tried.words, kind="warn")
    told = (
        _("The list “%(list)s” is closed. Nobody can join it, and nothing is sent to it.") % named
    )
    return redirect("/admin/lists", notice=told)


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


async def _list_page(
    request: Asked,
    work: Work,
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
        closed=mailing_list is not None and mailing_list.closed_at is not None,
        versions=await _versions(work, mailing_list) if mailing_list else [],
        forms=await _forms_of(work, mailing_list) if mailing_list else [],
        values=values,
        tongues=tongues(),
        our_name="%(organisation)s",  # as it is typed into a consent text
        errors=errors,
        summary=_summary(
            errors,
            name=_("Name"),
            about=_("What it is about"),
            consent_text=_("What people say yes to"),
        ),
    )


def _summary(errors: Mapping[str, str], **fields: str) -> list[tuple[str, str, str | None]]:
    return [
        (field, label, errors.get(field))
        for name, words in fields.items()
        for field, label in labels(name, words)
    ]


async def _versions(work: Work, mailing_list: MailingList) -> list[dict[str, Any]]:
    """Tell what a list asked people to agree to, newest first, and how many did."""
    agreed = await lists.agreed_by_version(work, mailing_list.no)
    return [
        {
            "version": number(text.version),
            "since": shortly(text.made_at),
            "people": people(agreed.get(text.version, 0)),
            "words": [
                (code, language_name(code), text.words[code])
                for code in LANGUAGES
                if code in text.words
            ],
        }
        for text in await lists.consent_texts(work, mailing_list.no)
    ]


async def _forms_of(work: Work, mailing_list: MailingList) -> list[tuple[str, str]]:
    found = await forms.open_forms(work, list_no=mailing_list.no)
    return [(in_language(form.title), f"/admin/forms/{form.slug}") for form in found]


# --- what somebody is told who has just joined --------------------------------------------------


@get("/lists/{slug:str}/welcome", opt=gated(Power.SETTINGS))
async def show_welcome(request: Asked, work: Working, slug: FromPath[str]) -> Template:
    """Show the letter of welcome and the words on the page, for changing."""
    mailing_list = await list_at(work, slug)
    values: dict[str, str] = {}
    for field in GREETINGS:
        values |= filled(field, getattr(mailing_list, field))
    return _welcome_page(request, mailing_list, values, errors={})


@post("/lists/{slug:str}/welcome", opt=gated(Power.SETTINGS))
async def save_welcome(request: Asked, work: Working, slug: FromPath[str]) -> Response[Any]:
    """Change the letter of welcome and the words on the page."""
    mailing_list = await list_at(work, slug)
    form = await read_form(request)
    values: dict[str, str] = {}
    async with attempt(work) as tried:
        await welcoming.write_welcome(
            work,
            mailing_list,
            welcome_subject=written(form, "welcome_subject"),
            welcome=written(form, "welcome"),
            landing=written(form, "landing"),
        )
    if tried.refusal:
        for field in GREETINGS:
            values |= filled(field, written(form, field))
        errors = errors_of(tried, *GREETINGS)
        return _welcome_page(request, mailing_list, values, errors=errors)
    told = _("The welcome of “%(list)s” is saved. It goes to who joins from now on.")
    return redirect(
        f"/admin/lists/{slug}/welcome", notice=told % {"list": in_language(mailing_list.name)}
    )


@get("/lists/{slug:str}/welcome/letter", opt=gated(Power.SETTINGS))
async def preview_saved(
    request: Asked, work: Working, slug: FromPath[str]
) -> Template | Response[str]:
    """Show the letter as it is saved, in a frame."""
    mailing_list = await list_at(work, slug)
    return await _letter(
        work,
        mailing_list,
        {"subject": mailing_list.welcome_subject, "words": mailing_list.welcome},
        request.query_params.get("in", ""),
    )


@post("/lists/{slug:str}/welcome/letter", opt=gated(Power.SETTINGS), status_code=200)
async def preview_typed(
    request: Asked, work: Working, slug: FromPath[str]
) -> Template | Response[str]:
    """Show the letter as it is typed, in a frame; nothing is saved."""
    form = await read_form(request)
    typed = {"subject": written(form, "welcome_subject"), "words": written(form, "welcome")}
    return await _letter(work, await list_at(work, slug), typed, form.raw("shown_in"))


async def _letter(
    work: Work, mailing_list: MailingList, typed: dict[str, dict[str, str]], code: str
) -> Template | Response[str]:
    try:
        letter = await welcoming.preview_welcome(
            work, mailing_list, language=code if code in LANGUAGES else language.get(), **typed
        )
    except Refusal as refusal:
        return unshown(refusal)
    return document(letter.html)


def _welcome_page(
    request: Asked, mailing_list: MailingList, values: dict[str, str], *, errors: dict[str, str]
) -> Template:
    return page(
        request,
        "admin/lists/welcome.html",
        status=422 if errors else 200,
        slug=mailing_list.slug,
        name=in_language(mailing_list.name),
        at_once=not mailing_list.double_opt_in,
        values=values,
        tongues=tongues(),
        errors=errors,
        summary=_summary(
            errors,
            welcome_subject=_("Subject"),
            welcome=_("The letter"),
            landing=_("On the page"),
        ),
    )


HANDLERS = [
    show_lists,
    show_new_list,
    open_list,
    show_list,
    save_list,
    close_list,
    show_welcome,
    save_welcome,
    preview_saved,
    preview_typed,
]
