"""Trying again, because a person says so, whom a campaign has not reached."""

import asyncio

import pytest
from sqlalchemy import update

from mailer.audit import store as audit
from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState
from mailer.consent import actions as consent
from mailer.deliveries import doubt, ending, retrying, trying_again
from mailer.deliveries.model import Delivery, Reason
from mailer.deliveries.reopening import NotWhileStopped
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.subscribers import store as roll
from tests.cast import Cast
from tests.support.campaigning import as_it_is, became, begun, ended
from tests.support.relay import Relay
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

SENT, DEFERRED, REFUSED, FAILED, QUEUED, SKIPPED = (
    DeliveryState.SENT,
    DeliveryState.DEFERRED,
    DeliveryState.REFUSED,
    DeliveryState.FAILED,
    DeliveryState.QUEUED,
    DeliveryState.SKIPPED,
)


async def found(work: Work, no: int) -> Campaign:
    campaign = await campaigns.by_no(work, no)
    assert campaign
    return campaign


async def over(house: House, cast: Cast, bo: DeliveryState, reply: str = "5.1.1 no") -> Campaign:
    """Give a campaign that is sent: Gil has it, and Bo's ended like this."""
    campaign = await begun(house, cast)
    await became(house, campaign, SENT, cast.gil.no, code=250)
    await became(house, campaign, bo, cast.bo.no, reply=reply)
    await ended(house, campaign)
    return campaign


# --- what is queued -----------------------------------------------------------------------------


async def test_what_was_given_up_is_queued_and_the_campaign_goes_on(
    house: House, cast: Cast
) -> None:
    campaign = await over(house, cast, FAILED, "4.2.2 mailbox full")

    async with house.work() as work:
        assert await trying_again.try_failed(work, await found(work, campaign.no)) == 1

    row = (await rows(house, campaign.no))[cast.bo.no]
    assert (row.state, row.due_at, row.worker) == (QUEUED, None, None)
    now = await as_it_is(house, campaign)
    assert (now.state, now.ended_at) == (CampaignState.SENDING, None)
    assert await counts(house, campaign.no) == {SENT: 1, QUEUED: 1}


async def test_the_attempt_goes_up_and_the_five_days_begin_anew(house: House, cast: Cast) -> None:
    campaign = await over(house, cast, FAILED)
    async with house.work() as work:
        await work.session.execute(update(Delivery).values(attempt=retrying.TRIES))
        await trying_again.try_failed(work, await found(work, campaign.no))

    attempt = (await rows(house, campaign.no))[cast.bo.no].attempt
    assert attempt > retrying.TRIES, "it is a fence, and never goes down"
    first = attempt + 1
    assert retrying.tries_of(first) == 1
    assert retrying.wait_after(first) == retrying.wait_after(1)
    assert not retrying.is_spent(first)
    assert retrying.is_spent(attempt + retrying.TRIES)


async def test_refusals_are_another_choice(house: House, cast: Cast) -> None:
    campaign = await over(house, cast, REFUSED)

    async with house.work() as work:
        assert await trying_again.try_failed(work, await found(work, campaign.no)) == 0
        assert (await found(work, campaign.no)).state is CampaignState.SENT
        assert await trying_again.try_refused(work, await found(work, campaign.no)) == 1
        assert (await found(work, campaign.no)).state is CampaignState.SENDING
        acts = {line.act: line.facts["count"] for line in (await audit.newest(work)).rows[:2]}

    assert acts == {"failed_tried_again": 0, "refused_tried_again": 1}


async def test_one_or_some_by_name(house: House, cast: Cast) -> None:
    campaign = await begun(house, cast)
    await became(house, campaign, REFUSED, cast.bo.no, cast.gil.no, reply="5.1.1 no")

    async with house.work() as work:
        again = await found(work, campaign.no)
        assert await trying_again.try_refused(work, again, [cast.bo.no, 999_999]) == 1

    assert await counts(house, campaign.no) == {QUEUED: 1, REFUSED: 1}
    assert (await rows(house, campaign.no))[cast.bo.no].state == QUEUED


async def test_a_doubt_that_was_left_is_tried_again_by_name_alone(house: House, cast: Cast) -> None:
    campaign = await over(house, cast, DeliveryState.IN_DOUBT, "")

    async with house.work() as work:
        now = await found(work, campaign.no)
        assert await doubt.dismiss(work, now) == 1
        assert await trying_again.try_failed(work, now) == 0
        assert await trying_again.try_failed(work, now, [cast.bo.no]) == 1


async def test_a_failure_without_words_is_one_of_all(house: House, cast: Cast) -> None:
    campaign = await begun(house, cast)
    await became(house, campaign, FAILED, cast.bo.no, reply=None)

    async with house.work() as work:
        assert await trying_again.try_failed(work, await found(work, campaign.no)) == 1


async def test_a_paused_campaign_stays_paused(house: House, cast: Cast) -> None:
    campaign = await begun(house, cast)
    await became(house, campaign, FAILED, cast.bo.no)
    async with house.work() as work:
        now = await found(work, campaign.no)
        await sending.pause(work, now)

        assert await trying_again.try_failed(work, now) == 1
        assert now.state is CampaignState.PAUSED


async def test_nothing_of_a_stopped_campaign_is_tried_again(house: House, cast: Cast) -> None:
    campaign = await begun(house, cast)
    await became(house, campaign, REFUSED, cast.bo.no)
    async with house.work() as work:
        now = await found(work, campaign.no)
        await sending.cancel(work, now)

        for verb in (trying_again.try_failed, trying_again.try_refused):
            with pytest.raises(NotWhileStopped):
                await verb(work, now)


async def test_the_number_of_an_attempt_never_leaves_its_column(house: House, cast: Cast) -> None:
    campaign = await over(house, cast, REFUSED)
    async with house.work() as work:
        bo = update(Delivery).where(Delivery.subscriber_no == cast.bo.no)
        await work.session.execute(bo.values(attempt=retrying.LAST_ROUND - 1))
        now = await found(work, campaign.no)
        assert await trying_again.try_refused(work, now) == 1
        await work.session.execute(bo.values(state=REFUSED))

        assert await trying_again.try_refused(work, now) == 0

    assert retrying.LAST_ROUND + retrying.ROUND > 32_767 >= retrying.LAST_ROUND + retrying.TRIES


async def test_the_engine_cannot_call_it_sent_in_the_same_moment(house: House, cast: Cast) -> None:
    """It sees no open row until ours are committed; so it waits, and then sees them."""
    campaign = await begun(house, cast)
    await became(house, campaign, SENT, cast.gil.no, code=250)
    await became(house, campaign, FAILED, cast.bo.no)

    async def engine_finishes() -> None:
        async with house.work() as work:
            await ending.finish(work, campaign)

    async with house.work() as work:
        assert await trying_again.try_failed(work, await found(work, campaign.no)) == 1
        finishing = asyncio.create_task(engine_finishes())
        await asyncio.sleep(0.2)
        assert not finishing.done()
    await finishing

    assert (await as_it_is(house, campaign)).state is CampaignState.SENDING


async def test_the_others_were_mailed_when_they_were(house: House, cast: Cast) -> None:
    campaign = await over(house, cast, REFUSED)
    async with house.work() as work:
        assert await ending.note_mailed(work, campaign, after=0, limit=100) == cast.gil.no
    async with house.work(reading=True) as work:
        first = await roll.by_no(work, cast.gil.no)
    async with house.work() as work:  # a second end, days later
        await ending.note_mailed(work, campaign, after=0, limit=100)
    async with house.work(reading=True) as work:
        second = await roll.by_no(work, cast.gil.no)
        bo = await roll.by_no(work, cast.bo.no)

    assert first
    assert second
    assert bo
    assert first.last_mailed_at == (await rows(house, campaign.no))[cast.gil.no].at
    assert second.last_mailed_at == first.last_mailed_at
    assert bo.last_mailed_at is None


# --- with a worker ------------------------------------------------------------------------------


async def test_who_was_refused_gets_it_under_the_same_name(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    relay.plan("DATA bo@example.org", "550 5.1.1 not today")
    no = await ready(house, tiers=[cast.supporter.no])
    async with working(house, relay):
        await until_sent(house, no)
        assert await counts(house, no) == {REFUSED: 1}
        async with house.work() as work:
            await trying_again.try_refused(work, await found(work, no))
        await until_counts(house, no, {SENT: 1})
        await until_sent(house, no)

    [taken] = relay.letters
    said = b"".join(relay.said_by_clients().split(b"\r\n "))
    assert said.count(b"Message-ID: <" + message_id(taken).encode() + b"@") == 2
    assert copies(house, relay, no) == {cast.bo.no: 1}


async def test_what_is_busy_again_waits_five_minutes_and_not_an_hour(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    relay.always("RCPT bo@example.org", "450 4.2.1 not now")
    no = await ready(house, tiers=[cast.supporter.no])
    async with house.work() as work:
        await work.session.execute(update(Delivery).values(attempt=retrying.TRIES - 1))
    async with working(house, relay):
        await until_sent(house, no)
        assert await counts(house, no) == {FAILED: 1}
        async with house.work() as work:
            await trying_again.try_failed(work, await found(work, no))
        await until_counts(house, no, {DEFERRED: 1})
        row = (await rows(house, no))[cast.bo.no]
        assert row.due_at
        assert row.at
        assert 200 < (row.due_at - row.at).total_seconds() < 301

        relay.heal()
        await make_due(house)
        await until_sent(house, no)

    assert copies(house, relay, no) == {cast.bo.no: 1}


@pytest.mark.parametrize("how", ["leaves", "is taken off"])
async def test_who_may_not_be_written_to_any_more_is_left_out(
    house: House, cast: Cast, relay: Relay, how: str
) -> None:
    campaign = await over(house, cast, REFUSED)
    await no_letters(house)
    async with house.work() as work:
        bo = await roll.by_no(work, cast.bo.no)
        assert bo
        if how == "leaves":
            await consent.unsubscribe(work, bo, list_no=None)
        else:
            await consent.take_off(work, bo)
        await trying_again.try_refused(work, await found(work, campaign.no))
    await no_letters(house)

    async with working(house, relay):
        await until_sent(house, campaign.no)

    assert relay.letters == []
    assert await counts(house, campaign.no) == {SENT: 1, SKIPPED: 1}
    reason = Reason.UNSUBSCRIBED if how == "leaves" else Reason.SUPPRESSED
    assert (await rows(house, campaign.no))[cast.bo.no].reply == reason
