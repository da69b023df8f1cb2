"""A number that was found to be somebody else's."""

from datetime import timedelta

import pytest

from mailer.asks.model import Ask
from mailer.bootstrap import House
from mailer.followups import caring, numbers, settling, store
from mailer.followups.model import FollowUp, Outcome
from mailer.kit.work import Door
from mailer.phones import actions as phones
from mailer.records import merging
from tests import makers as make
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.following import blocked, called, remembered

PHONE, OTHER = "+44 20 7946 0991", "+44 20 7946 0992"


@pytest.fixture
async def ask(house: House, cast: Cast) -> Ask:
    return await opened(house)


@pytest.fixture
async def case(house: House, cast: Cast, ask: Ask) -> FollowUp:
    await noted(house, cast, PHONE)
    return await blocked(house, cast.bo, ask)


async def noted(house: House, cast: Cast, number: str, days: int = 0) -> None:
    async with house.work(door=Door.ADMIN) as work:
        then = make.later(work, days=days)
        await phones.note(then, cast.bo, number, wording="Yes, call me.", language="en")


async def is_wrong(house: House, cast: Cast) -> bool:
    async with house.work(reading=True) as work:
        return await numbers.wrong_since(work, cast.bo.no) is not None


async def test_who_calls_next_about_anything_is_told_of_a_wrong_number(
    house: House, cast: Cast, case: FollowUp
) -> None:
    before = await is_wrong(house, cast)
    await called(house, case, cast.amina, Outcome.NO_ANSWER)
    tried = await is_wrong(house, cast)
    await called(house, case, cast.amina, Outcome.WRONG_NUMBER)

    assert (before, tried, await is_wrong(house, cast)) == (False, False, True)


async def test_another_number_is_not_wrong(house: House, cast: Cast, case: FollowUp) -> None:
    await called(house, case, cast.amina, Outcome.WRONG_NUMBER)
    await noted(house, cast, OTHER, days=1)

    assert not await is_wrong(house, cast)


async def test_the_same_number_written_down_again_stays_wrong(
    house: House, cast: Cast, case: FollowUp
) -> None:
    await called(house, case, cast.amina, Outcome.WRONG_NUMBER)
    await noted(house, cast, PHONE, days=1)

    assert await is_wrong(house, cast)


async def test_another_number_written_down_before_saying_that_the_first_was_wrong_is_right(
    house: House, cast: Cast, case: FollowUp
) -> None:
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await caring.take(work, case)
    await noted(house, cast, OTHER)
    await called(house, case, cast.amina, Outcome.WRONG_NUMBER)

    assert not await is_wrong(house, cast)


async def test_the_twin_s_wrong_number_says_nothing_of_one_s_own(
    house: House, cast: Cast, case: FollowUp
) -> None:
    await called(house, case, cast.amina, Outcome.WRONG_NUMBER)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await phones.note(work, cast.gil, OTHER, wording="Yes, call me.", language="en")
        await merging.merge(work, cast.gil, cast.bo)

        assert await numbers.wrong_since(work, cast.gil.no) is None


async def test_taking_it_back_makes_the_number_right_again(
    house: House, cast: Cast, case: FollowUp
) -> None:
    await called(house, case, cast.amina, Outcome.WRONG_NUMBER)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        [step] = await store.steps_of(work, case.no)
        await settling.take_back(work, case, step.no)

    assert not await is_wrong(house, cast)


@pytest.mark.parametrize("outcome", sorted(numbers.WAS_RIGHT))
async def test_who_was_reached_after_all_has_a_right_number(
    house: House, cast: Cast, case: FollowUp, outcome: Outcome
) -> None:
    await called(house, case, cast.amina, Outcome.WRONG_NUMBER)
    other = await remembered(house, cast.bo, cast.esra)
    async with house.work(account=cast.esra.no, door=Door.ADMIN) as work:
        await settling.settle(work, other, outcome, call_at=work.now + timedelta(days=1))

    assert not await is_wrong(house, cast)
