"""The pages of how we send: servers, limits, hours, brakes, and slow domains."""

from datetime import timedelta

import httpx
import pytest

from mailer.bootstrap import House
from mailer.kit.secrets import Keys
from mailer.kit.work import Door
from mailer.relays import actions as relays
from mailer.relays import ruling, store
from mailer.relays.model import DomainPace, Relay, SendingRules
from tests.cast import Cast
from tests.support.signing_in import post, signed_in

PAGE = "/admin/relays"
SECOND = {
    "name": "The provider",
    "host": "smtp.example.net",
    "port": "587",
    "security": "starttls",
    "user": "us",
    "password": "pass word",
}
LIMITS = {"weight": "2", "connections": "", "per_second": "5", "per_hour": "1000", "per_day": ""}
BRAKES = {
    "bounce_brake": "30",
    "bounces_from": "100",
    "complaint_brake": "2",
    "complaints_from": "500",
}


async def all_of(house: House) -> list[Relay]:
    async with house.work(reading=True) as work:
        return list(await store.all_relays(work))


async def rules_of(house: House) -> SendingRules:
    async with house.work(reading=True) as work:
        return await store.the_rules(work)


async def pace_of(house: House, domain: str) -> DomainPace | None:
    async with house.work(reading=True) as work:
        return await store.pace_of(work, domain)


@pytest.fixture
async def second(house: House, cast: Cast) -> Relay:
    async with house.work(door=Door.CLI) as work:
        return await relays.add(
            work,
            name="The provider",
            host="smtp.example.net",
            port=587,
            security="starttls",
            user="us",
            password="pass word",
        )


async def told(admin: httpx.AsyncClient, answer: httpx.Response) -> str:
    """Follow an answer to the page that says what was done."""
    assert answer.status_code == 303, answer.text
    return (await admin.get(answer.headers["location"])).text


# --- what is shown --------------------------------------------------------------------------------


async def test_a_new_house_sends_through_the_server_of_its_settings_and_without_limits(
    admin: httpx.AsyncClient,
) -> None:
    shown = (await admin.get(PAGE)).text

    assert "The mail server of the settings" in shown
    assert "127.0.0.1, port 25. Not encrypted" in shown
    assert "None: as fast as it takes them." in shown
    assert "No domain is slowed" in shown
    assert "It is quiet" not in shown
    assert "Nothing can be sent." not in shown
    assert 'href="/admin/relays"' in (await admin.get("/admin/organisation")).text


async def test_only_who_may_change_the_organisation_sees_it(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, cast.esra)

    for page in (PAGE, f"{PAGE}/new"):
        assert (await web.get(page)).status_code == 403


async def test_a_server_that_is_not_there_is_said_so(admin: httpx.AsyncClient) -> None:
    assert (await admin.get(f"{PAGE}/0190-none")).status_code == 404


# --- a mail server --------------------------------------------------------------------------------


async def test_a_server_is_added_and_its_password_never_shown(
    admin: httpx.AsyncClient, house: House
) -> None:
    answer = await post(admin, f"{PAGE}/new", SECOND)
    shown = await told(admin, answer)

    [_, second] = await all_of(house)
    assert answer.headers["location"] == f"{PAGE}/{second.uid}"
    assert "“The provider” is added" in shown
    assert "There is one. Leave this empty to keep it" in shown
    for page in (shown, (await admin.get(PAGE)).text):
        assert "pass word" not in page
        assert "smtp.example.net, port 587. Encrypted after a greeting" in page


async def test_what_is_wrong_is_said_at_its_field_and_the_password_is_not_given_back(
    admin: httpx.AsyncClient, house: House
) -> None:
    answer = await post(admin, f"{PAGE}/new", SECOND | {"port": "smtp"})

    assert answer.status_code == 422
    assert '<a href="#port">Port</a>: This must be a whole number.' in answer.text
    assert 'value="smtp.example.net"' in answer.text
    assert "pass word" not in answer.text
    assert len(await all_of(house)) == 1


async def test_where_a_server_is_can_be_changed(
    admin: httpx.AsyncClient, house: House, second: Relay
) -> None:
    page = f"{PAGE}/{second.uid}"
    saved = SECOND | {"name": "Another", "password": "", "port": "465", "security": "tls"}
    assert "“Another” is saved" in await told(admin, await post(admin, page, saved))
    assert [relay.port for relay in await all_of(house)] == [587, 465]

    refused = await post(admin, page, saved | {"host": "evil.example"})
    assert refused.status_code == 422
    assert "Type the password for it" in refused.text
    assert 'value="evil.example"' in refused.text


async def test_the_server_of_the_settings_is_described_there(
    admin: httpx.AsyncClient, house: House
) -> None:
    [first] = await all_of(house)
    page = f"{PAGE}/{first.uid}"

    shown = (await admin.get(page)).text
    assert 'name="host"' not in shown
    assert "Remove it" not in shown
    answer = await post(admin, page, SECOND)
    assert answer.status_code == 422
    assert "stands in the settings of Rollcall’s own server" in answer.text


async def test_limits_are_saved_and_shown(
    admin: httpx.AsyncClient, house: House, second: Relay
) -> None:
    page = f"{PAGE}/{second.uid}"
    shown = await told(admin, await post(admin, f"{page}/limits", LIMITS, page=page))

    assert "The limits are saved." in shown
    relay = (await all_of(house))[1]
    assert (relay.weight, relay.per_second, relay.per_hour, relay.per_day) == (2, 5, 1000, None)
    listed = (await admin.get(PAGE)).text
    assert "5 a second at most" in listed
    assert "1,000 an hour at most" in listed
    assert "of 1,000 at most" in listed

    refused = await post(admin, f"{page}/limits", LIMITS | {"per_hour": "0"}, page=page)
    assert refused.status_code == 422
    assert "a whole number from 1 to 10000000" in refused.text
    assert (await all_of(house))[1].per_hour == 1000


async def test_a_server_is_warmed_up_and_called_warm(
    admin: httpx.AsyncClient, house: House, second: Relay
) -> None:
    page = f"{PAGE}/{second.uid}"
    plan = {"do": "begin", "warm_up_first": "5", "warm_up_growth": "50"}
    refused = await post(admin, f"{page}/warm-up", plan, page=page)
    assert refused.status_code == 422
    assert "a whole number from 10 to 100000" in refused.text

    plan["warm_up_first"] = "150"
    shown = await told(admin, await post(admin, f"{page}/warm-up", plan, page=page))
    assert "The warm-up begins today, with 150 emails." in shown
    assert "Warming up: 150 emails today" in shown
    assert "Warming up: 150 emails today" in (await admin.get(PAGE)).text

    shown = await told(admin, await post(admin, f"{page}/warm-up", {"do": "end"}, page=page))
    assert "The warm-up is over." in shown
    assert (await all_of(house))[1].warm_up_from is None


async def test_switching_off_is_undone_by_switching_on(
    admin: httpx.AsyncClient, house: House
) -> None:
    [first] = await all_of(house)
    way = f"{PAGE}/{first.uid}/switch"

    shown = await told(admin, await post(admin, way, {"do": "off"}, page=PAGE))
    assert "is switched off. What was under way there is finished." in shown
    assert "Nothing can be sent." in shown
    assert "Nothing goes through it." in (await admin.get(f"{PAGE}/{first.uid}")).text

    shown = await told(admin, await post(admin, way, {"do": "on"}, page=PAGE))
    assert "is switched on" in shown
    assert "Nothing can be sent." not in shown


async def test_a_spare_is_shown_as_one(
    admin: httpx.AsyncClient, house: House, second: Relay
) -> None:
    page = f"{PAGE}/{second.uid}"
    await post(admin, f"{page}/limits", LIMITS | {"weight": "0"}, page=page)

    assert "A spare" in (await admin.get(PAGE)).text


async def test_a_server_is_removed_when_it_is_off(
    admin: httpx.AsyncClient, house: House, second: Relay
) -> None:
    page = f"{PAGE}/{second.uid}"
    assert "Remove it for good" not in (await admin.get(page)).text
    shown = await told(admin, await post(admin, f"{page}/removal", page=page))
    assert "Switch it off first" in shown

    await post(admin, f"{page}/switch", {"do": "off"}, page=page)
    assert "Remove it for good" in (await admin.get(page)).text
    shown = await told(admin, await post(admin, f"{page}/removal", page=page))
    assert "“The provider” is removed, and its password forgotten." in shown
    assert len(await all_of(house)) == 1


async def test_a_password_that_cannot_be_read_any_more_is_asked_for(
    admin: httpx.AsyncClient, house: House, second: Relay
) -> None:
    async with house.work() as work:
        relay = await work.session.get_one(Relay, second.no)
        relay.password_sealed = Keys(b"another key, of thirty-two octet").seal("relay", "x")

    for page in (PAGE, f"{PAGE}/{second.uid}"):
        assert "Its password cannot be read any more." in (await admin.get(page)).text


# --- the rules ------------------------------------------------------------------------------------


async def test_quiet_hours_are_saved_shown_and_taken_away(
    admin: httpx.AsyncClient, house: House
) -> None:
    async with house.work(reading=True) as work:
        begins, ends = work.now - timedelta(hours=1), work.now + timedelta(hours=5)
    hours = {
        "quiet_from": f"{begins:%H:%M}",
        "quiet_until": f"{ends:%H:%M}",
        "time_zone": "UTC",
    }
    shown = await told(admin, await post(admin, f"{PAGE}/hours", hours, page=PAGE))
    assert "The quiet hours are saved." in shown
    assert f"It is quiet now. Newsletters go on at {ends:%H:%M} (UTC)." in shown

    hours["quiet_from"] = f"{begins + timedelta(hours=2):%H:%M}"
    shown = await told(admin, await post(admin, f"{PAGE}/hours", hours, page=PAGE))
    assert f"It is quiet from {hours['quiet_from']} on (UTC)." in shown
    assert f'value="{hours["quiet_until"]}"' in shown

    none = {"quiet_from": "", "quiet_until": "", "time_zone": "Europe/London"}
    assert "It is quiet" not in await told(
        admin, await post(admin, f"{PAGE}/hours", none, page=PAGE)
    )
    assert (await rules_of(house)).time_zone == "Europe/London"


async def test_a_zone_that_is_none_is_refused_and_what_was_typed_stays(
    admin: httpx.AsyncClient, house: House
) -> None:
    typed = {"quiet_from": "21:00", "quiet_until": "08:00", "time_zone": "London"}
    answer = await post(admin, f"{PAGE}/hours", typed, page=PAGE)

    assert answer.status_code == 422
    assert '<a href="#time_zone">Time zone</a>: There is no such time zone.' in answer.text
    assert 'value="21:00"' in answer.text
    assert '<option value="Europe/London"></option>' in answer.text


async def test_brakes_are_saved(admin: httpx.AsyncClient, house: House) -> None:
    shown = await told(admin, await post(admin, f"{PAGE}/brakes", BRAKES, page=PAGE))
    assert "The brakes are saved." in shown
    assert (await rules_of(house)).complaints_from == 500

    wrong = BRAKES | {"bounce_brake": "0"}
    refused = await post(admin, f"{PAGE}/brakes", wrong, page=PAGE)
    assert refused.status_code == 422
    assert "a whole number from 1 to 1000" in refused.text


async def test_a_domain_is_slowed_and_let_go(admin: httpx.AsyncClient, house: House) -> None:
    slow = {"domain": "Big.Example", "per_minute": "1200"}
    shown = await told(admin, await post(admin, f"{PAGE}/domains", slow, page=PAGE))
    assert "big.example gets no more than that" in shown
    assert "1,200 a minute" in shown
    assert "Slowed by hand: 1,200 a minute at most." in shown
    assert "Until somebody lets it go" in shown

    go = {"domain": "big.example"}
    shown = await told(admin, await post(admin, f"{PAGE}/domains/release", go, page=PAGE))
    assert "Emails to big.example go as fast as to others." in shown
    assert await pace_of(house, "big.example") is None
    shown = await told(admin, await post(admin, f"{PAGE}/domains/release", go, page=PAGE))
    assert "This domain is not slowed any more." in shown


async def test_what_is_no_domain_is_refused(admin: httpx.AsyncClient) -> None:
    wrong = {"domain": "everybody", "per_minute": "10"}
    answer = await post(admin, f"{PAGE}/domains", wrong, page=PAGE)

    assert answer.status_code == 422
    assert "A domain is what stands after the @" in answer.text
    assert 'value="everybody"' in answer.text


async def test_a_domain_that_slowed_itself_is_shown_with_its_server_s_words(
    admin: httpx.AsyncClient, house: House
) -> None:
    async with house.work() as work:
        pace = await ruling.set_pace(work, domain="big.example", per_minute=5000)
        pace.slow_down(work.now, observed=600, code=421, reply="4.7.28 too many <b>mails</b>")

    shown = (await admin.get(PAGE)).text
    assert "300 a minute" in shown
    assert "Its server said: 421 4.7.28 too many &lt;b&gt;mails" in shown
    assert "Slowed by hand: 5,000 a minute at most." in shown
    assert "Rises by itself; as before on " in shown


async def test_all_of_it_stands_in_the_record(
    admin: httpx.AsyncClient, house: House, second: Relay
) -> None:
    page = f"{PAGE}/{second.uid}"
    await post(admin, f"{page}/limits", LIMITS, page=page)
    await post(admin, f"{PAGE}/domains", {"domain": "a.example", "per_minute": "5"}, page=PAGE)

    shown = (await admin.get("/admin/record")).text
    assert "Changed how much the mail server “The provider” carries" in shown
    assert "Slowed emails to a.example down" in shown
