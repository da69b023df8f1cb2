"""Faults of ours: they pause a campaign with a reason in words, and blame nobody we write to."""

import asyncio

from sqlalchemy import func, select

from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState
from mailer.outbox.model import DeliveryState
from mailer.signing import actions as signing
from mailer.signing.dkim import Algorithm
from mailer.subscribers.model import Suppression
from tests import makers as make
from tests.cast import Cast
from tests.support.relay import DROP, Relay
from tests.support.sending import (
    copies,
    counts,
    make_due,
    no_letters,
    ready,
    until,
    until_sent,
    working,
)

QUEUED, SENT, DEFERRED = DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.DEFERRED


def is_paused(campaign: Campaign) -> bool:
    return campaign.state is CampaignState.PAUSED


async def test_three_refusals_of_us_pause_it_and_suppress_nobody(
    house: House, cast: Cast, relay: Relay
) -> None:
    async with house.work() as work:
        await make.people(work, 20)
    await no_letters(house)
    relay.always("DATA", "550 5.7.26 unauthenticated mail is not accepted")
    no = await ready(house)

    async with working(house, relay):
        campaign = await until(house, no, is_paused)
        await asyncio.sleep(0.2)
        found = await counts(house, no)
        assert set(found) == {QUEUED, DEFERRED}
        assert found[DEFERRED] <= 3 + 4  # what was at the other connections
        assert campaign.reason == (
            "The mail server refuses us as a sender:"
            " 550 5.7.26 unauthenticated mail is not accepted"
        )
        async with house.work(reading=True) as work:
            assert await work.session.scalar(select(func.count(Suppression.mark))) == 0

        relay.heal()
        async with house.work() as work:
            mended = await campaigns.by_no(work, no)
            assert mended
            await sending.resume(work, mended)
        await make_due(house)
        await until_sent(house, no)

    assert set(copies(house, relay, no).values()) == {1}
    assert len(relay.letters) == 22


async def test_one_refusal_of_us_is_one_servers_opinion(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    relay.plan("RCPT bo@example.org", "550 5.7.1 not from you")
    no = await ready(house)

    async with working(house, relay):
        await until(house, no, lambda campaign: campaign.started_at is not None)
        async with asyncio.timeout(10):
            while await counts(house, no) != {SENT: 1, DEFERRED: 1}:
                await asyncio.sleep(0.02)
        await make_due(house)
        await until_sent(house, no)

    assert copies(house, relay, no) == {cast.bo.no: 1, cast.gil.no: 1}


async def test_a_server_that_is_away_is_told_and_nothing_is_lost(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    relay.always("CONNECT", DROP)
    no = await ready(house)

    async with working(house, relay):
        campaign = await until(house, no, lambda campaign: bool(campaign.reason))
        assert campaign.state is CampaignState.SENDING
        assert campaign.reason.startswith("The mail server does not answer since ")
        assert await counts(house, no) in ({QUEUED: 2}, {DeliveryState.CLAIMED: 2})

        relay.heal()
        sent = await until_sent(house, no)

    assert sent.reason == ""
    assert copies(house, relay, no) == {cast.bo.no: 1, cast.gil.no: 1}


async def test_a_server_that_does_not_let_us_in_pauses_it_with_the_reason(
    house: House, cast: Cast, relay: Relay
) -> None:
    """It offers no STARTTLS, and nothing goes in the clear."""
    await no_letters(house)
    no = await ready(house)

    async with working(house, relay, smtp_security="starttls"):
        campaign = await until(house, no, is_paused)

    assert campaign.reason.startswith("The mail server does not let us in: ")
    assert "STARTTLS" in campaign.reason
    assert await counts(house, no) == {QUEUED: 2}
    assert b"MAIL FROM" not in relay.said_by_clients()


async def test_a_key_that_cannot_be_opened_pauses_the_campaign_in_words(
    house: House, cast: Cast, relay: Relay
) -> None:
    async with house.work() as work:
        key = await signing.new_key(work, await signing.generate(Algorithm.ED25519))
        await signing.switch_on(work, key, is_published=True)
        key.sealed = b"sealed by another server"
    no = await ready(house)

    async with working(house, relay):
        paused = await until(house, no, lambda one: one.state is CampaignState.PAUSED)

    assert "key that signs" in paused.reason
    assert relay.letters == []  # nothing goes unsigned, and letters wait
