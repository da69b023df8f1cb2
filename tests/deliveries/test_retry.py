"""Trying again: when, how often, and under the same name."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from mailer.bootstrap import House
from mailer.campaigns.model import CampaignState
from mailer.deliveries import retrying
from mailer.deliveries.model import Delivery, Reason
from mailer.kit.work import clock
from mailer.outbox.model import DeliveryState
from mailer.subscribers.model import Subscriber, visible
from tests.cast import Cast
from tests.support.relay import DROP, Relay
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

SENT, DEFERRED, REFUSED, FAILED = (
    DeliveryState.SENT,
    DeliveryState.DEFERRED,
    DeliveryState.REFUSED,
    DeliveryState.FAILED,
)


async def test_a_deferral_is_tried_again_and_keeps_the_campaign_open(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    relay.plan("RCPT bo@example.org", "450 4.2.1 not now")
    no = await ready(house)

    async with working(house, relay):
        await until_counts(house, no, {SENT: 1, DEFERRED: 1})
        row = (await rows(house, no))[cast.bo.no]
        assert (row.attempt, row.code, row.reply) == (1, 450, "4.2.1 not now")
        assert row.due_at
        assert timedelta(minutes=4) < row.due_at - clock() <= timedelta(minutes=5)

        await make_due(house)
        campaign = await until_sent(house, no)

    assert copies(house, relay, no) == {cast.bo.no: 1, cast.gil.no: 1}
    assert (await rows(house, no))[cast.bo.no].attempt == 2
    assert campaign.state is CampaignState.SENT


async def test_a_retry_carries_the_same_message_id(house: House, cast: Cast, relay: Relay) -> None:
    await no_letters(house)
    # The whole body was handed over once: `wire` has it, though it was not taken.
    relay.plan("DATA bo@example.org", "451 4.3.0 not now")
    no = await ready(house, tiers=[cast.supporter.no])

    async with working(house, relay):
        await until_counts(house, no, {DEFERRED: 1})
        await make_due(house)
        await until_sent(house, no)

    [taken] = relay.letters
    said = b"".join(relay.said_by_clients().split(b"\r\n "))
    assert said.count(b"Message-ID: <" + message_id(taken).encode() + b"@") == 2
    assert said.count(b"Message-ID: ") == 2


async def test_a_refusal_is_final_and_said_in_the_servers_words(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    relay.plan("RCPT bo@example.org", "550 5.1.1 nobody here")
    no = await ready(house)

    async with working(house, relay):
        await until_sent(house, no)

    assert await counts(house, no) == {SENT: 1, REFUSED: 1}
    row = (await rows(house, no))[cast.bo.no]
    assert (row.code, row.reply) == (550, "5.1.1 nobody here")
    assert copies(house, relay, no) == {cast.gil.no: 1}


async def test_after_five_days_it_is_given_up_and_said(
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
    assert (await rows(house, no))[cast.bo.no].attempt == retrying.TRIES


async def test_a_recipient_under_whom_connections_break_waits_like_a_deferral(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    relay.always("RCPT bo@example.org", DROP)
    no = await ready(house)

    async with working(house, relay, smtp_connections=1):
        await until_counts(house, no, {SENT: 1, DEFERRED: 1})

    assert (await rows(house, no))[cast.bo.no].reply == Reason.CONNECTION_LOST


async def test_an_address_that_cannot_be_written_is_refused_by_ourselves(
    house: House, cast: Cast, relay: Relay
) -> None:
    await no_letters(house)
    no = await ready(house)
    async with house.work() as work:
        await work.session.execute(
            update(Subscriber)
            .where(Subscriber.no == cast.bo.no, visible(work))
            .values(address="bo <evil>@example.org")
        )

    async with working(house, relay):
        await until_sent(house, no)

    assert await counts(house, no) == {SENT: 1, REFUSED: 1}
    assert (await rows(house, no))[cast.bo.no].reply == Reason.BAD_ADDRESS


@pytest.mark.parametrize(
    ("tries", "minutes"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (6, 60), (122, 60)]
)
def test_the_waits_double_to_an_hour(tries: int, minutes: int) -> None:
    assert retrying.wait_after(tries) == minutes * 60


def test_giving_up_comes_after_five_days() -> None:
    waited = sum(retrying.wait_after(tries) for tries in range(1, retrying.TRIES))
    assert timedelta(days=5) <= timedelta(seconds=waited) < timedelta(days=5, hours=1)
    assert retrying.is_spent(retrying.TRIES)
    assert not retrying.is_spent(retrying.TRIES - 1)


def test_a_second_round_is_like_the_first() -> None:
    begins = retrying.next_round(retrying.TRIES)
    assert begins == retrying.next_round(0) == retrying.next_round(retrying.ROUND - 1)
    assert [retrying.wait_after(begins + tries) for tries in range(1, 8)] == [
        retrying.wait_after(tries) for tries in range(1, 8)
    ]
    assert retrying.is_spent(begins + retrying.TRIES)
    assert retrying.may_be_copied(begins + 1)
    assert not retrying.may_be_copied(begins + retrying.COPIES)


def test_a_mark_that_came_to_nothing_does_not_begin_a_round() -> None:
    assert retrying.is_spent(retrying.TRIES + 5)


def test_until_when_it_is_tried_is_what_is_left_of_five_days() -> None:
    # After the first try the next comes in five minutes, and the rest of the waits after that.
    waits = sum(retrying.wait_after(tries) for tries in range(1, retrying.TRIES))
    left = retrying.still_to_wait(1) + timedelta(seconds=retrying.wait_after(1))
    assert left == timedelta(seconds=waits)
    assert retrying.still_to_wait(retrying.TRIES - 1) == timedelta(0)
    assert retrying.still_to_wait(retrying.ROUND + 1) == retrying.still_to_wait(1)
