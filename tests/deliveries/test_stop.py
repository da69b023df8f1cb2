"""Pausing, resuming and stopping a campaign while it is being sent."""

import asyncio

from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import CampaignState
from mailer.deliveries import freezing
from mailer.deliveries.model import Reason
from mailer.outbox.model import DeliveryState
from tests import makers as make
from tests.cast import Cast
from tests.support.relay import Relay
from tests.support.sending import (
    copies,
    counts,
    no_letters,
    ready,
    rows,
    until,
    until_counts,
    until_sent,
    working,
)

QUEUED, SENT, SKIPPED = DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.SKIPPED


async def do(house: House, no: int, verb) -> None:
    async with house.work() as work:
        campaign = await campaigns.by_no(work, no)
        assert campaign
        await verb(work, campaign)


async def test_pause_holds_the_rest_and_resume_sends_exactly_them(
    house: House, cast: Cast, relay: Relay
) -> None:
    async with house.work() as work:
        await make.people(work, 60)
    await no_letters(house)
    relay.delay = 0.02
    no = await ready(house)

    async with working(house, relay):
        while len(relay.letters) < 10:
            await asyncio.sleep(0.01)
        await do(house, no, sending.pause)
        at_pause = len(relay.letters)
        await asyncio.sleep(0.5)
        paused = await counts(house, no)
        # Four connections: at most so many bodies were under way.
        assert len(relay.letters) <= at_pause + 4
        assert paused == {SENT: len(relay.letters), QUEUED: 62 - len(relay.letters)}

        await do(house, no, sending.resume)
        await until_sent(house, no)

    assert len(relay.letters) == 62
    assert set(copies(house, relay, no).values()) == {1}


async def test_stopping_for_good_leaves_out_the_rest_and_ends(
    house: House, cast: Cast, relay: Relay
) -> None:
    async with house.work() as work:
        await make.people(work, 60)
    await no_letters(house)
    relay.delay = 0.02
    no = await ready(house)

    async with working(house, relay):
        while len(relay.letters) < 10:
            await asyncio.sleep(0.01)
        await do(house, no, sending.cancel)
        at_cancel = len(relay.letters)
        campaign = await until(house, no, lambda campaign: campaign.ended_at is not None)

    assert campaign.state is CampaignState.CANCELLED
    assert len(relay.letters) <= at_cancel + 4
    assert await counts(house, no) == {SENT: len(relay.letters), SKIPPED: 62 - len(relay.letters)}
    skipped = [row for row in (await rows(house, no)).values() if row.state == SKIPPED]
    assert {row.reply for row in skipped} == {Reason.CANCELLED}


async def test_what_is_cancelled_before_its_time_goes_to_nobody(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    no = await ready(house)
    await do(house, no, sending.cancel)

    async with working(house, relay):
        await until_counts(house, no, {SKIPPED: 2})
        await until(house, no, lambda campaign: campaign.ended_at is not None)

    assert not relay.letters


async def test_calling_off_takes_the_rows_away(house: House, cast: Cast, relay: Relay) -> None:
    await no_letters(house)
    no = await ready(house)

    await do(house, no, freezing.unfreeze)

    assert not await rows(house, no)
    async with working(house, relay):
        await asyncio.sleep(0.2)
    assert not relay.letters
    draft = await until(house, no, lambda _campaign: True)
    assert draft.state is CampaignState.DRAFT
    assert (draft.recipients, draft.send_at, draft.left_out) == (None, None, {})


async def test_a_worker_that_is_told_to_end_finishes_what_has_begun(
    house: House, cast: Cast, relay: Relay
) -> None:
    async with house.work() as work:
        await make.people(work, 60)
    await no_letters(house)
    relay.delay = 0.02
    no = await ready(house)

    async with working(house, relay):
        while len(relay.letters) < 10:
            await asyncio.sleep(0.01)

    assert 10 <= len(relay.letters) < 62
    assert await counts(house, no) == {SENT: len(relay.letters), QUEUED: 62 - len(relay.letters)}

    async with working(house, relay):
        await until_sent(house, no)
    assert len(relay.letters) == 62
    assert set(copies(house, relay, no).values()) == {1}
