"""Moving somebody as an organiser, and answering what they ask."""

import pytest
from sqlalchemy import select

from mailer.activity import store as activity
from mailer.audit.model import AuditLine
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.subscribers.actions import SubscriberUnknown
from mailer.tiers import actions as tiers
from mailer.tiers import store
from mailer.tiers.actions import Moved, Requested, Unchanged
from mailer.tiers.model import Source, TierRequest
from tests import makers as make
from tests.cast import Cast


async def acts(work: Work) -> list[str]:
    return list(await work.session.scalars(select(AuditLine.act).order_by(AuditLine.no)))


async def asked(work: Work, cast: Cast) -> TierRequest:
    outcome = await tiers.step(work, cast.bo, cast.activist, source=Source.SELF_LINK, campaign_no=7)
    assert isinstance(outcome, Requested)
    return outcome.request


async def test_an_organiser_moves_somebody_with_a_reason_and_they_are_told(
    cast: Cast, work: Work
) -> None:
    esras = make.by_account(work, cast.esra.no)

    moved = await tiers.assign(esras, cast.bo, cast.activist, reason=" She runs the stall. ")

    assert isinstance(moved, Moved)
    assert (moved.change.source, moved.change.reason) == (Source.ASSIGNED, "She runs the stall.")
    assert moved.change.account_no == cast.esra.no
    [letter] = await outbox.letters_to(work, cast.bo.no, limit=1)
    assert (letter.kind, letter.facts["by"]) == ("tier-changed", "organiser")
    assert "tier_assigned" in await acts(work)
    again = await tiers.assign(esras, cast.bo, cast.activist, reason="Again.")
    assert isinstance(again, Unchanged)


async def test_being_moved_down_is_told_too(cast: Cast, work: Work) -> None:
    await tiers.assign(work, cast.bo, cast.follower, reason="He asked me on the telephone.")
    [letter] = await outbox.letters_to(work, cast.bo.no, limit=1)
    assert letter.facts["by"] == "organiser"


async def test_nobody_is_moved_without_a_reason(cast: Cast, work: Work) -> None:
    with pytest.raises(tiers.ReasonNeeded):
        await tiers.assign(work, cast.bo, cast.activist, reason=" \n ")


async def test_a_granted_request_moves_them_for_the_mail_that_caused_it(
    cast: Cast, work: Work
) -> None:
    request = await asked(work, cast)
    esras = make.by_account(work, cast.esra.no)

    answered = await tiers.answer(esras, request, granted=True, reason="Welcome.")

    assert (answered.granted, answered.account_no) == (True, cast.esra.no)
    [change, *_] = await store.changes_of(work, cast.bo.no)
    assert (change.source, change.campaign_no) == (Source.ACCEPTED, 7)
    assert change.to_no == cast.activist.no
    kinds = [letter.kind for letter in await outbox.letters_to(work, cast.bo.no)]
    assert kinds[:2] == ["tier-request-answered", "tier-requested"]
    assert (await activity.kinds(work, cast.bo.no))[-2:] == [
        "tier_request_granted",
        "tier_changed",
    ]
    assert "tier_request_answered" in await acts(work)
    assert await store.open_requests(work) == []


async def test_a_refused_request_moves_nobody_and_they_are_told(cast: Cast, work: Work) -> None:
    request = await asked(work, cast)
    await tiers.answer(work, request, granted=False, reason="Let us talk first.")

    chosen = await store.chosen(work, cast.bo.no)
    assert chosen is not None
    assert chosen.no == cast.supporter.no
    [letter] = await outbox.letters_to(work, cast.bo.no, limit=1)
    assert (letter.kind, letter.facts) == ("tier-request-answered", {"request": request.no})


async def test_the_same_answer_twice_is_one_and_another_comes_too_late(
    cast: Cast, work: Work
) -> None:
    request = await asked(work, cast)
    for _ in range(2):
        await tiers.answer(work, request, granted=True)
    with pytest.raises(tiers.RequestAnswered):
        await tiers.answer(work, request, granted=False)
    kinds = [letter.kind for letter in await outbox.letters_to(work, cast.bo.no)]
    assert kinds.count("tier-request-answered") == 1


async def test_what_was_taken_back_is_not_answered(cast: Cast, work: Work) -> None:
    request = await asked(work, cast)
    for _ in range(2):
        await tiers.withdraw_request(work, request)
    with pytest.raises(tiers.RequestWithdrawn):
        await tiers.answer(work, request, granted=True)
    assert (await activity.kinds(work, cast.bo.no)).count("tier_request_withdrawn") == 1


async def test_granting_moves_nobody_down(cast: Cast, work: Work) -> None:
    request = await asked(work, cast)
    await work.session.refresh(request)
    standing = await store.chosen_row(work, cast.bo.no)
    assert standing is not None
    standing.tier_no = cast.organiser.no  # as if by an import of long ago

    await tiers.answer(work, request, granted=True)

    chosen = await store.chosen(work, cast.bo.no)
    assert chosen is not None
    assert chosen.no == cast.organiser.no


async def test_an_assignment_as_high_as_they_asked_settles_the_request(
    cast: Cast, work: Work
) -> None:
    request = await asked(work, cast)
    await tiers.assign(work, cast.bo, cast.activist, reason="Of course.")
    assert request.withdrawn_at == work.now


async def test_only_requests_of_people_in_sight_are_shown_and_answered(
    cast: Cast, work: Work
) -> None:
    request = await asked(work, cast)
    farids = make.seen_by(work, cast.harbour)
    assert await store.open_requests(farids) == []
    assert await store.request_by_uid(farids, request.uid) is None
    with pytest.raises(SubscriberUnknown):
        await tiers.answer(farids, request, granted=True)
