"""Calling somebody: their number for an hour, what came of it, and taking that back."""

from datetime import datetime, time
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from mailer.accounts.model import Power
from mailer.followups import caring, hours, settling
from mailer.followups.model import FollowUp, Outcome
from mailer.kit.errors import Invalid
from mailer.kit.i18n import _
from mailer.kit.work import Work
from web.admin.campaigns import Working
from web.admin.days import day_of
from web.admin.followup_words import at
from web.admin.followups import HERE, case_of, case_page
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import redirect
from web.kit.security import gated
from web.kit.sessions import Asked


class NotAnHour(Invalid):
    """This is no hour. Write it like 18:30."""


@post("/followups/{uid:str}/hold", opt=gated(Power.CHANGE_PEOPLE))
async def hold(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Take a case for an hour, which shows the number; or let it go before that."""
    case, _person = await case_of(work, uid)
    form = await read_form(request)
    wanted = form.raw("hold")
    async with attempt(work) as tried:
        if wanted == "take":
            await caring.take(work, case)
        elif wanted == "go":
            await caring.let_go(work, case)
    if tried.refusal:
        return redirect(at(case), notice=tried.words, kind="warn")
    if wanted == "take":
        return redirect(at(case), notice=_("With you for an hour. Nobody else calls them."))
    if wanted == "go":
        return redirect(HERE, notice=_("Let go. Somebody else can call them."))
    return redirect(at(case), notice=_("Nothing has changed."), kind="info")


@post("/followups/{uid:str}/calls", opt=gated(Power.CHANGE_PEOPLE))
async def settle(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Write down what came of a call."""
    case, person = await case_of(work, uid)
    form = await read_form(request)
    said = form.raw("outcome")
    if said not in set(Outcome):
        return redirect(at(case), notice=_("Nothing has changed."), kind="info")
    outcome = Outcome(said)
    async with attempt(work) as tried:
        call_at = await _call_at(work, form) if outcome is Outcome.CALL_BACK else None
        case = await settling.settle(work, case, outcome, call_at=call_at, words=form.raw("words"))
    if tried.errors.keys() & {"call_at", "words"}:
        return await case_page(request, work, case, person, typed=form.values, tried=tried)
    if tried.refusal:
        return redirect(at(case), notice=tried.words, kind="warn")
    return redirect(at(case), notice=_noted(case, outcome))


async def _call_at(work: Work, form: Form) -> datetime | None:
    """Read the day and the hour, by the organisation's clocks; an hour that is missing is nine."""
    try:
        day = day_of(form, "day")
    except Invalid as wrong:
        wrong.facts["field"] = "call_at"
        raise
    typed = form.text("hour") or "09:00"
    try:
        hour = time.fromisoformat(typed)
    except ValueError:
        raise NotAnHour(field="call_at") from None
    return None if day is None else await hours.moment_of(work, day, hour)


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
    async with attempt(work) as tried:
        await settling.take_back(work, case, form.whole("step") or 0)
    if tried.refusal:
        return redirect(at(case), notice=tried.words, kind="warn")
    return redirect(at(case), notice=_("Taken back."))


HANDLERS = [hold, settle, take_back]
