"""Files of people: what stands in them, octet by octet, and that nothing in them runs."""

import csv
import io
import json
import zipfile
from collections.abc import Sequence

import openpyxl
import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from mailer.exports import files
from mailer.exports.columns import Cells, Column, Holds, Page
from mailer.exports.files import Format, file_of
from mailer.kit.tables import parted, unguarded

FORMULA = '=HYPERLINK("https://evil.example.org","click")'


async def _nothing(_page: Page) -> Cells:
    return []


def column(name: str, holds: Holds = Holds.TEXT) -> Column:
    return Column(name=name, words=name, holds=holds, reads=_nothing)


def file_with(kind: Format, columns: Sequence[Column], *pages: Sequence[Cells]) -> bytes:
    file = file_of(kind, columns)
    return b"".join([file.begin(), *(file.write(page) for page in pages), file.end()])


# --- CSV -----------------------------------------------------------------------------------------


def test_csv_has_its_mark_its_line_ends_and_its_headings() -> None:
    written = file_with(
        Format.CSV,
        [column("email"), column("tags", Holds.SEVERAL)],
        [["bo@example.org", ""], [["Driver", "Night shift"], []]],
        [["zoë@example.org"], [["a;b"]]],
    )
    assert written == (
        b"\xef\xbb\xbfemail,tags\r\n"
        b"bo@example.org,Driver; Night shift\r\n"
        b",\r\n"
        b'zo\xc3\xab@example.org,"""a;b"""\r\n'
    )


@pytest.mark.parametrize("words", [FORMULA, "+44 20 7946 0000", "@SUM(A1)", "-1", "\t=1", "'=1"])
def test_csv_holds_nothing_that_a_spreadsheet_runs(words: str) -> None:
    written = file_with(Format.CSV, [column("name")], [[words]]).decode("utf-8-sig")
    [_head, [cell]] = csv.reader(io.StringIO(written, newline=""))
    assert cell == f"'{words}"
    assert unguarded(cell) == words


# Python's own reader stops at NUL, which no text of the roll holds.
_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(
    st.lists(st.tuples(_WORDS, st.lists(_WORDS.filter(bool))), min_size=1, max_size=5),
)
def test_csv_is_read_back_as_it_was(rows: list[tuple[str, list[str]]]) -> None:
    names, tags = [name for name, _ in rows], [several for _, several in rows]
    written = file_with(
        Format.CSV, [column("name"), column("tags", Holds.SEVERAL)], [names, tags]
    ).decode("utf-8-sig")
    found = list(csv.reader(io.StringIO(written, newline="")))[1:]
    assert [(unguarded(name), parted(unguarded(cell))) for name, cell in found] == rows


# --- JSON Lines ----------------------------------------------------------------------------------


def test_json_lines_tell_numbers_lists_and_nothing_apart() -> None:
    columns = [
        column("email"),
        column("tags", Holds.SEVERAL),
        column("age", Holds.NUMBER),
        column("driver", Holds.YES_NO),
    ]
    written = file_with(
        Format.JSONL,
        columns,
        [["bo@example.org", ""], [["Night"], []], ["41.5", ""], ["yes", ""]],
    )
    first, second = (json.loads(line) for line in written.splitlines())
    assert first == {"email": "bo@example.org", "tags": ["Night"], "age": 41.5, "driver": True}
    assert second == {"email": None, "tags": [], "age": None, "driver": None}
    assert b'"driver":false' in file_with(Format.JSONL, columns, [[""], [[]], ["0"], ["no"]])


def test_a_number_is_written_as_it_is_kept() -> None:
    written = file_with(Format.JSONL, [column("n", Holds.NUMBER)], [["0.1", "123456789012345"]])
    assert written == b'{"n":0.1}\n{"n":123456789012345}\n'


# --- workbooks -----------------------------------------------------------------------------------


def sheets_of(written: bytes) -> list[list[list[str]]]:
    book = openpyxl.load_workbook(io.BytesIO(written), read_only=True)
    return [
        [[unescape(str(cell)) if cell else "" for cell in row] for row in sheet.values]
        for sheet in book.worksheets
    ]


def test_a_workbook_holds_text_and_no_formula() -> None:
    written = file_with(
        Format.XLSX,
        [column("email"), column("age", Holds.NUMBER)],
        [["bo@example.org", FORMULA, ""], ["007", "", "1"]],
    )
    assert sheets_of(written) == [
        [["email", "age"], ["bo@example.org", "007"], [FORMULA, ""], ["", "1"]]
    ]
    with zipfile.ZipFile(io.BytesIO(written)) as parts:
        sheet = ElementTree.fromstring(parts.read("xl/worksheets/sheet1.xml"))
    spreadsheet = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    assert not list(sheet.iter(f"{spreadsheet}f"))
    assert {cell.get("t", "inlineStr") for cell in sheet.iter(f"{spreadsheet}c")} == {"inlineStr"}


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5))
def test_a_workbook_is_read_back_as_it_was(names: list[str]) -> None:
    [[_head, *rows]] = sheets_of(file_with(Format.XLSX, [column("name")], [names]))
    assert [unguarded(name) for [name] in rows] == names


def test_a_workbook_goes_on_in_another_sheet_when_one_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "_MOST_ROWS", 3)
    written = file_with(Format.XLSX, [column("n")], [["1", "2", "3"]], [["4", "5"]])
    assert sheets_of(written) == [
        [["n"], ["1"], ["2"]],
        [["n"], ["3"], ["4"]],
        [["n"], ["5"]],
    ]


def test_a_workbook_leaves_as_it_is_written() -> None:
    file = file_of(Format.XLSX, [column("n")])
    pieces = [file.begin()]
    pieces += [
        file.write([[f"{page * 1000 + no:x}" * 8 for no in range(1000)]]) for page in range(50)
    ]
    pieces.append(file.end())
    assert max(map(len, pieces)) < sum(map(len, pieces)) / 4
    assert len(sheets_of(b"".join(pieces))[0]) == 50_001


def test_a_workbook_that_nobody_waits_for_is_let_go() -> None:
    file = file_of(Format.XLSX, [column("n")])
    file.write([["1"]])
    file.close()
    file.close()
