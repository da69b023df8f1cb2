"""Importing from the browser: a file, its lines, on what ground, how far."""

import re
from pathlib import Path

import httpx
import pytest

from mailer.bootstrap import House
from mailer.imports import actions as imports
from mailer.imports import store
from mailer.imports.model import ImportState
from mailer.subscribers import store as subscribers
from tests.cast import Cast
from tests.support.signing_in import CSRF, post

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


async def read(
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


async def chosen(client: httpx.AsyncClient, path: str, **typed: str) -> httpx.Response:
    return await post(client, f"{path}/basis", typed, page=path)


async def path_of(client: httpx.AsyncClient, cast: Cast, content: bytes | str = FILE) -> str:
    answer = await read(client, cast, content)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def lines(shown: httpx.Response) -> list[str]:
    return re.findall(r'data-l="Line"><span>(\d+)</span>', shown.text)


async def test_reading_a_file_shows_every_lines_fate_and_changes_nothing(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    shown = await admin.get(await path_of(admin, cast))
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
        "Import 2 people",
    ):
        assert words in shown.text
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
    path = await path_of(admin, cast)
    assert lines(await admin.get(f"{path}?show={show}")) == wanted


async def test_many_lines_have_pages(admin: httpx.AsyncClient, cast: Cast) -> None:
    path = await path_of(admin, cast, "email\n" + "nobody\n" * 120)
    first = await admin.get(f"{path}?show=refused")
    assert len(lines(first)) == 50
    onward = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert onward
    second = await admin.get(path + onward[1].replace("&amp;", "&"))
    assert lines(second)[0] == "52"
    assert "There is nothing to import." in second.text


async def test_a_choice_begins_the_import_and_the_worker_does_it(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    path = await path_of(admin, cast)
    answer = await chosen(admin, path, basis="agreed", evidence=EVIDENCE)
    shown = await admin.get(answer.headers["location"])
    assert "Importing" in shown.text
    assert 'hx-trigger="every 5s"' in shown.text
    assert '<noscript><meta http-equiv="refresh"' in shown.text
    going = await admin.get(f"{path}/progress")
    assert "of 2 lines" in going.text
    assert "<html" not in going.text
    assert "hx-refresh" not in going.headers

    while await imports.apply_some(house):
        pass

    assert (await admin.get(f"{path}/progress")).headers["hx-refresh"] == "true"
    done = await admin.get(path)
    for words in ("Imported", EVIDENCE, "Imported by Amina.", "Joined the roll"):
        assert words in done.text
    listed = await admin.get("/admin/import")
    assert "Imported" in listed.text
    async with house.work(reading=True) as work:
        yasmin = await subscribers.by_address(work, "yasmin@example.org")
        assert yasmin
    assert f'href="/admin/people/{yasmin.uid}"' in done.text


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
    path = await path_of(admin, cast)
    answer = await chosen(admin, path, **typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'href="#{field}"' in answer.text
    if "evidence" in typed:
        assert "\nyes</textarea>" in answer.text
        assert re.search('value="agreed" checked', answer.text)


async def test_deciding_again_says_that_it_is_decided(admin: httpx.AsyncClient, cast: Cast) -> None:
    path = await path_of(admin, cast)
    await chosen(admin, path, basis="ask")
    again = await chosen(admin, path, basis="agreed", evidence=EVIDENCE)
    assert "decided on before" in (await admin.get(again.headers["location"])).text


async def test_an_import_is_stopped_and_says_what_was_done(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    path = await path_of(admin, cast)
    await chosen(admin, path, basis="ask")
    await imports.apply_some(house, limit=1)
    stopped = await post(admin, f"{path}/stop", page=path)
    shown = await admin.get(stopped.headers["location"])
    assert "One line had been imported, and stays." in shown.text
    left = await path_of(admin, cast)
    gone = await post(admin, f"{left}/stop", page=left)
    assert "Nobody was imported." in (await admin.get(gone.headers["location"])).text


async def test_refused_lines_are_a_file_that_no_spreadsheet_runs(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    path = await path_of(admin, cast)
    got = await admin.get(f"{path}/refused.csv")
    assert got.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in got.headers["content-disposition"]
    text = got.content.decode("utf-8-sig")
    assert text.splitlines()[0] == "Line,Why not,email,first name,level,language,group,Shoe size"
    assert "'=cmd@example..org" in text
    assert len(text.splitlines()) == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "This file is empty."),
        (b"PK\x03\x04", "This is a workbook"),
        (b"a,b\n1,2\n", "No heading here says which column is the email address. It reads: a · b"),
        (b"bo@example.org,Bo\n", "The first line is a person"),
        (b"email\n", "nobody below"),
        (b"email\n" + b"x" * 20_000_001, "larger than 20 MB"),
    ],
)
async def test_a_file_that_is_no_list_of_people_is_refused_in_words(
    admin: httpx.AsyncClient, cast: Cast, content: bytes, said: str
) -> None:
    answer = await read(admin, cast, content)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'href="#file"' in answer.text


async def test_what_is_far_too_large_is_not_even_read(admin: httpx.AsyncClient, cast: Cast) -> None:
    assert (await read(admin, cast, b"x" * 20_200_000)).status_code == 413


async def test_a_file_and_a_list_are_needed(admin: httpx.AsyncClient, cast: Cast) -> None:
    answer = await post(admin, "/admin/import", {"list": str(cast.bulletin.no)})
    assert answer.status_code == 422
    assert "Please choose the file." in answer.text
    for list_no in ("", "99", "9" * 30, "x"):
        answer = await read(admin, cast, list_no=list_no)
        assert answer.status_code == 422
        assert "Please choose the list" in answer.text


async def test_an_import_that_is_not_there_has_no_page(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    for more in ("", "/progress", "/refused.csv"):
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
        answer = await read(admin, cast, content, name="=<b>\x07\u202e.csv")
        assert answer.status_code in {303, 422}
        if answer.status_code == 303:
            shown = await admin.get(answer.headers["location"])
            assert shown.status_code == 200
            assert "<script>x" not in shown.text
            assert "<b>\x07" not in shown.text
    async with house.work(reading=True) as work:
        states = {one.state for one in await store.recent(work)}
        assert states == {ImportState.REHEARSED}
