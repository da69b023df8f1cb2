"""Demands: aims in one line, with what was reached so far and the asks that serve them."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts.model import Account, Power
from mailer.asks import demands
from mailer.asks import store as asks
from mailer.asks.composing import ChangedMeanwhile
from mailer.asks.counting import store as counting
from mailer.asks.model import AskState, Demand, DemandState
from mailer.kit.errors import NotFound
from mailer.kit.i18n import _, in_language
from mailer.kit.work import Work
from web.admin import ask_numbers, ask_words
from web.admin.asks import at as at_ask
from web.admin.asks import rows, seen_by
from web.admin.campaigns import Working
from web.admin.sharing import THRESHOLD, withholding
from web.admin.telling import number
from web.admin.wording import errors_of, filled, labels, tongues, written
from web.kit.errors import status_of
from web.kit.forms import Form, Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked

RAISED = ("title", "text")
IN_EACH = (*RAISED, "progress")


class DemandUnknown(NotFound):
    """There is no such demand."""


async def demand_at(work: Work, uid: str) -> Demand:
    """Find the demand that an address names."""
    found = await asks.demand_by_uid(work, uid)
    if found is None:
        raise DemandUnknown
    return found


def at(demand: Demand, more: str = "") -> str:
    """Give the address of a demand's page, or of one of its forms."""
    return f"/admin/demands/{demand.uid}{more}"


@get("/demands", opt=gated())
async def show_demands(request: Asked, work: Working, shared: FromQuery[str] = "") -> Template:
    """Show the demands, newest first; `shared`: for others' eyes."""
    values: dict[str, str] = {}
    for field in RAISED:
        values |= filled(field, {})
    return await _demands_page(request, work, values, Tried(), shared=shared == "yes")


@post("/demands", opt=gated(Power.WRITE))
async def raise_demand(request: Asked, work: Working) -> Response[Any]:
    """Raise a demand, as a draft."""
    form = await read_form(request)
    async with attempt(work) as tried:
        raised = await demands.raise_demand(
            work, title=written(form, "title"), text=written(form, "text")
        )
    if tried.refusal:
        return await _demands_page(request, work, _typed(form, RAISED), tried)
    return redirect(at(raised), notice=_("The demand is raised. Open it when its words are right."))


@get("/demands/{uid:str}", opt=gated())
async def show_demand(
    request: Asked, work: Working, uid: FromPath[str], shared: FromQuery[str] = ""
) -> Template:
    """Show a demand with the asks that serve it, for changing to those who may.

    `shared`: for others' eyes, with small numbers withheld.
    """
    demand = await demand_at(work, uid)
    if not is_seen_by(account_of(request), demand):
        raise DemandUnknown
    values = {"version": str(demand.version)}
    for field in IN_EACH:
        values |= filled(field, getattr(demand, field))
    return await _demand_page(request, work, demand, values, Tried(), shared=shared == "yes")


@post("/demands/{uid:str}", opt=gated(Power.WRITE))
async def save_demand(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Change what a demand says, and what was reached.

    Whoever opened the form before somebody else's change is told of it, and keeps what they typed.
    """
    demand = await demand_at(work, uid)
    form = await read_form(request)
    async with attempt(work) as tried:
        await demands.describe(
            work,
            demand,
            version=form.whole("version") or 0,
            title=written(form, "title"),
            text=written(form, "text"),
            progress=written(form, "progress"),
        )
    if tried.refusal:
        return await _demand_page(request, work, demand, _typed(form, IN_EACH), tried)
    return redirect(
        at(demand), notice=_("The demand is saved. Nobody gets an email because of it.")
    )


@post("/demands/{uid:str}/state", opt=gated(Power.SEND))
async def change_state(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Open a demand, tell that it is won, close it, or open it again."""
    demand = await demand_at(work, uid)
    form = await read_form(request)
    told = ""
    async with attempt(work) as tried:
        told = await _stepped(work, demand, form.raw("do"))
    if tried.refusal:
        return redirect(at(demand), notice=tried.words, kind="warn")
    if not told:
        return redirect(at(demand), notice=_("Nothing has changed."), kind="info")
    return redirect(at(demand), notice=told)


@get("/demands/{uid:str}/throwing-away", opt=gated(Power.WRITE))
async def show_throwing_away(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Ask whether to throw a draft away."""
    demand = await demand_at(work, uid)
    if demand.state is not DemandState.DRAFT:
        raise demands.SeenAlready
    return page(
        request,
        "admin/asks/throwing_away.html",
        title=in_language(demand.title),
        here=at(demand),
        lists=("/admin/demands", _("Demands")),
        told=_("Nobody has seen this demand. Once thrown away it does not come back."),
    )


@post("/demands/{uid:str}/throwing-away", opt=gated(Power.WRITE))
async def throw_away(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Throw a draft away."""
    demand = await demand_at(work, uid)
    form = await read_form(request)
    if form.raw("do") != "throw":
        return redirect(at(demand), notice=_("Nothing has changed."), kind="info")
    async with attempt(work) as tried:
        await demands.throw_away(work, demand)
    if tried.refusal:
        return redirect(at(demand), notice=tried.words, kind="warn")
    return redirect("/admin/demands", notice=_("The draft is thrown away."))


async def _stepped(work: Work, demand: Demand, do: str) -> str:
    """Do what a button says, and say what was done; nothing where none is named."""
    match do:
        case "open":
            await demands.open_demand(work, demand)
            return _("The demand is open.")
        case "win":
            await demands.win(work, demand)
            return _("Won. Say what was reached, for everybody who looks at it.")
        case "close":
            await demands.close(work, demand)
            return _("The demand is closed. Its asks stay as they are.")
        case "reopen":
            await demands.reopen(work, demand)
            return _("The demand is open again.")
        case _:
            return ""


def is_seen_by(account: Account, demand: Demand) -> bool:
    """Say whether somebody sees a demand: drafts are for those who write."""
    return account.may(Power.WRITE) or demand.state is not DemandState.DRAFT


def _typed(form: Form, fields: tuple[str, ...]) -> dict[str, str]:
    values = {"version": form.raw("version")}
    for field in fields:
        values |= filled(field, written(form, field))
    return values


async def _demands_page(
    request: Asked, work: Work, values: dict[str, str], tried: Tried, *, shared: bool = False
) -> Template:
    account = account_of(request)
    withheld = shared and work.scope is None
    say = withholding if withheld else number
    every = await asks.all_asks(work)
    counts = await counting.counts(work, [ask.no for ask in every])
    errors = errors_of(tried, *RAISED)
    return page(
        request,
        "admin/demands/list.html",
        status=422 if errors else 200,
        demands=[
            {
                "uid": one.uid,
                "title": in_language(one.title),
                "progress": in_language(one.progress),
                "state": one.state.value,
                "asks": number(
                    sum(ask.demand_no == one.no and ask.state is AskState.OPEN for ask in every)
                ),
                "done": ask_numbers.told_of_all(
                    [counts[ask.no] for ask in every if ask.demand_no == one.no], say
                )["done"],
            }
            for one in await asks.demands(work)
            if is_seen_by(account, one) and not (withheld and one.state is DemandState.DRAFT)
        ],
        may_write=account.may(Power.WRITE) and not withheld,
        shared=withheld,
        threshold=THRESHOLD,
        is_scoped=work.scope is not None,
        longest=demands.LONGEST,
        values=values,
        tongues=tongues(),
        errors=errors,
        summary=_summary(errors, RAISED),
    )


async def _demand_page(
    request: Asked,
    work: Work,
    demand: Demand,
    values: dict[str, str],
    tried: Tried,
    *,
    shared: bool = False,
) -> Template:
    account = account_of(request)
    withheld = shared and work.scope is None
    say = withholding if withheld else number
    its = seen_by(account, await asks.asks_of(work, demand.no))
    if withheld:
        its = [ask for ask in its if ask.state is not AskState.DRAFT]
    counts = await counting.counts(work, [ask.no for ask in its])
    begun = [ask for ask in its if ask.state is not AskState.DRAFT]
    errors = errors_of(tried, *IN_EACH)
    changed_meanwhile = isinstance(tried.refusal, ChangedMeanwhile)
    summary = _summary(errors, IN_EACH)
    fields = {field for field, _label, _error in summary}
    return page(
        request,
        "admin/demands/show.html",
        status=status_of(tried.refusal) if tried.refusal else 200,
        uid=demand.uid,
        title=in_language(demand.title),
        told=ask_words.standing(demand),
        state=demand.state.value,
        # Who is told of another's change has seen it: saving again puts theirs in its place.
        version=demand.version if changed_meanwhile else values["version"],
        refusal="" if fields & set(errors) else tried.words,
        text=in_language(demand.text),
        progress=in_language(demand.progress),
        asks=await rows(work, its, counts, say),
        numbers=[
            {
                "title": in_language(ask.title),
                "href": at_ask(ask),
                **ask_numbers.told(counts[ask.no], say),
            }
            for ask in begun
        ],
        totals=ask_numbers.told_of_all([counts[ask.no] for ask in begun], say),
        shared=withheld,
        threshold=THRESHOLD,
        may_write=account.may(Power.WRITE) and not withheld,
        may_open=account.may(Power.SEND) and not withheld,
        may_count=account.may(Power.SEE_PEOPLE),
        is_scoped=work.scope is not None,
        longest=demands.LONGEST,
        values=values,
        tongues=tongues(),
        errors=errors,
        summary=summary,
    )


def _summary(errors: dict[str, str], fields: tuple[str, ...]) -> list[tuple[str, str, str | None]]:
    words = {
        "title": _("Demand"),
        "text": _("What it means"),
        "progress": _("Reached so far"),
    }
    return [
        (field, label, errors.get(field))
        for name in fields
        for field, label in labels(name, words[name])
    ]


HANDLERS = [
    show_demands,
    raise_demand,
    show_demand,
    save_demand,
    change_state,
    show_throwing_away,
    throw_away,
]
