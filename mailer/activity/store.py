"""Questions about timelines."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select, update

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


async def every_line_of(work: Work, subscriber_no: int) -> Sequence[Activity]:
    """Give all lines of one person, oldest first. The caller has asked whether they may."""
    found = await work.session.scalars(
        select(Activity).where(Activity.subscriber_no == subscriber_no).order_by(Activity.no)
    )
    return found.all()


async def drop(work: Work, subscriber_no: int) -> None:
    """Keep no line of one person."""
    await work.session.execute(
        delete(Activity)
        .where(Activity.subscriber_no == subscriber_no)
        .execution_options(synchronize_session=False)
    )


async def hand_over(work: Work, from_no: int, to_no: int) -> list[int]:
    """Put one person's lines into the timeline of another; give their numbers."""
    moved = await work.session.scalars(
        update(Activity)
        .where(Activity.subscriber_no == from_no)
        .values(subscriber_no=to_no)
        .returning(Activity.no)
        .execution_options(synchronize_session=False)
    )
    return sorted(moved)


async def hand_back(work: Work, nos: Collection[int], to_no: int) -> None:
    """Put lines back into the timeline that they came from."""
    await work.session.execute(
        update(Activity)
        .where(Activity.no.in_(nos))
        .values(subscriber_no=to_no)
        .execution_options(synchronize_session=False)
    )
