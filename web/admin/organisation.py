"""The organisation: who writes, and how its pages look."""

import re
from typing import Any

from litestar import Response, get, post
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.kit.i18n import LANGUAGES, _, own_name
from mailer.organisation import actions
from mailer.organisation import store as organisations
from mailer.organisation.model import Organisation
from web.admin.campaigns import Working
from web.admin.wording import errors_of, filled, labels, tongues, written
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked

PLAIN = ("name", "postal_address", "language", "sender_name", "sender_address", "reply_to")
IN_EACH = ("headline", "lede")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


@get("/organisation", opt=gated(Power.SETTINGS))
async def show_organisation(request: Asked, work: Working) -> Template:
    """Show who we say we are."""
    us = await organisations.the_one(work)
    return _organisation_page(request, us, _saved(us), errors={})


@post("/organisation", opt=gated(Power.SETTINGS))
async def save_organisation(request: Asked, work: Working) -> Response[Any]:
    """Say who we are."""
    form = await read_form(request)
    typed = _typed(form)
    async with attempt(work) as tried:
        await actions.describe(
            work,
            name=typed["name"],
            postal_address=typed["postal_address"],
            language=typed["language"],
            sender_name=typed["sender_name"],
            sender_address=typed["sender_address"],
            reply_to=typed["reply_to"],
            colour=typed["colour"],
            headline=written(form, "headline"),
            lede=written(form, "lede"),
        )
    if tried.refusal:
        us = await organisations.the_one(work)
        return _organisation_page(request, us, typed, errors=errors_of(tried, *IN_EACH))
    told = _("Saved. Every page says it now, and every email that has not begun to leave.")
    return redirect("/admin/organisation", notice=told)


def _saved(us: Organisation) -> dict[str, str]:
    words = {"headline": us.headline, "lede": us.lede}
    values = {field: getattr(us, field) for field in (*PLAIN, "colour")}
    for field, text in words.items():
        values |= filled(field, text)
    return values


def _typed(form: Form) -> dict[str, str]:
    values = {field: form.raw(field) for field in (*PLAIN, "colour")}
    for field in IN_EACH:
        values |= filled(field, written(form, field))
    # The colour stands in two fields, to type it and to pick it. Whichever was touched counts.
    if values["colour"] == form.raw("shown"):
        values["colour"] = form.raw("picked") or values["colour"]
    return values


def _organisation_page(
    request: Asked, us: Organisation, values: dict[str, str], *, errors: dict[str, str]
) -> Template:
    readable = bool(_COLOUR.fullmatch(values["colour"]))
    return page(
        request,
        "admin/organisation/edit.html",
        status=422 if errors else 200,
        values=values,
        picked=values["colour"] if readable else us.colour,
        shown=values["colour"] if readable else "",
        tongues=tongues(),
        own_names=[(code, own_name(code), code) for code in LANGUAGES],
        may_send=us.may_send,
        missing=[] if us.may_send else _missing(us),
        errors=errors,
        summary=[(field, label, errors.get(field)) for field, label in _labels()],
    )


def _missing(us: Organisation) -> list[tuple[str, str]]:
    """List what a mail must state and nobody has said yet, by field."""
    needed = {
        "name": (us.name, _("The name")),
        "postal_address": (us.postal_address, _("The postal address")),
        "sender_address": (us.sender_address, _("The address that emails come from")),
    }
    return [(field, words) for field, (said, words) in needed.items() if not said]


def _labels() -> list[tuple[str, str]]:
    return [
        ("name", _("Name")),
        ("postal_address", _("Postal address")),
        ("language", _("Usual language")),
        ("sender_name", _("Sender’s name")),
        ("sender_address", _("Sender’s address")),
        ("reply_to", _("Answers go to")),
        ("colour", _("Colour")),
        *labels("headline", _("Headline")),
        *labels("lede", _("Text under it")),
    ]


HANDLERS = [show_organisation, save_organisation]
