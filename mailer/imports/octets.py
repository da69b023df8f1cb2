"""Where the octets of a file are: on a disk, or in parts in the database."""

import asyncio
from pathlib import Path
from typing import Protocol

from mailer.imports import store
from mailer.imports.model import Import
from mailer.kit.work import Work

PIECE = 1_048_576


class Octets(Protocol):
    """A file that can be read anywhere in it."""

    size: int

    async def read(self, work: Work, at: int, length: int) -> bytes:
        """Give octets from a place on; fewer at the end, and at the end of a part."""


class OnDisk:
    """A file that whoever runs the command can read. Nothing of it is copied."""

    def __init__(self, path: Path) -> None:
        """Take the path of a regular file."""
        self.path = path
        self.size = path.stat().st_size

    async def read(self, _work: Work, at: int, length: int) -> bytes:
        """Give octets from a place on."""
        return await asyncio.to_thread(self._read, at, length)

    def _read(self, at: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(at)
            return file.read(length)


class InParts:
    """A file that was uploaded: any worker on any machine reads it."""

    def __init__(self, import_: Import, lengths: list[tuple[int, int]]) -> None:
        """Take the numbers of the parts with the octets of each, in their order."""
        self._no = import_.no
        self._begins: list[tuple[int, int, int]] = []  # first octet, length, part
        self.size = 0
        for part, length in lengths:
            self._begins.append((self.size, length, part))
            self.size += length
        self._last: tuple[int, bytes] = (-1, b"")

    async def read(self, work: Work, at: int, length: int) -> bytes:
        """Give octets from a place on, to the end of the part at most if that is long enough."""
        found: list[bytes] = []
        for begins, octets, part in self._begins:
            if begins + octets > at and length > 0:
                if self._last[0] != part:
                    self._last = (part, await store.part(work, self._no, part))
                some = self._last[1][at - begins : at - begins + length]
                found.append(some)
                at, length = at + len(some), length - len(some)
        return b"".join(found)


async def octets_of(work: Work, import_: Import, path: Path | None = None) -> Octets:
    """Open the file of an import."""
    if path is not None:
        return OnDisk(path)
    return InParts(import_, await store.lengths_of_parts(work, import_))
