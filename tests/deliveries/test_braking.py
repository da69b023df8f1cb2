"""Brakes: what stops a campaign by itself, what does not, and how it goes on."""

import asyncio

import pytest
from sqlalchemy import func, insert, select

from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns.model import Campaign, CampaignState
from mailer.deliveries import braking
from mailer.deliveries.model import Delivery
from mailer.kit.work import Door
from mailer.outbox.model import DeliveryState
from mailer.relays import ruling
from mailer.subscribers.model import Suppression
from tests.cast import Cast
from tests.support.campaigning import as_it_is, begun

SENDING, PAUSED = CampaignState.SENDING, CampaignState.PAUSED


@pytest.fixture
async def campaign(house: House, cast: Cast) -> Campaign:
    """Give one that is being sent, and of whose rows none has an end yet."""
    return await begun(house, cast)


async def answered(
    house: House, campaign: Campaign, accepted: int, *, refused: int = 0, after: int = 1000
) -> None:
    """Let servers accept and refuse; refusals are counted, as the engine does."""
    states = [DeliveryState.SENT] * accepted + [DeliveryState.REFUSED] * refused
    rows = [
        {"campaign_no": campaign.no, "run": 1, "subscriber_no": after + no, "state": state}
        for no, state in enumerate(states)
    ]
    async with house.work() as work:
        await work.session.execute(insert(Delivery), rows)
        if refused:
            await braking.note_bounce(work, campaign.no, refused)


async def complained(house: House, campaign: Campaign, n: int = 1) -> None:
    async with house.work() as work:
        await braking.note_complaint(work, campaign.no, n)


async def resumed(house: House, campaign: Campaign) -> None:
    async with house.work(door=Door.ADMIN) as work:
        found = await work.session.get_one(Campaign, campaign.no)
        await sending.resume(work, found)


@pytest.mark.parametrize(
    ("accepted", "refused", "is_braked"),
    [
        (47, 2, False),  # 49: too few to say anything
        (48, 2, False),  # 4 %
        (47, 3, True),  # 6 % of 50
        (570, 30, True),  # 5 % is the brake
        (571, 29, False),
        (0, 50, True),
    ],
)
async def test_bounces_stop_a_campaign_from_five_in_a_hundred_on(
    house: House, campaign: Campaign, accepted: int, refused: int, is_braked: bool
) -> None:
    await answered(house, campaign, accepted, refused=refused)

    assert await braking.check(house.work, campaign.no) is is_braked
    assert (await as_it_is(house, campaign)).state is (PAUSED if is_braked else SENDING)


@pytest.mark.parametrize(
    ("accepted", "complaints", "is_braked"),
    [
        (999, 5, False),  # too few to say anything
        (1000, 1, True),  # one in a thousand is the brake
        (1001, 1, False),
        (2000, 2, True),
        (1000, 0, False),
    ],
)
async def test_complaints_stop_a_campaign_from_one_in_a_thousand_on(
    house: House, campaign: Campaign, accepted: int, complaints: int, is_braked: bool
) -> None:
    await answered(house, campaign, accepted)
    await complained(house, campaign, complaints)

    assert await braking.check(house.work, campaign.no) is is_braked
    assert (await as_it_is(house, campaign)).state is (PAUSED if is_braked else SENDING)


async def test_the_reason_is_said_in_words_and_nobody_is_suppressed(
    house: House, campaign: Campaign
) -> None:
    await answered(house, campaign, 45, refused=5)
    await braking.check(house.work, campaign.no)

    paused = await as_it_is(house, campaign)
    assert paused.reason == (
        "The brake stopped it: servers turned away 5 of 50 emails; it stops at 50 in a thousand."
        " See why before it goes on; then it counts afresh."
    )
    assert (paused.bounces, paused.complaints) == (5, 0)
    async with house.work(reading=True) as work:
        assert await work.session.scalar(select(func.count()).select_from(Suppression)) == 0


async def test_a_complaint_is_said_as_such(house: House, campaign: Campaign) -> None:
    await answered(house, campaign, 1500)
    await complained(house, campaign, 3)
    await braking.check(house.work, campaign.no)

    assert "3 of 1500 people called it spam" in (await as_it_is(house, campaign)).reason


async def test_after_a_brake_it_counts_afresh_from_where_it_goes_on(
    house: House, campaign: Campaign
) -> None:
    await answered(house, campaign, 40, refused=10)
    assert await braking.check(house.work, campaign.no)
    # Reports that come in while it stands still are about what the person has seen.
    async with house.work() as work:
        await braking.note_bounce(work, campaign.no, 20)

    await resumed(house, campaign)
    assert not await braking.check(house.work, campaign.no)
    assert not await braking.check(house.work, campaign.no)
    await answered(house, campaign, 48, refused=2, after=2000)
    assert not await braking.check(house.work, campaign.no)

    await answered(house, campaign, 0, refused=1, after=3000)
    assert await braking.check(house.work, campaign.no)
    assert "3 of 51 emails" in (await as_it_is(house, campaign)).reason


async def test_a_person_s_own_pause_forgives_nothing(house: House, campaign: Campaign) -> None:
    await answered(house, campaign, 40, refused=2)
    async with house.work() as work:
        await sending.pause(work, await work.session.get_one(Campaign, campaign.no))
    await resumed(house, campaign)

    await answered(house, campaign, 7, refused=1, after=2000)
    assert await braking.check(house.work, campaign.no)


async def test_the_limits_are_those_of_the_rules(house: House, campaign: Campaign) -> None:
    async with house.work() as work:
        await ruling.set_brakes(
            work, bounce_brake=200, bounces_from=10, complaint_brake=1000, complaints_from=1
        )
    await answered(house, campaign, 9, refused=1)
    assert not await braking.check(house.work, campaign.no)

    await answered(house, campaign, 0, refused=2, after=2000)
    assert await braking.check(house.work, campaign.no)


async def test_what_is_not_being_sent_is_left_alone(house: House, campaign: Campaign) -> None:
    await answered(house, campaign, 0, refused=50)
    async with house.work() as work:
        await sending.pause(
            work, await work.session.get_one(Campaign, campaign.no), reason="A person did"
        )

    assert not await braking.check(house.work, campaign.no)
    assert not await braking.check(house.work, 99_999)
    assert (await as_it_is(house, campaign)).reason == "A person did"


async def test_several_workers_brake_once(house: House, campaign: Campaign) -> None:
    await answered(house, campaign, 0, refused=50)

    checks = await asyncio.gather(*[braking.check(house.work, campaign.no) for _ in range(3)])

    assert sorted(checks) == [False, False, True]
    assert (await as_it_is(house, campaign)).state is PAUSED
