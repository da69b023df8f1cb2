"""Leaving, and taking it back."""

import asyncio

import pytest

from mailer.activity import store as activity
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.consent import store
from mailer.consent.model import SubscriberState, SubscriptionState
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.outbox.model import Letter, Needs
from mailer.subscribers.actions import add
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.cast import Cast


async def notices(work: Work, person: Subscriber) -> list[Letter]:
    return [one for one in await outbox.letters_to(work, person.no) if one.kind == "unsubscribed"]


async def on(work: Work, person: Subscriber) -> dict[int, SubscriptionState]:
    return {one.list_no: one.state for one in await store.subscriptions_of(work, person.no)}


async def test_leaving_is_at_once_and_sends_one_notice(cast: Cast, work: Work) -> None:
    record = await consent.unsubscribe(work, cast.bo, list_no=cast.bulletin.no, campaign_no=7)

    assert record is not None
    assert not record.given
    assert await consent.state_of(work, cast.bo) is SubscriberState.UNSUBSCRIBED
    [letter] = await notices(work, cast.bo)
    assert letter.facts == {"record": record.no, "lists": [cast.bulletin.no]}
    assert letter.needs is Needs.NOTHING
    [line] = await activity.lines_of(work, cast.bo.no, kinds=["unsubscribed"])
    assert line.facts == {"record": record.no, "lists": [cast.bulletin.no], "campaign": 7}


async def test_leaving_twice_is_leaving_once(cast: Cast, work: Work) -> None:
    await consent.unsubscribe(work, cast.bo, list_no=None)
    assert await consent.unsubscribe(work, cast.bo, list_no=None) is None
    assert len(await notices(work, cast.bo)) == 1


async def test_leaving_at_the_same_time_is_leaving_once(cast: Cast, house: House) -> None:
    async def one() -> bool:
        async with house.work() as work:
            return await consent.unsubscribe(work, cast.bo, list_no=None) is not None

    assert sorted(await asyncio.gather(one(), one(), one())) == [False, False, True]
    async with house.work() as work:
        assert len(await notices(work, cast.bo)) == 1


async def test_one_list_is_left_and_the_others_are_not(cast: Cast, work: Work) -> None:
    alerts = await make.mailing_list(work)
    await consent.agree_many(work, [cast.bo.no], alerts, wording="Yes.", language="en")

    await consent.unsubscribe(work, cast.bo, list_no=alerts.no)

    assert await consent.state_of(work, cast.bo) is SubscriberState.ACTIVE
    standing = await on(work, cast.bo)
    assert standing[alerts.no] is SubscriptionState.UNSUBSCRIBED


async def test_whoever_never_confirmed_gets_no_notice(cast: Cast, work: Work) -> None:
    assert await consent.unsubscribe(work, cast.dana, list_no=None) is not None
    assert await consent.state_of(work, cast.dana) is SubscriberState.UNSUBSCRIBED
    assert await notices(work, cast.dana) == []


async def test_an_undo_restores_exactly_what_the_leaving_ended(cast: Cast, work: Work) -> None:
    alerts, events = (
        await make.mailing_list(work, "Alerts"),
        await make.mailing_list(work, "Events"),
    )
    await consent.agree_many(work, [cast.bo.no], alerts, wording="Yes.", language="en")
    await consent.ask(work, cast.bo, events, wording="Yes.", language="en")
    await consent.unsubscribe(make.later(work, days=1), cast.bo, list_no=alerts.no)
    left = make.later(work, days=2)
    record = await consent.unsubscribe(left, cast.bo, list_no=None)
    assert record is not None

    restored = await consent.undo_unsubscribe(make.later(work, days=3), cast.bo, record.no)

    assert restored == [cast.bulletin.no, events.no]
    assert await on(work, cast.bo) == {
        cast.bulletin.no: SubscriptionState.CONFIRMED,
        alerts.no: SubscriptionState.UNSUBSCRIBED,
        events.no: SubscriptionState.UNCONFIRMED,
    }
    newest = (await store.records_of(work, cast.bo.no))[-1]
    assert (newest.given, newest.wording) == (True, cast.wording)
    assert (await activity.kinds(work, cast.bo.no))[-1] == "came_back"


async def test_undoing_twice_is_undoing_once(cast: Cast, work: Work) -> None:
    record = await consent.unsubscribe(work, cast.bo, list_no=None)
    assert record is not None
    for _ in range(2):
        assert await consent.undo_unsubscribe(work, cast.bo, record.no) == [cast.bulletin.no]
    kinds = await activity.kinds(work, cast.bo.no)
    assert kinds.count("came_back") == 1
    assert len(await store.records_of(work, cast.bo.no)) == 3


async def test_an_old_undo_does_not_take_back_a_newer_leaving(cast: Cast, work: Work) -> None:
    first = await consent.unsubscribe(work, cast.bo, list_no=None)
    assert first is not None
    await consent.undo_unsubscribe(work, cast.bo, first.no)
    await consent.unsubscribe(make.later(work, days=1), cast.bo, list_no=None)

    assert await consent.undo_unsubscribe(make.later(work, days=2), cast.bo, first.no) == []
    assert await consent.state_of(work, cast.bo) is SubscriberState.UNSUBSCRIBED


async def test_an_undo_is_open_for_thirty_days(cast: Cast, work: Work) -> None:
    record = await consent.unsubscribe(work, cast.bo, list_no=None)
    assert record is not None
    with pytest.raises(consent.LeavingTooOld):
        await consent.undo_unsubscribe(make.later(work, days=31), cast.bo, record.no)
    assert await consent.undo_unsubscribe(make.later(work, days=30), cast.bo, record.no)


async def test_an_undo_does_not_bring_back_who_is_never_written_to(cast: Cast, work: Work) -> None:
    record = await consent.unsubscribe(work, cast.bo, list_no=None)
    assert record is not None
    await consent.take_off(work, cast.bo)
    with pytest.raises(consent.StillSuppressed):
        await consent.undo_unsubscribe(work, cast.bo, record.no)


async def test_the_leaving_of_another_is_not_theirs_to_undo(cast: Cast, work: Work) -> None:
    record = await consent.unsubscribe(work, cast.bo, list_no=None)
    assert record is not None
    for person, no in ((cast.gil, record.no), (cast.bo, 404), (cast.gil, 1)):
        with pytest.raises(consent.LeavingUnknown):
            await consent.undo_unsubscribe(work, person, no)


async def test_somebody_with_no_list_has_nothing_to_leave(cast: Cast, work: Work) -> None:
    new = await add(work, address="new@example.org")
    assert await consent.unsubscribe(work, new, list_no=None) is None
