"""Asks: the question, and what somebody answers to it straight from a mail.

Emails get passed on, so the page of an ask shows the ask, and nothing of the person whom its link
was made for: it looks the same before and after their yes. An answer leads to the page of the step
that it wrote (pledges.py), with its undo. Where it wrote none, because of what was answered before,
it leads to a page that thanks and says where the owner of the link finds what holds.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from litestar.response import Template
from markupsafe import Markup

from mailer.asks import choosing, pledging, reporting, store
from mailer.asks.model import Ask, AskState, Evidence, Pledge
from mailer.asks.pledging import Full
from mailer.asks.reminding.model import ASKING, REMINDING
from mailer.asks.stepping import AskClosed, DoneAlready, NotPledged
from mailer.content.markdown import literal
from mailer.followups.model import DUE_WITHIN, CaseKind
from mailer.kit import i18n
from mailer.kit.errors import Invalid
from mailer.kit.i18n import in_language, ngettext
from mailer.kit.tokens import LinkUnknown, Purpose
from mailer.relays import store as sending_rules
from mailer.tiers import store as ladder
from web.kit.errors import status_of
from web.kit.forms import Form, Tried, read_form
from web.kit.pages import redirect
from web.public.opening import Answer, Opened
from web.public.words import day, prose

FEW = 5
"""Fewer than these are not told in public: they could be counted on fingers, and named."""


AS_OF = timedelta(minutes=1)
"""So old may the number of those be who said yes."""


class AskShown(msgspec.Struct, frozen=True, kw_only=True):
    """An ask in the reader's language."""

    title: str
    text: Markup
    why: Markup
    takes: str
    by: str
    unit: str
    risk: Markup
    rights: Markup
    support_contact: str
    needs_support: bool
    wants_note: bool
    wants_link: bool
    is_verified: bool  # an organiser confirms what was done
    people: str
    least: str  # the level from which on it is asked for; empty: everybody
    support_within: str
    help_within: str

    @property
    def has_risk(self) -> bool:
        """Say whether something is to be read before the buttons."""
        return bool(self.risk or self.rights or self.support_contact)

    @property
    def has_fields(self) -> bool:
        """Say whether "done" has more to tell than that."""
        return bool(self.unit or self.wants_note or self.wants_link)


async def shown(link: Opened, ask: Ask) -> AskShown:
    """Say an ask in the reader's language, with the number of those who said yes to it."""
    zone = await sending_rules.zone(link.work)
    return AskShown(
        title=in_language(ask.title),
        text=_prose(ask.text),
        why=_prose(ask.why),
        takes=takes(ask.minutes),
        by=day(ask.deadline.astimezone(zone)) if ask.deadline else "",
        unit=in_language(ask.unit),
        risk=_prose(ask.risk),
        rights=_prose(ask.rights),
        support_contact=ask.support_contact,
        needs_support=ask.needs_support,
        wants_note=ask.evidence in {Evidence.NOTE, Evidence.VERIFIED},
        wants_link=ask.evidence in {Evidence.LINK, Evidence.VERIFIED},
        is_verified=ask.evidence is Evidence.VERIFIED,
        people=_people(await _yeses(link, ask)),
        least=await _least(link, ask),
        support_within=_within(CaseKind.SUPPORT),
        help_within=_within(CaseKind.BLOCKED),
    )


async def _least(link: Opened, ask: Ask) -> str:
    if ask.minimum_tier_no is None:
        return ""
    least = await ladder.by_no(link.work, ask.minimum_tier_no)
    return in_language(least.name) if least else ""


def _within(kind: CaseKind) -> str:
    """Say how soon an organiser is to have been in touch."""
    days = DUE_WITHIN[kind].days
    return ngettext("Within %(num)d day", "Within %(num)d days", days) % {"num": days}


def _prose(text: dict[str, str]) -> Markup:
    return prose(literal(in_language(text)), i18n.language.get())


def takes(minutes: int | None) -> str:
    """Say how long something takes; nothing where nobody said."""
    if minutes is None:
        return ""
    if minutes % 60 == 0:
        hours = minutes // 60
        return ngettext("%(num)s hour", "%(num)s hours", hours) % {"num": hours}
    return ngettext("%(num)s minute", "%(num)s minutes", minutes) % {"num": minutes}


async def _yeses(link: Opened, ask: Ask) -> int:
    """Count those who said yes, anew each minute: scanners open the links of a million mails."""
    counted: dict[int, tuple[datetime, int]] = link.request.app.state.setdefault("yeses", {})
    at, number = counted.get(ask.no, (None, 0))
    if at is None or link.work.now - at > AS_OF:
        number = await store.standing(link.work, ask.no)
        counted[ask.no] = link.work.now, number
    return number


def _people(number: int) -> str:
    if number < FEW:
        return ""
    return ngettext("%(num)s person said yes", "%(num)s people said yes", number) % {"num": number}


async def _ask(link: Opened) -> Ask:
    ask = await store.by_no(link.work, link.claim.subject)
    if ask is None or ask.state is AskState.DRAFT:
        raise LinkUnknown
    return ask


class Following(msgspec.Struct, frozen=True):
    """An ask that could be next."""

    title: str
    takes: str
    link: str


async def following(link: Opened) -> Following | None:
    """Give what the person of a link could do next."""
    best = await choosing.best_for(link.work, link.subscriber.no)
    if best is None:
        return None
    return Following(in_language(best.title), takes(best.minutes), link.link(Purpose.ASK, best.no))


# --- the question ---------------------------------------------------------------------------------


async def show_ask(link: Opened) -> Answer:
    """Show an ask, and ask whether to say yes to it; that it is over, where it is."""
    ask = await _ask(link)
    if not ask.is_open(link.work.now) or not ask.has_room(await _yeses(link, ask)):
        return await _over(link, ask)
    zone = await sending_rules.zone(link.work)
    dates = [
        ask.deadline + occasion.begins if ask.deadline else None for occasion in (REMINDING, ASKING)
    ]
    reminder, question = [day(one.astimezone(zone)) if one else "" for one in dates]
    return link.page(
        "public/asks/ask.html",
        ask=await shown(link, ask),
        reminder=reminder if dates[0] and dates[0] > link.work.now else "",
        question=question,
        done=link.link(Purpose.ASK_DONE, ask.no),
        help=link.link(Purpose.ASK_HELP, ask.no),
        decline=link.link(Purpose.ASK_DECLINE, ask.no),
        pause=link.link(Purpose.PAUSE),
    )


async def _over(link: Opened, ask: Ask, *, status: int = 200) -> Template:
    """Say that an ask takes no yes any more."""
    return link.page(
        "public/asks/over.html",
        status=status,
        ask=await shown(link, ask),
        is_full=ask.is_open(link.work.now),
        done=link.link(Purpose.ASK_DONE, ask.no),
    )


async def say_yes(link: Opened) -> str:
    """Say yes to the ask that the link names.

    One that takes no yes any more refuses before anybody's answer is looked at.
    """
    ask = await _ask(link)
    if not ask.is_open(link.work.now):
        raise AskClosed
    if ask.capacity is not None and not ask.has_room(await store.standing(link.work, ask.no)):
        raise Full
    pledge = await pledging.pledge(link.work, link.subscriber, ask, campaign_no=link.cause)
    return await after(link, pledge)


async def after(link: Opened, pledge: Pledge) -> str:
    """Lead to the page of the step that this very request wrote, with its undo.

    Who answers what was answered before learns nothing of that, and is given no undo of it: it may
    be somebody to whom the mail was passed on.
    """
    change = await store.last_change(link.work, pledge.no)
    if change is None or change.at != link.work.now:
        return link.noted
    return link.undo(Purpose.UNDO_PLEDGE, change.no)


async def show_noted(link: Opened) -> Answer:
    """Thank for an answer: the same page whatever it found."""
    return thanks(link, await _ask(link))


def thanks(link: Opened, ask: Ask) -> Template:
    """Thank for an answer to an ask, and say where its owner finds what holds."""
    return link.page("public/asks/noted.html", path=link.noted, title=in_language(ask.title))


async def show_done(link: Opened, **more: Any) -> Answer:
    """Ask whether an ask is done, with as much as somebody would like to say about it."""
    return await _asked(link, "public/asks/done.html", **more)


async def say_done(link: Opened) -> str:
    """Report as done what the link names, with what was typed about it."""
    return await tell_done(link, await _ask(link))


async def tell_done(link: Opened, ask: Ask) -> str:
    """Report an ask as done, with what was typed in the form."""
    form = await read_form(link.request)
    pledge = await reporting.report_done(
        link.work,
        link.subscriber,
        ask,
        amount=form.whole("amount"),
        note=form.text("note", limit=2 * reporting.LONGEST_NOTE),
        link=_whole_address(form.text("link", limit=2 * reporting.LONGEST_LINK)),
        campaign_no=link.cause,
    )
    return await after(link, pledge)


def _whole_address(typed: str) -> str:
    """Say what people leave out who type the address of a page."""
    return f"https://{typed}" if typed and "://" not in typed else typed


async def show_help(link: Opened, **more: Any) -> Answer:
    """Ask whether help is needed, and with what."""
    return await _asked(link, "public/asks/help.html", **more)


async def ask_for_help(link: Opened) -> str:
    """Ask for help with what the link names."""
    return await tell_help(link, await _ask(link))


async def tell_help(link: Opened, ask: Ask) -> str:
    """Ask for help with an ask, in the words of the form."""
    words = (await read_form(link.request)).text("words", limit=2 * reporting.LONGEST_NOTE)
    pledge = await reporting.need_help(
        link.work, link.subscriber, ask, words=words, campaign_no=link.cause
    )
    return await after(link, pledge)


async def show_decline(link: Opened, **more: Any) -> Answer:
    """Ask whether to be left alone with an ask."""
    return await _asked(link, "public/asks/decline.html", **more)


async def decline(link: Opened) -> str:
    """Leave the person of the link alone with the ask that it names."""
    pledge = await pledging.decline(
        link.work, link.subscriber, await _ask(link), campaign_no=link.cause
    )
    return await after(link, pledge)


async def _asked(
    link: Opened,
    template: str,
    *,
    typed: Form | None = None,
    errors: dict[str, str] | None = None,
) -> Template:
    ask = await _ask(link)
    return link.page(
        template,
        status=422 if errors else 200,
        ask=await shown(link, ask),
        page_of_ask=link.link(Purpose.ASK, ask.no),
        typed=typed.values if typed else {},
        errors=errors or {},
    )


# --- where an answer is refused -------------------------------------------------------------------


async def refused(
    link: Opened, tried: Tried, *, mend: Callable[..., Awaitable[Answer]] | None = None
) -> Answer:
    """Say why nothing was done; `mend` shows the form again, where something in it was wrong.

    What would tell of what somebody answered before is not said.
    """
    assert tried.refusal is not None
    if isinstance(tried.refusal, DoneAlready | NotPledged):
        return redirect(link.noted)
    if mend is not None and isinstance(tried.refusal, Invalid):
        return await mend(link, typed=await read_form(link.request), errors=tried.errors)
    if isinstance(tried.refusal, AskClosed | Full) and link.claim.purpose is Purpose.ASK:
        return await _over(link, await _ask(link), status=status_of(tried.refusal))
    return link.page(
        "public/asks/refused.html", status=status_of(tried.refusal), refusal=tried.words
    )
