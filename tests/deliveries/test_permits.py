"""The timetable of permits: whoever takes when, they are never closer than the pace allows."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from mailer.deliveries.hands import Hand
from mailer.deliveries.permits import Permits, Want, of_domain, of_relay
from mailer.relays.model import DomainPace, Relay

NOON = datetime(2026, 6, 11, 12, tzinfo=UTC)
GRAIN = timedelta(microseconds=2)  # a moment is kept to the microsecond
TAKINGS = some.lists(
    some.tuples(some.floats(0, 3), some.integers(0, 200), some.integers(0, 3)), max_size=40
)


def moments_of(permits: Permits) -> list[datetime]:
    steps = (timedelta(seconds=permits.step * no) for no in range(permits.count))
    return [permits.start + step for step in steps]


@given(some.integers(1, 1000), TAKINGS)
def test_permits_of_a_relay_are_never_closer_than_its_pace(
    per_second: int, takings: list[tuple[float, int, int]]
) -> None:
    relay, now, moments = Relay(per_second=per_second), NOON, []
    for pause, most, owed in takings:
        now += timedelta(seconds=pause)
        taken = moments_of(of_relay(relay, Want(most=most, owed=owed), None, now))
        assert len(taken) <= most
        assert all(now <= one <= now + timedelta(seconds=0.5) + GRAIN for one in taken)
        moments += taken

    step = timedelta(seconds=1 / per_second)
    for one, after in itertools.pairwise(moments):
        assert after - one >= step - GRAIN


@given(some.integers(0, 100), some.integers(0, 100), some.integers(0, 20))
def test_a_tally_is_never_exceeded_but_by_letters(left: int, most: int, owed: int) -> None:
    permits = of_relay(Relay(), Want(most=most, owed=owed), left, NOON)

    assert permits.count <= max(left - owed, 0)
    assert permits.count == min(most, max(left - owed, 0))


def test_no_permit_is_for_the_next_hour() -> None:
    late = NOON - timedelta(seconds=0.1)
    permits = of_relay(Relay(per_second=100), Want(most=100), None, late)

    assert permits.count == 10
    assert permits.hour == NOON - timedelta(hours=1)


def test_a_domain_that_has_just_recovered_gives_what_is_wanted() -> None:
    assert of_domain(DomainPace(), Want(most=7), NOON).count == 7


@given(some.integers(1, 200), some.lists(some.floats(0, 1), min_size=1, max_size=60))
def test_a_hand_gives_no_more_than_its_pace_and_half_a_second(
    per_second: int, pauses: list[float]
) -> None:
    relay, hand, now, at, taken = Relay(per_second=per_second), Hand(), 0.0, NOON, []
    for pause in pauses:
        if hand.has_wish(now):
            want = hand.want()
            hand.receive(of_relay(relay, want, None, at), want, at=at, now=now)
        while hand.is_ready(now):
            hand.take()
            taken.append(now)
        now, at = now + pause, at + timedelta(seconds=pause)

    for first, begins in enumerate(taken):
        within = [one for one in taken[first:] if one <= begins + 1]
        assert len(within) <= per_second + max(per_second / 2, 1) + 2
