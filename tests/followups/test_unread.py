"""Who has not read an alert is called when an organiser says so, and never by itself."""

from datetime import timedelta

import pytest

from mailer.bootstrap import House
from mailer.campaigns import reading
from mailer.campaigns.model import Campaign, CampaignState, Kind
from mailer.campaigns.reading import AlertUnknown
from mailer.deliveries import unread
from mailer.deliveries.model import FIRST_RUN, Delivery
from mailer.deliveries.unread import NotAnAlert, PutInSince
from mailer.followups import store
from mailer.followups.model import CaseKind, Outcome, Resolution
from mailer.followups.rounds import digest
from mailer.followups.rounds.looking import look_around
from mailer.kit.work import Door, Work
from mailer.outbox.model import DeliveryState
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.cast import Cast
from tests.support.following import called, now, open_cases, remembered


@pytest.fixture
async def alert(house: House, cast: Cast) -> Campaign:
    """Sent two days ago; Bo and Gil got it then, Dana today, and Chidi did not."""
    async with house.work() as work:
        campaign = _campaign(work, cast, Kind.ALERT)
        work.session.add(campaign)
        await work.session.flush()
        for who, days, state in (
            (cast.bo, 2, DeliveryState.SENT),
            (cast.gil, 2, DeliveryState.SENT),
            (cast.dana, 0, DeliveryState.SENT),
            (cast.chidi, 2, DeliveryState.REFUSED),
        ):
            got(work, campaign, who, days=days, state=state)
    return campaign


def _campaign(work: Work, cast: Cast, kind: Kind) -> Campaign:
    return Campaign(
        uid=f"{kind.value:0<36}",
        slug=kind.value,
        kind=kind,
        name="The depot closes",
        state=CampaignState.SENT,
        list_no=cast.bulletin.no,
        made_at=work.now,
        started_at=work.now - timedelta(days=2),
        recipients=4,
    )


def got(
    work: Work,
    campaign: Campaign,
    who: Subscriber,
    *,
    days: float = 2,
    state: DeliveryState = DeliveryState.SENT,
) -> None:
    work.session.add(
        Delivery(
            campaign_no=campaign.no,
            run=FIRST_RUN,
            subscriber_no=who.no,
            state=state,
            at=work.now - timedelta(days=days),
        )
    )


async def opened(house: House, alert: Campaign) -> int:
    async with house.work(door=Door.ADMIN) as work:
        return await unread.follow_up(work, alert, seen=await unread.put_in(work, alert))


async def test_those_who_got_it_a_day_ago_and_have_not_said_so(
    house: House, cast: Cast, alert: Campaign
) -> None:
    async with house.work(door=Door.EMAIL) as work:
        assert await unread.how_many(work, alert) == 2
        await reading.note_read(work, cast.gil, alert.no)
        assert await unread.how_many(work, alert) == 1

    assert await opened(house, alert) == 1
    assert await opened(house, alert) == 0, "they wait already"

    [case] = await open_cases(house, cast.bo)
    assert (case.kind, case.subject_no, case.owner_no) == (CaseKind.ALERT, alert.no, None)
    assert await open_cases(house, cast.gil) == []


async def test_who_took_it_back_counts_as_not_having_read_it(
    cast: Cast, work: Work, alert: Campaign
) -> None:
    await reading.note_read(work, cast.bo, alert.no)
    await reading.take_back(work, cast.bo, alert.no)
    assert await unread.how_many(work, alert) == 2
    await reading.note_read(work, cast.bo, alert.no)
    assert await unread.how_many(work, alert) == 1


async def test_reading_another_alert_is_not_reading_this_one(
    cast: Cast, work: Work, alert: Campaign
) -> None:
    other = _campaign(work, cast, Kind.ALERT)
    other.uid, other.slug = "9" * 36, "another"
    work.session.add(other)
    await work.session.flush()
    await reading.note_read(work, cast.bo, other.no)
    assert await unread.how_many(work, alert) == 2


async def test_whoever_says_that_they_read_it_is_called_no_more(
    house: House, cast: Cast, alert: Campaign
) -> None:
    await opened(house, alert)
    [case] = await open_cases(house, cast.bo)
    async with house.work(door=Door.EMAIL) as work:
        await reading.note_read(work, cast.gil, alert.no)
        await reading.note_read(work, cast.bo, alert.no)
    while await look_around(house):
        pass
    assert (await now(house, case)).resolution is Resolution.ANSWERED


async def test_who_was_called_about_it_is_not_called_again(
    house: House, cast: Cast, alert: Campaign
) -> None:
    await opened(house, alert)
    [case] = await open_cases(house, cast.bo)
    await called(house, case, cast.amina, Outcome.NOT_NOW)
    assert await opened(house, alert) == 0


async def test_whoever_says_so_on_the_telephone_has_read_it(
    house: House, cast: Cast, alert: Campaign
) -> None:
    await opened(house, alert)
    [case] = await open_cases(house, cast.bo)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        settled = await unread.say_read(work, case)
        assert settled.resolution is Resolution.REACHED
        assert await reading.has_been_read(work, cast.bo.no, alert.no)


async def test_of_anything_else_nobody_says_that_they_read_it(
    house: House, cast: Cast, alert: Campaign
) -> None:
    case = await remembered(house, cast.bo, cast.amina)
    with pytest.raises(NotAnAlert):
        async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
            await unread.say_read(work, case)
    assert (await now(house, case)).is_open


async def test_a_hundred_at_a_time_those_on_the_highest_levels_first(
    house: House, cast: Cast, alert: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread, "AT_ONCE", 1)
    await opened(house, alert)
    assert len(await open_cases(house, cast.bo)) == 1, "a supporter"
    assert await open_cases(house, cast.gil) == [], "a follower"
    assert await opened(house, alert) == 1
    assert len(await open_cases(house, cast.gil)) == 1


async def test_of_the_people_whom_the_actor_may_see(
    cast: Cast, work: Work, alert: Campaign
) -> None:
    farids = make.seen_by(work, cast.harbour, account=cast.farid.no)
    assert await unread.how_many(farids, alert) == 1
    assert await unread.follow_up(farids, alert, seen=0) == 1
    assert await unread.how_many(work, alert) == 1


async def test_a_newsletter_does_not_ask(cast: Cast, work: Work) -> None:
    with pytest.raises(NotAnAlert):
        await unread.follow_up(work, _campaign(work, cast, Kind.NEWSLETTER), seen=0)


async def test_the_same_form_sent_twice_puts_in_no_second_hundred(
    cast: Cast, work: Work, alert: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread, "AT_ONCE", 1)
    assert await unread.follow_up(work, alert, seen=0) == 1
    with pytest.raises(PutInSince):
        await unread.follow_up(work, alert, seen=0)
    assert await unread.follow_up(work, alert, seen=1) == 1


async def test_counting_has_an_end(
    cast: Cast, work: Work, alert: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread, "COUNTED", 1)
    got(work, alert, await make.person(work))
    assert await unread.how_many(work, alert) == 2


async def test_taking_a_call_back_takes_back_that_they_read_it(
    house: House, cast: Cast, alert: Campaign
) -> None:
    await opened(house, alert)
    [case] = await open_cases(house, cast.bo)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await unread.say_read(work, case)
        [step] = await store.steps_of(work, case.no)
        for _time in range(2):
            await unread.take_back(work, case, step.no)
        assert not await reading.has_been_read(work, cast.bo.no, alert.no)
        fresh = await work.session.get_one(Campaign, alert.no, populate_existing=True)
        assert fresh.readers == 0
    assert (await now(house, case)).is_open


async def test_what_they_had_said_before_the_call_is_not_taken_back_with_it(
    house: House, cast: Cast, alert: Campaign
) -> None:
    await opened(house, alert)
    [case] = await open_cases(house, cast.bo)
    async with house.work(door=Door.EMAIL) as work:
        await reading.note_read(work, cast.bo, alert.no)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await unread.say_read(work, case)
        [step] = await store.steps_of(work, case.no)
        await unread.take_back(work, case, step.no)
        assert await reading.has_been_read(work, cast.bo.no, alert.no)


async def test_whoever_has_not_read_it_after_all_goes_on_waiting(
    house: House, cast: Cast, alert: Campaign
) -> None:
    await opened(house, alert)
    [case] = await open_cases(house, cast.bo)
    async with house.work(door=Door.EMAIL) as work:
        await reading.note_read(work, cast.bo, alert.no)
        await reading.take_back(work, cast.bo, alert.no)
    while await look_around(house):
        pass
    assert (await now(house, case)).is_open


async def test_an_alert_is_there_only_for_whom_somebody_got_it(
    cast: Cast, work: Work, alert: Campaign
) -> None:
    farids = make.seen_by(work, cast.harbour, account=cast.farid.no)
    await unread.ask_for_reach(farids, alert)
    other = _campaign(work, cast, Kind.ALERT)
    other.uid, other.slug = "9" * 36, "another"
    work.session.add(other)
    await work.session.flush()
    for seen in (work, farids):
        with pytest.raises(AlertUnknown):
            await unread.ask_for_reach(seen, other)
    got(work, other, cast.bo)
    await work.session.flush()
    await unread.ask_for_reach(work, other)
    with pytest.raises(AlertUnknown):
        await unread.ask_for_reach(farids, other)


async def test_organisers_are_reminded_of_an_alert_that_nobody_follows_up(
    house: House, cast: Cast, alert: Campaign
) -> None:
    async def reminded(**by: float) -> list[int]:
        async with house.work() as work:
            later = make.later(work, **by)
            today = await digest.today_of(later, cast.amina)
            found = [one.no for one in await unread.unfollowed(later)]
        assert today.alerts == len(found)
        return found

    assert await reminded() == [alert.no]
    assert await reminded(days=6) == [], "a week is over"
    assert await reminded(days=-1.5) == [], "they have a day to read it by themselves"
    await opened(house, alert)
    assert await reminded() == []
