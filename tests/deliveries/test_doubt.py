"""Doubt: what nobody can know is listed by name, and a person decides."""

import asyncio

import pytest

from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState, OnDoubt
from mailer.deliveries import doubt, fates
from mailer.deliveries.model import Reason
from mailer.deliveries.reopening import NotWhileStopped
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from tests import makers as make
from tests.cast import Cast
from tests.support.relay import TAKE, Relay
from tests.support.sending import (
    copies,
    counts,
    make_due,
    message_id,
    no_letters,
    ready,
    rows,
    until_counts,
    until_sent,
    working,
)

SENT, DEFERRED, IN_DOUBT = DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.IN_DOUBT


async def found(work: Work, no: int) -> Campaign:
    campaign = await campaigns.by_no(work, no)
    assert campaign
    return campaign


async def in_doubt(house: House, relay: Relay, on_doubt: OnDoubt = OnDoubt.HOLD) -> int:
    """Send a campaign; Bo's server takes it and hangs up without a word."""
    await no_letters(house)
    relay.plan("DATA bo@example.org", TAKE)
    no = await ready(house, on_doubt=on_doubt)
    async with working(house, relay):
        if on_doubt is OnDoubt.HOLD:
            await until_sent(house, no)
        else:
            await until_counts(house, no, {SENT: 1, DEFERRED: 1})
    return no


async def test_a_drop_after_the_body_is_listed_and_not_said_again(
    house: House, cast: Cast, relay: Relay
) -> None:
    no = await in_doubt(house, relay)

    assert copies(house, relay, no) == {cast.bo.no: 1, cast.gil.no: 1}
    assert await counts(house, no) == {SENT: 1, IN_DOUBT: 1}
    async with house.work(reading=True) as work:
        [fate] = (await fates.doubts(work, await found(work, no))).rows
        assert fate.subscriber
        assert fate.subscriber.shown_name == "Bo"
        assert fate.at
        assert fate.reply == Reason.CONNECTION_LOST


async def test_an_organiser_sees_only_the_names_of_their_groups(
    house: House, cast: Cast, relay: Relay
) -> None:
    no = await in_doubt(house, relay)

    async with house.work(reading=True) as work:
        seen = make.seen_by(work, cast.harbour)
        [fate] = (await fates.doubts(seen, await found(seen, no))).rows

    assert fate.subscriber_no == cast.bo.no
    assert fate.subscriber is None


async def test_where_it_was_chosen_it_is_said_again_under_the_same_name(
    house: House, cast: Cast, relay: Relay
) -> None:
    no = await in_doubt(house, relay, OnDoubt.RESEND)

    async with working(house, relay):
        await make_due(house)
        await until_sent(house, no)

    assert copies(house, relay, no) == {cast.bo.no: 2, cast.gil.no: 1}
    assert len({message_id(letter) for letter in relay.letters}) == 2
    assert await counts(house, no) == {SENT: 2}


async def test_nobody_gets_more_than_three_copies(house: House, cast: Cast, relay: Relay) -> None:
    await no_letters(house)
    relay.always("DATA bo@example.org", TAKE)
    no = await ready(house, on_doubt=OnDoubt.RESEND, tiers=[cast.supporter.no])

    async with working(house, relay):
        for number in (1, 2):
            async with asyncio.timeout(10):
                while len(relay.letters) < number:
                    await asyncio.sleep(0.02)
            await until_counts(house, no, {DEFERRED: 1})
            await make_due(house)
        await until_sent(house, no)

    assert copies(house, relay, no) == {cast.bo.no: 3}
    assert await counts(house, no) == {IN_DOUBT: 1}


async def test_send_again_opens_the_campaign_until_it_is_done(
    house: House, cast: Cast, relay: Relay
) -> None:
    no = await in_doubt(house, relay)

    async with house.work() as work:
        assert await doubt.send_again(work, await found(work, no), [cast.bo.no]) == 1
        assert (await found(work, no)).state is CampaignState.SENDING
    async with working(house, relay):
        await until_sent(house, no)

    assert copies(house, relay, no) == {cast.bo.no: 2, cast.gil.no: 1}
    assert await counts(house, no) == {SENT: 2}


async def test_leaving_it_says_so_and_sends_nothing(house: House, cast: Cast, relay: Relay) -> None:
    no = await in_doubt(house, relay)

    async with house.work() as work:
        assert await doubt.dismiss(work, await found(work, no)) == 1
        assert await doubt.dismiss(work, await found(work, no)) == 0
        assert await doubt.send_again(work, await found(work, no)) == 0

    assert await counts(house, no) == {SENT: 1, DeliveryState.FAILED: 1}
    assert (await rows(house, no))[cast.bo.no].reply == Reason.LEFT_IN_DOUBT


async def test_nothing_of_a_stopped_campaign_is_said_again(
    house: House, cast: Cast, relay: Relay
) -> None:
    no = await in_doubt(house, relay)
    async with house.work() as work:
        campaign = await found(work, no)
        assert await campaigns.step(work, campaign, CampaignState.SENDING)
        await sending.cancel(work, campaign)

        with pytest.raises(NotWhileStopped):
            await doubt.send_again(work, campaign)
