"""After the confirmation: undoing it, how far it has come, stopping it, and who did not get it."""

import re
from datetime import timedelta

import httpx
from sqlalchemy import select, update

from mailer.accounts.model import Session, Stage
from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns.model import Campaign, CampaignState
from mailer.deliveries import ending
from mailer.deliveries.model import Delivery, Worker
from mailer.kit.work import Door
from mailer.outbox.model import DeliveryState
from mailer.relays.model import DomainPace
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
    campaign = await begun_long_ago(house, cast)
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


async def begun_long_ago(house: House, cast: Cast) -> Campaign:
    """Give a campaign whose pace is told by the last minute."""
    campaign = await begun(house, cast)
    async with house.work() as work:
        work.session.add(campaign)
        campaign.started_at = work.now - timedelta(hours=1)
    await lives(house)
    return campaign


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


async def test_when_only_those_are_left_whose_servers_were_busy_it_says_when(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await begun_long_ago(house, cast)
    await became(house, campaign, DeliveryState.SENT, cast.gil.no, code=250)
    async with house.work(reading=True) as work:
        soon = work.now + timedelta(minutes=5)
    await became(house, campaign, DeliveryState.DEFERRED, cast.bo.no, due_at=soon)

    shown = (await admin.get(f"/admin/campaigns/{campaign.uid}")).text

    assert f"it is tried again at about {soon:%H:%M} UTC" in shown.replace("(", "")
    assert "Done at about" not in shown


async def test_what_keeps_it_stands_above_and_is_asked_for_with_the_figures(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await begun(house, cast)
    await lives(house)
    page = f"/admin/campaigns/{campaign.uid}"
    well = (await admin.get(page)).text
    async with house.work() as work:
        await ending.tell(work, [campaign.no], "Quiet hours until 08:00.")

    kept = (await admin.get(page)).text
    asked = (await admin.get(f"{page}/progress?seen=sending")).text

    assert "It waits, and goes on by itself." not in well
    for shown in (kept, asked):
        assert "It waits, and goes on by itself." in shown
        assert "Quiet hours until 08:00." in shown
    assert '<div id="why" hx-swap-oob="innerHTML">' in asked


async def lives(house: House, *, seconds_ago: float = 0) -> None:
    """Note that a worker was seen."""
    async with house.work() as work:
        seen_at = work.now - timedelta(seconds=seconds_ago)
        work.session.add(Worker(started_at=seen_at, seen_at=seen_at))


async def test_that_nobody_sends_is_said_on_the_page(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await begun(house, cast)
    await became(house, campaign, DeliveryState.SENT, cast.bo.no, code=250)
    page = f"/admin/campaigns/{campaign.uid}"

    never = (await admin.get(page)).text
    await lives(house, seconds_ago=300)
    gone = (await admin.get(page)).text
    await lives(house)
    there = (await admin.get(page)).text

    assert "The part of Rollcall that sends is not running." in never
    assert "It was last seen on" not in never
    assert "It was last seen on" in gone
    assert "Done at about" not in gone
    assert "is not running" not in there
    assert "Done at about" in there


async def test_domains_that_get_it_more_slowly_are_told_with_the_words_of_their_servers(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await begun(house, cast)
    async with house.work() as work:
        pace = DomainPace(domain="example.org")
        pace.slow_down(work.now, observed=100.0, code=421, reply="4.7.28 <b>slow</b> down")
        work.session.add_all([pace, DomainPace(domain="nobody.example", ceiling=5)])
    page = f"/admin/campaigns/{campaign.uid}"

    whole = (await admin.get(page)).text
    asked = (await admin.get(f"{page}/progress")).text

    for shown in (whole, asked):
        assert "Slower on purpose" in shown
        assert "people wait" in shown.partition("example.org: ")[2][:40]
        assert "At most 50 messages a minute. Its servers asked for it on" in shown
        assert "“421 4.7.28 &lt;b&gt;slow&lt;/b&gt; down”" in shown
        assert "nobody.example" not in shown
    await became(house, campaign, DeliveryState.SENT, cast.bo.no, cast.gil.no)
    assert "Slower on purpose" not in (await admin.get(page)).text


async def test_a_page_that_asks_by_itself_keeps_no_session_awake(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign = await begun(house, cast)
    page = f"/admin/campaigns/{campaign.uid}"

    async def seen_after(path: str) -> timedelta:
        async with house.work() as work:
            await work.session.execute(
                update(Session).values(seen_at=work.now - timedelta(minutes=20))
            )
        assert (await admin.get(path)).status_code == 200
        async with house.work(reading=True) as work:
            full = select(Session.seen_at).where(Session.stage == Stage.FULL)
            seen_at = (await work.session.scalars(full)).one()
            return work.now - seen_at

    assert await seen_after(f"{page}/progress?seen=sending") > timedelta(minutes=19)
    assert await seen_after(page) < timedelta(minutes=1), "somebody has opened the page"


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


async def test_opening_any_of_these_pages_changes_nothing(
    admin: httpx.AsyncClient, house: House, cast: Cast
) -> None:
    campaign, words = await scheduled(house, cast), await draft(house, cast)

    for path in (
        "",
        "/progress",
        "/people",
        "/doubt",
        "/cancel",
        "/correction",
        "/review",
        "/write",
    ):
        for uid in (campaign.uid, words.uid):
            assert (await admin.get(f"/admin/campaigns/{uid}{path}")).status_code in {200, 303}

    assert (await as_it_is(house, campaign)).state is CampaignState.SCHEDULED
    assert (await as_it_is(house, words)).state is CampaignState.DRAFT
