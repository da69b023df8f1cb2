"""Questions about timelines."""

from collections.abc import Collection, Sequence

from sqlalchemy import select

from mailer.activity.model import Activity
from mailer.kit.work import Work


async def lines_of(
    work: Work,
    subscriber_no: int,
    *,
    kinds: Collection[str] | None = None,
    limit: int = 200,
) -> Sequence[Activity]:
    """Give the newest lines of one person, newest first. The caller has asked whether they may."""
    lines = (
        select(Activity)
        .where(Activity.subscriber_no == subscriber_no)
        .order_by(Activity.no.desc())
        .limit(limit)
    )
    if kinds is not None:
        lines = lines.where(Activity.kind.in_(kinds))
    return (await work.session.scalars(lines)).all()


async def kinds(work: Work, subscriber_no: int) -> list[str]:
    """Give the kinds of one person's lines in the order they happened."""
    found = await work.session.scalars(
        select(Activity.kind).where(Activity.subscriber_no == subscriber_no).order_by(Activity.no),
    )
    return list(found)
