"""The files that people leave in: CSV, workbooks, and JSON Lines, written as they are read.

A file is begun, is given pages of columns, and is ended; each gives the octets that are ready. None
holds more than a page, however many people there are.
"""

import csv
import enum
import io
import re
import zipfile
from collections.abc import Sequence
from typing import Protocol
from xml.sax.saxutils import escape

import msgspec
from typing_extensions import TypeIs, override

from mailer.exports.columns import Cells, Column, Holds
from mailer.kit.tables import BOM, all_guarded, guarded, joined

Table = Sequence[Cells]
"""A page: for each column, in their order, the cells of the people on it."""


class Format(enum.StrEnum):
    """What sort of file."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


MEDIA = {
    Format.CSV: "text/csv",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSONL: "application/jsonl",
}


class File(Protocol):
    """A file that is being written."""

    def begin(self) -> bytes:
        """Give what stands before the first person."""

    def write(self, cells: Table) -> bytes:
        """Give a page of people."""

    def end(self) -> bytes:
        """Give what stands after the last."""

    def close(self) -> None:
        """Let go of what is held, also when nobody waits for the end any more."""


def file_of(kind: Format, columns: Sequence[Column]) -> File:
    """Begin a file of these columns."""
    match kind:
        case Format.CSV:
            return CsvFile(columns)
        case Format.XLSX:
            return Workbook(columns)
        case Format.JSONL:
            return JsonLines(columns)


def _words(cells: Cells) -> Sequence[str]:
    """Write the cells of a column as words: where each holds several, those become one."""
    if _are_words(cells):
        return cells
    return [joined(cell) if cell else "" for cell in cells]


def _are_words(cells: Cells) -> TypeIs[Sequence[str]]:
    return isinstance(cells[0], str)


# --- CSV -----------------------------------------------------------------------------------------


class CsvFile(File):
    """RFC 4180 with a byte order mark, and nothing in it that a spreadsheet would run."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Begin with the headings."""
        self._headings = [column.name for column in columns]

    @override
    def begin(self) -> bytes:
        return BOM.encode() + self.write([[heading] for heading in self._headings])

    @override
    def write(self, cells: Table) -> bytes:
        out = io.StringIO(newline="")
        safe = [all_guarded(_words(column)) for column in cells]
        csv.writer(out, lineterminator="\r\n").writerows(zip(*safe, strict=True))
        return out.getvalue().encode()

    @override
    def end(self) -> bytes:
        return b""

    @override
    def close(self) -> None:
        pass


# --- JSON Lines ----------------------------------------------------------------------------------


class JsonLines(File):
    """One JSON object a line: numbers are numbers, several are a list, and nothing is null."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Take the columns; there are no headings."""
        self._columns = columns

    @override
    def begin(self) -> bytes:
        return b""

    @override
    def write(self, cells: Table) -> bytes:
        names = [column.name for column in self._columns]
        typed = [
            [_typed(column.holds, cell) for cell in column_cells]
            for column, column_cells in zip(self._columns, cells, strict=True)
        ]
        people = [dict(zip(names, row, strict=True)) for row in zip(*typed, strict=True)]
        return msgspec.json.Encoder().encode_lines(people)

    @override
    def end(self) -> bytes:
        return b""

    @override
    def close(self) -> None:
        pass


def _typed(holds: Holds, cell: str | list[str]) -> object:
    if holds is Holds.SEVERAL:
        return cell
    if holds is Holds.YES_NO:
        return cell == "yes" if cell else None
    if holds is Holds.NUMBER and isinstance(cell, str) and cell:
        return msgspec.Raw(cell.encode())  # as it is kept: a float would say 0.1 otherwise
    return cell or None


# --- workbooks -----------------------------------------------------------------------------------

_MOST_ROWS = 1_048_576  # of a sheet
_MOST_OCTETS = 2_000_000_000  # of a sheet: an entry of 2 GiB needs ZIP64, which readers lack
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


class Workbook(File):
    """A workbook (ECMA-376) whose cells are all text, so that none can be a formula.

    Written by hand and not by openpyxl: that needs a file of its own until the last person is in
    it, and four times as long; this leaves as it is written.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        """Begin a workbook; its first sheet begins with the headings."""
        self._headings = [column.name for column in columns]
        self._out = _Outlet()
        self._zip = zipfile.ZipFile(self._out, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        self._sheets = 0
        self._begin_sheet()

    @override
    def begin(self) -> bytes:
        return self._out.taken()

    @override
    def write(self, cells: Table) -> bytes:
        written = [[_cell(_apart(words)) for words in _words(column)] for column in cells]
        for row in zip(*written, strict=True):
            self._row("".join(row))
        return self._out.taken()

    @override
    def end(self) -> bytes:
        self._end_sheet()
        for name, content in self._parts().items():
            self._zip.writestr(name, _HEAD + content)
        self._zip.close()
        return self._out.taken()

    @override
    def close(self) -> None:
        self._sheet.close()
        self._zip.close()

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._rows = self._octets = 0
        self._sheet = self._zip.open(f"xl/worksheets/sheet{self._sheets}.xml", "w")
        self._say(
            f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane'
            ' ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
            '</sheetViews><sheetFormatPr defaultRowHeight="15"/><cols><col min="1"'
            f' max="{len(self._headings)}" width="22" style="1" customWidth="1"/></cols><sheetData>'
        )
        self._row("".join(_cell(heading, style=2) for heading in self._headings))

    def _row(self, cells: str) -> None:
        if self._rows >= _MOST_ROWS or self._octets > _MOST_OCTETS:
            self._end_sheet()
            self._begin_sheet()
        self._rows += 1
        self._say(f"<row>{cells}</row>")

    def _end_sheet(self) -> None:
        self._say("</sheetData></worksheet>")
        self._sheet.close()

    def _say(self, xml: str) -> None:
        self._octets += self._sheet.write(xml.encode())

    def _parts(self) -> dict[str, str]:
        """Give the parts that name the sheets: they come last, when it is known how many."""
        numbers = range(1, self._sheets + 1)
        styles = self._sheets + 1
        return {
            "xl/styles.xml": _STYLES,
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            + "".join(f'<sheet name="{no}" sheetId="{no}" r:id="rId{no}"/>' for no in numbers)
            + "</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": _relations(
                {
                    **{no: ("worksheet", f"worksheets/sheet{no}.xml") for no in numbers},
                    styles: ("styles", "styles.xml"),
                }
            ),
            "_rels/.rels": _relations({1: ("officeDocument", "xl/workbook.xml")}),
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default'
            ' Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships'
            f'+xml"/><Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
            + "".join(
                f'<Override PartName="/xl/worksheets/sheet{no}.xml"'
                f' ContentType="{_TYPE}.worksheet+xml"/>'
                for no in numbers
            )
            + "</Types>",
        }


def _relations(of: dict[int, tuple[str, str]]) -> str:
    found = "".join(
        f'<Relationship Id="rId{no}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for no, (kind, target) in of.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{found}</Relationships>'


# Style 1 is text (number format 49, "@"), so that a cell stays one when it is edited; 2 is bold.
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill>'
    '<patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf/><xf numFmtId="49" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" applyNumberFormat="1" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)

# What XML 1.0 cannot hold is written _xHHHH_ (ECMA-376 part 1, 22.9.2.19), and so is the mark of
# something that only looks like it.
_NOT_XML = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def _apart(words: str) -> str:
    """Keep words that look guarded from being read as such; the others need no guard in text."""
    return guarded(words) if words[:1] == "'" else words


def _cell(words: str, style: int = 1) -> str:
    if not words:
        return "<c/>"
    kept = escape(_NOT_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", words))
    space = ' xml:space="preserve"' if kept != kept.strip() else ""
    return f'<c t="inlineStr" s="{style}"><is><t{space}>{kept}</t></is></c>'


class _Outlet(io.RawIOBase):
    """What a zip file is written into when it leaves at once: it can be neither sought nor read."""

    def __init__(self) -> None:
        super().__init__()
        self._ready = bytearray()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, octets: "bytes | bytearray | memoryview", /) -> int:  # type: ignore[override]
        self._ready += octets
        return len(octets)

    def taken(self) -> bytes:
        """Give what has been written since the last time."""
        ready = bytes(self._ready)
        self._ready.clear()
        return ready
