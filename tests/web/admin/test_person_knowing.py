"""What is written down of one person: place, telephone, tags, fields, roles."""

import httpx
import pytest

from mailer.bootstrap import House
from mailer.consent import store as consents
from mailer.fields import actions as fields
from mailer.fields import store as field_store
from mailer.fields.actions import Choice
from mailer.fields.model import FieldKind
from mailer.groups import actions as groups
from mailer.groups import store as group_store
from mailer.groups.model import Group
from mailer.phones import actions as phones
from mailer.phones import store as phone_store
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import GroupRole, Subscriber
from mailer.tags import actions as tags
from mailer.tags import store as tag_store
from tests.cast import Cast
from tests.support.looking import viewer
from tests.support.signing_in import post, signed_in

pytestmark = pytest.mark.any_database


def page_of(person: Subscriber, more: str = "") -> str:
    return f"/admin/people/{person.uid}{more}"


async def send(
    client: httpx.AsyncClient, person: Subscriber, form: str, **typed: str | list[str]
) -> httpx.Response:
    """Post a form of a person's page; follow where it leads."""
    answer = await post(client, page_of(person, f"/{form}"), typed, page=page_of(person))
    if answer.status_code != 303:
        return answer
    return await client.get(answer.headers["location"])


async def test_where_somebody_lives_is_changed_and_told(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    shown = await send(
        admin,
        cast.bo,
        "details",
        postcode="69001",
        city="Lyon",
        country="FR",
        time_zone="Europe/Paris",
        source="May Day stall",
    )

    assert "The details are changed." in shown.text
    for words in ("69001 Lyon, France", "May Day stall", "Details were changed", "It is "):
        assert words in shown.text
    async with house.work(reading=True) as work:
        bo = await subscribers.by_no(work, cast.bo.no)
        assert bo is not None
        assert (bo.first_name, bo.city, bo.time_zone) == ("Bo", "Lyon", "Europe/Paris")


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("country", "XX", "not a country"),
        ("time_zone", "Mars/Base", "not a time zone"),
        ("postcode", "1" * 21, "too long"),
    ],
)
async def test_what_is_no_place_is_refused_where_it_was_typed(
    admin: httpx.AsyncClient, cast: Cast, field: str, typed: str, said: str
) -> None:
    answer = await send(admin, cast.bo, "details", **{field: typed})

    assert answer.status_code == 422
    assert said in answer.text
    assert f'id="{field}-error"' in answer.text


async def test_a_number_is_noted_with_the_words_and_can_be_called(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    shown = await send(
        admin,
        cast.bo,
        "phone",
        phone="+33612345678",
        wording="On the sheet in May.",
        best_time="Evenings",
    )

    assert 'href="tel:+33612345678"' in shown.text
    assert "+33 6 12 34 56 78" in shown.text
    assert "Best time: Evenings" in shown.text
    assert "On the sheet in May." in shown.text
    shown = await send(admin, cast.bo, "phone", phone="+33612345678", never_call="yes")
    assert "Never call" in shown.text
    assert 'href="tel:' not in shown.text
    shown = await send(admin, cast.bo, "phone", phone="+33612345678", forget="yes")
    assert "The telephone number is forgotten." in shown.text
    async with house.work(reading=True) as work:
        assert await phone_store.of(work, cast.bo.no) is None
        assert not (await consents.records_of(work, cast.bo.no))[-1].given


@pytest.mark.parametrize(
    ("typed", "at", "said"),
    [
        ({"phone": "hello", "wording": "Yes."}, "phone", "not a telephone number"),
        ({"phone": "+33612345678"}, "wording", "when and how they agreed"),
    ],
)
async def test_no_number_is_noted_without_words(
    admin: httpx.AsyncClient, cast: Cast, typed: dict[str, str], at: str, said: str
) -> None:
    answer = await send(admin, cast.bo, "phone", **typed)

    assert answer.status_code == 422
    assert said in answer.text
    assert f'id="{at}-error"' in answer.text
    assert f'value="{typed["phone"]}"' in answer.text


async def test_tags_are_put_on_and_taken_off(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    shown = await send(admin, cast.bo, "tags", tag="Night driver")
    assert "Tagged “Night driver”." in shown.text
    assert "Was tagged “Night driver”" in shown.text
    async with house.work(reading=True) as work:
        [tag] = await tag_store.of(work, cast.bo.no)

    assert "No longer tagged" in (await send(admin, cast.bo, "tags", off=tag.uid)).text
    assert "Nothing has changed." in (await send(admin, cast.bo, "tags", off=tag.uid)).text
    answer = await send(admin, cast.bo, "tags", tag="a, b")
    assert answer.status_code == 422
    assert 'id="tag-error"' in answer.text
    assert (await send(admin, cast.bo, "tags", tag="")).status_code == 422


async def test_htmx_is_given_the_tags_alone(admin: httpx.AsyncClient, cast: Cast) -> None:
    shown = await admin.get(page_of(cast.bo))
    csrf = shown.text.partition('name="csrf" value="')[2].partition('"')[0]
    answers = [
        await admin.post(
            page_of(cast.bo, "/tags"),
            data={"csrf": csrf, "tag": typed},
            headers={"hx-request": "true"},
        )
        for typed in ("Driver", "a, b")
    ]

    for answer in answers:
        assert answer.status_code == 200
        assert "<html" not in answer.text
        assert "Driver" in answer.text
    assert "A tag has no comma" in answers[1].text


async def test_fields_are_filled_in_together_or_not_at_all(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work() as work:
        choices = [Choice(name={"en": name}) for name in ("Rail", "Care")]
        several = FieldKind.CHOICES
        await fields.make(work, name={"en": "Sector"}, kind=several, choices=choices)
        await fields.make(work, name={"en": "Age"}, kind=FieldKind.NUMBER)
        await fields.make(work, name={"en": "Contract ends"}, kind=FieldKind.DATE)
    good: dict[str, str | list[str]] = {"field-sector": ["", "care", "rail"], "field-age": "41"}

    wrong = await send(admin, cast.bo, "fields", **good, **{"field-contract-ends": "soon"})
    assert wrong.status_code == 422
    assert 'id="field-contract-ends-error"' in wrong.text
    assert 'value="41"' in wrong.text
    async with house.work(reading=True) as work:
        assert await field_store.values_of(work, [cast.bo.no]) == {}

    shown = await send(admin, cast.bo, "fields", **good, **{"field-contract-ends": "2027-03-31"})
    assert "What we know of them is kept." in shown.text
    for words in ("Rail, Care", "41", "March 31, 2027", "“Sector” was filled in"):
        assert words in shown.text


async def test_a_role_in_a_group_is_said(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    shown = await send(admin, cast.bo, "groups", group=cast.northgate.uid, role="officer")
    assert "Their role in Northgate Transport Branch is changed." in shown.text
    assert "Officer" in shown.text
    await send(admin, cast.bo, "groups", group=cast.harbour.uid, role="rep")

    async with house.work(reading=True) as work:
        roles = {group.no: one.role for group, one in await group_store.belonging(work, cast.bo.no)}
    assert roles == {cast.northgate.no: GroupRole.OFFICER, cast.harbour.no: GroupRole.REP}


async def test_how_they_are_written_to_is_chosen_for_them(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    shown = await send(admin, cast.bo, "writing", pace="weekly", mail_form="plain")
    for words in (
        "Saved.",
        "At most one newsletter a week",
        "As plain text only",
        "Wants at most one newsletter a week",
        "Emails are written as plain text",
    ):
        assert words in shown.text
    again = await send(admin, cast.bo, "writing", pace="weekly", mail_form="plain")
    assert "Nothing has changed." in again.text
    back = await send(admin, cast.bo, "writing", pace="level", mail_form="usual")
    assert "They asked for" not in back.text


async def test_the_timeline_is_narrowed(admin: httpx.AsyncClient, cast: Cast, house: House) -> None:
    async with house.work() as work:
        await tags.tag_many(work, [cast.bo.no], await tags.make(work, name="Driver"))
    theirs = (await admin.get(page_of(cast.bo, "?show=theirs"))).text
    emails = (await admin.get(page_of(cast.bo, "?show=emails"))).text

    assert "Was tagged" not in theirs
    assert "Was tagged" not in emails
    assert "Letter: " in emails
    assert "Letter: " not in theirs


async def test_a_viewer_reads_no_number(web: httpx.AsyncClient, cast: Cast, house: House) -> None:
    async with house.work() as work:
        await phones.note(work, cast.bo, "+33612345678", wording="Yes.", language="en")
        await tags.tag_many(work, [cast.bo.no], await tags.make(work, name="Driver"))
    await signed_in(web, house, await viewer(house))

    shown = (await web.get(page_of(cast.bo))).text

    assert "12 34 56 78" not in shown
    assert "Known to those who may call" in shown
    assert "Driver" in shown


async def test_who_looks_after_one_group_is_told_of_no_other(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work() as work:
        north = await work.session.get_one(Group, cast.northgate.no)
        await groups.join(work, cast.gil, north)
        await groups.change_role(work, cast.gil, north, GroupRole.OFFICER)
        await groups.leave(work, cast.gil, north)
        await groups.join(work, cast.gil, north)
    await signed_in(web, house, cast.farid)

    shown = (await web.get(page_of(cast.gil))).text

    assert "Northgate" not in shown
    for words in ("Joined another group", "Left another group", "Has a role in another group"):
        assert words in shown
