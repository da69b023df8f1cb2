"""Hours of the day: the organisation's morning, and the evening where somebody lives."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber

EVENING = time(18)
"""Whoever did not answer by day is at home then."""

MORNING = time(8)
"""When the letter of the day is written, and a day begins on which somebody is called."""

_Zone = Callable[[Work], Awaitable[tzinfo]]
_ZONES: list[_Zone] = []


def zone_is_told_by(ask: _Zone) -> None:
    """Let this say where the organisation is; it stands above us, with the rules of sending."""
    _ZONES[:] = [ask]


async def zone_of_ours(work: Work) -> tzinfo:
    """Give the organisation's zone; UTC where nobody tells it."""
    return await _ZONES[0](work) if _ZONES else UTC


async def zone_of(work: Work, subscriber: Subscriber) -> tzinfo:
    """Give the zone where somebody lives, or ours where that is not known."""
    return ZoneInfo(subscriber.time_zone) if subscriber.time_zone else await zone_of_ours(work)


async def moment_there(work: Work, subscriber: Subscriber, day: date, hour: time) -> datetime:
    """Give the moment at which the clocks where somebody lives show an hour of a day."""
    return _at(day, hour, await zone_of(work, subscriber))


async def tomorrow_evening(work: Work, subscriber: Subscriber) -> datetime:
    """Give the moment at which it is tomorrow's evening where somebody lives."""
    zone = await zone_of(work, subscriber)
    tomorrow = work.now.astimezone(zone).date() + timedelta(days=1)
    return _at(tomorrow, EVENING, zone)


async def morning_of(work: Work, day: date) -> datetime:
    """Give the moment at which a day begins for us."""
    return await moment_of(work, day, MORNING)


async def moment_of(work: Work, day: date, hour: time) -> datetime:
    """Give the moment at which our clocks show an hour of a day."""
    return _at(day, hour, await zone_of_ours(work))


async def today(work: Work) -> date:
    """Give the day that it is where the organisation is."""
    return work.now.astimezone(await zone_of_ours(work)).date()


async def end_of_today(work: Work) -> datetime:
    """Give the moment at which today ends where the organisation is."""
    return await end_of(work, await today(work))


async def end_of(work: Work, day: date) -> datetime:
    """Give the moment at which a day ends for us."""
    return await moment_of(work, day + timedelta(days=1), time(0))


def _at(day: date, hour: time, zone: tzinfo) -> datetime:
    """Give a moment by the clocks of a zone; what a change of clocks skips is an hour later."""
    return datetime.combine(day, hour, zone).astimezone(UTC)
