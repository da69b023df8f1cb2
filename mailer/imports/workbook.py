"""Reading a workbook (ISO/IEC 29500): the values of one sheet, row by row.

openpyxl reads it as a stream, with defusedxml; a formula is the value that was last computed for
it. What a workbook unpacks to is bounded before anything is unpacked.
"""

import asyncio
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import IO, Any

from mailer.imports.cutting import LONGEST, MOST_CELLS, Record
from mailer.imports.model import Why
from mailer.imports.octets import PIECE, Octets, OnDisk
from mailer.kit.errors import Invalid
from mailer.kit.work import Work

MOST_ROWS = 1_048_576  # of a sheet, by the standard
_AT_ONCE = 2000
# A sheet of a million people unpacks to 400 MB, and its words are held in memory while it is read.
_MOST_UNPACKED = 1 << 30
_MOST_WORDS = 96 << 20
_MOST_FILES = 2000
_MOST_TIMES = 200  # larger than packed; XML of people packs to a tenth


class WorkbookBroken(Invalid):
    """This workbook cannot be read. Save it as “CSV UTF-8” and try again."""


class WorkbookTooLarge(Invalid):
    """This workbook is too large to be unpacked. Save it as “CSV UTF-8” and try again."""


class SheetUnknown(Invalid):
    """There is no such sheet in this workbook."""


class Sheet:
    """One sheet, read from its first row on; going back is reading it again."""

    def __init__(self, file: IO[bytes], name: str = "") -> None:
        """Open a workbook at a sheet; the first one where no name is said."""
        self._file = file
        self.octets = file.seek(0, 2)
        try:
            check_size(file)
            self._book = _opened(file)
            self.names: list[str] = [sheet.title for sheet in self._book.worksheets]
            if not self.names or (name and name not in self.names):
                raise SheetUnknown(field="sheet")
        except Invalid:
            file.close()
            raise
        self.name = name or self.names[0]
        self._sheet = self._book[self.name]
        self.most_rows: int = min(self._sheet.max_row or MOST_ROWS, MOST_ROWS)
        self._rows: Iterator[Any] = iter(())
        self._next = 0

    def close(self) -> None:
        """Let the file go; a sheet is not read any more after that."""
        self._rows = iter(())
        self._book.close()
        self._file.close()

    def rows(self, first: int) -> tuple[list[Record], int, bool]:
        """Give some rows from this one on, the number of the row after them, and if that is all."""
        if first != self._next:
            self._rows = self._sheet.iter_rows(
                min_row=first, max_row=MOST_ROWS, max_col=MOST_CELLS, values_only=True
            )
        found = []
        number = first
        try:
            for number, row in enumerate(self._rows, first):
                found.append(_record(number, row))
                if len(found) == _AT_ONCE:
                    break
        except (ValueError, KeyError, TypeError, zipfile.BadZipFile, SyntaxError) as broken:
            raise WorkbookBroken(field="file") from broken
        self._next = number + 1 if found else first
        return found, self._next, len(found) < _AT_ONCE


async def open_sheet(work: Work, octets: Octets, name: str = "") -> Sheet:
    """Open a sheet of a workbook; one that was uploaded is put together in a file that goes."""
    if isinstance(octets, OnDisk):
        return await asyncio.to_thread(lambda: Sheet(octets.path.open("rb"), name))
    file = tempfile.TemporaryFile()  # noqa: SIM115  # it is closed with the sheet
    at = 0
    while at < octets.size:
        piece = await octets.read(work, at, PIECE)
        await asyncio.to_thread(file.write, piece)
        at += len(piece)
    return await asyncio.to_thread(Sheet, file, name)


def check_size(file: IO[bytes]) -> None:
    """Refuse what is no workbook, and what would unpack to too much."""
    try:
        with zipfile.ZipFile(file) as packed:
            files = packed.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as broken:
        raise WorkbookBroken(field="file") from broken
    names = {one.filename for one in files}
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise WorkbookBroken(field="file")
    unpacked = sum(one.file_size for one in files)
    is_bomb = any(
        one.file_size > _MOST_TIMES * max(one.compress_size, 1) and one.file_size > 1 << 20
        for one in files
    )
    words = sum(one.file_size for one in files if one.filename.endswith("sharedStrings.xml"))
    if len(files) > _MOST_FILES or unpacked > _MOST_UNPACKED or words > _MOST_WORDS or is_bomb:
        raise WorkbookTooLarge(field="file")


def _opened(file: IO[bytes]) -> Any:
    import openpyxl  # noqa: PLC0415  # 20 MB that most processes never need

    try:
        return openpyxl.load_workbook(
            file, read_only=True, data_only=True, keep_links=False, keep_vba=False
        )
    except Exception as broken:
        # A library over XML over an archive: whatever it trips over, the file is at fault.
        raise WorkbookBroken(field="file") from broken


def _record(number: int, row: tuple[Any, ...]) -> Record:
    cells = [_words(value) for value in row]
    while cells and not cells[-1]:
        cells.pop()
    if sum(map(len, cells)) > LONGEST:
        return Record(number, cells[:1], Why.TOO_LONG)
    return Record(number, cells)


def _words(value: Any) -> str:
    """Write a cell's value as a text file would have it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat()
        case _:
            from openpyxl.utils.escape import unescape  # noqa: PLC0415  # as above

            # What XML cannot hold is written _xHHHH_ (ECMA-376 part 1, 22.9.2.19).
            return str(unescape(str(value)))
