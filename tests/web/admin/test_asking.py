"""Building a question as a sentence, without a script: every button gives the whole tree back."""

import html
import json
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from mailer.bootstrap import House
from mailer.kit.work import Door
from mailer.tags import actions as tagging
from tests.cast import Cast
from tests.support.signing_in import post, signed_in
from web.admin import building

pytestmark = pytest.mark.any_database

Fields = dict[str, Any]


def fields_of(shown: httpx.Response) -> Fields:
    """Read the question's form off a page, as a browser would send it untouched."""
    [form] = re.findall(r'<form class="sentence".*?</form>', shown.text, re.DOTALL)
    fields: Fields = {}
    for name, chosen in re.findall(
        r'<select id="[^"]*" name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL
    ):
        options = re.findall(r'<option value="([^"]*)"( selected)?', chosen)
        ticked = [value for value, selected in options if selected] or [options[0][0]]
        fields[name] = html.unescape(ticked[0])
    for tag in re.findall(r"<input[^>]+>", form):
        name = re.search(r' name="([^"]+)"', tag)
        value = re.search(r' value="([^"]*)"', tag)
        if name and (' type="checkbox"' not in tag or " checked" in tag):
            fields[name[1]] = html.unescape(value[1]) if value else ""
    return fields


async def asked(client: httpx.AsyncClient, fields: Fields) -> httpx.Response:
    return await post(client, "/admin/people/question", fields, page="/admin/people")


async def pressed(
    client: httpx.AsyncClient, shown: httpx.Response, button: str, **changed: str
) -> httpx.Response:
    """Change some fields, press a button, and go where it leads."""
    fields = fields_of(shown) | {name.replace("__", ":"): one for name, one in changed.items()}
    answer = await asked(client, {**fields, "do": button})
    assert answer.status_code == 303, answer.text
    return await client.get(answer.headers["location"])


def tree_at(shown: httpx.Response) -> Any:
    """Read the question out of the address of a page."""
    asked = parse_qs(urlsplit(str(shown.url)).query).get("tree")
    return json.loads(asked[0]) if asked else None


def names(shown: httpx.Response) -> set[str]:
    return set(
        re.findall(r'<a class="anywhere" href="/admin/people/[^"]+">([^<]+)</a>', shown.text)
    )


async def test_a_question_is_built_button_by_button(admin: httpx.AsyncClient, cast: Cast) -> None:
    page = await admin.get("/admin/people")
    assert "Nothing is asked yet, so everybody is shown." in page.text

    page = await pressed(admin, page, "add ")
    [first] = tree_at(page)["all"]  # it begins with the first that can be asked, complete
    assert "Something is still to be said" not in page.text

    page = await pressed(admin, page, "show", **{"t.0__is": "is:group"})
    assert tree_at(page)["all"] == [{"is": "group", "group": "any"}]
    page = await pressed(admin, page, "show", **{"t.0__said.group": str(cast.northgate.no)})
    assert names(page) == {"Bo", "Chidi"}
    assert "People who belong to Northgate Transport Branch." in page.text
    assert "1 of them would not get an email today" in page.text

    page = await pressed(admin, page, "except ")
    page = await pressed(admin, page, "show", **{"t.1.0__is": "is:state"})
    page = await pressed(admin, page, "show", **{"t.1.0__said.state": "unsubscribed"})
    assert names(page) == {"Bo"}

    page = await pressed(admin, page, "remove 1.0")
    assert tree_at(page) == {"all": [{"is": "group", "group": str(cast.northgate.no)}]}
    page = await pressed(admin, page, "show", t__nest="none")
    assert names(page) == {"Gil", "Dana"}
    page = await pressed(admin, page, "remove 0")
    assert tree_at(page) is None
    assert first["is"] == "tier"


async def test_the_contrary_is_one_choice_away(admin: httpx.AsyncClient, cast: Cast) -> None:
    page = await admin.get(f"/admin/people?group={cast.northgate.uid}")
    page = await pressed(admin, page, "show", **{"t.0__is": "not:group"})
    assert tree_at(page) == {"all": [{"not": "group", "group": str(cast.northgate.no)}]}
    assert names(page) == {"Gil", "Dana"}


async def test_groups_of_conditions_nest(admin: httpx.AsyncClient, cast: Cast) -> None:
    page = await pressed(admin, await admin.get("/admin/people"), "nest ")
    page = await pressed(admin, page, "nest 0")
    page = await pressed(admin, page, "add 0.1")
    tree = tree_at(page)
    assert len(tree["all"][0]["any"][1]["any"]) == 2
    page = await pressed(admin, page, "remove 0.1")
    assert len(tree_at(page)["all"][0]["any"]) == 1


async def test_everybody_is_a_choice_that_is_spelled_out(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    page = await pressed(admin, await admin.get("/admin/people"), "add ")
    page = await pressed(admin, page, "show", **{"t.0__is": "is:everybody"})
    assert tree_at(page) == {"all": [{"everybody": True}]}
    assert names(page) == {"Bo", "Chidi", "Gil", "Dana"}
    assert "People who are on the roll." in page.text


async def test_a_search_goes_along(admin: httpx.AsyncClient, cast: Cast) -> None:
    page = await admin.get("/admin/people?tier=supporter&q=chi")
    assert names(page) == {"Chidi"}
    page = await pressed(admin, page, "show", q="bo")
    assert names(page) == {"Bo"}
    assert "q=bo" in str(page.url)


async def test_htmx_gets_the_question_and_its_answer_and_the_address(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    page = await admin.get("/admin/people?tier=supporter")
    fields = fields_of(page) | {"t.0:said.tier": str(cast.follower.no)}
    answer = await admin.post("/admin/people/question", data=fields, headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert names(answer) == {"Gil", "Dana"}
    assert 'hx-swap-oob="innerHTML:#how-many">2 people match<' in answer.text
    shared = await admin.get(answer.headers["hx-push-url"])
    assert names(shared) == {"Gil", "Dana"}


async def test_what_is_gone_is_said_where_it_stands_and_counts_nobody(
    admin: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    async with house.work(door=Door.ADMIN) as work:
        tag = await tagging.make(work, name="Driver")
        await tagging.tag_many(work, [cast.bo.no], tag)
        await tagging.close(work, tag)
    page = await admin.get("/admin/people" + building.query({"is": "tag", "tag": str(tag.no)}))
    assert "What this asks about is not here any more." in page.text
    assert names(page) == set()
    # Whatever else is pressed, nothing is put in its place.
    page = await pressed(admin, page, "add ")
    assert tree_at(page)["all"][0] == {"is": "tag", "tag": str(tag.no)}


@pytest.mark.parametrize(
    "asked",
    [
        "{",
        "[]",
        "7",
        '"x"',
        '{"all":7}',
        '{"is":["tag"]}',
        "[" * 9000,
        '{"all":' * 900,
        "x" * 20000,
    ],
)
async def test_what_is_no_question_is_refused_in_words(
    admin: httpx.AsyncClient, cast: Cast, asked: str
) -> None:
    shown = await admin.get("/admin/people?" + urlencode({"tree": asked}))
    assert shown.status_code == 422
    assert "We could not read this question." in shown.text


@pytest.mark.parametrize(
    "sent",
    [
        {"t.0.0.0:is": "is:tier"},
        {"t:nest": "some", "t.0:is": "perhaps:tier"},
        {"t.0:is": "is:nothing", "t.0:was": "nothing", "t.0:said.x": "y"},
        {"t.5:nest": "all", "do": "add 9.9"},
        {"do": "remove 0"},
        {"do": "remove "},
        {"t:nest": "any", "do": "explode 0"},
        {"t" + ".0" * 40 + ":nest": "all"},
    ],
)
async def test_a_form_that_no_page_of_ours_has_does_no_harm(
    admin: httpx.AsyncClient, cast: Cast, sent: dict[str, str]
) -> None:
    answer = await asked(admin, sent)
    assert answer.status_code in {303, 422}
    if answer.status_code == 303:
        assert (await admin.get(answer.headers["location"])).status_code in {200, 422}


async def test_a_group_organiser_asks_about_their_people_alone(
    web: httpx.AsyncClient, cast: Cast, house: House
) -> None:
    await signed_in(web, house, cast.farid)
    everybody = {"all": [{"everybody": True}]}
    assert names(await web.get("/admin/people" + building.query(everybody))) == {"Gil"}
    outside = {"all": [{"not": "group", "group": str(cast.northgate.no)}]}
    shown = await web.get("/admin/people" + building.query(outside))
    assert "Northgate" not in shown.text
    assert names(shown) == set()  # that group is not there to be asked about
