"""Taking back the newest step of a pledge: what it said before, it says again."""

from datetime import timedelta

import pytest

from mailer.activity import store as activity
from mailer.asks import actions as asks
from mailer.asks import record, store, upkeep
from mailer.asks.model import Ask, Pledge, PledgeChange, PledgeState, Turn
from mailer.kit.work import Door, Work
from mailer.outbox import store as outbox
from mailer.subscribers.model import Subscriber
from mailer.tiers import store as ladder
from mailer.tiers.model import SignKind
from tests import makers as make
from tests.cast import Cast


async def newest(work: Work, pledge: Pledge) -> PledgeChange:
    change = await store.last_change(work, pledge.no)
    assert change is not None
    return change


async def undone(work: Work, subscriber: Subscriber, pledge: Pledge) -> Pledge:
    change = await newest(work, pledge)
    return await asks.undo(work, change.no, subscriber=subscriber)


async def test_each_step_goes_back_to_the_one_before(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, unit={"en": "letters"})
    said = await asks.pledge(work, cast.bo, ask, campaign_no=7)
    until = (work.now + timedelta(days=3)).date()
    later = await asks.not_yet(work, cast.bo, ask, until=until)
    due_at = later.due_at
    await asks.need_help(work, cast.bo, ask, words="Stuck.")
    done = await asks.report_done(work, cast.bo, ask, amount=3, note="Done it.")

    stuck = await undone(work, cast.bo, done)
    assert (stuck.state, stuck.done_at, stuck.times, stuck.amount) == (
        PledgeState.BLOCKED,
        None,
        0,
        None,
    )
    assert asks.note_of(work, stuck) == "Stuck."
    later = await undone(work, cast.bo, stuck)
    assert (later.state, later.due_at, later.note) == (PledgeState.IN_PROGRESS, due_at, None)
    again = await undone(work, cast.bo, later)
    assert (again.state, again.is_our_day, again.campaign_no) == (PledgeState.PLEDGED, True, 7)
    none = await undone(work, cast.bo, again)
    assert (none.no, none.state, none.campaign_no) == (said.no, PledgeState.WITHDRAWN, None)
    assert (none.is_answered, none.ends(ask)) == (False, None)
    assert await store.last_change(work, said.no) is None
    kinds = await activity.kinds(work, cast.bo.no)
    assert kinds[-4:] == ["pledge_undone"] * 4


async def test_undoing_twice_is_undoing_once(work: Work, cast: Cast) -> None:
    said = await asks.pledge(work, cast.bo, await make.ask(work))
    change = await newest(work, said)
    await asks.undo(work, change.no, subscriber=cast.bo)
    await asks.undo(make.later(work, days=40), change.no, subscriber=cast.bo)
    assert (await activity.kinds(work, cast.bo.no)).count("pledge_undone") == 1


async def test_only_the_newest_step_can_be_undone(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    first = await newest(work, await asks.pledge(work, cast.bo, ask))
    await asks.report_done(work, cast.bo, ask)
    with pytest.raises(asks.SinceChanged):
        await asks.undo(work, first.no, subscriber=cast.bo)


async def test_a_step_can_be_undone_for_thirty_days(work: Work, cast: Cast) -> None:
    said = await asks.pledge(work, cast.bo, await make.ask(work))
    change = await newest(work, said)
    assert change.is_open_to_undo(work.now + timedelta(days=30))
    late = make.later(work, days=30, seconds=1)
    assert not change.is_open_to_undo(late.now)
    with pytest.raises(asks.UndoTooLate):
        await asks.undo(late, change.no, subscriber=cast.bo)


async def test_nobody_undoes_what_another_said_or_what_is_not_there(work: Work, cast: Cast) -> None:
    change = await newest(work, await asks.pledge(work, cast.bo, await make.ask(work)))
    for subscriber, no in ((cast.gil, change.no), (cast.bo, change.no + 99)):
        with pytest.raises(asks.ChangeUnknown):
            await asks.undo(work, no, subscriber=subscriber)


async def test_a_no_can_be_undone(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    refused = await asks.decline(work, cast.bo, ask)
    assert (await undone(work, cast.bo, refused)).state is PledgeState.WITHDRAWN
    said = await asks.pledge(work, cast.bo, ask)
    await asks.decline(work, cast.bo, ask)
    assert (await undone(work, cast.bo, said)).state is PledgeState.PLEDGED


async def test_an_undo_gives_no_place_that_was_given_away(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, capacity=1)
    await asks.pledge(work, cast.bo, ask)
    left = await asks.withdraw(work, cast.bo, ask)
    await asks.pledge(work, cast.gil, ask)
    with pytest.raises(asks.PlaceTaken):
        await undone(work, cast.bo, left)
    assert (await store.pledge_of(work, cast.bo.no, ask.no) or left).state is PledgeState.WITHDRAWN
    await asks.withdraw(work, cast.gil, ask)
    assert (await undone(work, cast.bo, left)).state is PledgeState.PLEDGED


async def test_a_suggestion_goes_with_the_deed_that_raised_it(work: Work, cast: Cast) -> None:
    shown: asks.AskFields = {"suggested_tier_no": cast.activist.no}
    first = await asks.report_done(work, cast.gil, await make.ask(work, **shown))
    second = await asks.report_done(work, cast.gil, await make.ask(work, "Another", **shown))
    await undone(work, cast.gil, second)
    assert await ladder.suggested(work, cast.gil.no) is not None, "the other shows as much"
    letter = "tier-suggested"
    assert letter in [one.kind for one in await outbox.letters_to(work, cast.gil.no)]

    await undone(work, cast.gil, first)
    assert await ladder.suggested(work, cast.gil.no) is None
    assert letter not in [one.kind for one in await outbox.letters_to(work, cast.gil.no)]

    await asks.report_done(work, cast.gil, await make.ask(work, "A third", **shown))
    assert await ladder.suggested(work, cast.gil.no) is not None, "nobody has said no to it"


async def test_what_was_taken_back_by_an_undo_is_no_sign_any_more(work: Work, cast: Cast) -> None:
    async def signs() -> list[SignKind]:
        since = work.now - timedelta(days=9)
        found = await ladder.signs_of(work, cast.bo.no, since=since)
        return sorted(kind for kind, _at in found if kind in {SignKind.PLEDGED, SignKind.DONE})

    ask = await make.ask(work)
    said = await asks.pledge(work, cast.bo, ask)
    await asks.report_done(work, cast.bo, ask)
    assert await signs() == [SignKind.DONE, SignKind.PLEDGED]
    await undone(work, cast.bo, said)
    assert await signs() == [SignKind.PLEDGED]
    await asks.withdraw(work, cast.bo, ask)
    assert await signs() == []
    await undone(work, cast.bo, said)
    assert await signs() == [SignKind.PLEDGED]
    await undone(work, cast.bo, said)
    assert await signs() == []


async def test_what_time_did_is_not_undone(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, turn=Turn.REPEAT, repeat_days=30)
    said = await asks.report_done(work, cast.bo, ask)
    deed = await newest(work, said)
    later = make.through(make.later(work, days=30), Door.SYSTEM)
    await upkeep.open_again(later, ask)
    reopened = await newest(work, said)
    assert not reopened.is_open_to_undo(later.now)
    with pytest.raises(asks.ChangeUnknown):
        await asks.undo(later, reopened.no, subscriber=cast.bo)
    with pytest.raises(asks.SinceChanged):
        await asks.undo(later, deed.no, subscriber=cast.bo)


async def test_the_timeline_offers_the_undo_at_the_step_that_it_is_for(
    work: Work, cast: Cast
) -> None:
    async def offered() -> list[tuple[str, int | None]]:
        found = await record.entries(work, cast.bo.no)
        return [(one.kind, one.undo.no if one.undo else None) for one in found]

    ask = await make.ask(work)
    said = await asks.pledge(work, cast.bo, ask)
    first = await newest(work, said)
    later = make.later(work, hours=1)
    await asks.report_done(later, cast.bo, ask)
    second = await newest(work, said)
    assert await offered() == [("pledge_done", second.no), ("pledged", None)]
    await asks.undo(make.later(work, hours=2), second.no, subscriber=cast.bo)
    assert await offered() == [
        ("pledge_undone", None),
        ("pledge_done", None),
        ("pledged", first.no),
    ]


async def test_a_pledge_says_when_it_is_due_and_overdue(work: Work, cast: Cast) -> None:
    deadline = work.now + timedelta(days=5)
    ask: Ask = await make.ask(work, deadline=deadline)
    said = await asks.pledge(work, cast.bo, ask)
    assert said.due(ask) == deadline
    assert not said.is_overdue(ask, deadline)
    assert said.is_overdue(ask, deadline + timedelta(seconds=1))
    until = (work.now + timedelta(days=9)).date()
    said = await asks.not_yet(work, cast.bo, ask, until=until)
    assert not said.is_overdue(ask, deadline + timedelta(days=1))
    done = await asks.report_done(work, cast.bo, ask)
    assert not done.is_overdue(ask, deadline + timedelta(days=99))
