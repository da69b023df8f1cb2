"""The letter of the day: to whom, when, and what it says."""

from datetime import UTC, datetime, time, timedelta

import pytest

from mailer.accounts.model import Account
from mailer.bootstrap import House
from mailer.followups import caring, store
from mailer.followups.model import FollowUp
from mailer.followups.rounds import digest
from mailer.followups.rounds.digest import tell_of_today
from mailer.kit.work import Door
from tests import makers as make
from tests.cast import Cast
from tests.support.following import remembered
from tests.support.sending import letters
from tests.support.waiting import Later


async def at(house: House, hour: int, days: int = 1) -> Later:
    """Give the house at an hour of a day to come, by the organisation's clocks: UTC."""
    async with house.work(reading=True) as work:
        wanted = datetime.combine(work.now.date() + timedelta(days=days), time(hour, 1), UTC)
        return Later(house, seconds=(wanted - work.now).total_seconds())


async def told(house: House) -> list[int | None]:
    return [one.account_no for one in await letters(house) if one.kind == digest.KIND]


@pytest.fixture
async def case(house: House, cast: Cast) -> FollowUp:
    """Esra looks after Bo."""
    return await remembered(house, cast.bo, cast.esra)


async def test_who_owns_cases_is_told_in_the_morning_once(
    house: House, cast: Cast, case: FollowUp
) -> None:
    await tell_of_today(await at(house, 7))
    assert await told(house) == []
    for hour in (8, 8, 9):
        await tell_of_today(await at(house, hour))
    assert await told(house) == [cast.esra.no]
    await tell_of_today(await at(house, 8, days=2))
    assert await told(house) == [cast.esra.no, cast.esra.no]


async def test_not_at_night_when_nobody_worked_in_the_morning(
    house: House, cast: Cast, case: FollowUp
) -> None:
    await tell_of_today(await at(house, 22))
    assert await told(house) == []
    await tell_of_today(await at(house, 8, days=2))
    assert await told(house) == [cast.esra.no]


async def test_nobody_is_told_that_nobody_waits(house: House, cast: Cast) -> None:
    await say(house, cast.amina, wanted=True)
    await tell_of_today(await at(house, 8))
    assert await told(house) == []


async def say(house: House, account: Account, *, wanted: bool) -> None:
    async with house.work(account=account.no, door=Door.ADMIN) as work:
        await digest.wish(work, account, wanted=wanted)


async def test_who_does_not_want_it_has_none_and_who_does_has_it(
    house: House, cast: Cast, case: FollowUp
) -> None:
    await say(house, cast.esra, wanted=True)
    await say(house, cast.esra, wanted=False)
    await say(house, cast.amina, wanted=True)
    async with house.work(account=cast.esra.no, door=Door.ADMIN) as work:
        assert not await digest.wants(work, cast.esra)
        assert await digest.wants(work, cast.amina)
        await caring.assign(work, case, None)

    await tell_of_today(await at(house, 8))

    assert await told(house) == [cast.amina.no], "somebody waits for whoever comes to them"


async def test_who_said_nothing_gets_it_while_cases_are_theirs(
    house: House, cast: Cast, case: FollowUp
) -> None:
    async with house.work(reading=True) as work:
        assert await digest.wants(work, cast.esra)
        assert not await digest.wants(work, cast.amina)


async def test_it_counts_what_is_late_what_is_due_and_what_is_nobodys(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        people = [await make.person(work) for _person in range(4)]
    late, today, later, free = [await remembered(house, one, cast.esra) for one in people]
    async with house.work() as work:
        tomorrow = work.now + timedelta(days=2)
        await store.change(work, late, {"due_at": work.now - timedelta(hours=1)})
        await store.change(work, later, {"next_at": tomorrow, "due_at": tomorrow})
        await store.change(work, free, {"owner_no": None})
        counted = await digest.today_of(work, cast.esra)
        assert today.is_open
    assert (counted.late, counted.today, counted.nobodys) == (1, 1, 1)


async def test_only_people_whom_the_account_may_see_are_counted(house: House, cast: Cast) -> None:
    case = await remembered(house, cast.bo, cast.amina)
    async with house.work() as work:
        await store.change(work, case, {"owner_no": None})
        assert (await digest.today_of(work, cast.amina)).nobodys == 1
        assert (await digest.today_of(work, cast.farid)).is_quiet


async def test_a_closed_account_is_told_nothing(house: House, cast: Cast, case: FollowUp) -> None:
    async with house.work(door=Door.CLI) as work:
        fresh = await work.session.get_one(Account, cast.esra.no)
        fresh.disabled_at = work.now
    await tell_of_today(await at(house, 8))
    assert await told(house) == []
