"""Confirming, calling off, pausing and holding: which step may follow which."""

from datetime import timedelta

import pytest

from mailer.audit import store as audit
from mailer.campaigns import sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import FOLLOWS, CampaignState
from mailer.deliveries import freezing
from mailer.kit.work import Work
from tests import makers as make
from tests.cast import Cast
from tests.support.sending import BASE, confirmed, draft


async def frozen(work: Work):
    return await freezing.review(work, await draft(work), base=BASE)


@pytest.mark.parametrize("typed", ["2", " 2 ", "2,", "2\u202f"])
async def test_the_exact_number_confirms(cast: Cast, work: Work, typed: str) -> None:
    campaign = await frozen(make.by_account(work, cast.esra.no))

    await sending.schedule(
        make.by_account(work, cast.esra.no), campaign, typed=typed, undo_seconds=300
    )

    assert campaign.state is CampaignState.SCHEDULED
    assert campaign.send_at == work.now + timedelta(seconds=300)
    assert (campaign.confirmed_at, campaign.confirmed_by) == (work.now, cast.esra.no)
    line = (await audit.newest(work)).rows[0]
    assert (line.act, line.account_no) == ("campaign_confirmed", cast.esra.no)
    assert line.facts == {"campaign": campaign.no, "recipients": 2}


@pytest.mark.parametrize("typed", ["3", "", "two", "-2", "2 2", "02", "٢"])
async def test_any_other_number_does_not(cast: Cast, work: Work, typed: str) -> None:
    campaign = await frozen(work)

    with pytest.raises(sending.CountWrong) as refused:
        await sending.schedule(work, campaign, typed=typed, undo_seconds=0)

    assert refused.value.facts == {"field": "count", "recipients": 2}
    assert campaign.state is CampaignState.FROZEN


async def test_nothing_goes_before_the_time_to_call_it_off_is_over(cast: Cast, work: Work) -> None:
    soon, late = work.now + timedelta(seconds=10), work.now + timedelta(days=2)
    for wanted, begins in ((soon, work.now + timedelta(seconds=300)), (late, late)):
        campaign = await frozen(work)
        await sending.schedule(work, campaign, typed="2", undo_seconds=300, send_at=wanted)
        assert campaign.send_at == begins
        await sending.call_off(work, campaign)  # what is scheduled counts as written
    campaign = await frozen(work)
    with pytest.raises(sending.TimePassed) as refused:
        await sending.schedule(
            work, campaign, typed="2", undo_seconds=300, send_at=work.now - timedelta(seconds=1)
        )
    assert refused.value.facts == {"field": "send_at"}


async def test_a_campaign_to_nobody_cannot_be_confirmed(cast: Cast, work: Work) -> None:
    campaign = await freezing.review(work, await draft(work, tiers=[cast.organiser.no]), base=BASE)
    assert campaign.recipients == 0

    with pytest.raises(sending.NobodyLeft):
        await sending.schedule(work, campaign, typed="0", undo_seconds=0)


async def test_what_is_due_begins_once(cast: Cast, work: Work) -> None:
    campaign = await confirmed(work, await draft(work))

    assert await sending.start_due(make.later(work, seconds=-1)) == []
    assert [one.no for one in await sending.start_due(work)] == [campaign.no]
    assert await sending.start_due(work) == []
    assert campaign.state is CampaignState.SENDING
    assert campaign.started_at == work.now


async def test_it_can_be_called_off_until_it_begins(cast: Cast, work: Work) -> None:
    campaign = await confirmed(work, await draft(work))
    await freezing.unfreeze(work, campaign)
    assert campaign.state is CampaignState.DRAFT

    campaign = await confirmed(work, await draft(work))
    await sending.start_due(work)
    with pytest.raises(sending.NotNow):
        await freezing.unfreeze(work, campaign)


async def test_pause_resume_cancel(cast: Cast, work: Work) -> None:
    campaign = await confirmed(work, await draft(work))
    with pytest.raises(sending.NotNow):
        await sending.pause(work, campaign)
    await sending.start_due(work)

    await sending.pause(work, campaign, reason="The hall\nis taken")
    assert (campaign.state, campaign.reason) == (CampaignState.PAUSED, "The hall is taken")
    await sending.resume(work, campaign)
    assert (campaign.state, campaign.reason) == (CampaignState.SENDING, "")
    await sending.cancel(work, campaign)
    assert campaign.state is CampaignState.CANCELLED
    assert campaign.ended_at is None  # not before its rows are closed
    for verb in (sending.pause, sending.resume, sending.cancel, sending.release):
        with pytest.raises(sending.NotNow):
            await verb(work, campaign)


async def test_a_draft_that_is_thrown_away_is_over_at_once(cast: Cast, work: Work) -> None:
    campaign = await sending.cancel(work, await draft(work))
    assert campaign.ended_at == work.now


async def test_what_was_held_goes_on_where_it_stood(cast: Cast, work: Work) -> None:
    waiting = await confirmed(work, await draft(work))
    await sending.hold(work, waiting, reason="?")
    await sending.release(work, waiting, undo_seconds=60)
    assert waiting.state is CampaignState.SCHEDULED
    assert waiting.send_at == work.now + timedelta(seconds=60)

    running = await confirmed(work, await draft(work))
    await sending.start_due(work)
    await sending.hold(work, running, reason="?")
    await sending.release(work, running)
    assert running.state is CampaignState.SENDING


async def test_a_step_is_refused_when_somebody_else_was_faster(cast: Cast, work: Work) -> None:
    campaign = await confirmed(work, await draft(work))
    campaign_as_seen = campaign.state
    await sending.start_due(work)
    campaign.state = campaign_as_seen  # as a page shows it that was opened a minute ago
    work.session.expunge(campaign)

    assert campaign.may_become(CampaignState.DRAFT)
    fresh = await campaigns.by_no(work, campaign.no)
    assert fresh
    fresh.__dict__["state"] = campaign_as_seen
    with pytest.raises(sending.NotNow):
        await sending.call_off(work, fresh)
    assert fresh.state is CampaignState.SENDING


def test_every_state_says_what_may_follow() -> None:
    assert set(FOLLOWS) == set(CampaignState)
    assert FOLLOWS[CampaignState.CANCELLED] == frozenset()
    # What somebody may have got already is never a draft again.
    for begun in (CampaignState.SENDING, CampaignState.PAUSED, CampaignState.SENT):
        assert CampaignState.DRAFT not in FOLLOWS[begun]


async def test_campaigns_are_found_and_listed(cast: Cast, work: Work) -> None:
    made = [await draft(work, name=f"Issue {number}") for number in range(3)]

    assert await campaigns.by_uid(work, made[0].uid) is made[0]
    assert await campaigns.by_slug(work, "issue-1") is made[1]
    page = await campaigns.all_campaigns(work, limit=2)
    assert [one.name for one in page.rows] == ["Issue 2", "Issue 1"]
    assert page.next_after
    rest = await campaigns.all_campaigns(work, after=page.next_after, limit=2)
    assert [one.name for one in rest.rows] == ["Issue 0"]
    assert await campaigns.archive(work) == []

    await confirmed(work, made[0])
    await sending.start_due(work)
    assert [one.no for one in await campaigns.archive(work)] == [made[0].no]
