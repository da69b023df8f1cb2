"""Getting in and out: password, code, recovery code; each step with a session of its own."""

import asyncio
import re
from datetime import timedelta

import httpx
import pyotp
import pytest
from sqlalchemy import func, select, update

from mailer.accounts import actions, signing_in, store
from mailer.accounts.model import Account, Role, Session, SignInTry, Stage
from mailer.accounts.passwords import Hasher
from mailer.bootstrap import House
from mailer.outbox.model import Letter
from tests.cast import PASSWORD, PASSWORD_HASH, Cast
from tests.support.signing_in import CSRF, post, seed_of, signed_in
from web.admin.gate import device_in_words

SESSION = "rollcall"
DEVICE = "rollcall-device"


async def with_password(client: httpx.AsyncClient, account: Account, **more: str) -> httpx.Response:
    data = {"address": account.address, "password": PASSWORD, **more}
    return await client.post("/admin/sign-in", data=data)


async def code_of(house: House, account: Account, *, off: int = 0) -> str:
    """Give the code that the app shows, as if none had been used."""
    async with house.work() as work:
        await work.session.execute(update(Account).values(last_step=0))
        step = int(work.now.timestamp()) // 30
    return pyotp.TOTP(await seed_of(house, account)).generate_otp(step + off)


async def newcomer(house: House) -> Account:
    """Open an account that has no second factor yet."""
    async with house.work() as work:
        return await actions.open_account(
            work,
            address="hana@war.example.org",
            name="Hana",
            role=Role.EDITOR,
            password_hash=PASSWORD_HASH,
        )


async def notices(house: House, account: Account) -> list[str]:
    async with house.work(reading=True) as work:
        told = select(Letter).where(Letter.account_no == account.no).order_by(Letter.no)
        return [str(letter.facts["device"]) for letter in await work.session.scalars(told)]


# --- signing in ---------------------------------------------------------------------------------


async def test_password_then_code_lead_inside(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    answer = await with_password(web, cast.amina)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/code")
    half_way = web.cookies[SESSION]
    assert (await web.get("/admin/two-factor")).headers["location"] == "/admin/code"

    answer = await post(web, "/admin/code", {"code": await code_of(house, cast.amina)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin")
    assert web.cookies[SESSION] != half_way

    inside = await web.get("/admin/two-factor")
    assert inside.status_code == 200
    assert "Amina" in inside.text
    for page in ("/admin/sign-in", "/admin/code", "/admin/recovery"):
        assert (await web.get(page)).headers["location"] == "/admin"
    for path in ("/admin/code", "/admin/recovery"):
        answer = await post(web, path, {"code": "1"}, page="/admin/two-factor")
        assert answer.headers["location"] == "/admin"


async def test_the_session_s_cookie_is_for_us_alone(web: httpx.AsyncClient, cast: Cast) -> None:
    answer = await with_password(web, cast.amina)

    [cookie] = answer.headers.get_list("set-cookie")
    assert cookie.startswith("rollcall=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age" not in cookie


async def test_the_page_that_was_asked_for_is_gone_on_to(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    turned = await web.get("/admin/two-factor?a=1&b=%C3%A9")
    assert turned.status_code == 303
    to = turned.headers["location"]
    assert to == "/admin/sign-in?next=/admin/two-factor%3Fa%3D1%26b%3D%25C3%25A9"

    shown = await web.get(to)
    wanted = re.search(r'name="next" value="([^"]*)"', shown.text)
    assert wanted
    answer = await with_password(web, cast.amina, next=wanted[1].replace("&amp;", "&"))
    shown = await web.get(answer.headers["location"])
    wanted = re.search(r'name="next" value="([^"]*)"', shown.text)
    assert wanted
    fields = {
        "code": await code_of(house, cast.amina),
        "next": wanted[1].replace("&amp;", "&"),
        "csrf": CSRF.search(shown.text)[1],  # type: ignore[index]
    }
    answer = await web.post("/admin/code", data=fields)
    assert answer.headers["location"] == "/admin/two-factor?a=1&b=%C3%A9"


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:x", "/\t/x"],
)
async def test_no_other_site_is_gone_on_to(
    web: httpx.AsyncClient, cast: Cast, house: House, elsewhere: str
) -> None:
    answer = await with_password(web, cast.amina, next=elsewhere)
    assert answer.headers["location"] == "/admin/code"
    code = await code_of(house, cast.amina)
    answer = await post(web, "/admin/code", {"code": code, "next": elsewhere})
    assert answer.headers["location"] == "/admin"


@pytest.mark.parametrize(
    ("address", "password"),
    [
        ("amina@war.example.org", "wrong"),
        ("amina@war.example.org", ""),
        ("nobody@war.example.org", PASSWORD),
        ("nobody@war.example.org", "wrong"),
        ("", ""),
        ("not an address", "x"),
    ],
)
async def test_a_wrong_password_and_an_unknown_address_are_answered_alike(
    web: httpx.AsyncClient, cast: Cast, address: str, password: str
) -> None:
    answer = await web.post("/admin/sign-in", data={"address": address, "password": password})

    assert answer.status_code == 422
    assert "Email address or password is wrong." in answer.text
    assert SESSION not in web.cookies
    shown = answer.text.replace(f'value="{address}"', "")
    same = await web.post("/admin/sign-in", data={"address": "x@y.org", "password": "x"})
    assert len(shown) - len(same.text.replace('value="x@y.org"', "")) in range(-40, 41)


async def test_a_disabled_account_is_no_account(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work() as work:
        await actions.disable(work, await work.session.get_one(Account, cast.esra.no))

    assert (await with_password(web, cast.esra)).status_code == 422


async def test_a_disabled_account_is_out_at_once(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    assert (await admin.get("/admin/two-factor")).status_code == 200
    async with house.work() as work:
        amina = await work.session.get_one(Account, cast.amina.no)
        amina.disabled_at = work.now

    assert (await admin.get("/admin/two-factor")).status_code == 303


async def test_what_is_kept_of_a_password_is_renewed_when_its_price_has_risen(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    before = await Hasher(memory_kib=16, rounds=1, lanes=1).hash(PASSWORD)
    async with house.work() as work:
        (await work.session.get_one(Account, cast.amina.no)).password_hash = before
    await with_password(web, cast.amina)
    async with house.work(reading=True) as work:
        after = (await work.session.get_one(Account, cast.amina.no)).password_hash

    assert before != after
    assert (await with_password(web, cast.amina)).headers["location"] == "/admin/code"


# --- the session (F6) ---------------------------------------------------------------------------


async def test_a_name_that_an_attacker_chose_is_never_taken_up(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    web.cookies.set(SESSION, "attackerchosen")
    await with_password(web, cast.amina)
    names = {cookie.value for cookie in web.cookies.jar if cookie.name == SESSION}
    assert names - {"attackerchosen"}
    web.cookies.clear()
    web.cookies.set(SESSION, "attackerchosen")
    assert (await web.get("/admin/code")).headers["location"] == "/admin/sign-in?next=/admin/code"


async def test_a_half_way_name_is_worth_nothing_once_the_code_was_right(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    await with_password(web, cast.amina)
    half_way = web.cookies[SESSION]
    await post(web, "/admin/code", {"code": await code_of(house, cast.amina)})

    web.cookies.clear()
    web.cookies.set(SESSION, half_way)
    assert (await web.get("/admin/two-factor")).headers["location"].startswith("/admin/sign-in")


async def test_signing_in_again_ends_the_session_there_was(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    old = admin.cookies[SESSION]
    await with_password(admin, cast.amina)

    admin.cookies.clear()
    admin.cookies.set(SESSION, old)
    assert (await admin.get("/admin/two-factor")).status_code == 303


async def test_signing_out_ends_the_session_and_takes_the_cookie(
    admin: httpx.AsyncClient, house: House
) -> None:
    name = admin.cookies[SESSION]
    answer = await post(admin, "/admin/sign-out", page="/admin/two-factor")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/sign-in")
    assert SESSION not in admin.cookies
    assert "You are signed out." in (await admin.get("/admin/sign-in")).text

    admin.cookies.set(SESSION, name)
    assert (await admin.get("/admin/two-factor")).status_code == 303


async def test_a_request_that_was_under_way_does_not_bring_a_session_back(
    admin: httpx.AsyncClient, house: House
) -> None:
    """Twenty pages race one sign-out, each due to note that the session was seen."""
    name = admin.cookies[SESSION]
    async with house.work() as work:
        long_ago = work.now - timedelta(minutes=5)
        await work.session.execute(update(Session).values(seen_at=long_ago))
    token = CSRF.search((await admin.get("/admin/two-factor")).text)
    assert token
    async with house.work() as work:
        await work.session.execute(update(Session).values(seen_at=long_ago))

    await asyncio.gather(
        *(admin.get("/admin/two-factor") for _ in range(10)),
        admin.post("/admin/sign-out", data={"csrf": token[1]}),
        *(admin.get("/admin/two-factor") for _ in range(10)),
    )

    admin.cookies.clear()
    admin.cookies.set(SESSION, name)
    assert (await admin.get("/admin/two-factor")).status_code == 303
    async with house.work(reading=True) as work:
        [session] = (
            await work.session.scalars(select(Session).where(Session.stage == Stage.FULL))
        ).all()
        assert session.revoked_at is not None


async def test_an_idle_session_has_ended(admin: httpx.AsyncClient, house: House) -> None:
    async with house.work() as work:
        idle = work.now - timedelta(minutes=31)
        await work.session.execute(update(Session).values(seen_at=idle))

    assert (await admin.get("/admin/two-factor")).status_code == 303


async def test_being_seen_is_noted_at_most_once_a_minute(
    admin: httpx.AsyncClient, house: House
) -> None:
    async def seen() -> list[object]:
        async with house.work(reading=True) as work:
            full = select(Session.seen_at).where(Session.stage == Stage.FULL)
            return list((await work.session.scalars(full)).all())

    first = await seen()
    await admin.get("/admin/two-factor")
    assert await seen() == first
    async with house.work() as work:
        await work.session.execute(update(Session).values(seen_at=work.now - timedelta(minutes=2)))
    stale = await seen()
    await admin.get("/admin/two-factor")
    assert await seen() > stale


# --- codes --------------------------------------------------------------------------------------


async def test_a_wrong_code_says_so_and_stays_there(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    await with_password(web, cast.amina)
    answer = await post(web, "/admin/code", {"code": "12345x"})

    assert answer.status_code == 422
    assert "not the code that your app shows" in answer.text
    assert 'aria-invalid="true"' in answer.text


async def test_a_clock_that_is_off_is_said(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    await with_password(web, cast.amina)
    code = await code_of(house, cast.amina, off=8)
    answer = await post(web, "/admin/code", {"code": code})

    assert answer.status_code == 422
    assert "clock is some minutes off" in answer.text


async def test_of_fifty_posts_of_one_code_exactly_one_gets_in(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    await with_password(web, cast.amina)
    shown = await web.get("/admin/code")
    token = CSRF.search(shown.text)
    assert token
    fields = {"csrf": token[1], "code": await code_of(house, cast.amina)}
    cookies = {"cookie": f"{SESSION}={web.cookies[SESSION]}"}
    web.cookies.clear()

    answers = await asyncio.gather(
        *(web.post("/admin/code", data=fields, headers=cookies) for _ in range(50))
    )

    assert [answer.headers.get("location") for answer in answers].count("/admin") == 1
    async with house.work(reading=True) as work:
        full = select(func.count(Session.no)).where(Session.stage == Stage.FULL)
        assert await work.session.scalar(full) == 1


async def test_five_guesses_then_a_pause_even_for_the_right_code(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    await with_password(web, cast.amina)
    for _ in range(5):
        assert (await post(web, "/admin/code", {"code": "000000x"})).status_code == 422

    answer = await post(web, "/admin/code", {"code": await code_of(house, cast.amina)})

    assert answer.status_code == 429
    assert "Please wait 5 minutes" in answer.text
    async with house.work(reading=True) as work:
        assert await work.session.scalar(select(func.count(SignInTry.no))) == 5


async def test_ten_wrong_passwords_then_a_pause_but_not_for_a_device_we_know(
    web: httpx.AsyncClient, admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    device = admin.cookies[DEVICE]
    admin.cookies.clear()
    guess = {"address": cast.amina.address, "password": "wrong"}
    for _ in range(10):
        assert (await web.post("/admin/sign-in", data=guess)).status_code == 422
    assert (await web.post("/admin/sign-in", data=guess)).status_code == 429
    answer = await with_password(web, cast.amina)
    assert answer.status_code == 429
    assert "Too many tries" in answer.text

    web.cookies.set(DEVICE, device)
    assert (await with_password(web, cast.amina)).status_code == 303


# --- setting the second factor up ---------------------------------------------------------------


async def test_without_a_second_factor_one_gets_no_further_than_its_set_up(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    hana = await newcomer(house)
    answer = await with_password(web, hana)
    assert answer.headers["location"] == "/admin/two-factor"
    for page in ("/admin/code", "/admin/recovery"):
        assert (await web.get(page)).headers["location"] == "/admin/two-factor"

    shown = await web.get("/admin/two-factor")
    seed = await seed_of(house, hana)
    assert " ".join(re.findall("....", seed)) in shown.text
    assert "<svg" in shown.text
    assert (await post(web, "/admin/two-factor", {"code": "nonsense"})).status_code == 422


async def test_the_recovery_codes_are_shown_once_and_must_be_put_away(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    hana = await newcomer(house)
    await with_password(web, hana)
    code = await code_of(house, hana)
    shown = await post(web, "/admin/two-factor", {"code": code})
    codes = re.findall(r"<li>([a-z2-7-]{19})</li>", shown.text)
    assert len(codes) == 10
    token = CSRF.search(shown.text)
    assert token
    assert (await web.get("/admin/two-factor")).headers["location"] == "/admin/code"

    fields: dict[str, str | list[str]] = {"csrf": token[1], "codes": codes}
    unticked = await web.post("/admin/two-factor/codes", data=fields)
    assert unticked.status_code == 422
    assert re.findall(r"<li>([a-z2-7-]{19})</li>", unticked.text) == codes
    guessed = {**fields, "kept": "yes", "codes": ["abcd-efgh-ijkl-2345"] * 10}
    assert (await web.post("/admin/two-factor/codes", data=guessed)).status_code == 409

    answer = await web.post("/admin/two-factor/codes", data={**fields, "kept": "yes"})
    assert answer.headers["location"] == "/admin"
    assert (await web.get("/admin/two-factor")).status_code == 200
    assert await notices(house, hana) == ["a browser"]
    inside = await post(web, "/admin/two-factor/codes", {}, page="/admin/two-factor")
    assert inside.headers["location"] == "/admin"
    again = await post(web, "/admin/two-factor", {"code": code})
    assert again.headers["location"] == "/admin/two-factor"


async def test_new_recovery_codes_are_made_for_who_has_the_app_at_hand(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    page = "/admin/two-factor"
    assert "10 recovery codes are left." in (await admin.get(page)).text
    refused = await post(admin, f"{page}/new-codes", {"code": "12345x"}, page=page)
    assert refused.status_code == 422

    code = await code_of(house, cast.amina)
    made = await post(admin, f"{page}/new-codes", {"code": code}, page=page)

    assert len(re.findall(r"<li>([a-z2-7-]{19})</li>", made.text)) == 10
    again = await post(admin, f"{page}/new-codes", {"code": code}, page=page)
    assert "has been used" in again.text


# --- recovery -----------------------------------------------------------------------------------


async def test_a_recovery_code_leads_inside_once_and_the_owner_is_told(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work() as work:
        amina = await work.session.get_one(Account, cast.amina.no)
        codes = await signing_in.new_recovery_codes(work, amina)
    await with_password(web, cast.amina)
    assert (await post(web, "/admin/recovery", {"code": "abcd"})).status_code == 422

    answer = await post(web, "/admin/recovery", {"code": codes[0].upper()})

    assert answer.headers["location"] == "/admin/two-factor"
    assert "9 recovery codes are left." in (await web.get("/admin/two-factor")).text
    assert await notices(house, cast.amina) == ["a browser, with a recovery code"]
    web.cookies.clear()
    await with_password(web, cast.amina)
    assert (await post(web, "/admin/recovery", {"code": codes[0]})).status_code == 422
    async with house.work(reading=True) as work:
        assert len(await store.unused_codes(work, cast.amina.no)) == 9


async def test_recovery_codes_share_the_limit_of_codes(web: httpx.AsyncClient, cast: Cast) -> None:
    await with_password(web, cast.amina)
    for _ in range(3):
        await post(web, "/admin/recovery", {"code": "abcd"})
    for _ in range(2):
        await post(web, "/admin/code", {"code": "abcd"})

    assert (await post(web, "/admin/recovery", {"code": "abcd"})).status_code == 429


# --- notices ------------------------------------------------------------------------------------


async def test_a_letter_tells_of_a_device_that_was_not_seen_before_and_only_then(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    web.headers["user-agent"] = (
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    )
    await signed_in(web, house, cast.amina)
    assert await notices(house, cast.amina) == ["Firefox on Linux"]

    await signed_in(web, house, cast.amina)
    assert len(await notices(house, cast.amina)) == 1

    await signed_in(web, house, cast.esra)
    assert await notices(house, cast.esra) == ["Firefox on Linux"]


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
            "Chrome on Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8", "a browser"),
        ("<script>Linux", "a browser on Linux"),
    ],
)
def test_a_device_is_named_as_one_would(agent: str, words: str) -> None:
    assert device_in_words(agent, "en") == words


async def test_marks_of_tries_hold_no_address_and_no_network(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    await web.post("/admin/sign-in", data={"address": cast.amina.address, "password": "wrong"})
    async with house.work(reading=True) as work:
        marks = (await work.session.scalars(select(SignInTry.mark))).all()

    assert len(marks) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", mark) for mark in marks)
