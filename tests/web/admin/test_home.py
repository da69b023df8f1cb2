"""The first page: what to do next on the first days, and later what needs somebody."""

from datetime import timedelta

import httpx
import pytest

from mailer.accounts.model import Account, Role
from mailer.asks import pledging, reporting
from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.imports import actions as imports
from mailer.imports import store
from mailer.kit.work import Door
from mailer.organisation.model import THE_ONE, Organisation
from mailer.outbox.model import DeliveryState
from mailer.tiers import actions as tiers
from tests import makers as make
from tests.cast import Cast
from tests.support import campaigning
from tests.support.asking import closed, opened, pledged
from tests.support.signing_in import post, signed_in

pytestmark = pytest.mark.any_database


async def home(client: httpx.AsyncClient) -> str:
    shown = await client.get("/admin")
    assert shown.status_code == 200
    return shown.text


def done(shown: str) -> int:
    """Count the steps that are shown as done."""
    return shown.count("Done</span>")


async def test_an_empty_house_begins_with_its_name(admin: httpx.AsyncClient, house: House) -> None:
    async with house.work(door=Door.CLI) as work:
        us = await work.session.get_one(Organisation, THE_ONE)
        us.sender_address = ""
    shown = await home(admin)
    assert "5 steps to your first email" in shown
    assert "Name it" in shown
    assert 'class="is-next"' in shown


async def test_each_step_is_done_when_its_fact_is(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    assert "2 of 5 done." in await home(admin)  # named, and people are on the roll
    campaign = await campaigning.draft(house, cast)
    assert "3 of 5 done." in await home(admin)
    await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/test",
        page=f"/admin/campaigns/{campaign.uid}/write",
    )
    shown = await home(admin)
    assert "4 of 5 done." in shown
    assert done(shown) == 4
    await campaigning.begun(house, cast)
    assert "steps to your first email" not in await home(admin)


async def test_later_it_says_that_nothing_needs_anybody(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await campaigning.ended(house, await campaigning.begun(house, cast, name="No. 42"))
    shown = await home(admin)
    assert "Nothing needs you today" in shown
    assert "No. 42" in shown
    assert "2 people." in shown


async def test_the_ladder_counts_who_is_active_and_who_moved(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work() as work:
        await tiers.assign(work, cast.bo, cast.activist, reason="Because.")
        await make.people(work, 3, tier=cast.organiser)
    shown = " ".join((await home(admin)).split())
    for name, number in (("Organiser", 3), ("Activist", 1), ("Supporter", 0), ("Follower", 1)):
        rung = shown.split(f"<li><b>{name}</b>")[1].split("</li>")[0]
        assert f'<span class="n">{number}</span>' in rung
    assert "<b>1</b> stepped up" in shown


async def test_who_asks_for_a_level_comes_first_when_they_wait_long(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work() as work:
        await tiers.wish(make.later(work, days=-6), cast.bo, cast.organiser)
        await tiers.wish(work, cast.gil, cast.activist)
    shown = await home(admin)
    assert "2 people ask for a level" in shown
    assert "Bo has waited for “Organiser” since" in shown
    assert 'class="is-urgent"' in shown


async def test_what_stands_still_is_named(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    frozen = await campaigning.frozen(house, cast, name="To be confirmed")
    paused = await campaigning.begun(house, cast, name="Half-way")
    async with house.work() as work:
        work.session.add(paused)
        await sending.pause(work, paused)
    await campaigning.became(house, paused, DeliveryState.IN_DOUBT, cast.bo.no)
    shown = await home(admin)
    for words in (
        "“To be confirmed” waits to be confirmed",
        f"/admin/campaigns/{frozen.uid}/review",
        "“Half-way” is paused",
        "Nobody can tell whether one message arrived",
        f"/admin/campaigns/{paused.uid}/doubt",
    ):
        assert words in shown


async def test_a_file_that_was_read_waits_for_a_month(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work() as work:
        import_ = await imports.rehearse(
            work, file_name="spring.csv", content=b"email\na@b.org", list_no=cast.bulletin.no
        )
        uid = import_.uid
    assert "“spring.csv” was read, and waits" in await home(admin)
    async with house.work() as work:
        found = await store.by_uid(work, uid)
        assert found
        found.made_at -= timedelta(days=31)
    assert "spring.csv" not in await home(admin)


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_sees_its_own_part(
    web: httpx.AsyncClient, house: House, cast: Cast, role: Role
) -> None:
    async with house.work(door=Door.CLI) as work:
        await tiers.wish(work, cast.bo, cast.organiser)
        (await work.session.get_one(Account, cast.esra.no)).role = role
    await signed_in(web, house, cast.esra)
    shown = await home(web)
    assert ("One person asks for a level" in shown) == (role in {Role.OWNER, Role.ORGANISER})
    assert ('href="/admin/organisation"><span' in shown) == (role is Role.OWNER)
    sees = {Role.OWNER, Role.ORGANISER, Role.VIEWER}  # a group organiser without a group: nobody
    assert ("The ladder, and 30 days" in shown) == (role in sees)


async def test_the_asks_under_way_stand_with_how_far_they_have_come(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house, "Write to your representative")
    await closed(house, "Asked before")
    await pledged(house, cast.gil, ask)
    await pledged(house, cast.bo, ask)
    async with house.work(door=Door.PAGE) as work:
        await reporting.report_done(work, cast.bo, ask)

    shown = await home(admin)

    assert f'<a class="anywhere" href="/admin/asks/{ask.uid}">Write to your representative' in shown
    assert "1 / 2" in shown
    assert "Asked before" not in shown


async def test_what_the_last_campaign_asked_is_told(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    ask = await opened(house)
    campaign = await campaigning.begun(house, cast)
    async with house.work(door=Door.EMAIL) as work:
        await pledging.pledge(work, cast.gil, ask, campaign_no=campaign.no)
        await reporting.report_done(work, cast.bo, ask, campaign_no=campaign.no)

    shown = await home(admin)

    assert "2 said yes to its ask. One has done it." in shown
    assert "need help" not in shown
