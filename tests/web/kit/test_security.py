"""The gate, in an application with one way in of each kind."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar, Response, get, post, websocket
from litestar.connection import WebSocket
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, SkipValidation

from mailer.accounts import signing_in
from mailer.accounts.model import Account, Power, Stage
from mailer.bootstrap import House
from mailer.settings import Settings
from tests.cast import PASSWORD, Cast
from web.app import make_app
from web.kit import security
from web.kit.security import (
    Gate,
    gate,
    gated,
    half_way,
    member_link,
    network_of,
    one_click,
    public,
    safe_path,
)
from web.kit.sessions import Asked
from web.wiring import provide_account

BASE = "http://127.0.0.1:8000"
pytestmark = pytest.mark.any_database


@get("/try/unmarked")
async def unmarked() -> str:
    return "in"


@post("/try/public", opt=public)
async def for_anybody() -> Response[str]:
    return Response("in", status_code=200)


@post("/try/link/{token:str}", opt=member_link)
async def for_members(token: FromPath[str]) -> Response[str]:
    return Response(f"in {token}", status_code=200)


@post("/try/one-click", opt=one_click)
async def for_providers() -> Response[str]:
    return Response("in", status_code=200)


@post("/try/half-way", opt=half_way)
async def for_half_way() -> Response[str]:
    return Response("in", status_code=200)


@get("/try/inside", opt=gated())
async def for_insiders() -> str:
    return "in"


@post("/try/settings", opt=gated(Power.SETTINGS))
async def for_owners() -> Response[str]:
    return Response("in", status_code=200)


@get("/try/account", opt=gated(), dependencies={"account": Provide(provide_account)})
async def tell_account(account: NamedDependency[SkipValidation[Account]]) -> str:
    return account.name


@get("/try/network", opt=public)
async def tell_network(request: Asked) -> str:
    return network_of(request)


@websocket("/try/socket", opt=public)
async def for_sockets(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.accept()


WAYS = [
    unmarked,
    for_anybody,
    for_members,
    for_providers,
    for_half_way,
    for_insiders,
    for_owners,
    tell_account,
    tell_network,
]


def app_of(house: House) -> Litestar:
    app = make_app(house)
    for way in WAYS:
        app.register(way)
    return app


@pytest.fixture
async def web(house: House) -> AsyncGenerator[httpx.AsyncClient]:
    asgi: Any = app_of(house)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url=BASE) as client:
        yield client


async def signed(house: House, account: Account, stage: Stage) -> dict[str, str]:
    async with house.work() as work:
        cookie = await signing_in.begin_session(
            work, await work.session.get_one(Account, account.no)
        )
        session, _account = await signing_in.recognise(work, cookie) or pytest.fail("unknown")
        session.stage = stage
    return {
        "cookie": f"rollcall={cookie}",
        "x-csrf": house.keys.scramble("csrf", cookie),
    }


# --- markers ------------------------------------------------------------------------------------


async def test_what_says_nothing_is_closed(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    assert (await web.get("/try/unmarked")).status_code == 403
    inside = await signed(house, cast.amina, Stage.FULL)
    assert (await web.get("/try/unmarked", headers=inside)).status_code == 403


async def test_what_litestar_answers_by_itself_is_closed_too(
    web: httpx.AsyncClient, cast: Cast
) -> None:
    assert (await web.options("/try/inside")).status_code == 403


async def test_a_web_socket_has_no_gate_and_is_closed(house: House) -> None:
    scope: Any = {"type": "websocket"}
    with pytest.raises(security.GateClosed):
        await gate(WebSocket(scope), for_sockets)


async def test_anybody_may_pass_a_public_way(web: httpx.AsyncClient, cast: Cast) -> None:
    assert (await web.post("/try/public")).text == "in"
    assert (await web.post("/try/link/abc")).text == "in abc"
    assert (await web.post("/try/one-click")).text == "in"


@pytest.mark.parametrize(
    ("stage", "half_way", "inside"), [(Stage.PASSWORD, 200, 303), (Stage.FULL, 200, 200)]
)
async def test_half_way_is_not_inside(
    web: httpx.AsyncClient, cast: Cast, house: House, stage: Stage, half_way: int, inside: int
) -> None:
    headers = await signed(house, cast.amina, stage)

    assert (await web.post("/try/half-way", headers=headers)).status_code == half_way
    assert (await web.get("/try/inside", headers=headers)).status_code == inside


async def test_a_power_is_asked_of_the_role(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    owner = await signed(house, cast.amina, Stage.FULL)
    organiser = await signed(house, cast.esra, Stage.FULL)

    assert (await web.post("/try/settings", headers=owner)).status_code == 200
    refused = await web.post("/try/settings", headers=organiser)
    assert refused.status_code == 403
    assert "Your role does not include this." in refused.text


async def test_a_handler_is_given_the_account(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    headers = await signed(house, cast.esra, Stage.FULL)

    assert (await web.get("/try/account", headers=headers)).text == "Esra"


async def test_markers_are_what_the_table_of_routes_shows() -> None:
    assert public == {"gate": Gate.PUBLIC}
    assert half_way == {"gate": Gate.HALF_WAY}
    assert gated(Power.SEND) == {"gate": Gate.POWER, "power": Power.SEND, "by_itself": False}
    assert gated() == {"gate": Gate.POWER, "power": None, "by_itself": False}
    assert gated(by_itself=True)["by_itself"] is True


# --- where a form comes from --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # no browser
        ({"origin": BASE}, 200),
        ({"origin": "null"}, 200),  # an old browser on a page of ours, which sends no referrer
        ({"origin": "null", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": BASE, "sec-fetch-site": "none"}, 200),
        ({"origin": "null", "sec-fetch-site": "cross-site"}, 403),
        ({"origin": BASE, "sec-fetch-site": "cross-site"}, 403),
        ({"origin": BASE, "sec-fetch-site": "same-site"}, 403),
        ({"origin": BASE, "sec-fetch-site": "Same-Origin"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:8001"}, 403),
        ({"origin": "http://127.0.0.1:8000.evil.example"}, 403),
        ({"origin": "http://127.0.0.1"}, 403),
        ({"origin": "file://"}, 403),
    ],
)
async def test_a_form_must_come_from_a_page_of_ours(
    web: httpx.AsyncClient, cast: Cast, headers: dict[str, str], status: int
) -> None:
    assert (await web.post("/try/public", headers=headers)).status_code == status
    assert (await web.post("/try/link/abc", headers=headers)).status_code == status
    assert (await web.post("/try/one-click", headers=headers)).status_code == 200


async def test_behind_a_proxy_the_public_address_is_ours_too(
    web: httpx.AsyncClient, cast: Cast
) -> None:
    headers = {"host": "internal:8000", "origin": BASE}
    assert (await web.post("/try/public", headers=headers)).status_code == 200
    headers["origin"] = "http://internal:8000"
    assert (await web.post("/try/public", headers=headers)).status_code == 200
    headers["origin"] = "http://other:8000"
    assert (await web.post("/try/public", headers=headers)).status_code == 403


# --- the token of a form ------------------------------------------------------------------------


async def test_a_token_comes_in_the_form_or_in_a_header(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    headers = await signed(house, cast.amina, Stage.FULL)
    token = headers.pop("x-csrf")
    path = "/try/settings"

    assert (await web.post(path, headers=headers)).status_code == 403
    assert (await web.post(path, headers=headers, data={"csrf": token})).status_code == 200
    files: Any = {"csrf": (None, token), "file": ("a.csv", b"a,b")}
    assert (await web.post(path, headers=headers, files=files)).status_code == 200
    assert (await web.post(path, headers={**headers, "x-csrf": token})).status_code == 200
    assert (await web.post(path, headers=headers, data={"csrf": "é" * 32})).status_code == 403
    assert (await web.post(path, headers=headers, json={"csrf": token})).status_code == 403
    as_file = {"csrf": ("a.txt", token.encode())}
    assert (await web.post(path, headers=headers, files=as_file)).status_code == 403


async def test_a_token_is_one_session_s(web: httpx.AsyncClient, cast: Cast, house: House) -> None:
    mine = await signed(house, cast.amina, Stage.FULL)
    another = await signed(house, cast.amina, Stage.FULL)
    headers = {**mine, "x-csrf": another["x-csrf"]}

    assert (await web.post("/try/settings", headers=headers)).status_code == 403


async def test_a_token_does_not_tell_the_session_s_name(cast: Cast, house: House) -> None:
    headers = await signed(house, cast.amina, Stage.FULL)
    name = headers["cookie"].removeprefix("rollcall=")

    assert headers["x-csrf"] not in {name, house.keys.scramble("session", name)}
    assert name not in headers["x-csrf"]


async def test_htmx_is_told_to_leave_a_page_whose_session_has_ended(
    web: httpx.AsyncClient, cast: Cast
) -> None:
    answer = await web.get("/try/inside", headers={"hx-request": "true"})

    assert (answer.status_code, answer.content) == (403, b"")
    assert answer.headers["hx-redirect"] == "/admin/sign-in?next=/try/inside"


# --- cookies under TLS --------------------------------------------------------------------------


async def test_under_tls_cookies_are_kept_to_it_and_to_this_host(
    house: House, settings: Settings, cast: Cast
) -> None:
    safe = House(
        settings=msgspec.structs.replace(settings, public_url="https://roll.example.org"),
        engine=house.engine,
        keys=house.keys,
    )
    asgi: Any = app_of(safe)
    base = "https://roll.example.org"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url=base) as client:
        data = {"address": cast.amina.address, "password": PASSWORD}
        answer = await client.post("/admin/sign-in", data=data, headers={"origin": base})
        chosen = await client.post("/display", data={"theme": "dark"})

    [cookie] = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-rollcall=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert "Secure" in chosen.headers["set-cookie"]
    assert answer.headers["strict-transport-security"]


# --- networks and paths -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "passed", "proxies", "network"),
    [
        ("192.0.2.77", "", "", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "", "", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "", "", "192.0.2.0/24"),
        ("192.0.2.77", "203.0.113.5", "", "192.0.2.0/24"),  # nobody believes a stranger
        ("10.0.0.1", "203.0.113.5", "10.0.0.1", "203.0.113.0/24"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.5", "10.0.0.1", "203.0.113.0/24"),  # written by a liar
        ("10.0.0.1", "203.0.113.5, 10.0.0.2", "10.0.0.1,10.0.0.2", "203.0.113.0/24"),
        ("10.0.0.1", "", "10.0.0.1", "10.0.0.0/24"),
        ("10.0.0.1", "unknown", "10.0.0.1", "unknown"),
    ],
)
async def test_a_network_is_read_with_care(
    house: House,
    settings: Settings,
    cast: Cast,
    client: str,
    passed: str,
    proxies: str,
    network: str,
) -> None:
    behind = House(
        settings=msgspec.structs.replace(settings, proxies=proxies),
        engine=house.engine,
        keys=house.keys,
    )
    asgi: Any = app_of(behind)
    transport = httpx.ASGITransport(asgi, client=(client, 1234))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as asking:
        headers = {"x-forwarded-for": passed} if passed else {}
        assert (await asking.get("/try/network", headers=headers)).text == network


@pytest.mark.parametrize("path", ["/", "/admin", "/admin/people?q=a%20b&after=3", "/l/x-y_z"])
def test_a_path_of_ours_is_safe(path: str) -> None:
    assert safe_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "admin",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\\b",
        "https://evil.example/",
        "https:/evil.example",
        "javascript:alert(1)",
        "/\n/evil.example",
        "/\t/evil.example",
        " //evil.example",
        "/a b",
        "/\u2028",
    ],
)
def test_a_path_elsewhere_is_not(path: str) -> None:
    assert safe_path(path) is None
