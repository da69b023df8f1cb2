"""Rounds: a walk over the roll, a stretch at a time, begun once a day."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.tiers.upkeep import store
from mailer.tiers.upkeep.store import Stretch

EVERY = timedelta(days=1)
STRETCH = 300
"""People who are looked at in one unit of work: under 20 ms, so that others may write between."""

SHARE, LEAST = 100, 500
"""A round writes to a hundredth of the roll, or to 500 where that is more."""

Walk = Callable[[Work, int, int], Awaitable[tuple[Stretch, int]]]
"""Does a stretch after a number, with so many letters at most; tells how many it wrote."""


async def is_due(work: Work, name: str) -> bool:
    """Say whether a round is under way, or a day has gone by since the last began."""
    return await store.is_due(work, name, work.now - EVERY)


async def go_on(work: Work, name: str, walk: Walk, *, has_share: bool = True) -> bool:
    """Do the next stretch of a round; say whether there is more of it.

    Where `has_share` the round writes to a share of the roll and no more, which is counted for it.
    """
    round_ = await store.take_round(work, name, work.now - EVERY)
    if round_ is None:
        return False
    if round_.after_no is None:
        round_.begun_at, round_.after_no = work.now, 0
        share = await subscribers.how_many(work) // SHARE if has_share else 0
        round_.left = max(LEAST, share)
    stretch, written = await walk(work, round_.after_no, round_.left)
    round_.left -= written
    # Whoever the day's letters did not reach is first in line tomorrow: the others are asked.
    round_.after_no = stretch.last if round_.left > 0 else None
    await work.session.flush()
    return round_.after_no is not None
