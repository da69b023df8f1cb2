"""The pages of the groups: who has how many members, founding one, renaming it."""

import httpx
import pytest
from sqlalchemy import delete

from mailer.accounts.model import AccountScope
from mailer.bootstrap import House
from mailer.groups import store
from mailer.groups.model import Group
from mailer.subscribers.model import Membership
from tests.cast import Cast
from tests.support.forms import form_on
from tests.support.looking import viewer
from tests.support.signing_in import post, signed_in

PAGE = "/admin/groups"
NOBODY = "/admin/groups/00000000-0000-7000-8000-000000000000"


async def named(house: House, name: str) -> Group | None:
    async with house.work(reading=True) as work:
        return await store.by_name(work, name)


async def test_each_leads_to_its_people(admin: httpx.AsyncClient, cast: Cast) -> None:
    shown = (await admin.get(PAGE)).text

    assert f'href="/admin/people?group={cast.northgate.uid}">Northgate Transport Branch<' in shown
    assert '<td role="cell" class="n " data-l="Members"><span>2</span></td>' in shown
    people = (await admin.get(f"/admin/people?group={cast.harbour.uid}")).text
    assert "gil@example.org" in people
    assert "bo@example.org" not in people


async def test_a_group_is_founded_and_said_so(admin: httpx.AsyncClient, house: House) -> None:
    answer = await post(admin, PAGE, {"name": " Care  Staff ", "place": "Lyon"})
    shown = (await admin.get(answer.headers["location"])).text

    founded = await named(house, "care staff")
    assert founded is not None
    assert (founded.name, founded.place) == ("Care Staff", "Lyon")
    assert "Care Staff is founded. Nobody is in it yet." in shown


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Please fill this in."),
        ("x" * 161, "This is too long: 160 characters at most."),
        ("northgate  transport BRANCH", "There is a group of this name already."),
    ],
)
async def test_a_name_is_needed_and_is_one_groups_alone(
    admin: httpx.AsyncClient, cast: Cast, typed: str, said: str
) -> None:
    for page in (PAGE, f"{PAGE}/{cast.harbour.uid}"):
        answer = await post(admin, page, {"name": typed, "place": "Lyon"})

        assert answer.status_code == 422
        assert '<a href="#name">' in answer.text
        assert said in answer.text
        kept = form_on(answer.text, holding="place")
        assert (kept["name"], kept["place"]) == (typed, "Lyon")


async def test_a_group_is_renamed_and_keeps_its_people(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    page = f"{PAGE}/{cast.northgate.uid}"
    kept = form_on((await admin.get(page)).text, holding="place")

    answer = await post(admin, page, {**kept, "name": "Northgate 114"})
    shown = (await admin.get(answer.headers["location"])).text

    assert kept["place"] == "Northgate"
    renamed = await named(house, "Northgate 114")
    assert renamed is not None
    assert (renamed.no, renamed.place) == (cast.northgate.no, "Northgate")
    assert "Northgate 114 is saved." in shown
    assert '<td role="cell" class="n " data-l="Members"><span>2</span></td>' in shown


async def test_a_group_that_is_none_is_not_found(admin: httpx.AsyncClient) -> None:
    answer = await admin.get(NOBODY)

    assert answer.status_code == 404
    assert "There is no such group" in answer.text


async def test_before_the_first_one_the_page_says_what_groups_are_for(
    admin: httpx.AsyncClient, house: House
) -> None:
    async with house.work() as work:
        for kind in (Membership, AccountScope, Group):
            await work.session.execute(delete(kind))

    shown = (await admin.get(PAGE)).text

    assert "There are no groups yet" in shown
    assert "Found the group" in shown


async def test_a_viewer_sees_them_and_founds_none(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, await viewer(house))

    shown = (await web.get(PAGE)).text
    answers = [
        await web.get(f"{PAGE}/{cast.harbour.uid}"),
        await post(web, PAGE, {"name": "Mine"}),
        await post(web, f"{PAGE}/{cast.harbour.uid}", {"name": "Mine"}, page=PAGE),
    ]

    assert "Northgate Transport Branch" in shown
    assert "Found a group" not in shown
    assert "Rename" not in shown
    assert {answer.status_code for answer in answers} == {403}


async def test_farid_sees_his_own_and_founds_and_renames_none(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, cast.farid)

    shown = (await web.get(PAGE)).text
    answers = [
        await post(web, PAGE, {"name": "Mine"}),
        *[await web.get(f"{PAGE}/{one.uid}") for one in (cast.harbour, cast.northgate)],
        await web.get(NOBODY),
        await post(web, f"{PAGE}/{cast.harbour.uid}", {"name": "Mine"}, page=PAGE),
    ]

    assert "Harbour Workers’ Centre" in shown
    assert "Northgate" not in shown
    assert "Found a group" not in shown
    assert "Rename" not in shown
    assert {answer.status_code for answer in answers} == {403}
    assert "Founding and renaming are for those who look after all." in answers[0].text
    assert await named(house, "Mine") is None


async def test_without_a_group_farid_is_told_why_he_sees_nobody(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work() as work:
        await work.session.execute(delete(AccountScope))
    await signed_in(web, house, cast.farid)

    shown = (await web.get(PAGE)).text

    assert "You look after no group yet" in shown
    assert "Harbour" not in shown
