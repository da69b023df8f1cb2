"""Foreseeing: what a warm-up plan allows, and how long so many messages take.

Pure arithmetic on what the rows say. The paces of domains are left out: they hold back some of an
audience, and rise again by themselves.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from mailer.relays.hours import HOUR, Night, day_of, hour_of

WARM = 1_000_000
"""Messages a day at which a relay without a daily limit is warm: nobody is surprised any more."""

_FURTHEST = timedelta(days=60)


class Plan(msgspec.Struct, frozen=True):
    """A warm-up plan: so many messages on the first day, and so many per cent more each day.

    The next step is earned: a day counts only if it carried half of what was allowed. A union that
    mails once a week would otherwise begin at 200 and be at 3,400 a week later, with a server that
    has seen it once.
    """

    first: int
    growth: int  # per cent

    def allowed(self, carried: Iterable[int]) -> int:
        """Give the messages that may go today, after days that carried so many."""
        allowed = self.first
        for number in carried:
            allowed = self.after(allowed, number)
        return allowed

    def after(self, allowed: int, carried: int) -> int:
        """Give what is allowed on the next day."""
        if 2 * carried < allowed:
            return allowed
        return min(allowed * (100 + self.growth) // 100, WARM)


class Allotment(msgspec.Struct, frozen=True):
    """What one relay may still carry. None: as much as it likes."""

    per_second: int | None = None
    per_hour: int | None = None
    per_day: int | None = None
    this_hour: int = 0  # carried already, as is:
    today: int = 0
    plan: Plan | None = None
    planned: int = 0  # by the plan, for today

    @property
    def day_limit(self) -> int | None:
        """Give what may go on this day by the daily limit and the plan."""
        return least(self.per_day, self.planned if self.is_warming else None)

    @property
    def is_warming(self) -> bool:
        """Say whether the plan still holds it back."""
        return self.plan is not None and self.planned < WARM

    @property
    def left(self) -> int | None:
        """Give what may still go in this hour; negative if letters have gone beyond."""
        hour = None if self.per_hour is None else self.per_hour - self.this_hour
        day = None if self.day_limit is None else self.day_limit - self.today
        return least(hour, day)

    def next_hour(self, *, is_new_day: bool, carried: int) -> "Allotment":
        """Give it as it is in the next hour, after this one has carried more."""
        today = self.today + carried
        if not is_new_day:
            return msgspec.structs.replace(self, this_hour=0, today=today)
        planned = self.plan.after(self.planned, today) if self.plan else 0
        return msgspec.structs.replace(self, this_hour=0, today=0, planned=planned)


def least(*limits: int | None) -> int | None:
    """Give the lowest of limits, some of which may not be there."""
    return min((limit for limit in limits if limit is not None), default=None)


def rate_now(relays: Sequence[Allotment], night: Night | None, now: datetime) -> float | None:
    """Give the messages a second that may go now; None when nothing limits them."""
    if night is not None and night.stretch(now)[0]:
        return 0.0
    rates = [0 if one.left is not None and one.left <= 0 else one.per_second for one in relays]
    known = [rate for rate in rates if rate is not None]
    return float(sum(known)) if len(known) == len(rates) else None


def how_long(
    relays: Sequence[Allotment],
    number: int,
    *,
    now: datetime,
    zone: ZoneInfo,
    night: Night | None = None,
    pace: float | None = None,
) -> timedelta | None:
    """Say how long so many messages take through these relays, quiet hours included.

    `pace` is what is measured, in messages a second. None when that cannot be said: nothing limits
    them and nothing was measured, nothing may go at all, or it takes more than two months.
    """
    relays, pace = list(relays), pace or None
    if not relays:
        return None
    at, left = now, float(number)
    while left > 0:
        if at - now > _FURTHEST:
            return None
        is_quiet, changes_at = night.stretch(at) if night else (False, hour_of(at) + HOUR)
        until = min(changes_at, hour_of(at) + HOUR)
        seconds = 0.0 if is_quiet else (until - at).total_seconds()
        shares = [_most_in(one, seconds, pace) for one in relays]
        if not is_quiet and None in shares:
            return None  # as fast as it goes, and nobody knows how fast that is
        speed = _speed(relays, pace)
        carried = sum(share or 0.0 for share in shares)
        fits = carried if pace is None else min(carried, pace * seconds)
        if fits >= left:
            return at - now + timedelta(seconds=left / speed if speed else 0.0)
        left -= fits
        # Of what went, each relay had its share: a rounding of a message more or less is no matter.
        part = fits / carried if carried else 0.0
        is_new_hour, is_new_day = (
            hour_of(until) > hour_of(at),
            day_of(until, zone) > day_of(at, zone),
        )
        relays = [
            _after(
                one, round((share or 0.0) * part), is_new_hour=is_new_hour, is_new_day=is_new_day
            )
            for one, share in zip(relays, shares, strict=True)
        ]
        at = until
    return at - now


def _after(one: Allotment, carried: int, *, is_new_hour: bool, is_new_day: bool) -> Allotment:
    if is_new_hour:
        return one.next_hour(is_new_day=is_new_day, carried=carried)
    return msgspec.structs.replace(
        one, this_hour=one.this_hour + carried, today=one.today + carried
    )


def _most_in(one: Allotment, seconds: float, pace: float | None) -> float | None:
    """Give what a relay may carry in so many seconds; None for no limit at all."""
    if not seconds:
        return 0.0
    rates = [rate for rate in (one.per_second, pace) if rate is not None]
    limits = [min(rates) * seconds] if rates else []
    if one.left is not None:
        limits.append(max(one.left, 0))
    return min(limits, default=None)


def _speed(relays: Sequence[Allotment], pace: float | None) -> float | None:
    """Give the messages a second while messages go; None if only the hours and days limit them."""
    rates = [one.per_second for one in relays if one.left is None or one.left > 0]
    if not rates or None in rates:
        return pace
    together = float(sum(rate for rate in rates if rate is not None))
    return together if pace is None else min(together, pace)
