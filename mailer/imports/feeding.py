"""Feeding lines: from a file to records, a piece at a time, from where reading stopped."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from mailer.imports.cutting import KEPT, LINES, LONGEST, Record, cut
from mailer.imports.decoding import decode, encoded_length, mark_length, whole_lines
from mailer.imports.model import Import, Why
from mailer.imports.octets import Octets, octets_of
from mailer.imports.workbook import Sheet, open_sheet
from mailer.kit.orm import Facts
from mailer.kit.work import Work

PIECE = 262_144
"""Octets that are read at a time: 2,000 to 4,000 lines."""


class Piece(msgspec.Struct):
    """Some records, and where reading goes on after them."""

    records: Sequence[Record]
    place: Facts
    is_end: bool = False


class Feed(Protocol):
    """A file that is being read."""

    async def load(self, work: Work, place: Facts) -> bytes:
        """Give the octets from a place on."""

    def cut(self, octets: bytes, place: Facts) -> Piece:
        """Give the records that begin at a place. It takes its time: best in a thread."""

    def close(self) -> None:
        """Let the file go."""


async def feed(work: Work, import_: Import, path: Path | None = None) -> Feed:
    """Begin to read an import's file, as its format says."""
    octets = await octets_of(work, import_, path)
    if import_.format["kind"] == "workbook":
        return Rows(await open_sheet(work, octets, str(import_.format.get("sheet", ""))))
    return Lines(octets, import_.format)


class Lines:
    """A file of text."""

    def __init__(self, octets: Octets, how: Facts) -> None:
        """Take the octets, and the encoding and the delimiter."""
        self._octets = octets
        self._encoding, self._delimiter = str(how["encoding"]), str(how["delimiter"])

    async def load(self, work: Work, place: Facts) -> bytes:
        """Give the octets from a place on."""
        return await self._octets.read(work, int(place.get("octet", 0)), PIECE)

    def cut(self, octets: bytes, place: Facts) -> Piece:
        """Give the records that begin at a place; the headings are among them."""
        is_end = int(place.get("octet", 0)) + len(octets) >= self._octets.size
        at, line = int(place.get("octet", 0)), int(place.get("line", 1))
        begins = mark_length(octets) if at == 0 else 0
        ends = len(octets) if is_end else whole_lines(octets, self._encoding)
        if place.get("inside"):  # of a line that is far too long, whose beginning was refused
            return self._after_long(octets, at, line, is_end=is_end)
        if ends <= begins and not is_end:
            return self._long(octets[begins:], at + len(octets), line)
        text = decode(octets[begins:ends], self._encoding)
        found, waiting, line = cut(text, self._delimiter, first=line, is_end=is_end)
        after = at + ends - encoded_length(waiting, self._encoding)
        if after == at and not is_end:
            return self._long(octets[begins:], at + len(octets), line)
        return Piece(found, {"octet": after, "line": line}, is_end)

    def close(self) -> None:
        """Do nothing: a file of text is opened for each piece."""

    def _long(self, octets: bytes, after: int, line: int) -> Piece:
        begin = decode(octets[: LONGEST - LONGEST % 2], self._encoding)[:KEPT]
        refused = Record(line, [begin], Why.TOO_LONG)
        return Piece([refused], {"octet": after, "line": line, "inside": True})

    def _after_long(self, octets: bytes, at: int, line: int, *, is_end: bool) -> Piece:
        text = decode(octets, self._encoding)
        first = LINES.match(text)
        rest = first[0] if first else ""
        if is_end and len(rest) == len(text):
            return Piece([], {"octet": at + len(octets), "line": line}, is_end)
        if not rest.endswith(("\r", "\n")):
            return Piece([], {"octet": at + len(octets), "line": line, "inside": True})
        after = at + encoded_length(rest, self._encoding)
        return Piece([], {"octet": after, "line": line + 1})


class Rows:
    """A sheet of a workbook."""

    def __init__(self, sheet: Sheet) -> None:
        """Take a sheet that is open at its first row."""
        self._sheet = sheet

    async def load(self, _work: Work, _place: Facts) -> bytes:
        """Give nothing: a workbook is unpacked as it is cut."""
        return b""

    def cut(self, _octets: bytes, place: Facts) -> Piece:
        """Give the rows that begin at a place; the headings are among them."""
        found, line, is_end = self._sheet.rows(int(place.get("line", 1)))
        size = self._sheet.octets
        octet = size if is_end else min(size, size * line // max(self._sheet.most_rows, line))
        return Piece(found, {"octet": octet, "line": line}, is_end)

    def close(self) -> None:
        """Let the workbook go."""
        self._sheet.close()
