"""Joining: the form, the page that waits for the mail, and the yes of whoever owns the address.

The answer to the form is the same for an address that is on the roll and for one that is not, so
that nobody can find out who is. What the page waits for, the link or the six digits in the mail, is
known to the owner of the address alone.
"""

from datetime import timedelta
from typing import Any

import msgspec
from babel.numbers import format_decimal
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Redirect, Template
from litestar.types import ControllerRouterHandler

from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent.actions import CodeSpent
from mailer.consent.model import Confirmation, MailingList, SubscriptionState
from mailer.forms import answering
from mailer.forms import store as forms
from mailer.groups import store as groups
from mailer.kit import i18n
from mailer.kit.addresses import read_address
from mailer.kit.errors import Conflict, Refusal
from mailer.kit.i18n import _, in_language, ngettext
from mailer.kit.orm import Localised
from mailer.kit.tokens import LinkUnknown, Purpose
from mailer.kit.work import Work
from mailer.organisation.model import Organisation
from mailer.tiers import joining as tiers_joining
from mailer.tiers import store as tiers
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import Onward, page, redirect
from web.kit.security import network_of, public
from web.kit.sessions import Asked, visit_of
from web.public import asks
from web.public.opening import Answer, Opened, leads_nowhere
from web.public.words import Level, agreement, levels_of, listed, mark_of

COUNT_EVERY = timedelta(minutes=10)
ENOUGH_TO_SAY = 50
"""Fewer people than this are not counted in public: the number would grow by one who is known."""


class LeftSince(Conflict):
    """You have left since this email was sent. Join again whenever you like."""


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody typed into the form: kept when it has to be mended. Nothing is pre-chosen."""

    tier: str = ""
    list: str = ""
    address: str = ""
    first_name: str = ""
    language: str = ""
    group: str = ""
    agreed: bool = False
    shown: str = ""  # the mark of the words beside the box

    @classmethod
    def in_form(cls, form: Form) -> "Typed":
        """Take what a form holds, however long it is: what is wrong with it is said later."""
        sent = form.values
        return cls(
            tier=sent.get("tier", ""),
            list=sent.get("list", ""),
            address=sent.get("address", "").strip(),
            first_name=sent.get("first_name", "").strip(),
            language=sent.get("language", ""),
            group=sent.get("group", "").strip(),
            agreed=form.flag("agreed"),
            shown=sent.get("shown", ""),
        )


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What can be joined: the levels, and the lists that are open to all."""

    organisation: Organisation
    levels: list[Level]
    lists: list[MailingList]

    def chosen(self, slug: str) -> MailingList | None:
        """Give the list that was chosen; where there is only one it need not be."""
        if len(self.lists) == 1:
            return self.lists[0]
        return next((one for one in self.lists if one.slug == slug), None)

    def wording(self, one: MailingList | None) -> str:
        """Give the words beside the box; with several lists each says its own part of them."""
        if one is None:
            return ""
        return agreement(self.organisation, one, self.levels)


async def offer(request: Asked, work: Work) -> Offer:
    """Find what can be joined."""
    return Offer(
        organisation=visit_of(request).organisation,
        levels=levels_of(await tiers.ladder(work)),
        lists=list(await consents.lists(work, public_only=True)),
    )


@get("/", opt=public)
async def front() -> Redirect:
    """Begin with joining."""
    return Redirect("/join", status_code=303)


@get("/join", opt=public)
async def form(request: Asked, work: NamedDependency[SkipValidation[Work]]) -> Template:
    """Show the form."""
    return await _form(request, work, await offer(request, work), Typed())


@post("/join", opt=public, status_code=200)
async def join(request: Asked, work: NamedDependency[SkipValidation[Work]]) -> Answer:
    """Note a sign-up and ask for the owner's word by mail."""
    typed = Typed.in_form(await read_form(request))
    offered = await offer(request, work)
    chosen = offered.chosen(typed.list)
    errors = _wrong(work, offered, typed, chosen)
    if errors or chosen is None:
        return await _form(request, work, offered, typed, errors)
    async with attempt(work) as tried:
        await consent.note_sign_up(work, network_of(request))
        confirmation = await tiers_joining.sign_up(
            work,
            address=typed.address,
            first_name=typed.first_name,
            language=typed.language,
            tier_slug=typed.tier,
            list_slug=chosen.slug,
            group_name=typed.group,
            wording=offered.wording(chosen),
        )
    if isinstance(tried.refusal, consent.TooManySignUps):
        return await _form(request, work, offered, typed, busy=tried.words)
    if tried.refusal is not None:
        return await _form(request, work, offered, typed, tried.errors)
    return redirect(f"/join/{confirmation.uid}")


def _wrong(work: Work, offered: Offer, typed: Typed, chosen: MailingList | None) -> dict[str, str]:
    """Say all at once what is missing; what the verb finds beyond that is one thing more."""
    errors = {}
    if typed.tier not in {level.slug for level in offered.levels}:
        errors["tier"] = _("Choose a level. Every one is useful, and you can change it later.")
    if chosen is None:
        errors["list"] = _("Choose what you want to hear about.")
    try:
        read_address(typed.address)
    except Refusal as refusal:
        errors["address"] = refusal.said()
    if not typed.agreed:
        errors["agreed"] = _("Tick the box if you want our emails. Without your yes we send none.")
    elif typed.shown != _mark(work, offered):
        errors["agreed"] = _("These words have changed since you opened the page. Read them again.")
    return errors


def _mark(work: Work, offered: Offer) -> str:
    """Mark all that somebody may agree to on this page, whichever list they choose."""
    return mark_of(work, "\n".join(offered.wording(one) for one in offered.lists))


async def _form(
    request: Asked,
    work: Work,
    offered: Offer,
    typed: Typed,
    errors: dict[str, str] | None = None,
    *,
    busy: str = "",
) -> Template:
    organisation = offered.organisation
    headline = in_language(organisation.headline) or _("Nobody wins alone.")
    if not offered.lists or not offered.levels:
        return page(request, "public/joining/closed.html", headline=headline)
    mark = _mark(work, offered)
    if typed.shown != mark:
        typed = msgspec.structs.replace(typed, agreed=False)
    return page(
        request,
        "public/joining/join.html",
        status=429 if busy else 422 if errors else 200,
        busy=busy,
        headline=headline,
        lede=in_language(organisation.lede)
        or _("Join people who do one concrete thing at a time. You choose how far to go."),
        counts=await _counts(request, work),
        levels=offered.levels,
        approved=listed([level.name for level in offered.levels if level.needs_approval]),
        lists=[(one.slug, in_language(one.name), offered.wording(one)) for one in offered.lists],
        agreement=offered.wording(offered.lists[0])
        if len(offered.lists) == 1
        else _("Yes. I agree to what stands beside the list that I chose."),
        shown=mark,
        groups=list(await groups.names(work)),
        form=typed
        if typed.language
        else msgspec.structs.replace(typed, language=i18n.language.get()),
        errors=errors or {},
    )


async def _counts(request: Asked, work: Work) -> list[str]:
    """Say how many we are, if we are many."""
    people = await _how_many(request, work)
    if people < ENOUGH_TO_SAY:
        return []
    said = ngettext("%(people)s person on the roll", "%(people)s people on the roll", people)
    return [said % {"people": format_decimal(people, locale=i18n.language.get())}]


async def _how_many(request: Asked, work: Work) -> int:
    """Count those who are on the roll, at most every ten minutes.

    Counting a million takes seconds, and the page is open to every stranger.
    """
    known = request.app.state.get("people_on_the_roll")
    if known is None or work.now - known[0] > COUNT_EVERY:
        known = (work.now, sum((await tiers.counts(work)).values()))
        request.app.state["people_on_the_roll"] = known
    people: int = known[1]
    return people


@get("/join/{uid:str}", opt=public)
async def wait(
    request: Asked, work: NamedDependency[SkipValidation[Work]], uid: FromPath[str]
) -> Template:
    """Say that a mail is on its way, and take its six digits."""
    joined = await _list_of(work, uid)
    return await _wait(request, work, uid, joined) if joined else leads_nowhere(request)


async def _list_of(work: Work, uid: str) -> MailingList | None:
    """Give the list that a sign-up is for; None if there is no such sign-up."""
    confirmation = await consents.confirmation_by_uid(work, uid)
    return await consents.list_by_no(work, confirmation.list_no) if confirmation else None


async def _wait(
    request: Asked, work: Work, uid: str, joined: MailingList, *, spent: str = "", **errors: str
) -> Template:
    """Say what comes next. Of the sign-up it tells only which list it was for.

    The form that one came by stands in the address: of a sign-up it is known for some people only.
    """
    form = await forms.by_slug(work, request.query_params.get("by", "")[:60])
    return page(
        request,
        "public/joining/check_mail.html",
        status=422 if errors else 409 if spent else 200,
        path=f"/join/{uid}",  # where a choice of language leads back to, also after a POST
        uid=uid,
        by=form.slug if form else "",
        at_once=not joined.double_opt_in,
        landing=_paragraphs(joined.landing) if not joined.double_opt_in else [],
        spent=spent,
        errors=errors,
    )


@post("/join/{uid:str}/code", opt=public, status_code=200)
async def type_code(
    request: Asked, work: NamedDependency[SkipValidation[Work]], uid: FromPath[str]
) -> Template | Onward:
    """Take the six digits as the owner's word."""
    code = (await read_form(request)).raw("code")[:40]
    joined = await _list_of(work, uid)
    if joined is None:
        return leads_nowhere(request)
    try:
        confirmation = await answering.confirm_by_code(work, uid, code)
    except CodeSpent as refusal:
        return await _wait(request, work, uid, joined, spent=refusal.said())
    except Refusal as refusal:
        return await _wait(request, work, uid, joined, code=refusal.said())
    return redirect(_confirmed(work, confirmation), notice=_("Done."))


def _confirmed(work: Work, confirmation: Confirmation) -> str:
    """Give the page that says so: one that only whoever knew the code or the link can open."""
    token = work.signer.token(
        Purpose.CONFIRM, confirmation.subscriber_no or 0, now=work.now, subject=confirmation.no
    )
    return f"/l/{token}"


# --- the link in the mail ------------------------------------------------------------------------


async def show_confirmation(link: Opened) -> Answer:
    """Ask whether it was they who signed up; once they have said yes, say that they are in."""
    confirmation = await _its_confirmation(link)
    if confirmation.confirmed_at is not None:
        return await _show_welcome(link, confirmation)
    return link.page(
        "public/joining/confirm.html",
        declined=confirmation.declined_at is not None,
        will_remind=confirmation.remind_at is not None and confirmation.reminded_at is None,
        **await _joined(link, confirmation),
    )


async def _its_confirmation(link: Opened) -> Confirmation:
    """Find the sign-up that a link is about; it must be one of this person's."""
    confirmation = await consents.confirmation_by_no(link.work, link.claim.subject)
    if confirmation is None or confirmation.subscriber_no != link.subscriber.no:
        raise LinkUnknown
    return confirmation


async def _show_welcome(link: Opened, confirmation: Confirmation) -> Answer:
    standing = {
        one.list_no: one.state
        for one in await consents.subscriptions_of(link.work, link.subscriber.no)
    }
    if standing.get(confirmation.list_no) != SubscriptionState.CONFIRMED:
        return link.page("public/links/refused.html", status=409, refusal=LeftSince().said())
    wish = await tiers.standing_request(link.work, link.subscriber.no)
    levels, _here = await link.ladder()
    wished = next((one.name for one in levels if wish and one.no == wish.tier_no), "")
    shown = await _joined(link, confirmation)
    words = await _welcome_words(link.work, confirmation)
    # Only on the way here: later it would tell what they answered to whoever got the mail since.
    just_now = confirmation.confirmed_at is not None and link.is_just_now(confirmation.confirmed_at)
    first = await asks.following(link) if just_now else None
    return link.page(
        "public/joining/on_the_roll.html", wished=wished, words=words, first=first, **shown
    )


async def _welcome_words(work: Work, confirmation: Confirmation) -> list[str]:
    """Give what organisers say to somebody who has just joined: by this form, or to this list."""
    form = await forms.by_no(work, confirmation.form_no) if confirmation.form_no else None
    joined = await consents.list_by_no(work, confirmation.list_no)
    thanks = _paragraphs(form.thanks) if form else []
    return thanks or (_paragraphs(joined.landing) if joined else [])


def _paragraphs(text: Localised) -> list[str]:
    return [part for part in in_language(text).split("\n\n") if part]


async def _joined(link: Opened, confirmation: Confirmation) -> dict[str, Any]:
    levels, here = await link.ladder()
    joined = await consents.list_by_no(link.work, confirmation.list_no)
    return {
        "level": here,
        "rungs": [one.name for one in levels],
        "list_name": in_language(joined.name) if joined else "",
        "wording": confirmation.wording,
    }


async def confirm(link: Opened) -> str:
    """Take the press of the button as the owner's word."""
    await _its_confirmation(link)
    await answering.confirm(link.work, link.claim.subject)
    return link.here


async def decline(link: Opened) -> str:
    """Take the press of the third button: no reminder is sent. The page asks on."""
    await _its_confirmation(link)
    await consent.decline(link.work, link.claim.subject)
    return link.here


HANDLERS: list[ControllerRouterHandler] = [
    front,
    form,
    join,
    wait,
    type_code,
]
