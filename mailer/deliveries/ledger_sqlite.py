"""The ledger on SQLite: one worker, so a claim is only a read.

A ``flock`` held for the life of the process says that no other worker lives; so there are no
leases and no ``claimed`` rows. What was ``sending`` when the last process ended is in doubt, and
that is decided once, at the start.

Beats take their turn with the other writers of this process, first in first out, and the engine
leaves a moment between two beats in which other processes may write.
"""

import asyncio
import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Dialect,
    Integer,
    Select,
    Update,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

from mailer.deliveries.beating import Beats, Manner, one_of
from mailer.deliveries.ledger import Ledger, doubted, translated
from mailer.deliveries.model import Delivery, Worker
from mailer.deliveries.prepared import Prepared, Step
from mailer.kit.db import READ_ONLY, mind_manners, turn
from mailer.kit.orm import UtcDateTime
from mailer.kit.work import clock
from mailer.outbox.model import DeliveryState, Letter

_SIGN_OF_LIFE = 15.0  # seconds between two that are written down, for whoever asks for a worker
_NAMED_AT_ONCE = 16
_PATIENCE = 30.0  # seconds for the writers of other processes
_NAP = 0.001  # between two looks whether they are done


class _FromNow(TypeDecorator[float]):
    """So many seconds from now, as a moment."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: float | None, dialect: Dialect) -> datetime | None:
        return None if value is None else clock() + timedelta(seconds=value)


class SqliteManner(Manner):
    """The clock is ours, and a row is ours to mark if it waits: no other worker lives."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    @override
    def encode(self, value: Any) -> Any:
        return value

    @override
    def now(self) -> ColumnElement[Any]:
        return bindparam("now", type_=UtcDateTime())

    @override
    def due(self) -> ColumnElement[Any]:
        return bindparam("wait", type_=_FromNow())

    @override
    def among(self, column: Any) -> ColumnElement[bool]:
        # As many holes as there are connections, filled up with NULL, which is in no key.
        holes: ColumnElement[bool] = column.in_(
            [bindparam(f"number{hole}", type_=Integer()) for hole in range(_NAMED_AT_ONCE)]
        )
        return holes

    @override
    def by_numbers(self, numbers: Sequence[int]) -> Iterable[dict[str, int | None]]:
        for first in range(0, len(numbers), _NAMED_AT_ONCE):
            some = numbers[first : first + _NAMED_AT_ONCE]
            yield dict(zip_longest(_HOLES, some))

    @override
    def is_mine(self, table: type[Delivery | Letter]) -> ColumnElement[bool]:
        return one_of(table, [DeliveryState.QUEUED, DeliveryState.DEFERRED])

    @override
    def at_once(self) -> dict[str, Any]:
        now = clock()
        return {"now": now, "moment": now}


_HOLES = [f"number{hole}" for hole in range(_NAMED_AT_ONCE)]


def _sign_of_life() -> Update:
    return (
        update(Worker)
        .where(Worker.no == bindparam("me", type_=Integer()))
        .values(seen_at=bindparam("now", type_=UtcDateTime()))
    )


async def _begun(beat: sqlite3.Connection) -> None:
    """Begin to write, when the writers of other processes let us."""
    tried_until = time.monotonic() + _PATIENCE
    while True:
        try:
            beat.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as fault:
            is_busy = fault.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > tried_until:
                raise
            await asyncio.sleep(_NAP)
        else:
            return


class SqliteLedger(Ledger):
    """See `ledger.Ledger`."""

    lease = float("inf")
    # Without it a writer of another process starved for seconds; with it their p99 is 4 ms.
    rest = 0.001

    def __init__(self, engine: AsyncEngine, file: Path) -> None:
        self._engine = engine
        self._file = file
        self._session: sqlite3.Connection | None = None
        manner = SqliteManner(engine.dialect)
        self._beats = Beats(manner)
        self._sign = Prepared("sign", _sign_of_life(), manner.dialect, manner.encode)
        self._lock_file = file.with_name(file.name + ".worker")
        self._lock: int | None = None
        self._shown_at = 0.0

    @override
    async def open(self) -> bool:
        lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return False
        try:
            await self._begin(lock)
        except BaseException:
            os.close(lock)  # or our own next try would take us for another worker
            raise
        self._lock = lock
        return True

    async def _begin(self, lock: int) -> None:
        """Decide what the last process left: it is dead, or the lock would not be ours."""
        highest = int(os.pread(lock, 20, 0) or b"0")
        async with translated(), self._writing() as beat:
            last = await beat.scalar(select(func.max(Worker.no))) or 0
            # The file beside the database has seen a worker that the database has not: somebody
            # has put back an older copy.
            self.is_restored = highest > last
            number = max(highest, last) + 1
            await beat.execute(
                update(Worker).where(Worker.ended_at.is_(None)).values(ended_at=clock())
            )
            await beat.execute(
                insert(Worker).values(no=number, started_at=clock(), seen_at=clock())
            )
            for deciding in doubted(worker=None, moment=clock()):
                await beat.execute(deciding)
        self.worker = number
        os.pwrite(lock, b"%-20d" % number, 0)
        os.fsync(lock)

    @override
    async def close(self) -> None:
        if self._lock is None:
            return
        with contextlib.suppress(Exception):  # the flock goes with us, and that is what counts
            async with translated(), self._writing() as beat:
                await beat.execute(
                    update(Worker).where(Worker.no == self.worker).values(ended_at=clock())
                )
        if self._session is not None:
            self._session.close()
            self._session = None
        os.close(self._lock)
        self._lock = None

    @override
    async def give_back(self) -> None:
        """Nothing is held: a claim here is only a read."""

    @override
    async def watch(self) -> None:
        """There is nobody else."""

    @override
    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncGenerator[AsyncConnection]:
        async with self._engine.execution_options(**READ_ONLY).begin() as reading:
            yield reading

    @override
    def _claiming(self) -> contextlib.AbstractAsyncContextManager[AsyncConnection]:
        return self._reading()

    @contextlib.asynccontextmanager
    async def _writing(self) -> AsyncGenerator[AsyncConnection]:
        async with turn(self._engine), self._engine.begin() as writing:
            yield writing

    @override
    async def _fly(self, steps: Sequence[Step]) -> list[list[tuple[int, ...]]]:
        """Do it in the loop's own thread.

        A beat of sixteen rows is shorter than handing it to another thread and waiting for the
        interpreter's lock there. Other processes are waited for asleep, and other writers of this
        one are not there: it is our turn.
        """
        number, now = len(steps), clock()
        if now.timestamp() - self._shown_at > _SIGN_OF_LIFE:
            steps = [Step(self._sign, self._sign.fill({"me": self.worker, "now": now})), *steps]
            self._shown_at = now.timestamp()
        if not steps:
            return []
        async with translated(), turn(self._engine):
            beat = self._beat_session()
            await _begun(beat)
            try:
                found = [
                    beat.execute(statement.words, values).fetchall() for statement, values in steps
                ]
                beat.execute("COMMIT")
            except BaseException:
                if beat.in_transaction:
                    beat.execute("ROLLBACK")
                raise
        return found[len(found) - number :]

    def _beat_session(self) -> sqlite3.Connection:
        if self._session is None:
            self._session = sqlite3.connect(self._file, isolation_level=None, timeout=0)
            mind_manners(self._session)
            self._session.execute("PRAGMA busy_timeout=0")
        return self._session

    @override
    def _moment(self, seconds: float = 0) -> datetime:
        return clock() + timedelta(seconds=seconds)

    @override
    async def _take(
        self, claim: AsyncConnection, table: type[Delivery | Letter], due: Select[*tuple[Any, ...]]
    ) -> Sequence[Any]:
        found: Sequence[Any] = (await claim.execute(due)).all()
        return found
