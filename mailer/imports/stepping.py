"""Doing batches for a moment: what applying and undoing have in common.

Each batch is one transaction with the cursor, so a crash loses the batch in hand and nothing else;
the next step begins where the last one was committed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from mailer.imports import store
from mailer.imports.house import Rooms
from mailer.imports.model import Import, ImportState
from mailer.imports.pacing import Pace
from mailer.kit.work import Door, Work

SECONDS = 0.4
"""How long one step of the worker goes on before others have their turn."""

BREATH = 0.002  # seconds between two batches, in which other processes write on SQLite

Batch = Callable[[Work, Import, int], Awaitable[None]]
Progress = Callable[[Import], None]


async def in_batches(
    house: Rooms,
    state: ImportState,
    batch: Batch,
    pace: Pace,
    *,
    uid: str | None,
    seconds: float,
    limit: int | None,
    progress: Progress | None,
) -> bool:
    """Do batches of the oldest import in a state, or of this one; False when there is none.

    `limit` is the lines of one batch, where the pace is not left to the database.
    """
    async with house.work(reading=True) as work:
        if not await store.is_any_in(work, state):
            return False
    until = time.monotonic() + seconds
    while True:
        async with house.work(door=Door.IMPORT, bulk=True) as work:
            import_ = await store.to_do(work, state, uid=uid)
            if import_ is None:
                return False
            await pace.listen(work)
            with pace:
                await batch(work, import_, limit or pace.lines)
        if progress is not None:
            progress(import_)
        if time.monotonic() >= until or import_.state is not state:
            return True
        await asyncio.sleep(BREATH)  # not a wait: others' turn to write
