"""Sign-up forms: what each asks, how it looks, and how it stands in another site."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.consent import store as lists
from mailer.forms import actions, questions
from mailer.forms import store as forms
from mailer.forms.model import SignUpForm
from mailer.kit.errors import NotFound, Refusal
from mailer.kit.i18n import LANGUAGES, _, in_language, speaking
from mailer.kit.work import Work
from mailer.tags import store as tags
from web.admin.campaigns import Working
from web.admin.wording import errors_of, filled, labels, tongues, written
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked, visit_of
from web.kit.signing_up import Typed, offered, shown

IN_EACH = ("title", "intro", "thanks")

_PREVIEW = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
    " font-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


class FormUnknown(NotFound):
    """There is no such form."""


async def form_at(work: Work, slug: str) -> SignUpForm:
    """Find the form that an address names."""
    found = await forms.by_slug(work, slug)
    if found is None:
        raise FormUnknown
    return found


@get("/forms", opt=gated(Power.SEE_PEOPLE))
async def show_forms(request: Asked, work: Working) -> Template:
    """Show the forms, open ones first."""
    names = {one.no: in_language(one.name) for one in await lists.all_lists(work)}
    return page(
        request,
        "admin/forms/list.html",
        forms=[
            {
                "slug": form.slug,
                "title": in_language(form.title),
                "list": names[form.list_no],
                "address": _address(request, form),
                "closed": form.closed_at is not None,
                "embedded": form.may_be_embedded,
            }
            for form in await forms.all_forms(work)
        ],
        may_change=_may_change(request, work),
    )


@get("/forms/new", opt=gated(Power.CHANGE_PEOPLE))
async def show_new_form(request: Asked, work: Working) -> Template:
    """Ask for the words of a new form."""
    values: dict[str, Any] = {"list": request.query_params.get("list", "")}
    for field in IN_EACH:
        values |= filled(field, {})
    return await _form_page(request, work, None, values, errors={})


@post("/forms/new", opt=gated(Power.CHANGE_PEOPLE))
async def make_form(request: Asked, work: Working) -> Response[Any]:
    """Make a form."""
    sent = await read_form(request)
    async with attempt(work) as tried:
        made = await actions.make(work, await _wanted(work, sent))
    if tried.refusal:
        errors = errors_of(tried, *IN_EACH)
        return await _form_page(request, work, None, _typed(sent), errors=errors)
    told = _("The form “%(form)s” is open. Anybody who has its address can sign up.")
    return redirect(f"/admin/forms/{made.slug}", notice=told % {"form": in_language(made.title)})


@post("/forms/preview", opt=gated(Power.CHANGE_PEOPLE), status_code=200)
async def preview_typed(request: Asked, work: Working) -> Template:
    """Show, in a frame, how a form would look that is not saved."""
    sent = await read_form(request)
    try:
        described = await actions.read(work, await _wanted(work, sent))
    except Refusal as refusal:
        return _in_frame(page(request, "admin/forms/unshown.html", words=refusal.said()))
    made = SignUpForm(slug="preview", made_at=work.now, made_by=None, closed_at=None, **described)
    return await _preview(request, work, made, sent.raw("shown_in"))


@get("/forms/{slug:str}", opt=gated(Power.CHANGE_PEOPLE))
async def show_form(request: Asked, work: Working, slug: FromPath[str]) -> Template:
    """Show a form for changing, with its address and what to paste into another site."""
    form = await form_at(work, slug)
    return await _form_page(request, work, form, _saved(form), errors={})


@post("/forms/{slug:str}", opt=gated(Power.CHANGE_PEOPLE))
async def save_form(request: Asked, work: Working, slug: FromPath[str]) -> Response[Any]:
    """Change a form."""
    form = await form_at(work, slug)
    sent = await read_form(request)
    async with attempt(work) as tried:
        await actions.describe(work, form, await _wanted(work, sent))
    if tried.refusal:
        errors = errors_of(tried, *IN_EACH)
        return await _form_page(request, work, form, _typed(sent), errors=errors)
    told = _("The form “%(form)s” is saved. Who opens it from now on sees it so.")
    return redirect(f"/admin/forms/{form.slug}", notice=told % {"form": in_language(form.title)})


@get("/forms/{slug:str}/preview", opt=gated(Power.CHANGE_PEOPLE))
async def preview_saved(request: Asked, work: Working, slug: FromPath[str]) -> Template:
    """Show, in a frame, how a form looks as it is saved."""
    return await _preview(request, work, await form_at(work, slug), "")


@post("/forms/{slug:str}/closing", opt=gated(Power.CHANGE_PEOPLE))
async def close_form(request: Asked, work: Working, slug: FromPath[str]) -> Response[Any]:
    """Close a form, or open it again."""
    form = await form_at(work, slug)
    if (await read_form(request)).raw("open"):
        form = await actions.reopen(work, form)
        told = _("The form “%(form)s” is open again.")
    else:
        form = await actions.close(work, form)
        told = _("The form “%(form)s” is closed. Who waits for a letter can still say yes.")
    return redirect(f"/admin/forms/{form.slug}", notice=told % {"form": in_language(form.title)})


# --- what is typed ------------------------------------------------------------------------------


async def _wanted(work: Work, sent: Form) -> actions.Wanted:
    """Read a form as somebody wants it, by the slug of its list and the name of its tag."""
    chosen = await lists.list_by_slug(work, sent.raw("list")[:60])
    tag = await tags.by_uid(work, sent.raw("tag")[:36]) if sent.raw("tag") else None
    return actions.Wanted(
        title=written(sent, "title"),
        intro=written(sent, "intro"),
        thanks=written(sent, "thanks"),
        list_no=chosen.no if chosen else 0,
        asks_for=sent.many("asks_for"),
        needed=sent.many("needed"),
        tag_no=(tag.no if tag else 0) if sent.raw("tag") else None,
        may_be_embedded=sent.flag("may_be_embedded"),
        sites=sent.raw("sites")[:8000].split(),
    )


def _typed(sent: Form) -> dict[str, Any]:
    values: dict[str, Any] = {
        "list": sent.raw("list"),
        "tag": sent.raw("tag"),
        "asks_for": sent.many("asks_for"),
        "needed": sent.many("needed"),
        "may_be_embedded": sent.flag("may_be_embedded"),
        "sites": sent.raw("sites")[:8000],
    }
    for field in IN_EACH:
        values |= filled(field, written(sent, field))
    return values


def _saved(form: SignUpForm) -> dict[str, Any]:
    values: dict[str, Any] = {
        "list_no": form.list_no,
        "tag_no": form.tag_no,
        "asks_for": form.asks_for,
        "needed": form.needed,
        "may_be_embedded": form.may_be_embedded,
        "sites": "\n".join(form.sites),
    }
    for field in IN_EACH:
        values |= filled(field, getattr(form, field))
    return values


# --- what is shown ------------------------------------------------------------------------------


async def _form_page(
    request: Asked,
    work: Work,
    form: SignUpForm | None,
    values: dict[str, Any],
    *,
    errors: dict[str, str],
) -> Template:
    if not actions.may_make(work):
        raise actions.FormsOutOfReach
    open_lists = list(await lists.lists(work))
    open_tags = list(await tags.open_tags(work))
    values = {
        "list": next((one.slug for one in open_lists if one.no == values.get("list_no")), ""),
        "tag": next((one.uid for one in open_tags if one.no == values.get("tag_no")), ""),
        "asks_for": [],
        "needed": [],
        "may_be_embedded": False,
        "sites": "",
        **values,
    }
    chosen = next((one for one in open_lists if one.slug == values["list"]), None)
    return page(
        request,
        "admin/forms/edit.html",
        status=422 if errors else 200,
        slug=form.slug if form else "",
        title=in_language(form.title) if form else "",
        closed=form is not None and form.closed_at is not None,
        address=_address(request, form) if form else "",
        pasted=await _pasted(work, form) if form else [],
        values=values,
        tongues=tongues(),
        lists=[(one.slug, in_language(one.name)) for one in open_lists],
        at_once=chosen is not None and not chosen.double_opt_in,
        tags=[("", _("No tag")), *[(one.uid, one.name) for one in open_tags]],
        possible=[(one.name, one.words) for one in await questions.possible(work)],
        errors=errors,
        summary=_summary(errors),
    )


def _summary(errors: dict[str, str]) -> list[tuple[str, str, str | None]]:
    return [
        (field, label, errors.get(field))
        for field, label in (
            *labels("title", _("Title")),
            *labels("intro", _("Introduction")),
            *labels("thanks", _("Thanks")),
            ("list", _("List")),
            ("asks_for", _("What it asks")),
            ("tag", _("Tag")),
            ("sites", _("Sites that may show it")),
        )
    ]


async def _pasted(work: Work, form: SignUpForm) -> list[dict[str, Any]]:
    """Give what is pasted into another site, in each language."""
    pasted = []
    for code, tongue in tongues():
        with speaking(code):
            pasted.append(
                {
                    "code": code,
                    "language": tongue,
                    "title": in_language(form.title),
                    "asked": await questions.asked_by(work, form),
                    "button": _("Join the roll"),
                    "address": _("Email address"),
                    "empty": _("Leave this empty"),
                    "blank": _("Please choose"),
                }
            )
    return pasted


async def _preview(request: Asked, work: Work, form: SignUpForm, code: str) -> Template:
    with speaking(code if code in LANGUAGES else LANGUAGES[0]):
        offer = await offered(work, form, visit_of(request).organisation)
        if offer is None:
            words = _("This form or its list is closed, so nobody can sign up by it.")
            return _in_frame(page(request, "admin/forms/unshown.html", words=words))
        known = await shown(work, offer, Typed(), {})
        return _in_frame(page(request, "admin/forms/preview.html", **known))


def _in_frame(answer: Template) -> Template:
    """Let a page of ours stand in a frame of ours; it can be looked at and not sent."""
    answer.headers["content-security-policy"] = _PREVIEW
    return answer


def _address(request: Asked, form: SignUpForm) -> str:
    return f"{visit_of(request).house.settings.public_url.rstrip('/')}/f/{form.slug}"


def _may_change(request: Asked, work: Work) -> bool:
    return account_of(request).may(Power.CHANGE_PEOPLE) and actions.may_make(work)


HANDLERS = [
    show_forms,
    show_new_form,
    make_form,
    preview_typed,
    show_form,
    save_form,
    preview_saved,
    close_form,
]
