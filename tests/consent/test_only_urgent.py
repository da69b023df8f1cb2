"""Hearing of a list only what is urgent: left out of its newsletters, reached by its alerts."""

from mailer.activity import store as activity
from mailer.bootstrap import House
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Kind
from mailer.consent import actions as consent
from mailer.consent import record, store, urgency
from mailer.consent.model import SubscriberState
from mailer.deliveries import freezing
from mailer.deliveries.model import Reason
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from tests import makers as make
from tests.cast import Cast
from tests.support.relay import Relay
from tests.support.sending import (
    BASE,
    confirmed,
    copies,
    counts,
    draft,
    no_letters,
    until_sent,
    working,
)


async def lists_of(work: Work, no: int) -> list[int]:
    return [one.list_no for one in await store.only_urgent_of(work, no)]


async def test_it_leaves_consent_as_it_is_and_is_told_once(cast: Cast, work: Work) -> None:
    assert await urgency.hear_only_urgent(work, cast.bo, cast.bulletin)
    assert not await urgency.hear_only_urgent(work, cast.bo, cast.bulletin)

    assert await lists_of(work, cast.bo.no) == [cast.bulletin.no]
    assert await consent.state_of(work, cast.bo) is SubscriberState.ACTIVE
    assert (await activity.kinds(work, cast.bo.no)).count("only_urgent") == 1
    told = [entry.words for entry in await record.entries(work, cast.bo.no)]
    assert told[0] == "Wants only what is urgent of “Bulletin”"

    assert await urgency.hear_all(work, cast.bo, cast.bulletin)
    assert not await urgency.hear_all(work, cast.bo, cast.bulletin)
    assert await lists_of(work, cast.bo.no) == []
    assert (await record.entries(work, cast.bo.no))[0].words == "Wants all of “Bulletin” again"


async def test_a_newsletter_leaves_them_out_and_says_why(house: House, cast: Cast) -> None:
    async with house.work() as work:
        await urgency.hear_only_urgent(work, cast.bo, cast.bulletin)
        campaign = await draft(work)
        await freezing.review(work, campaign, base=BASE)

    async with house.work(reading=True) as work:
        frozen = await campaigns.by_no(work, campaign.no)
    assert frozen is not None
    assert frozen.recipients == 1
    assert frozen.left_out[Reason.ONLY_URGENT] == 1


async def test_of_another_list_they_hear_all(house: House, cast: Cast) -> None:
    async with house.work() as work:
        other = await make.mailing_list(work)
        await urgency.hear_only_urgent(work, cast.bo, other)
        campaign = await draft(work)
        await freezing.review(work, campaign, base=BASE)
        assert (await campaigns.by_no(work, campaign.no) or campaign).recipients == 2


async def test_an_alert_reaches_them(house: House, cast: Cast, relay: Relay) -> None:
    async with house.work() as work:
        await urgency.hear_only_urgent(work, cast.bo, cast.bulletin)
    await no_letters(house)
    async with house.work() as work:
        alert = await draft(work, kind=Kind.ALERT)
        alert.why_urgent = "The vote is tonight."
        no = (await confirmed(work, alert)).no

    async with working(house, relay):
        await until_sent(house, no)

    assert copies(house, relay, no) == {cast.bo.no: 1, cast.gil.no: 1}
    assert await counts(house, no) == {DeliveryState.SENT: 2}


async def test_in_a_merge_the_wish_of_either_stands(cast: Cast, work: Work) -> None:
    await urgency.hear_only_urgent(work, cast.bo, cast.bulletin)

    moved = await record.repoint(work, cast.bo.no, cast.gil.no)
    assert await lists_of(work, cast.gil.no) == [cast.bulletin.no]
    assert await lists_of(work, cast.bo.no) == []

    await record.restore(work, cast.bo.no, cast.gil.no, moved)
    assert await lists_of(work, cast.gil.no) == []
    assert await lists_of(work, cast.bo.no) == [cast.bulletin.no]
