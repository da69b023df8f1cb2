"""Every question about signals."""

from datetime import datetime

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import contains_eager

from mailer.activity.signals.model import Signal
from mailer.kit.work import Work


async def is_any_due(work: Work) -> bool:
    """Say whether there is anything to hand on; a question that locks nothing."""
    return bool(await work.session.scalar(select(exists().where(Signal.due_at <= work.now))))


async def claim(work: Work, until: datetime, *, limit: int) -> list[int]:
    """Take the signals that have waited longest, until a moment; another worker takes others.

    Gives the numbers of their lines. The moment tells later whether they are still ours.
    """
    due = (
        select(Signal.activity_no)
        .where(Signal.due_at <= work.now)
        .order_by(Signal.due_at, Signal.activity_no)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = await work.session.scalars(
        update(Signal)
        .where(Signal.activity_no.in_(due))
        .values(due_at=until)
        .returning(Signal.activity_no)
        .execution_options(synchronize_session=False)
    )
    return sorted(taken)


async def claimed(work: Work, line_no: int, until: datetime) -> Signal | None:
    """Give a signal that was taken, with its line; None where somebody else has it, or nobody."""
    return await work.session.scalar(
        select(Signal)
        .join(Signal.line)
        .options(contains_eager(Signal.line))
        .where(Signal.activity_no == line_no, Signal.due_at == until)
        .execution_options(populate_existing=True)
    )


async def drop(work: Work, line_no: int, until: datetime) -> bool:
    """Delete a signal that was handed on; say whether it was still ours."""
    gone = await work.session.scalars(
        delete(Signal)
        .where(Signal.activity_no == line_no, Signal.due_at == until)
        .returning(Signal.activity_no)
        .execution_options(synchronize_session=False)
    )
    return gone.first() is not None


async def put_off(work: Work, signal: Signal, until: datetime) -> None:
    """Leave a signal for later, and note that it was tried."""
    signal.due_at, signal.tried = until, signal.tried + 1
    await work.session.flush()


async def waiting(work: Work) -> int:
    """Count the signals that nobody has reacted to."""
    return await work.session.scalar(select(func.count(Signal.activity_no))) or 0
