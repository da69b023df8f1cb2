"""Fields: what an organisation wants to know of its people, and in which words it asks."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.fields import actions, special
from mailer.fields import store as fields
from mailer.fields.actions import Choice
from mailer.fields.describing import LEAST_THRESHOLD, FieldsOutOfReach
from mailer.fields.model import Field, FieldKind
from mailer.kit.errors import NotFound
from mailer.kit.i18n import N_, _, in_language
from mailer.kit.work import Work
from mailer.segments import guarding, saving
from web.admin.campaigns import Working
from web.admin.telling import number, people
from web.admin.wording import errors_of, filled, id_of, labels, tongues, written
from web.kit.forms import Form, Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked

IN_EACH = ("name", "help", "consent_text")
TICKED = ("is_public", "is_special")
BLANKS = 3  # empty lines for further choices, at the end of those there are
CHOICES_AT_ONCE = 220

KINDS = {
    FieldKind.TEXT: (N_("Text"), N_("A line that people write.")),
    FieldKind.NUMBER: (N_("Number"), N_("Can be compared: more than, less than.")),
    FieldKind.DATE: (N_("Date"), N_("A day, like a birthday or the end of a contract.")),
    FieldKind.CHOICE: (N_("One choice"), N_("One of those that you write below.")),
    FieldKind.CHOICES: (N_("Several choices"), N_("Any of those that you write below.")),
    FieldKind.YES_NO: (N_("Yes or no"), ""),
}


class FieldUnknown(NotFound):
    """There is no such field."""


async def field_at(work: Work, slug: str) -> Field:
    """Find the field that an address names, for somebody who may change it."""
    if not actions.may_make(work):
        raise FieldsOutOfReach
    found = await fields.by_slug(work, slug)
    if found is None:
        raise FieldUnknown
    return found


@get("/fields", opt=gated(Power.SEE_PEOPLE))
async def show_fields(request: Asked, work: Working) -> Template:
    """Show the fields in their order, with how many people have filled in each."""
    every = await fields.every_field(work)
    numbers = await fields.how_many_fill(work)
    return page(
        request,
        "admin/fields/list.html",
        fields=[
            {
                "slug": one.slug,
                "name": in_language(one.name),
                "kind": _(KINDS[one.kind][0]),
                "is_public": one.is_public,
                "is_special": one.is_special,
                "people": "" if one.is_special else people(numbers.get(one.no, 0)),
            }
            for one in every
            if one.closed_at is None
        ],
        closed=[(one.slug, in_language(one.name)) for one in every if one.closed_at is not None],
        may_make=account_of(request).may(Power.SETTINGS) and actions.may_make(work),
        is_scoped=work.scope is not None,
    )


@get("/fields/new", opt=gated(Power.SETTINGS))
async def show_new_field(request: Asked, work: Working) -> Template:
    """Ask what a new field asks."""
    if not actions.may_make(work):
        raise FieldsOutOfReach
    values: dict[str, Any] = {
        **dict.fromkeys(TICKED, ""),
        "kind": FieldKind.TEXT.value,
        "threshold": str(LEAST_THRESHOLD),
    }
    for field in IN_EACH:
        values |= filled(field, {})
    return await _field_page(request, work, None, values, choices=[], errors={})


@post("/fields/new", opt=gated(Power.SETTINGS))
async def make_field(request: Asked, work: Working) -> Response[Any]:
    """Make a field."""
    form = await read_form(request)
    async with attempt(work) as tried:
        made = await actions.make(work, **_said(form))
    if tried.refusal:
        return await _mend(request, work, None, form, tried)
    told = _("The field “%(field)s” is there. It stands on everybody’s page.")
    return redirect("/admin/fields", notice=told % {"field": in_language(made.name)})


@get("/fields/{slug:str}", opt=gated(Power.SETTINGS))
async def show_field(request: Asked, work: Working, slug: FromPath[str]) -> Template:
    """Show what a field asks, for changing, and what has been answered."""
    field = await field_at(work, slug)
    values: dict[str, Any] = {
        **{name: "yes" if getattr(field, name) else "" for name in TICKED},
        "kind": field.kind.value,
        "threshold": str(field.threshold),
    }
    for name in IN_EACH:
        values |= filled(name, getattr(field, name))
    choices = [Choice(**one) for one in field.choices]
    return await _field_page(request, work, field, values, choices=choices, errors={})


@post("/fields/{slug:str}", opt=gated(Power.SETTINGS))
async def save_field(request: Asked, work: Working, slug: FromPath[str]) -> Response[Any]:
    """Change what a field asks."""
    field = await field_at(work, slug)
    form = await read_form(request)
    async with attempt(work) as tried:
        field = await actions.describe(work, field, **_said(form))
    if tried.refusal:
        return await _mend(request, work, field, form, tried)
    told = _("The field “%(field)s” is saved.") % {"field": in_language(field.name)}
    return redirect("/admin/fields", notice=told)


@post("/fields/{slug:str}/place", opt=gated(Power.SETTINGS))
async def move_field(request: Asked, work: Working, slug: FromPath[str]) -> Response[Any]:
    """Change places with the field above or below."""
    field = await field_at(work, slug)
    await actions.move(work, field, up=(await read_form(request)).raw("to") == "up")
    return redirect("/admin/fields")


@post("/fields/{slug:str}/closing", opt=gated(Power.SETTINGS))
async def close_field(request: Asked, work: Working, slug: FromPath[str]) -> Response[Any]:
    """Close a field, unless a segment asks for it, or open it again."""
    field = await field_at(work, slug)
    named = {"field": in_language(field.name)}
    if (await read_form(request)).raw("open"):
        await actions.reopen(work, field)
        told = _("The field “%(field)s” is open again, with all that it held.") % named
        return redirect(f"/admin/fields/{slug}", notice=told)
    async with attempt(work) as tried:
        await guarding.close_field(work, field)
    if tried.refusal:
        return redirect(f"/admin/fields/{slug}", notice=tried.words, kind="warn")
    told = _("The field “%(field)s” is closed. What it holds is kept.") % named
    return redirect("/admin/fields", notice=told)


# --- the form -------------------------------------------------------------------------------------


def _said(form: Form) -> dict[str, Any]:
    kind = form.text("kind")
    threshold = form.whole("threshold")
    return {
        "name": written(form, "name"),
        "help": written(form, "help"),
        "kind": FieldKind(kind) if kind in set(FieldKind) else FieldKind.TEXT,
        "choices": _choices(form),
        "is_public": form.flag("is_public"),
        "is_special": form.flag("is_special"),
        "consent_text": written(form, "consent_text"),
        "threshold": LEAST_THRESHOLD if threshold is None else threshold,
    }


def _choices(form: Form) -> list[Choice]:
    """Read the choices: their lines are numbered, and empty ones are none."""
    found = []
    for no in range(1, CHOICES_AT_ONCE):
        name = written(form, "choice", no=no)
        slug = form.text(id_of("choice-slug", no=no), limit=60)
        if any(name.values()):
            closed = form.flag(id_of("choice-closed", no=no))
            found.append(Choice(name=name, slug=slug, closed=closed))
    return found


async def _mend(
    request: Asked, work: Work, field: Field | None, form: Form, tried: Tried
) -> Template:
    values: dict[str, Any] = {
        **{name: "yes" if form.flag(name) else "" for name in TICKED},
        "kind": form.text("kind"),
        "threshold": form.raw("threshold"),
    }
    for name in IN_EACH:
        values |= filled(name, written(form, name))
    errors = errors_of(tried, *IN_EACH)
    return await _field_page(request, work, field, values, choices=_choices(form), errors=errors)


async def _field_page(
    request: Asked,
    work: Work,
    field: Field | None,
    values: dict[str, Any],
    *,
    choices: list[Choice],
    errors: dict[str, str],
) -> Template:
    lines = [*choices, *[Choice(name={})] * BLANKS]
    for no, one in enumerate(lines, 1):
        values |= filled("choice", one.name, no=no)
    names = (_("Name"), _("What helps to answer it"), _("What people agree to"))
    summary = [
        *(
            label
            for name, words in zip(IN_EACH, names, strict=True)
            for label in labels(name, words)
        ),
        ("kind", _("What sort of answer")),
        ("choices", _("Choices")),
        ("is_public", _("They see it")),
        ("is_special", _("Specially protected")),
        ("threshold", _("Shown from")),
    ]
    has_values = field is not None and await fields.has_values(work, field)
    return page(
        request,
        "admin/fields/edit.html",
        status=422 if errors else 200,
        slug=field.slug if field else "",
        name=in_language(field.name) if field else "",
        closed=field is not None and field.closed_at is not None,
        kinds=[
            (kind.value, _(words), _(hint) if hint else "") for kind, (words, hint) in KINDS.items()
        ],
        kind_stands=_(KINDS[field.kind][0]) if field and has_values else "",
        protection_stands=has_values,
        choices=[
            {"no": no, "slug": one.slug, "closed": one.closed} for no, one in enumerate(lines, 1)
        ],
        answers=await _answers(work, field) if field else [],
        segments=[
            (one.name, f"/admin/segments/{one.uid}")
            for one in (await saving.users_of(work, ("field", field.no)) if field else [])
        ],
        least=LEAST_THRESHOLD,
        tongues=tongues(),
        values=values,
        errors=errors,
        summary=[(id_, words, errors.get(id_)) for id_, words in summary],
    )


async def _answers(work: Work, field: Field) -> list[tuple[str, str]]:
    """Say how many chose what; of what is specially protected from the threshold on."""
    if field.kind not in {FieldKind.CHOICE, FieldKind.CHOICES, FieldKind.YES_NO}:
        return []
    words = {one["slug"]: in_language(one["name"]) for one in field.choices}
    words |= {"yes": _("Yes"), "no": _("No")} if field.kind is FieldKind.YES_NO else {}
    if field.is_special:
        fewer = _("fewer than %(least)s") % {"least": number(field.threshold)}
        counts = await special.counts(work, field)
        return [
            (words[answer], fewer if many is None else number(many))
            for answer, many in counts.items()
        ]
    chosen = await fields.how_many_chose(work, field)
    return [(name, number(chosen.get(slug, 0))) for slug, name in words.items()]


HANDLERS = [
    show_fields,
    show_new_field,
    make_field,
    show_field,
    save_field,
    move_field,
    close_field,
]
