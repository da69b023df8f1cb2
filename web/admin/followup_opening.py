"""Remembering somebody by hand, and the letter of the day."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.followups import jotting, naming, opening
from mailer.followups import store as followups
from mailer.followups.model import Outcome
from mailer.followups.rounds import digest
from mailer.followups.words import KINDS, OUTCOMES
from mailer.kit.i18n import _
from mailer.kit.work import Work
from mailer.records import actions as records
from mailer.subscribers.model import Subscriber
from web.admin.campaigns import Working
from web.admin.days import day_of
from web.admin.followup_places import HERE
from web.admin.followup_words import OUTCOME_SIGNS, SIGNS, at
from web.admin.looking import note_look
from web.admin.people import at as at_person
from web.admin.people import called
from web.admin.telling import about
from web.kit.errors import status_of
from web.kit.forms import Form, Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked


@get("/people/{uid:str}/followups", opt=gated(Power.CHANGE_PEOPLE), before_request=note_look)
async def show_remember(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Ask why somebody is to be remembered, and from when on."""
    person = (await records.person(work, uid)).subscriber
    return _remember_page(request, person, {}, Tried())


@post("/people/{uid:str}/followups", opt=gated(Power.CHANGE_PEOPLE))
async def remember(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Let somebody wait for the organiser who says so."""
    person = (await records.person(work, uid)).subscriber
    form = await read_form(request)
    if form.raw("do") != "remember":
        return await _jotted(request, work, person, form)
    async with attempt(work) as tried:
        case = await opening.remember(
            work, person, words=form.raw("words"), day=day_of(form, "day")
        )
    if tried.refusal:
        return _remember_page(request, person, form.values, tried)
    return redirect(at(case), notice=_("Noted. They are among your follow-ups."))


async def _jotted(request: Asked, work: Work, person: Subscriber, form: Form) -> Response[Any]:
    """Write down a call that somebody made, or a note, without anybody waiting for it."""
    done = form.raw("do")
    if done != "note" and done not in JOTTED:
        return redirect(at_person(person), notice=_("Nothing has changed."), kind="info")
    async with attempt(work) as tried:
        if done == "note":
            case = await jotting.jot_note(work, person, words=form.raw("words"))
        else:
            case = await jotting.jot_call(work, person, Outcome(done), words=form.raw("words"))
    if tried.errors.keys() & {"words"}:
        return _remember_page(request, person, form.values, tried)
    if tried.refusal:
        return redirect(at_person(person), notice=tried.words, kind="warn")
    told = (
        _("The note is kept.")
        if done == "note"
        else _("Noted: %(what)s.") % {"what": _(OUTCOMES[Outcome(done)])}
    )
    return redirect(at(case), notice=told)


JOTTED = tuple(one.value for one in Outcome if one is not Outcome.CALL_BACK)
"""What may have come of a call that is written down; one that is to come is remembered."""


def _remember_page(
    request: Asked, person: Subscriber, typed: dict[str, str], tried: Tried
) -> Template:
    labels = {"words": _("Why, and what to say"), "day": _("From which day on")}
    return page(
        request,
        "admin/followups/remember.html",
        status=status_of(tried.refusal) if tried.refusal else 200,
        name=called(person),
        back=at_person(person),
        here=at_person(person, "/followups"),
        values={name: typed.get(name, "") for name in labels},
        errors=tried.errors,
        outcomes=outcomes_jotted(),
        summary=[(name, label, tried.errors.get(name)) for name, label in labels.items()],
    )


def outcomes_jotted() -> list[tuple[str, str, str]]:
    """Give what may have come of a call, for buttons."""
    return [(one, _(OUTCOMES[Outcome(one)]), OUTCOME_SIGNS[Outcome(one)]) for one in JOTTED]


async def of_person(work: Work, subscriber: Subscriber) -> dict[str, Any]:
    """Say for what somebody waits, for their page."""
    cases = await followups.open_of(work, subscriber.no)
    subjects = await naming.subjects_of(work, cases)
    return {
        "jotted": outcomes_jotted(),
        "waits": [
            {
                "href": at(case),
                "why": _(KINDS[case.kind]),
                "sign": SIGNS[case.kind],
                "about": subjects.get(case.no, ""),
                "long": about(work.now - case.opened_at),
            }
            for case in cases
        ],
    }


@post("/followups/digest", opt=gated(Power.CHANGE_PEOPLE))
async def choose_digest(request: Asked, work: Working) -> Response[Any]:
    """Have the letter of the day, or not."""
    said = (await read_form(request)).raw("digest")
    if said not in {"yes", "no"}:
        return redirect(HERE, notice=_("Nothing has changed."), kind="info")
    await digest.wish(work, account_of(request), wanted=said == "yes")
    if said == "yes":
        return redirect(HERE, notice=_("You get an email in the morning when somebody waits."))
    return redirect(HERE, notice=_("You get no email about follow-ups any more."))


HANDLERS = [show_remember, remember, choose_digest]
