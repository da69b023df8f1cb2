"""Permits: the rows by which all workers keep to the same limits.

A relay or domain with a pace has a timetable that all workers share: a permit is a moment on it,
the pace apart from the next, and ``next_at`` is the first moment that nobody has taken. (This is
the virtual schedule of ATM's GCRA, ITU-T I.371 A.1: the same as a token bucket, without a level to
be filled, and without its burst after a rest.) Limits of an hour and a day are tallies.

Whoever takes permits holds the row's lock until it is written down. So what is given out never goes
over a limit, whatever crashes; what crashes wastes at most what it held: half a second of permits.
"""

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from mailer.deliveries.model import Worker
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.relays import store
from mailer.relays.foreseeing import Allotment
from mailer.relays.hours import HOUR, day_of, hour_of
from mailer.relays.model import DomainPace, Relay, RelayHour

Moment = Callable[[Work], Awaitable[datetime]]
"""Asks the clock that all workers share."""

AHEAD = 0.5
"""Seconds of permits that a worker takes at a time."""

# Letters take no permit, and the next campaign's mail waits for what they used. But not longer than
# this: a timetable that ends in an hour is no debt, it is a clock that was put back.
_FURTHEST = 30.0

_ALIVE = timedelta(minutes=1)


class Permits(msgspec.Struct):
    """What a worker was given: moments by the clock that all workers share."""

    start: datetime
    step: float  # seconds from one to the next; 0: all at once
    count: int
    hour: datetime  # in whose tally they stand


class Want(msgspec.Struct, frozen=True):
    """What a worker asks for, and what it took without asking."""

    most: int = 0
    owed: int = 0


class Reserved(msgspec.Struct, frozen=True):
    """What a worker was given, when, and which limits are reached ("hour" or "day")."""

    at: datetime
    of_relays: dict[int, Permits]
    of_domains: dict[str, Permits]
    tallies: Counter[tuple[int, datetime]]
    full: dict[int, str]


class Plans:
    """What warm-up plans allow, read once a day: earlier days do not change."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], int] = {}

    async def allowed(self, work: Work, relay: Relay, zone: ZoneInfo, at: datetime) -> int:
        """Give the messages that a relay's plan allows today; 0 if it has none."""
        today = day_of(at, zone)
        key = (relay.no, today, relay.warm_up_from, relay.warm_up_first, relay.warm_up_growth)
        if key not in self._known:
            self._known = {one: number for one, number in self._known.items() if one[1] == today}
            self._known[key] = await store.planned(work, relay, zone, at)
        return self._known[key]


async def reserve(
    work: Work,
    wants: Mapping[int, Want],
    domain_wants: Mapping[str, Want],
    *,
    zone: ZoneInfo,
    moment: Moment,
    plans: Plans,
) -> Reserved:
    """Take permits of relays and domains, under the locks of their rows."""
    relays = await _lock_relays(work, wants)
    slow = await lock_domains(work, domain_wants)
    at = await moment(work)  # asked when nobody else can take any more
    spent = await store.spent(work, [relay.no for relay in relays], zone, at)
    given: dict[int, Permits] = {}
    tallies: Counter[tuple[int, datetime]] = Counter()
    full = {}
    for relay in relays:
        want = wants[relay.no]
        planned = await plans.allowed(work, relay, zone, at)
        allotment = _allotment(relay, spent[relay.no], planned)
        given[relay.no] = of_relay(relay, want, allotment.left, at)
        tallies[relay.no, hour_of(at)] = given[relay.no].count + want.owed
        full[relay.no] = _which_is_full(allotment)
    of_domains = {pace.domain: of_domain(pace, domain_wants[pace.domain], at) for pace in slow}
    return Reserved(at, given, of_domains, tallies, full)


async def _lock_relays(work: Work, nos: Collection[int]) -> Sequence[Relay]:
    """Read relays as they are now, and keep other workers from taking of them."""
    found = await work.session.scalars(
        select(Relay)
        .where(Relay.no.in_(nos), Relay.off_at.is_(None))
        .order_by(Relay.no)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.all()


async def lock_domains(work: Work, domains: Collection[str]) -> Sequence[DomainPace]:
    """Read the paces of domains as they are now, and keep other workers from taking of them."""
    found = await work.session.scalars(
        select(DomainPace)
        .where(DomainPace.domain.in_(domains))
        .order_by(DomainPace.domain)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.all()


def of_relay(relay: Relay, want: Want, left: int | None, now: datetime) -> Permits:
    """Take permits of a relay that is locked; `left` is what its tallies still allow."""
    most = want.most if left is None else max(min(want.most, left - want.owed), 0)
    if relay.per_second is None or not (most or want.owed):
        return Permits(now, 0.0, most, hour_of(now))
    permits, relay.next_at = _of_timetable(
        relay.next_at, 1 / relay.per_second, most=most, owed=want.owed, now=now
    )
    return permits


def of_domain(pace: DomainPace, want: Want, now: datetime) -> Permits:
    """Take permits of a domain that is locked."""
    per_minute = pace.pace_at(now)
    if per_minute is None:  # it has just recovered
        return Permits(now, 0.0, want.most, hour_of(now))
    permits, pace.next_at = _of_timetable(
        pace.next_at, 60 / per_minute, most=want.most, owed=want.owed, now=now
    )
    return permits


def _of_timetable(
    next_at: datetime | None, step: float, *, most: int, owed: int, now: datetime
) -> tuple[Permits, datetime]:
    """Give the next moments of a timetable, as far as half a second ahead, and where it goes on."""
    furthest = now + timedelta(seconds=_FURTHEST + step)
    start = min(max(next_at or now, now) + timedelta(seconds=owed * step), furthest)
    ahead = AHEAD - (start - now).total_seconds()
    # The hour's tally is kept for the hour in which they are used.
    end_of_hour = (hour_of(now) + HOUR - start).total_seconds()
    fit = min(ahead, end_of_hour)
    count = min(most, math.ceil(fit / step)) if fit > 0 else 0
    return Permits(start, step, count, hour_of(now)), start + timedelta(seconds=count * step)


def _allotment(relay: Relay, spent: store.Spent, planned: int) -> Allotment:
    """Say what the tallies of a relay still allow."""
    return Allotment(
        per_hour=relay.per_hour,
        per_day=relay.per_day,
        this_hour=spent.this_hour,
        today=spent.today,
        plan=store.plan_of(relay),
        planned=planned,
    )


def _which_is_full(allotment: Allotment) -> str:
    if allotment.left is None or allotment.left > 0:
        return ""
    day = allotment.day_limit
    return "day" if day is not None and day <= allotment.today else "hour"


async def tally(work: Work, counts: Mapping[tuple[int, datetime], int]) -> None:
    """Add to what relays were given, by relay and hour; what is given back counts below 0.

    A relay may have been removed meanwhile: then there is nothing to be kept.
    """
    if not any(counts.values()):
        return
    known = {relay.no for relay in await store.all_relays(work)}
    wanted = [
        {"relay_no": no, "hour": hour, "count": count}
        for (no, hour), count in sorted(counts.items())
        if count and no in known
    ]
    if not wanted:
        return
    on_postgres = work.session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if on_postgres else sqlite.insert
    adding = insert(RelayHour)
    await work.session.execute(
        adding.on_conflict_do_update(
            index_elements=["relay_no", "hour"],
            set_={"count": RelayHour.count + adding.excluded.count},
        ),
        wanted,
    )


async def workers(work: Work) -> int:
    """Count the workers that live: each knows only what it sent itself."""
    alive = select(func.count()).where(
        Worker.ended_at.is_(None), Worker.seen_at > work.now - _ALIVE
    )
    return max(await work.session.scalar(alive) or 0, 1)


async def slow_down(
    work: Work, domain: str, now: datetime, *, observed: float, code: int, reply: str
) -> bool:
    """Halve the pace of a domain; say whether it was halved."""
    await add_missing(work, DomainPace, [{"domain": domain}])
    [pace] = await lock_domains(work, [domain])
    return pace.slow_down(now, observed=observed, code=code, reply=reply)


async def let_recovered_go(work: Work, domains: Collection[str], now: datetime) -> None:
    """Forget the domains that have recovered, if nobody has slowed them meanwhile."""
    for pace in await lock_domains(work, domains):
        if pace.is_slowed(now):
            continue
        pace.let_go()
        if pace.ceiling is None:
            await work.session.delete(pace)
