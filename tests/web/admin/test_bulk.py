"""Doing one thing to many: from the ticks on the page of people to the undo."""

import re
from typing import Any

import httpx
import pytest

from mailer.bootstrap import House
from mailer.bulk import actions as bulk
from mailer.bulk import store
from mailer.bulk.model import BulkAct, BulkState, Deed
from mailer.kit.work import Door
from mailer.tags import actions as tagging
from mailer.tags import store as tags
from mailer.tags.model import Tag
from tests import makers as make
from tests.cast import Cast
from tests.support.looking import viewer
from tests.support.signing_in import post, signed_in

pytestmark = pytest.mark.any_database


async def driver(house: House) -> Tag:
    async with house.work(door=Door.CLI) as work:
        return await tagging.make(work, name="Driver")


async def have(house: House, tag: Tag) -> int:
    async with house.work(reading=True) as work:
        return (await tags.how_many_have(work, tag.no)).get(tag.no, 0)


async def act_of(house: House, path: str) -> BulkAct:
    async with house.work(reading=True) as work:
        found = await store.named(work, path.rsplit("/", maxsplit=1)[-1])
        assert found
        return found


async def posted(client: httpx.AsyncClient, path: str, **sent: Any) -> httpx.Response:
    return await post(client, path, sent, page="/admin/people/new")


async def proposed(client: httpx.AsyncClient, **sent: Any) -> httpx.Response:
    """Choose what is done, and see the question that follows."""
    answer = await posted(client, "/admin/bulk", **sent)
    if answer.status_code != 303:
        return answer
    return await client.get(answer.headers["location"])


async def test_ticked_people_are_tagged_after_a_yes(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    tag = await driver(house)
    chosen = await admin.get(
        "/admin/bulk/new",
        params={"deed": "tag", "who": "ticked", "person": [cast.bo.uid, cast.gil.uid]},
    )
    assert "2 people, chosen one by one." in chosen.text
    assert chosen.text.count('name="person"') == 2
    asked = await proposed(
        admin, family="tag", deed="tag", who="ticked", person=cast.bo.uid, tag=tag.uid
    )
    for words in (
        "Put the tag “Driver” on 1 person?",
        "It really changes this one person.",
        "Nobody gets an email about it.",
        "You can undo it for 30 days",
    ):
        assert words in asked.text
    assert asked.text.index('value="no"') < asked.text.index('value="yes"')
    assert await have(house, tag) == 0

    here = asked.url.path
    answer = await posted(admin, f"{here}/decision", answer="yes")
    done = await admin.get(answer.headers["location"])
    assert "1 of 1 done" in done.text
    assert await have(house, tag) == 1
    await posted(admin, f"{here}/undo")
    undone = await admin.get(here)
    assert "1 of 1 looked at" in undone.text
    assert await have(house, tag) == 0
    assert "The tag “Driver” for 1 person" in (await admin.get("/admin/bulk")).text


async def test_everybody_on_a_page_and_everybody_who_matches(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    tag = await driver(house)
    page = await admin.get("/admin/people?tier=supporter")
    shown = re.findall(r'name="shown" value="([^"]+)"', page.text)
    [tree] = re.findall(r'<input type="hidden" name="tree" value="([^"]+)"', page.text)
    assert set(shown) == {cast.bo.uid, cast.chidi.uid}
    asked = await admin.get(
        "/admin/bulk/new", params={"deed": "tag", "who": "shown", "shown": shown}
    )
    assert "2 people, chosen one by one." in asked.text
    tree = tree.replace("&#34;", '"')
    asked = await admin.get(
        "/admin/bulk/new", params={"deed": "tag", "who": "all", "tree": tree, "shown": shown}
    )
    assert "People who are on the level Supporter." in asked.text
    question = await proposed(admin, family="tag", who="all", tree=tree, tag=tag.uid)
    assert (await act_of(house, question.url.path)).touches == 2


async def test_nobody_ticked_is_said(admin: httpx.AsyncClient, cast: Cast) -> None:
    for query in ("deed=tag&who=ticked", "deed=nothing&who=all", ""):
        answer = await admin.get(f"/admin/bulk/new?{query}")
        assert answer.headers["location"] == "/admin/people"
        assert "Nobody was ticked." in (await admin.get("/admin/people")).text


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"family": "tag"}, "Please choose a tag."),
        ({"family": "tier"}, "Please choose a level."),
        ({"family": "tier", "tier": "supporter"}, "Please say why."),
        ({"family": "group", "deed": "leave_group"}, "Please choose a group."),
        ({"family": "list"}, "Please choose a list."),
        ({"family": "pause", "days": "400"}, "A pause lasts from 1 to 365 days."),
        ({"family": "pause", "days": "soon"}, "whole number"),
        ({"family": "take_off", "person": "nowhere"}, "Nobody was chosen"),
    ],
)
async def test_what_is_missing_is_said_where_it_is(
    admin: httpx.AsyncClient, cast: Cast, sent: dict[str, str], said: str
) -> None:
    answer = await proposed(admin, **{"who": "ticked", "person": cast.bo.uid, **sent})
    assert answer.status_code in {409, 422}
    assert said in answer.text
    assert 'id="errors-title"' in answer.text


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (
            {"family": "tier", "tier": "activist", "reason": "They ran the stall."},
            "1 person get an email with your reason",
        ),
        ({"family": "list", "list": "bulletin"}, "are on the list when they say yes"),
        ({"family": "list", "deed": "leave_list", "list": "bulletin"}, "Nobody gets an email"),
        ({"family": "pause", "days": "14"}, "that says until when"),
        ({"family": "take_off"}, "no file and no form brings them back"),
    ],
)
async def test_the_question_says_what_each_is_told(
    admin: httpx.AsyncClient, cast: Cast, sent: dict[str, str], said: str
) -> None:
    asked = await proposed(admin, who="ticked", person=cast.bo.uid, **sent)
    assert asked.status_code == 200
    assert said in asked.text


async def test_a_group_and_a_role(admin: httpx.AsyncClient, cast: Cast) -> None:
    asked = await proposed(
        admin,
        family="group",
        who="ticked",
        person=cast.bo.uid,
        group=cast.harbour.uid,
        role="officer",
    )
    assert "into Harbour Workers’ Centre, each as an officer?" in asked.text


async def test_many_need_their_number_typed(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    tag = await driver(house)
    async with house.work(door=Door.CLI) as work:
        await make.people(work, 120)
    asked = await proposed(admin, family="tag", who="all", tree="", tag=tag.uid)
    assert "Type how many people it touches" in asked.text
    here = asked.url.path
    for typed, said in (("", "Please type the number of people, 124"), ("x", "whole number")):
        answer = await posted(admin, f"{here}/decision", answer="yes", number=typed)
        assert answer.status_code == 422
        assert said in answer.text
    answer = await posted(admin, f"{here}/decision", answer="yes", number="1 2,4")
    busy = await admin.get(answer.headers["location"])
    assert "0 of 124 done" in busy.text
    assert f'hx-get="{here}/progress" hx-trigger="every 2s"' in busy.text
    progress = await admin.get(f"{here}/progress")
    assert "<html" not in progress.text
    assert "hx-refresh" not in progress.headers

    await posted(admin, f"{here}/stop")
    assert "Stopped. What was done stays" in (await admin.get(here)).text
    assert (await admin.get(f"{here}/progress")).headers["hx-refresh"] == "true"
    await posted(admin, f"{here}/stop")  # twice is once
    await posted(admin, f"{here}/undo")
    assert "There is nothing here" in (await admin.get(here)).text


async def test_no_and_nothing_change_nothing(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    asked = await proposed(admin, family="take_off", who="ticked", person=cast.bo.uid)
    here = asked.url.path
    unsaid = await posted(admin, f"{here}/decision")
    assert unsaid.headers["location"] == here
    assert (await act_of(house, here)).state is BulkState.WAITING
    no = await posted(admin, f"{here}/decision", answer="no")
    assert no.headers["location"] == "/admin/people"
    assert (await admin.get(here)).status_code == 404


async def test_why_it_ended_early_is_said(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    tag = await driver(house)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        act = await bulk.propose(work, Deed.TAG, {"tag": tag.no}, uids=[cast.bo.uid])
        await bulk.confirm(work, act)
        await tagging.close(work, await work.session.get_one(Tag, tag.no))
    await bulk.drive(house, act.uid)
    shown = await admin.get(f"/admin/bulk/{act.uid}")
    assert "It ended early." in shown.text
    assert "This tag is closed." in shown.text


async def test_a_group_organiser_touches_their_people_alone(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    tag = await driver(house)
    await signed_in(web, house, cast.farid)
    asked = await proposed(web, family="tag", who="all", tree="", tag=tag.uid)
    assert (await act_of(house, asked.url.path)).touches == 1
    refused = await proposed(web, family="tag", who="ticked", person=cast.bo.uid, tag=tag.uid)
    assert "Nobody was chosen" in refused.text
    group = await proposed(web, family="group", who="all", tree="", group=cast.northgate.uid)
    assert group.status_code == 403
    assert "Northgate" not in (await web.get("/admin/bulk/new?deed=group&who=all")).text


async def test_nobody_decides_what_another_has_counted(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        act = await bulk.propose(work, Deed.TAKE_OFF, {}, uids=[cast.bo.uid])
    await signed_in(web, house, cast.esra)
    for form in ("", "/progress"):
        assert (await web.get(f"/admin/bulk/{act.uid}{form}")).status_code == 404
    for form in ("decision", "stop", "undo"):
        answer = await posted(web, f"/admin/bulk/{act.uid}/{form}", answer="yes")
        assert answer.status_code == 404


async def test_a_viewer_is_offered_nothing(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    await signed_in(web, house, await viewer(house))
    assert "/admin/bulk" not in (await web.get("/admin/people")).text
    assert (await web.get("/admin/bulk/new?deed=tag&who=all")).status_code == 403
