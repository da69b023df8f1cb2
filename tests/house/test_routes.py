"""Every way in is known and has a gate; what only looks changes nothing."""

import re
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from sqlalchemy import event, insert
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from mailer.accounts import actions as accounts
from mailer.accounts import signing_in
from mailer.accounts.model import POWERS, Account, Power, Role, Stage
from mailer.bootstrap import House
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import Subscriber
from tests.cast import PASSWORD_HASH, Cast
from tests.house.routes import TABLE, WayIn, ways_in

LOOKING = ("GET", "HEAD", "OPTIONS")
READING = re.compile(
    r"\s*(SELECT|BEGIN|PRAGMA|SAVEPOINT|RELEASE|ROLLBACK|SET TRANSACTION|SHOW"
    r"|WITH(?!.*\b(INSERT|UPDATE|DELETE)\b))\b",
    re.IGNORECASE | re.DOTALL,
)
# Observations, not facts: they are noted on a connection of their own, whatever comes of it.
OBSERVING = re.compile(
    r"UPDATE session SET seen_at|\w+ (INTO|FROM) sign_in_try\b|INSERT INTO look\b"
)
WAYS = ways_in()
INSIDE = [way for way in WAYS if way.gate.startswith("power")]
BEHIND = [way for way in WAYS if way.gate == "half_way" or way in INSIDE]
SESSION = "rollcall"


def path_of(way: WayIn) -> str:
    """Fill in what a path leaves open."""
    samples = {"file_path:path": "css/base.css", "code:str": "en", "slug:str": "none"}
    return re.sub(r"{([^}]+)}", lambda part: samples.get(part[1], "0190-none"), way.path)


@pytest.fixture
def written() -> Generator[list[str]]:
    """Give every statement that any engine sends and that is more than looking."""
    sent: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not READING.match(statement) and not OBSERVING.search(statement):
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


async def a_session(house: House, account: Account, stage: Stage) -> tuple[str, str]:
    """Begin a session as far as a stage; give its name and the token of its forms."""
    async with house.work() as work:
        account = await work.session.get_one(Account, account.no)
        cookie = await signing_in.begin_session(work, account)
        found = await signing_in.recognise(work, cookie)
        assert found
        found[0].stage = stage
    return cookie, house.keys.scramble("csrf", cookie)


async def an_account(house: House, role: Role, *, enrolled: bool = True) -> Account:
    async with house.work() as work:
        account = await accounts.open_account(
            work,
            address=f"{role}@war.example.org",
            name="Hana",
            role=role,
            password_hash=PASSWORD_HASH,
        )
        await signing_in.begin_factor(work, account)
        account.factor_confirmed_at = work.now if enrolled else None
        return account


async def knock(
    client: httpx.AsyncClient, way: WayIn, *, cookie: str = "", token: str = "", **more: str
) -> httpx.Response:
    headers = {"cookie": f"{SESSION}={cookie}"} if cookie else {}
    if token:
        headers["x-csrf"] = token
    return await client.request(way.method, path_of(way), headers={**headers, **more})


# --- the table ----------------------------------------------------------------------------------


def test_every_way_in_is_in_the_table() -> None:
    assert [str(way) for way in WAYS] == TABLE.read_text().splitlines(), (
        "run: python -m tests.house.routes"
    )


def test_every_way_in_says_who_may_pass() -> None:
    assert [way for way in WAYS if way.gate == "closed" and way.method != "OPTIONS"] == []


def test_one_page_alone_is_open_under_admin() -> None:
    admin = [way for way in WAYS if way.path.startswith("/admin") and way.method != "OPTIONS"]

    assert {way.path for way in admin if way not in BEHIND} == {"/admin/sign-in"}
    assert {way.path for way in admin if way.gate == "half_way"} == {
        "/admin/code",
        "/admin/recovery",
        "/admin/two-factor",
        "/admin/two-factor/codes",
        "/admin/sign-out",
    }
    assert [way for way in BEHIND if not way.path.startswith("/admin")] == []


def test_one_way_alone_asks_for_no_origin() -> None:
    posted = [way for way in WAYS if way.gate == "one_click" and way.method not in LOOKING]

    assert [way.path for way in posted] == ["/u/{token:str}"]


# --- the gate -----------------------------------------------------------------------------------


def assert_turned_away(way: WayIn, answer: httpx.Response, to: str) -> None:
    if way.method == "GET":
        assert answer.status_code == 303, way
        assert answer.headers["location"].partition("?")[0] == to, way
        assert answer.content == b"", way
    else:
        assert answer.status_code == 403, way
        assert 'class="admin"' not in answer.text, way
    assert answer.headers["cache-control"] == "no-store"


async def test_without_a_session_nothing_is_shown(
    web: httpx.AsyncClient, cast: Cast, written: list[str]
) -> None:
    written.clear()
    for way in BEHIND:
        assert_turned_away(way, await knock(web, way), "/admin/sign-in")
        assert_turned_away(way, await knock(web, way, cookie="made-up"), "/admin/sign-in")
    assert written == []


async def test_with_the_password_alone_nothing_is_shown(
    web: httpx.AsyncClient, cast: Cast, house: House, written: list[str]
) -> None:
    cookie, token = await a_session(house, cast.amina, Stage.PASSWORD)
    written.clear()
    for way in INSIDE:
        assert_turned_away(way, await knock(web, way, cookie=cookie, token=token), "/admin/code")
    assert written == []


@pytest.mark.parametrize("stage", Stage)
async def test_without_a_second_factor_nothing_is_shown(
    web: httpx.AsyncClient, cast: Cast, house: House, written: list[str], stage: Stage
) -> None:
    hana = await an_account(house, Role.EDITOR, enrolled=False)
    cookie, token = await a_session(house, hana, stage)
    written.clear()
    for way in INSIDE:
        answer = await knock(web, way, cookie=cookie, token=token)
        assert_turned_away(way, answer, "/admin/two-factor")
    assert written == []


async def test_a_role_opens_no_more_than_its_powers(
    web: httpx.AsyncClient, cast: Cast, house: House, written: list[str]
) -> None:
    sessions = {
        role: await a_session(house, await an_account(house, role), Stage.FULL) for role in Role
    }
    written.clear()
    refused = 0
    for way in INSIDE:
        for role, (cookie, token) in sessions.items():
            power = way.gate.partition(":")[2]
            if power and Power(power) not in POWERS[role]:
                answer = await knock(web, way, cookie=cookie, token=token)
                assert answer.status_code == 403, (way, role)
                assert "Your role does not include this." in answer.text, (way, role)
                refused += 1
    assert refused
    assert written == []


async def test_a_disabled_account_is_turned_away(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    cookie, token = await a_session(house, cast.esra, Stage.FULL)
    async with house.work() as work:
        await accounts.disable(work, await work.session.get_one(Account, cast.esra.no))
    for way in BEHIND:
        answer = await knock(web, way, cookie=cookie, token=token)
        assert answer.status_code in {303, 403}, way


async def test_no_form_without_its_token_and_none_from_elsewhere(
    web: httpx.AsyncClient, cast: Cast, house: House, written: list[str]
) -> None:
    cookie, token = await a_session(house, cast.amina, Stage.FULL)
    _other, token_of_another = await a_session(house, cast.amina, Stage.FULL)
    written.clear()
    for way in BEHIND:
        if way.method in LOOKING:
            continue
        for more in (
            {},
            {"token": ""},
            {"token": token_of_another},
            {"token": token[:-1]},
            {"token": token, "origin": "https://evil.example"},
            {"token": token, "origin": "http://127.0.0.1:9999"},
            {"token": token, "sec-fetch-site": "cross-site"},
            {"token": token, "sec-fetch-site": "same-site"},
        ):
            answer = await knock(web, way, cookie=cookie, **more)
            assert answer.status_code == 403, (way, more)
    assert written == []


async def test_public_forms_come_from_our_pages_too(web: httpx.AsyncClient, cast: Cast) -> None:
    for way in WAYS:
        if way.method in LOOKING or way.gate not in {"public", "member_link"}:
            continue
        for more in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            answer = await knock(web, way, **more)
            assert answer.status_code == 403, (way, more)


# --- the spelling of a path decides nothing -----------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "//admin",
        "///admin//campaigns",
        "/admin/",
        "/admin//",
        "/ADMIN",
        "/Admin/campaigns",
        "/admin/..;/admin/campaigns",
        "/admin/campaigns;x",
        "/admin;x/campaigns",
        "/%61dmin/campaigns",
        "/admin/%2e/campaigns",
        "/join/%2e%2e/admin/campaigns",
        "/admin/%2e%2e/admin/campaigns",
        "/admin/campaigns/sign-in",
        "/admin/x/sign-in",
        "/admin/sign-in/x",
        "/admin/sign-in/../campaigns",
        "/admin/campaigns/static/css/base.css",
        "/static/../admin/campaigns",
        "/static/%2e%2e/admin/campaigns",
        "/static/..%2f..%2fapp.py",
        "/static/%2e%2e%2fapp.py",
        "/admin/campaigns%00",
        "/admin\\campaigns",
    ],
)
async def test_no_spelling_of_a_path_leads_round_the_gate(
    web: httpx.AsyncClient, cast: Cast, written: list[str], path: str
) -> None:
    written.clear()
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"):
        raw = httpx.URL("http://127.0.0.1:8000").copy_with(raw_path=path.encode())
        answer = await web.request(method, raw)
        if method == "OPTIONS" and answer.status_code == 204:
            assert answer.content == b""  # it names methods, of static files
            continue
        assert answer.status_code in {303, 400, 403, 404, 405}, (method, path)
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/admin/sign-in")
    assert written == []


# --- looking changes nothing --------------------------------------------------------------------


async def test_looking_writes_nothing(
    web: httpx.AsyncClient, cast: Cast, house: House, written: list[str]
) -> None:
    cookie, _token = await a_session(house, cast.amina, Stage.FULL)
    web.event_hooks = {}  # so that what breaks is named below
    written.clear()
    looked = [way for way in WAYS if way.method in LOOKING]
    broken = [way for way in looked if (await knock(web, way, cookie=cookie)).status_code >= 500]
    assert broken == []
    assert written == []


async def test_the_database_refuses_a_write_while_looking(house: House, cast: Cast) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"):
        async with house.work(reading=True) as work:
            await subscribers.add(work, address="hana@example.org")
    async with house.work() as work:  # and the connection is not spoilt by it
        await subscribers.add(work, address="hana@example.org")


def test_the_reading_pattern_knows_a_write() -> None:
    wrote = str(insert(Subscriber))
    assert not READING.match(wrote)
    assert not OBSERVING.search(wrote)
    assert not READING.match("WITH due AS (SELECT 1) UPDATE subscriber SET no=1")
    assert OBSERVING.search("UPDATE session SET seen_at=? WHERE session.no = ?")
    assert not OBSERVING.search("UPDATE session SET revoked_at=? WHERE session.no = ?")
