"""The ladder itself, who stands where, and what moved."""

from datetime import timedelta
from typing import Any

import pytest

from mailer.activity import store as activity
from mailer.kit.texts import TextMissing
from mailer.kit.work import Work
from mailer.subscribers.actions import add, pause
from mailer.tiers import actions as tiers
from mailer.tiers import store
from mailer.tiers.model import Source
from tests import makers as make
from tests.cast import Cast


async def test_every_organisation_begins_with_four_levels(work: Work) -> None:
    await tiers.furnish(work)
    await tiers.furnish(work)

    ladder = await store.ladder(work)
    assert [(one.slug, one.rank, one.needs_approval) for one in ladder] == [
        ("follower", 1, False),
        ("supporter", 2, False),
        ("activist", 3, True),
        ("organiser", 4, True),
    ]
    assert [(one.most_mails, one.most_in_days) for one in ladder] == [
        (1, 30),
        (2, 30),
        (1, 7),
        (1, 7),
    ]
    for tier in ladder:
        for words in (tier.name, tier.often, tier.you_get, tier.we_ask):
            assert set(words) == {"en", "fr"}
    assert await store.by_slug(work, "activist") == ladder[2]


def described(**changed: Any) -> dict[str, Any]:
    words = {"name": "Friend", "often": "One a month", "you_get": "News", "we_ask": "Read"}
    return {key: {"en": text} for key, text in words.items()} | changed


async def test_a_level_is_described_anew_and_nobody_moves(cast: Cast, work: Work) -> None:
    tier = await tiers.describe_tier(
        work, cast.supporter, **described(most_mails=3, needs_approval=True)
    )
    assert tier.name == {"en": "Friend"}
    assert (tier.most_mails, tier.most_in_days, tier.needs_approval) == (3, 30, True)
    assert (await store.by_slug(work, "supporter")) == tier


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"name": {"en": " "}}, TextMissing),
        ({"often": {}}, TextMissing),
        ({"most_mails": 0}, tiers.PromiseOutOfRange),
        ({"most_in_days": 366}, tiers.PromiseOutOfRange),
        ({"needs_approval": True}, tiers.LowestIsOpen),
    ],
)
async def test_a_level_that_promises_nothing_is_refused(
    cast: Cast, work: Work, wrong: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await tiers.describe_tier(work, cast.follower, **described(**wrong))


async def test_only_active_people_in_sight_are_counted(cast: Cast, work: Work) -> None:
    await pause(work, await make.person(work, tier=cast.activist))
    await make.person(work, tier=cast.activist)

    assert await store.counts(work) == {
        cast.follower.no: 1,  # Gil; Dana has not confirmed
        cast.supporter.no: 1,  # Bo; Chidi has left
        cast.activist.no: 1,
        cast.organiser.no: 0,
    }
    farids = make.seen_by(work, cast.harbour)
    assert sum((await store.counts(farids)).values()) == 1


async def test_moves_are_counted_where_they_cross_a_line(cast: Cast, work: Work) -> None:
    gil = await tiers.assign(work, cast.gil, cast.activist, reason="Two steps up.")
    await tiers.step(work, cast.bo, cast.follower, source=Source.SELF_FORM)
    assert isinstance(gil, tiers.Moved)
    line = {cast.follower.no: (0, 0), cast.organiser.no: (0, 0)}

    since = work.now - timedelta(days=30)
    assert await store.moves_since(work, since) == line | {
        cast.supporter.no: (1, 1),
        cast.activist.no: (1, 0),
    }
    await tiers.undo(work, cast.gil, gil.change.no)
    assert await store.moves_since(work, since) == line | {
        cast.supporter.no: (0, 1),
        cast.activist.no: (0, 0),
    }
    assert set((await store.moves_since(work, work.now + timedelta(1))).values()) == {(0, 0)}
    farids = make.seen_by(work, cast.harbour)
    assert set((await store.moves_since(farids, since)).values()) == {(0, 0)}


async def test_what_a_campaign_moved_is_counted(cast: Cast, work: Work) -> None:
    how = {"source": Source.SELF_LINK, "campaign_no": 7}
    await tiers.step(work, cast.gil, cast.supporter, **how)  # type: ignore[arg-type]
    await tiers.step(work, cast.bo, cast.activist, **how)  # type: ignore[arg-type]
    await tiers.step(work, cast.chidi, cast.follower, **how)  # type: ignore[arg-type]

    assert await store.through(work, 7) == store.Through(ups=1, downs=1, requests=1)
    assert await store.through(work, 8) == store.Through(ups=0, downs=0, requests=0)


async def test_a_file_places_those_who_stand_nowhere_and_moves_nobody(
    cast: Cast, work: Work
) -> None:
    new = await add(work, address="new@example.org")
    pairs = [(new.no, cast.activist.no), (cast.bo.no, cast.follower.no), (404, cast.follower.no)]

    assert await tiers.place_many(work, pairs) == [new.no]
    assert await tiers.place_many(work, pairs) == []

    chosen = await store.chosen_of(work, [new.no, cast.bo.no])
    assert {no: tier.slug for no, tier in chosen.items()} == {
        new.no: "activist",
        cast.bo.no: "supporter",
    }
    [change] = await store.changes_of(work, new.no)
    assert (change.source, change.from_no) == (Source.IMPORT, None)
    assert await activity.kinds(work, new.no) == ["joined", "tier_chosen"]


async def test_describing_a_level_as_it_is_changes_nothing(cast: Cast, work: Work) -> None:
    tier = cast.follower
    same = await tiers.describe_tier(
        work, tier, name=tier.name, often=tier.often, you_get=tier.you_get, we_ask=tier.we_ask
    )
    assert same.no == tier.no
    assert not work.session.dirty
