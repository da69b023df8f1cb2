"""The finder of every page: a list while one types, a page without a script."""

import httpx
import pytest

from mailer.bootstrap import House
from mailer.campaigns import composing
from tests.cast import Cast
from tests.support.looking import viewer
from tests.support.signing_in import signed_in

pytestmark = pytest.mark.any_database


async def test_every_page_leads_to_it(admin: httpx.AsyncClient, cast: Cast) -> None:
    shown = await admin.get("/admin/levels")
    assert 'action="/admin/find"' in shown.text
    assert 'hx-get="/admin/find"' in shown.text


async def test_people_and_things_are_found_with_a_way_to_each(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    shown = await admin.get("/admin/find?q=bo")
    assert f'href="/admin/people/{cast.bo.uid}"' in shown.text
    assert "bo@example.org" in shown.text
    shown = await admin.get("/admin/find?q=north")
    assert f'href="/admin/people?group={cast.northgate.uid}"' in shown.text
    followed = await admin.get(f"/admin/people?group={cast.northgate.uid}")
    assert "People who belong to Northgate Transport Branch." in followed.text


async def test_htmx_gets_the_list_alone_and_says_how_many(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    shown = await admin.get("/admin/find?q=gil", headers={"hx-request": "true"})
    assert "<html" not in shown.text
    assert 'hx-swap-oob="innerHTML:#hits-said">1 found.' in shown.text
    empty = await admin.get("/admin/find?q=", headers={"hx-request": "true"})
    assert "<a" not in empty.text


@pytest.mark.parametrize("typed", ["", "xyzzy", "<b>", "%00", "x" * 3000])
async def test_whatever_is_typed_is_answered(
    admin: httpx.AsyncClient, cast: Cast, typed: str
) -> None:
    shown = await admin.get("/admin/find", params={"q": typed})
    assert shown.status_code == 200
    assert "<b>”" not in shown.text


async def test_who_does_not_write_finds_no_campaigns(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work() as work:
        await composing.begin(work, name="The right to work")
    await signed_in(web, house, await viewer(house))
    assert "The right to work" not in (await web.get("/admin/find?q=right+to")).text


async def test_a_group_organiser_finds_nobody_outside(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    await signed_in(web, house, cast.farid)
    assert str(cast.bo.uid) not in (await web.get("/admin/find?q=bo")).text
    assert "Northgate" not in (await web.get("/admin/find?q=north")).text
