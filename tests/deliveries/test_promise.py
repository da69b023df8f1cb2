"""The promise of how often we write is kept by the engine."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from mailer.bootstrap import House
from mailer.campaigns import composing, correcting, sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState, Kind
from mailer.deliveries import freezing, promising
from mailer.deliveries.model import Delivery, Reason
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.tiers import actions as tiers
from mailer.tiers.model import Source
from tests import makers as make
from tests.cast import Cast
from tests.support.relay import Relay
from tests.support.sending import BASE, draft, rows, until_sent, working

# Bo is a Supporter: two in 30 days. Gil is a Follower: one in 30 days.


async def frozen(work: Work) -> Campaign:
    return await freezing.review(work, await draft(work), base=BASE)


async def confirmed(work: Work) -> Campaign:
    campaign = await frozen(work)
    return await sending.schedule(work, campaign, typed=str(campaign.recipients), undo_seconds=0)


async def sent(work: Work, house: House) -> Campaign:
    """Send one to all of its people, at once and without a server."""
    campaign = await confirmed(work)
    await sending.start_due(work)
    for row in await _rows(work, campaign):
        row.state, row.at = DeliveryState.SENT, work.now
    await campaigns.step(work, campaign, CampaignState.SENT, ended_at=work.now)
    await work.session.flush()
    return campaign


async def _rows(work: Work, campaign: Campaign) -> Sequence[Delivery]:
    found = await work.session.scalars(select(Delivery).where(Delivery.campaign_no == campaign.no))
    return found.all()


async def test_whoever_had_as_many_as_promised_is_left_out_and_counted(
    cast: Cast, house: House, work: Work
) -> None:
    assert (await sent(work, house)).recipients == 2

    second = await frozen(make.later(work, days=2))
    assert [row.subscriber_no for row in await _rows(work, second)] == [cast.bo.no]
    assert (second.recipients, second.left_out[Reason.OFTEN_ENOUGH]) == (1, 1)

    later = await frozen(make.later(work, days=31))
    assert later.recipients == 2
    assert Reason.OFTEN_ENOUGH not in later.left_out


async def test_what_is_confirmed_counts_and_what_is_only_frozen_does_not(
    cast: Cast, work: Work
) -> None:
    first = await frozen(work)
    assert (await frozen(work)).recipients == 2
    await sending.schedule(work, first, typed="2", undo_seconds=0)
    assert (await frozen(work)).recipients == 1
    await sending.call_off(work, first)
    assert (await frozen(work)).recipients == 2


async def test_alerts_and_corrections_are_neither_counted_nor_held_back(
    cast: Cast, house: House, work: Work
) -> None:
    newsletter = await sent(work, house)
    alert = await draft(work)
    alert.kind, alert.why_urgent = Kind.ALERT, "The vote is tomorrow."
    assert (await freezing.review(work, alert, base=BASE)).recipients == 2
    correction = await correcting.correct(work, newsletter)
    assert (await freezing.review(work, correction, base=BASE)).recipients == 2


async def test_an_alert_says_why_and_there_are_four_in_a_year(cast: Cast, work: Work) -> None:
    async def alert(at: Work, why: str) -> Campaign:
        one = await draft(at)
        one.kind, one.why_urgent = Kind.ALERT, why
        await work.session.flush()
        return await freezing.review(at, one, base=BASE)

    with pytest.raises(composing.AlertUnexplained) as refused:
        await alert(work, "")
    assert refused.value.facts == {"field": "why_urgent"}
    for _time in range(4):
        one = await alert(work, "The vote is tomorrow.")
        await sending.schedule(work, one, typed=str(one.recipients), undo_seconds=0)
        await sending.start_due(work)
    with pytest.raises(promising.AlertsSpent):
        await alert(make.later(work, days=364), "Once more.")
    assert (await alert(make.later(work, days=366), "A year later.")).recipients


async def test_a_higher_promise_counts_for_those_who_choose_it_from_then_on(
    cast: Cast, house: House, work: Work
) -> None:
    later = make.later(work, hours=1)
    follower = await tiers.describe_tier(
        later,
        cast.follower,
        name={"en": "Follower"},
        often={"en": "Ten a month"},
        you_get={},
        we_ask={},
        most_mails=10,
    )
    assert follower.most_mails == 10
    new = await make.person(make.later(work, hours=2), "new@example.org", tier=follower)
    await sent(make.later(work, hours=3), house)

    second = await frozen(make.later(work, days=2))

    got = {row.subscriber_no for row in await _rows(work, second)}
    assert got == {cast.bo.no, new.no}, "Gil keeps the promise of one"


async def test_a_step_down_counts_until_the_last_moment(
    house: House, cast: Cast, relay: Relay
) -> None:
    async with house.work() as work:
        await sent(work, house)
        second = await confirmed(make.later(work, seconds=1))
        await tiers.step(work, cast.bo, cast.follower, source=Source.SELF_LINK)
        await sending.start_due(make.later(work, minutes=1))
    async with working(house, relay):
        await until_sent(house, second.no)

    [row] = (await rows(house, second.no)).values()
    assert (row.subscriber_no, row.state) == (cast.bo.no, DeliveryState.SKIPPED)
    assert row.reply == Reason.OFTEN_ENOUGH


async def test_nothing_is_asked_where_no_promise_is_at_stake(cast: Cast, work: Work) -> None:
    campaign = await frozen(work)
    assert await promising.at_stake(work, campaign) == []
    assert await promising.had_enough_by_now(work, [], [cast.bo.no]) == set()


async def test_old_newsletters_are_out_of_the_days(cast: Cast, house: House, work: Work) -> None:
    await sent(work, house)
    at = make.later(work, days=29)
    campaign = await composing.begin(at, name="Next")
    at_stake = await promising.at_stake(at, campaign)
    assert {one.given.tier_no for one in at_stake} == {cast.follower.no}
    assert await promising.at_stake(make.later(work, days=30, seconds=1), campaign) == []
