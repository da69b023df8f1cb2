"""What a worker does beside sending, each step with a unit of work of its own, as it runs."""

import datetime as dt

import pytest

from mailer import working
from mailer.bootstrap import House
from mailer.imports import receiving
from mailer.kit import db
from mailer.worker import HouseStep
from tests.cast import Cast

STEPS = [*working.STEPS, *working.UPKEEP]


def name_of(step: HouseStep) -> str:
    """Tell steps of one name apart by their rooms."""
    return f"{step.__module__}.{getattr(step, '__name__', '')}"


@pytest.mark.parametrize("step", STEPS, ids=name_of)
@pytest.mark.parametrize("days", [0, 3650])
async def test_each_step_comes_to_its_end(
    house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch, step: HouseStep, days: int
) -> None:
    """Also ten years on, when all is due that there is."""
    async with house.work() as work:
        await receiving.receive(work, file_name="fair.csv", list_no=cast.bulletin.no)
        now = work.now + dt.timedelta(days=days)
    monkeypatch.setattr(db, "clock", lambda: now)
    async with house.work(reading=True) as work:
        assert work.now == now

    for _ in range(20):
        if not await step(house):
            break
    else:
        pytest.fail("it never ends")
