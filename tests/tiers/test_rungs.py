"""Which rungs there are: one more, one past its neighbour, one taken out."""

import pytest

from mailer.consent import listing
from mailer.kit.work import Work
from mailer.tiers import actions as tiers
from mailer.tiers import store
from mailer.tiers.actions import (
    AtTheEnd,
    LapseOutOfRange,
    LastRung,
    ListNotThere,
    LowestIsOpen,
    MinutesOutOfRange,
    PeopleOnIt,
    TierGone,
    TooManyRungs,
)
from mailer.tiers.model import Source, Tier
from tests import makers as make
from tests.cast import Cast


async def slugs(work: Work) -> list[str]:
    return [tier.slug for tier in await store.ladder(work)]


async def describe(work: Work, tier: Tier, **changes: object) -> Tier:
    return await tiers.describe_tier(
        work,
        tier,
        name=tier.name,
        often=tier.often,
        you_get=tier.you_get,
        we_ask=tier.we_ask,
        **changes,  # type: ignore[arg-type]
    )


async def test_a_new_rung_is_the_highest_and_needs_approval(cast: Cast, work: Work) -> None:
    tier = await tiers.add_tier(work, name={"en": "Anchor"}, often={"en": "Weekly"})
    assert await slugs(work) == ["follower", "supporter", "activist", "organiser", "anchor"]
    assert tier.needs_approval
    assert (tier.most_mails, tier.most_in_days) == (1, 7), "as the rung below"
    again = await tiers.add_tier(work, name={"en": "Anchor"}, often={"en": "Weekly"})
    assert again.slug == "anchor-2"


async def test_there_are_twelve_at_most(cast: Cast, work: Work) -> None:
    for no in range(8):
        await tiers.add_tier(work, name={"en": f"Rung {no}"}, often={"en": "Weekly"})
    with pytest.raises(TooManyRungs):
        await tiers.add_tier(work, name={"en": "Thirteenth"}, often={"en": "Weekly"})


async def test_a_rung_changes_places_with_its_neighbour_and_nobody_moves(
    cast: Cast, work: Work
) -> None:
    await tiers.move_tier(work, cast.organiser, up=False)
    assert await slugs(work) == ["follower", "supporter", "organiser", "activist"]
    await tiers.move_tier(work, cast.organiser, up=True)
    await tiers.move_tier(work, cast.follower, up=True)
    assert await slugs(work) == ["supporter", "follower", "activist", "organiser"]
    here = await store.chosen(work, cast.bo.no)
    assert here is not None
    assert here.slug == "supporter"
    with pytest.raises(AtTheEnd):
        await tiers.move_tier(work, cast.organiser, up=True)
    with pytest.raises(AtTheEnd):
        await tiers.move_tier(work, cast.supporter, up=False)


async def test_the_lowest_stays_open_whatever_is_moved(cast: Cast, work: Work) -> None:
    await tiers.move_tier(work, cast.activist, up=False)
    with pytest.raises(LowestIsOpen):
        await tiers.move_tier(work, cast.activist, up=False)
    with pytest.raises(LowestIsOpen):
        await tiers.move_tier(work, cast.follower, up=True)


async def test_a_rung_is_taken_out_once_nobody_stands_on_it(cast: Cast, work: Work) -> None:
    asked = await tiers.step(work, cast.gil, cast.activist, source=Source.SELF_LINK)
    with pytest.raises(PeopleOnIt):
        await tiers.close_tier(work, cast.supporter)
    await tiers.assign(work, cast.chidi, cast.follower, reason="The level goes.")
    await tiers.assign(work, cast.bo, cast.follower, reason="The level goes.")

    await tiers.close_tier(work, cast.supporter)
    await tiers.close_tier(work, cast.supporter)
    await tiers.close_tier(work, cast.activist)

    assert await slugs(work) == ["follower", "organiser"]
    assert isinstance(asked, tiers.Requested)
    assert await store.standing_request(work, cast.gil.no) is None
    closed = await store.by_no(work, cast.supporter.no)
    assert closed is not None
    for verb in (
        tiers.step(work, cast.bo, closed, source=Source.SELF_LINK),
        tiers.assign(work, cast.bo, closed, reason="Back."),
        describe(work, closed),
        tiers.move_tier(work, closed, up=True),
    ):
        with pytest.raises(TierGone):
            await verb
    newest = await store.newest_change(work, cast.bo.no)
    assert newest is not None
    with pytest.raises(TierGone):
        await tiers.undo(work, cast.bo, newest.no)


async def test_the_last_rung_and_the_only_open_one_stay(cast: Cast, work: Work) -> None:
    for person in (cast.bo, cast.chidi, cast.dana, cast.gil):
        await tiers.assign(work, person, cast.organiser, reason="All of us.")
    await tiers.close_tier(work, cast.supporter)
    with pytest.raises(LowestIsOpen):
        await tiers.close_tier(work, cast.follower)
    await describe(work, cast.organiser, needs_approval=False)
    await tiers.close_tier(work, cast.activist)
    await tiers.close_tier(work, cast.follower)
    with pytest.raises(LastRung):
        await tiers.close_tier(work, cast.organiser)


@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({"minutes": -1}, MinutesOutOfRange, "minutes"),
        ({"minutes": 10_001}, MinutesOutOfRange, "minutes"),
        ({"lapse_days": 29}, LapseOutOfRange, "lapse_days"),
        ({"lapse_days": 3651}, LapseOutOfRange, "lapse_days"),
        ({"list_nos": [99]}, ListNotThere, "list_nos"),
    ],
)
async def test_what_is_out_of_range_is_refused_at_its_field(
    cast: Cast, work: Work, changes: dict[str, object], refusal: type[Exception], field: str
) -> None:
    with pytest.raises(refusal) as refused:
        await describe(work, cast.activist, **changes)
    assert getattr(refused.value, "facts", {})["field"] == field


async def test_minutes_lapse_and_lists_are_kept(cast: Cast, work: Work) -> None:
    alerts = await make.mailing_list(work)
    tier = await describe(
        work, cast.supporter, minutes=20, lapse_days=200, list_nos=[alerts.no, cast.bulletin.no]
    )
    assert (tier.minutes, tier.lapse_days) == (20, 200)
    assert tier.list_nos == [cast.bulletin.no, alerts.no]
    tier = await describe(work, cast.supporter, never_lapses=True)
    assert (tier.minutes, tier.lapse_days) == (20, None)


async def test_of_the_lists_that_go_with_a_level_those_are_named_that_can_be_chosen(
    cast: Cast, work: Work
) -> None:
    alerts, closed, ours = [await make.mailing_list(work, name) for name in "ABC"]
    assert await store.lists_with(work, cast.supporter) == []
    chosen = [alerts.no, closed.no, ours.no, cast.bulletin.no]
    tier = await describe(work, cast.supporter, list_nos=chosen)
    await listing.close_list(work, closed)
    ours.is_public = False
    await work.session.flush()

    assert [one.no for one in await store.lists_with(work, tier)] == [cast.bulletin.no, alerts.no]
