"""A doubtful sign-up is held at the lowest rung, and nobody tells them."""

import pytest

from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.records import actions as records
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers import holding, requesting, store
from mailer.tiers.actions import Moved, Requested
from mailer.tiers.model import Source
from mailer.tiers.moving import ChangeUnknown, SinceMoved
from tests import makers as make
from tests.cast import Cast


async def slug_of(work: Work, person: Subscriber) -> str:
    tier = await store.chosen(work, person.no)
    return tier.slug if tier else ""


async def test_they_stand_at_the_lowest_rung_without_a_letter(cast: Cast, work: Work) -> None:
    before = len(await outbox.letters_to(work, cast.bo.no))
    amina = make.by_account(work, cast.amina.no)

    held = await holding.hold_back(amina, cast.bo, reason="Nobody knows them.")
    again = await holding.hold_back(amina, cast.bo, reason="Still nobody.")

    assert held.reason == again.reason == "Nobody knows them."
    assert await slug_of(work, cast.bo) == "follower"
    assert len(await outbox.letters_to(work, cast.bo.no)) == before


async def test_a_step_up_is_a_request_until_they_are_let_go(cast: Cast, work: Work) -> None:
    await holding.hold_back(work, cast.bo, reason="Nobody knows them.")
    asked = await tiers.step(work, cast.bo, cast.supporter, source=Source.SELF_LINK)
    assert isinstance(asked, Requested)
    await tiers.withdraw_request(work, asked.request)

    await holding.let_go(work, cast.bo)
    await holding.let_go(work, cast.bo)

    assert await slug_of(work, cast.bo) == "supporter"
    assert await store.hold_of(work, cast.bo.no) is None


async def test_a_granted_request_lets_them_go(cast: Cast, work: Work) -> None:
    await holding.hold_back(work, cast.bo, reason="Nobody knows them.")
    asked = await tiers.step(work, cast.bo, cast.activist, source=Source.SELF_LINK)
    assert isinstance(asked, Requested)
    await tiers.answer(work, asked.request, granted=True)
    assert await slug_of(work, cast.bo) == "activist"
    assert await store.hold_of(work, cast.bo.no) is None


async def test_it_needs_a_reason(cast: Cast, work: Work) -> None:
    with pytest.raises(holding.DoubtUnexplained):
        await holding.hold_back(work, cast.bo, reason=" ")


async def test_whom_it_holds_cannot_undo_it_and_is_offered_no_undo(cast: Cast, work: Work) -> None:
    held = await holding.hold_back(work, cast.bo, reason="Nobody knows them.")
    assert held.change_no
    told = [entry.undo for entry in await records.timeline(work, cast.bo)]
    assert not [undo for undo in told if undo and undo.no == held.change_no]
    with pytest.raises(ChangeUnknown):
        await tiers.undo(work, cast.bo, held.change_no)
    assert await slug_of(work, cast.bo) == "follower"


async def test_an_undo_of_an_earlier_step_down_lifts_nobody_who_is_held(
    cast: Cast, work: Work
) -> None:
    moved = await tiers.step(work, cast.bo, cast.follower, source=Source.SELF_LINK)
    assert isinstance(moved, Moved)
    await holding.hold_back(work, cast.bo, reason="Nobody knows them.")
    with pytest.raises(SinceMoved):
        await tiers.undo(work, cast.bo, moved.change.no)
    assert await slug_of(work, cast.bo) == "follower"


async def test_an_answer_or_assignment_that_is_taken_back_holds_them_again(
    cast: Cast, work: Work
) -> None:
    await holding.hold_back(work, cast.bo, reason="Nobody knows them.")
    asked = await tiers.step(work, cast.bo, cast.activist, source=Source.SELF_LINK)
    assert isinstance(asked, Requested)
    await tiers.answer(work, asked.request, granted=True)
    await requesting.take_back_answer(work, asked.request)
    again = await store.hold_of(work, cast.bo.no)
    assert again
    assert again.reason == "Nobody knows them."
    assert await slug_of(work, cast.bo) == "follower"

    given = await tiers.assign(work, cast.bo, cast.supporter, reason="Met at the gate.")
    assert isinstance(given, Moved)
    assert await store.hold_of(work, cast.bo.no) is None
    await tiers.undo(work, cast.bo, given.change.no)
    await tiers.undo(work, cast.bo, given.change.no)
    assert await store.hold_of(work, cast.bo.no)
    assert await slug_of(work, cast.bo) == "follower"
