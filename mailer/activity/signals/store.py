"""Every question about signals."""

from datetime import datetime

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import contains_eager

from mailer.activity.signals.model import Signal
from mailer.kit.work import Work


async def is_any_due(work: Work) -> bool:
    """Say whether there is anything to hand on; a question that locks nothing."""
    return bool(await work.session.scalar(select(exists().where(Signal.due_at <= work.now))))


async def take(work: Work) -> Signal | None:
    """Take the signal that has waited longest, with its line; another worker takes another."""
    return await work.session.scalar(
        select(Signal)
        .join(Signal.line)
        .options(contains_eager(Signal.line))
        .where(Signal.due_at <= work.now)
        .order_by(Signal.due_at, Signal.activity_no)
        .limit(1)
        .with_for_update(skip_locked=True, of=Signal)
        .execution_options(populate_existing=True)
    )


async def drop(work: Work, signal: Signal) -> None:
    """Delete a signal that was handed on."""
    await work.session.execute(
        delete(Signal)
        .where(Signal.activity_no == signal.activity_no)
        .execution_options(synchronize_session=False)
    )


async def put_off(work: Work, signal: Signal, until: datetime) -> None:
    """Leave a signal for later, and note that it was tried."""
    signal.due_at, signal.tried = until, signal.tried + 1
    await work.session.flush()


async def waiting(work: Work) -> int:
    """Count the signals that nobody has reacted to."""
    return await work.session.scalar(select(func.count(Signal.activity_no))) or 0
