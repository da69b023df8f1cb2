"""Who did not get it, who may have, and what an organiser does about it."""

from datetime import timedelta

import httpx
import pytest

from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns.model import Campaign, CampaignState
from mailer.deliveries import retrying
from mailer.deliveries.model import Delivery, Reason
from mailer.outbox.model import DeliveryState
from tests import makers as make
from tests.cast import Cast
from tests.support.campaigning import as_it_is, became, begun, ended
from tests.support.signing_in import post

# --- who did not get it -------------------------------------------------------------------------


async def test_those_who_did_not_get_it_are_named_with_the_reason(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await begun(house, cast)
    await became(house, campaign, DeliveryState.REFUSED, cast.bo.no, reply="550 5.1.1 <b>no</b>")
    await became(house, campaign, DeliveryState.SKIPPED, cast.gil.no, reply="paused")
    page = f"/admin/campaigns/{campaign.uid}/people"

    refused = (await admin.get(f"{page}?fate=refused")).text
    left_out = (await admin.get(f"{page}?fate=left-out")).text
    nobody = (await admin.get(f"{page}?fate=given-up")).text
    unknown = (await admin.get(f"{page}?fate=<b>")).text

    assert f'<a href="/admin/people/{cast.bo.uid}">Bo</a>' in refused
    assert "550 5.1.1 &lt;b&gt;no&lt;/b&gt;" in refused
    assert "Gil" not in refused
    assert "On a break" in left_out
    assert f'<a href="/admin/people/{cast.gil.uid}">Gil</a>' in left_out
    assert "No email of this campaign ended like that." in nobody
    assert unknown == refused


async def test_many_of_them_are_on_several_pages(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work() as work:
        many = await make.people(work, 30)
    campaign = await begun(house, cast)
    await became(house, campaign, DeliveryState.REFUSED, *[one.no for one in many], reply="550 no")
    page = f"/admin/campaigns/{campaign.uid}/people"

    first = (await admin.get(page)).text
    after = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = (await admin.get(page + after)).text

    assert first.count("550 no") == 25
    assert second.count("550 no") == 5


# --- doubt --------------------------------------------------------------------------------------


async def test_whom_nobody_can_tell_of_is_listed_with_the_last_word(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await begun(house, cast)
    await became(house, campaign, DeliveryState.IN_DOUBT, cast.bo.no, reply="")
    await became(house, campaign, DeliveryState.IN_DOUBT, cast.gil.no, reply="421 closing")

    shown = (await admin.get(f"/admin/campaigns/{campaign.uid}/doubt")).text

    assert "2 of 2 people. The line broke" in shown
    assert "None after the text was handed over" in shown
    assert "“421 closing”" in shown
    assert "Nothing is sent again by itself." in shown
    assert "Leave all 2" in shown
    assert "Send again to all 2" in shown


@pytest.mark.parametrize(
    ("form", "bo", "gil"),
    [
        ({"again": "BO"}, DeliveryState.QUEUED, DeliveryState.IN_DOUBT),
        ({"leave": "BO"}, DeliveryState.FAILED, DeliveryState.IN_DOUBT),
        ({"answer": "again", "person": ["BO"]}, DeliveryState.QUEUED, DeliveryState.IN_DOUBT),
        ({"answer": "leave", "person": ["BO", "GIL"]}, DeliveryState.FAILED, DeliveryState.FAILED),
        ({"answer": "again-all"}, DeliveryState.QUEUED, DeliveryState.QUEUED),
        ({"answer": "leave-all"}, DeliveryState.FAILED, DeliveryState.FAILED),
        ({"answer": "again"}, DeliveryState.IN_DOUBT, DeliveryState.IN_DOUBT),
        ({"person": ["BO"]}, DeliveryState.IN_DOUBT, DeliveryState.IN_DOUBT),
        ({"answer": "again", "person": ["x"]}, DeliveryState.IN_DOUBT, DeliveryState.IN_DOUBT),
    ],
)
async def test_one_or_some_or_all_are_decided(
    admin: httpx.AsyncClient,
    house: House,
    cast: Cast,
    form: dict[str, str | list[str]],
    bo: DeliveryState,
    gil: DeliveryState,
) -> None:
    campaign = await begun(house, cast)
    await became(house, campaign, DeliveryState.IN_DOUBT, cast.bo.no, cast.gil.no, reply="")
    numbers = {"BO": str(cast.bo.no), "GIL": str(cast.gil.no), "x": "x"}
    filled = {
        name: numbers.get(value, value)
        if isinstance(value, str)
        else [numbers[one] for one in value]
        for name, value in form.items()
    }

    answer = await post(admin, f"/admin/campaigns/{campaign.uid}/doubt", filled)

    assert answer.status_code == 303
    async with house.work(reading=True) as work:
        states = {
            no: (await work.session.get_one(Delivery, (campaign.no, 1, no))).state
            for no in (cast.bo.no, cast.gil.no)
        }
    assert states == {cast.bo.no: bo, cast.gil.no: gil}


async def test_nobody_in_doubt_is_said(admin: httpx.AsyncClient, house: House, cast: Cast) -> None:
    campaign = await begun(house, cast)

    shown = (await admin.get(f"/admin/campaigns/{campaign.uid}/doubt")).text

    assert "Nobody is in doubt" in shown
    assert "Send again" not in shown


# --- trying again -------------------------------------------------------------------------------


async def states(house: House, campaign: Campaign, cast: Cast) -> tuple[int, int]:
    """Give the states of Bo's message and of Gil's."""
    async with house.work(reading=True) as work:
        bo, gil = [
            (await work.session.get_one(Delivery, (campaign.no, 1, no))).state
            for no in (cast.bo.no, cast.gil.no)
        ]
    return bo, gil


REFUSED, FAILED, QUEUED = DeliveryState.REFUSED, DeliveryState.FAILED, DeliveryState.QUEUED


@pytest.mark.parametrize(("fate", "was"), [("refused", REFUSED), ("given-up", FAILED)])
@pytest.mark.parametrize(
    ("form", "bo_again", "gil_again"),
    [
        ({"again": "BO"}, True, False),
        ({"answer": "again", "person": ["BO"]}, True, False),
        ({"answer": "again", "person": ["BO", "GIL"]}, True, True),
        ({"answer": "again-all"}, True, True),
        ({"answer": "again"}, False, False),
        ({"answer": "again", "person": ["x"]}, False, False),
        ({"answer": "leave-all"}, False, False),
        ({"person": ["BO"]}, False, False),
    ],
)
async def test_one_or_some_or_all_are_tried_again(
    admin: httpx.AsyncClient,
    house: House,
    cast: Cast,
    form: dict[str, str | list[str]],
    bo_again: bool,
    gil_again: bool,
    fate: str,
    was: DeliveryState,
) -> None:
    campaign = await begun(house, cast)
    await became(house, campaign, was, cast.bo.no, cast.gil.no, reply="5.1.1 no")
    await ended(house, campaign)
    numbers = {"BO": str(cast.bo.no), "GIL": str(cast.gil.no), "x": "x"}
    filled = {
        name: numbers.get(value, value)
        if isinstance(value, str)
        else [numbers[one] for one in value]
        for name, value in form.items()
    }
    page = f"/admin/campaigns/{campaign.uid}/people"

    answer = await post(admin, page, {"fate": fate, **filled}, page=f"{page}?fate={fate}")

    assert answer.status_code == 303
    again = {True: QUEUED, False: was}
    assert await states(house, campaign, cast) == (again[bo_again], again[gil_again])
    state = (await as_it_is(house, campaign)).state
    assert state is (CampaignState.SENDING if bo_again else CampaignState.SENT)
    said = (await admin.get(answer.headers["location"])).text
    told = {
        (0, 0): "Nobody was ticked",
        (1, 0): "One is tried again.",
        (1, 1): "2 are tried again.",
    }
    assert told[bo_again, gil_again] in said


async def test_the_page_says_what_trying_again_is_good_for(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await begun(house, cast)
    await became(house, campaign, REFUSED, cast.bo.no, cast.gil.no, reply="5.1.1 no")
    page = f"/admin/campaigns/{campaign.uid}/people"

    refused = (await admin.get(page)).text
    await became(house, campaign, FAILED, cast.bo.no, reply="4.2.2 full")
    await became(house, campaign, FAILED, cast.gil.no, reply=Reason.LEFT_IN_DOUBT.value)
    given_up = (await admin.get(f"{page}?fate=given-up")).text

    assert "Most of these addresses do not exist any more." in refused
    assert "Try all 2 again" in refused
    assert "for five days more" in given_up
    assert "Try again" in given_up
    assert "Try all" not in given_up, "the doubt that was left is none of them"


async def test_what_was_stopped_is_told_and_not_tried_again(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await begun(house, cast)
    await became(house, campaign, REFUSED, cast.bo.no, reply="5.1.1 no")
    page = f"/admin/campaigns/{campaign.uid}/people"
    token = {"again": str(cast.bo.no), "fate": "refused"}
    async with house.work() as work:
        work.session.add(campaign)
        await sending.cancel(work, campaign)

    shown = (await admin.get(page)).text
    answer = await post(admin, page, token, page=f"/admin/campaigns/{campaign.uid}/correction")

    assert "5.1.1 no" in shown
    assert "Try again" not in shown
    assert "Nothing of it is sent again." in (await admin.get(answer.headers["location"])).text
    assert (await states(house, campaign, cast))[0] == REFUSED


async def test_who_is_tried_again_by_itself_is_told_with_the_hours(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await begun(house, cast)
    async with house.work(reading=True) as work:
        due_at = work.now + timedelta(minutes=5)
    await became(
        house, campaign, DeliveryState.DEFERRED, cast.bo.no, reply="4.2.2 full", due_at=due_at
    )
    await became(house, campaign, DeliveryState.DEFERRED, cast.gil.no, reply="4.2.1 busy")

    shown = (await admin.get(f"/admin/campaigns/{campaign.uid}/people?fate=again")).text

    until = due_at + retrying.still_to_wait(1)
    assert "4.2.2 full" in shown
    assert f"{due_at:%H:%M} UTC; given up on" in shown
    assert f"{until:%H:%M} UTC." in shown
    assert until - due_at > timedelta(days=4, hours=23)
    assert "4.2.1 busy" in shown
    assert "Try again" not in shown
    assert "Nothing has to be done." in shown
