"""At most so many newsletters: fewer than the level promises, and the engine keeps it."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from mailer.activity import store as activity
from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState, Kind
from mailer.consent import record, seldom, store
from mailer.consent.model import Pace
from mailer.deliveries import freezing, promising
from mailer.deliveries.model import Delivery, Reason
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.cast import Cast
from tests.support.relay import Relay
from tests.support.sending import (
    BASE,
    confirmed,
    copies,
    draft,
    let_many_go,
    no_letters,
    rows,
    until_sent,
    working,
)


async def pace_of(work: Work, person: Subscriber) -> Pace | None:
    found = await store.at_most_of(work, person.no)
    return found.pace if found else None


async def rows_of(work: Work, campaign: Campaign) -> Sequence[Delivery]:
    found = await work.session.scalars(select(Delivery).where(Delivery.campaign_no == campaign.no))
    return found.all()


async def sent(work: Work) -> Campaign:
    """Send one to all of its people, at once and without a server."""
    campaign = await confirmed(work, await draft(work))
    await sending.start_due(work)
    for row in await rows_of(work, campaign):
        row.state, row.at = DeliveryState.SENT, work.now
    await campaigns.step(work, campaign, CampaignState.SENT, ended_at=work.now)
    await work.session.flush()
    return campaign


async def frozen(work: Work) -> Campaign:
    return await freezing.review(work, await draft(work), base=BASE)


async def who_gets(work: Work, campaign: Campaign) -> set[int]:
    return {row.subscriber_no for row in await rows_of(work, campaign)}


async def test_it_is_told_once_and_taken_back(cast: Cast, work: Work) -> None:
    assert await seldom.hear_at_most(work, cast.bo, "monthly")
    assert not await seldom.hear_at_most(work, cast.bo, "monthly")
    assert await pace_of(work, cast.bo) is Pace.MONTHLY
    assert (await activity.kinds(work, cast.bo.no)).count("at_most") == 1
    told = [entry.words for entry in await record.entries(work, cast.bo.no)]
    assert told[0] == "Wants at most one newsletter a month"

    assert await seldom.hear_at_most(work, cast.bo, "weekly")
    assert await pace_of(work, cast.bo) is Pace.WEEKLY
    assert await seldom.hear_at_most(work, cast.bo, "level")
    assert not await seldom.hear_at_most(work, cast.bo, "level")
    assert await pace_of(work, cast.bo) is None


async def test_an_unknown_pace_is_refused(cast: Cast, work: Work) -> None:
    with pytest.raises(seldom.PaceUnknown) as refused:
        await seldom.hear_at_most(work, cast.bo, "hourly")
    assert refused.value.facts == {"field": "pace"}


async def test_whoever_had_one_this_month_is_left_out_and_counted(cast: Cast, work: Work) -> None:
    await let_many_go(work)
    await seldom.hear_at_most(work, cast.bo, "monthly")
    await sent(work)

    second = await frozen(make.later(work, days=29))
    assert await who_gets(work, second) == {cast.gil.no}
    assert second.left_out[Reason.OFTEN_ENOUGH] == 1
    assert await who_gets(work, await frozen(make.later(work, days=31))) == {
        cast.bo.no,
        cast.gil.no,
    }


async def test_a_week_is_counted_from_the_last_one(cast: Cast, work: Work) -> None:
    await let_many_go(work)
    await seldom.hear_at_most(work, cast.gil, "weekly")
    await sent(work)

    assert await who_gets(work, await frozen(make.later(work, days=6))) == {cast.bo.no}
    assert cast.gil.no in await who_gets(work, await frozen(make.later(work, days=8)))


async def test_where_the_level_promises_fewer_that_holds(cast: Cast, work: Work) -> None:
    # Gil is a Follower: one in 30 days.
    await seldom.hear_at_most(work, cast.gil, "weekly")
    await sent(work)

    assert await who_gets(work, await frozen(make.later(work, days=8))) == {cast.bo.no}


async def test_it_counts_until_the_last_moment(house: House, cast: Cast, relay: Relay) -> None:
    await no_letters(house)
    async with house.work() as work:
        await let_many_go(work)
        await sent(work)
        second = await confirmed(make.later(work, seconds=1), await draft(work))
        await seldom.hear_at_most(work, cast.bo, "monthly")
        await sending.start_due(make.later(work, minutes=1))
    async with working(house, relay):
        await until_sent(house, second.no)

    assert copies(house, relay, second.no) == {cast.gil.no: 1}
    found = await rows(house, second.no)
    assert found[cast.bo.no].state == DeliveryState.SKIPPED
    assert found[cast.bo.no].reply == Reason.OFTEN_ENOUGH


async def test_an_alert_reaches_them(cast: Cast, work: Work) -> None:
    await seldom.hear_at_most(work, cast.bo, "monthly")
    await sent(work)
    alert = await draft(make.later(work, days=1), kind=Kind.ALERT)
    alert.why_urgent = "The vote is tonight."
    await work.session.flush()

    frozen_alert = await freezing.review(make.later(work, days=1), alert, base=BASE)

    assert await who_gets(work, frozen_alert) == {cast.bo.no, cast.gil.no}


async def test_nothing_is_asked_where_nobody_wants_fewer(cast: Cast, work: Work) -> None:
    await let_many_go(work)
    await sent(work)
    at = make.later(work, days=2)
    assert await promising.at_stake(at, await draft(at)) == []

    await seldom.hear_at_most(work, cast.bo, "monthly")
    [promise] = await promising.at_stake(at, await draft(at))
    assert promise.given.pace is Pace.MONTHLY


@pytest.mark.parametrize(
    ("bo", "gil", "together"),
    [
        ("level", "weekly", Pace.WEEKLY),
        ("weekly", "level", Pace.WEEKLY),
        ("weekly", "monthly", Pace.MONTHLY),
        ("monthly", "weekly", Pace.MONTHLY),
        ("level", "level", None),
    ],
)
async def test_in_a_merge_the_fewer_emails_win(
    cast: Cast, work: Work, bo: str, gil: str, together: Pace | None
) -> None:
    await seldom.hear_at_most(work, cast.bo, bo)
    await seldom.hear_at_most(work, cast.gil, gil)
    before = await pace_of(work, cast.bo), await pace_of(work, cast.gil)

    moved = await record.repoint(work, cast.bo.no, cast.gil.no)
    assert (await pace_of(work, cast.bo), await pace_of(work, cast.gil)) == (None, together)

    await record.restore(work, cast.bo.no, cast.gil.no, moved)
    assert (await pace_of(work, cast.bo), await pace_of(work, cast.gil)) == before
