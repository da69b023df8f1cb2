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
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, NullPool, Select, func, insert, literal, select, text
from sqlalchemy import update as change
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from typing_extensions import override

from mailer.deliveries.ledger import Ledger, LedgerLost, doubted, returned, translated, unfinished
from mailer.deliveries.model import Delivery, Worker
from mailer.kit.db import READ_ONLY
from mailer.outbox.model import DeliveryState, Letter

log = structlog.get_logger()

LOCK_CLASS = 0x5E4D
"""The first half of our advisory locks; the second is the worker's number."""

# A peer that vanished without a word is noticed within 25 s, well before a takeover.
_KEEPALIVES = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "connect_timeout": 5,
}
_SIGN_OF_LIFE = 0.5  # seconds between two: every beat would write one row a hundred times a second


class PostgresLedger(Ledger):
    """See `ledger.Ledger`."""

    def __init__(self, engine: AsyncEngine, *, lease: float, takeover: float) -> None:
        self._engine = engine
        self._own = create_async_engine(engine.url, poolclass=NullPool, connect_args=_KEEPALIVES)
        self.lease = lease
        self._takeover = timedelta(seconds=takeover)
        self._session: AsyncConnection | None = None
        self._watcher: AsyncConnection | None = None
        self._shown_at = float("-inf")
        self._show_every = min(_SIGN_OF_LIFE, lease / 4)

    # The beat session. ----------------------------------------------------------------------------

    @override
    async def open(self) -> bool:
        async with translated():
            await self._connect()
        return True

    async def _connect(self) -> None:
        """Open the session and take the lock: the old number if it still stands, else a new one.

        The number must be kept where it can be. What this process is sending has that number, and a
        free lock with an old sign of life would let others take it over while we wait for slow
        replies.
        """
        session = await self._own.connect()
        try:
            async with session.begin():
                number = await self._number(session)
                await self._lock(session, number)
                await session.execute(
                    change(Worker)
                    .where(Worker.no == number)
                    .values(seen_at=self._moment(), returned_at=None)
                )
        except BaseException:
            await _closed(session)
            raise
        self._session, self.worker = session, number

    async def _number(self, session: AsyncConnection) -> int:
        if self.worker:
            stands = select(Worker.no).where(Worker.no == self.worker, Worker.ended_at.is_(None))
            if await session.scalar(stands):
                return self.worker
            log.warning("worker_was_ended", worker=self.worker)
        new: int | None = await session.scalar(
            insert(Worker)
            .values(started_at=self._moment(), seen_at=self._moment())
            .returning(Worker.no)
        )
        assert new is not None
        return new

    async def _lock(self, session: AsyncConnection, number: int) -> None:
        lock = select(func.pg_try_advisory_lock(LOCK_CLASS, literal(number)))
        if not await session.scalar(lock):
            raise LedgerLost("the old session still holds the lock")

    @override
    @contextlib.asynccontextmanager
    async def _beating(self) -> AsyncGenerator[AsyncConnection]:
        if self._session is None:
            await self._connect()
        session = self._session
        assert session is not None
        try:
            async with session.begin():
                yield session
        except BaseException:
            # Whatever it was: the lock may be gone with the session, so both are made anew.
            self._session = None
            await _closed(session)
            raise

    @override
    async def _is_alive(self, beat: AsyncConnection) -> bool:
        now = time.monotonic()
        if now - self._shown_at < self._show_every:
            return True  # the session has not changed hands: the lock is on it
        shown = await beat.scalar(
            change(Worker)
            .where(Worker.no == self.worker, Worker.ended_at.is_(None))
            .values(seen_at=self._moment(), returned_at=None)
            .returning(Worker.no)
        )
        if shown is None:
            # Somebody ended this worker: its number is spent, and its claims are not ours.
            raise LedgerLost("ended by another worker")
        self._shown_at = now
        return True

    @override
    def _moment(self, seconds: float = 0) -> ColumnElement[datetime]:
        now: ColumnElement[datetime] = func.clock_timestamp()
        return now + timedelta(seconds=seconds) if seconds else now

    @override
    def _is_mine(self, table: type[Delivery | Letter]) -> ColumnElement[bool]:
        return (table.state == DeliveryState.CLAIMED) & (table.worker == self.worker)

    # Claims. --------------------------------------------------------------------------------------

    @override
    @contextlib.asynccontextmanager
    async def _reading(self) -> AsyncGenerator[AsyncConnection]:
        async with self._engine.execution_options(**READ_ONLY).begin() as reading:
            yield reading

    @override
    @contextlib.asynccontextmanager
    async def _claiming(self) -> AsyncGenerator[AsyncConnection]:
        async with self._engine.begin() as claim:
            yield claim

    @override
    async def _take(
        self, claim: AsyncConnection, table: type[Delivery | Letter], due: Select[*tuple[Any, ...]]
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
        for session in (self._session, self._watcher):
            if session is not None:
                await _closed(session)
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

    async def _look(self, watcher: AsyncConnection) -> None:
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

    async def _return_claims_of(self, watcher: AsyncConnection, number: int) -> None:
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

    async def _take_over(self, watcher: AsyncConnection, number: int) -> None:
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


async def _closed(session: AsyncConnection) -> None:
    """Close a session that may be broken; what it says about that does not matter any more."""
    with contextlib.suppress(SQLAlchemyError, OSError):
        await session.invalidate()
    with contextlib.suppress(SQLAlchemyError, OSError):
        await session.close()
