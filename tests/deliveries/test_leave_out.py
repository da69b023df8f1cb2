"""Leaving out whoever may not be written to any more, in the last moment before the body."""

import pytest
from sqlalchemy import select, update

from mailer.bootstrap import House
from mailer.campaigns import store as campaigns
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent import urgency
from mailer.deliveries import store
from mailer.deliveries.model import Reason
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store as roll
from mailer.subscribers.model import Subscriber, visible
from tests import makers as make
from tests.cast import Cast
from tests.support.relay import Relay
from tests.support.sending import (
    copies,
    counts,
    draft,
    no_letters,
    ready,
    rows,
    until_sent,
    working,
)


async def found(work: Work, no: int) -> Subscriber:
    person = await roll.by_no(work, no)
    assert person
    return person


async def leaves(work: Work, person: Subscriber) -> None:
    await consent.unsubscribe(work, person, list_no=None)


async def pauses(work: Work, person: Subscriber) -> None:
    await subscribers.pause(work, person)


async def is_stopped(work: Work, person: Subscriber) -> None:
    await subscribers.stop_silently(work, person)


async def is_taken_off(work: Work, person: Subscriber) -> None:
    await consent.take_off(work, person)


async def is_erased(work: Work, person: Subscriber) -> None:
    await work.session.execute(
        update(Subscriber)
        .where(Subscriber.no == person.no, visible(work))
        .values(erased_at=work.now, address=None, address_key=None, mark=None)
    )


async def wants_only_urgent(work: Work, person: Subscriber) -> None:
    [bulletin, *_] = await consents.lists(work)
    await urgency.hear_only_urgent(work, person, bulletin)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (leaves, Reason.UNSUBSCRIBED),
        (pauses, Reason.PAUSED),
        (wants_only_urgent, Reason.ONLY_URGENT),
        (is_stopped, Reason.STOPPED),
        (is_taken_off, Reason.SUPPRESSED),
        (is_erased, Reason.ERASED),
    ],
)
async def test_who_changes_after_the_freezing_is_left_out_with_the_reason(
    house: House, cast: Cast, relay: Relay, change, reason: Reason
) -> None:
    no = await ready(house)
    async with house.work() as work:
        await change(work, await found(work, cast.bo.no))
    await no_letters(house)

    async with working(house, relay):
        await until_sent(house, no)

    assert copies(house, relay, no) == {cast.gil.no: 1}
    assert b"bo@example.org" not in b"".join(letter.content for letter in relay.letters)
    assert await counts(house, no) == {DeliveryState.SENT: 1, DeliveryState.SKIPPED: 1}
    assert (await rows(house, no))[cast.bo.no].reply == reason
    async with house.work(reading=True) as work:
        campaign = await campaigns.by_no(work, no)
        assert campaign
        assert await store.why_skipped(work, campaign) == {reason: 1}


async def test_who_leaves_while_it_is_being_sent_gets_no_body(
    house: House, cast: Cast, relay: Relay
) -> None:
    """Bo's envelope waits at the server when Bo leaves; the gate stays shut."""
    await no_letters(house)
    no = await ready(house)

    async def leave() -> None:
        async with house.work() as work:
            await leaves(work, await found(work, cast.bo.no))

    relay.meanwhile["RCPT bo@example.org"] = leave
    async with working(house, relay):
        await until_sent(house, no)

    assert not relay.meanwhile
    assert copies(house, relay, no) == {cast.gil.no: 1}
    assert (await rows(house, no))[cast.bo.no].reply == Reason.UNSUBSCRIBED


async def test_why_not_and_may_mail_are_one_rule(house: House, cast: Cast, work: Work) -> None:
    pending = await make.person(work, "pending@example.org", confirmed=False)
    paused = await make.person(work, "paused@example.org")
    await pauses(work, paused)
    stopped = await make.person(work, "stopped@example.org")
    await is_stopped(work, stopped)
    off = await make.person(work, "off@example.org")
    await is_taken_off(work, off)
    urgent = await make.person(work, "urgent@example.org")
    await wants_only_urgent(work, urgent)
    other = await make.mailing_list(work)
    elsewhere = await make.person(work, "else@example.org", mailing_list=other)
    await draft(work)

    rows = await work.session.execute(
        select(
            Subscriber.no,
            store.why_not(cast.bulletin.no, work.now),
            consents.may_mail(cast.bulletin.no, work.now),
        ).where(visible(work))
    )
    told = {no: (why, bool(may)) for no, why, may in rows}

    assert all((why is None) == may for why, may in told.values())
    assert told[cast.bo.no] == (None, True)
    assert {
        no: told[no][0]
        for no in (pending.no, paused.no, urgent.no, stopped.no, off.no, elsewhere.no)
    } == {
        pending.no: Reason.UNCONFIRMED,
        paused.no: Reason.PAUSED,
        urgent.no: Reason.ONLY_URGENT,
        stopped.no: Reason.STOPPED,
        off.no: Reason.SUPPRESSED,
        elsewhere.no: Reason.NOT_ON_LIST,
    }
    assert told[cast.chidi.no][0] == Reason.UNSUBSCRIBED
