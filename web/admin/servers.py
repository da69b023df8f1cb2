"""One mail server: adding it, saying where it is and how much it may carry, and removing it."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.kit.errors import NotFound
from mailer.kit.i18n import _
from mailer.kit.work import Work
from mailer.relays import actions
from mailer.relays import store as relays
from mailer.relays.model import CONNECTIONS, Relay, Security
from web.admin.campaigns import Working
from web.admin.relays import PAGE, name_of, shown, ways
from web.admin.telling import number
from web.kit.forms import Form, Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked, visit_of

WHERE = ("name", "host", "port", "security", "user")
LIMITS = ("weight", "connections", "per_second", "per_hour", "per_day")
PLAN = ("warm_up_first", "warm_up_growth")


class RelayUnknown(NotFound):
    """There is no such mail server."""


async def relay_at(work: Work, uid: str) -> Relay:
    """Find the relay that an address names."""
    found = await relays.by_uid(work, uid)
    if found is None:
        raise RelayUnknown
    return found


@get("/relays/new", opt=gated(Power.SETTINGS))
async def show_new_relay(request: Asked) -> Template:
    """Ask where a new relay is."""
    values = {"port": "587", "security": Security.STARTTLS.value}
    return _new_page(request, dict.fromkeys(WHERE, "") | values, Tried())


@post("/relays/new", opt=gated(Power.SETTINGS))
async def add_relay(request: Asked, work: Working) -> Response[Any]:
    """Add a relay."""
    form = await read_form(request)
    async with attempt(work) as tried:
        relay = await actions.add(work, **_where_typed(form))
    if tried.refusal:
        return _new_page(request, {field: form.raw(field) for field in WHERE}, tried)
    told = _("“%(name)s” is added, and carries mail from now on. Say here how much it may carry.")
    return redirect(f"{PAGE}/{relay.uid}", notice=told % {"name": relay.name})


@get("/relays/{uid:str}", opt=gated(Power.SETTINGS))
async def show_relay(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Show one relay with all that can be changed about it."""
    return await _relay_page(request, work, await relay_at(work, uid), {}, Tried())


@post("/relays/{uid:str}", opt=gated(Power.SETTINGS))
async def save_relay(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Say anew where a relay is."""
    relay = await relay_at(work, uid)
    form = await read_form(request)
    async with attempt(work) as tried:
        await actions.describe(work, relay, **_where_typed(form))
    if tried.refusal:
        typed = {field: form.raw(field) for field in WHERE}
        return await _relay_page(request, work, relay, typed, tried)
    told = _("“%(name)s” is saved. Mail goes there from now on.") % {"name": relay.name}
    return redirect(f"{PAGE}/{uid}", notice=told)


@post("/relays/{uid:str}/limits", opt=gated(Power.SETTINGS))
async def save_limits(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Say how much a relay may carry."""
    relay = await relay_at(work, uid)
    form = await read_form(request)
    async with attempt(work) as tried:
        await actions.set_limits(work, relay, **{field: form.whole(field) for field in LIMITS})
    if tried.refusal:
        typed = {field: form.raw(field) for field in LIMITS}
        return await _relay_page(request, work, relay, typed, tried)
    told = _("The limits are saved. What is being sent keeps to them within a second.")
    return redirect(f"{PAGE}/{uid}", notice=told)


@post("/relays/{uid:str}/warm-up", opt=gated(Power.SETTINGS))
async def warm_up(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Begin or end a warm-up."""
    relay = await relay_at(work, uid)
    form = await read_form(request)
    if form.raw("do") == "end":
        await actions.end_warm_up(work, relay)
        told = _("The warm-up is over. The other limits hold.")
        return redirect(f"{PAGE}/{uid}", notice=told)
    async with attempt(work) as tried:
        await actions.warm_up(
            work, relay, first=form.whole("warm_up_first"), growth=form.whole("warm_up_growth")
        )
    if tried.refusal:
        typed = {field: form.raw(field) for field in PLAN}
        return await _relay_page(request, work, relay, typed, tried)
    told = _("The warm-up begins today, with %(number)s emails.")
    return redirect(f"{PAGE}/{uid}", notice=told % {"number": number(relay.warm_up_first)})


@post("/relays/{uid:str}/switch", opt=gated(Power.SETTINGS))
async def switch(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Switch a relay on or off."""
    relay = await relay_at(work, uid)
    named = {"name": name_of(relay)}
    if (await read_form(request)).raw("do") == "on":
        await actions.switch_on(work, relay)
        told = _("%(name)s is switched on, and carries mail from now on.") % named
        return redirect(PAGE, notice=told)
    await actions.switch_off(work, relay)
    told = _("%(name)s is switched off. What was under way there is finished.") % named
    return redirect(PAGE, notice=told)


@post("/relays/{uid:str}/removal", opt=gated(Power.SETTINGS))
async def remove_relay(work: Working, uid: FromPath[str]) -> Response[Any]:
    """Forget a relay."""
    relay = await relay_at(work, uid)
    name = name_of(relay)
    async with attempt(work) as tried:
        await actions.remove(work, relay)
    if tried.refusal:
        return redirect(f"{PAGE}/{uid}", notice=tried.words, kind="warn")
    told = _("“%(name)s” is removed, and its password forgotten.") % {"name": name}
    return redirect(PAGE, notice=told)


def _where_typed(form: Form) -> dict[str, Any]:
    return {
        "name": form.text("name"),
        "host": form.text("host"),
        "port": form.whole("port"),
        "security": form.text("security"),
        "user": form.text("user"),
        "password": form.raw("password"),
    }


def _new_page(request: Asked, values: dict[str, str], tried: Tried) -> Template:
    return page(
        request,
        "admin/relays/new.html",
        status=422 if tried.refusal else 200,
        values=values,
        ways=ways(),
        errors=tried.errors,
        summary=[(field, label, tried.errors.get(field)) for field, label in _where_labels()],
    )


async def _relay_page(
    request: Asked, work: Work, relay: Relay, typed: Mapping[str, str], tried: Tried
) -> Template:
    [allotment] = (await relays.allotments(work, [relay])).values()
    settings = visit_of(request).house.settings
    labels = [*_where_labels(), *_limit_labels()]
    return page(
        request,
        "admin/relays/edit.html",
        status=422 if tried.refusal else 200,
        relay=shown(request, work, relay, allotment),
        has_password=relay.password_sealed is not None,
        values={**_relay_saved(relay), **typed},
        ways=ways(),
        usual_connections=settings.smtp_connections if relay.is_of_settings else CONNECTIONS,
        errors=tried.errors,
        problem=tried.errors.get("", ""),
        summary=[(field, label, tried.errors.get(field)) for field, label in labels],
    )


def _relay_saved(relay: Relay) -> dict[str, str]:
    plain = (*WHERE, *LIMITS, *PLAN)
    values = {field: getattr(relay, field) for field in plain}
    return {field: "" if value is None else str(value) for field, value in values.items()}


def _where_labels() -> list[tuple[str, str]]:
    return [
        ("name", _("Name")),
        ("host", _("Server")),
        ("port", _("Port")),
        ("security", _("Encryption")),
        ("user", _("Name to sign in with")),
        ("password", _("Password")),
    ]


def _limit_labels() -> list[tuple[str, str]]:
    return [
        ("weight", _("Share")),
        ("connections", _("Connections at a time")),
        ("per_second", _("Emails a second")),
        ("per_hour", _("Emails an hour")),
        ("per_day", _("Emails a day")),
        ("warm_up_first", _("Emails on the first day")),
        ("warm_up_growth", _("Per cent more each day")),
    ]


HANDLERS = [
    show_new_relay,
    add_relay,
    show_relay,
    save_relay,
    save_limits,
    warm_up,
    switch,
    remove_relay,
]
