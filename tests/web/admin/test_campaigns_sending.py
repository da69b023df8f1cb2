"""After the confirmation: undoing it, how far it has come, stopping it, and who did not get it."""

import re
from datetime import timedelta

import httpx
import pytest

from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns.model import CampaignState
from mailer.deliveries.model import Delivery
from mailer.kit.work import Door
from mailer.outbox.model import DeliveryState
from mailer.tiers import actions as tiers
from mailer.tiers.model import Source
from tests import makers as make
from tests.cast import Cast
from tests.support.campaigning import (
    as_it_is,
    became,
    begun,
    draft,
    ended,
    how_many,
    scheduled,
)
from tests.support.signing_in import post


async def test_a_confirmed_campaign_can_be_undone_for_a_while(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await scheduled(house, cast)

    shown = (await admin.get(f"/admin/campaigns/{campaign.uid}")).text

    assert re.search(r'<strong class="big__n">(5:00|4:5\d)</strong>', shown)
    assert "to undo. Then it goes to 2 people." in shown
    assert "Undo, back to draft" in shown
    assert 'hx-trigger="every 5s"' in shown
    assert f'<a href="/admin/campaigns/{campaign.uid}">Look again</a>' in shown


async def test_called_off_in_time_nothing_is_ever_sent(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await scheduled(house, cast)

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/call-off",
        page=f"/admin/campaigns/{campaign.uid}",
    )
    async with house.work() as work:  # the time comes, and the worker looks
        started = await sending.start_due(make.later(work, minutes=6))

    assert answer.status_code == 303
    assert started == []
    assert (await as_it_is(house, campaign)).state is CampaignState.DRAFT
    assert await how_many(house, of=Delivery, campaign=campaign) == 0
    shown = (await admin.get(f"/admin/campaigns/{campaign.uid}/write")).text
    assert "Called off. It is a draft again, and nothing has left." in shown


async def test_called_off_too_late_it_says_so(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign, other = await begun(house, cast), await scheduled(house, cast)

    answer = await post(
        admin,
        f"/admin/campaigns/{campaign.uid}/call-off",
        page=f"/admin/campaigns/{other.uid}",
    )
    shown = (await admin.get(answer.headers["location"])).text

    assert (await as_it_is(house, campaign)).state is CampaignState.SENDING
    assert "note--warn notice" in shown
    assert "That cannot be done in the state this campaign is in now" in shown


async def test_the_figures_say_how_far_it_has_come(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    async with house.work() as work:
        many = await make.people(work, 8)
    campaign = await begun(house, cast)
    states = DeliveryState
    one = iter(person.no for person in many)
    await became(house, campaign, states.SENT, *[next(one) for _ in range(3)], code=250)
    await became(house, campaign, states.DEFERRED, next(one), reply="450 4.2.1 later")
    await became(house, campaign, states.REFUSED, next(one), reply="550 5.1.1 no such user")
    await became(house, campaign, states.IN_DOUBT, next(one), reply="")
    await became(house, campaign, states.SKIPPED, next(one), reply="unsubscribed")

    shown = (await admin.get(f"/admin/campaigns/{campaign.uid}")).text

    assert '<strong class="big__n">6</strong>' in shown
    assert "of 10 handed over, or left out on the way. Done at about" in shown
    assert "at 3 a minute" in shown
    assert 'aria-valuenow="6" aria-valuetext="6 of 10 done"' in shown.replace(
        'aria-valuemax="10" ', ""
    ).replace('aria-valuemin="0" ', "")
    assert shown.count('role="progressbar"') == 1
    assert figures(shown) == {
        "Waiting": "3",
        "Accepted": "3",
        "Trying again": "1",
        "Refused": "1",
        "Can’t tell": "1",
        "Left out on the way": "1",
    }
    assert f'href="/admin/campaigns/{campaign.uid}/doubt"' in shown
    assert "Left the list" in shown.partition('id="skipped"')[2]
    assert "Delivered" not in shown


def figures(page: str) -> dict[str, str]:
    """The strip of figures, by their words."""
    found = re.findall(r'<dt>([^<]*)</dt><dd class="n">([^<]*)</dd>', page)
    return dict(found)


async def test_the_page_asks_for_its_figures_alone(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await begun(house, cast)
    await became(house, campaign, DeliveryState.SENT, cast.bo.no, code=250)

    same = await admin.get(f"/admin/campaigns/{campaign.uid}/progress?seen=sending")
    other = await admin.get(f"/admin/campaigns/{campaign.uid}/progress?seen=scheduled")

    assert "<html" not in same.text
    assert figures(same.text)["Accepted"] == "1"
    assert '<div id="said" hx-swap-oob="innerHTML">' in same.text
    assert "hx-refresh" not in same.headers
    assert other.headers["hx-refresh"] == "true", "it is another page by now"


async def test_it_can_be_paused_and_go_on(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await begun(house, cast)
    page = f"/admin/campaigns/{campaign.uid}"

    assert "Pause keeps 2 people waiting, and you can go on later." in (await admin.get(page)).text
    await post(admin, f"{page}/pause", page=page)
    paused = (await admin.get(page)).text
    state = (await as_it_is(house, campaign)).state
    await post(admin, f"{page}/resume", page=page)

    assert state is CampaignState.PAUSED
    assert "Paused. What is being handed over at this moment still arrives." in paused
    assert "Go on writes to the 2 people who wait." in paused
    assert (await as_it_is(house, campaign)).state is CampaignState.SENDING


async def test_stopping_for_good_is_asked_first(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await begun(house, cast)
    await became(house, campaign, DeliveryState.SENT, cast.bo.no)
    page = f"/admin/campaigns/{campaign.uid}"

    asked = (await admin.get(f"{page}/cancel")).text
    await post(admin, f"{page}/cancel", page=f"{page}/cancel")
    await post(admin, f"{page}/cancel", {"answer": "no"}, page=f"{page}/cancel")
    still = (await as_it_is(house, campaign)).state
    await post(admin, f"{page}/cancel", {"answer": "yes"}, page=f"{page}/cancel")
    shown = (await admin.get(page)).text

    assert "One person who waits will never get it." in asked
    assert "To one person it has been handed over; that cannot be taken back." in asked
    assert asked.index('value="no"') < asked.index('value="yes"')
    assert still is CampaignState.SENDING
    assert (await as_it_is(house, campaign)).state is CampaignState.CANCELLED
    assert "Stopped for good." in shown
    assert "Pause" not in shown.partition("<main")[2]
    assert "/n/" not in shown, "what was stopped is in no archive"


async def test_why_it_is_held_is_said_and_it_can_be_released(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await scheduled(house, cast)
    async with house.work() as work:
        work.session.add(campaign)
        await sending.hold(work, campaign, reason="Its time passed at night.")
    page = f"/admin/campaigns/{campaign.uid}"

    shown = (await admin.get(page)).text
    await post(admin, f"{page}/release", page=page)

    assert "Held until you release it." in shown
    assert "Its time passed at night." in shown
    released = await as_it_is(house, campaign)
    assert released.state is CampaignState.SCHEDULED
    assert released.send_at
    async with house.work(reading=True) as work:
        assert released.send_at > work.now + timedelta(minutes=4), "there is time to undo again"


async def test_when_it_is_over_the_page_says_what_it_moved(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await begun(house, cast)
    await became(house, campaign, DeliveryState.SENT, cast.bo.no, cast.gil.no)
    await ended(house, campaign)
    async with house.work(door=Door.EMAIL) as work:
        work.session.add_all([cast.bo, cast.gil])
        for person, tier in ((cast.bo, cast.follower), (cast.gil, cast.supporter)):
            await tiers.step(work, person, tier, source=Source.SELF_LINK, campaign_no=campaign.no)

    shown = (await admin.get(f"/admin/campaigns/{campaign.uid}")).text

    assert "confirmed by Amina." in shown
    assert figures(shown)["Accepted"] == "2"
    moves = shown.partition('id="moves"')[2].partition("</table>")[0]
    assert ">1</td>" in moves.partition("Stepped up")[2]
    assert ">1</td>" in moves.partition("Stepped down")[2]
    assert f'href="/n/{campaign.slug}"' in shown
    assert "every 5s" not in shown


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


async def test_opening_any_of_these_pages_changes_nothing(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign, words = await scheduled(house, cast), await draft(house, cast)

    for path in ("", "/progress", "/people", "/doubt", "/cancel", "/review", "/write"):
        for uid in (campaign.uid, words.uid):
            assert (await admin.get(f"/admin/campaigns/{uid}{path}")).status_code in {200, 303}

    assert (await as_it_is(house, campaign)).state is CampaignState.SCHEDULED
    assert (await as_it_is(house, words)).state is CampaignState.DRAFT
