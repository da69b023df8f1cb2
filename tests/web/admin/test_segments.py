"""Segments: saving a question, changing it, why somebody is in it, and closing it."""

import re

import httpx
import pytest

from mailer.bootstrap import House
from mailer.campaigns import store as campaigns
from mailer.kit.work import Door
from mailer.segments import saving
from mailer.segments import store as segments
from mailer.segments.asking import Tree
from mailer.segments.model import Segment
from tests import makers as make
from tests.cast import Cast
from tests.support.signing_in import post as post_from
from tests.support.signing_in import signed_in
from web.admin import building

pytestmark = pytest.mark.any_database


def of_northgate(cast: Cast) -> Tree:
    return {"all": [{"is": "group", "group": str(cast.northgate.no)}]}


async def saved(house: House, cast: Cast, name: str = "Northgate") -> Segment:
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        return await saving.save(work, name=name, tree=of_northgate(cast))


async def post(
    client: httpx.AsyncClient, path: str, sent: dict[str, str] | None = None
) -> httpx.Response:
    return await post_from(client, path, sent, page="/admin/people/new")


async def again(house: House, segment: Segment) -> Segment:
    async with house.work(reading=True) as work:
        found = await segments.by_uid(work, segment.uid)
        assert found
        return found


async def test_a_question_is_saved_under_a_name(admin: httpx.AsyncClient, cast: Cast) -> None:
    asked = await admin.get("/admin/segments/new" + building.query(of_northgate(cast)))
    assert "People who belong to Northgate Transport Branch." in asked.text
    assert '<strong class="big__n">2</strong>' in asked.text
    answer = await post(
        admin,
        "/admin/segments",
        {"name": "Northgate", "tree": building.written(of_northgate(cast))},
    )
    shown = await admin.get(answer.headers["location"])
    for words in ("Saved as “Northgate”.", "1 of them would not get an email today", "Version 1"):
        assert words in shown.text
    listed = await admin.get("/admin/segments")
    assert "Northgate" in listed.text
    assert "People who belong to Northgate Transport Branch." in listed.text


async def test_what_asks_nothing_is_not_saved(admin: httpx.AsyncClient, cast: Cast) -> None:
    answer = await admin.get("/admin/segments/new")
    assert answer.headers["location"] == "/admin/people"
    answer = await post(admin, "/admin/segments", {"name": "Nobody", "tree": ""})
    assert answer.status_code == 422
    assert "This asks nothing yet" in answer.text


@pytest.mark.parametrize(("name", "said"), [("", "Please fill this in."), ("northGATE", "already")])
async def test_a_name_is_needed_and_is_its_own(
    admin: httpx.AsyncClient, cast: Cast, house: House, name: str, said: str
) -> None:
    await saved(house, cast)
    tree = building.written(of_northgate(cast))
    answer = await post(admin, "/admin/segments", {"name": name, "tree": tree})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'id="name-error"' in answer.text


async def test_it_is_changed_on_the_page_of_people_and_keeps_what_it_asked(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    segment = await saved(house, cast)
    page = await admin.get(f"/admin/segments/{segment.uid}")
    change = re.search(r'href="(/admin/people\?[^"]+segment=[^"]+)"', page.text)
    assert change
    building_it = await admin.get(change[1].replace("&amp;", "&"))
    assert "You are changing the segment “Northgate”." in building_it.text
    new = {"all": [{"is": "group", "group": str(cast.harbour.no)}]}
    sent = {"tree": building.written(new), "version": "1"}
    answer = await post(admin, f"/admin/segments/{segment.uid}/question", sent)
    shown = await admin.get(answer.headers["location"])
    assert "It asks this from now on." in shown.text
    assert "2 versions" in shown.text
    late = await post(admin, f"/admin/segments/{segment.uid}/question", sent)
    assert "Somebody changed this segment" in (await admin.get(late.headers["location"])).text


async def test_why_somebody_is_in_or_out_is_told_condition_by_condition(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    segment = await saved(house, cast)
    found = await admin.get(f"/admin/segments/{segment.uid}?q=gil")
    assert f"?person={cast.gil.uid}#why" in found.text
    told = await admin.get(f"/admin/segments/{segment.uid}?person={cast.gil.uid}")
    assert "is not in it" in told.text
    assert "belong to Northgate Transport Branch" in told.text
    told = await admin.get(f"/admin/segments/{segment.uid}?person={cast.bo.uid}")
    assert "is in it" in told.text
    nobody = await admin.get(f"/admin/segments/{segment.uid}?person=nowhere&q=xyzzy")
    assert nobody.status_code == 200


async def test_its_people_are_counted_by_themselves(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    segment = await saved(house, cast)
    listed = await admin.get("/admin/segments")
    assert f'hx-get="/admin/segments/{segment.uid}/count"' in listed.text
    count = await admin.get(f"/admin/segments/{segment.uid}/count")
    assert count.text.strip().startswith("2")
    assert "<html" not in count.text


async def test_it_is_renamed(admin: httpx.AsyncClient, cast: Cast, house: House) -> None:
    segment = await saved(house, cast)
    await saved(house, cast, "Another")
    answer = await post(admin, f"/admin/segments/{segment.uid}/name", {"name": "another"})
    assert answer.status_code == 422
    answer = await post(admin, f"/admin/segments/{segment.uid}/name", {"name": "The north"})
    assert "Its name is “The north” now." in (await admin.get(answer.headers["location"])).text


async def test_writing_to_them_begins_a_campaign_that_goes_by_it(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    segment = await saved(house, cast)
    answer = await post(admin, f"/admin/segments/{segment.uid}/campaign")
    uid = answer.headers["location"].split("/")[3]
    async with house.work(reading=True) as work:
        campaign = await campaigns.by_uid(work, uid)
        assert campaign
        assert (campaign.segment_no, campaign.list_no) == (segment.no, cast.bulletin.no)
    asked = {"name": "New", "tree": building.written(of_northgate(cast)), "then": "write"}
    answer = await post(admin, "/admin/segments", asked)
    assert answer.headers["location"].endswith("/write")


async def test_what_goes_by_it_is_shown_before_it_is_closed(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    segment = await saved(house, cast)
    await post(admin, f"/admin/segments/{segment.uid}/campaign")
    asked = await admin.get(f"/admin/segments/{segment.uid}/closing")
    assert "It is in use." in asked.text
    assert 'value="yes"' not in asked.text
    answer = await post(admin, f"/admin/segments/{segment.uid}/closing", {"answer": "yes"})
    assert "is used by" in (await admin.get(answer.headers["location"])).text
    assert (await again(house, segment)).closed_at is None


async def test_closing_asks_first(admin: httpx.AsyncClient, cast: Cast, house: House) -> None:
    segment = await saved(house, cast)
    here = f"/admin/segments/{segment.uid}"
    asked = await admin.get(f"{here}/closing")
    assert asked.text.index('value="no"') < asked.text.index('value="yes"')
    await post(admin, f"{here}/closing", {"answer": "no"})
    assert (await again(house, segment)).closed_at is None
    answer = await post(admin, f"{here}/closing", {"answer": "yes"})
    assert "is gone." in (await admin.get(answer.headers["location"])).text
    assert (await admin.get(here)).status_code == 404


async def test_a_group_organiser_saves_their_own_and_leaves_others_alone(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    segment = await saved(house, cast)
    async with house.work() as work:
        farid = make.seen_by(work, cast.harbour, account=cast.farid.no)
        mine = await saving.save(farid, name="Mine", tree={"everybody": True})
    await signed_in(web, house, cast.farid)
    here = f"/admin/segments/{segment.uid}"
    shown = await web.get(here)
    assert "Northgate Transport" not in shown.text
    assert '<strong class="big__n">0</strong>' in shown.text
    for form, sent in (
        ("name", {"name": "Theirs"}),
        ("question", {"tree": '{"everybody":true}', "version": "1"}),
        ("closing", {"answer": "yes"}),
    ):
        await post(web, f"{here}/{form}", sent)
    after = await again(house, segment)
    assert (after.name, after.version, after.closed_at) == ("Northgate", 1, None)
    shown = await web.get(f"/admin/segments/{mine.uid}")
    assert '<strong class="big__n">1</strong>' in shown.text
    assert "Rename it" in shown.text
    assert (await post(web, f"{here}/campaign")).status_code == 403
