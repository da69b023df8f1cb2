"""Hours: when it is night where our people are, and when a day of theirs begins.

Instants are computed from the clock on the wall and its zone, so that summer time needs no care of
anybody. Where an hour comes twice or never, the night is rather longer than shorter.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from mailer.relays.model import SendingRules

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Night(msgspec.Struct, frozen=True):
    """The hours in which nothing but what is urgent is sent; they may go past midnight."""

    begins: time
    ends: time
    zone: ZoneInfo

    def stretch(self, now: datetime) -> tuple[bool, datetime]:
        """Say whether it is quiet at a moment, and until when that stays so."""
        today = now.astimezone(self.zone).date()
        nights = [self._of(today + DAY * days) for days in (-1, 0, 1, 2)]
        for begins, ends in nights:
            if begins <= now < ends:
                return True, ends
        return False, min(begins for begins, _ends in nights if begins > now)

    def _of(self, day: date) -> tuple[datetime, datetime]:
        """Give the night that begins on a day."""
        next_morning = day if self.begins < self.ends else day + DAY
        return min(self._instants(day, self.begins)), max(self._instants(next_morning, self.ends))

    def _instants(self, day: date, at: time) -> list[datetime]:
        """Give the moments that a wall clock may mean: two where an hour comes twice or never."""
        return [
            datetime.combine(day, at.replace(fold=fold), self.zone).astimezone(UTC)
            for fold in (0, 1)
        ]


def night_of(rules: SendingRules) -> Night | None:
    """Give the night of the rules; None if they have none."""
    if rules.quiet_from is None or rules.quiet_until is None:
        return None
    return Night(rules.quiet_from, rules.quiet_until, ZoneInfo(rules.time_zone))


def hour_of(now: datetime) -> datetime:
    """Give the beginning of an hour, in UTC: what tallies are kept by."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(now: datetime, zone: ZoneInfo) -> date:
    """Give the day to which an hour belongs: the day on which it began.

    Where the clock is half an hour off (Kolkata), the day of the tallies begins at 00:30.
    """
    return hour_of(now).astimezone(zone).date()


def day_began(now: datetime, zone: ZoneInfo) -> datetime:
    """Give the beginning of the first hour of the day that a moment belongs to."""
    hour, today = hour_of(now), day_of(now, zone)
    while day_of(hour - HOUR, zone) == today:  # 25 times at most, when the clock goes back
        hour -= HOUR
    return hour


def next_day(now: datetime, zone: ZoneInfo) -> datetime:
    """Give the beginning of the first hour of the next day."""
    hour, today = hour_of(now), day_of(now, zone)
    while day_of(hour, zone) == today:
        hour += HOUR
    return hour
