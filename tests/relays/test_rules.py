"""Quiet hours, brakes, and the pace of a domain: as they are typed."""

from datetime import time, timedelta
from typing import Any

import pytest

from mailer.audit import store as audits
from mailer.kit.errors import Refusal
from mailer.kit.work import Work
from mailer.relays import ruling, store
from mailer.relays.model import DOUBLING, REST, DomainPace
from tests.cast import Cast
from tests.support.pacing import NOON

BRAKES: dict[str, Any] = {
    "bounce_brake": 30,
    "bounces_from": 100,
    "complaint_brake": 2,
    "complaints_from": 500,
}


# --- quiet hours ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begins", "ends"), [("21:00", "8:00"), (" 21.00", "08:00 "), ("21:00:00", "08:00")]
)
async def test_quiet_hours_are_written_as_people_write_them(
    cast: Cast, work: Work, begins: str, ends: str
) -> None:
    rules = await ruling.set_hours(
        work, quiet_from=begins, quiet_until=ends, time_zone=" Europe/London "
    )
    assert (rules.quiet_from, rules.quiet_until) == (time(21), time(8))
    assert rules.time_zone == "Europe/London"
    [line] = (await audits.newest(work, limit=1)).rows
    assert line.act == "sending_hours_set"

    rules = await ruling.set_hours(work, quiet_from="", quiet_until=" ", time_zone="UTC")
    assert (rules.quiet_from, rules.quiet_until) == (None, None)


@pytest.mark.parametrize(
    ("begins", "ends", "zone", "refusal", "field"),
    [
        ("24:00", "08:00", "UTC", ruling.TimeUnreadable, "quiet_from"),
        ("nine", "08:00", "UTC", ruling.TimeUnreadable, "quiet_from"),
        ("21:00", "8", "UTC", ruling.TimeUnreadable, "quiet_until"),
        ("", "08:00", "UTC", ruling.OtherTimeMissing, "quiet_from"),
        ("21:00", "", "UTC", ruling.OtherTimeMissing, "quiet_until"),
        ("08:00", "8:00", "UTC", ruling.NeverQuietOrAlways, "quiet_until"),
        ("21:00", "08:00", "London", ruling.ZoneUnknown, "time_zone"),
        ("21:00", "08:00", "../../etc/passwd", ruling.ZoneUnknown, "time_zone"),
        ("21:00", "08:00", "", ruling.ZoneUnknown, "time_zone"),
    ],
)
async def test_hours_that_mean_nothing_are_refused_at_their_field(
    cast: Cast, work: Work, begins: str, ends: str, zone: str, refusal: type[Refusal], field: str
) -> None:
    with pytest.raises(refusal) as refused:
        await ruling.set_hours(work, quiet_from=begins, quiet_until=ends, time_zone=zone)
    assert refused.value.facts["field"] == field
    assert (await store.the_rules(work)).quiet_from is None


async def test_at_night_the_finish_is_after_it(cast: Cast, work: Work) -> None:
    now = work.now
    begins, ends = now - timedelta(hours=1), now + timedelta(hours=2)
    await ruling.set_hours(
        work, quiet_from=f"{begins:%H:%M}", quiet_until=f"{ends:%H:%M}", time_zone="UTC"
    )
    assert await store.expected_rate(work) == 0.0
    newsletter = await store.how_long(work, 600, pace=10.0)
    assert newsletter is not None
    assert timedelta(hours=1, minutes=58) < newsletter < timedelta(hours=2, minutes=2)
    assert await store.how_long(work, 600, pace=10.0, is_urgent=True) == timedelta(minutes=1)


# --- brakes ---------------------------------------------------------------------------------------


async def test_brakes_are_set(cast: Cast, work: Work) -> None:
    rules = await ruling.set_brakes(work, **BRAKES)

    assert {field: getattr(rules, field) for field in BRAKES} == BRAKES
    [line] = (await audits.newest(work, limit=1)).rows
    assert line.act == "brakes_set"


@pytest.mark.parametrize(
    ("field", "number"),
    [
        ("bounce_brake", 0),
        ("bounce_brake", 1001),
        ("bounces_from", None),
        ("complaint_brake", -1),
        ("complaints_from", 1_000_001),
    ],
)
async def test_a_brake_that_would_always_act_is_refused(
    cast: Cast, work: Work, field: str, number: int | None
) -> None:
    with pytest.raises(ruling.BrakeOutOfRange) as refused:
        await ruling.set_brakes(work, **BRAKES | {field: number})
    assert refused.value.facts["field"] == field
    assert (await store.the_rules(work)).bounce_brake == 50


# --- domains --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Example.ORG. ", "example.org"),
        ("somebody@example.org", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
async def test_a_domain_is_slowed_by_hand(cast: Cast, work: Work, typed: str, kept: str) -> None:
    pace = await ruling.set_pace(work, domain=typed, per_minute=120)
    again = await ruling.set_pace(work, domain=typed, per_minute=60)

    assert pace is again
    assert (pace.domain, pace.pace_at(work.now)) == (kept, 60)
    assert await store.slowed(work) == [pace]
    await ruling.let_go(work, domain=kept)
    assert await store.slowed(work) == []
    with pytest.raises(ruling.DomainUnknown):
        await ruling.let_go(work, domain=kept)


@pytest.mark.parametrize(
    "typed", ["", "org", "not a domain", "exa_mple", "x" * 64 + ".org", "é" * 64 + ".org", "a..b"]
)
async def test_what_is_no_domain_is_refused(cast: Cast, work: Work, typed: str) -> None:
    with pytest.raises(ruling.DomainUnreadable) as refused:
        await ruling.set_pace(work, domain=typed, per_minute=60)
    assert refused.value.facts["field"] == "domain"


@pytest.mark.parametrize("number", [None, 0, 600_001])
async def test_a_pace_of_nothing_is_refused(cast: Cast, work: Work, number: int | None) -> None:
    with pytest.raises(ruling.PaceOutOfRange):
        await ruling.set_pace(work, domain="example.org", per_minute=number)


async def test_the_slowest_domain_stands_first(cast: Cast, work: Work) -> None:
    for domain, pace in (("b.example", 60), ("a.example", 60), ("c.example", 10)):
        await ruling.set_pace(work, domain=domain, per_minute=pace)

    shown = [pace.domain for pace in await store.slowed(work)]
    assert shown == ["c.example", "a.example", "b.example"]


def test_a_pace_is_halved_rests_and_doubles_until_it_is_usual() -> None:
    now = NOON
    pace = DomainPace()
    assert pace.recovers_at is None
    assert pace.slow_down(now, observed=1000, code=421, reply="slow")
    assert pace.pace_at(now) == 500

    now += timedelta(seconds=10)
    assert pace.slow_down(now, observed=1, code=421, reply="slower")
    assert pace.pace_at(now) == 250
    assert pace.pace_at(now + REST) == 250
    assert pace.pace_at(now + REST + DOUBLING) == 500
    assert pace.pace_at(now + REST + DOUBLING * 1.9) == pytest.approx(250 * 2**1.9)
    assert pace.recovers_at == now + REST + DOUBLING * 2
    assert pace.pace_at(now + REST + DOUBLING * 2) is None
    assert not pace.is_slowed(NOON + timedelta(days=3000))


def test_no_domain_is_slowed_to_a_standstill() -> None:
    now = NOON
    pace = DomainPace()
    for _ in range(20):
        pace.slow_down(now, observed=0, code=421, reply="")
        assert pace.pace_at(now) == 6
        now += timedelta(seconds=10)
    assert pace.pace_at(now + REST + DOUBLING) is None
