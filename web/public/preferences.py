"""One's own place: as a mail leads to it, with nothing private on it, and from a private link.

A private link is short-lived and goes to the address on the roll, when asked for. It shows a person
to themselves, all that we hold, and its buttons act at once; each of them brings the link along,
which is the only credential here.
"""

from collections.abc import Awaitable, Callable

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import Template
from litestar.types import ControllerRouterHandler

from mailer.asks import fresh_links
from mailer.consent import actions as consent
from mailer.consent import private_links, seldom, urgency
from mailer.consent import store as consents
from mailer.consent.model import MailingList, Subscription, SubscriptionState
from mailer.groups import store as groups
from mailer.kit import i18n
from mailer.kit.addresses import read_address
from mailer.kit.errors import Conflict, Invalid, NotFound
from mailer.kit.i18n import _, in_language
from mailer.kit.tokens import LIVES, LinkExpired, LinkUnknown, Purpose
from mailer.kit.work import Work
from mailer.records import actions as records
from mailer.subscribers import actions as subscribers
from mailer.subscribers import reading
from mailer.subscribers import store as subscriber_store
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.actions import Moved, Requested, Unchanged
from mailer.tiers.model import Source
from web.kit import writing
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import member_link, public
from web.kit.sessions import Asked, visit_of
from web.public import answered, knowing
from web.public.opening import (
    PAUSE_DAYS,
    Answer,
    Opened,
    at_the_door,
    claim_of,
    leads_nowhere,
    minutes,
    no_button,
    owner_of,
)
from web.public.tiers import newest_move
from web.public.words import Level, agreement, day, mark_of

PRIVATE_MINUTES = minutes(LIVES[Purpose.PRIVATE])


class LevelUnknown(NotFound):
    """There is no such level any more. Please choose again."""


class ListUnknown(NotFound):
    """There is no such list any more."""


class WordsChanged(Conflict):
    """The words that you would agree to have changed. Please read them again."""


class LanguageUnknown(Invalid):
    """We do not write in this language."""


# --- from a mail ---------------------------------------------------------------------------------


async def show_mailed(link: Opened) -> Answer:
    """Show the levels, the break and the way out; what is private stays closed."""
    levels, here = await link.ladder()
    return link.page(
        "public/preferences/mailed.html",
        levels=levels,
        here=here,
        next_up=_next_up(levels, here),
        steps={one.slug: link.link(Purpose.TIER, one.no) for one in levels},
        pause=link.link(Purpose.PAUSE),
        leave=link.link(Purpose.UNSUBSCRIBE),
        days=PAUSE_DAYS,
        back_on=day(link.pause_ends),
        minutes=PRIVATE_MINUTES,
    )


def _next_up(levels: list[Level], here: Level | None) -> str:
    """Name the level above the one that holds: the step that its page suggests."""
    above = levels[levels.index(here) + 1 :] if here is not None else []
    return above[0].slug if above else ""


# --- asking for a private link -------------------------------------------------------------------


@get("/my", opt=public)
async def ask_for_link(request: Asked) -> Template:
    """Show where one gets a private link."""
    return _ask(request)


def _ask(request: Asked, typed: str = "", errors: dict[str, str] | None = None) -> Template:
    return page(
        request,
        "public/preferences/ask.html",
        status=422 if errors else 200,
        address=typed,
        errors=errors or {},
        minutes=PRIVATE_MINUTES,
    )


@post("/my", opt=public, status_code=200)
async def send_link(request: Asked, work: NamedDependency[SkipValidation[Work]]) -> Answer:
    """Send a private link to an address, if it is on the roll; the answer never tells."""
    typed = (await read_form(request)).values.get("address", "")
    async with attempt(work) as tried:
        address = read_address(typed)
        subscriber = await subscriber_store.by_address(work, address)
        if subscriber is not None:
            await private_links.send(work, subscriber)
    if tried.refusal is not None:
        return _ask(request, typed, tried.errors)
    return redirect("/my/sent")


@post("/l/{token:str}/private", opt=member_link, status_code=200)
async def send_link_to_owner(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Send a fresh link to whoever a link was made for, also when that link has run out.

    It is a private one; in place of one to confirm, or of one that has run out to an ask that goes
    on, it is another of those. The answer is the same whether any was due.
    """
    has_run_out = False
    try:
        claim = work.signer.read(token, *Purpose, now=work.now)
    except LinkExpired as refusal:
        claim, has_run_out = claim_of(refusal), True
    except LinkUnknown:
        return leads_nowhere(request)
    subscriber = await owner_of(work, claim)
    if subscriber is None:
        return leads_nowhere(request)
    if (await read_form(request)).text("answer") != "send":
        return redirect(f"/l/{token}", notice=no_button(), kind="info")
    if claim.purpose is Purpose.CONFIRM:
        async with attempt(work):
            await consent.renew(work, claim.subject)
    elif has_run_out and await fresh_links.leads_on(work, claim):
        await fresh_links.send(work, subscriber, claim)
    else:
        await private_links.send(work, subscriber)
    return redirect("/my/sent")


@get("/my/sent", opt=public)
async def link_is_sent(request: Asked) -> Template:
    """Say that a link is on its way, if the address is on the roll."""
    return page(request, "public/preferences/sent.html", minutes=PRIVATE_MINUTES)


# --- from a private link -------------------------------------------------------------------------


class ListShown(msgspec.Struct, frozen=True, kw_only=True):
    """A list, and how its reader stands to it."""

    slug: str
    name: str
    about: str
    state: str
    is_on: bool
    only_urgent: bool
    goes_with_level: bool
    wording: str
    shown: str


class Line(msgspec.Struct, frozen=True):
    """Something in somebody's record, and the day of it."""

    words: str
    when: str


async def show_private(link: Opened) -> Answer:
    """Show a person to themselves."""
    return await _private(link)


async def _private(
    link: Opened, *, typed: Form | None = None, errors: dict[str, str] | None = None
) -> Template:
    work, person = link.work, link.subscriber
    levels, here = await link.ladder()
    wish = await ladder.standing_request(work, person.no)
    suggested = await ladder.suggested(work, person.no)
    question = await ladder.standing_question(work, person.no)
    expires_at = link.claim.expires_at
    return link.page(
        "public/preferences/private.html",
        status=422 if errors else 200,
        person=person,
        levels=levels,
        here=here,
        next_up=_next_up(levels, here),
        wished=next((one.name for one in levels if wish and one.no == wish.tier_no), ""),
        suggested=in_language(suggested[1].name) if suggested else "",
        suggestion=link.link(Purpose.SUGGESTION, suggested[0].no) if suggested else "",
        lists=await _lists(link, levels, here),
        forms=writing.forms(),
        paces=writing.paces(here.often if here else ""),
        groups=[group.name for group in await groups.of(work, person.no)],
        agreed=[
            Line(one.wording, day(one.at))
            for one in await consents.records_of(work, person.no)
            if one.given and one.wording
        ],
        history=[Line(one.words, day(one.at)) for one in await records.timeline(work, person)],
        since=day(person.joined_at),
        closes_in=minutes(expires_at - work.now) if expires_at else PRIVATE_MINUTES,
        paused_until=day(person.paused_until)
        if person.paused_until and person.is_paused(work.now)
        else None,
        back_on=day(link.pause_ends),
        days=PAUSE_DAYS,
        leave=link.link(Purpose.UNSUBSCRIBE),
        stay=link.link(Purpose.STAY, question.no) if question else "",
        moved=await newest_move(link),
        **await answered.shown(link),
        **await knowing.shown(link, typed),
        form={
            "address": "",
            "other_address": "",
            **_details(link),
            **await _writing(link),
            **(typed.values if typed else {}),
        },
        errors=errors or {},
    )


def _details(link: Opened) -> dict[str, str]:
    person = link.subscriber
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "city": person.city,
        "language": i18n.known(person.language),
    }


async def _writing(link: Opened) -> dict[str, str]:
    asked = await consents.at_most_of(link.work, link.subscriber.no)
    return {
        "mail_form": link.subscriber.mail_form.value,
        "pace": asked.pace.value if asked else seldom.AS_THE_LEVEL_SAYS,
    }


async def _lists(link: Opened, levels: list[Level], here: Level | None) -> list[ListShown]:
    """Give the lists that anybody may choose, and those others that they are on."""
    go_with = here.list_nos if here else ()
    standing = {
        one.list_no: one for one in await consents.subscriptions_of(link.work, link.subscriber.no)
    }
    urgent = {one.list_no for one in await consents.only_urgent_of(link.work, link.subscriber.no)}
    return [
        _list_shown(
            link,
            one,
            standing.get(one.no),
            levels,
            only_urgent=one.no in urgent,
            goes_with_level=one.no in go_with,
        )
        for one in await consents.lists(link.work)
        if one.is_public or one.no in standing
    ]


def _list_shown(
    link: Opened,
    one: MailingList,
    standing: Subscription | None,
    levels: list[Level],
    *,
    only_urgent: bool,
    goes_with_level: bool,
) -> ListShown:
    words = agreement(visit_of(link.request).organisation, one, levels)
    return ListShown(
        slug=one.slug,
        name=in_language(one.name),
        about=in_language(one.about),
        state=standing.state.value if standing else "",
        is_on=standing is not None and standing.state == SubscriptionState.CONFIRMED,
        only_urgent=only_urgent,
        goes_with_level=goes_with_level,
        wording=words,
        shown=mark_of(link.work, words),
    )


Change = Callable[[Opened, Form], Awaitable[str]]
"""What a form of the private page does; it gives the words that say so."""

_ANSWERS = frozenset({"save", "send", "withdraw", "begin", "over"})
_BUTTONS = ("level", "on", "take_back")  # what each of these says is read by what it does


def _is_pressed(form: Form) -> bool:
    """Say whether one of the buttons of the page was pressed, by its name and what it says."""
    return form.raw("answer") in _ANSWERS or any(form.raw(name) for name in _BUTTONS)


async def done_through(request: Asked, work: Work, token: str, change: Change) -> Answer:
    """Do what a form of the private page says and show the page again.

    Scanners send forms with whatever they like in them: without one of its buttons it does nothing.
    """

    async def then(link: Opened) -> Answer:
        form = await read_form(link.request)
        if not _is_pressed(form):
            return redirect(link.here, notice=no_button(), kind="info")
        async with attempt(link.work) as tried:
            said = await change(link, form)
        if tried.refusal is not None:
            return await _private(link, typed=form, errors=tried.errors)
        return redirect(link.here, notice=said)

    return await at_the_door(request, work, token, then, Purpose.PRIVATE)


@post("/my/{token:str}/level", opt=member_link, status_code=200)
async def change_level(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Step to another level."""
    return await done_through(request, work, token, _level)


async def _level(link: Opened, form: Form) -> str:
    tier = await ladder.by_slug(link.work, form.text("level"))
    if tier is None:
        raise LevelUnknown
    outcome = await tiers.step(link.work, link.subscriber, tier, source=Source.SELF_FORM)
    named = {"level": in_language(tier.name)}
    match outcome:
        case Requested():
            return _("You have asked for the level %(level)s.") % named
        case Moved() | Unchanged():
            return _("Your level is now %(level)s.") % named


@post("/my/{token:str}/wish", opt=member_link, status_code=200)
async def take_wish_back(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Take back the wish for a level that an organiser has not answered yet."""
    return await done_through(request, work, token, _no_wish)


async def _no_wish(link: Opened, form: Form) -> str:
    wish = await ladder.standing_request(link.work, link.subscriber.no)
    if wish is None or form.text("answer") != "withdraw":
        return _("Nothing has changed.")
    await tiers.withdraw_request(link.work, wish)
    return _("Your wish is taken back.")


@post("/my/{token:str}/lists", opt=member_link, status_code=200)
async def change_list(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Join a list, which is confirmed by mail, or leave one."""
    return await done_through(request, work, token, _list)


async def _list(link: Opened, form: Form) -> str:
    chosen = await consents.list_by_slug(link.work, form.text("list"))
    if chosen is None:
        raise ListUnknown
    named = {"list": in_language(chosen.name)}
    match form.text("on"):
        case "no":
            await consent.unsubscribe(link.work, link.subscriber, list_no=chosen.no)
            return _("You are off the list %(list)s.") % named
        case "urgent":
            await urgency.hear_only_urgent(link.work, link.subscriber, chosen)
            return _("Of the list %(list)s you get only what is urgent.") % named
        case "all":
            await urgency.hear_all(link.work, link.subscriber, chosen)
            return _("You get all of the list %(list)s.") % named
        case "yes" if chosen.is_public:
            is_asked = await _agree(link, chosen, shown=form.text("shown"))
            if is_asked:
                return _("We have sent you an email to confirm the list %(list)s.") % named
            return _("You are on the list %(list)s.") % named
        case _:
            return _("Nothing has changed.")


async def _agree(link: Opened, chosen: MailingList, *, shown: str) -> bool:
    """Agree to a list; say whether its letter must be answered first."""
    levels, _here = await link.ladder()
    words = agreement(visit_of(link.request).organisation, chosen, levels)
    if shown != mark_of(link.work, words):
        raise WordsChanged
    asked = await consent.agree(
        link.work, link.subscriber, chosen, wording=words, language=i18n.language.get()
    )
    return asked is not None and asked.confirmed_at is None


@post("/my/{token:str}/writing", opt=member_link, status_code=200)
async def change_writing(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Choose how often at most one is written to, and how the emails are written."""
    return await done_through(request, work, token, _save_writing)


async def _save_writing(link: Opened, form: Form) -> str:
    is_rarer = await seldom.hear_at_most(link.work, link.subscriber, form.text("pace"))
    is_other = await reading.write_as(link.work, link.subscriber, form.text("mail_form"))
    return _("Saved.") if is_rarer or is_other else _("Nothing has changed.")


@post("/my/{token:str}/details", opt=member_link, status_code=200)
async def change_details(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Change name, town and language."""
    return await done_through(request, work, token, _save_details)


async def _save_details(link: Opened, form: Form) -> str:
    language = form.text("language")
    if language not in i18n.LANGUAGES:
        raise LanguageUnknown(field="language")
    await subscribers.change_details(
        link.work,
        link.subscriber,
        first_name=form.text("first_name"),
        last_name=form.text("last_name"),
        city=form.text("city"),
        language=language,
    )
    return _("Saved.")


@post("/my/{token:str}/address", opt=member_link, status_code=200)
async def change_address(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Ask at a new address whether it is theirs."""
    return await done_through(request, work, token, _ask_at_new_address)


async def _ask_at_new_address(link: Opened, form: Form) -> str:
    await subscribers.ask_address_change(link.work, link.subscriber, form.text("address"))
    return _("We have written to the new address. Say yes there, and it takes effect.")


@post("/my/{token:str}/break", opt=member_link, status_code=200)
async def change_break(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Take a break, or end one."""
    return await done_through(request, work, token, _break)


async def _break(link: Opened, form: Form) -> str:
    match form.text("answer"):
        case "begin":
            until = await subscribers.pause(link.work, link.subscriber, days=PAUSE_DAYS)
            return _("We are quiet until %(day)s.") % {"day": day(until)}
        case "over":
            await subscribers.resume(link.work, link.subscriber)
            return _("The pause is over.")
        case _:
            return _("Nothing has changed.")


HANDLERS: list[ControllerRouterHandler] = [
    ask_for_link,
    send_link,
    link_is_sent,
    send_link_to_owner,
    change_level,
    take_wish_back,
    change_list,
    change_writing,
    change_details,
    change_address,
    change_break,
]
