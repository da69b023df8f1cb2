"""The pages of the tags: making one, renaming it, closing it unless a segment asks for it."""

import httpx
import pytest

from mailer.bootstrap import House
from mailer.segments import saving
from mailer.tags import actions
from mailer.tags import store as tags
from mailer.tags.model import Tag
from tests.cast import Cast
from tests.support.looking import viewer
from tests.support.signing_in import post, signed_in

pytestmark = pytest.mark.any_database

PAGE = "/admin/tags"


@pytest.fixture
async def driver(house: House, cast: Cast) -> Tag:
    async with house.work() as work:
        tag = await actions.make(work, name="Driver")
        await actions.tag_many(work, [cast.bo.no, cast.gil.no], tag)
    return tag


async def made(house: House, name: str) -> Tag | None:
    async with house.work(reading=True) as work:
        return (await tags.by_names(work, [name])).get(name)


async def after(client: httpx.AsyncClient, answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return (await client.get(answer.headers["location"])).text


async def test_a_tag_is_made_and_said_so(admin: httpx.AsyncClient, house: House) -> None:
    assert "There are no tags yet" in (await admin.get(PAGE)).text

    shown = await after(admin, await post(admin, PAGE, {"name": " Night  driver "}))

    assert "There is a tag “Night driver”." in shown
    assert await made(house, "night driver") is not None


async def test_what_is_no_tag_is_refused_where_it_was_typed(admin: httpx.AsyncClient) -> None:
    answer = await post(admin, PAGE, {"name": "bus, train"})

    assert answer.status_code == 422
    assert "A tag has no comma" in answer.text
    assert 'value="bus, train"' in answer.text


async def test_a_tag_is_renamed(admin: httpx.AsyncClient, house: House, driver: Tag) -> None:
    at = f"{PAGE}/{driver.uid}"
    shown = (await admin.get(at)).text
    assert 'value="Driver"' in shown
    assert "2 people" in shown

    assert "called “Van driver”" in await after(
        admin, await post(admin, at, {"name": "Van driver"})
    )
    answer = await post(admin, at, {"name": ""})
    assert answer.status_code == 422
    assert "Please fill this in." in answer.text
    assert (await admin.get(f"{PAGE}/nowhere")).status_code == 404


async def test_a_tag_is_closed_and_opened_again(
    admin: httpx.AsyncClient, house: House, driver: Tag
) -> None:
    at = f"{PAGE}/{driver.uid}"

    shown = await after(admin, await post(admin, f"{at}/closing", {}, page=at))
    assert "Who has it keeps it." in shown
    assert "Closed tags" in shown

    shown = await after(admin, await post(admin, f"{at}/closing", {"open": "yes"}, page=at))
    assert "is open again" in shown


async def test_what_a_segment_asks_for_is_not_closed(
    admin: httpx.AsyncClient, house: House, driver: Tag
) -> None:
    async with house.work() as work:
        tree = {"all": [{"is": "tag", "tag": str(driver.no)}]}
        await saving.save(work, name="Drivers", tree=tree)
    at = f"{PAGE}/{driver.uid}"

    shown = await after(admin, await post(admin, f"{at}/closing", {}, page=at))

    assert "Segments ask about this: “Drivers”." in shown
    assert '<a href="/admin/segments/' in shown
    tag = await made(house, "driver")
    assert tag is not None
    assert tag.closed_at is None


async def test_who_may_not_make_tags_sees_them_alone(
    web: httpx.AsyncClient, house: House, cast: Cast, driver: Tag
) -> None:
    await signed_in(web, house, cast.farid)
    shown = (await web.get(PAGE)).text
    assert "Make a tag" not in shown
    assert "Only people you look after are counted." in shown
    for answer in (
        await post(web, PAGE, {"name": "Mine"}),
        await web.get(f"{PAGE}/{driver.uid}"),
        await post(web, f"{PAGE}/{driver.uid}/closing", {}, page=PAGE),
    ):
        assert answer.status_code == 403


async def test_a_viewer_changes_none(web: httpx.AsyncClient, house: House, driver: Tag) -> None:
    await signed_in(web, house, await viewer(house))

    assert "Make a tag" not in (await web.get(PAGE)).text
    assert (await post(web, PAGE, {"name": "Mine"})).status_code == 403
