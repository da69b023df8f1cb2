"""What every page knows and every answer carries, also where nothing answers or something broke."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
import structlog
import structlog.testing
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import FromPath, SkipValidation
from litestar.response import Template
from sqlalchemy import func, select

from mailer.accounts.model import SignInTry
from mailer.accounts.passwords import STANDARD
from mailer.accounts.signing_in import CodeWrong
from mailer.bootstrap import House
from mailer.kit import i18n
from mailer.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refusal
from mailer.kit.work import Work
from mailer.organisation.actions import furnish
from tests.cast import Cast
from web.app import make_app
from web.kit.pages import Onward, page, redirect, templates
from web.kit.security import public
from web.kit.sessions import Asked, Notice, notice_cookie, read_notice, visit_of
from web.kit.statics import static
from web.wiring import Entrance

BASE = "http://127.0.0.1:8000"
FAMILIES = {"missing": NotFound, "invalid": Invalid, "conflict": Conflict, "forbidden": Forbidden}
pytestmark = pytest.mark.any_database


@get("/try/refused/{kind:str}", opt=public)
async def refuse(kind: FromPath[str]) -> str:
    raise FAMILIES.get(kind, Refusal)


@get("/try/broken", opt=public)
async def break_down() -> str:
    raise RuntimeError("amina@war.example.org is in these words")


@get("/try/unwell", opt=public)
async def be_unwell() -> str:
    raise HTTPException(status_code=503)


@get("/try/untrue", opt=public)
async def be_untrue(request: Asked) -> Template:
    return page(request, "errors/refusal.html")  # `words` is missing


@get("/try/nameless", opt=public)
async def be_nameless(request: Asked) -> str:
    nobody: Any = None
    visit_of(request).organisation = nobody  # so that the page of the refusal cannot be made either
    raise NotFound


@post("/try/large", opt=public)
async def take(request: Asked) -> Response[str]:
    return Response(str(len(await request.body())), status_code=200)


@post("/try/number/{number:int}", opt=public)
async def count(number: FromPath[int]) -> Response[str]:
    return Response(str(number), status_code=200)


@post("/try/done", opt=public)
async def do(request: Asked) -> Onward:
    return redirect("/try/page", notice="Done — “all” of it.", kind="warn")


@get("/try/page", opt=public)
async def show(request: Asked) -> Template:
    return page(request, "errors/refusal.html", words=i18n.language.get(), back="/")


@get("/try/frame", opt=public)
async def frame() -> Response[str]:
    policy = "default-src 'none'; frame-ancestors 'self'; sandbox"
    return Response("x", headers={"content-security-policy": policy, "cache-control": "private"})


@get("/try/slow/{wanted:str}", opt=public)
async def be_slow(wanted: FromPath[str]) -> str:
    for _ in range(5):
        await asyncio.sleep(0)
        assert i18n.language.get() == wanted
    return i18n.language.get()


@post("/try/guess", opt=public)
async def guess(work: NamedDependency[SkipValidation[Work]]) -> None:
    await furnish(work, "This is undone")
    raise CodeWrong(7)


@pytest.fixture
async def client(house: House) -> AsyncGenerator[httpx.AsyncClient]:
    app = make_app(house)
    for way in (
        refuse,
        break_down,
        be_unwell,
        be_untrue,
        be_nameless,
        take,
        count,
        do,
        show,
        frame,
        be_slow,
        guess,
    ):
        app.register(way)
    asgi: Any = app
    async with httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url=BASE) as client:
        yield client


# --- headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/try/page", "/nothing", "/try/broken", "/admin/sign-in", "/health"]
)
async def test_every_answer_carries_the_headers(
    client: httpx.AsyncClient, cast: Cast, path: str
) -> None:
    headers = (await client.get(path)).headers

    assert headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
        " font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


async def test_a_document_in_a_frame_of_ours_keeps_its_own_policy(
    client: httpx.AsyncClient, cast: Cast
) -> None:
    headers = (await client.get("/try/frame")).headers

    assert headers["content-security-policy"] == (
        "default-src 'none'; frame-ancestors 'self'; sandbox"
    )
    assert "x-frame-options" not in headers
    assert headers["cache-control"] == "private"


async def test_static_files_are_kept_as_long_as_their_address_says(
    client: httpx.AsyncClient,
) -> None:
    with_hash = await client.get(static("css/base.css"))
    without = await client.get("/static/css/base.css")
    gone = await client.get("/static/css/none.css?v=1")

    assert with_hash.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert without.headers["cache-control"] == "public, max-age=86400"
    assert (gone.status_code, gone.headers["cache-control"]) == (404, "no-store")


def test_an_address_of_a_static_file_changes_with_the_file() -> None:
    assert re.fullmatch(r"/static/css/base\.css\?v=[0-9a-f]{12}", static("css/base.css"))
    with pytest.raises(FileNotFoundError):
        static("css/none.css")


# --- refusals and faults ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status"),
    [("missing", 404), ("invalid", 422), ("conflict", 409), ("forbidden", 403), ("other", 409)],
)
async def test_a_refusal_is_said_in_its_own_words(
    client: httpx.AsyncClient, cast: Cast, kind: str, status: int
) -> None:
    answer = await client.get(f"/try/refused/{kind}")

    assert answer.status_code == status
    assert FAMILIES.get(kind, Refusal)().said() in answer.text
    assert cast.organisation.name in answer.text


@pytest.mark.parametrize("path", ["/nothing", "/admin/nothing", "/try", "/join/a/b/c"])
async def test_what_is_not_there_is_said_in_our_look(
    client: httpx.AsyncClient, cast: Cast, path: str
) -> None:
    answer = await client.get(path)

    assert answer.status_code == 404
    assert "This page is not here" in answer.text
    assert cast.organisation.name in answer.text


async def test_another_method_is_not_there_either(client: httpx.AsyncClient, cast: Cast) -> None:
    answer = await client.delete("/try/page")

    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


async def test_what_is_too_large_is_refused(client: httpx.AsyncClient, cast: Cast) -> None:
    assert (await client.post("/try/large", content=b"x" * 1_000_000)).status_code == 200
    answer = await client.post("/try/large", content=b"x" * 1_000_001)

    assert answer.status_code == 413
    assert "larger than we can take" in answer.text


async def test_what_cannot_be_read_is_refused(client: httpx.AsyncClient, cast: Cast) -> None:
    answer = await client.post(
        "/admin/sign-in", content=b"x", headers={"content-type": "multipart/form-data"}
    )

    assert answer.status_code == 400
    assert "could not read" in answer.text


@pytest.mark.parametrize("path", ["/try/broken", "/try/untrue", "/try/unwell", "/try/nameless"])
async def test_a_fault_is_told_by_a_number_and_by_nothing_else(
    client: httpx.AsyncClient, cast: Cast, path: str
) -> None:
    with structlog.testing.capture_logs() as lines:
        answer = await client.get(path)

    [fault] = [line for line in lines if line["event"] == "fault"]
    assert answer.status_code == 500
    assert fault["reference"] in answer.text
    assert fault["way"] == f"GET {path}"
    assert any(name in place for name in ("test_pages.py", ".html") for place in fault["places"])
    for told in (answer.text, json.dumps(lines)):
        assert "amina@" not in told
        assert "Traceback" not in told


async def test_a_database_that_is_away_is_a_fault_that_is_said(
    client: httpx.AsyncClient, house: House
) -> None:
    """Nothing was furnished: the organisation's row is missing."""
    with structlog.testing.capture_logs() as lines:
        assert (await client.get("/health")).status_code == 500
        page = await client.get("/try/page")

    assert page.status_code == 200
    assert "Rollcall" in page.text
    assert {"event": "organisation_unread", "fault": "NoResultFound", "log_level": "error"} in lines


async def test_a_fault_after_the_answer_began_is_not_answered_twice(house: House) -> None:
    async def begin_and_break(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    asgi: Any = Entrance(house, STANDARD, begin_and_break)

    async def with_state(scope: Any, receive: Any, send: Any) -> None:
        scope["state"] = {}
        await asgi(scope, receive, send)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(with_state), base_url=BASE
    ) as client:
        with pytest.raises(RuntimeError):
            await client.get("/")


async def test_a_guess_is_noted_though_its_work_is_undone(
    client: httpx.AsyncClient, house: House
) -> None:
    assert (await client.post("/try/guess")).status_code == 422

    async with house.work(reading=True) as work:
        assert await work.session.scalar(select(func.count(SignInTry.no))) == 1
    assert (await client.get("/health")).status_code == 500  # furnishing was undone


# --- the log ------------------------------------------------------------------------------------


async def test_the_log_tells_the_way_and_not_what_is_in_the_path(
    client: httpx.AsyncClient, cast: Cast
) -> None:
    with structlog.testing.capture_logs() as lines:
        await client.get("/l/SECRETTOKEN?address=amina@war.example.org")
        await client.post("/admin/sign-in", data={"address": "amina@war.example.org"})
        await client.get("/SECRETTOKEN")

    told = json.dumps(lines)
    assert [line["way"] for line in lines if line["event"] == "answered"] == [
        "GET /l/{token}",
        "POST /admin/sign-in",
        "GET (none)",
    ]
    assert "SECRETTOKEN" not in told
    assert "amina" not in told


# --- notices ------------------------------------------------------------------------------------


async def test_a_notice_is_said_once(client: httpx.AsyncClient, cast: Cast) -> None:
    answer = await client.post("/try/done")
    assert (answer.status_code, answer.headers["location"]) == (303, "/try/page")
    assert "HttpOnly" in answer.headers["set-cookie"]

    first = await client.get("/try/page")
    assert "Done — “all” of it." in first.text
    assert "note--warn" in first.text
    assert "Done" not in (await client.get("/try/page")).text


async def test_a_notice_waits_until_a_page_shows_it(client: httpx.AsyncClient, cast: Cast) -> None:
    await client.post("/try/done")
    await client.get("/brand.css")
    await client.get("/static/css/base.css")

    assert "Done" in (await client.get("/try/page")).text


async def test_words_that_are_not_ours_are_no_notice(house: House) -> None:
    ours = str(notice_cookie(house, Notice("Saved.", "ok")).value)

    assert read_notice(house, ours) == Notice("Saved.", "ok")
    for forged in (None, "", ".", "x", "x.y", ours[1:], ours[:-1], f"{ours}0", "ü.ü"):
        assert read_notice(house, forged) is None


# --- languages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "fr", "fr"),
        ("", "fr-CA, en;q=0.8", "fr"),
        ("", "en;q=0.5, fr;q=0.9", "fr"),
        ("", "xx, fr;q=0.1", "fr"),
        ("", "xx", "en"),
        ("", "fr;q=wrong, en;q=0.1", "en"),
        ("", "," * 5000, "en"),
        ("fr", "en", "fr"),
        ("en", "fr", "en"),
        ("xx", "fr", "fr"),
        ("../../etc", "", "en"),
    ],
)
async def test_a_page_is_in_the_language_that_was_chosen_or_else_the_browser_s(
    client: httpx.AsyncClient, cast: Cast, cookie: str, accepted: str, language: str
) -> None:
    client.cookies.set("language", cookie)
    answer = await client.get("/try/page", headers={"accept-language": accepted})

    assert f'<html lang="{language}"' in answer.text
    assert i18n.language.get() == "en"  # nothing is left behind


async def test_without_a_wish_a_page_is_in_the_language_of_the_organisation(
    client: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work() as work:
        (await furnish(work)).language = "fr"

    answer = await client.get("/try/page", headers={"accept-language": "xx"})
    assert '<html lang="fr"' in answer.text
    async with house.work() as work:
        (await furnish(work)).language = "xx"  # one that is spoken no more
    assert '<html lang="en"' in (await client.get("/try/page")).text


async def test_readers_at_the_same_time_do_not_share_a_language(
    client: httpx.AsyncClient, cast: Cast
) -> None:
    wanted = ["en", "fr"] * 10
    answers = await asyncio.gather(
        *(client.get(f"/try/slow/{one}", headers={"accept-language": one}) for one in wanted)
    )

    assert [answer.text for answer in answers] == wanted


# --- templates ----------------------------------------------------------------------------------


def test_templates_know_their_globals() -> None:
    known = templates().globals

    for name in "language direction languages icon bar key climb qr static role_name".split():
        assert name in known, name
