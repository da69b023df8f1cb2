"""Once a year: you are still on the roll."""

from mailer.bootstrap import House
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tiers.upkeep import keeping, yearly
from tests import makers as make
from tests.cast import Cast


async def told(work: Work) -> list[int]:
    stretch = await yearly.tell_the_next(work, after=0, most=100, limit=100)
    return [no for no, _language in stretch.people]


async def letters(work: Work, person: Subscriber) -> int:
    found = await outbox.letters_to(work, person.no)
    return [one.kind for one in found].count("yearly")


async def test_whoever_may_be_written_to_is_told_once_a_year(cast: Cast, work: Work) -> None:
    assert await told(make.later(work, days=364)) == []
    year = make.later(work, days=366)

    assert await told(year) == sorted([cast.bo.no, cast.gil.no])  # Chidi left, Dana never came
    assert await told(make.later(year, days=300)) == []
    assert await told(make.later(year, days=366)) == sorted([cast.bo.no, cast.gil.no])
    assert await letters(work, cast.bo) == 2


async def test_who_takes_a_break_is_told_after_it(cast: Cast, work: Work) -> None:
    year = make.later(work, days=366)
    await subscribers.pause(year, cast.bo, days=10)

    assert await told(year) == [cast.gil.no]
    assert await told(make.later(year, days=11)) == [cast.bo.no]


async def test_a_worker_finds_nothing_to_do_on_the_first_day(cast: Cast, house: House) -> None:
    assert await keeping.keep_some(house) is True, "the walk has begun"
    assert await keeping.keep_some(house) is False
    async with house.work(reading=True) as work:
        assert await letters(work, cast.bo) == 0
