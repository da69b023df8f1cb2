"""When it is night, and when a day begins: wherever people live, and when the clock is changed."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from mailer.relays.hours import Night, day_began, day_of, hour_of, next_day, night_of
from mailer.relays.model import SendingRules

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = some.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "UTC Europe/Berlin America/Toronto Asia/Kolkata Asia/Kathmandu Australia/Lord_Howe"
            " America/Havana Asia/Beirut Pacific/Apia Pacific/Kiritimati America/St_Johns"
        ).split()
    ]
)
MOMENTS = some.integers(0, 20 * 365 * 24 * 60).map(
    lambda minutes: datetime(2010, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
CLOCKS = some.times().map(lambda at: at.replace(second=0, microsecond=0))


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("begins", "ends", "now", "is_quiet", "until"),
    [
        # Within a day. Berlin is two hours ahead in June.
        (time(12), time(14), at(2026, 6, 11, 9, 59), False, at(2026, 6, 11, 10)),
        (time(12), time(14), at(2026, 6, 11, 10), True, at(2026, 6, 11, 12)),
        (time(12), time(14), at(2026, 6, 11, 12), False, at(2026, 6, 12, 10)),
        # Past midnight.
        (time(22), time(7), at(2026, 6, 11, 19, 59), False, at(2026, 6, 11, 20)),
        (time(22), time(7), at(2026, 6, 11, 20), True, at(2026, 6, 12, 5)),
        (time(22), time(7), at(2026, 6, 12, 4, 59), True, at(2026, 6, 12, 5)),
        (time(22), time(7), at(2026, 6, 12, 5), False, at(2026, 6, 12, 20)),
        # The clock goes forward, at 2:00 on 29 March: the night is an hour shorter…
        (time(22), time(7), at(2026, 3, 28, 21), True, at(2026, 3, 29, 5)),
        # …and when its end comes never, it is the later of what that may mean: 3:30, not 1:30.
        (time(22), time(2, 30), at(2026, 3, 29, 0), True, at(2026, 3, 29, 1, 30)),
        (time(2, 30), time(7), at(2026, 3, 29, 0), False, at(2026, 3, 29, 0, 30)),
        # The clock goes back, at 3:00 on 25 October: the night is an hour longer…
        (time(22), time(7), at(2026, 10, 24, 20), True, at(2026, 10, 25, 6)),
        # …and 2:30 comes twice: it is quiet from the first, or until the second.
        (time(22), time(2, 30), at(2026, 10, 25, 0, 45), True, at(2026, 10, 25, 1, 30)),
        (time(2, 30), time(7), at(2026, 10, 25, 0, 30), True, at(2026, 10, 25, 6)),
    ],
)
def test_a_night_is_of_the_clock_on_the_wall(
    begins: time, ends: time, now: datetime, is_quiet: bool, until: datetime
) -> None:
    assert Night(begins, ends, BERLIN).stretch(now) == (is_quiet, until)


@given(CLOCKS, CLOCKS, ZONES, MOMENTS)
def test_quiet_and_not_quiet_take_turns(
    begins: time, ends: time, zone: ZoneInfo, now: datetime
) -> None:
    if begins == ends:
        return
    night = Night(begins, ends, zone)
    is_quiet, until = night.stretch(now)

    assert now < until <= now + timedelta(days=2, hours=2)
    assert night.stretch(until)[0] is not is_quiet or until == now
    assert night.stretch(until - timedelta(microseconds=1)) == (is_quiet, until)


def test_rules_without_hours_have_no_night() -> None:
    assert night_of(SendingRules(quiet_from=None, quiet_until=None, time_zone="UTC")) is None
    rules = SendingRules(quiet_from=time(21), quiet_until=time(8), time_zone="Europe/Berlin")
    assert night_of(rules) == Night(time(21), time(8), BERLIN)


@given(MOMENTS, ZONES)
@example(datetime(2026, 10, 25, 12, tzinfo=UTC), BERLIN)  # 25 hours
@example(datetime(2011, 12, 30, 9, 30, tzinfo=UTC), ZoneInfo("Pacific/Apia"))  # a day left out
def test_every_hour_belongs_to_one_day(now: datetime, zone: ZoneInfo) -> None:
    began, ends = day_began(now, zone), next_day(now, zone)

    assert began <= hour_of(now) < ends
    assert timedelta(hours=23) <= ends - began <= timedelta(hours=25)
    today = day_of(now, zone)
    assert {day_of(began + timedelta(hours=n), zone) for n in range(23)} == {today}
    assert day_of(began - timedelta(hours=1), zone) < today < day_of(ends, zone)


def test_a_day_begins_at_midnight_or_with_the_first_whole_hour_after() -> None:
    now = at(2026, 6, 11, 12)
    assert day_began(now, BERLIN) == at(2026, 6, 10, 22)
    assert day_began(now, ZoneInfo("Asia/Kolkata")) == at(2026, 6, 10, 19)  # 0:30 there
