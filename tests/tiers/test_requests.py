"""Requests: how they end by themselves, and how an answer is taken back."""

import pytest

from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers import store
from mailer.tiers.actions import AnswerStands, Requested, RequestExpired
from mailer.tiers.model import Source, TierRequest
from tests import makers as make
from tests.cast import Cast


@pytest.fixture
async def request_(cast: Cast, work: Work) -> TierRequest:
    asked = await tiers.step(work, cast.bo, cast.activist, source=Source.SELF_LINK)
    assert isinstance(asked, Requested)
    return asked.request


async def kinds(work: Work, person: Subscriber) -> list[str]:
    return [one.kind for one in reversed(await outbox.letters_to(work, person.no))]


async def slug_of(work: Work, person: Subscriber) -> str:
    tier = await store.chosen(work, person.no)
    return tier.slug if tier else ""


async def test_after_thirty_days_it_ends_and_they_are_told_once(
    cast: Cast, work: Work, request_: TierRequest
) -> None:
    assert await tiers.expire_requests(make.later(work, days=29), limit=9) == 0
    late = make.later(work, days=31)
    assert await tiers.expire_requests(late, limit=9) == 1
    assert await tiers.expire_requests(late, limit=9) == 0

    assert (await kinds(work, cast.bo))[-1] == "tier-request-expired"
    assert await store.open_requests(work) == []
    assert await slug_of(work, cast.bo) == "supporter"
    with pytest.raises(RequestExpired):
        await tiers.answer(late, request_, granted=True)
    again = await tiers.step(late, cast.bo, cast.activist, source=Source.SELF_LINK)
    assert isinstance(again, Requested)
    assert again.request.no != request_.no


@pytest.mark.parametrize("granted", [True, False])
async def test_an_answer_can_be_taken_back(
    cast: Cast, work: Work, request_: TierRequest, *, granted: bool
) -> None:
    await tiers.answer(work, request_, granted=granted, reason="A slip of the finger.")
    assert "tier-request-answered" in await kinds(work, cast.bo)

    await tiers.take_back_answer(make.later(work, days=2), request_)
    await tiers.take_back_answer(make.later(work, days=2), request_)

    assert request_.is_waiting
    assert await slug_of(work, cast.bo) == "supporter"
    assert "tier-request-answered" not in await kinds(work, cast.bo), "it had not gone"
    await tiers.answer(make.later(work, days=3), request_, granted=True)
    assert await slug_of(work, cast.bo) == "activist"
    assert (await kinds(work, cast.bo)).count("tier-request-answered") == 1


async def test_it_is_too_late_after_a_month_or_a_move(
    cast: Cast, work: Work, request_: TierRequest
) -> None:
    await tiers.answer(work, request_, granted=True)
    with pytest.raises(AnswerStands):
        await tiers.take_back_answer(make.later(work, days=31), request_)
    await tiers.step(work, cast.bo, cast.follower, source=Source.SELF_LINK)
    with pytest.raises(AnswerStands):
        await tiers.take_back_answer(work, request_)
    assert await slug_of(work, cast.bo) == "follower"
