"""Sign-up forms: a page of ours, a frame in another site, or plain HTML that another site posts.

What comes from anywhere but our own page is shown on our page first, filled in and with the words
to agree to; so nothing is written that somebody has not sent from there. The answer is that of the
join page: it tells nobody who is on the roll.
"""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Template
from litestar.types import ControllerRouterHandler

from mailer.consent import actions as consent
from mailer.forms import answering, stamping
from mailer.forms import store as forms
from mailer.forms.model import SignUpForm
from mailer.kit import i18n
from mailer.kit.addresses import read_address
from mailer.kit.errors import Refusal
from mailer.kit.i18n import LANGUAGES, _, in_language
from mailer.kit.work import Work
from web.kit.forms import attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import from_anywhere, network_of, public
from web.kit.sessions import Asked, visit_of
from web.kit.signing_up import Offer, Typed, offered, shown
from web.public.opening import Answer, leads_nowhere

_FRAMED = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
    " font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {sites}"
)


@get("/f/{slug:str}", opt=public)
async def show(
    request: Asked, work: NamedDependency[SkipValidation[Work]], slug: FromPath[str]
) -> Template:
    """Show a form."""
    _speak(request, request.query_params.get("in", ""))
    form = await forms.by_slug(work, slug)
    if form is None:
        return leads_nowhere(request)
    offer = await offered(work, form, visit_of(request).organisation)
    return await _page(request, work, offer, Typed()) if offer else _closed(request, form)


@get("/f/{slug:str}/frame", opt=public)
async def show_framed(
    request: Asked, work: NamedDependency[SkipValidation[Work]], slug: FromPath[str]
) -> Answer:
    """Show a form as a part of the sites that may have it, and of no other."""
    _speak(request, request.query_params.get("in", ""))
    form = await forms.by_slug(work, slug)
    if form is None or not form.may_be_embedded or not form.sites:
        return leads_nowhere(request)
    offer = await offered(work, form, visit_of(request).organisation)
    if offer is None:
        return _closed(request, form)
    shown = await _page(request, work, offer, Typed(), template="public/forms/frame.html")
    # Every site was read as an origin when it was named, so that it cannot end the directive.
    shown.headers["content-security-policy"] = _FRAMED.format(sites=" ".join(form.sites))
    return shown


@post("/f/{slug:str}", opt=from_anywhere, status_code=200)
async def sign_up(
    request: Asked, work: NamedDependency[SkipValidation[Work]], slug: FromPath[str]
) -> Answer:
    """Note a sign-up from our own page; show our own page to everything else."""
    sent = await read_form(request)
    _speak(request, sent.raw("in")[:20])
    form = await forms.by_slug(work, slug)
    if form is None:
        return leads_nowhere(request)
    offer = await offered(work, form, visit_of(request).organisation)
    if offer is None:
        return _closed(request, form)
    typed = Typed.in_form(sent, offer.asked)
    if typed.trapped or not stamping.is_fresh(work, form, typed.stamp):
        return await _page(request, work, offer, typed, look=True)
    if errors := await _wrong(work, offer, typed):
        return await _page(request, work, offer, typed, errors=errors)
    async with attempt(work) as tried:
        await consent.note_sign_up(work, network_of(request))
        confirmation = await answering.sign_up(
            work,
            form,
            address=typed.address,
            typed=typed.answers,
            language=i18n.language.get(),
            wording=offer.wording,
        )
    if isinstance(tried.refusal, consent.TooManySignUps):
        return await _page(request, work, offer, typed, busy=tried.words)
    if tried.refusal is not None:
        return await _page(request, work, offer, typed, errors=tried.errors)
    return redirect(f"/join/{confirmation.uid}?by={form.slug}")


def _speak(request: Asked, wanted: str) -> None:
    """Speak the language that the site asks for around the form, unless the reader chose one."""
    if wanted in LANGUAGES and "language" not in request.cookies:
        i18n.language.set(wanted)


async def _wrong(work: Work, offer: Offer, typed: Typed) -> dict[str, str]:
    """Say all at once what is missing."""
    errors = {}
    try:
        read_address(typed.address)
    except Refusal as refusal:
        errors["address"] = refusal.said()
    errors |= await answering.wrong_answers(work, offer.form, typed.answers)
    if not typed.agreed:
        errors["agreed"] = _("Tick the box if you want our emails. Without your yes we send none.")
    elif typed.shown != offer.mark(work):
        errors["agreed"] = _("These words have changed since you opened the page. Read them again.")
    return errors


async def _page(
    request: Asked,
    work: Work,
    offer: Offer,
    typed: Typed,
    *,
    errors: dict[str, str] | None = None,
    look: bool = False,
    busy: str = "",
    template: str = "public/forms/form.html",
) -> Template:
    return page(
        request,
        template,
        status=429 if busy else 422 if errors else 200,
        path=f"/f/{offer.form.slug}",  # where a choice of language leads back to, also after a POST
        look=look,
        busy=busy,
        **await shown(work, offer, typed, errors or {}),
    )


def _closed(request: Asked, form: SignUpForm) -> Template:
    return page(request, "public/forms/closed.html", status=410, title=in_language(form.title))


HANDLERS: list[ControllerRouterHandler] = [
    show,
    show_framed,
    sign_up,
]
