"""The pages of the fields: what is asked, in which order, and what is never shown."""

from typing import Any

import httpx
import pytest

from mailer.bootstrap import House
from mailer.fields import actions, special
from mailer.fields import store as fields
from mailer.fields.model import Field, FieldKind
from mailer.segments import saving
from tests.cast import Cast
from tests.support.signing_in import post, signed_in

pytestmark = pytest.mark.any_database

PAGE = "/admin/fields"
NEW = f"{PAGE}/new"
SHIFT = {
    "name-en": "Shift",
    "name-fr": "Équipe",
    "help-en": "The one you work most.",
    "kind": "choice",
    "choice-1-en": "Day",
    "choice-2-en": "Night",
    "choice-2-fr": "Nuit",
    "is_public": "yes",
    "threshold": "5",
}


async def field_of(house: House, slug: str) -> Field:
    async with house.work(reading=True) as work:
        found = await fields.by_slug(work, slug)
        assert found is not None
        return found


async def after(client: httpx.AsyncClient, answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return (await client.get(answer.headers["location"])).text


@pytest.fixture
async def shift(admin: httpx.AsyncClient, house: House) -> Field:
    await post(admin, NEW, SHIFT)
    return await field_of(house, "shift")


async def test_a_field_is_made_with_its_choices(admin: httpx.AsyncClient, house: House) -> None:
    assert "There are no fields yet" in (await admin.get(PAGE)).text

    shown = await after(admin, await post(admin, NEW, SHIFT))

    assert "The field “Shift” is there." in shown
    made = await field_of(house, "shift")
    assert made.kind is FieldKind.CHOICE
    assert made.is_public
    assert made.name == {"en": "Shift", "fr": "Équipe"}
    assert [one["slug"] for one in made.choices] == ["day", "night"]


@pytest.mark.parametrize(
    ("changes", "said", "at"),
    [
        ({"name-en": "", "name-fr": ""}, "Please fill this in.", "name-en"),
        ({"choice-2-en": "", "choice-2-fr": ""}, "at least two choices", "choices"),
        ({"threshold": "2"}, "at the least", "threshold"),
        ({"is_special": "yes", "is_public": ""}, "one that they see", "is_public"),
    ],
)
async def test_what_makes_no_field_is_refused_where_it_was_typed(
    admin: httpx.AsyncClient, changes: dict[str, str], said: str, at: str
) -> None:
    answer = await post(admin, NEW, {**SHIFT, **changes})

    assert answer.status_code == 422
    assert said in answer.text
    assert f'id="{at}-error"' in answer.text
    assert 'value="Day"' in answer.text


async def test_a_field_is_changed_and_keeps_the_slugs_of_its_choices(
    admin: httpx.AsyncClient, house: House, shift: Field
) -> None:
    at = f"{PAGE}/shift"
    shown = (await admin.get(at)).text
    assert 'name="choice-slug-2" value="night"' in shown
    said: dict[str, Any] = {
        **SHIFT,
        "choice-slug-1": "day",
        "choice-slug-2": "night",
        "choice-2-en": "Late",
        "choice-3-en": "Dawn",
    }

    assert "is saved" in await after(admin, await post(admin, at, said))

    changed = await field_of(house, "shift")
    assert [(one["slug"], one["name"]["en"]) for one in changed.choices] == [
        ("day", "Day"),
        ("night", "Late"),
        ("dawn", "Dawn"),
    ]


async def test_a_field_with_answers_shows_them_and_keeps_its_kind(
    admin: httpx.AsyncClient, house: House, cast: Cast, shift: Field
) -> None:
    async with house.work() as work:
        await actions.set_value(work, cast.bo, shift, "night")
    at = f"{PAGE}/shift"

    shown = (await admin.get(at)).text
    assert "People have answered, so it stays this sort." in shown
    assert "<dt>Night</dt><dd>1</dd>" in shown
    said = {**SHIFT, "choice-slug-1": "day", "choice-slug-2": "night", "kind": "text"}
    answer = await post(admin, at, said)
    assert answer.status_code == 422
    assert "can no longer be changed" in answer.text
    assert "1 person" in (await admin.get(PAGE)).text


async def test_fields_change_places(admin: httpx.AsyncClient, house: House, shift: Field) -> None:
    await post(admin, NEW, {"name-en": "Shirt", "kind": "text", "threshold": "5"})

    await post(admin, f"{PAGE}/shirt/place", {"to": "up"}, page=PAGE)

    async with house.work(reading=True) as work:
        assert [one.slug for one in await fields.all_fields(work)] == ["shirt", "shift"]


async def test_a_field_is_closed_and_opened_again(
    admin: httpx.AsyncClient, house: House, shift: Field
) -> None:
    at = f"{PAGE}/shift"
    shown = await after(admin, await post(admin, f"{at}/closing", {}, page=at))
    assert "What it holds is kept." in shown
    assert "Closed fields" in shown

    shown = await after(admin, await post(admin, f"{at}/closing", {"open": "yes"}, page=at))
    assert "is open again, with all that it held" in shown


async def test_what_a_segment_asks_for_is_not_closed(
    admin: httpx.AsyncClient, house: House, shift: Field
) -> None:
    async with house.work() as work:
        tree = {"all": [{"is": "field", "field": str(shift.no), "how": "filled"}]}
        await saving.save(work, name="Night shift", tree=tree)
    at = f"{PAGE}/shift"

    shown = await after(admin, await post(admin, f"{at}/closing", {}, page=at))

    assert "Segments ask about this: “Night shift”." in shown


async def test_what_is_specially_protected_is_shown_as_numbers_alone(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    said = {
        **SHIFT,
        "name-en": "Origin",
        "is_special": "yes",
        "consent_text-en": "You may count me.",
    }
    await post(admin, NEW, said)
    async with house.work() as work:
        field = await fields.by_slug(work, "origin")
        assert field is not None
        await special.tell(work, cast.bo, field, "night", agreed=True)

    assert "They alone; you see numbers" in (await admin.get(PAGE)).text
    shown = (await admin.get(f"{PAGE}/origin")).text
    assert "<dt>Night</dt><dd>fewer than 5</dd>" in shown
    assert "<dt>Day</dt><dd>fewer than 5</dd>" in shown
    assert "Origin" not in (await admin.get(f"/admin/people/{cast.bo.uid}")).text


async def test_only_an_owner_makes_fields(web: httpx.AsyncClient, house: House, cast: Cast) -> None:
    await signed_in(web, house, cast.esra)

    assert "Make a field" not in (await web.get(PAGE)).text
    assert (await web.get(NEW)).status_code == 403
    assert (await post(web, NEW, SHIFT, page=PAGE)).status_code == 403


async def test_there_is_no_page_of_no_field(admin: httpx.AsyncClient) -> None:
    assert (await admin.get(f"{PAGE}/nothing")).status_code == 404
