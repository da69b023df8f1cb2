"""Freezing: who gets it is decided and counted once, and everyone left out has a reason."""

import pytest

from mailer.audit import store as audit
from mailer.bootstrap import House
from mailer.campaigns import composing, sending
from mailer.campaigns.model import Campaign, CampaignState
from mailer.consent import actions as consent
from mailer.content import SlotMisplaced
from mailer.deliveries import freezing, store
from mailer.deliveries.model import Reason, last_word
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.segments import asking, saving
from mailer.segments.model import Segment
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tags import actions as tags
from mailer.tags import store as tag_store
from tests import makers as make
from tests.cast import Cast
from tests.support.sending import BASE, draft, rows


async def test_the_number_is_the_number_of_rows(house: House, cast: Cast) -> None:
    async with house.work() as work:
        await make.people(work, 30)
        campaign = await freezing.review(work, await draft(work), base=BASE)
    frozen = await rows(house, campaign.no)

    assert campaign.state is CampaignState.FROZEN
    assert campaign.recipients == len(frozen) == 32
    assert campaign.frozen_at
    assert {row.state for row in frozen.values()} == {DeliveryState.QUEUED}
    assert list(frozen) == sorted(frozen)


async def test_everyone_on_the_list_who_is_left_out_has_a_reason(cast: Cast, work: Work) -> None:
    await make.person(work, "organiser@example.org", tier=cast.organiser)
    paused = await make.person(work, "paused@example.org", tier=cast.follower)
    await subscribers.pause(work, paused)
    stopped = await make.person(work, "stopped@example.org", tier=cast.follower)
    await subscribers.stop_silently(work, stopped)
    off = await make.person(work, "off@example.org", tier=cast.follower)
    await consent.take_off(work, off)
    await make.person(work, "late@example.org", confirmed=False, tier=cast.follower)

    chosen = [cast.follower.no, cast.supporter.no]
    campaign = await freezing.review(work, await draft(work, tiers=chosen), base=BASE)

    assert campaign.recipients == 2  # Bo and Gil
    assert campaign.left_out == {
        "unsubscribed": 1,  # Chidi
        "unconfirmed": 2,  # Dana, and the last
        "other_level": 1,
        "paused": 1,
        "stopped": 1,
        "suppressed": 1,
    }


async def test_it_counts_by_language_and_level(cast: Cast, work: Work) -> None:
    campaign = await freezing.review(work, await draft(work), base=BASE)

    assert await store.by_language(work, campaign) == {"en": 1, "fr": 1}
    assert await store.by_tier(work, campaign) == {cast.supporter.no: 1, cast.follower.no: 1}


async def test_who_may_see_only_a_group_writes_to_nobody_else(cast: Cast, work: Work) -> None:
    campaign = await freezing.review(make.seen_by(work, cast.harbour), await draft(work), base=BASE)
    assert campaign.recipients == 1  # Gil


async def test_nobody_is_not_everybody(cast: Cast, work: Work) -> None:
    campaign = await draft(work, tiers=[])

    with pytest.raises(freezing.NobodyChosen) as refused:
        await freezing.review(work, campaign, base=BASE)
    assert refused.value.facts == {"field": "tier"}

    campaign.list_no = None
    with pytest.raises(freezing.ListMissing):
        await freezing.review(work, campaign, base=BASE)
    assert campaign.state is CampaignState.DRAFT


async def test_words_that_cannot_be_sent_are_refused_and_the_draft_stays(
    cast: Cast, work: Work
) -> None:
    campaign = await draft(work)
    misplaced = {"subject": "A", "headline": "B", "markdown": "[x](https://{{ city|a }}.example/)"}
    await composing.revise(work, campaign, words={"en": misplaced})

    with pytest.raises(SlotMisplaced) as refused:
        await freezing.review(work, campaign, base=BASE)

    assert refused.value.facts["field"] == "markdown"
    assert campaign.state is CampaignState.DRAFT
    assert campaign.recipients is None


async def test_freezing_again_after_the_draft_counts_anew(house: House, cast: Cast) -> None:
    async with house.work() as work:
        campaign = await freezing.review(work, await draft(work), base=BASE)
        await sending.call_off(work, campaign)  # without us: its rows are still there
        await make.person(work, "new@example.org")

        await freezing.review(work, campaign, base=BASE)

        assert campaign.recipients == 3
        acts = [line.act for line in (await audit.newest(work)).rows]
        assert acts.count("campaign_frozen") == 2
        with pytest.raises(sending.NotNow):
            await freezing.review(work, campaign, base=BASE)
    assert len(await rows(house, campaign.no)) == 3


# --- to a segment ---------------------------------------------------------------------------------


async def _drivers(work: Work, *people: Subscriber) -> Segment:
    """Save a segment of those with a tag, and put it on some people."""
    tag = await tags.make(work, name="Driver")
    await tags.tag_many(work, [one.no for one in people], tag)
    return await saving.save(work, name="Drivers", tree={"is": "tag", "tag": str(tag.no)})


async def _draft_to(work: Work, cast: Cast, segment: Segment) -> Campaign:
    return await composing.choose_audience(
        work,
        await draft(work),
        list_no=cast.bulletin.no,
        to_everybody=False,
        tier_nos=[],
        segment_no=segment.no,
    )


async def test_those_of_the_list_get_it_who_answer_to_its_segment(cast: Cast, work: Work) -> None:
    segment = await _drivers(work, cast.bo, cast.chidi)
    campaign = await freezing.review(work, await _draft_to(work, cast, segment), base=BASE)

    assert (campaign.recipients, campaign.segment_version) == (1, 1)  # Bo; Chidi has left
    assert campaign.left_out == {"unsubscribed": 1, "unconfirmed": 1, "not_in_segment": 1}
    assert last_word(Reason.NOT_IN_SEGMENT) == "Does not answer to the segment"


async def test_the_segment_is_asked_when_it_is_frozen_and_not_afterwards(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        segment = await _drivers(work)
        campaign = await _draft_to(work, cast, segment)
        tag_no = int(segment.tree["tag"])
        tag = await tag_store.by_no(work, tag_no)
        assert tag is not None
        await tags.tag_many(work, [cast.bo.no, cast.gil.no], tag)
        campaign = await freezing.review(work, campaign, base=BASE)
        everybody = {"everybody": True}
        segment = await saving.revise(work, segment, tree=everybody, version=1)
        await tags.untag_many(work, [cast.bo.no], tag)
    assert list(await rows(house, campaign.no)) == [cast.bo.no, cast.gil.no]
    assert campaign.segment_version == 1


async def test_a_group_organiser_writes_to_their_own_of_a_segment(cast: Cast, work: Work) -> None:
    segment = await _drivers(work, cast.bo, cast.gil)
    campaign = await _draft_to(work, cast, segment)
    frozen = await freezing.review(make.seen_by(work, cast.harbour), campaign, base=BASE)
    assert frozen.recipients == 1  # Gil


async def test_a_segment_that_cannot_be_answered_is_mailed_to_nobody(
    cast: Cast, work: Work
) -> None:
    segment = await _drivers(work, cast.bo)
    campaign = await _draft_to(work, cast, segment)
    tag = await tag_store.by_no(work, int(segment.tree["tag"]))
    assert tag is not None
    await tags.close(work, tag)
    with pytest.raises(asking.ConditionWrong):
        await freezing.review(work, campaign, base=BASE)
    segment.closed_at = work.now
    with pytest.raises(composing.SegmentMissing):
        await freezing.review(work, campaign, base=BASE)
    assert campaign.state is CampaignState.DRAFT
    with pytest.raises(composing.SegmentMissing):
        await _draft_to(work, cast, Segment(no=999))
