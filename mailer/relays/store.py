"""Questions about relays, their limits, and the pace of domains."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import case, func, select

from mailer.kit.work import Work
from mailer.relays import foreseeing
from mailer.relays.foreseeing import Allotment, Plan
from mailer.relays.hours import day_began, day_of, hour_of, night_of
from mailer.relays.model import THE_RULES, DomainPace, Relay, RelayHour, SendingRules


class Spent(msgspec.Struct, frozen=True):
    """What a relay was given in this hour and on this day."""

    this_hour: int = 0
    today: int = 0


async def moment(work: Work) -> datetime:
    """Say now, by the clock that all workers share."""
    if work.session.get_bind().dialect.name == "postgresql":
        said = await work.session.scalar(select(func.clock_timestamp()))
        assert isinstance(said, datetime)
        return said.astimezone(UTC)
    # SQLite has the clock of this machine. Asked in the transaction, for `work.now` is older by
    # what this unit of work has waited for its turn.
    said = await work.session.scalar(select(func.strftime("%Y-%m-%dT%H:%M:%f+00:00", "now")))
    return datetime.fromisoformat(str(said))


# --- rows -----------------------------------------------------------------------------------------


async def the_rules(work: Work) -> SendingRules:
    """Give the rules of sending, which `furnish` put in."""
    found = await work.session.scalars(select(SendingRules).where(SendingRules.no == THE_RULES))
    return found.one()


async def zone(work: Work) -> ZoneInfo:
    """Give the organisation's time zone: where its days begin."""
    return ZoneInfo((await the_rules(work)).time_zone)


async def all_relays(work: Work) -> Sequence[Relay]:
    """Give every relay, that of the settings first."""
    return (await work.session.scalars(select(Relay).order_by(Relay.no))).all()


async def by_uid(work: Work, uid: str) -> Relay | None:
    """Find a relay by the name in admin URLs."""
    return await work.session.scalar(select(Relay).where(Relay.uid == uid))


async def by_nos(work: Work, nos: Collection[int]) -> dict[int, Relay]:
    """Find several relays by number."""
    found = await work.session.scalars(select(Relay).where(Relay.no.in_(nos)))
    return {relay.no: relay for relay in found}


async def next_number(work: Work) -> int:
    """Give the number of a relay to be added; whoever adds one at the same time waits."""
    await work.session.execute(
        select(SendingRules.no).where(SendingRules.no == THE_RULES).with_for_update()
    )
    return (await work.session.scalar(select(func.max(Relay.no))) or 0) + 1


async def all_paces(work: Work) -> Sequence[DomainPace]:
    """Give every domain that has a pace of its own."""
    return (await work.session.scalars(select(DomainPace).order_by(DomainPace.domain))).all()


async def pace_of(work: Work, domain: str) -> DomainPace | None:
    """Find the pace of a domain."""
    return await work.session.scalar(select(DomainPace).where(DomainPace.domain == domain))


async def slowed(work: Work) -> Sequence[DomainPace]:
    """Give the domains that are written to more slowly just now, the slowest first."""
    paces = [
        (pace, one) for one in await all_paces(work) if (pace := one.pace_at(work.now)) is not None
    ]
    return [one for _pace, one in sorted(paces, key=lambda both: (both[0], both[1].domain))]


# --- what they may still carry --------------------------------------------------------------------


async def spent(
    work: Work, nos: Collection[int], zone: ZoneInfo, now: datetime
) -> dict[int, Spent]:
    """Say what relays were given in this hour and on this day."""
    this_hour = case((RelayHour.hour == hour_of(now), RelayHour.count), else_=0)
    counted = (
        select(RelayHour.relay_no, func.sum(this_hour), func.sum(RelayHour.count))
        .where(RelayHour.relay_no.in_(nos), RelayHour.hour >= day_began(now, zone))
        .group_by(RelayHour.relay_no)
    )
    found = {
        no: Spent(int(hour), int(day)) for no, hour, day in await work.session.execute(counted)
    }
    return {no: found.get(no, Spent()) for no in nos}


async def planned(work: Work, relay: Relay, zone: ZoneInfo, now: datetime) -> int:
    """Say what the warm-up plan of a relay allows today, after what it carried on earlier days."""
    plan = plan_of(relay)
    if plan is None or relay.warm_up_from is None:
        return 0
    # A day begins within a day of midnight in UTC, wherever it is.
    since = datetime.combine(relay.warm_up_from, datetime.min.time(), UTC) - timedelta(days=1)
    tallies = await work.session.execute(
        select(RelayHour.hour, RelayHour.count)
        .where(RelayHour.relay_no == relay.no, RelayHour.hour >= since)
        .order_by(RelayHour.hour)
    )
    today = day_of(now, zone)
    by_day: dict[object, int] = defaultdict(int)
    for hour, count in tallies:
        if relay.warm_up_from <= (day := day_of(hour, zone)) < today:
            by_day[day] += count
    return plan.allowed(by_day.values())


def plan_of(relay: Relay) -> Plan | None:
    """Give the warm-up plan of a relay; None when it is warm."""
    if relay.warm_up_from is None:
        return None
    return Plan(relay.warm_up_first, relay.warm_up_growth)


async def allotments(work: Work, relays: Sequence[Relay]) -> Mapping[int, Allotment]:
    """Say what relays may still carry, by number."""
    zone = ZoneInfo((await the_rules(work)).time_zone)
    counted = await spent(work, [relay.no for relay in relays], zone, work.now)
    return {
        relay.no: Allotment(
            per_second=relay.per_second,
            per_hour=relay.per_hour,
            per_day=relay.per_day,
            this_hour=counted[relay.no].this_hour,
            today=counted[relay.no].today,
            plan=plan_of(relay),
            planned=await planned(work, relay, zone, work.now),
        )
        for relay in relays
    }


async def carrying(work: Work) -> Sequence[Relay]:
    """Give the relays that carry: those that are on and have a share, else the spares."""
    on = [relay for relay in await all_relays(work) if relay.is_on]
    return [relay for relay in on if relay.weight] or on


async def expected_rate(work: Work) -> float | None:
    """Say how many messages a second the limits permit now; None when nothing limits them.

    Quiet hours count as 0: this is about newsletters.
    """
    relays = await allotments(work, await carrying(work))
    night = night_of(await the_rules(work))
    return foreseeing.rate_now(list(relays.values()), night, work.now)


async def how_long(
    work: Work, number: int, *, pace: float | None, is_urgent: bool = False
) -> timedelta | None:
    """Say how long so many messages take, with limits, warm-up, quiet hours and a measured pace.

    `pace` is in messages a second; `is_urgent` for an alert, which minds no quiet hours. None when
    it cannot be said, or takes more than two months.
    """
    relays = await allotments(work, await carrying(work))
    rules = await the_rules(work)
    return foreseeing.how_long(
        list(relays.values()),
        number,
        now=work.now,
        zone=ZoneInfo(rules.time_zone),
        night=None if is_urgent else night_of(rules),
        pace=pace,
    )
