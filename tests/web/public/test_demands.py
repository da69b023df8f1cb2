"""What we demand, as anybody may read it: nobody's data, nobody's link."""

import re

import httpx
import pytest

from mailer.asks import actions as asks
from mailer.asks import demands
from mailer.asks.model import Ask, Demand
from mailer.bootstrap import House
from mailer.kit.work import Door, Work
from tests import makers as make
from tests.cast import Cast

pytestmark = pytest.mark.any_database


async def raised(work: Work, **said: dict[str, str]) -> Demand:
    demand = await demands.raise_demand(
        work,
        title=said.get("title", {"en": "The right to work", "fr": "Le droit au travail"}),
        text=said.get("text", {"en": "After six months.\n<b>In every job.</b> {{ first_name }}"}),
    )
    demand = await demands.open_demand(work, demand)
    return await demands.describe(
        work,
        demand,
        version=demand.version,
        title=demand.title,
        text=demand.text,
        progress={"en": "Two cities have said yes."},
    )


async def asked(work: Work, demand: Demand, *, yeses: int, title: str) -> Ask:
    ask = await make.ask(work, title, demand_no=demand.no, minutes=10)
    for person in await make.people(work, yeses):
        await asks.pledge(work, person, ask)
    return ask


async def test_there_may_be_none_yet(web: httpx.AsyncClient, cast: Cast) -> None:
    page = await web.get("/demands")
    assert page.status_code == 200
    assert "None yet" in page.text


async def test_a_demand_is_told_with_what_was_reached_and_what_can_be_done(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work(door=Door.CLI) as work:
        demand = await raised(work)
        await asked(work, demand, yeses=5, title="Write a letter")
        await asked(work, demand, yeses=4, title="Come along")
        closed = await asked(work, demand, yeses=0, title="It is too late")
        await asks.close_ask(work, closed)
        await make.ask(work, "Of no demand")

    assert f'href="/demands/{demand.uid}"' in (await web.get("/demands")).text
    page = (await web.get(f"/demands/{demand.uid}")).text
    assert "<title>The right to work" in page
    assert "Two cities have said yes." in page
    assert "Write a letter" in page
    assert "5 people said yes" in page
    assert "Come along" in page
    assert "4 people" not in page, "few could be counted on fingers"
    assert "It is too late" not in page
    assert "Of no demand" not in page
    assert "<b>" not in page, "what organisers write is words"


async def test_it_holds_nobodys_link_and_says_join(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work(door=Door.CLI) as work:
        demand = await raised(work)
    page = (await web.get(f"/demands/{demand.uid}")).text
    assert not re.search(r'href="/[lu]/', page)
    buttons = re.findall(r'<a class="(btn[^"]*)" href="(/join|/my)"', page)
    assert {to for _look, to in buttons} == {"/join", "/my"}
    assert len({look for look, _to in buttons}) == 1, "both weigh the same"


async def test_it_is_read_in_a_language_that_it_has(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work(door=Door.CLI) as work:
        demand = await raised(work)
    french = (await web.get(f"/demands/{demand.uid}?language=fr")).text
    assert '<div class="wrap" lang="fr" dir="ltr">' in french
    assert "Le droit au travail</h1>" in french
    assert f'href="/demands/{demand.uid}?language=en"' in french
    assert "The right to work</h1>" in (await web.get(f"/demands/{demand.uid}?language=xx")).text


async def test_drafts_and_what_is_over_are_not_there_and_what_is_won_is(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work(door=Door.CLI) as work:
        draft = await demands.raise_demand(work, title={"en": "A thought"}, text={})
        over = await raised(work, title={"en": "Given up"})
        await demands.close(work, over)
        won = await raised(work, title={"en": "Won at last"})
        await demands.win(work, won)

    listed = (await web.get("/demands")).text
    assert "Won at last" in listed
    assert "Won on" in (await web.get(f"/demands/{won.uid}")).text
    for demand in (draft, over):
        assert demand.title["en"] not in listed
        assert (await web.get(f"/demands/{demand.uid}")).status_code == 404
    assert (await web.get("/demands/nothing")).status_code == 404
