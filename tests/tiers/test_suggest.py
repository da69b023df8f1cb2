"""What people do suggests a step up, and moves nobody."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.activity import store as activity
from mailer.kit.work import Work, clock
from mailer.outbox import store as outbox
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers import holding, record, store
from mailer.tiers.actions import Moved, Requested, SuggestionUnknown, Unchanged
from mailer.tiers.model import SignKind, Source, Tier
from mailer.tiers.observing import COUNTS_FOR, POINTS, observed, points_for
from tests import makers as make
from tests.cast import Cast

NOW = clock()
LADDER = [Tier(slug=slug, rank=rank) for rank, slug in enumerate("abcd", 1)]


async def did(work: Work, person: Subscriber, *kinds: SignKind) -> None:
    for kind in kinds:
        await tiers.note_sign(work, person.no, kind, work.now)


async def letters(work: Work, person: Subscriber) -> int:
    found = await outbox.letters_to(work, person.no)
    return [one.kind for one in found].count("tier-suggested")


@pytest.mark.parametrize(
    ("kinds", "reached"),
    [
        ([], "a"),
        ([SignKind.CONFIRMED, SignKind.REPLIED], "a"),  # 1 + 1 of 3
        ([SignKind.PLEDGED, SignKind.REPLIED], "b"),  # 2 + 1
        ([SignKind.DONE, SignKind.CAME], "c"),  # 4 + 4
        ([SignKind.DONE] * 4, "d"),  # 16 of 15
    ],
)
def test_each_further_rung_asks_for_more(kinds: list[SignKind], reached: str) -> None:
    assert observed([(kind, NOW) for kind in kinds], LADDER, NOW).slug == reached


@given(signs=st.lists(st.tuples(st.sampled_from(SignKind), st.integers(-400, 30).map(timedelta))))
def test_more_signs_never_lower_it_and_old_ones_count_for_nothing(
    signs: list[tuple[SignKind, timedelta]],
) -> None:
    said = [(kind, NOW + ago) for kind, ago in signs]
    counting = [one for one in said if NOW - COUNTS_FOR < one[1] <= NOW]
    reached = observed(said, LADDER, NOW)
    assert reached is observed(counting, LADDER, NOW)
    assert observed([*said, (SignKind.DONE, NOW)], LADDER, NOW).rank >= reached.rank
    points = sum(POINTS[kind] for kind, _at in counting)
    assert points_for(reached.rank - 1) <= points


async def test_a_suggestion_moves_nobody_until_it_is_accepted(cast: Cast, work: Work) -> None:
    await did(work, cast.gil, SignKind.PLEDGED)
    assert await store.suggested(work, cast.gil.no) is None
    await did(work, cast.gil, SignKind.PLEDGED, SignKind.REPLIED)

    found = await store.suggested(work, cast.gil.no)
    assert found is not None
    suggestion, tier = found
    here = await store.chosen(work, cast.gil.no)
    assert here is not None
    assert (here.slug, tier.slug) == ("follower", "supporter")
    assert await letters(work, cast.gil) == 1
    assert [one[1].no for one in await store.ready_to_step_up(work, limit=9)] == [cast.gil.no]

    moved = await tiers.accept(work, cast.gil, suggestion.no)

    assert isinstance(moved, Moved)
    assert moved.change.source is Source.ACCEPTED
    assert isinstance(await tiers.accept(work, cast.gil, suggestion.no), Unchanged)
    assert await store.suggested(work, cast.gil.no) is None
    assert await letters(work, cast.gil) == 0, "its letter had not gone"


async def test_where_it_needs_approval_accepting_asks(cast: Cast, work: Work) -> None:
    await did(work, cast.bo, *[SignKind.DONE] * 2)
    found = await store.suggested(work, cast.bo.no)
    assert found is not None

    assert isinstance(await tiers.accept(work, cast.bo, found[0].no), Requested)
    with pytest.raises(SuggestionUnknown):
        await tiers.accept(work, cast.gil, found[0].no)


async def test_a_no_is_left_alone_for_half_a_year(cast: Cast, work: Work) -> None:
    await did(work, cast.gil, SignKind.DONE)
    found = await store.suggested(work, cast.gil.no)
    assert found is not None
    for _time in range(2):
        assert (await tiers.dismiss(work, cast.gil, found[0].no)).accepted is False

    await did(make.later(work, days=100), cast.gil, SignKind.DONE)
    assert await store.suggested(work, cast.gil.no) is None
    await did(make.later(work, days=181), cast.gil, SignKind.DONE)
    assert await store.suggested(work, cast.gil.no) is not None


async def test_a_no_that_is_taken_back_leaves_the_suggestion_standing(
    cast: Cast, work: Work
) -> None:
    await did(work, cast.gil, SignKind.DONE)
    found = await store.suggested(work, cast.gil.no)
    assert found is not None
    await tiers.dismiss(work, cast.gil, found[0].no)

    for _time in range(2):
        suggestion = await tiers.take_back_no(work, cast.gil, found[0].no)
        assert (suggestion.ended_at, suggestion.accepted) == (None, None)

    told = await activity.kinds(work, cast.gil.no)
    assert told.count("tier_suggestion_reopened") == 1
    said = [one.words for one in await record.entries(work, cast.gil.no)]
    assert "Took back the no to the step up to Supporter" in said
    assert await store.suggested(work, cast.gil.no) is not None
    assert isinstance(await tiers.accept(work, cast.gil, found[0].no), Moved)
    assert (await tiers.take_back_no(work, cast.gil, found[0].no)).accepted is True


async def test_a_no_that_is_taken_back_once_they_are_there_only_ends_the_silence(
    cast: Cast, work: Work
) -> None:
    await did(work, cast.gil, SignKind.DONE)
    found = await store.suggested(work, cast.gil.no)
    assert found is not None
    await tiers.dismiss(work, cast.gil, found[0].no)
    await tiers.step(work, cast.gil, cast.supporter, source=Source.SELF_FORM)
    await did(work, cast.gil, *[SignKind.DONE] * 3)
    assert await store.suggested(work, cast.gil.no) is None

    suggestion = await tiers.take_back_no(work, cast.gil, found[0].no)

    assert suggestion.accepted is None
    assert suggestion.ended_at is not None
    await did(work, cast.gil, SignKind.DONE)
    assert await store.suggested(work, cast.gil.no) is not None


async def test_a_no_is_taken_back_by_whose_it_is_and_not_while_they_are_held_back(
    cast: Cast, work: Work
) -> None:
    await did(work, cast.gil, SignKind.DONE)
    found = await store.suggested(work, cast.gil.no)
    assert found is not None
    await tiers.dismiss(work, cast.gil, found[0].no)
    with pytest.raises(SuggestionUnknown):
        await tiers.take_back_no(work, cast.bo, found[0].no)
    await holding.hold_back(work, cast.gil, reason="Six sign-ups in a minute.")
    await tiers.take_back_no(work, cast.gil, found[0].no)
    assert await store.open_suggestion(work, cast.gil.no) is None


async def test_who_moves_anyway_is_not_asked_any_more(cast: Cast, work: Work) -> None:
    await did(work, cast.gil, SignKind.DONE)
    await tiers.step(work, cast.gil, cast.supporter, source=Source.SELF_FORM)
    assert await store.open_suggestion(work, cast.gil.no) is None


async def test_nothing_is_suggested_to_who_is_held_back(cast: Cast, work: Work) -> None:
    await holding.hold_back(work, cast.gil, reason="Six sign-ups in a minute.")
    await did(work, cast.gil, SignKind.DONE)
    assert await store.suggested(work, cast.gil.no) is None
