"""The rules of sending: quiet hours, brakes, and the pace of a domain."""

import functools
import re
import zoneinfo
from datetime import time

from mailer.audit import actions as audit
from mailer.kit.errors import Invalid, NotFound
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.relays import store
from mailer.relays.model import DomainPace, SendingRules

MOST_PER_MINUTE = 600_000
NEVER = 1000
"""Per mille at which a brake never acts: everybody would have to bounce."""

_DOMAIN = re.compile(r"(?=.{3,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3])[:.]([0-5][0-9])(?::00)?")


class TimeUnreadable(Invalid):
    """A time is written like 21:30."""


class OtherTimeMissing(Invalid):
    """Quiet hours need both, when they begin and when they end. For none, leave both empty."""


class NeverQuietOrAlways(Invalid):
    """These are the same. Quiet hours end at another time than they begin."""


class ZoneUnknown(Invalid):
    """There is no such time zone. They are named like Europe/London or America/Toronto."""


class BrakeOutOfRange(Invalid):
    """This must be a whole number from 1 to %(most)s."""


class DomainUnreadable(Invalid):
    """A domain is what stands after the @ of an address, like example.org."""


class PaceOutOfRange(Invalid):
    """Give how many emails a minute may go there: from 1 to %(most)s."""


class DomainUnknown(NotFound):
    """This domain is not slowed any more."""


async def set_hours(
    work: Work, *, quiet_from: str, quiet_until: str, time_zone: str
) -> SendingRules:
    """Say when it is quiet, by the clock on the wall of a time zone. Both empty: never."""
    begins, ends = _time(quiet_from, "quiet_from"), _time(quiet_until, "quiet_until")
    if (begins is None) != (ends is None):
        raise OtherTimeMissing(field="quiet_from" if begins is None else "quiet_until")
    if begins is not None and begins == ends:
        raise NeverQuietOrAlways(field="quiet_until")
    zone = time_zone.strip()
    if zone not in time_zones():
        raise ZoneUnknown(field="time_zone")
    rules = await store.the_rules(work)
    rules.quiet_from, rules.quiet_until, rules.time_zone = begins, ends, zone
    await audit.note(work, "sending_hours_set")
    return rules


async def set_brakes(
    work: Work,
    *,
    bounce_brake: int | None,
    bounces_from: int | None,
    complaint_brake: int | None,
    complaints_from: int | None,
) -> SendingRules:
    """Say at which rates, in per mille, a campaign stops by itself, and from how many messages."""
    said = {
        "bounce_brake": (bounce_brake, NEVER),
        "bounces_from": (bounces_from, 1_000_000),
        "complaint_brake": (complaint_brake, NEVER),
        "complaints_from": (complaints_from, 1_000_000),
    }
    for field, (number, most) in said.items():
        if number is None or not 1 <= number <= most:
            raise BrakeOutOfRange(field=field, most=most)
    rules = await store.the_rules(work)
    for field, (number, _most) in said.items():
        setattr(rules, field, number)
    await audit.note(work, "brakes_set")
    return rules


async def set_pace(work: Work, *, domain: str, per_minute: int | None) -> DomainPace:
    """Let no more than so many messages a minute go to a domain, until somebody lets it go."""
    name = _domain(domain)
    if per_minute is None or not 1 <= per_minute <= MOST_PER_MINUTE:
        raise PaceOutOfRange(field="per_minute", most=MOST_PER_MINUTE)
    await add_missing(work, DomainPace, [{"domain": name}])
    pace = await store.pace_of(work, name)
    assert pace is not None
    pace.ceiling = per_minute
    await audit.note(work, "domain_slowed", domain=name)
    return pace


async def let_go(work: Work, *, domain: str) -> None:
    """Write to a domain as fast as to any other again, whoever slowed it."""
    pace = await store.pace_of(work, domain)
    if pace is None:
        raise DomainUnknown
    await work.session.delete(pace)
    await audit.note(work, "domain_let_go", domain=domain)


@functools.cache
def time_zones() -> frozenset[str]:
    """Name every time zone that this machine knows."""
    return frozenset(zoneinfo.available_timezones())


def _time(typed: str, field: str) -> time | None:
    if not typed.strip():
        return None
    found = _CLOCK.fullmatch(typed.strip())
    if not found:
        raise TimeUnreadable(field=field)
    return time(int(found[1]), int(found[2]))


def _domain(typed: str) -> str:
    name = typed.strip().rpartition("@")[2].rstrip(".").lower()
    try:
        name = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError as error:
        raise DomainUnreadable(field="domain") from error
    if not _DOMAIN.fullmatch(name):
        raise DomainUnreadable(field="domain")
    return name
