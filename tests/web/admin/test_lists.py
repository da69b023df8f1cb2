"""The pages of the lists: their numbers, their words, and opening one more."""

import httpx
import pytest

from mailer.bootstrap import House
from mailer.consent import store
from mailer.consent.model import MailingList
from mailer.segments import saving
from tests.cast import Cast
from tests.support.forms import form_on
from tests.support.looking import viewer
from tests.support.signing_in import post, signed_in

ALERTS = {
    "name-en": "Action alerts",
    "name-fr": "Alertes",
    "about-en": "When it must be today.",
    "consent_text-en": "Yes, %(organisation)s may email me when it is urgent.",
    "is_public": "yes",
}


async def by_slug(house: House, slug: str) -> MailingList:
    async with house.work(reading=True) as work:
        found = await store.list_by_slug(work, slug)
    assert found is not None
    return found


def figure(shown: str, words: str) -> str:
    """Read one number of the first strip of figures."""
    return shown.partition(f'<dt>{words}</dt><dd class="n">')[2].partition("<")[0]


async def test_each_shows_how_many_are_on_it_and_in_which_words(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    shown = (await admin.get("/admin/lists")).text

    assert (figure(shown, "Confirmed"), figure(shown, "Waiting")) == ("2", "1")
    assert figure(shown, "Left") == "1"
    assert "Yes, Workers Against Racism may email me" in shown
    assert "Offered on the join page" in shown
    assert 'href="/admin/people?list=bulletin"' in shown
    assert "Nobody can join just now" not in shown


async def test_a_list_is_opened_and_said_so(admin: httpx.AsyncClient, house: House) -> None:
    answer = await post(admin, "/admin/lists/new", ALERTS)
    shown = (await admin.get(answer.headers["location"])).text

    alerts = await by_slug(house, "action-alerts")
    assert alerts.name == {"en": "Action alerts", "fr": "Alertes"}
    assert (alerts.is_public, alerts.double_opt_in) == (True, False)
    assert "The list “Action alerts” is open. Nobody is on it yet." in shown
    assert "Yes, Workers Against Racism may email me when it is urgent." in shown
    assert "At once. Who is on the roll already is asked by letter." in shown


async def test_a_new_list_is_public_and_asks_by_letter_unless_somebody_says_otherwise(
    admin: httpx.AsyncClient,
) -> None:
    form = form_on((await admin.get("/admin/lists/new")).text)

    assert (form["is_public"], form["double_opt_in"]) == ("yes", "yes")


async def test_a_list_called_new_has_a_page(admin: httpx.AsyncClient, house: House) -> None:
    await post(admin, "/admin/lists/new", {**ALERTS, "name-en": "New"})

    assert "/admin/lists/new-2" in (await admin.get("/admin/lists")).text
    assert "<h1>New</h1>" in (await admin.get("/admin/lists/new-2")).text


async def test_its_words_are_changed_and_what_was_agreed_to_is_not(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    page = "/admin/lists/bulletin"
    typed = form_on((await admin.get(page)).text)
    typed |= {"consent_text-en": "Yes to %(organisation)s, and 100 % of it."}
    del typed["is_public"]

    answer = await post(admin, page, typed)
    shown = (await admin.get(answer.headers["location"])).text

    bulletin = await by_slug(house, "bulletin")
    assert not bulletin.is_public
    assert bulletin.double_opt_in
    assert "Yes to Workers Against Racism, and 100 % of it." in shown
    assert "The list “Bulletin” is saved." in shown
    assert "Nobody can join just now" in shown
    async with house.work(reading=True) as work:
        [agreed] = await store.records_of(work, cast.bo.no)
    assert agreed.wording == cast.wording


async def test_its_page_shows_each_version_of_its_words_and_how_many_agreed(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    page = "/admin/lists/bulletin"
    typed = form_on((await admin.get(page)).text)
    await post(admin, page, {**typed, "consent_text-en": "Yes to all of it."})

    shown = (await admin.get(page)).text

    assert shown.index("Version 2") < shown.index("Version 1")
    assert "Yes to all of it.</blockquote>" in shown
    assert "may email me" in shown.partition("Version 1")[2]
    assert "0 people" in shown.partition("Version 2")[2].partition("</summary>")[0]
    assert "3 people" in shown.partition("Version 1")[2].partition("</summary>")[0]
    assert "Version 2" in (await admin.get("/admin/lists")).text


async def test_the_organiser_is_told_what_a_list_without_a_letter_means(
    admin: httpx.AsyncClient,
) -> None:
    shown = (await admin.get("/admin/lists/new")).text
    assert "Without the letter anybody can sign anybody up." in shown


async def test_a_list_is_closed_and_opened_again(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    page = "/admin/lists/bulletin"
    closed = await post(admin, f"{page}/closing", page=page)
    shown = (await admin.get(closed.headers["location"])).text
    assert "The list “Bulletin” is closed." in shown
    assert "There is no list" in shown
    assert "This list is closed." in (await admin.get(page)).text

    opened = await post(admin, f"{page}/closing", {"open": "yes"}, page=page)

    assert "is open again" in (await admin.get(opened.headers["location"])).text
    assert (await by_slug(house, "bulletin")).closed_at is None


async def test_a_list_that_a_segment_asks_about_is_not_closed(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work(account=cast.amina.no) as work:
        tree = {"all": [{"is": "list", "list": str(cast.bulletin.no), "state": "confirmed"}]}
        await saving.save(work, name="Readers", tree=tree)
    page = "/admin/lists/bulletin"

    answer = await post(admin, f"{page}/closing", page=page)

    assert "“Readers”" in (await admin.get(answer.headers["location"])).text
    assert (await by_slug(house, "bulletin")).closed_at is None


WELCOME = {
    "welcome_subject-en": "Glad you came",
    "welcome-en": "Hello.\n\nRead **this**: [here](https://war.example.org/start)",
    "landing-en": "Bring a friend.",
    "welcome-fr": "Bonjour.",
}


async def test_the_welcome_of_a_list_is_written_and_looked_at(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    page = "/admin/lists/bulletin/welcome"

    answer = await post(admin, page, WELCOME)

    shown = (await admin.get(answer.headers["location"])).text
    assert "The welcome of “Bulletin” is saved." in shown
    assert form_on(shown)["welcome-en"] == WELCOME["welcome-en"]
    bulletin = await by_slug(house, "bulletin")
    assert bulletin.landing == {"en": "Bring a friend."}
    letter = await admin.get(f"{page}/letter?in=en")
    assert "<strong>this</strong>" in letter.text
    assert "sandbox" in letter.headers["content-security-policy"]
    french = await admin.get(f"{page}/letter?in=fr")
    assert "Bonjour." in french.text


async def test_what_is_typed_is_shown_and_not_saved(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    page = "/admin/lists/bulletin/welcome"

    typed = await post(admin, f"{page}/letter", {**WELCOME, "shown_in": "fr"}, page=page)
    wrong = await post(admin, f"{page}/letter", {"welcome-en": "[x](javascript:alert)"}, page=page)

    assert "Bonjour." in typed.text
    assert "It must begin with https:" in wrong.text
    assert (await by_slug(house, "bulletin")).welcome == {}


@pytest.mark.parametrize(
    ("changed", "at", "said"),
    [
        ({"welcome-fr": "[x](javascript:alert)"}, "welcome-fr", "It must begin with https:"),
        ({"welcome_subject-en": "x" * 151}, "welcome_subject-en", "150 characters at most"),
        ({"landing-en": "x" * 1001}, "landing-en", "1000 characters at most"),
    ],
)
async def test_a_welcome_that_cannot_be_sent_is_refused_at_its_field(
    admin: httpx.AsyncClient,
    house: House,
    cast: Cast,
    changed: dict[str, str],
    at: str,
    said: str,
) -> None:
    answer = await post(admin, "/admin/lists/bulletin/welcome", {**WELCOME, **changed})

    assert answer.status_code == 422
    assert f'id="{at}-error"' in answer.text
    assert said in answer.text
    assert form_on(answer.text)[at] == changed[at]
    assert (await by_slug(house, "bulletin")).welcome == {}


@pytest.mark.parametrize("page", ["/admin/lists/new", "/admin/lists/bulletin"])
@pytest.mark.parametrize(
    ("changed", "at", "said"),
    [
        ({"name-en": " ", "name-fr": ""}, "name-en", "Please fill this in."),
        ({"name-fr": "x" * 121}, "name-fr", "This is too long: 120 characters at most."),
        ({"about-fr": "x" * 401}, "about-fr", "This is too long: 400 characters at most."),
        ({"consent_text-en": "", "consent_text-fr": ""}, "consent_text-en", "Please fill this in."),
    ],
)
async def test_a_mistake_is_shown_at_its_field_and_nothing_typed_is_lost(
    admin: httpx.AsyncClient, cast: Cast, page: str, changed: dict[str, str], at: str, said: str
) -> None:
    answer = await post(admin, page, {**ALERTS, **changed})

    assert answer.status_code == 422
    assert f'<a href="#{at}">' in answer.text
    assert f'id="{at}-error"' in answer.text
    assert said in answer.text
    kept = form_on(answer.text)
    assert kept["about-en"] == ALERTS["about-en"]
    assert kept[at] == changed[at]
    assert "double_opt_in" not in kept, "a box that was not ticked stays so"


async def test_the_mark_of_our_name_is_explained_as_it_is_typed(admin: httpx.AsyncClient) -> None:
    shown = (await admin.get("/admin/lists/new")).text

    assert "%(organisation)s becomes the name of the organisation" in shown


async def test_a_list_that_is_none_is_not_found(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/admin/lists/nothing")

    assert answer.status_code == 404
    assert "There is no such list" in answer.text


async def test_a_viewer_sees_them_and_cannot_change_them(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, await viewer(house))

    shown = (await web.get("/admin/lists")).text
    answers = [
        await web.get("/admin/lists/new"),
        await web.get("/admin/lists/bulletin"),
        await post(web, "/admin/lists/new", ALERTS, page="/admin/lists"),
        await post(web, "/admin/lists/bulletin", ALERTS, page="/admin/lists"),
    ]

    assert figure(shown, "Confirmed") == "2"
    assert "Open a list" not in shown
    assert "Change its words" not in shown
    assert {answer.status_code for answer in answers} == {403}


async def test_farid_counts_the_people_of_his_group_alone(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, cast.farid)

    shown = (await web.get("/admin/lists")).text

    assert (figure(shown, "Confirmed"), figure(shown, "Waiting")) == ("1", "0")  # Gil
    assert "Only people you look after are counted." in shown
