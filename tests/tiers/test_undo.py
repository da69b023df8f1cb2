"""Taking a move back."""

import pytest

from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.tiers import actions as tiers
from mailer.tiers import store
from mailer.tiers.actions import Moved
from mailer.tiers.model import Source, TierChange
from tests import makers as make
from tests.cast import Cast


async def moved(work: Work, cast: Cast) -> TierChange:
    outcome = await tiers.step(work, cast.gil, cast.supporter, source=Source.SELF_LINK)
    assert isinstance(outcome, Moved)
    return outcome.change


async def test_an_undo_is_a_move_of_its_own(cast: Cast, work: Work) -> None:
    change = await moved(work, cast)
    later = make.later(work, days=1)

    back = await tiers.undo(later, cast.gil, change.no)

    assert (back.from_no, back.to_no) == (cast.supporter.no, cast.follower.no)
    assert (back.source, back.undoes_no) == (Source.UNDO, change.no)
    assert change.undone_at == later.now
    chosen = await store.chosen(work, cast.gil.no)
    assert chosen is not None
    assert chosen.no == cast.follower.no
    kinds = [letter.kind for letter in await outbox.letters_to(work, cast.gil.no)]
    assert kinds.count("tier-changed") == 1


async def test_undoing_twice_is_undoing_once(cast: Cast, work: Work) -> None:
    change = await moved(work, cast)
    back = await tiers.undo(work, cast.gil, change.no)
    assert await tiers.undo(make.later(work, days=40), cast.gil, change.no) == back
    assert len(await store.changes_of(work, cast.gil.no)) == 3


async def test_an_undo_is_open_for_thirty_days(cast: Cast, work: Work) -> None:
    change = await moved(work, cast)
    with pytest.raises(tiers.UndoTooLate):
        await tiers.undo(make.later(work, days=30, seconds=1), cast.gil, change.no)
    await tiers.undo(make.later(work, days=30), cast.gil, change.no)


async def test_only_the_newest_move_is_undone(cast: Cast, work: Work) -> None:
    change = await moved(work, cast)
    await tiers.step(work, cast.gil, cast.follower, source=Source.SELF_LINK)
    with pytest.raises(tiers.SinceMoved):
        await tiers.undo(work, cast.gil, change.no)


async def test_undoing_a_step_down_gives_back_what_was_approved(cast: Cast, work: Work) -> None:
    await tiers.assign(work, cast.gil, cast.activist, reason="She does it all already.")
    down = await tiers.step(work, cast.gil, cast.follower, source=Source.SELF_LINK)
    assert isinstance(down, Moved)

    back = await tiers.undo(work, cast.gil, down.change.no)

    assert back.to_no == cast.activist.no


async def test_what_is_no_move_of_theirs_is_refused(cast: Cast, work: Work) -> None:
    change = await moved(work, cast)
    first = (await store.changes_of(work, cast.gil.no))[-1]
    back = await tiers.undo(work, cast.gil, change.no)
    for person, no in (
        (cast.bo, change.no),
        (cast.gil, 404),
        (cast.gil, first.no),  # there was nothing before the first choice
        (cast.gil, back.no),
    ):
        with pytest.raises(tiers.ChangeUnknown):
            await tiers.undo(work, person, no)
