"""Moving on the ladder by oneself."""

import asyncio
from typing import Any

import pytest

from mailer.activity import store as activity
from mailer.bootstrap import House
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.subscribers.actions import SubscriberUnknown, add
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers import store
from mailer.tiers.actions import Moved, Requested, Unchanged
from mailer.tiers.model import Source, Tier
from tests import makers as make
from tests.cast import Cast


async def step(work: Work, person: Subscriber, tier: Tier, **how: Any) -> Any:
    return await tiers.step(work, person, tier, source=Source.SELF_LINK, **how)


async def here(work: Work, person: Subscriber) -> str:
    tier = await store.chosen(work, person.no)
    return tier.slug if tier else ""


async def letters(work: Work, person: Subscriber, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
    found = await outbox.letters_to(work, person.no)
    return [(one.kind, one.facts) for one in reversed(found) if one.kind.startswith("tier-")]


async def test_up_is_immediate_where_it_needs_no_approval(cast: Cast, work: Work) -> None:
    moved = await step(work, cast.gil, cast.supporter, campaign_no=7)

    assert isinstance(moved, Moved)
    assert moved.up
    change = moved.change
    assert (change.from_no, change.to_no) == (cast.follower.no, cast.supporter.no)
    assert (change.source, change.campaign_no, change.door) == (Source.SELF_LINK, 7, work.door)
    assert await here(work, cast.gil) == "supporter"
    told = ("tier-changed", {"change": change.no, "by": "you"})
    assert await letters(work, cast.gil) == [told]
    assert (await activity.kinds(work, cast.gil.no))[-1] == "tier_changed"


async def test_down_is_immediate_and_never_argued_with(cast: Cast, work: Work) -> None:
    moved = await step(work, cast.bo, cast.follower)

    assert isinstance(moved, Moved)
    assert not moved.up
    assert await here(work, cast.bo) == "follower"
    assert await letters(work, cast.bo) == []


async def test_down_needs_no_approval_even_to_a_tier_that_does(cast: Cast, work: Work) -> None:
    await tiers.assign(work, cast.bo, cast.organiser, reason="She runs the branch.")
    assert isinstance(await step(work, cast.bo, cast.activist), Moved)


async def test_saying_yes_twice_is_saying_yes_once(cast: Cast, work: Work) -> None:
    await step(work, cast.gil, cast.supporter)
    again = await step(work, cast.gil, cast.supporter)

    assert isinstance(again, Unchanged)
    assert again.tier.no == cast.supporter.no
    assert len(await store.changes_of(work, cast.gil.no)) == 2  # joining, and one step
    assert len(await letters(work, cast.gil)) == 1


async def test_saying_yes_at_the_same_time_is_saying_yes_once(cast: Cast, house: House) -> None:
    async def one() -> str:
        async with house.work() as work:
            outcome = await step(work, cast.gil, cast.supporter)
            await asyncio.sleep(0.05)
            return type(outcome).__name__

    done = await asyncio.gather(one(), one(), one())

    assert sorted(done) == ["Moved", "Unchanged", "Unchanged"]


async def test_up_is_a_request_where_it_needs_approval(cast: Cast, work: Work) -> None:
    asked = await step(work, cast.bo, cast.activist, campaign_no=7)

    assert isinstance(asked, Requested)
    assert asked.request.campaign_no == 7
    assert await here(work, cast.bo) == "supporter"
    assert await letters(work, cast.bo) == [("tier-requested", {"tier": cast.activist.no})]
    [(request, person, tier)] = await store.open_requests(work)
    assert (request, person.no, tier.no) == (asked.request, cast.bo.no, cast.activist.no)
    assert await store.request_by_uid(work, request.uid) == request
    assert (await activity.kinds(work, cast.bo.no))[-1] == "tier_requested"


async def test_asking_twice_is_one_request(cast: Cast, work: Work) -> None:
    first = await step(work, cast.bo, cast.activist)
    again = await step(work, cast.bo, cast.activist)
    assert first.request == again.request
    assert len(await letters(work, cast.bo)) == 1


async def test_one_request_stands_at_a_time_the_newest(cast: Cast, work: Work) -> None:
    first = await step(work, cast.bo, cast.activist)
    second = await step(work, cast.bo, cast.organiser)
    assert first.request.withdrawn_at == work.now
    assert [request for request, _, _ in await store.open_requests(work)] == [second.request]


async def test_going_down_takes_the_request_back(cast: Cast, work: Work) -> None:
    asked = await step(work, cast.bo, cast.activist)
    await step(work, cast.bo, cast.follower)
    assert asked.request.withdrawn_at == work.now
    assert await store.open_requests(work) == []


async def test_a_step_short_of_it_leaves_the_request_standing(cast: Cast, work: Work) -> None:
    asked = await step(work, cast.gil, cast.activist)
    await step(work, cast.gil, cast.supporter)
    assert asked.request.withdrawn_at is None


async def test_the_first_choice_is_no_step_up_from_nothing(cast: Cast, work: Work) -> None:
    new = await add(work, address="new@example.org")
    moved = await step(work, new, cast.follower)
    assert moved.change.from_no is None
    assert (await activity.kinds(work, new.no))[-1] == "tier_chosen"


async def test_nobody_moves_whom_they_may_not_see(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour)
    with pytest.raises(SubscriberUnknown):
        await step(farids, cast.bo, cast.follower)
