"""Forgetting who stood in files: what an undo needs after 7 days, and the lines after 90."""

from datetime import timedelta

from sqlalchemy import Select, and_, delete, func, null, or_, select, update

from mailer.imports import store
from mailer.imports.house import Rooms
from mailer.imports.model import Fate, Import, ImportItem, ImportLine, ImportState
from mailer.imports.undoing import UNDO_FOR
from mailer.kit.work import Door, Work

KEPT_FOR = timedelta(days=90)

_AT_ONCE = 5000  # lines of one unit of work
_BEFORES, _ALL = 1, 2  # how much of an import is forgotten
_GOING_ON = (ImportState.READING, ImportState.APPLYING, ImportState.UNDOING)


async def forget_some(house: Rooms) -> bool:
    """Forget some lines of the oldest import that it is time for; False when it is for none."""
    async with house.work(reading=True) as work:
        if await work.session.scalar(_due(work)) is None:
            return False
    async with house.work(door=Door.SYSTEM, bulk=True) as work:
        return await forget(work)


async def forget(work: Work) -> bool:
    """Forget some lines, in this unit of work."""
    import_ = await work.session.scalar(_due(work).with_for_update(skip_locked=True))
    if import_ is None:
        return False
    first = import_.forgotten_to + 1
    last = first + _AT_ONCE - 1
    if import_.forgotten < _BEFORES and not _is_old(work, import_):
        await _forget_befores(work, import_, first, last)
        after = _BEFORES
    else:
        await _forget_all(work, import_, first, last)
        after = _ALL
    import_.forgotten_to = last
    if last >= await store.last_line(work, import_):
        import_.forgotten, import_.forgotten_to = after, 0
    await work.session.flush()
    return True


def _is_old(work: Work, import_: Import) -> bool:
    return (import_.ended_at or import_.made_at) < work.now - KEPT_FOR


def _due(work: Work) -> Select[Import]:
    since = func.coalesce(Import.ended_at, Import.made_at)
    due = or_(
        and_(Import.forgotten < _BEFORES, Import.ended_at < work.now - UNDO_FOR),
        and_(Import.forgotten < _ALL, since < work.now - KEPT_FOR),
    )
    return select(Import).where(due, Import.state.not_in(_GOING_ON)).order_by(Import.no).limit(1)


async def _forget_befores(work: Work, import_: Import, first: int, last: int) -> None:
    here = (ImportLine.import_no == import_.no, ImportLine.line.between(first, last))
    done = select(ImportLine.line).where(*here, ImportLine.fate != Fate.REFUSED)
    await work.session.execute(
        delete(ImportItem)
        .where(ImportItem.import_no == import_.no, ImportItem.line.in_(done))
        .execution_options(synchronize_session=False)
    )
    await work.session.execute(
        update(ImportLine)
        .where(*here, ImportLine.fate != Fate.REFUSED)
        .values(before=null(), phone_before=null(), mark=null())
        .execution_options(synchronize_session=False)
    )


async def _forget_all(work: Work, import_: Import, first: int, last: int) -> None:
    await work.session.execute(
        delete(ImportItem)
        .where(ImportItem.import_no == import_.no, ImportItem.line.between(first, last))
        .execution_options(synchronize_session=False)
    )
    await work.session.execute(
        update(ImportLine)
        .where(ImportLine.import_no == import_.no, ImportLine.line.between(first, last))
        .values(**store.EMPTY, before=null(), phone_before=null())
        .execution_options(synchronize_session=False)
    )
    import_.found = {**import_.found, "first_rows": []}
    await store.forget_parts(work, import_)
