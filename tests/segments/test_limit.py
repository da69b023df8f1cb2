"""A question that takes too long is stopped, and the work goes on."""

import pytest
from sqlalchemy import func, literal, select

from mailer.bootstrap import House, furnish
from mailer.kit.limits import TookTooLong, time_limit
from mailer.kit.work import Work
from mailer.segments import asking, store
from mailer.tags import actions as tags
from mailer.tags import store as tag_store


async def _endless(work: Work) -> None:
    numbers = select(literal(1).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1))
    await work.session.scalar(select(func.count()).select_from(numbers))


async def test_the_database_is_told_to_stop_and_what_was_done_stands(house: House) -> None:
    async with house.work() as work:
        await tags.make(work, name="Driver")
        with pytest.raises(TookTooLong):
            async with time_limit(work.session, 0.2):
                await _endless(work)
        await tags.make(work, name="Cook")
    async with house.work(reading=True) as work:
        assert [tag.name for tag in await tag_store.open_tags(work)] == ["Cook", "Driver"]


async def test_the_limit_is_gone_afterwards(house: House) -> None:
    await furnish(house)
    async with house.work(reading=True) as work:
        settings = ["statement_timeout", "work_mem", "jit"]
        shown = select(*[func.current_setting(name) for name in settings])
        on_postgres = work.session.get_bind().dialect.name == "postgresql"
        before = (await work.session.execute(shown)).one() if on_postgres else None
        assert await asking.count(work, {"everybody": True}) == 0
        after = (await work.session.execute(shown)).one() if on_postgres else None
        assert before == after
        async with time_limit(work.session, 0.01):
            pass
        slow = select(literal(1).label("n")).cte("slow", recursive=True)
        slow = slow.union_all(select(slow.c.n + 1).where(slow.c.n < 200_000))
        assert await work.session.scalar(select(func.count()).select_from(slow)) == 200_000


async def test_the_refusal_says_what_to_do(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await furnish(house)
    monkeypatch.setattr(asking, "SECONDS", 0.2)
    monkeypatch.setattr(store, "how_many", lambda work, _asked: _endless(work))
    async with house.work(reading=True) as work:
        with pytest.raises(asking.AskedTooLong, match="Ask for less"):
            await asking.count(work, {"everybody": True})
        # The same unit of work goes on, as the page does that says so.
        assert (await asking.counted(work, {"everybody": True})).people == 0
