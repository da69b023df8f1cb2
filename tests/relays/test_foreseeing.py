"""What a warm-up plan allows, and how long so many messages take."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mailer.relays.foreseeing import WARM, Allotment, Plan, how_long, rate_now
from mailer.relays.hours import Night

UTC_ZONE = ZoneInfo("UTC")
NOON = datetime(2026, 6, 11, 12, tzinfo=UTC)
NIGHT = Night(time(21), time(8), UTC_ZONE)
HOURS = timedelta(hours=1)


def took(*relays: Allotment, number: int, **how: object) -> timedelta | None:
    return how_long(relays, number, now=NOON, zone=UTC_ZONE, **how)  # type: ignore[arg-type]


# --- warming up -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("carried", "allowed"),
    [
        ([], 200),
        ([200], 300),
        ([100], 300),  # half of what was allowed is enough
        ([99], 200),  # and less is not: it was no trial of the step
        ([200, 300, 450], 675),
        ([200, 0, 0, 0, 300], 450),  # days without mail teach nobody anything
        ([5000], 300),  # letters may go beyond, and are no reason to leap
    ],
)
def test_each_day_that_was_used_earns_the_next_step(carried: list[int], allowed: int) -> None:
    assert Plan(first=200, growth=50).allowed(carried) == allowed


@given(some.integers(10, 100_000), some.integers(10, 200))
def test_every_plan_comes_to_its_end(first: int, growth: int) -> None:
    plan = Plan(first=first, growth=growth)
    allowed, days = first, 0
    while allowed < WARM:
        after = plan.after(allowed, allowed)
        assert allowed < after <= allowed * 3
        allowed, days = after, days + 1
    assert allowed == WARM
    assert days <= 130  # from 10 at a tenth more each day


# --- how fast now ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("relays", "rate"),
    [
        ([Allotment()], None),
        ([Allotment(per_second=10)], 10.0),
        ([Allotment(per_second=10), Allotment(per_second=5)], 15.0),
        ([Allotment(per_second=10), Allotment()], None),
        ([Allotment(per_second=10, per_hour=50, this_hour=50)], 0.0),
        ([Allotment(per_day=50, today=60), Allotment(per_second=5)], 5.0),
        ([], 0.0),
    ],
)
def test_relays_add_up_and_full_ones_count_for_nothing(
    relays: list[Allotment], rate: float | None
) -> None:
    assert rate_now(relays, None, NOON) == rate


def test_at_night_nothing_goes() -> None:
    assert rate_now([Allotment()], NIGHT, NOON + 10 * HOURS) == 0.0
    assert rate_now([Allotment()], NIGHT, NOON) is None


# --- how long -------------------------------------------------------------------------------------


def test_without_limits_the_measured_pace_tells() -> None:
    assert took(Allotment(), number=1000, pace=10.0) == timedelta(seconds=100)
    assert took(Allotment(), number=1000, pace=None) is None
    assert took(Allotment(), number=1000, pace=0.0) is None
    assert took(number=1000, pace=10.0) is None
    assert took(Allotment(), number=0, pace=None) == timedelta(0)


@pytest.mark.parametrize(
    ("relays", "number", "pace", "seconds"),
    [
        ([Allotment(per_second=10)], 1000, None, 100),
        ([Allotment(per_second=10)], 1000, 5.0, 200),
        ([Allotment(per_second=10), Allotment(per_second=30)], 1000, None, 25),
        # 100 in this hour, 100 in the next, and 50 as soon as the third begins.
        ([Allotment(per_hour=100)], 250, None, 7200),
        ([Allotment(per_hour=100, this_hour=60)], 140, 1.0, 3600 + 100),
        # Noon: 50 are left today, then 100 a day. The last begins at midnight.
        ([Allotment(per_day=100, today=50)], 250, None, (12 + 24) * 3600),
        # 200, 300, 450: the plan's first three days.
        ([Allotment(plan=Plan(200, 50), planned=200)], 900, None, (12 + 24) * 3600),
        ([Allotment(per_day=250, plan=Plan(200, 50), planned=200)], 460, None, (12 + 24) * 3600),
        # A plan that has come to its end holds nothing back.
        ([Allotment(per_second=100, plan=Plan(200, 50), planned=WARM)], 10_000, None, 100),
    ],
)
def test_limits_are_minded(
    relays: list[Allotment], number: int, pace: float | None, seconds: int
) -> None:
    assert took(*relays, number=number, pace=pace) == timedelta(seconds=seconds)


def test_the_night_is_waited_for() -> None:
    # Nine hours until it is quiet, eleven of quiet, and one more.
    assert took(Allotment(per_second=1), number=10 * 3600, night=NIGHT) == 21 * HOURS
    assert took(Allotment(per_second=1), number=10 * 3600) == 10 * HOURS


def test_what_takes_months_is_not_said() -> None:
    assert took(Allotment(per_day=1), number=10_000) is None


@given(
    some.builds(
        Allotment,
        per_second=some.none() | some.integers(1, 100),
        per_hour=some.none() | some.integers(1000, 10_000),
        per_day=some.none() | some.integers(5000, 100_000),
        this_hour=some.integers(0, 500),
        today=some.integers(0, 2000),
    ),
    some.integers(1, 20_000),
    some.floats(1, 1000),
)
def test_more_takes_no_less_long_and_no_limit_is_outrun(
    relay: Allotment, number: int, pace: float
) -> None:
    one = took(relay, number=number, pace=pace)
    more = took(relay, number=number + 500, pace=pace)

    assert one is not None
    assert more is not None
    assert timedelta(seconds=number / pace) <= one + timedelta(milliseconds=1)
    assert one <= more + timedelta(milliseconds=1)
