"""When which letter goes out. Dates end with their day, so that these are mornings."""

from datetime import datetime, timedelta

import msgspec

from mailer.asks.model import PledgeState

WAITS = (PledgeState.PLEDGED, PledgeState.IN_PROGRESS)
"""Of those who said yes: who has it still to do, and is not waiting for our help."""

QUIET_FOR = timedelta(days=1)
"""So long after an answer of theirs nobody is written to about it."""


MOST_REMINDERS = 2
"""Of one pledge, however often the deadline of its ask is moved. A date of their own is new."""


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """A letter about a date: from when on it is due, and until when it makes sense."""

    letter: str
    walk: str  # the beginning of the names of its walks, which are short
    noted: str  # the column of a pledge that says when it went out last
    begins: timedelta  # after the date; before it where negative
    ends: timedelta
    is_reminder: bool = False  # so not where the ask was closed, nor of a day that nobody gave

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        """Give the dates that this letter is due for: later than the first, up to the second."""
        return now - self.ends, now - self.begins


REMINDING = Occasion(
    letter="pledge-due",
    walk="due",
    noted="reminded_at",
    begins=-timedelta(days=3, hours=14),
    ends=timedelta(),
    is_reminder=True,
)
ASKING = Occasion(
    letter="did-you-do-it",
    walk="ask",
    noted="asked_at",
    begins=timedelta(hours=10),
    ends=timedelta(days=14),
)
OCCASIONS = (REMINDING, ASKING)
