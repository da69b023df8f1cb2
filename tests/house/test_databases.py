"""Each test begins with an empty, migrated database, though all before it committed."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from mailer.bootstrap import House
from mailer.models import Base
from mailer.subscribers import actions as subscribers


@pytest.mark.parametrize("time", [1, 2])
async def test_tables_are_empty_and_numbers_start_at_one(
    engine: AsyncEngine,
    house: House,
    time: int,
) -> None:
    async with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            counted = text(f'SELECT count(*) FROM "{table.name}"')
            counted = counted.execution_options(unscoped="the test")
            assert await connection.scalar(counted) == 0, (table.name, time)

    async with house.work() as work:
        bo = await subscribers.add(work, address="bo@example.org")
        assert bo.no == 1
