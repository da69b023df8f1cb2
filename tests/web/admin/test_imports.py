"""Importing from the browser, step by step, as a person does it: file, columns, lines, ground."""

import io
import re
from pathlib import Path

import httpx
import openpyxl
import pytest

from mailer.bootstrap import House
from mailer.fields import describing
from mailer.fields.model import FieldKind
from mailer.imports import actions as imports
from mailer.imports import store
from mailer.imports.model import Import, ImportState
from mailer.kit.work import Door
from mailer.subscribers import store as subscribers
from tests.cast import Cast
from tests.support.signing_in import CSRF, post
from web.admin import import_columns, import_lines, import_undo
from web.admin import imports as pages

pytestmark = pytest.mark.any_database

FILE = """email,first name,level,language,group,Shoe size
yasmin@example.org,Yasmin,activist,fr,Dockers,38
bo@example.org,Bo,,en,Dockers,41
gil@example.org,Gil,,fr,,
chidi@example.org,Chidi,,en,,
"=cmd@example..org",Evil,,en,,
zora@example.org,Zora,suporter,en,,
"""
EVIDENCE = "Paper forms at the spring round table, 3 May."
CORPORA = Path(__file__).parents[4] / "shared" / "corpora"


async def sent(
    client: httpx.AsyncClient,
    cast: Cast,
    content: bytes | str = FILE,
    *,
    name: str = "spring.csv",
    list_no: str | None = None,
) -> httpx.Response:
    """Give a file to the page, as a browser does."""
    token = CSRF.search((await client.get("/admin/import")).text)
    assert token
    return await client.post(
        "/admin/import",
        data={"csrf": token[1], "list": str(cast.bulletin.no) if list_no is None else list_no},
        files={"file": (name, content if isinstance(content, bytes) else content.encode())},
    )


def proposed(shown: httpx.Response) -> dict[str, str]:
    """Read the form of the columns as it stands on the page."""
    form = {"do": "read"}
    for name, options in re.findall(
        r'<select id="([^"]+)" name="\1"[^>]*>(.*?)</select>', shown.text, re.DOTALL
    ):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        form[name] = chosen[1] if chosen else re.findall(r'<option value="([^"]*)"', options)[0]
    for name in ("tag", "source"):
        typed = re.search(rf'id="{name}" name="{name}"[^>]* value="([^"]*)"', shown.text)
        form[name] = typed[1] if typed else ""
    rule = re.search(r'name="rule" type="radio" value="(\w+)" checked', shown.text)
    assert rule
    return {**form, "rule": rule[1]}


async def columns_of(
    client: httpx.AsyncClient, cast: Cast, content: bytes | str = FILE, **how: str
) -> tuple[str, httpx.Response]:
    """Give a file, and go on to its columns; give the path of the import and the page."""
    answer = await sent(client, cast, content, **how)
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    return path.removesuffix("/columns"), await client.get(path)


async def read(
    client: httpx.AsyncClient, cast: Cast, content: bytes | str = FILE, **said: str
) -> str:
    """Give a file and take what is proposed for its columns, but for what is said."""
    path, shown = await columns_of(client, cast, content)
    answer = await post(
        client, f"{path}/columns", {**proposed(shown), **said}, page=f"{path}/columns"
    )
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == path
    return path


async def chosen(client: httpx.AsyncClient, path: str, **typed: str) -> httpx.Response:
    return await post(client, f"{path}/basis", typed, page=path)


async def import_of(house: House, path: str) -> Import:
    async with house.work(reading=True) as work:
        found = await store.by_uid(work, path.rpartition("/")[2])
        assert found
        return found


def lines(shown: httpx.Response) -> list[str]:
    return re.findall(r'data-l="Line"><span>(\d+)</span>', shown.text)


# --- the file -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "This file is empty."),
        (b"PK\x03\x04", "This workbook cannot be read."),
        (b"\xd0\xcf\x11\xe0", "This workbook is of an old kind."),
        (b"a,b\n1,2\n", "No heading here says which column is the email address. It reads: a · b"),
        (b"email\n", "nobody below"),
        (bytes(range(1, 9)) * 400, "This file is not text"),
    ],
)
async def test_a_file_that_is_no_list_of_people_is_refused_in_words_and_forgotten(
    admin: httpx.AsyncClient, cast: Cast, content: bytes, said: str
) -> None:
    answer = await sent(admin, cast, content)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'href="#file"' in answer.text
    assert "spring.csv" not in answer.text


async def test_what_is_larger_than_half_a_gigabyte_is_not_even_read(
    admin: httpx.AsyncClient, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = CSRF.search((await admin.get("/admin/import")).text)
    assert token
    answer = await admin.post(
        "/admin/import",
        content=b"",
        headers={
            "content-type": "multipart/form-data; boundary=b",
            "content-length": str(600 << 20),
        },
    )
    assert answer.status_code == 413
    assert "rollcall import" in answer.text


async def test_a_file_and_a_list_are_needed_and_what_was_pasted_is_kept(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    answer = await post(admin, "/admin/import", {"list": str(cast.bulletin.no)})
    assert answer.status_code == 422
    assert "Please choose the file, or paste the lines." in answer.text
    for list_no in ("", "99", "9" * 30, "x"):
        answer = await sent(admin, cast, list_no=list_no)
        assert answer.status_code == 422
        assert "Please choose the list" in answer.text
    pasted = await post(admin, "/admin/import", {"pasted": "ana@example.org", "list": "99"})
    assert pasted.status_code == 422
    assert "\nana@example.org</textarea>" in pasted.text
    long = await post(admin, "/admin/import", {"pasted": "a" * 999_000, "list": "99"})
    assert long.status_code == 422


async def test_pasted_lines_are_a_file(admin: httpx.AsyncClient, cast: Cast, house: House) -> None:
    form = {"pasted": "Ana Ng <ana@example.org>\nzoë@example.org", "list": str(cast.bulletin.no)}
    answer = await post(admin, "/admin/import", form)
    assert answer.status_code == 303, answer.text
    shown = await admin.get(answer.headers["location"])
    assert "Pasted lines" in shown.text
    assert "Column 1" in shown.text
    path = answer.headers["location"].removesuffix("/columns")
    await post(admin, f"{path}/columns", proposed(shown), page=f"{path}/columns")
    await chosen(admin, path, basis="agreed", evidence=EVIDENCE)
    async with house.work(reading=True) as work:
        ana = await subscribers.by_address(work, "ana@example.org")
    assert ana
    assert ana.shown_name == "Ana Ng"


async def test_a_large_file_is_kept_in_pieces(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    body = "email,first name\n" + "".join(
        f"person{no}@example.org,{'A' * 100}\n" for no in range(20_000)
    )
    path, shown = await columns_of(admin, cast, body)
    answer = await post(admin, f"{path}/columns", proposed(shown), page=f"{path}/columns")
    going = await admin.get(answer.headers["location"])
    assert "Reading every line" in going.text
    assert 'hx-trigger="every 2s"' in going.text
    assert '<noscript><meta http-equiv="refresh"' in going.text
    await imports.read_some(house, seconds=0)
    part = await admin.get(f"{path}/progress?was=reading")
    assert "lines are read." in part.text
    assert "hx-refresh" not in part.headers
    while await imports.read_some(house):
        pass
    assert (await admin.get(f"{path}/progress?was=reading")).headers["hx-refresh"] == "true"
    assert (await import_of(house, path)).counts["new"] == 20_000


# --- columns ------------------------------------------------------------------------------------


async def test_columns_are_proposed_with_their_first_rows(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    _path, shown = await columns_of(admin, cast)
    form = proposed(shown)
    assert [form[f"column-{number}"] for number in range(6)] == [
        "address",
        "first_name",
        "tier",
        "language",
        "group",
        "",
    ]
    assert "yasmin@example.org · bo@example.org · gil@example.org" in shown.text
    assert form["encoding"] == "utf-8"
    assert form["delimiter"] == "comma"


async def test_columns_are_put_right_by_hand_and_remembered_for_their_source(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work(door=Door.CLI) as work:
        await describing.make(work, name={"en": "Boots"}, kind=FieldKind.NUMBER)
    said = {
        "column-5": "field:boots",
        "tag": "Spring",
        "source": "Round table",
        "rule": "overwrite",
    }
    path = await read(admin, cast, **said)
    shown = await admin.get(path)
    assert "Boots: 38" in shown.text
    assert "A tag is made" not in shown.text or "Spring" in shown.text

    _again, columns = await columns_of(admin, cast, FILE.replace("38", "39"))
    assert "Known from “Round table”." in columns.text
    assert proposed(columns)["column-5"] == "field:boots"


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({"column-1": "address"}, "column-1", "Another column is that already."),
        ({"column-1": "nonsense"}, "column-1", "This is nothing that a column can become."),
        ({"column-0": ""}, "column-0", "Please say which column is the email address."),
        ({"tag": "a,b"}, "tag", "A tag has no comma"),
        ({"source": "x" * 81}, "source", "This is too long"),
        ({"list": ""}, "list", "Please choose the list"),
    ],
)
async def test_what_cannot_be_is_said_at_its_field_and_nothing_typed_is_lost(
    admin: httpx.AsyncClient, cast: Cast, said: dict[str, str], field: str, words: str
) -> None:
    path, shown = await columns_of(admin, cast)
    form = {**proposed(shown), "rule": "leave", "column-2": "city", **said}
    answer = await post(admin, f"{path}/columns", form, page=f"{path}/columns")
    assert answer.status_code == 422
    assert words in answer.text
    assert f'href="#{field}"' in answer.text
    kept = proposed(answer)
    assert kept["rule"] == "leave"
    assert kept["column-2"] == "city"


async def test_a_file_is_looked_at_again_when_it_was_cut_wrongly(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    path, shown = await columns_of(
        admin, cast, "email;prénom\nana@example.org;Zoë\n".encode("cp1250")
    )
    form = {**proposed(shown), "do": "look", "encoding": "cp1250", "tag": "Kept"}
    looked = await post(admin, f"{path}/columns", form, page=f"{path}/columns")
    assert looked.status_code == 200
    assert "Zoë" in looked.text
    assert proposed(looked)["encoding"] == "cp1250"
    assert proposed(looked)["tag"] == "Kept"
    wrong = await post(
        admin, f"{path}/columns", {**form, "encoding": "klingon"}, page=f"{path}/columns"
    )
    assert wrong.status_code == 422
    assert "We do not know this encoding." in wrong.text


async def test_the_export_of_another_tool_is_known_and_its_opt_outs_come_first(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    file = (
        "Email Address,First Name,Last Name,MEMBER_RATING,UNSUB_TIME,TAGS\n"
        'ana@example.org,Ana,Ng,2,,"Driver,Night"\n'
        "bo@example.org,Bo,,2,2026-01-04 10:00:00,\n"
    )
    path, shown = await columns_of(admin, cast, file)
    assert "This looks like an export of Mailchimp." in shown.text
    await post(admin, f"{path}/columns", proposed(shown), page=f"{path}/columns")
    first = await admin.get(path)
    assert "Is taken off" in first.text
    assert lines(first) == ["3"]
    await chosen(admin, path, basis="agreed", evidence=EVIDENCE)
    async with house.work(reading=True) as work:
        bo = await subscribers.by_address(work, "bo@example.org")
        assert bo
        assert await subscribers.suppression(work, bo.mark)


async def test_a_workbook_is_read_and_its_sheets_are_offered(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Nothing", "here@example.org"])
    people = book.create_sheet("People")
    people.append(["email", "first name"])
    people.append(["ana@example.org", "Ana"])
    packed = io.BytesIO()
    book.save(packed)
    path, shown = await columns_of(admin, cast, packed.getvalue(), name="people.xlsx")
    form = {**proposed(shown), "do": "look", "sheet": "People"}
    looked = await post(admin, f"{path}/columns", form, page=f"{path}/columns")
    assert "ana@example.org" in looked.text
    await post(admin, f"{path}/columns", proposed(looked), page=f"{path}/columns")
    assert "Sheet “People”" in (await admin.get(path)).text


# --- what will happen ---------------------------------------------------------------------------


async def test_reading_a_file_shows_every_lines_fate_and_changes_nothing(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    shown = await admin.get(await read(admin, cast))
    for words in (
        "What will happen",
        "spring.csv, 6 lines. Nothing has changed yet.",
        "Joins the roll",
        "Level: Activist · Group: Dockers",
        "Stays off",
        "Did you mean Supporter?",
        "two dots in a row",
        "A group is founded: Dockers.",
        "UTF-8, with commas",
        "Import 2 lines",
    ):
        assert words in shown.text, words
    assert lines(shown) == ["2", "3", "4", "5", "6", "7"]
    async with house.work(reading=True) as work:
        assert await subscribers.by_address(work, "yasmin@example.org") is None


@pytest.mark.parametrize(
    ("show", "wanted"),
    [
        ("new", ["2"]),
        ("known", ["3"]),
        ("unchanged", ["4"]),
        ("refused", ["5", "6", "7"]),
        ("all", ["2", "3", "4", "5", "6", "7"]),
        ("nonsense", ["2", "3", "4", "5", "6", "7"]),
    ],
)
async def test_lines_are_shown_by_their_fate(
    admin: httpx.AsyncClient, cast: Cast, show: str, wanted: list[str]
) -> None:
    path = await read(admin, cast)
    assert lines(await admin.get(f"{path}?show={show}")) == wanted


async def test_many_lines_have_pages(admin: httpx.AsyncClient, cast: Cast) -> None:
    path = await read(admin, cast, "email\n" + "nobody@\n" * 120)
    first = await admin.get(f"{path}?show=refused")
    assert len(lines(first)) == 50
    onward = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert onward
    second = await admin.get(path + onward[1].replace("&amp;", "&"))
    assert lines(second)[0] == "52"
    assert "There is nothing to import." in second.text
    assert "No more lines" in (await admin.get(f"{path}?show=refused&after=500")).text


async def test_somebody_goes_back_to_the_columns_and_reads_again(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    path = await read(admin, cast)
    shown = await admin.get(f"{path}/columns")
    form = {**proposed(shown), "column-2": ""}
    answer = await post(admin, f"{path}/columns", form, page=f"{path}/columns")
    assert answer.status_code == 303
    assert (await import_of(house, path)).state is ImportState.REHEARSED
    again = await admin.get(path)
    assert "Level: Follower" in again.text
    assert "Did you mean Supporter?" not in again.text


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({}, "basis", "Please say how these people agreed"),
        ({"basis": "nonsense"}, "basis", "Please say how these people agreed"),
        ({"basis": "agreed", "evidence": "yes"}, "evidence", "Please write down when and how"),
    ],
)
async def test_a_ground_is_needed_and_what_was_typed_is_kept(
    admin: httpx.AsyncClient, cast: Cast, typed: dict[str, str], field: str, said: str
) -> None:
    path = await read(admin, cast)
    answer = await chosen(admin, path, **typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'href="#{field}"' in answer.text
    if "evidence" in typed:
        assert "\nyes</textarea>" in answer.text
        assert re.search('value="agreed" checked', answer.text)


# --- importing ----------------------------------------------------------------------------------


async def test_a_small_file_is_imported_at_once(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    path = await read(admin, cast)
    answer = await chosen(admin, path, basis="agreed", evidence=EVIDENCE)
    assert answer.headers["location"] == path
    done = await admin.get(path)
    for words in ("Imported", EVIDENCE, "Imported by Amina.", "Joined the roll", "Until "):
        assert words in done.text, words
    assert "Imported" in (await admin.get("/admin/import")).text
    async with house.work(reading=True) as work:
        yasmin = await subscribers.by_address(work, "yasmin@example.org")
        assert yasmin
    assert f'href="/admin/people/{yasmin.uid}"' in done.text
    assert (await admin.get(f"{path}/columns")).headers["location"] == path


async def test_a_large_one_is_left_to_the_worker_and_the_page_says_how_far_it_is(
    admin: httpx.AsyncClient, cast: Cast, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await read(admin, cast)
    monkeypatch.setattr(import_lines, "AT_ONCE", 0)
    answer = await chosen(admin, path, basis="agreed", evidence=EVIDENCE)
    shown = await admin.get(answer.headers["location"])
    assert "Importing" in shown.text
    assert "The import has begun." in shown.text
    going = await admin.get(f"{path}/progress")
    assert "of 2 lines" in going.text
    assert "<html" not in going.text
    assert "hx-refresh" not in going.headers
    while await imports.apply_some(house):
        pass
    assert (await admin.get(f"{path}/progress")).headers["hx-refresh"] == "true"


async def test_deciding_again_says_that_it_is_decided(admin: httpx.AsyncClient, cast: Cast) -> None:
    path = await read(admin, cast)
    shown = await admin.get(path)
    token = CSRF.search(shown.text)
    assert token
    await chosen(admin, path, basis="ask")
    again = await admin.post(
        f"{path}/basis", data={"csrf": token[1], "basis": "agreed", "evidence": EVIDENCE}
    )
    assert "decided on before" in (await admin.get(again.headers["location"])).text


async def test_an_import_is_stopped_and_says_what_was_done(
    admin: httpx.AsyncClient, cast: Cast, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await read(admin, cast)
    monkeypatch.setattr(import_lines, "AT_ONCE", 0)
    await chosen(admin, path, basis="ask")
    while not (await import_of(house, path)).done.get("lines"):
        await imports.apply_some(house, limit=1, seconds=0)
    stopped = await post(admin, f"{path}/stop", page=path)
    shown = await admin.get(stopped.headers["location"])
    assert "One line had been imported, and stays." in shown.text
    left = await read(admin, cast)
    gone = await post(admin, f"{left}/stop", page=left)
    assert "Nobody was imported." in (await admin.get(gone.headers["location"])).text
    late = await chosen(admin, left, basis="ask")
    assert late.status_code == 303


async def test_refused_lines_are_a_file_that_no_spreadsheet_runs(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    path = await read(admin, cast)
    got = await admin.get(f"{path}/refused.csv")
    assert got.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in got.headers["content-disposition"]
    text = got.content.decode("utf-8-sig")
    assert text.splitlines()[0] == "Line,Why not,email,first name,level,language,group,Shoe size"
    assert "'=cmd@example..org" in text
    assert len(text.splitlines()) == 4
    every = (await admin.get(f"{path}/lines.csv")).content.decode("utf-8-sig").splitlines()
    assert len(every) == 7
    assert every[1].startswith("2,new,,yasmin@example.org,Yasmin")


# --- undoing ------------------------------------------------------------------------------------


async def test_a_whole_import_is_undone_with_two_taps(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    path = await read(admin, cast)
    await chosen(admin, path, basis="agreed", evidence=EVIDENCE)
    asked = await admin.get(f"{path}/undo")
    assert "One new person goes from the roll" in asked.text
    assert "One person who was here before is again as before" in asked.text
    assert asked.text.index("No, change nothing") < asked.text.index("Yes, undo it")

    await post(admin, f"{path}/undo", {"answer": "no"}, page=f"{path}/undo")
    assert (await import_of(house, path)).state is ImportState.APPLIED
    await post(admin, f"{path}/undo", {"answer": "yes"}, page=f"{path}/undo")

    shown = await admin.get(path)
    assert "It was undone for 2 people." in shown.text
    async with house.work(reading=True) as work:
        assert await subscribers.by_address(work, "yasmin@example.org") is None
    assert (await admin.get(f"{path}/undo")).headers["location"] == path


async def test_a_large_import_is_undone_by_the_worker(
    admin: httpx.AsyncClient, cast: Cast, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await read(admin, cast)
    await chosen(admin, path, basis="agreed", evidence=EVIDENCE)
    monkeypatch.setattr(import_undo, "AT_ONCE", 0)
    answer = await post(admin, f"{path}/undo", {"answer": "yes"}, page=f"{path}/undo")
    shown = await admin.get(answer.headers["location"])
    assert "Undoing the import" in shown.text
    assert "of 7 lines" in (await admin.get(f"{path}/progress?was=undoing")).text
    while await imports.undo_some(house):
        pass
    assert "Undone" in (await admin.get("/admin/import")).text


async def test_whoever_was_written_to_is_in_the_way_of_an_undo(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    path = await read(admin, cast)
    await chosen(admin, path, basis="agreed", evidence=EVIDENCE)
    asked = await admin.get(f"{path}/undo")
    token = CSRF.search(asked.text)
    assert token
    async with house.work(door=Door.CLI) as work:
        yasmin = await subscribers.by_address(work, "yasmin@example.org")
        assert yasmin
        await subscribers.change(work, yasmin, {"last_mailed_at": work.now})
    refused = await admin.get(f"{path}/undo")
    assert "have been written to since" in (await admin.get(refused.headers["location"])).text
    late = await admin.post(f"{path}/undo", data={"csrf": token[1], "answer": "yes"})
    assert "have been written to since" in (await admin.get(late.headers["location"])).text


# --- nothing breaks -----------------------------------------------------------------------------


async def test_an_import_that_is_not_there_has_no_page(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    for more in ("", "/columns", "/undo", "/progress", "/refused.csv", "/lines.csv"):
        assert (await admin.get(f"/admin/import/nowhere{more}")).status_code == 404


def strange_files() -> list[bytes]:
    folder = CORPORA / "csv" / "csvs"
    files = [path.read_bytes() for path in sorted(folder.glob("*.csv"))] if folder.is_dir() else []
    rows = b"\n".join(b'%d@example.org,"<script>x</script>\x00"' % no for no in range(3))
    return [
        *files,
        b"email,name\n" + rows,
        b"email\n\xff\xfe\x00",
        "email\n名@例え.jp".encode("utf-16"),
    ]


async def test_no_file_breaks_the_page(admin: httpx.AsyncClient, cast: Cast, house: House) -> None:
    for content in strange_files():
        answer = await sent(admin, cast, content, name="=<b>\x07\u202e.csv")
        assert answer.status_code in {303, 422}
        if answer.status_code == 303:
            path = answer.headers["location"]
            shown = await admin.get(path)
            assert shown.status_code == 200
            assert "<script>x" not in shown.text
            assert "<b>\x07" not in shown.text
            answer = await post(admin, path, proposed(shown))
            assert answer.status_code in {303, 422}
            lines_of = await admin.get(path.removesuffix("/columns"))
            assert lines_of.status_code in {200, 303}
            assert "<script>x" not in lines_of.text
    async with house.work(reading=True) as work:
        for one in await store.recent(work):
            assert one.state in pages.STATES


def test_every_state_has_words() -> None:
    assert set(pages.STATES) == set(ImportState)
    assert set(import_columns.UNDERSTOOD_AGAIN) <= set(ImportState)
