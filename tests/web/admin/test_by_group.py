"""How far an ask, or a demand, has come in each group and sector: the pages of both."""

import re
from typing import Any

import httpx

from mailer.asks import pledging, reporting
from mailer.asks.model import Ask
from mailer.bootstrap import House
from mailer.groups import actions as groups
from mailer.kit.work import Door
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import opened, raised
from tests.support.signing_in import signed_in
from tests.support.tables import cells


def at_ask(ask: Ask, more: str = "") -> str:
    return f"/admin/asks/{ask.uid}{more}"


async def spread(house: House, cast: Cast, **said: Any) -> Ask:
    """Let seven of Northgate and Gil of Harbour say yes, and one of each do it."""
    ask = await opened(house, **said)
    async with house.work(door=Door.PAGE) as work:
        many = await make.people(work, 7, tier=cast.follower, group=cast.northgate)
        for person in [*many, cast.gil]:
            await pledging.pledge(work, person, ask)
        for person in [many[0], cast.gil]:
            await reporting.report_done(work, person, ask)
    return ask


async def test_how_far_each_group_and_sector_has_come(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    empty = (await admin.get(at_ask(await opened(house, "Nobody yet"), "/groups"))).text
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await groups.describe(work, cast.northgate, name=cast.northgate.name, sector="Transport")
    ask = await spread(house, cast)

    shown = (await admin.get(at_ask(ask, "/groups"))).text

    assert "Nobody of a group answered yet" in empty
    assert f'href="{at_ask(ask, "/groups")}"' in (await admin.get(at_ask(ask))).text
    assert cells(shown, cast.northgate.name, "Said yes") == ["7"]
    assert cells(shown, cast.northgate.name, "Done") == ["1"]
    assert cells(shown, cast.harbour.name, "Said yes") == ["1"]
    assert cells(shown, "Transport", "Said yes") == ["7"]
    assert cells(shown, "No sector said", "Done") == ["1"]


async def test_to_others_numbers_are_rounded_and_small_ones_withheld(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await spread(house, cast)

    shown = (await admin.get(at_ask(ask, "/groups?shared=yes"))).text

    assert cells(shown, cast.northgate.name, "Said yes") == ["5"]
    assert cells(shown, cast.northgate.name, "Done") == ["under 5"]
    assert cells(shown, cast.harbour.name, "Said yes") == ["under 5"]
    assert cells(shown, cast.harbour.name, "Need help") == ["0"]


async def test_to_others_neither_bars_nor_their_order_tell_more_than_the_numbers(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await spread(house, cast)  # seven of Northgate, one of Harbour
    page = at_ask(ask, "/groups")

    exact, shared = [(await admin.get(f"{page}{how}")).text for how in ("", "?shared=yes")]

    assert bars(exact, cast.harbour.name) == [14.29]
    assert bars(shared, cast.harbour.name) == [], "one of seven would be told by its length"
    assert bars(shared, cast.northgate.name) == [100.0], "how many of them did it is not told"


def bars(page: str, head: str) -> list[float]:
    """Give how long the parts of a bar are, in the row of one head."""
    [row] = [one for one in re.findall(r'<tr role="row">.*?</tr>', page, re.DOTALL) if head in one]
    return [float(one) for one in re.findall(r'<rect [^>]*width="([\d.]+)%', row)]


async def test_farid_sees_his_own_group_alone(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await spread(house, cast)
    await signed_in(web, house, cast.farid)

    shown = (await web.get(at_ask(ask, "/groups"))).text

    assert cells(shown, cast.harbour.name, "Said yes") == ["1"]
    assert "Northgate" not in shown


async def test_all_asks_of_a_demand_are_added_up_for_each_group(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    demand = await raised(house, "The right to work")
    page = f"/admin/demands/{demand.uid}"
    empty = (await admin.get(f"{page}/groups")).text
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await groups.describe(work, cast.harbour, name=cast.harbour.name, sector="Ports")
    await spread(house, cast, demand_no=demand.no)
    other = await opened(house, "Other", demand_no=demand.no)
    async with house.work(door=Door.PAGE) as work:
        await pledging.pledge(work, cast.bo, other)
        await pledging.decline(work, cast.gil, other)
    await spread(house, cast)  # serves no demand

    shown = (await admin.get(f"{page}/groups")).text

    assert "Nobody of a group answered yet" in empty
    assert f'href="{page}/groups"' in (await admin.get(page)).text
    assert cells(shown, cast.northgate.name, "Said yes") == ["8"]
    assert cells(shown, cast.northgate.name, "Done") == ["1"]
    assert cells(shown, cast.harbour.name, "Said yes") == ["1"]
    assert cells(shown, "Ports", "Not for them") == ["1"]
    assert "Whoever answered two of the asks counts twice." in shown


async def test_a_demand_shared_tells_no_more_beside_the_page_of_one_of_its_asks(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    demand = await raised(house, "The right to work")
    await spread(house, cast, demand_no=demand.no)
    other = await opened(house, "Other", demand_no=demand.no)
    async with house.work(door=Door.PAGE) as work:
        await pledging.pledge(work, cast.bo, other)

    shown = (await admin.get(f"/admin/demands/{demand.uid}/groups?shared=yes")).text

    assert cells(shown, cast.northgate.name, "Said yes") == ["10"], "eight, to the nearest five"
    assert cells(shown, cast.harbour.name, "Said yes") == ["under 5"]


async def test_farid_sees_his_own_group_of_a_demand_alone(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    demand = await raised(house, "The right to work")
    await spread(house, cast, demand_no=demand.no)
    await signed_in(web, house, cast.farid)

    shown = (await web.get(f"/admin/demands/{demand.uid}/groups")).text

    assert cells(shown, cast.harbour.name, "Said yes") == ["1"]
    assert "Northgate" not in shown
