"""How many active people stand on each tier.

On a large roll that is asked by every page of the ladder and takes a second to count, so a worker
counts it once a minute and the pages say when that was. On a small one, for whoever sees some
groups only, and where no worker has counted lately, it is counted when it is asked for.
"""

from datetime import datetime, timedelta

import msgspec

from mailer.kit.rooms import Rooms
from mailer.kit.work import Work
from mailer.tiers import store as tiers
from mailer.tiers.census import store

LARGE = 100_000
"""From so many people on a count is kept: fewer are counted in a few hundredths of a second."""

EVERY = timedelta(minutes=1)
HOLDS_FOR = timedelta(minutes=5)
"""After this nobody counts any more: a count of long ago is not shown."""


class Census(msgspec.Struct, frozen=True):
    """How many are on each tier, by its number; `at` is when a worker counted, None is now."""

    people: dict[int, int]
    at: datetime | None = None


async def census(work: Work) -> Census:
    """Count the active people whom the actor may see on each tier; a tier without any has 0."""
    if work.scope is None and await _is_large(work):
        at = await store.counted_at(work)
        if at is not None and at > work.now - HOLDS_FOR:
            kept = await store.kept(work)
            return Census({tier.no: kept.get(tier.no, 0) for tier in await tiers.ladder(work)}, at)
    return Census(await tiers.counts(work))


async def keep_census(house: Rooms) -> bool:
    """Count a large roll once a minute and keep what was found; there is never more at once."""
    async with house.work(reading=True) as work:
        if not await _is_large(work):
            return False
        at = await store.counted_at(work)
        if at is not None and at > work.now - EVERY:
            return False
        found = await tiers.counts(work)  # before anything is locked: it takes long
    async with house.work() as work:
        await store.keep(work, found)
    return False


async def _is_large(work: Work) -> bool:
    return await store.highest_number(work) >= LARGE
