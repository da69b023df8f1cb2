"""Workbooks: the values of a sheet, and what is refused before it is unpacked."""

import io
import zipfile
from datetime import date

import pytest
from openpyxl import Workbook

from mailer.imports import actions as imports
from mailer.imports import receiving, store, workbook
from mailer.imports.model import Import
from mailer.imports.workbook import Sheet
from mailer.kit.errors import Refusal
from mailer.kit.work import Work
from tests.cast import Cast


def packed(*rows: list[object], more: tuple[str, list[object]] | None = None) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if more:
        book.create_sheet(more[0]).append(more[1])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


PEOPLE = packed(
    ["E-mail", "Prénom", "postcode", "agreed at"],
    ["zoe@example.org", "Zoë", 59000, date(2026, 5, 12)],
    [None, None, None, None],
    ["=1+1@example.org", "=1+1", 1.5, None],
    more=("Others", ["email"]),
)


async def rehearsed(work: Work, cast: Cast, content: bytes) -> Import:
    return await imports.rehearse(
        work, file_name="roll.xlsx", content=content, list_no=cast.bulletin.no
    )


async def test_a_sheet_is_read_row_by_row_as_its_values(cast: Cast, work: Work) -> None:
    import_ = await rehearsed(work, cast, PEOPLE)
    assert import_.found["sheets"] == ["Sheet", "Others"]
    zoe, formula = (await store.lines(work, import_)).rows
    assert (zoe.line, zoe.first_name, zoe.postcode) == (2, "Zoë", "59000")
    assert zoe.agreed_at
    assert zoe.agreed_at.date() == date(2026, 5, 12)
    assert (formula.line, formula.why) == (4, "no_address")  # nobody has computed it


async def test_another_sheet_can_be_chosen_and_one_that_is_not_there_cannot(
    cast: Cast, work: Work
) -> None:
    import_ = await receiving.receive(work, file_name="x", list_no=cast.bulletin.no)
    await receiving.keep_part(work, import_, 0, PEOPLE)
    await receiving.received(work, import_)
    with pytest.raises(receiving.NobodyInFile):
        await receiving.look_again(work, import_, format={"sheet": "Others"})
    with pytest.raises(workbook.SheetUnknown):
        await receiving.look_again(work, import_, format={"sheet": "None"})


@pytest.mark.any_database
def test_reading_goes_on_at_any_row() -> None:
    sheet = Sheet(io.BytesIO(PEOPLE))
    found, after, is_end = sheet.rows(2)
    assert ([record.line for record in found], after, is_end) == ([2, 3, 4], 5, True)
    assert [record.cells[:1] for record in sheet.rows(4)[0]] == [[""]] or sheet.rows(4)[0]
    sheet.close()


def archive(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            zipped.writestr(name.replace("__", "/").replace("_DOT_", "."), content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (archive(readme_DOT_txt=b"no workbook"), "workbook_broken"),
        (archive(xl__workbook_DOT_xml=b"<a/>"), "workbook_broken"),
        (PEOPLE[: len(PEOPLE) // 2], "workbook_broken"),
    ],
)
async def test_what_is_no_workbook_is_refused(
    cast: Cast, work: Work, content: bytes, refusal: str
) -> None:
    with pytest.raises(Refusal) as refused:
        await rehearsed(work, cast, content)
    assert refused.value.code == refusal


async def test_a_bomb_is_refused_before_it_is_unpacked(cast: Cast, work: Work) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("[Content_Types].xml", "<Types/>")
        zipped.writestr("xl/worksheets/sheet1.xml", b"<row/>" * 4_000_000)
    with pytest.raises(workbook.WorkbookTooLarge):
        await rehearsed(work, cast, out.getvalue())
