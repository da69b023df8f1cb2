"""How we send: through which mail servers, how fast, at which hours, and what stops it."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.kit.i18n import _
from mailer.kit.work import Work
from mailer.relays import actions, ruling
from mailer.relays import store as relays
from mailer.relays.foreseeing import Allotment
from mailer.relays.hours import night_of
from mailer.relays.model import DomainPace, Relay, Security, SendingRules
from web.admin.campaigns import Working
from web.admin.telling import hour, number, shortly
from web.kit.forms import Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked, visit_of

PAGE = "/admin/relays"
HOURS = ("quiet_from", "quiet_until", "time_zone")
BRAKES = ("bounce_brake", "bounces_from", "complaint_brake", "complaints_from")
SLOW = ("domain", "per_minute")


@get("/relays", opt=gated(Power.SETTINGS))
async def show_sending(request: Asked, work: Working) -> Template:
    """Show through which servers we send, and the rules."""
    return await _sending_page(request, work, {}, Tried())


@post("/relays/hours", opt=gated(Power.SETTINGS))
async def save_hours(request: Asked, work: Working) -> Response[Any]:
    """Say when it is quiet."""
    form = await read_form(request)
    typed = {field: form.raw(field) for field in HOURS}
    async with attempt(work) as tried:
        await ruling.set_hours(work, **typed)
    if tried.refusal:
        return await _sending_page(request, work, typed, tried)
    return redirect(PAGE, notice=_("The quiet hours are saved. What is being sent minds them now."))


@post("/relays/brakes", opt=gated(Power.SETTINGS))
async def save_brakes(request: Asked, work: Working) -> Response[Any]:
    """Say what stops a campaign by itself."""
    form = await read_form(request)
    async with attempt(work) as tried:
        await ruling.set_brakes(work, **{field: form.whole(field) for field in BRAKES})
    if tried.refusal:
        typed = {field: form.raw(field) for field in BRAKES}
        return await _sending_page(request, work, typed, tried)
    told = _(
        "The brakes are saved. A campaign that they have stopped waits until somebody resumes it."
    )
    return redirect(PAGE, notice=told)


@post("/relays/domains", opt=gated(Power.SETTINGS))
async def slow_domain(request: Asked, work: Working) -> Response[Any]:
    """Send to a domain more slowly."""
    form = await read_form(request)
    async with attempt(work) as tried:
        pace = await ruling.set_pace(
            work, domain=form.text("domain"), per_minute=form.whole("per_minute")
        )
    if tried.refusal:
        typed = {field: form.raw(field) for field in SLOW}
        return await _sending_page(request, work, typed, tried)
    named = {"domain": pace.domain}
    told = _("%(domain)s gets no more than that, until you let it go again.") % named
    return redirect(PAGE, notice=told)


@post("/relays/domains/release", opt=gated(Power.SETTINGS))
async def release_domain(request: Asked, work: Working) -> Response[Any]:
    """Send to a domain as fast as to others again."""
    domain = (await read_form(request)).text("domain")
    async with attempt(work) as tried:
        await ruling.let_go(work, domain=domain)
    if tried.refusal:
        return redirect(PAGE, notice=tried.words, kind="info")
    told = _(
        "Emails to %(domain)s go as fast as to others. If its servers object, it is slowed again."
    )
    return redirect(PAGE, notice=told % {"domain": domain})


async def _sending_page(
    request: Asked, work: Work, typed: Mapping[str, str], tried: Tried
) -> Template:
    rules = await relays.the_rules(work)
    everything = await relays.all_relays(work)
    allotments = await relays.allotments(work, everything)
    errors = tried.errors
    return page(
        request,
        "admin/relays/list.html",
        status=422 if errors else 200,
        relays=[shown(request, work, relay, allotments[relay.no]) for relay in everything],
        is_any_on=any(relay.is_on for relay in everything),
        quiet=_quiet(work, rules),
        slowed=[_slow(work, one) for one in await relays.slowed(work)],
        values={**_rules_saved(rules), **dict.fromkeys(SLOW, ""), **typed},
        zones=sorted(zone for zone in ruling.time_zones() if "/" in zone and zone[:4] != "Etc/"),
        never=ruling.NEVER,
        errors=errors,
        summary=[(field, label, errors.get(field)) for field, label in _rule_labels()],
    )


def _quiet(work: Work, rules: SendingRules) -> str:
    """Say whether it is quiet now, and until when or from when on."""
    night = night_of(rules)
    if night is None:
        return ""
    is_quiet, until = night.stretch(work.now)
    named = {
        "time": hour(until.astimezone(night.zone)),
        "zone": rules.time_zone.replace("_", " "),
    }
    if is_quiet:
        return _("It is quiet now. Newsletters go on at %(time)s (%(zone)s).") % named
    return _("It is quiet from %(time)s on (%(zone)s).") % named


def shown(request: Asked, work: Work, relay: Relay, allotment: Allotment) -> dict[str, Any]:
    """Say where a relay is, what it carries, and what it may."""
    return {
        "uid": relay.uid,
        "name": name_of(relay),
        "is_on": relay.is_on,
        "is_of_settings": relay.is_of_settings,
        "is_spare": not relay.weight,
        "is_readable": actions.password_of(relay, work.keys) is not None,
        "where": _where(request, relay),
        "limits": _limits_said(relay),
        "figures": [
            (_("This hour"), number(allotment.this_hour), _most(relay.per_hour)),
            (_("Today"), number(allotment.today), _most(allotment.day_limit)),
        ],
        "warming": number(allotment.planned) if allotment.is_warming else "",
    }


def name_of(relay: Relay) -> str:
    """Name a relay; that of the settings has no name of its own."""
    if relay.is_of_settings:
        return _("The mail server of the settings")
    return relay.name


def _where(request: Asked, relay: Relay) -> str:
    settings = visit_of(request).house.settings
    host, port, security = (
        (settings.smtp_host, settings.smtp_port, Security(settings.smtp_security))
        if relay.is_of_settings
        else (relay.host, relay.port, relay.security)
    )
    named = {"host": host, "port": port, "how": dict(ways())[security]}
    return _("%(host)s, port %(port)s. %(how)s") % named


def ways() -> list[tuple[str, str]]:
    """List the ways to make a connection private."""
    return [
        (Security.STARTTLS.value, _("Encrypted after a greeting (STARTTLS)")),
        (Security.TLS.value, _("Encrypted from the first word (TLS)")),
        (Security.NONE.value, _("Not encrypted")),
    ]


def _limits_said(relay: Relay) -> list[str]:
    """Say what limits a relay has, in the order in which they are met."""
    said = [
        (relay.per_second, _("%(number)s a second at most")),
        (relay.per_hour, _("%(number)s an hour at most")),
        (relay.per_day, _("%(number)s a day at most")),
    ]
    return [words % {"number": number(limit)} for limit, words in said if limit is not None]


def _most(limit: int | None) -> str:
    return _("of %(number)s at most") % {"number": number(limit)} if limit is not None else ""


def _slow(work: Work, pace: DomainPace) -> dict[str, Any]:
    """Say how slow a domain is, why, and until when."""
    per_minute = round(pace.pace_at(work.now) or 0)
    why = []
    if pace.is_slowed(work.now):
        why.append(
            _("Its server said: %(code)s %(reply)s") % {"code": pace.code, "reply": pace.reply}
        )
    if pace.ceiling is not None:
        most = number(pace.ceiling)
        why.append(_("Slowed by hand: %(number)s a minute at most.") % {"number": most})
    recovers_at = pace.recovers_at if pace.is_slowed(work.now) else None
    return {
        "domain": pace.domain,
        "pace": _("%(number)s a minute") % {"number": number(per_minute)},
        "why": why,
        "until": _("Until somebody lets it go")
        if recovers_at is None
        else _("Rises by itself; as before on %(when)s UTC") % {"when": shortly(recovers_at)},
    }


def _rules_saved(rules: SendingRules) -> dict[str, str]:
    return {
        "quiet_from": f"{rules.quiet_from:%H:%M}" if rules.quiet_from is not None else "",
        "quiet_until": f"{rules.quiet_until:%H:%M}" if rules.quiet_until is not None else "",
        "time_zone": rules.time_zone,
        **{field: str(getattr(rules, field)) for field in BRAKES},
    }


def _rule_labels() -> list[tuple[str, str]]:
    return [
        ("quiet_from", _("Quiet from")),
        ("quiet_until", _("Quiet until")),
        ("time_zone", _("Time zone")),
        ("bounce_brake", _("Bounces in a thousand")),
        ("bounces_from", _("Bounces count from so many emails on")),
        ("complaint_brake", _("Complaints in a thousand")),
        ("complaints_from", _("Complaints count from so many emails on")),
        ("domain", _("Domain")),
        ("per_minute", _("Emails a minute at most")),
    ]


HANDLERS = [show_sending, save_hours, save_brakes, slow_domain, release_domain]
