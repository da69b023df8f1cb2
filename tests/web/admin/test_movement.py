"""Who moved: counted, and small numbers withheld where they are shown to others."""

import re

import httpx

from mailer.bootstrap import House
from mailer.groups import actions as groups
from mailer.kit.work import Door
from mailer.tiers import actions as tiers
from mailer.tiers.model import Source
from tests import makers as make
from tests.cast import Cast
from tests.support import campaigning
from tests.support.signing_in import signed_in
from tests.support.tables import cells

PAGE = "/admin/movement"
TAG = re.compile(r"<[^>]+>")


async def moved(house: House, cast: Cast) -> None:
    """Let seven of Northgate and one of Harbour step up, and two step down."""
    async with house.work() as work:
        people = await make.people(work, 7, tier=cast.follower, group=cast.northgate)
        for person in people:
            await tiers.step(work, person, cast.supporter, source=Source.SELF_LINK)
        await tiers.step(work, cast.gil, cast.supporter, source=Source.SELF_FORM)
        for person in await make.people(work, 2, tier=cast.supporter):
            await tiers.step(work, person, cast.follower, source=Source.SELF_LINK)


async def test_it_says_who_moved_between_which_levels_how_and_where(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await moved(house, cast)

    shown = (await admin.get(PAGE)).text

    assert cells(shown, "Follower", "to Supporter") == ["8"]
    assert cells(shown, "Supporter", "to Follower") == ["2"]
    assert cells(shown, "Supporter", "Net") == ["+6"]
    assert cells(shown, "By themselves, from an email", "Up") == ["7"]
    assert cells(shown, cast.northgate.name, "Net") == ["+7"]
    assert cells(shown, cast.harbour.name, "Up") == ["1"]


async def test_what_one_newsletter_moved_is_told_by_itself(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await moved(house, cast)
    campaign = await campaigning.begun(house, cast)
    async with house.work() as work:
        await tiers.step(
            work, cast.dana, cast.supporter, source=Source.SELF_LINK, campaign_no=campaign.no
        )

    every = (await admin.get(PAGE)).text
    of_one = (await admin.get(f"{PAGE}?by={campaign.uid}")).text

    assert cells(every, "Follower", "to Supporter") == ["9"]
    assert cells(of_one, "Follower", "to Supporter") == ["1"]
    assert cells(of_one, cast.northgate.name, "Up") == []
    assert f'<option value="{campaign.uid}" selected>' in of_one
    assert cells((await admin.get(f"{PAGE}?by=none")).text, "Follower", "to Supporter") == ["9"]


async def test_what_answers_to_one_ask_suggested_is_told_by_itself(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await moved(house, cast)
    async with house.work() as work:
        ask = await make.ask(work)
        await tiers.step(work, cast.dana, cast.supporter, source=Source.ACCEPTED, ask_no=ask.no)

    of_one = (await admin.get(f"{PAGE}?ask={ask.uid}")).text

    assert cells(of_one, "Follower", "to Supporter") == ["1"]
    assert cells(of_one, cast.northgate.name, "Up") == []
    assert f'<option value="{ask.uid}" selected>' in of_one
    assert cells((await admin.get(f"{PAGE}?ask=none")).text, "Follower", "to Supporter") == ["9"]


async def test_sectors_add_their_groups_up(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await moved(house, cast)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        for group in (cast.northgate, cast.harbour):
            await groups.describe(work, group, name=group.name, sector="Transport")

    shown = (await admin.get(PAGE)).text
    shared = (await admin.get(f"{PAGE}?shared=yes")).text

    assert cells(shown, "Transport", "Net") == ["+8"]
    assert cells(shared, "Transport", "Up") == ["10"]
    assert cells(shared, "Transport", "Net") == ["+10"]


async def test_a_way_and_a_time_are_chosen(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await moved(house, cast)
    assert cells(
        (await admin.get(f"{PAGE}?how=self_form&span=12")).text, "Follower", "to Supporter"
    ) == ["1"]
    earlier = (await admin.get(f"{PAGE}?month=2020-02&span=3")).text
    assert "December 2019 to February 2020" in earlier
    assert "Nobody moved" in earlier
    for odd in ("month=never", "month=9999-12", "month=0001-01", "span=7", "how=by-magic"):
        assert (await admin.get(f"{PAGE}?{odd}")).status_code == 200


async def test_small_numbers_are_withheld_and_others_round_where_it_is_shared(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await moved(house, cast)

    shown = (await admin.get(f"{PAGE}?shared=yes")).text

    assert cells(shown, "Follower", "to Supporter") == ["10"]
    assert cells(shown, "Follower", "In all") == ["10"]
    assert cells(shown, "Supporter", "to Follower") == ["under 5"]
    assert cells(shown, "Supporter", "In all") == ["under 5"]
    assert cells(shown, "Supporter", "Net") == ["–"]
    assert cells(shown, cast.harbour.name, "Up") == ["under 5"]


async def test_farid_sees_his_group_alone_and_no_small_numbers(
    web: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    await moved(house, cast)
    await signed_in(web, house, cast.farid)

    shown = (await web.get(PAGE)).text

    assert cells(shown, "Follower", "to Supporter") == ["under 5"]
    assert cast.northgate.name not in shown
    assert "Show all numbers" not in shown
