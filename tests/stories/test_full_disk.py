"""A full disk: it is said in words, and nothing is lost, half done, or sent without a row.

SQLite is told that it may not grow by another page, which is the very error of a full disk.
"""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from mailer.bootstrap import House
from mailer.kit.db import NoRoom
from mailer.outbox.model import DeliveryState
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store
from tests.cast import Cast
from tests.support.relay import Relay
from tests.support.sending import copies, counts, no_letters, ready, until_sent, working

pytestmark = pytest.mark.any_database


class Disk:
    """The room that a database has: told to each connection whenever it is taken up."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.pages = 1 << 30

    async def fill(self) -> None:
        async with self.engine.connect() as connection:
            self.pages = await connection.scalar(text("PRAGMA page_count")) or 1

    def make_room(self) -> None:
        self.pages = 1 << 30


@pytest.fixture
def disk(engine: AsyncEngine) -> Disk:
    disk = Disk(engine)

    @event.listens_for(engine.sync_engine, "checkout")
    def limit(connection: Any, _entry: object, _proxy: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={disk.pages}")
        cursor.close()

    return disk


async def fill_what_is_left(house: House) -> None:
    """Use up the room inside pages that are there already."""
    with pytest.raises(NoRoom):
        for number in range(10_000):
            async with house.work() as work:
                await subscribers.add(work, address=f"filler{number}@example.org")


async def test_a_sign_up_is_refused_in_words_and_half_of_it_is_not_kept(
    web: httpx.AsyncClient, house: House, cast: Cast, disk: Disk
) -> None:
    shown = await web.get("/join")
    mark = shown.text.partition('name="shown" value="')[2].partition('"')[0]
    form = {
        "tier": "follower",
        "address": "noor@example.org",
        "language": "en",
        "agreed": "yes",
        "shown": mark,
    }
    await disk.fill()
    await fill_what_is_left(house)

    answer = await web.post("/join", data=form)
    assert answer.status_code == 507
    assert "no room left" in answer.text
    async with house.work(reading=True) as work:
        assert await store.by_address(work, "noor@example.org") is None

    disk.make_room()
    assert (await web.post("/join", data=form)).status_code == 303


async def test_nothing_is_sent_that_cannot_be_written_down(
    house: House, cast: Cast, relay: Relay, disk: Disk
) -> None:
    await no_letters(house)
    no = await ready(house)
    await disk.fill()
    await fill_what_is_left(house)

    async with working(house, relay):
        await asyncio.sleep(1)
        taken = copies(house, relay, no)
        disk.make_room()
        await until_sent(house, no)

    # A mark changes a row in place and may find room where a new row does not: then it was
    # written down, and once.
    assert all(copy == 1 for copy in taken.values())
    assert copies(house, relay, no) == {cast.bo.no: 1, cast.gil.no: 1}
    assert await counts(house, no) == {DeliveryState.SENT: 2}
