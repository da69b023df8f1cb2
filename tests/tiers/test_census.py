"""A large roll is counted by a worker once a minute; a small one when it is asked for."""

import datetime as dt

import pytest

from mailer.bootstrap import House
from mailer.kit import db
from mailer.tiers import actions as tiers
from mailer.tiers import laddering
from mailer.tiers.census import counting as room
from mailer.tiers.census.counting import census, keep_census
from mailer.tiers.model import Source
from tests import makers as make
from tests.cast import Cast


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LARGE", 1)


async def on_tiers(house: House, cast: Cast) -> tuple[dict[str, int], bool]:
    """Give how many are on each tier, and whether that was counted before."""
    async with house.work(reading=True) as work:
        found = await census(work)
    slugs = {tier.no: tier.slug for tier in (cast.follower, cast.supporter)}
    return {slugs[no]: n for no, n in found.people.items() if no in slugs}, found.at is not None


async def step_up(house: House, cast: Cast) -> None:
    async with house.work() as work:
        await tiers.step(work, cast.gil, cast.supporter, source=Source.SELF_LINK)


async def test_a_small_roll_is_counted_when_it_is_asked_for(house: House, cast: Cast) -> None:
    assert not await keep_census(house)
    assert await on_tiers(house, cast) == ({"follower": 1, "supporter": 1}, False)
    await step_up(house, cast)
    assert await on_tiers(house, cast) == ({"follower": 0, "supporter": 2}, False)


async def test_a_large_one_is_told_as_a_worker_counted_it(
    large: None, house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await on_tiers(house, cast) == ({"follower": 1, "supporter": 1}, False)
    assert not await keep_census(house)
    await step_up(house, cast)
    assert await on_tiers(house, cast) == ({"follower": 1, "supporter": 1}, True)
    assert not await keep_census(house)  # a minute has not gone by
    assert await on_tiers(house, cast) == ({"follower": 1, "supporter": 1}, True)

    async with house.work(reading=True) as work:
        later = work.now + room.EVERY
    monkeypatch.setattr(db, "clock", lambda: later)
    assert not await keep_census(house)
    assert await on_tiers(house, cast) == ({"follower": 0, "supporter": 2}, True)


async def test_a_count_of_long_ago_is_not_told(
    large: None, house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep_census(house)
    await step_up(house, cast)
    async with house.work(reading=True) as work:
        later = work.now + room.HOLDS_FOR + dt.timedelta(seconds=1)
    monkeypatch.setattr(db, "clock", lambda: later)
    assert await on_tiers(house, cast) == ({"follower": 0, "supporter": 2}, False)


async def test_whoever_sees_some_groups_is_told_of_those_now(
    large: None, house: House, cast: Cast
) -> None:
    await keep_census(house)
    async with house.work(reading=True) as work:
        found = await census(make.seen_by(work, cast.harbour))
    assert found.at is None
    assert sum(found.people.values()) == 1


async def test_a_level_that_is_new_since_has_nobody(large: None, house: House, cast: Cast) -> None:
    await keep_census(house)
    async with house.work() as work:
        tier = await laddering.add_tier(work, name={"en": "Anchor"}, often={"en": "Weekly"})
    async with house.work(reading=True) as work:
        assert (await census(work)).people[tier.no] == 0
