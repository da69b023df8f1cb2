"""Adding relays, describing them, and saying how much each may carry."""

import ipaddress
import re
from zoneinfo import ZoneInfo

from mailer.audit import actions as audit
from mailer.kit.errors import Conflict, Invalid
from mailer.kit.ids import new_uid
from mailer.kit.rows import add_missing
from mailer.kit.secrets import Keys, SealBroken
from mailer.kit.texts import one_line
from mailer.kit.work import Work
from mailer.relays import store
from mailer.relays.hours import day_of
from mailer.relays.model import OF_SETTINGS, THE_RULES, Relay, Security, SendingRules

_SEAL = "relay"
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")

MOST = {
    "weight": 100,
    "connections": 200,
    "per_second": 10_000,
    "per_hour": 10_000_000,
    "per_day": 100_000_000,
    "warm_up_first": 100_000,
    "warm_up_growth": 200,
}
"""The highest that can be typed. Who needs more has no limit."""

LEAST = {"weight": 0, "warm_up_first": 10, "warm_up_growth": 10}
"""The lowest, where it is not 1. A plan that grows by less than a tenth would hardly ever end."""


class HostUnreadable(Invalid):
    """A mail server is named like smtp.example.org, without a port and without a path."""


class PortUnreadable(Invalid):
    """A port is a number from 1 to 65535; mail servers use 587, 465 or 25."""


class SecurityUnknown(Invalid):
    """Please choose one of the ways in the list."""


class InClear(Invalid):
    """Over the internet we send nothing unencrypted: anybody on the way could read it."""


class PasswordInClear(Invalid):
    """Without encryption no password is sent: anybody on the way could read it."""


class PasswordAlone(Invalid):
    """A password needs the name it belongs to."""


class PasswordOfAnother(Invalid):
    """This is another mail server. Type the password for it: the old one is not sent there."""


class OutOfRange(Invalid):
    """This must be a whole number from %(least)s to %(most)s."""


class RelayOfSettings(Conflict):
    """This mail server stands in the settings of Rollcall’s own server, and is changed there."""


class RelayIsOn(Conflict):
    """Mail still goes through it. Switch it off first, then remove it."""


async def furnish(work: Work) -> None:
    """Put in the relay of the settings and the rules of sending. What is there already stands."""
    await add_missing(work, SendingRules, [{"no": THE_RULES}])
    await add_missing(
        work, Relay, [{"no": OF_SETTINGS, "uid": new_uid(), "weight": 1, "made_at": work.now}]
    )


async def add(
    work: Work, *, name: str, host: str, port: int | None, security: str, user: str, password: str
) -> Relay:
    """Add a relay. It is switched on and carries its share at once."""
    said = _described(
        name=name, host=host, port=port, security=security, user=user, has_password=bool(password)
    )
    relay = Relay(
        no=await store.next_number(work),
        uid=new_uid(),
        made_at=work.now,
        password_sealed=work.keys.seal(_SEAL, password) if password else None,
        **said,
    )
    work.session.add(relay)
    await work.session.flush()
    await audit.note(work, "relay_added", relay=relay.no)
    return relay


async def describe(
    work: Work,
    relay: Relay,
    *,
    name: str,
    host: str,
    port: int | None,
    security: str,
    user: str,
    password: str,
) -> Relay:
    """Say anew where a relay is and how we sign in. An empty password keeps the one we have.

    Without a name to sign in with, the password is forgotten; and it goes to no other host than the
    one it was given for.
    """
    if relay.is_of_settings:
        raise RelayOfSettings
    keeps = bool(relay.password_sealed and user.strip() and not password)
    said = _described(
        name=name,
        host=host,
        port=port,
        security=security,
        user=user,
        has_password=bool(password) or keeps,
    )
    if keeps and said["host"] != relay.host:
        raise PasswordOfAnother(field="password")
    for key, value in said.items():
        setattr(relay, key, value)
    if password:
        relay.password_sealed = work.keys.seal(_SEAL, password)
    elif not keeps:
        relay.password_sealed = None
    await audit.note(work, "relay_described", relay=relay.no)
    return relay


def password_of(relay: Relay, keys: Keys) -> str | None:
    """Give the password of a relay; empty if it has none, None if it cannot be read any more.

    It is sealed with a key outside the database, which may have been lost or changed.
    """
    if relay.password_sealed is None:
        return ""
    try:
        return keys.unseal(_SEAL, relay.password_sealed)
    except SealBroken:
        return None


async def set_limits(
    work: Work,
    relay: Relay,
    *,
    weight: int | None,
    connections: int | None,
    per_second: int | None,
    per_hour: int | None,
    per_day: int | None,
) -> Relay:
    """Say how much a relay may carry. None is no limit; of weight, one share.

    It acts on what is being sent within about a second.
    """
    limits = {
        "weight": 1 if weight is None else weight,
        "connections": connections,
        "per_second": per_second,
        "per_hour": per_hour,
        "per_day": per_day,
    }
    for field, limit in limits.items():
        if limit is not None:
            _within(field, limit)
    changed = [field for field, limit in limits.items() if getattr(relay, field) != limit]
    for field in changed:
        setattr(relay, field, limits[field])
    if changed:
        await audit.note(work, "relay_limited", relay=relay.no, fields=changed)
    return relay


async def warm_up(work: Work, relay: Relay, *, first: int | None, growth: int | None) -> Relay:
    """Begin a warm-up plan today: so many messages, and so many per cent more each day.

    A plan that was begun before begins again.
    """
    _within("warm_up_first", first)
    _within("warm_up_growth", growth)
    relay.warm_up_first, relay.warm_up_growth = int(first or 0), int(growth or 0)
    relay.warm_up_from = day_of(work.now, ZoneInfo((await store.the_rules(work)).time_zone))
    await audit.note(work, "relay_warmed_up", relay=relay.no)
    return relay


async def end_warm_up(work: Work, relay: Relay) -> Relay:
    """Call a relay warm. Nothing happens to one that is."""
    if relay.warm_up_from is not None:
        relay.warm_up_from = None
        await audit.note(work, "relay_warm", relay=relay.no)
    return relay


async def switch_off(work: Work, relay: Relay) -> Relay:
    """Send nothing more through a relay; what is under way there is finished."""
    if relay.is_on:
        relay.off_at = work.now
        await audit.note(work, "relay_switched_off", relay=relay.no)
    return relay


async def switch_on(work: Work, relay: Relay) -> Relay:
    """Let mail go through a relay again."""
    if not relay.is_on:
        relay.off_at = None
        await audit.note(work, "relay_switched_on", relay=relay.no)
    return relay


async def remove(work: Work, relay: Relay) -> None:
    """Forget a relay that is switched off, and its password and tallies with it."""
    if relay.is_of_settings:
        raise RelayOfSettings
    if relay.is_on:
        raise RelayIsOn
    await audit.note(work, "relay_removed", relay=relay.no)
    await work.session.delete(relay)
    await work.session.flush()


def _within(field: str, number: int | None) -> None:
    least, most = LEAST.get(field, 1), MOST[field]
    if number is None or not least <= number <= most:
        raise OutOfRange(field=field, least=least, most=most)


def _described(
    *, name: str, host: str, port: int | None, security: str, user: str, has_password: bool
) -> dict[str, object]:
    said_name = one_line(name, longest=80, field="name", needed=True)
    said_host = _host(host)
    if port is None or not 1 <= port <= 65535:
        raise PortUnreadable(field="port")
    if security not in list(Security):
        raise SecurityUnknown(field="security")
    said_user = one_line(user, longest=200, field="user")
    if has_password and not said_user:
        raise PasswordAlone(field="user")
    if security == Security.NONE:
        if has_password:
            raise PasswordInClear(field="security")
        if not _is_near(said_host):
            raise InClear(field="security")
    return {
        "name": said_name,
        "host": said_host,
        "port": port,
        "security": Security(security),
        "user": said_user,
    }


def _host(typed: str) -> str:
    """Read a name (RFC 1123 2.1; A-labels for others) or an address of the internet protocol."""
    host = typed.strip().rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        pass
    try:
        host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise HostUnreadable(field="host") from error
    labels = host.split(".")
    is_name = all(_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdecimal()
    if not is_name or len(host) > 253:
        raise HostUnreadable(field="host")
    return host


def _is_near(host: str) -> bool:
    """Say whether a host is this machine, or in a network that is nobody else's."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # A name without a dot is looked up on this machine or in its own network alone.
        return "." not in host or host.endswith((".localhost", ".internal", ".home.arpa"))
    return address.is_private or address.is_loopback or address.is_link_local
