"""Who goes quiet: counted on each rung and in each group."""

from datetime import timedelta

import pytest

from mailer.activity import actions as activity
from mailer.bootstrap import House
from mailer.kit.work import Door, Work
from mailer.subscribers.model import Subscriber
from mailer.tiers.model import Stayed, StillWithUs
from mailer.tiers.quiet import store
from mailer.tiers.quiet.store import Quiet
from tests import makers as make
from tests.cast import Cast

MONTH = timedelta(days=30)


async def asked(work: Work, who: Subscriber, tier_no: int, *, ended: Stayed | None = None) -> None:
    work.session.add(
        StillWithUs(
            subscriber_no=who.no,
            tier_no=tier_no,
            asked_at=work.now,
            next_at=work.now,
            ended_at=work.now if ended else None,
            ended=ended,
        )
    )
    await work.session.flush()


async def later(house: House, who: Subscriber, *, door: Door) -> dict[int, Quiet]:
    """Look 40 days later, when somebody has done something by a door."""
    async with house.work(door=door) as work:
        late = make.later(work, days=40)
        await activity.record(late, who.no, "pledged")
        return await store.of_tiers(late, late.now - MONTH)


async def test_who_does_nothing_for_a_time_is_quiet(house: House, cast: Cast) -> None:
    found = await later(house, cast.bo, door=Door.EMAIL)
    assert found[cast.supporter.no].people == 1
    assert found[cast.supporter.no].quiet == 0
    assert (found[cast.follower.no].people, found[cast.follower.no].quiet) == (1, 1)


async def test_what_an_organiser_writes_down_is_not_their_own_hand(
    house: House, cast: Cast
) -> None:
    found = await later(house, cast.bo, door=Door.ADMIN)
    assert found[cast.supporter.no].quiet == 1


async def test_what_came_of_asking_is_counted_where_it_was_asked(work: Work, cast: Cast) -> None:
    level = cast.activist.no
    many = await make.people(work, 5, tier=cast.activist)
    for person, ended in zip(many, [*Stayed, None], strict=True):
        await asked(work, person, level, ended=ended)
    found = (await store.of_tiers(work, work.now - MONTH))[level]
    assert (found.asked, found.answered, found.lapsed, found.waiting) == (5, 2, 1, 1)
    late = make.later(work, days=31)
    assert (await store.of_tiers(late, late.now - MONTH))[level].asked == 0


@pytest.mark.parametrize("scoped", [False, True])
async def test_each_group_has_its_own(
    house: House,
    cast: Cast,
    scoped: bool,  # what is tried
) -> None:
    async with house.work() as work:
        await asked(work, cast.gil, cast.follower.no)
        await asked(work, cast.bo, cast.supporter.no, ended=Stayed.KEPT)
    scope = frozenset({cast.harbour.no}) if scoped else None
    async with house.work(reading=True, scope=scope) as work:
        late = make.later(work, days=40)
        groups = await store.of_groups(late, work.now - timedelta(days=1))
        quiet = await store.of_groups(late, late.now - MONTH)
        levels = await store.of_tiers(late, work.now - timedelta(days=1))
    assert groups[cast.harbour.no].waiting == 1
    assert quiet[cast.harbour.no].quiet == 1
    assert (cast.northgate.no in groups) is not scoped
    answered = sum(one.answered for one in levels.values())
    assert answered == (0 if scoped else 1)
