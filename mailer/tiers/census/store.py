"""What a worker has counted, and whether it is time to count again."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select

from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.tiers.model import ChosenTier, LadderCount


async def highest_number(work: Work) -> int:
    """Give the highest number of somebody on the ladder: without counting, it tells its size."""
    return await work.session.scalar(select(func.max(ChosenTier.subscriber_no))) or 0


async def counted_at(work: Work) -> datetime | None:
    """Say when the tiers were last counted; None if they never were."""
    return await work.session.scalar(select(func.min(LadderCount.counted_at)))


async def kept(work: Work) -> dict[int, int]:
    """Give how many were on each tier when they were last counted."""
    return {one.tier_no: one.people for one in await work.session.scalars(select(LadderCount))}


async def keep(work: Work, people: Mapping[int, int]) -> None:
    """Write down how many are on each tier now; of several who counted, the last is believed."""
    await add_missing(
        work,
        LadderCount,
        [{"tier_no": no, "people": 0, "counted_at": work.now} for no in people],
    )
    rows = select(LadderCount).order_by(LadderCount.tier_no).with_for_update()
    for row in await work.session.scalars(rows):
        row.people, row.counted_at = people.get(row.tier_no, 0), work.now
