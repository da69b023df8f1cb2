"""What people say of themselves in fields of ours, and that another address is theirs too."""

import httpx
import pytest
from sqlalchemy import select

from mailer.bootstrap import House
from mailer.fields import actions as fields
from mailer.fields import special
from mailer.fields import store as field_store
from mailer.fields.actions import Choice
from mailer.fields.model import FieldKind
from mailer.kit.tokens import Purpose
from mailer.outbox.model import Letter
from mailer.records import also_me, merging
from mailer.records.pairs import store as pairs
from mailer.subscribers import store as people
from tests.cast import Cast
from tests.web.public.conftest import Facts, Link
from tests.web.public.situations import state_of

pytestmark = pytest.mark.any_database


@pytest.fixture
def private(cast: Cast, link: Link) -> str:
    return link(Purpose.PRIVATE, cast.bo.no)


def my(private: str, what: str) -> str:
    return private.replace("/l/", "/my/") + f"/{what}"


async def say(client: httpx.AsyncClient, private: str, what: str, **typed: object) -> str:
    """Send a form of the private page; give the page that it leads to."""
    answer = await client.post(
        my(private, what), data={"answer": "save", **typed}, follow_redirects=True
    )
    return answer.text


@pytest.fixture
async def asked(house: House, cast: Cast) -> None:
    """Ask people their sector and age, and protected, what they need; and something else of us."""
    async with house.work() as work:
        await fields.make(
            work,
            name={"en": "Sector"},
            kind=FieldKind.CHOICES,
            choices=[Choice(name={"en": "Rail"}), Choice(name={"en": "Care"})],
            is_public=True,
        )
        await fields.make(work, name={"en": "Age"}, kind=FieldKind.NUMBER, is_public=True)
        await fields.make(work, name={"en": "Our own remark"}, kind=FieldKind.TEXT)
        await fields.make(
            work,
            name={"en": "Do you need a prayer room?"},
            kind=FieldKind.YES_NO,
            is_public=True,
            is_special=True,
            consent_text={"en": "You may keep this to plan meetings."},
        )


async def known(house: House, cast: Cast) -> dict[str, list[str]]:
    async with house.work(reading=True) as work:
        values = (await field_store.values_of(work, [cast.bo.no])).get(cast.bo.no, {})
        names = {one.no: one.slug for one in await field_store.every_field(work)}
        return {names[no]: some for no, some in values.items()}


async def told(house: House, cast: Cast) -> list[str]:
    async with house.work(reading=True) as work:
        field = await field_store.by_slug(work, "do-you-need-a-prayer-room")
        assert field is not None
        return await special.told(work, cast.bo, field)


async def test_people_fill_in_what_is_public_and_see_nothing_else(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str, asked: None
) -> None:
    shown = (await web.get(private)).text
    assert "Sector" in shown
    assert "Our own remark" not in shown

    form = {"field-sector": ["", "care", "rail"], "field-age": "41", "field-our-own-remark": "x"}
    assert "Saved." in await say(web, private, "fields", **form)
    assert await known(house, cast) == {"sector": ["care", "rail"], "age": ["41"]}

    await say(web, private, "fields", **{"field-sector": "", "field-age": "41"})
    assert await known(house, cast) == {"age": ["41"]}


async def test_what_is_wrong_is_said_where_it_was_typed(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str, asked: None
) -> None:
    answer = await web.post(my(private, "fields"), data={"answer": "save", "field-age": "old"})

    assert answer.status_code == 422
    assert 'id="field-age-error"' in answer.text
    assert 'href="#field-age"' in answer.text
    assert 'value="old"' in answer.text
    assert await known(house, cast) == {}


async def test_what_is_protected_needs_its_own_yes_and_can_be_taken_back(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str, asked: None
) -> None:
    slug = "do-you-need-a-prayer-room"
    form = {"protected": slug, f"field-{slug}": "yes"}
    assert "You may keep this to plan meetings." in (await web.get(private)).text

    assert "Please tick that you agree" in await say(web, private, "protected", **form)
    assert await told(house, cast) == []

    said = await say(web, private, "protected", **form, **{f"agreed-{slug}": "yes"})
    assert "nobody reads it but you" in said
    assert await told(house, cast) == ["yes"]

    assert "Taken back." in await say(web, private, "protected", **form, take_back="yes")
    assert await told(house, cast) == []
    assert "not asked any more" in await say(web, private, "protected", protected="age")


async def test_the_answer_is_the_same_whether_the_other_address_is_on_the_roll(
    web: httpx.AsyncClient, house: House, cast: Cast, private: str
) -> None:
    pages = [
        await say(web, private, "also", other_address=address)
        for address in ("gil@example.org", "nobody@example.org")
    ]

    for page in pages:
        assert "If that address is on the roll, we have written there." in page
    async with house.work(reading=True) as work:
        letters = await work.session.scalars(select(Letter).filter_by(kind="also-me"))
        assert [letter.address for letter in letters] == ["gil@example.org"]


async def test_ones_own_address_is_no_other(
    web: httpx.AsyncClient, cast: Cast, private: str
) -> None:
    said = await say(web, private, "also", other_address="bo@example.org")

    assert "That is the address we write to already." in said
    assert 'id="other_address-error"' in said


@pytest.fixture
async def question(house: House, cast: Cast, link: Link) -> str:
    async with house.work() as work:
        wish = await also_me.ask(work, cast.bo, "gil@example.org")
    return link(Purpose.ALSO_ME, cast.bo.no, wish.no)


async def test_opening_the_letter_changes_nothing_and_a_yes_makes_them_one(
    web: httpx.AsyncClient, house: House, cast: Cast, question: str, facts: Facts
) -> None:
    before = await facts()
    shown = await web.get(question)
    assert "Is this also you?" in shown.text
    assert "b…@" not in shown.text
    await web.post(question, data={"answer": "no"})
    assert await facts() == before

    answer = await web.post(question, data={"answer": "yes"}, follow_redirects=True)
    assert "Your two entries are one." in answer.text
    async with house.work(reading=True) as work:
        found = await people.by_address(work, "gil@example.org")
        assert found is not None
        assert found.no == cast.bo.no
    again = await web.post(question, data={"answer": "yes"}, follow_redirects=True)
    assert "Your two entries are one." in again.text


async def test_the_receipt_makes_them_two_again(
    web: httpx.AsyncClient, house: House, cast: Cast, question: str, link: Link
) -> None:
    await web.post(question, data={"answer": "yes"})
    async with house.work(reading=True) as work:
        [made] = await pairs.mergings_of(work, cast.bo.no)
    undo = link(Purpose.UNDO_MERGING, cast.bo.no, made.no)

    assert "Make two entries again?" in (await web.get(undo)).text
    answer = await web.post(undo, data={"answer": "yes"}, follow_redirects=True)

    assert "They are two entries again." in answer.text
    async with house.work(reading=True) as work:
        found = await people.by_address(work, "gil@example.org")
        assert found is not None
        assert found.no == cast.gil.no


async def test_links_of_others_lead_nowhere(
    web: httpx.AsyncClient, house: House, cast: Cast, question: str, link: Link
) -> None:
    async with house.work() as work:
        [wish] = await pairs.also_mes_of(work, cast.bo.no)
        gone = await also_me.ask(work, cast.dana, "nobody@example.org")
    for path in (
        link(Purpose.ALSO_ME, cast.chidi.no, wish.no),
        link(Purpose.ALSO_ME, cast.bo.no, 999_999),
        link(Purpose.ALSO_ME, cast.dana.no, gone.no),
        link(Purpose.UNDO_MERGING, cast.bo.no, 999_999),
    ):
        assert (await web.get(path)).status_code == 404


async def test_an_old_link_of_a_merged_entry_takes_the_one_who_stayed_off(
    web: httpx.AsyncClient, house: House, cast: Cast, link: Link
) -> None:
    async with house.work() as work:
        await merging.merge(work, cast.bo, cast.gil)

    await web.post(link(Purpose.UNSUBSCRIBE, cast.gil.no), data={"answer": "yes"})

    assert await state_of(house, cast.bo) == "unsubscribed"
