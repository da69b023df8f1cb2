"""Engines: the same manners on both databases.

SQLite takes the write lock when a transaction begins; left to the driver it silently loses
updates. Writers of one process queue first-in first-out before they ask for it, because SQLite's
own waiting is a lottery that starves the unlucky. A reading unit of work is refused by the
database itself when something in it tries to write.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator
from pathlib import Path
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from mailer.kit.errors import Unavailable
from mailer.kit.secrets import Keys
from mailer.kit.work import Door, Work, clock


class NoRoom(Unavailable):
    """The server has no room left to write anything down. Nothing was changed."""


READ_ONLY = {"readonly": True, "postgresql_readonly": True}
BULK = {"bulk": True}

# SQLite, while much is written that can be begun again where it stopped: a commit waits for no disk
# (what is lost with the power is as if it had not been done yet, and the file stays whole), pages
# stay in memory, and go from the journal to the file when 64 MiB of them have come together.
_MANNERS = {
    False: ("synchronous=FULL", "cache_size=-2000", "wal_autocheckpoint=1000"),
    True: ("synchronous=NORMAL", "cache_size=-65536", "wal_autocheckpoint=16384"),
}


# secure_delete: who is erased is not left in a free page of the file.
_ALWAYS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=30000",
    "secure_delete=ON",
)


def make_engine(url: str, *, poolclass: type[Pool] | None = None) -> AsyncEngine:
    """Open the database that a URL names (`sqlite+aiosqlite:///…` or `postgresql+psycopg://…`)."""
    engine = create_async_engine(url, poolclass=poolclass)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _new_connection)
        event.listen(engine.sync_engine, "begin", _begin)
    return engine


def sqlite_file(url: str) -> Path | None:
    """Give the file of a SQLite URL; None for another database or one in memory."""
    parts = make_url(url)
    if not parts.drivername.startswith("sqlite") or not parts.database:
        return None
    return None if parts.database == ":memory:" else Path(parts.database)


@contextlib.asynccontextmanager
async def unit_of_work(
    engine: AsyncEngine,
    *,
    keys: Keys,
    reading: bool = False,
    bulk: bool = False,
    scope: frozenset[int] | None = None,
    account: int | None = None,
    door: Door = Door.SYSTEM,
) -> AsyncGenerator[Work]:
    """Begin, hand out the work, commit; roll back if it raises. A full disk is a refusal.

    `bulk` is for one of many that follow each other, and that a crash may take back.
    """
    options = READ_ONLY if reading else BULK if bulk else {}
    bound = engine.execution_options(**options) if options else engine
    try:
        async with (
            turn(engine, reading=reading),
            AsyncSession(bound, expire_on_commit=False, autoflush=True) as session,
            session.begin(),
        ):
            yield Work(
                session=session,
                now=clock(),
                keys=keys,
                scope=scope,
                account=account,
                door=door,
            )
    except DBAPIError as fault:
        if is_no_room(fault):
            raise NoRoom from fault
        raise


def is_no_room(fault: BaseException) -> bool:
    """Say whether a fault is that the disk is full: SQLITE_FULL, or 53100 of PostgreSQL."""
    if not isinstance(fault, DBAPIError):
        return False
    said = getattr(fault.orig, "sqlite_errorname", None) or getattr(fault.orig, "sqlstate", None)
    return said in {"SQLITE_FULL", "53100"}


_QUEUES: WeakKeyDictionary[AsyncEngine, asyncio.Lock] = WeakKeyDictionary()


def turn(
    engine: AsyncEngine, *, reading: bool = False
) -> contextlib.AbstractAsyncContextManager[object]:
    """Wait for one's turn to write on SQLite: asyncio's lock serves in the order of asking."""
    if reading or engine.dialect.name != "sqlite":
        return contextlib.nullcontext()
    return _QUEUES.setdefault(engine, asyncio.Lock())


def _new_connection(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    mind_manners(connection)
    connection.isolation_level = None  # we say BEGIN ourselves


def mind_manners(connection: DBAPIConnection | sqlite3.Connection) -> None:
    """Tell a new connection to SQLite how it behaves here."""
    cursor = connection.cursor()
    for manner in _ALWAYS:
        cursor.execute(f"PRAGMA {manner}")
    cursor.close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    reading, bulk = bool(options.get("readonly")), bool(options.get("bulk"))
    if bulk != connection.info.get("bulk", False):
        for manner in _MANNERS[bulk]:
            connection.exec_driver_sql(f"PRAGMA {manner}")
        connection.info["bulk"] = bulk
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
