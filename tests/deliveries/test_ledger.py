"""The ledger itself: who may say what about a row, and what a dead worker leaves."""

import asyncio

import pytest
from sqlalchemy import update

from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import OnDoubt
from mailer.deliveries.beating import Settled
from mailer.deliveries.model import Delivery, Reason, key_of_letter
from mailer.outbox.actions import Post, post
from mailer.outbox.model import DeliveryState, Letter
from tests.cast import Cast
from tests.support.ledgers import begun, die, errand, marked, new_ledger, opened, states
from tests.support.sending import letters, rows

QUEUED, CLAIMED, SENDING, SENT, DEFERRED, REFUSED, _, IN_DOUBT, SKIPPED = DeliveryState


async def test_a_mark_raises_the_attempt_and_an_outcome_must_name_it(
    house: House, cast: Cast
) -> None:
    campaign = await begun(house)
    async with opened(house) as ledger:
        bo, gil = await marked(ledger, campaign)
        assert await states(house, campaign) == {bo.number: SENDING, gil.number: SENDING}

        await ledger.beat([Settled(bo, 1, SENT), Settled(gil, 0, SENT)], [], [campaign])
        assert await states(house, campaign) == {bo.number: SENT, gil.number: SENDING}

        refusal = Settled(gil, 1, REFUSED, 550, "5.1.1 no\0body " + "x" * 300)
        for _again in range(2):  # the same may be said twice
            await ledger.beat([refusal], [], [campaign])
    row = (await rows(house, campaign.no))[gil.number]
    assert (row.state, row.code, row.attempt) == (REFUSED, 550, 1)
    assert row.reply
    assert row.reply.startswith("5.1.1 nobody x")
    assert len(row.reply) == 200


async def test_a_row_that_is_marked_is_not_marked_again(house: House, cast: Cast) -> None:
    campaign = await begun(house)
    async with opened(house) as ledger:
        keys = await marked(ledger, campaign)

        assert await ledger.beat([], [errand(key, 1) for key in keys], [campaign]) == {}
        assert not await ledger.claim(campaign, after=0, limit=100)


async def test_nothing_is_marked_while_a_campaign_is_paused(house: House, cast: Cast) -> None:
    campaign = await begun(house)
    async with opened(house) as ledger:
        claims = await ledger.claim(campaign, after=0, limit=100)
        async with house.work() as work:
            paused = await campaigns.by_no(work, campaign.no)
            assert paused
            await sending.pause(work, paused)
        asked = [errand(one.key) for one in claims]

        assert await ledger.beat([], asked, [campaign]) == {}
        assert set((await states(house, campaign)).values()) == {QUEUED}
        assert await ledger.running() == []


async def test_late_truth_settles_what_was_called_in_doubt_or_queued_again(
    house: House, cast: Cast
) -> None:
    campaign = await begun(house)
    async with opened(house) as ledger:
        bo, gil = await marked(ledger, campaign)
        async with house.work() as work:
            for key, state in ((bo, IN_DOUBT), (gil, QUEUED)):
                await work.session.execute(
                    update(Delivery).where(Delivery.subscriber_no == key.number).values(state=state)
                )

        await ledger.beat([Settled(bo, 1, SENT), Settled(gil, 1, SENT)], [], [campaign])

    assert await states(house, campaign) == {bo.number: SENT, gil.number: SENT}


async def test_truth_comes_too_late_once_a_later_attempt_has_begun(
    house: House, cast: Cast
) -> None:
    campaign = await begun(house)
    async with opened(house) as ledger:
        bo, _gil = await marked(ledger, campaign)
        await ledger.beat([Settled(bo, 1, QUEUED, reply="again")], [], [campaign])
        [again] = await ledger.claim(campaign, after=0, limit=100)
        assert again.attempt == 1
        assert await ledger.beat([], [errand(bo, 1)], [campaign]) == {bo: 2}

        await ledger.beat([Settled(bo, 1, REFUSED, 550, "late")], [], [campaign])

    assert (await states(house, campaign))[bo.number] is SENDING


@pytest.mark.parametrize(
    ("on_doubt", "attempt", "becomes"),
    [
        (OnDoubt.HOLD, 1, IN_DOUBT),
        (OnDoubt.RESEND, 1, QUEUED),
        (OnDoubt.RESEND, 3, IN_DOUBT),
    ],
)
async def test_what_a_dead_worker_was_sending_is_decided_as_the_campaign_chose(
    house: House, cast: Cast, on_doubt: OnDoubt, attempt: int, becomes: DeliveryState
) -> None:
    campaign = await begun(house, on_doubt)
    async with house.work() as work:
        await post(work, Post(kind="private-link", dedupe_key="x", language="en", subscriber=1))
        await work.session.execute(update(Delivery).values(attempt=attempt - 1))
        await work.session.execute(update(Letter).values(attempt=attempt - 1))
    dead = new_ledger(house)
    await dead.open()
    await marked(dead, campaign)
    [letter] = await dead.claim_letters(besides=[], limit=10)
    assert await dead.beat([], [errand(key_of_letter(letter), attempt - 1)], [])
    await die(dead)

    async with opened(house, lease=0.2, takeover=0.4) as ledger:
        async with asyncio.timeout(10):
            while SENDING in (await states(house, campaign)).values():
                await ledger.watch()
                await asyncio.sleep(0.1)

    assert set((await states(house, campaign)).values()) == {becomes}
    assert {row.reply for row in (await rows(house, campaign.no)).values()} == {Reason.WORKER_ENDED}
    [owed] = await letters(house)
    assert owed.state == (QUEUED if attempt < 3 else IN_DOUBT)


async def test_a_ledger_says_what_is_running_and_what_is_still_open(
    house: House, cast: Cast
) -> None:
    campaign = await begun(house, OnDoubt.RESEND)
    async with opened(house) as ledger:
        assert await ledger.running() == [campaign]
        assert await ledger.outlook(campaign) == (True, None)
