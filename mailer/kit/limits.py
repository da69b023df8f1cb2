"""A limit on how long the database may think about one question."""

import contextlib
import sqlite3
import time
from collections.abc import AsyncGenerator

import aiosqlite
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

# Instructions of SQLite's machine between two looks at the clock: about a tenth of a millisecond.
_STEPS = 10_000

# Of a question that reads much and gives little: its hash tables stay in memory, no time goes into
# compiling what runs once (PostgreSQL's just-in-time compiler takes 0.1 to 0.3 s for these), and
# indexes are read as what is mostly in memory: two in order are merged, which halves the time.
_FOR_BIG_QUESTIONS = {"work_mem": "64MB", "jit": "off", "random_page_cost": "1.1"}


class TookTooLong(Exception):
    """The database was told to stop thinking. What was done before it in this work still stands."""


@contextlib.asynccontextmanager
async def time_limit(session: AsyncSession, seconds: float) -> AsyncGenerator[None]:
    """Let the questions inside take so long together, on SQLite, or each, on PostgreSQL.

    For SELECTs: stopping a statement that writes would end the whole transaction on SQLite.
    """
    if session.get_bind().dialect.name == "postgresql":
        limited = _on_postgres(session, seconds)
    else:
        limited = _on_sqlite(session, seconds)
    async with limited:
        yield


@contextlib.asynccontextmanager
async def _on_postgres(session: AsyncSession, seconds: float) -> AsyncGenerator[None]:
    settings = {"statement_timeout": str(max(round(seconds * 1000), 1)), **_FOR_BIG_QUESTIONS}
    before = (
        await session.execute(select(*[func.current_setting(name) for name in settings]))
    ).one()
    savepoint = await session.begin_nested()  # what is stopped ends its transaction, else ours
    try:
        await _set(session, settings)
        yield
    except DBAPIError as fault:
        await savepoint.rollback()
        if getattr(fault.orig, "sqlstate", None) == "57014":  # query_canceled
            raise TookTooLong from fault
        raise
    except BaseException:
        await savepoint.rollback()
        raise
    await _set(session, dict(zip(settings, before, strict=True)))
    await savepoint.commit()


async def _set(session: AsyncSession, settings: dict[str, str]) -> None:
    """Change settings until the transaction ends."""
    await session.execute(
        select(*[func.set_config(name, value, True) for name, value in settings.items()])  # noqa: FBT003
    )


@contextlib.asynccontextmanager
async def _on_sqlite(session: AsyncSession, seconds: float) -> AsyncGenerator[None]:
    raw = await (await session.connection()).get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, aiosqlite.Connection)
    ends = time.monotonic() + seconds
    await driver.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
    try:
        yield
    except DBAPIError as fault:
        if getattr(fault.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise TookTooLong from fault
        raise
    finally:
        await driver.set_progress_handler(None, 0)  # type: ignore[arg-type]  # None takes it away
