"""The ledger on SQLite: one worker, so a claim is only a read.

A ``flock`` held for the life of the process says that no other worker lives; so there are no
leases and no ``claimed`` rows. What was ``sending`` when the last process ended is in doubt, and
that is decided once, at the start.

Beats take their turn with the other writers of this process, first in first out, and the engine
leaves a moment between two beats in which other processes may write.
"""

import contextlib
import fcntl
import os
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from typing_extensions import override

from mailer.deliveries.ledger import Ledger, doubted, translated
from mailer.deliveries.model import Delivery, Worker
from mailer.kit.db import READ_ONLY, turn
from mailer.kit.work import clock
from mailer.outbox.model import DeliveryState, Letter

_SIGN_OF_LIFE = 15.0  # seconds between two that are written down, for whoever asks for a worker


class SqliteLedger(Ledger):
    """See `ledger.Ledger`."""

    lease = float("inf")

    def __init__(self, engine: AsyncEngine, file: Path) -> None:
        self._engine = engine
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
        self._lock = lock
        await self._begin(lock)
        return True

    async def _begin(self, lock: int) -> None:
        """Decide what the last process left: it is dead, or the lock would not be ours."""
        highest = int(os.pread(lock, 20, 0) or b"0")
        async with translated(), self._beating() as beat:
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
            async with translated(), self._beating() as beat:
                await beat.execute(
                    update(Worker).where(Worker.no == self.worker).values(ended_at=clock())
                )
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

    @override
    @contextlib.asynccontextmanager
    async def _beating(self) -> AsyncGenerator[AsyncConnection]:
        async with turn(self._engine), self._engine.begin() as beat:
            yield beat

    @override
    async def _is_alive(self, beat: AsyncConnection) -> bool:
        now = clock()
        if now.timestamp() - self._shown_at > _SIGN_OF_LIFE:
            await beat.execute(update(Worker).where(Worker.no == self.worker).values(seen_at=now))
            self._shown_at = now.timestamp()
        return True

    @override
    def _moment(self, seconds: float = 0) -> datetime:
        return clock() + timedelta(seconds=seconds)

    @override
    def _is_mine(self, table: type[Delivery | Letter]) -> ColumnElement[bool]:
        return table.state.in_([DeliveryState.QUEUED, DeliveryState.DEFERRED])

    @override
    async def _take(
        self, claim: AsyncConnection, table: type[Delivery | Letter], due: Select[*tuple[Any, ...]]
    ) -> Sequence[Any]:
        found: Sequence[Any] = (await claim.execute(due)).all()
        return found
