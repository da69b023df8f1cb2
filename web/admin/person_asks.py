"""Answers to asks that an organiser writes down: for people who phone, or have no address.

Each is said by the same verb as if they had answered themselves; the timeline names the organiser.
"""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.asks import pledging, reporting, undoing
from mailer.asks import store as asks
from mailer.asks.model import Ask, Pledge
from mailer.kit.errors import Invalid
from mailer.kit.i18n import _, in_language
from mailer.kit.work import Work
from mailer.records import actions as records
from mailer.records.store import Person
from mailer.relays import store as sending_rules
from mailer.subscribers.model import Subscriber
from web.admin import ask_words, pledges
from web.admin.ask_words import lines_of
from web.admin.asks import AskUnknown, ask_at
from web.admin.asks import at as at_ask
from web.admin.campaigns import Working
from web.admin.days import day_of
from web.admin.looking import note_look
from web.admin.people import at, called
from web.admin.person import changed
from web.kit.errors import status_of
from web.kit.forms import Form, Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked


class AskNeeded(Invalid):
    """Please choose what they said yes to."""


@post("/people/{uid:str}/asks", opt=gated(Power.CHANGE_PEOPLE))
async def note_yes(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Write down that somebody says yes to an ask."""
    form = await read_form(request)

    async def change(person: Person) -> str:
        ask = await asks.by_uid(work, form.text("ask"))
        if ask is None:
            raise AskNeeded(field="ask")
        try:
            await pledging.pledge(work, person.subscriber, ask)
        except (pledging.Full, pledging.TierTooLow) as refusal:
            refusal.facts["field"] = "ask"
            raise
        return _("Noted: they say yes to “%(ask)s”.") % {"ask": in_language(ask.title)}

    return await changed(request, work, uid, form, change)


@get("/people/{uid:str}/asks/{ask:str}", opt=gated(Power.CHANGE_PEOPLE), before_request=note_look)
async def show_answer(
    request: Asked, work: Working, uid: FromPath[str], ask: FromPath[str]
) -> Template:
    """Show what somebody answered to an ask, and take down another answer."""
    person = (await records.person(work, uid)).subscriber
    return await _answer_page(request, work, person, await ask_at(work, ask), {}, Tried())


@post("/people/{uid:str}/asks/{ask:str}", opt=gated(Power.CHANGE_PEOPLE))
async def note_answer(
    request: Asked, work: Working, uid: FromPath[str], ask: FromPath[str]
) -> Response[Any]:
    """Write down what somebody says of an ask, or take the last answer back."""
    person = (await records.person(work, uid)).subscriber
    asked = await ask_at(work, ask)
    form = await read_form(request)
    told = ""
    async with attempt(work) as tried:
        told = await _answered(work, person, asked, form)
    if tried.refusal:
        return await _answer_page(request, work, person, asked, form.values, tried)
    back = _here(person, asked)
    if not told:
        return redirect(back, notice=_("Nothing has changed."), kind="info")
    return redirect(back, notice=told)


async def _answered(work: Work, person: Subscriber, ask: Ask, form: Form) -> str:
    """Do what the button says, and say what was done; nothing where none is named."""
    match form.raw("answer"):
        case "pledge":
            await pledging.pledge(work, person, ask)
            return _("Noted: they say yes.")
        case "done":
            await reporting.report_done(
                work,
                person,
                ask,
                amount=form.whole("amount"),
                note=form.raw("note"),
                link=form.raw("link"),
            )
            return _("Noted: it is done.")
        case "later":
            zone = await sending_rules.zone(work)
            await reporting.not_yet(work, person, ask, until=day_of(form, "until"), zone=zone)
            return _("Noted: not yet. They are asked again.")
        case "help":
            await reporting.need_help(work, person, ask, words=form.raw("words"))
            return _("Noted: they need help. It waits among the follow-ups.")
        case "decline":
            await pledging.decline(work, person, ask)
            return _("Noted: it is not for them.")
        case "withdraw":
            await pledging.withdraw(work, person, ask)
            return _("Noted: they take their yes back.")
        case "undo":
            await undoing.undo(work, form.whole("change") or 0, subscriber=person)
            return _("Undone.")
        case _:
            return ""


async def _answer_page(
    request: Asked,
    work: Work,
    person: Subscriber,
    ask: Ask,
    typed: dict[str, str],
    tried: Tried,
) -> Template:
    pledge = await asks.pledge_of(work, person.no, ask.no)
    if pledge is None and not ask.is_open(work.now) and not tried.refusal:
        raise AskUnknown
    last = await asks.last_change(work, pledge.no) if pledge else None
    labels = {
        "amount": _("How many"),
        "note": _("How it went"),
        "link": _("A link that shows it"),
        "until": _("Until when"),
        "words": _("What they need"),
    }
    errors = tried.errors
    return page(
        request,
        "admin/asks/answer.html",
        status=status_of(tried.refusal) if tried.refusal else 200,
        name=called(person),
        back=at(person),
        here=_here(person, ask),
        title=in_language(ask.title),
        href=at_ask(ask),
        risk=in_language(ask.risk),
        rights=lines_of(ask.rights),
        contact=ask.support_contact,
        steps=lines_of(ask.text),
        pledge=pledges.shown(work, pledge, ask, await sending_rules.zone(work)) if pledge else None,
        told=_told(work, pledge, ask) if pledge else [],
        undo=last.no if last and last.is_open_to_undo(work.now) else 0,
        may=_may(work, pledge, ask),
        unit=in_language(ask.unit),
        evidence=ask.evidence.value,
        values={name: typed.get(name, "") for name in labels},
        errors=errors,
        refusal="" if set(errors) & set(labels) else tried.words,
        summary=[(name, label, errors.get(name)) for name, label in labels.items()],
    )


def _may(work: Work, pledge: Pledge | None, ask: Ask) -> dict[str, bool]:
    """Say which answers mean something now."""
    stands = pledge is not None and pledge.stands
    is_done = pledge is not None and pledge.is_done
    is_open = ask.is_open(work.now)
    return {
        "pledge": is_open and not stands,
        "done": stands or is_open,
        "later": stands and not is_done,
        "help": (stands and not is_done) or (is_open and not stands),
        "decline": not is_done,
        "withdraw": stands and not is_done,
    }


def _told(work: Work, pledge: Pledge, ask: Ask) -> list[tuple[str, str]]:
    """Give what somebody told us besides their answer, opened for who may change people."""
    told = [
        (
            _("Done in all"),
            "" if pledge.amount is None else ask_words.amount(pledge.amount, ask.unit),
        ),
        (_("In their words"), reporting.note_of(work, pledge)),
        (_("Link"), reporting.link_of(work, pledge)),
    ]
    return [(term, words) for term, words in told if words]


def _here(person: Subscriber, ask: Ask) -> str:
    return at(person, f"/asks/{ask.uid}")


HANDLERS = [note_yes, show_answer, note_answer]
