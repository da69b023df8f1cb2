"""The ledger on PostgreSQL: any number of workers, on any number of machines.

Two sessions of our own each say one thing:

* the **beat session** holds the worker's advisory lock, shows the sign of life, settles and marks.
  Because the lock lives on this very session, a committed beat *proves* that the lock was held:
  there is no second thing to ask.
* the **watch session** looks for dead workers; its own unbroken age is part of the evidence.

Claims come from the pool. ``attempt`` is the fence of outcomes and ``worker`` the fence of marks;
there is no third number. All times are the database's.
"""

import contextlib
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import structlog
from psycopg import AsyncConnection
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Dialect,
    Float,
    NullPool,
    Select,
    UpdateBase,
    and_,
    any_,
    bindparam,
    exists,
    func,
    literal,
    select,
    text,
)
from sqlalchemy import update as change
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection as Session
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from typing_extensions import override

from mailer.deliveries.beat_session import BeatSession
from mailer.deliveries.beating import Beats, Manner
from mailer.deliveries.ledger import Ledger, LedgerLost, doubted, returned, translated, unfinished
from mailer.deliveries.model import Delivery, Worker
from mailer.deliveries.prepared import Prepared, Step, as_text
from mailer.kit.db import READ_ONLY
from mailer.kit.work import clock
from mailer.outbox.model import DeliveryState, Letter

log = structlog.get_logger()

LOCK_CLASS = 0x5E4D
"""The first half of our advisory locks; the second is the worker's number."""

_NEVER_AGAIN = text("SELECT setval(pg_get_serial_sequence('worker', 'no'), :highest)")

# A peer that vanished without a word is noticed within 25 s, well before a takeover.
_KEEPALIVES = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "connect_timeout": 5,
}
_SIGN_OF_LIFE = 0.5  # seconds between two: every beat would write one row a hundred times a second


class PostgresManner(Manner):
    """The clock is the database's, and a row is ours to mark if we hold it and live."""

    def __init__(self) -> None:
        self.dialect: Dialect = PGDialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

    @override
    def encode(self, value: Any) -> bytes | None:
        return as_text(value)

    @override
    def now(self) -> ColumnElement[Any]:
        return func.clock_timestamp()

    @override
    def due(self) -> ColumnElement[Any]:
        wait: ColumnElement[float] = bindparam("wait", type_=Float())
        return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, wait)

    @override
    def among(self, column: Any) -> ColumnElement[bool]:
        numbers: ColumnElement[Any] = bindparam("numbers", type_=ARRAY(BigInteger()))
        is_one: ColumnElement[bool] = column == any_(numbers)
        return is_one

    @override
    def by_numbers(self, numbers: Sequence[int]) -> Iterable[dict[str, Any]]:
        return [{"numbers": numbers}]

    @override
    def is_mine(self, table: type[Delivery | Letter]) -> ColumnElement[bool]:
        me: ColumnElement[int] = bindparam("me", type_=BigInteger())
        lives = exists().where(Worker.no == me, Worker.ended_at.is_(None))
        return and_(table.state == int(DeliveryState.CLAIMED), table.worker == me, lives)

    @override
    def at_once(self) -> dict[str, Any]:
        return {"moment": clock()}


def _sign_of_life() -> UpdateBase:
    """Show that we live; it finds nothing when somebody has declared us dead."""
    return (
        change(Worker)
        .where(Worker.no == bindparam("me", type_=BigInteger()), Worker.ended_at.is_(None))
        .values(seen_at=func.clock_timestamp(), returned_at=None)
        .returning(Worker.no)
    )


class PostgresLedger(Ledger):
    """See `ledger.Ledger`."""

    def __init__(
        self, engine: AsyncEngine, *, lease: float, takeover: float, memory: Path | None = None
    ) -> None:
        """Keep in `memory` the highest number this machine had: a restored database has lower."""
        self._engine = engine
        self._memory = memory
        self._own = create_async_engine(engine.url, poolclass=NullPool, connect_args=_KEEPALIVES)
        self.lease = lease
        self._takeover = timedelta(seconds=takeover)
        _positional, named = engine.dialect.create_connect_args(engine.url)
        self._conninfo: dict[str, Any] = {**named, **_KEEPALIVES}
        manner = PostgresManner()
        self._beats = Beats(manner)
        self._sign = Prepared("sign", _sign_of_life(), manner.dialect, manner.encode)
        self._statements = [*self._beats.statements, self._sign]
        self._session: BeatSession | None = None
        self._watcher: Session | None = None
        self._shown_at = float("-inf")
        self._show_every = min(_SIGN_OF_LIFE, lease / 4)

    # The beat session. ----------------------------------------------------------------------------

    @override
    async def open(self) -> bool:
        async with translated(psycopg.Error):
            await self._connect()
            await self._remember()
        return True

    async def _remember(self) -> None:
        """Notice that an older copy of the database was put back: it has seen fewer workers."""
        if self._memory is None:
            return
        highest = int(self._memory.read_text()) if self._memory.exists() else 0
        async with self._engine.begin() as asking:
            last = await asking.scalar(select(func.max(Worker.no))) or 0
            self.is_restored = highest > last
            if self.is_restored:  # a number is never given twice
                await asking.execute(_NEVER_AGAIN, {"highest": highest})
        self._memory.parent.mkdir(parents=True, exist_ok=True)
        self._memory.write_text(f"{max(highest, last)}\n")

    async def _connect(self) -> BeatSession:
        """Open the session and take the lock: the old number if it still stands, else a new one.

        The number must be kept where it can be. What this process is sending has that number, and a
        free lock with an old sign of life would let others take it over while we wait for slow
        replies.
        """
        session = await AsyncConnection.connect(**self._conninfo, autocommit=True)
        try:
            number = await self._number(session)
            await self._lock(session, number)
            await session.execute(
                "UPDATE worker SET seen_at = clock_timestamp(), returned_at = NULL WHERE no = %s",
                [number],
            )
            beats = BeatSession(session, self._statements)
        except BaseException:
            await session.close()
            raise
        self._session, self.worker = beats, number
        return beats

    async def _number(self, session: AsyncConnection[Any]) -> int:
        if self.worker:
            stands = await session.execute(
                "SELECT no FROM worker WHERE no = %s AND ended_at IS NULL", [self.worker]
            )
            if await stands.fetchone():
                return self.worker
            log.warning("worker_was_ended", worker=self.worker)
        new = await session.execute(
            "INSERT INTO worker (started_at, seen_at)"
            " VALUES (clock_timestamp(), clock_timestamp()) RETURNING no"
        )
        row = await new.fetchone()
        assert row is not None
        return int(row[0])

    async def _lock(self, session: AsyncConnection[Any], number: int) -> None:
        tried = await session.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_CLASS, number])
        row = await tried.fetchone()
        if not row or not row[0]:
            raise LedgerLost("the old session still holds the lock")

    @override
    async def _fly(self, steps: Sequence[Step]) -> list[list[tuple[int, ...]]]:
        now = time.monotonic()
        signs = now - self._shown_at >= self._show_every
        if signs:
            steps = [*steps, Step(self._sign, self._sign.fill({"me": self.worker}))]
        elif not steps:
            return []  # the session has not changed hands: the lock is on it
        async with translated(psycopg.Error):
            session = self._session or await self._connect()
            try:
                found = await session.fly(steps)
            except BaseException:
                # Whatever it was: the lock may be gone with the session, so both are made anew.
                self._session = None
                await session.close()
                raise
        if signs:
            if not found.pop():
                # Somebody ended this worker: its number is spent, and its claims are not ours.
                self._session = None
                await session.close()
                raise LedgerLost("ended by another worker")
            self._shown_at = now
        return found

    @override
    def _moment(self, seconds: float = 0) -> ColumnElement[datetime]:
        now: ColumnElement[datetime] = func.clock_timestamp()
        return now + timedelta(seconds=seconds) if seconds else now

    # Claims. --------------------------------------------------------------------------------------

    @override
    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncGenerator[Session]:
        async with self._engine.execution_options(**READ_ONLY).begin() as reading:
            yield reading

    @override
    @contextlib.asynccontextmanager
    async def _claiming(self) -> AsyncGenerator[Session]:
        async with self._engine.begin() as claim:
            yield claim

    @override
    async def _take(
        self, claim: Session, table: type[Delivery | Letter], due: Select[*tuple[Any, ...]]
    ) -> Sequence[Any]:
        # A worker that was silent for half its lease may have lost its claims: it takes no more.
        lives = select(Worker.no).where(
            Worker.no == self.worker,
            Worker.ended_at.is_(None),
            Worker.seen_at > self._moment() - timedelta(seconds=self.lease / 2),
        )
        picked = due.where(lives.exists()).with_for_update(skip_locked=True).cte("picked")
        keys = list(table.__table__.primary_key)
        taken = await claim.execute(
            change(table)
            .where(*[key == picked.c[key.name] for key in keys])
            .values(state=DeliveryState.CLAIMED, worker=self.worker, at=self._moment())
            .returning(*picked.c)
        )
        return sorted(taken.all())

    @override
    async def give_back(self) -> None:
        async with translated(), self._engine.begin() as giving:
            for returning in returned(worker=self.worker):
                await giving.execute(returning)

    @override
    async def close(self) -> None:
        with contextlib.suppress(LedgerLost, SQLAlchemyError, OSError):  # the lease does it later
            await self.give_back()
            async with translated(), self._engine.begin() as ending:
                # A doubt is left to whoever can prove that we are dead.
                await ending.execute(
                    change(Worker)
                    .where(
                        Worker.no == self.worker,
                        ~_is_sending(Delivery, self.worker),
                        ~_is_sending(Letter, self.worker),
                    )
                    .values(ended_at=self._moment())
                )
        if self._session is not None:
            await self._session.close()
        if self._watcher is not None:
            await _closed(self._watcher)
        self._session = self._watcher = None
        await self._own.dispose()

    # Who is dead? ---------------------------------------------------------------------------------

    @override
    async def watch(self) -> None:
        try:
            if self._watcher is None:
                self._watcher = await self._own.connect()
            await self._look(self._watcher)
        except (SQLAlchemyError, OSError) as fault:
            log.warning("watch_failed", fault=type(fault).__name__)
            watcher, self._watcher = self._watcher, None
            if watcher is not None:
                await _closed(watcher)

    async def _look(self, watcher: Session) -> None:
        async with watcher.begin():
            late = (await watcher.scalars(self._late())).all()
        for number in late:
            async with watcher.begin():
                await self._return_claims_of(watcher, number)
        async with watcher.begin():
            silent = (await watcher.scalars(self._silent())).all()
        for number in silent:
            async with watcher.begin():
                await self._take_over(watcher, number)

    def _late(self) -> Select[int]:
        return select(Worker.no).where(
            Worker.no != self.worker,
            Worker.ended_at.is_(None),
            Worker.returned_at.is_(None),
            Worker.seen_at < self._moment() - timedelta(seconds=self.lease),
        )

    async def _return_claims_of(self, watcher: Session, number: int) -> None:
        # Its sign of life is read again under its lock: who has just woken up keeps its claims.
        is_late = await watcher.scalar(
            change(Worker)
            .where(Worker.no == number, Worker.no.in_(self._late()))
            .values(returned_at=self._moment())
            .returning(Worker.no)
        )
        if is_late is not None:
            log.warning("claims_returned", worker=number)
            for returning in returned(worker=number):
                await watcher.execute(returning)

    def _silent(self) -> Select[int]:
        """Name workers silent for so long that, if their lock is free, they are dead.

        The last condition is about a restart of PostgreSQL: every lock is free then although
        workers live, but this session, too, is younger than the silence it wants to judge.
        """
        born = text(
            "(SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())"
            " < clock_timestamp() - CAST(:takeover AS interval)"
        ).bindparams(takeover=self._takeover)
        return select(Worker.no).where(
            Worker.no != self.worker,
            Worker.ended_at.is_(None),
            Worker.seen_at < self._moment() - self._takeover,
            born,
        )

    async def _take_over(self, watcher: Session, number: int) -> None:
        """End a worker that is proven dead, and decide about what it was sending.

        Holding its lock for the length of the transaction keeps a worker that wakes up from taking
        it back in between.
        """
        free = await watcher.scalar(
            select(func.pg_try_advisory_xact_lock(LOCK_CLASS, literal(number)))
        )
        ended = free and await watcher.scalar(
            change(Worker)
            .where(Worker.no == number, Worker.no.in_(self._silent()))
            .values(ended_at=self._moment())
            .returning(Worker.no)
        )
        if not ended:
            return
        log.warning("worker_taken_over", worker=number)
        for statement in [
            *returned(worker=number),
            *doubted(worker=number, moment=self._moment()),
        ]:
            await watcher.execute(statement)


def _is_sending(table: type[Delivery | Letter], worker: int) -> ColumnElement[bool]:
    theirs = select(table.state).where(table.worker == worker, table.state == DeliveryState.SENDING)
    if table is Delivery:
        theirs = theirs.where(Delivery.campaign_no.in_(unfinished()))
    return theirs.exists()


async def _closed(session: Session) -> None:
    """Close a session that may be broken; what it says about that does not matter any more."""
    with contextlib.suppress(SQLAlchemyError, OSError):
        await session.invalidate()
    with contextlib.suppress(SQLAlchemyError, OSError):
        await session.close()
