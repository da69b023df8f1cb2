"""The page of who goes quiet."""

import re
from datetime import timedelta

import httpx
import pytest

from mailer.bootstrap import House
from mailer.kit.work import Door
from mailer.tiers.model import StillWithUs
from tests import makers as make
from tests.cast import Cast
from tests.support.campaigning import editor
from tests.support.signing_in import signed_in

PAGE = "/admin/quiet"


def cells(page: str, head: str) -> dict[str, str]:
    """Give what stands in the row of a head, by its label."""
    for found in re.findall(r'<tr role="row">.*?</tr>', page, re.DOTALL):
        if f'scope="row">{head}</th>' in found and "data-l" in found:
            return dict(re.findall(r'data-l="([^"]+)"><span>(.*?)</span>', found))
    return {}


@pytest.fixture
async def _quiet(house: House, cast: Cast) -> None:
    """Let seven of Northgate have come by paper, and one of them be asked."""
    async with house.work(door=Door.IMPORT) as work:
        many = await make.people(work, 7, tier=cast.activist, group=cast.northgate)
        work.session.add(
            StillWithUs(
                subscriber_no=many[0].no,
                tier_no=cast.activist.no,
                asked_at=work.now - timedelta(days=40),
                next_at=work.now,
            )
        )


@pytest.mark.usefixtures("_quiet")
async def test_each_level_group_and_sector_has_its_numbers(
    admin: httpx.AsyncClient, cast: Cast
) -> None:
    level = cells((await admin.get(PAGE)).text, "Activist")
    month = cells((await admin.get(f"{PAGE}?days=30")).text, "Activist")
    group = cells((await admin.get(f"{PAGE}?by=group")).text, "Northgate Transport Branch")
    sector = cells((await admin.get(f"{PAGE}?by=sector")).text, "No sector said")

    assert (level["On the roll"], level["Quiet"], level["Asked"]) == ("7", "7", "1")
    assert (level["No answer yet"], level["Answered"], level["Lapsed"]) == ("1", "0", "0")
    assert month["Asked"] == "0"
    assert (group["Quiet"], sector["Asked"]) == ("8", "1")  # Bo is of Northgate too
    assert cells((await admin.get(f"{PAGE}?by=moon&days=7")).text, "Activist") == level


@pytest.mark.usefixtures("_quiet")
async def test_small_numbers_are_withheld_where_it_is_shared(admin: httpx.AsyncClient) -> None:
    shown = (await admin.get(f"{PAGE}?shared=yes")).text
    row = cells(shown, "Activist")

    assert (row["Quiet"], row["Asked"], row["No answer yet"]) == ("7", "–", "under 5")
    assert "Numbers under 5" in shown


@pytest.mark.usefixtures("_quiet")
async def test_whoever_looks_after_some_groups_sees_theirs_without_small_numbers(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, cast.farid)

    shown = (await web.get(f"{PAGE}?by=group")).text

    assert "Northgate" not in shown
    assert cells(shown, cast.harbour.name)["On the roll"] == "under 5"


async def test_who_sees_nobody_does_not_see_it(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await signed_in(web, house, await editor(house))
    assert (await web.get(PAGE)).status_code == 403


async def test_home_and_movement_lead_there(admin: httpx.AsyncClient, cast: Cast) -> None:
    for page in ("/admin", "/admin/movement"):
        assert f'href="{PAGE}"' in (await admin.get(page)).text
