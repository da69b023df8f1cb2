"""Days: where one ends for the organisation, and those that we give where nobody gave one.

A yes without a date would never be asked about, and whoever offered something be forgotten.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from mailer.asks.model import Ask
from mailer.kit.work import Work

ASKED_AFTER = timedelta(days=30)
"""How long after a yes to what has no date we ask how it went."""

A_WEEK_ON = timedelta(days=7)
"""How long after "not yet" without a day, where no date is left, we ask again."""

_Zone = Callable[[Work], Awaitable[tzinfo]]
_ZONES: list[_Zone] = []


def zone_is_told_by(ask: _Zone) -> None:
    """Let this say where the organisation is; it stands above us, with the rules of sending."""
    _ZONES[:] = [ask]


async def zone_of_ours(work: Work) -> tzinfo:
    """Give the organisation's zone; UTC where nobody tells it."""
    return await _ZONES[0](work) if _ZONES else UTC


def end_of(day: date, zone: tzinfo) -> datetime:
    """Give the last second of a day."""
    return datetime.combine(day, time(23, 59, 59), zone)


async def day_of(work: Work, moment: datetime) -> date:
    """Give the day that it was for the organisation."""
    return moment.astimezone(await zone_of_ours(work)).date()


async def a_day_of_ours(work: Work, after: timedelta) -> datetime:
    """Give the end of the day that comes so long after today."""
    zone = await zone_of_ours(work)
    return end_of(work.now.astimezone(zone).date() + after, zone)


async def first_day(work: Work, ask: Ask) -> dict[str, Any]:
    """Give the columns of the date of a new yes: none where the ask has one, else ours."""
    if ask.deadline is not None:
        return {"due_at": None, "is_our_day": False}
    return {"due_at": await a_day_of_ours(work, ASKED_AFTER), "is_our_day": True}
