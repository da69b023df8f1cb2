"""How many lines at a time: as many as keep the database from others for a moment only.

On SQLite one writes at a time. While others write too, a batch keeps them for 40 ms at most; while
nobody does it may take longer, for pages that are written once instead of often are the greater
part of the work. PostgreSQL lets all write at once, and there a batch is a second.
"""

import time
from types import TracebackType
from typing import Self

from mailer.imports import store
from mailer.kit.work import Work

_LEAST, _MOST, _FIRST = 100, 20_000, 500
_SHARED, _ALONE, _TOGETHER = 0.04, 0.3, 1.0  # seconds
_QUIET_FOR = 3.0  # seconds without another's writing after which nobody else is thought to write


class Pace:
    """The pace of one process's batches."""

    def __init__(self) -> None:
        """Begin carefully."""
        self.lines = _FIRST
        self._began = 0.0
        self._most = _SHARED
        self._heard = time.monotonic()

    async def listen(self, work: Work) -> None:
        """Find out whether others have written since the last batch."""
        if work.session.get_bind().dialect.name == "postgresql":
            self._most = _TOGETHER
            return
        # It changes when another connection has written, and not when this one has.
        version = await store.data_version(work)
        info = (await work.session.connection()).sync_connection.info  # type: ignore[union-attr]
        if version != info.get("data_version"):
            info["data_version"], self._heard = version, time.monotonic()
        alone = time.monotonic() - self._heard > _QUIET_FOR
        if not alone and self._most == _ALONE:
            self.lines = max(_LEAST, int(self.lines * _SHARED / _ALONE))
        self._most = _ALONE if alone else _SHARED

    def __enter__(self) -> Self:
        """Begin a batch."""
        self._began = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _raised: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """End a batch: the next one is larger or smaller, by how long this one took."""
        if kind is None:
            took = max(time.monotonic() - self._began, 0.001)
            wanted = self.lines * min(max(self._most / took, 0.5), 1.5)
            self.lines = int(min(max(wanted, _LEAST), _MOST))
