"""Stopping to write to many for some days, and taking that back."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from mailer.activity import actions as activity
from mailer.kit.work import Work
from mailer.outbox.actions import Post, call_back, post_many
from mailer.subscribers import store
from mailer.subscribers.actions import LONGEST_PAUSE, PauseOutOfRange
from mailer.subscribers.model import Subscriber


def check_days(days: int | None) -> int:
    """Give the days of a pause, if it may last so long."""
    if days is None or not 1 <= days <= LONGEST_PAUSE:
        raise PauseOutOfRange(field="days", most=LONGEST_PAUSE)
    return days


async def pause_many(
    work: Work, subscriber_nos: Collection[int], *, until: datetime
) -> dict[int, datetime | None]:
    """Write to none of these before a moment; give those whose pause is new or longer.

    Each with the end that their pause had before. As `pause`: they are told, and a pause that ends
    within a day of that moment, or later, stays as it is.
    """
    before = {
        one.no: one
        for one in await store.hold_many(work, subscriber_nos)
        if one.erased_at is None
        and (one.paused_until is None or one.paused_until <= until - timedelta(days=1))
    }
    was = {no: one.paused_until for no, one in before.items()}
    await store.change_many(work, list(before), {"paused_until": until})
    await activity.record_many(work, list(before), "paused", until=until.isoformat())
    await post_many(work, [_told(one, until) for one in before.values()])
    return was


async def unpause_many(
    work: Work, before: Mapping[int, datetime | None], *, until: datetime
) -> list[int]:
    """Give these the end of their pause back, if it is still that moment; give who has it.

    Letters about it that still wait are called back.
    """
    same = [
        one
        for one in await store.hold_many(work, before)
        if one.erased_at is None and one.paused_until == until
    ]
    ends: dict[datetime | None, list[int]] = defaultdict(list)
    for one in same:
        ends[before[one.no]].append(one.no)
    for end, nos in ends.items():
        await store.change_many(work, nos, {"paused_until": end})
    nos = [one.no for one in same]
    await activity.record_many(work, nos, "resumed")
    await call_back(work, [_key(no, until) for no in nos])
    return nos


def _told(subscriber: Subscriber, until: datetime) -> Post:
    return Post(
        kind="paused",
        dedupe_key=_key(subscriber.no, until),
        language=subscriber.language,
        facts={"until": until.isoformat()},
        subscriber=subscriber.no,
    )


def _key(subscriber_no: int, until: datetime) -> str:
    return f"paused:{subscriber_no}:{until.date()}"
