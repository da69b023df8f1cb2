"""My data: all that is held of one person, in words and as files."""

import csv
import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from mailer.bootstrap import House
from mailer.kit.i18n import speaking
from mailer.kit.known import Part
from mailer.kit.orm import Base
from mailer.kit.tables import unguarded
from mailer.kit.work import Work
from mailer.records import actions as records
from mailer.records import my_data
from mailer.subscribers import store as people
from mailer.subscribers.model import Subscriber
from tests.cast import Cast
from tests.records.a_life import NAMES_THEM, lived, tables_about_people

# What is no one's own, or says nothing to anybody: why it is not in the files.
NOT_SAID = {
    "no": "a number of ours, which other rows point to",
    "uid": "a name of ours",
    "mark": "a scrambled mark: what it stands for is said",
    "sealed": "encrypted: what it holds is said",
    "name_key": "the name, case-folded for searching",
    "called_key": "so too",
    "middle_key": "so too",
    "second_key": "so too",
    "address_key": "the address, case-folded for searching",
    "phone_mark": "a scrambled mark",
    "phone": "encrypted; the telephone itself is said",
    "dedupe_key": "a number of ours",
    "worker": "a process of ours",
    "facts": "what a letter is about, by numbers of ours; told in other parts",
    "moved": "which rows went where in a merge, by numbers of ours",
    "needs": "how a letter is treated, the same for every letter of its kind",
    "lane": "so too",
    "number": "the value once more, for comparing",
    "remind_at": "when a reminder was due; when it was sent is said",
    "answers_wait": "whether the answers were taken over",
    "did": "what an undo takes back; the timeline tells it",
    "list_was": "so too",
    "was_given": "so too",
}
NUMBERS_OF_OURS = "_no"


async def all_of(house: House, cast: Cast) -> tuple[list[Part], Work]:
    async with house.work(reading=True) as work:
        bo = await people.by_no(work, cast.bo.no)
        assert bo is not None
        return await my_data.known(work, bo), work


def document(parts: list[Part], work: Work) -> dict[str, Any]:
    written = my_data.as_json(parts, organisation="Workers", made_at=work.now)
    read: dict[str, Any] = json.loads(written)
    return read


async def test_every_table_about_people_is_part_of_it(house: House, cast: Cast) -> None:
    await lived(house, cast)
    parts, _work = await all_of(house, cast)

    said = {part.table for part in parts}
    assert tables_about_people() - said == set(), "say it in record.known of its slice"
    empty = [part.name for part in parts if not part.rows]
    assert empty == [], "a life in tests/records/a_life.py leaves nothing out"


async def test_every_column_is_said_or_has_a_reason_not_to_be(house: House, cast: Cast) -> None:
    bo, _before = await lived(house, cast)
    parts, work = await all_of(house, cast)
    written = json.dumps(document(parts, work), ensure_ascii=False)
    unsaid = []
    async with house.work(reading=True) as work:
        for table in Base.metadata.sorted_tables:
            if table.name not in tables_about_people():
                continue
            whose = table.c.no if table.name == "subscriber" else table.c.get("subscriber_no")
            if whose is None:
                continue
            rows = await work.session.execute(
                select(table).where(whose == bo.no).execution_options(unscoped="the test compares")
            )
            for row in rows.mappings():
                unsaid += [
                    f"{table.name}.{name} = {value!r}"
                    for name, value in row.items()
                    if not _is_said(name, value, written)
                ]
    assert unsaid == []


def _is_said(name: str, value: object, written: str) -> bool:
    if value is None or name in NOT_SAID or name.endswith(NUMBERS_OF_OURS):
        return True
    if isinstance(value, datetime):
        return value.isoformat() in written
    return not isinstance(value, str) or value in written


async def test_files_hold_what_names_them_and_nobody_else(house: House, cast: Cast) -> None:
    await lived(house, cast)
    parts, work = await all_of(house, cast)

    for written in (
        my_data.as_json(parts, organisation="Workers", made_at=work.now).decode(),
        my_data.as_csv(parts).decode(),
    ):
        assert [one for one in NAMES_THEM if one not in written] == []
        for other in ("gil@example.org", "chidi@example.org", "Esra", "Amina"):
            assert other not in written


async def test_json_says_what_it_is(house: House, cast: Cast) -> None:
    parts, work = await all_of(house, cast)
    read = document(parts, work)

    assert (read["format"], read["version"]) == ("rollcall-my-data", 1)
    assert read["organisation"] == "Workers"
    assert datetime.fromisoformat(read["made_at"]) == work.now
    [person] = read["data"]["person"]
    assert person["address"] == "bo@example.org"
    assert [one["list"] for one in read["data"]["lists"]] == ["Bulletin"]
    assert read["data"]["tags"] == []


async def test_csv_has_a_line_for_each_value_and_nothing_that_a_spreadsheet_runs(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        bo = await people.by_no(work, cast.bo.no)
        assert bo is not None
        await people.change(work, bo, {"first_name": "=HYPERLINK(1)", "last_name": "Two\r\nlines"})
    parts, _work = await all_of(house, cast)
    written = my_data.as_csv(parts)

    assert written.startswith(b"\xef\xbb\xbf")
    [headings, *lines] = csv.reader(io.StringIO(written.decode("utf-8-sig"), newline=""))
    assert headings == ["part", "entry", "name", "value"]
    said = {(part, entry, name): value for part, entry, name, value in lines}
    assert said["person", "1", "first_name"] == "'=HYPERLINK(1)"
    assert unguarded(said["person", "1", "first_name"]) == "=HYPERLINK(1)"
    assert said["person", "1", "last_name"] == "Two\r\nlines"
    assert said["consent", "1", "given"] == "yes"
    names = {(part.name, name) for part in parts for row in part.rows for name in row}
    assert {(part, name) for part, _entry, name in said} == names


async def test_a_page_says_it_in_the_language_of_its_reader(house: House, cast: Cast) -> None:
    await lived(house, cast)
    with speaking("fr"):
        async with house.work(reading=True) as work:
            bo = await people.by_no(work, cast.bo.no)
            assert bo is not None
            parts = await my_data.known(work, bo)
            shown = my_data.shown(parts, await records.timeline(work, bo))

    assert [one.name for one in shown] == [part.name for part in parts]
    assert all(entry for one in shown for entry in one.entries if one.name != "protected")
    said = " ".join(words for one in shown for entry in one.entries for _label, words in entry)
    assert "canary" in said


async def test_what_is_empty_is_left_out_of_the_page(house: House, cast: Cast) -> None:
    parts, _work = await all_of(house, cast)

    shown = {one.name for one in my_data.shown(parts, [])}
    assert {"person", "lists", "consent", "level"} <= shown
    assert not shown & {"tags", "phone", "timeline"}


@pytest.mark.any_database
async def test_each_name_has_a_label_and_stands_in_the_documentation(
    house: House, cast: Cast
) -> None:
    await lived(house, cast)
    parts, _work = await all_of(house, cast)
    told = (Path(__file__).parents[2] / "docs" / "my-data.md").read_text()

    for part in parts:
        assert f"## {part.name}\n" in told, part.name
        section = told.split(f"## {part.name}\n")[1].split("\n## ")[0]
        for name in part.rows[0]:
            assert name in my_data.LABELS, name
            assert f"| `{name}` |" in section, f"{part.name}: {name}"


async def test_a_row_that_turned_out_to_be_theirs_is_theirs(house: House, cast: Cast) -> None:
    _bo, before = await lived(house, cast)
    parts, _work = await all_of(house, cast)

    [person] = [part for part in parts if part.name == "person"]
    assert [row["address"] for row in person.rows] == ["bo@example.org", "bo.merged@example.org"]
    assert isinstance(before, Subscriber)
