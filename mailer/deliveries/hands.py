"""Hands: the permits that one worker holds, each good from its moment on and not for long."""

from collections import Counter, deque
from datetime import datetime, timedelta

import msgspec

from mailer.deliveries.permits import AHEAD, Permits, Want

# Permits asked for by who has used none lately. Who has used some asks for four times as many: they
# were used in a quarter of a second and the permits are for half a second, and a campaign that
# begins must come to its pace within a few looks.
_FEW = 8

_FULL_REST = 1.0  # seconds before asking again where a limit of an hour or a day is reached


class Held(msgspec.Struct, eq=False):
    """Permits by this machine's own clock, in seconds."""

    start: float
    step: float
    count: int
    ends: float  # then none of them is good any more
    hour: datetime  # in whose tally they stand
    hour_ends: float

    def run_out(self, now: float) -> int:
        """Take away, and count, the permits whose time is over.

        A permit is good for half a second, or until the next one's moment if that is longer. So
        what was not used when it might have been does not go all at once afterwards.
        """
        late = 0
        if self.ends <= now:
            late = self.count
        elif self.step and (behind := now - self.start - max(AHEAD, self.step)) > 0:
            late = min(self.count, int(behind / self.step) + 1)
        self.count -= late
        self.start += late * self.step
        return late


class Hand:
    """What this worker holds of one relay or one domain."""

    def __init__(self) -> None:
        self.is_wanted = True  # so that the first message need not wait for a second look
        self.is_starved = False  # somebody asked in vain
        self.owed = 0  # taken without a permit, by letters
        self.unused: Counter[datetime] = Counter()  # run out, by the hour of their tally
        self.full = ""  # which limit is reached: "hour" or "day"
        self._used = 0  # since permits were taken last
        self._held: deque[Held] = deque()
        self._last: Held | None = None  # the one that was taken of last
        self._not_before = float("-inf")

    def is_ready(self, now: float) -> bool:
        """Say whether the moment of a permit has come, to somebody who wants one."""
        self.is_wanted = True
        if self.has_ready(now):
            return True
        self.is_starved = True
        return False

    def has_ready(self, now: float) -> bool:
        """Say whether the moment of a permit has come."""
        while self._held:
            first = self._held[0]
            if first.start > now:
                return False
            if late := first.run_out(now):
                self.unused[first.hour] += late
            if first.count:
                return first.start <= now
            self._held.popleft()
        return False

    def take(self) -> None:
        """Use a permit; `is_ready` has said that there is one."""
        first = self._last = self._held[0]
        first.start += first.step
        first.count -= 1
        self._used += 1
        if not first.count:
            self._held.popleft()

    def put_back(self, now: float) -> None:
        """Hold again what was taken and not used, as long as its hour lasts."""
        if self._last is None:  # it was taken when nothing was limited
            return
        last = self._last
        self._held.appendleft(
            Held(now, 0.0, 1, min(now + AHEAD, last.hour_ends), last.hour, last.hour_ends)
        )

    def has_wish(self, now: float) -> bool:
        """Say whether there is anything to ask for, or to own up to."""
        return bool(self.owed) or ((self.is_wanted or self.is_starved) and now >= self._not_before)

    def want(self) -> Want:
        """Say what to ask for."""
        if not (self.is_wanted or self.is_starved):
            return Want(owed=self.owed)
        held = sum(held.count for held in self._held)
        return Want(most=max(max(_FEW, 4 * self._used) - held, 0), owed=self.owed)

    def receive(self, got: Permits, asked: Want, *, at: datetime, now: float) -> None:
        """Hold permits; `at` is the moment by the clock of all, `now` by that of this machine."""
        self.owed -= asked.owed
        if not got.count:
            self._not_before = now + _FULL_REST if self.full else now
            return
        self.is_wanted, self._used = False, 0
        hour_ends = now + (got.hour + timedelta(hours=1) - at).total_seconds()
        start = now + (got.start - at).total_seconds()
        ends = start + got.count * got.step + max(AHEAD, got.step)
        self._held.append(
            Held(start, got.step, got.count, min(ends, hour_ends), got.hour, hour_ends)
        )

    def empty(self) -> None:
        """Hold nothing any more: limits have changed, or the worker ends."""
        for held in self._held:
            self.unused[held.hour] += held.count
        self._held.clear()
        self.is_wanted = self.is_starved = False
