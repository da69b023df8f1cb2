"""Units of work: read-only ones are kept from writing by the database; writers wait their turn."""

import asyncio

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from mailer.audit.actions import note
from mailer.audit.model import AuditLine
from mailer.bootstrap import House
from mailer.kit.db import make_engine, sqlite_file
from mailer.kit.work import Work


async def acts(house: House) -> list[str]:
    async with house.work(reading=True) as work:
        return list(await work.session.scalars(select(AuditLine.act).order_by(AuditLine.no)))


async def test_what_was_done_is_committed_at_the_end(house: House) -> None:
    async with house.work() as work:
        await note(work, "one")
    assert await acts(house) == ["one"]


async def test_what_raised_has_done_nothing(house: House) -> None:
    async def fail(work: Work) -> None:
        await note(work, "one")
        await work.session.flush()
        raise RuntimeError("oh")

    with pytest.raises(RuntimeError, match="oh"):
        async with house.work() as work:
            await fail(work)
    assert await acts(house) == []


async def test_the_database_refuses_a_write_while_looking(house: House) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"):
        async with house.work(reading=True) as work:
            await note(work, "one")
    async with house.work() as work:  # and the connection is not spoilt by it
        await note(work, "two")
    assert await acts(house) == ["two"]


async def test_writers_of_one_process_lose_nothing(house: House) -> None:
    async def add() -> None:
        async with house.work() as work:
            seen = len(list(await work.session.scalars(select(AuditLine.no))))
            await asyncio.sleep(0)
            await note(work, f"after {seen}")

    await asyncio.gather(*(add() for _ in range(20)))
    assert len(await acts(house)) == 20


async def test_writers_of_two_engines_lose_nothing(house: House, database: str) -> None:
    """Two processes have no queue in common: the database's own lock must do."""
    other = make_engine(database)
    houses = [house, House(settings=house.settings, engine=other, keys=house.keys)]

    async def add(one: House) -> None:
        for _ in range(10):
            async with one.work() as work:
                await note(work, "x")

    await asyncio.gather(*(add(one) for one in houses))
    await other.dispose()
    assert len(await acts(house)) == 20


@pytest.mark.any_database
async def test_sqlite_keeps_its_manners(engine: AsyncEngine) -> None:
    if engine.dialect.name != "sqlite":
        return
    async with engine.connect() as connection:
        said = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite+aiosqlite:////srv/roll.db", "/srv/roll.db"),
        ("sqlite+aiosqlite:///roll.db", "roll.db"),
        ("sqlite+aiosqlite://", None),
        ("postgresql+psycopg://roll@db/roll", None),
    ],
)
def test_the_file_of_a_url(url: str, file: str | None) -> None:
    found = sqlite_file(url)
    assert (None if found is None else str(found)) == file
