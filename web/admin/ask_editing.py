"""Writing asks: a new one, changing one, and taking one from the library."""

from datetime import datetime, time, tzinfo
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.asks import composing, library
from mailer.asks import store as asks
from mailer.asks.model import Ask, AskState, DemandState, Evidence, Turn
from mailer.kit.i18n import _, in_language
from mailer.kit.work import Work
from mailer.relays import store as sending_rules
from mailer.tiers import store as tiers
from web.admin import ask_words
from web.admin.asks import ask_at, at, may_change, unfit
from web.admin.campaigns import Working
from web.admin.days import day_of
from web.admin.telling import language_name
from web.admin.wording import errors_of, filled, labels, tongues, written
from web.kit.errors import status_of
from web.kit.forms import Form, Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked

IN_EACH = ("title", "why", "text", "unit", "risk", "rights")
NUMBERS = ("minutes", "target", "repeat_days", "capacity")
CHOSEN = ("demand_no", "minimum_tier_no", "suggested_tier_no")


@get("/asks/new", opt=gated(Power.WRITE))
async def show_new_ask(request: Asked, work: Working) -> Template:
    """Ask for the words of a new ask, of the demand that an address names."""
    demand = await asks.demand_by_uid(work, request.query_params.get("demand", "")[:36])
    values: dict[str, Any] = {"demand_no": str(demand.no) if demand else ""}
    for field in IN_EACH:
        values |= filled(field, {})
    return await _ask_page(request, work, None, values, Tried())


@post("/asks/new", opt=gated(Power.WRITE))
async def write_ask(request: Asked, work: Working) -> Response[Any]:
    """Keep a new ask as a draft, or open it at once."""
    form = await read_form(request)
    async with attempt(work) as tried:
        ask = await composing.draft(work, **_said(form, await sending_rules.zone(work)))
        if _opens(request, form):
            await composing.open_ask(work, ask)
    if tried.refusal:
        return await _ask_page(request, work, None, _typed(form), tried)
    return redirect(at(ask), notice=_told(ask))


@get("/asks/library", opt=gated(Power.WRITE))
async def show_library(request: Asked, work: Working) -> Template:
    """Show the asks that came with Rollcall; those that were taken lead to what became of them."""
    taken = {one.library_key: at(one) for one in await asks.all_asks(work) if _stands(one)}
    return page(
        request,
        "admin/asks/library.html",
        asks=[
            {
                "key": one.key,
                "taken": taken.get(one.key, ""),
                "title": in_language(one.title),
                "why": in_language(one.why),
                "steps": ask_words.lines_of(one.text),
                "effort": ask_words.effort(one.minutes),
                "for_whom": ask_words.for_whom(one.audience),
                "goal": in_language(one.unit),
                "risk": in_language(one.risk),
                "languages": ", ".join(language_name(code) for code in one.title),
            }
            for one in library.LIBRARY
        ],
    )


@post("/asks/library", opt=gated(Power.WRITE))
async def take_from_library(request: Asked, work: Working) -> Response[Any]:
    """Make a draft of an ask of the library, and lead on to its words."""
    form = await read_form(request)
    taken = await library.take_from_library(work, form.text("key"))
    if taken.state is not AskState.DRAFT:
        return redirect(at(taken), notice=_("You have it already: here it is."), kind="info")
    return redirect(
        at(taken, "/edit"), notice=_("Taken as a draft. Make it yours, and open it when it is.")
    )


def _stands(ask: Ask) -> bool:
    return ask.library_key is not None and ask.state is not AskState.CLOSED


@get("/asks/{uid:str}/edit", opt=gated(Power.WRITE))
async def show_editing(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Show an ask for changing; what people have seen already, to those who may send."""
    ask = await ask_at(work, uid)
    if not may_change(account_of(request), ask):
        raise composing.SeenAlready
    return await _ask_page(request, work, ask, _saved(ask, await sending_rules.zone(work)), Tried())


@post("/asks/{uid:str}/edit", opt=gated(Power.WRITE))
async def save_ask(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Change an ask, and open it, or open it again, if that is the button.

    Whoever opened the form before somebody else's change is told of it, and keeps what they typed.
    """
    ask = await ask_at(work, uid)
    was_open = ask.state is AskState.OPEN
    form = await read_form(request)
    async with attempt(work) as tried:
        version = form.whole("version") or 0
        zone = await sending_rules.zone(work)
        ask = await composing.revise(
            work,
            ask,
            version=version,
            only_a_draft=not account_of(request).may(Power.SEND),
            **_said(form, zone),
        )
        if _opens(request, form):
            await composing.open_ask(work, ask)
    if isinstance(tried.refusal, composing.SeenAlready):
        raise tried.refusal
    if tried.refusal:
        return await _ask_page(request, work, ask, _typed(form), tried)
    return redirect(at(ask), notice=_("The ask is saved.") if was_open else _told(ask))


def _opens(request: Asked, form: Form) -> bool:
    return form.raw("do") == "open" and account_of(request).may(Power.SEND)


def _told(ask: Ask) -> str:
    if ask.state is AskState.OPEN:
        return _("The ask is saved, and open. It is offered once you put it into a newsletter.")
    return _("The ask is saved. Nobody gets an email because of it.")


@get("/asks/{uid:str}/throwing-away", opt=gated(Power.WRITE))
async def show_throwing_away(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Ask whether to throw a draft away."""
    ask = await ask_at(work, uid)
    if ask.state is not AskState.DRAFT:
        raise composing.NotADraft
    return page(
        request,
        "admin/asks/throwing_away.html",
        title=in_language(ask.title),
        here=at(ask),
        lists=("/admin/asks", _("Asks")),
        told=_("Nobody has seen this ask. Once thrown away it does not come back."),
    )


@post("/asks/{uid:str}/throwing-away", opt=gated(Power.WRITE))
async def throw_away(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Throw a draft away."""
    ask = await ask_at(work, uid)
    form = await read_form(request)
    if form.raw("do") != "throw":
        return redirect(at(ask), notice=_("Nothing has changed."), kind="info")
    await composing.throw_away(work, ask)
    return redirect("/admin/asks?show=drafts", notice=_("The draft is thrown away."))


# --- what is typed ------------------------------------------------------------------------------


def _said(form: Form, zone: tzinfo) -> dict[str, Any]:
    """Read an ask as somebody wants it; refuses what cannot be read, at its field."""
    turn, evidence = form.raw("turn"), form.raw("evidence")
    return {
        **{field: written(form, field) for field in IN_EACH},
        **{field: form.whole(field) for field in (*NUMBERS, *CHOSEN)},
        "audience": form.many("audience"),
        "deadline": _last_moment(form, "deadline", zone),
        "turn": Turn(turn) if turn in set(Turn) else Turn.ONCE,
        "evidence": Evidence(evidence) if evidence in set(Evidence) else Evidence.NONE,
        "needs_support": form.flag("needs_support"),
        "support_contact": form.raw("support_contact"),
    }


def _last_moment(form: Form, field: str, zone: tzinfo) -> datetime | None:
    """Read a day, to the end of which, by the organisation's clocks, something can be done."""
    day = day_of(form, field)
    return None if day is None else datetime.combine(day, time(23, 59, 59), zone)


def _typed(form: Form) -> dict[str, Any]:
    plain = (*NUMBERS, *CHOSEN, "deadline", "turn", "evidence", "needs_support", "support_contact")
    values: dict[str, Any] = {field: form.values.get(field, "") for field in ("version", *plain)}
    values["audience"] = form.many("audience")
    for field in IN_EACH:
        values |= filled(field, written(form, field))
    return values


def _saved(ask: Ask, zone: tzinfo) -> dict[str, Any]:
    values: dict[str, Any] = {
        **{field: getattr(ask, field) for field in ("version", *NUMBERS, *CHOSEN)},
        "audience": ask.audience,
        "deadline": ask.deadline.astimezone(zone).date().isoformat() if ask.deadline else "",
        "turn": ask.turn.value,
        "evidence": ask.evidence.value,
        "needs_support": "yes" if ask.needs_support else "",
        "support_contact": ask.support_contact,
    }
    for field in IN_EACH:
        values |= filled(field, getattr(ask, field))
    return values


# --- what is shown ------------------------------------------------------------------------------


async def _ask_page(
    request: Asked, work: Work, ask: Ask | None, values: dict[str, Any], tried: Tried
) -> Template:
    errors = errors_of(tried, *IN_EACH)
    changed_meanwhile = isinstance(tried.refusal, composing.ChangedMeanwhile)
    summary = _summary(errors)
    fields = {field for field, _label, _error in summary}
    return page(
        request,
        "admin/asks/edit.html",
        status=status_of(tried.refusal) if tried.refusal else 200,
        uid=ask.uid if ask else "",
        title=in_language(ask.title) if ask else "",
        is_draft=ask is None or ask.state is AskState.DRAFT,
        is_closed=ask is not None and ask.state is AskState.CLOSED,
        told=_how_it_stands(ask),
        unfit=await unfit(work, ask) if ask else "",
        # Who is told of another's change has seen it: saving again puts theirs in its place.
        version=ask.version if ask and changed_meanwhile else values.get("version", 0),
        changed_meanwhile=changed_meanwhile,
        refusal="" if fields & set(errors) else tried.words,
        may_open=account_of(request).may(Power.SEND),
        values={**_nothing(), **values},
        longest={**composing.LONGEST, "support_contact": composing.LONGEST_CONTACT},
        tongues=tongues(),
        errors=errors,
        summary=summary,
        **await _choices(work, ask),
    )


def _nothing() -> dict[str, Any]:
    return {
        **dict.fromkeys((*NUMBERS, *CHOSEN, "deadline", "needs_support", "support_contact"), ""),
        "audience": [],
        "turn": Turn.ONCE.value,
        "evidence": Evidence.NONE.value,
    }


def _how_it_stands(ask: Ask | None) -> str:
    if ask is None or ask.state is AskState.DRAFT:
        return _("A draft. Nobody sees it until it is opened.")
    if ask.state is AskState.OPEN:
        return _("It is open: what you change is read at once.")
    return _("It is closed.")


async def _choices(work: Work, ask: Ask | None) -> dict[str, Any]:
    """Give what can be chosen; what an ask has stays among it, also when it is over."""
    has = {ask.minimum_tier_no, ask.suggested_tier_no} if ask else set()
    on_ladder = {tier.no for tier in await tiers.ladder(work)}
    ladder = [
        (tier.no, in_language(tier.name))
        for tier in await tiers.every_tier(work)
        if tier.no in on_ladder | has
    ]
    demands = [
        (one.no, in_language(one.title))
        for one in await asks.demands(work)
        if one.state in _STANDING or (ask is not None and one.no == ask.demand_no)
    ]
    return {
        "demands": [("", _("None")), *demands],
        "tiers": [("", _("From the lowest")), *ladder],
        "suggested": [("", _("No step")), *ladder],
        "audiences": [(one.value, _(words)) for one, words in ask_words.AUDIENCES.items()],
        "turns": [(one.value, _(words), _(hint)) for one, (words, hint) in ask_words.TURNS.items()],
        "evidences": [
            (one.value, _(words), _(hint) if hint else "")
            for one, (words, hint) in ask_words.EVIDENCES.items()
        ],
    }


_STANDING = (DemandState.DRAFT, DemandState.OPEN)


def _summary(errors: dict[str, str]) -> list[tuple[str, str, str | None]]:
    fields = [
        *labels("title", _("What people should do")),
        *labels("why", _("Why, in one breath")),
        *labels("text", _("How, step by step")),
        ("demand_no", _("Demand it serves")),
        ("minutes", _("Effort, in minutes")),
        ("deadline", _("Do it by")),
        ("audience", _("Offer it to")),
        ("minimum_tier_no", _("From which level")),
        ("suggested_tier_no", _("It shows somebody ready for")),
        ("capacity", _("Room for how many people")),
        ("turn", _("How often")),
        ("repeat_days", _("Asked again after, in days")),
        ("target", _("Goal")),
        *labels("unit", _("Counted in")),
        ("evidence", _("When somebody says that it is done")),
        *labels("risk", _("The risk")),
        *labels("rights", _("Their rights")),
        ("support_contact", _("Whom to call when it goes wrong")),
    ]
    return [(field, label, errors.get(field)) for field, label in fields]


HANDLERS = [
    show_new_ask,
    write_ask,
    show_library,
    take_from_library,
    show_editing,
    save_ask,
    show_throwing_away,
    throw_away,
]
