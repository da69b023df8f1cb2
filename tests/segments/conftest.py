import dataclasses
from collections.abc import AsyncGenerator

import pytest

from mailer.bootstrap import House, furnish
from mailer.kit.work import Work
from tests.segments import model


@pytest.fixture
async def world(house: House) -> model.World:
    """People with facts of every kind, committed."""
    await furnish(house)
    async with house.work() as work:
        return await model.people_a_world(work)


@pytest.fixture
async def asks(house: House, world: model.World) -> AsyncGenerator[Work]:
    """Give a unit of work that only reads, at the hour of that world."""
    async with house.work(reading=True) as work:
        yield dataclasses.replace(work, now=model.NOW)
