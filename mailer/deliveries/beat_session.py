"""The session of a worker's beats on PostgreSQL: libpq itself, in pipeline mode.

All statements of a beat are one flight of the network and one transaction, and no task is made: a
beat costs the machine about as much as one statement does through a driver.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection, pq

from mailer.deliveries.prepared import Prepared, Step

Found = list[list[tuple[int, ...]]]


class BeatSession:
    """One connection, taken over from psycopg. After any fault it is not used again."""

    def __init__(self, session: AsyncConnection[Any], statements: Sequence[Prepared]) -> None:
        """Prepare what will be said; blocks for a few milliseconds, once a session."""
        self._owner = session  # keeps the connection alive
        self._pg = session.pgconn
        for one in statements:
            answer = self._pg.prepare(one.name.encode(), one.words.encode())
            if answer.status != pq.ExecStatus.COMMAND_OK:
                raise psycopg.ProgrammingError(f"{one.name}: {answer.error_message.decode()}")
        self._pg.nonblocking = 1
        self._pg.enter_pipeline_mode()
        self._loop = asyncio.get_running_loop()
        self._found: Found = []
        self._waits: asyncio.Future[Found] | None = None
        # A descriptor of our own: libpq closes its own when the connection breaks, and the next
        # connection of this process would get the same number while we still listen on it.
        self._ear = os.dup(self._pg.socket)
        self._is_open = True
        self._loop.add_reader(self._ear, self._readable)

    async def fly(self, steps: Sequence[Step]) -> Found:
        """Say everything at once and give what each statement finds; it is committed then.

        Raises `psycopg.Error`; whether it was committed is not known.
        """
        if not self._is_open:
            raise psycopg.OperationalError("the session is lost")
        for statement, values in steps:
            self._pg.send_query_prepared(statement.name.encode(), values)
        self._pg.pipeline_sync()
        self._found = []
        waits: asyncio.Future[Found] = self._loop.create_future()
        self._waits = waits
        self._flush()
        return await waits

    async def close(self) -> None:
        """End it; whoever waits hears that it was lost."""
        self._lose(psycopg.OperationalError("the session was closed"))
        os.close(self._ear)
        await self._owner.close()

    def _flush(self) -> None:
        try:
            if self._pg.flush():  # a beat is about 2 kB: it nearly always fits
                self._loop.call_later(0.001, self._flush)
        except psycopg.Error as fault:
            self._lose(fault)

    def _readable(self) -> None:
        try:
            self._pg.consume_input()
            ends = 0
            while ends < 2 and not self._pg.is_busy():
                answer = self._pg.get_result()
                if answer is None:  # the end of one statement's answers, or twice: of all
                    ends += 1
                elif self._hear(answer):
                    return
                else:
                    ends = 0
        except psycopg.Error as fault:
            self._lose(fault)

    def _hear(self, answer: Any) -> bool:
        """Take one answer; True when it was the last."""
        match answer.status:
            case pq.ExecStatus.TUPLES_OK:
                value = answer.get_value
                columns = range(answer.nfields)
                self._found.append(
                    [
                        tuple([int(value(row, column)) for column in columns])
                        for row in range(answer.ntuples)
                    ]
                )
            case pq.ExecStatus.COMMAND_OK:
                self._found.append([])
            case pq.ExecStatus.PIPELINE_SYNC:
                waits, self._waits = self._waits, None
                if waits is not None and not waits.done():
                    waits.set_result(self._found)
                return True
            case _:
                self._lose(psycopg.OperationalError(answer.error_message.decode()))
                return True
        return False

    def _lose(self, fault: psycopg.Error) -> None:
        if self._is_open:
            self._is_open = False
            self._loop.remove_reader(self._ear)
        waits, self._waits = self._waits, None
        if waits is not None and not waits.done():
            waits.set_exception(fault)
