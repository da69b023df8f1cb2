"""Driving one import to the end of what can be done now: for the command line and small files."""

import asyncio
import time
from pathlib import Path

from mailer.imports import store
from mailer.imports.applying import apply_some
from mailer.imports.house import Rooms
from mailer.imports.model import Import, ImportState
from mailer.imports.reading_some import read_some
from mailer.imports.refusing import ImportUnknown
from mailer.imports.stepping import Progress
from mailer.imports.undoing import undo_some

_AT_ONCE = 5.0  # seconds of one step
_LOOK = 0.05  # seconds until another look at what a worker has in hand


async def drive(
    house: Rooms,
    uid: str,
    progress: Progress = lambda _import: None,
    *,
    path: Path | None = None,
    patience: float | None = None,
) -> Import:
    """Do the steps of one import until it waits for somebody or has ended.

    `progress` is told the import after each batch. A worker that has it in hand is waited for:
    `patience` seconds in all, where somebody waits for a page, and then it is the worker's.
    """
    until = None if patience is None else time.monotonic() + patience
    while True:
        async with house.work(reading=True) as work:
            import_ = await store.by_uid(work, uid)
        if import_ is None:
            raise ImportUnknown
        match import_.state:
            case ImportState.READING:
                is_mine = await read_some(
                    house, uid=uid, path=path, seconds=_AT_ONCE, progress=progress
                )
            case ImportState.APPLYING:
                is_mine = await apply_some(house, uid=uid, seconds=_AT_ONCE, progress=progress)
            case ImportState.UNDOING:
                is_mine = await undo_some(house, uid=uid, seconds=_AT_ONCE, progress=progress)
            case _:
                return import_
        if until is not None and time.monotonic() >= until:
            return import_
        if not is_mine:
            await asyncio.sleep(_LOOK)
