"""Watching: what somebody sees who follows a campaign, and when it will be done."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from mailer.campaigns import sending
from mailer.campaigns.model import Campaign
from mailer.deliveries import forecast, watching
from mailer.deliveries.model import Delivery
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.relays.model import DomainPace, Relay
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.cast import Cast
from tests.support.sending import confirmed, draft

SENT, DEFERRED = DeliveryState.SENT, DeliveryState.DEFERRED


async def started(work: Work) -> Campaign:
    await confirmed(work, await draft(work))
    [campaign] = await sending.start_due(work)
    return campaign


async def slow(work: Work, domain: str, **how: object) -> DomainPace:
    """Let a domain be written to more slowly."""
    pace = DomainPace(domain=domain, **how)
    work.session.add(pace)
    await work.session.flush()
    return pace


async def at(work: Work, domain: str, number: int) -> list[Subscriber]:
    return [await make.person(work, f"p{n}@{domain}") for n in range(number)]


# --- slower domains -----------------------------------------------------------------------------


async def test_who_waits_for_a_slow_domain_is_counted_with_its_words(
    cast: Cast, work: Work
) -> None:
    slow_ones = await at(work, "Slow.Example", 3)
    await at(work, "notslow.example", 2)
    await at(work, "fast.example", 2)
    campaign = await started(work)
    await work.session.execute(
        update(Delivery)
        .where(Delivery.subscriber_no == slow_ones[0].no)
        .values(state=SENT, at=work.now)
    )
    asked = await slow(work, "slow.example")
    asked.slow_down(work.now, observed=100.0, code=421, reply="4.7.28 unusual rate")
    await slow(work, "fast.example", ceiling=30)
    await slow(work, "nobody.example", ceiling=10)

    first, second = await watching.held_back(work, campaign)

    assert {first.domain, second.domain} == {"slow.example", "fast.example"}
    told = {one.domain: one for one in (first, second)}
    assert told["slow.example"].waiting == 2
    assert told["slow.example"].words == "421 4.7.28 unusual rate"
    assert told["slow.example"].slowed_at == work.now
    assert told["slow.example"].per_minute == pytest.approx(50.0)
    assert told["fast.example"].waiting == 2
    assert (told["fast.example"].words, told["fast.example"].slowed_at) == ("", None)
    assert told["fast.example"].per_minute == 30
    assert not told["slow.example"].or_more


async def test_the_one_for_which_most_wait_comes_first(cast: Cast, work: Work) -> None:
    await at(work, "few.example", 1)
    await at(work, "many.example", 3)
    campaign = await started(work)
    await slow(work, "few.example", ceiling=1)
    await slow(work, "many.example", ceiling=100)

    assert [one.domain for one in await watching.held_back(work, campaign)] == [
        "many.example",
        "few.example",
    ]


async def test_no_more_rows_are_looked_at_than_a_page_may_cost(
    cast: Cast, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    await at(work, "slow.example", 5)
    campaign = await started(work)
    await slow(work, "slow.example", ceiling=10)
    monkeypatch.setattr(watching, "_LOOKED_AT", 4)

    [one] = await watching.held_back(work, campaign)

    assert one.waiting == 2, "Bo and Gil come before them"
    assert one.or_more


async def test_where_nothing_is_slow_nothing_is_counted(cast: Cast, work: Work) -> None:
    campaign = await started(work)

    assert await watching.held_back(work, campaign) == []
    assert (await watching.look_at(work, campaign)).held_back == []


# --- what is kept -------------------------------------------------------------------------------


async def accepted(work: Work, no: int) -> None:
    await work.session.execute(
        update(Delivery).where(Delivery.subscriber_no == no).values(state=SENT, at=work.now)
    )


async def test_a_small_campaign_is_counted_whenever_somebody_asks(cast: Cast, work: Work) -> None:
    campaign, tally = await started(work), watching.Tally()
    assert (await tally.lately(work, campaign)).progress.of(SENT) == 0
    await accepted(work, cast.bo.no)

    assert (await tally.lately(work, campaign)).progress.of(SENT) == 1


async def test_the_counts_of_a_large_one_are_kept_for_those_who_watch(
    cast: Cast, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MANY", 1)
    monkeypatch.setattr(watching, "_KEPT_FOR", 1_000_000)
    campaign, tally = await started(work), watching.Tally()
    await tally.lately(work, campaign)
    await accepted(work, cast.bo.no)

    assert (await tally.lately(work, campaign)).progress.of(SENT) == 0
    # Who opens the page afresh sees what is so, and so do those who watch from then on.
    assert (await tally.now(work, campaign)).progress.of(SENT) == 1
    assert (await tally.lately(work, campaign)).progress.of(SENT) == 1


async def test_what_is_kept_runs_out_and_goes_when_the_campaign_goes_on(
    cast: Cast, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MANY", 1)
    monkeypatch.setattr(watching, "_KEPT_FOR", 0)
    campaign, tally = await started(work), watching.Tally()
    await tally.lately(work, campaign)
    await accepted(work, cast.bo.no)
    assert (await tally.lately(work, campaign)).progress.of(SENT) == 1

    monkeypatch.setattr(watching, "_KEPT_FOR", 1_000_000)
    await tally.now(work, campaign)
    await accepted(work, cast.gil.no)
    await sending.pause(work, campaign)
    assert (await tally.lately(work, campaign)).progress.of(SENT) == 2


# --- forecasts ----------------------------------------------------------------------------------


async def sent_at_a_pace(work: Work, cast: Cast, number: int, seconds: float) -> Campaign:
    """Give a campaign whose rows were accepted one after the other, and Bo's a day later."""
    people = await make.people(work, number)
    campaign = await started(work)
    step = seconds / max(number - 1, 1)
    for place, person in enumerate(people):
        await work.session.execute(
            update(Delivery)
            .where(Delivery.campaign_no == campaign.no, Delivery.subscriber_no == person.no)
            .values(state=SENT, attempt=1, at=work.now + timedelta(seconds=step * place))
        )
    # A retry of the next day says nothing about the pace.
    await work.session.execute(
        update(Delivery)
        .where(Delivery.campaign_no == campaign.no, Delivery.subscriber_no == cast.bo.no)
        .values(state=SENT, attempt=9, at=work.now + timedelta(days=1))
    )
    return campaign


async def test_the_pace_is_that_of_the_last_campaign_that_can_tell(cast: Cast, work: Work) -> None:
    assert await forecast.measured_pace(work) is None
    assert await forecast.how_long(work, 1000) is None

    await sent_at_a_pace(work, cast, 120, 60.0)
    await started(make.later(work, hours=1))  # nothing of it has gone

    assert await forecast.measured_pace(work) == pytest.approx(2.0)
    takes = await forecast.how_long(work, 1200)
    assert takes is not None
    assert takes.total_seconds() == pytest.approx(600, abs=1)


async def test_a_few_people_tell_no_pace(cast: Cast, work: Work) -> None:
    await sent_at_a_pace(work, cast, 50, 10.0)
    assert await forecast.measured_pace(work) is None


async def test_limits_are_in_the_forecast(cast: Cast, work: Work) -> None:
    relay = await work.session.get_one(Relay, 1)
    relay.per_second = 5
    await work.session.flush()

    takes = await forecast.how_long(work, 1500)
    faster = await forecast.how_long(work, 1500, pace=100.0)
    slower = await forecast.how_long(work, 1500, pace=1.0)

    assert takes == faster == timedelta(seconds=300)
    assert slower == timedelta(seconds=1500)
