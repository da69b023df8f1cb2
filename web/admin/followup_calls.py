"""Calling somebody: their number for an hour, what came of it, and taking that back."""

from datetime import datetime, time
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from mailer.accounts.model import Power
from mailer.deliveries import unread
from mailer.followups import caring, hours, settling
from mailer.followups.model import FollowUp, Outcome
from mailer.kit.errors import Invalid
from mailer.kit.i18n import _
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber
from web.admin.campaigns import Working
from web.admin.days import day_of
from web.admin.followup_places import place_of
from web.admin.followups import case_of, case_page
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import redirect
from web.kit.security import gated
from web.kit.sessions import Asked


class NotAnHour(Invalid):
    """This is no hour. Write it like 18:30."""


class HourMissing(Invalid):
    """Choose the hour at which you call again."""


@post("/followups/{uid:str}/hold", opt=gated(Power.CHANGE_PEOPLE))
async def hold(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Take a case for an hour, which shows the number; or let it go before that."""
    case, _person = await case_of(work, uid)
    form = await read_form(request)
    place, wanted = place_of(form.values), form.raw("hold")
    async with attempt(work) as tried:
        if wanted == "take":
            await caring.take(work, case)
        elif wanted == "go":
            await caring.let_go(work, case)
    if tried.refusal:
        return redirect(place.case(case), notice=tried.words, kind="warn")
    if wanted == "take":
        return redirect(place.case(case), notice=_("With you for an hour. Nobody else calls them."))
    if wanted == "go":
        return redirect(place.queue(), notice=_("Let go. Somebody else can call them."))
    return redirect(place.case(case), notice=_("Nothing has changed."), kind="info")


@post("/followups/{uid:str}/calls", opt=gated(Power.CHANGE_PEOPLE))
async def settle(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Write down what came of a call, and lead on to whoever comes next."""
    case, person = await case_of(work, uid)
    form = await read_form(request)
    place, said = place_of(form.values), form.raw("outcome")
    if said not in set(Outcome):
        return redirect(place.case(case), notice=_("Nothing has changed."), kind="info")
    outcome = Outcome(said)
    async with attempt(work) as tried:
        is_agreed = outcome is Outcome.CALL_BACK
        call_at = await _call_at(work, form, person) if is_agreed else None
        case = await settling.settle(work, case, outcome, call_at=call_at, words=form.raw("words"))
    if tried.errors.keys() & {"call_at", "hour", "words"}:
        return await case_page(request, work, case, person, typed=form.values, tried=tried)
    if tried.refusal:
        return redirect(place.case(case), notice=tried.words, kind="warn")
    return redirect(place.queue(done=case.uid), notice=_noted(case, outcome))


async def _call_at(work: Work, form: Form, person: Subscriber) -> datetime | None:
    """Read the day and the hour, by the clocks where somebody lives, or by ours."""
    try:
        day = day_of(form, "day")
    except Invalid as wrong:
        wrong.facts["field"] = "call_at"
        raise
    if day is None:
        return None
    typed = form.text("hour")
    if not typed:
        raise HourMissing(field="hour")
    try:
        hour = time.fromisoformat(typed)
    except ValueError:
        raise NotAnHour(field="hour") from None
    return await hours.moment_there(work, person, day, hour)


@post("/followups/{uid:str}/end", opt=gated(Power.CHANGE_PEOPLE))
async def end(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """End a call for help that was answered otherwise since."""
    case, _person = await case_of(work, uid)
    form = await read_form(request)
    place = place_of(form.values)
    if form.raw("end") != "yes":
        return redirect(place.case(case), notice=_("Nothing has changed."), kind="info")
    async with attempt(work) as tried:
        case = await settling.end(work, case)
    if tried.refusal:
        return redirect(place.case(case), notice=tried.words, kind="warn")
    ended = _("Ended. They are out of the queue.")
    return redirect(place.queue(done=case.uid), notice=ended)


def _noted(case: FollowUp, outcome: Outcome) -> str:
    if not case.is_open:
        return _("Noted. It is over; you can take that back for 30 days.")
    match outcome:
        case Outcome.CALL_BACK:
            return _("Noted. They come back to the queue at that hour, first of all.")
        case Outcome.NEVER_CALL:
            return _("Noted. Nobody calls them any more. They still wait for an answer.")
        case _:
            return _("Noted. They stay in the queue until somebody has reached them.")


@post("/followups/{uid:str}/undo", opt=gated(Power.CHANGE_PEOPLE))
async def take_back(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Take back what was done last."""
    case, _person = await case_of(work, uid)
    form = await read_form(request)
    there = place_of(form.values).case(case)
    async with attempt(work) as tried:
        await unread.take_back(work, case, form.whole("step") or 0)
    if tried.refusal:
        return redirect(there, notice=tried.words, kind="warn")
    return redirect(there, notice=_("Taken back."))


HANDLERS = [hold, settle, end, take_back]
