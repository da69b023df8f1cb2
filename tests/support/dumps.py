"""All there is in a database, to be compared with what there was."""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Executable, Table, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from mailer.bootstrap import House
from mailer.kit.orm import Base
from mailer.kit.work import Work


async def everything(house: House, *, but: Collection[str] = ()) -> dict[str, list[str]]:
    """Give every row of every table, but for those of the tables that are named."""
    async with house.work(reading=True) as work:
        return {
            table.name: sorted(
                repr(tuple(row))
                for row in await work.session.execute(
                    select(table).execution_options(unscoped="the test compares all there is")
                )
            )
            for table in Base.metadata.sorted_tables
            if table.name not in but
        }


Key = tuple[Any, ...]
Rows = dict[str, dict[Key, dict[str, Any]]]
"""Every row of every table, by its primary key."""

_TABLES = Base.metadata.sorted_tables
_ALL = "the test looks at all there is"


async def rows_of(house: House) -> Rows:
    """Give every row of every table as it is now."""
    async with house.work(reading=True) as work:
        return {
            table.name: {
                tuple(row[one.name] for one in table.primary_key): dict(row)
                for row in (
                    await work.session.execute(select(table).execution_options(unscoped=_ALL))
                ).mappings()
            }
            for table in _TABLES
        }


async def put_back(house: House, before: Rows) -> None:
    """Let the database be as it was; what nothing has changed is not touched.

    Rows refer to each other, and of some there is only one: what one of them forbids waits until
    the others are back.
    """
    now = await rows_of(house)
    waiting = [one for table in _TABLES for one in _ways_back(table, before, now)]
    async with house.work() as work:
        while waiting:
            left = [one for one in waiting if not await _is_done(work, one)]
            assert len(left) < len(waiting), left
            waiting = left


def _ways_back(table: Table, before: Rows, now: Rows) -> Iterator[Executable]:
    was, is_now = before[table.name], now[table.name]
    for key, row in was.items():
        if key not in is_now:
            yield insert(table).values(row)
        elif row != is_now[key]:
            yield update(table).where(_is(table, key)).values(row)
    for key in is_now.keys() - was.keys():
        yield delete(table).where(_is(table, key))


async def _is_done(work: Work, statement: Executable) -> bool:
    try:
        async with work.session.begin_nested():
            await work.session.execute(statement.execution_options(unscoped=_ALL))
    except IntegrityError:
        return False
    return True


def _is(table: Table, key: Key) -> ColumnElement[bool]:
    return and_(*(one == said for one, said in zip(table.primary_key, key, strict=True)))
