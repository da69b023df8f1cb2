"""The page that says who writes."""

import httpx
import pytest

from mailer.bootstrap import House
from mailer.organisation import store
from mailer.organisation.model import Organisation
from tests.cast import Cast
from tests.support.forms import form_on
from tests.support.looking import viewer
from tests.support.signing_in import post, signed_in

PAGE = "/admin/organisation"


async def us(house: House) -> Organisation:
    async with house.work(reading=True) as work:
        return await store.the_one(work)


async def as_it_stands(admin: httpx.AsyncClient, **changed: str) -> dict[str, str]:
    """Give the form as it is shown, with some fields typed anew."""
    return {**form_on((await admin.get(PAGE)).text), **changed}


async def test_what_is_typed_is_saved_and_said_so(admin: httpx.AsyncClient, house: House) -> None:
    typed = await as_it_stands(
        admin,
        **{
            "name": "Roll Call",
            "postal_address": "12 Rue du Port\r\nLyon",
            "language": "fr",
            "headline-fr": "Personne ne gagne seul.",
            "lede-en": "",
        },
    )

    answer = await post(admin, PAGE, typed)
    shown = (await admin.get(answer.headers["location"])).text

    described = await us(house)
    assert (described.name, described.language) == ("Roll Call", "fr")
    assert described.postal_address == "12 Rue du Port\nLyon"
    assert described.headline["fr"] == "Personne ne gagne seul."
    assert "en" not in described.lede
    assert "Saved. Every page says it now" in shown
    assert "12 Rue du Port\nLyon" in shown
    assert "· Roll Call</title>" in shown


async def test_saving_what_stands_there_changes_nothing(admin: httpx.AsyncClient) -> None:
    before = (await admin.get("/admin/record")).text

    await post(admin, PAGE, await as_it_stands(admin))

    said = "Changed what is said of the organisation"
    assert (await admin.get("/admin/record")).text.count(said) == before.count(said)


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", " ", "Please fill this in."),
        ("postal_address", "", "Please fill this in."),
        ("sender_address", "news", "An email address has two parts"),
        ("reply_to", "office@", "An email address has two parts"),
        ("colour", "yellow", "A colour is written like #ffc233"),
        ("language", "xx", "Please choose one of the languages"),
        ("headline-fr", "x" * 201, "This is too long: 200 characters at most."),
        ("lede-en", "x" * 601, "This is too long: 600 characters at most."),
    ],
)
async def test_a_mistake_is_shown_at_its_field_and_nothing_typed_is_lost(
    admin: httpx.AsyncClient, house: House, field: str, typed: str, said: str
) -> None:
    answer = await post(
        admin, PAGE, await as_it_stands(admin, sender_name="Another", **{field: typed})
    )

    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text
    assert f'id="{field}-error"' in answer.text
    assert said in answer.text
    kept = form_on(answer.text)
    assert kept["sender_name"] == "Another"
    assert kept[field] == typed or field == "language", "a select shows what it has"
    assert (await us(house)).sender_name == "Workers Against Racism"


async def test_the_colour_may_be_typed_or_picked(admin: httpx.AsyncClient, house: House) -> None:
    await post(admin, PAGE, await as_it_stands(admin, picked="#112233"))
    assert (await us(house)).colour == "#112233"

    await post(admin, PAGE, await as_it_stands(admin, colour="#AABBCC"))
    assert (await us(house)).colour == "#aabbcc"

    await post(admin, PAGE, await as_it_stands(admin, colour="#445566", picked="#000000"))
    assert (await us(house)).colour == "#445566", "what was typed is what was meant"


async def test_a_colour_that_was_picked_is_not_lost_to_another_mistake(
    admin: httpx.AsyncClient, house: House
) -> None:
    answer = await post(admin, PAGE, await as_it_stands(admin, picked="#112233", name=""))
    kept = form_on(answer.text)
    await post(admin, PAGE, {**kept, "name": "Roll Call"})

    assert (kept["colour"], kept["picked"]) == ("#112233", "#112233")
    assert (await us(house)).colour == "#112233"


async def test_until_all_is_said_the_page_says_what_is_missing(
    admin: httpx.AsyncClient, house: House
) -> None:
    complete = (await admin.get(PAGE)).text
    async with house.work() as work:
        row = await store.the_one(work)
        row.postal_address = row.sender_address = ""
    lacking = (await admin.get(PAGE)).text

    assert "All that an email must state is here." in complete
    assert "Nothing can be sent yet." not in complete
    assert "Nothing can be sent yet." in lacking
    assert '<a href="#postal_address">The postal address</a>' in lacking
    assert '<a href="#sender_address">' in lacking
    assert '<a href="#name">' not in lacking


async def test_only_who_may_change_settings_opens_it(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    for account in (cast.esra, cast.farid, await viewer(house)):
        await signed_in(web, house, account)
        assert (await web.get(PAGE)).status_code == 403
        web.cookies.clear()
