"""SQLite has room for one worker, and knows when a backup was put back under it."""

from collections.abc import Generator

import pytest
from sqlalchemy import select, text

from mailer.bootstrap import House
from mailer.deliveries import ledger_sqlite as room
from mailer.deliveries.ledger import LedgerLost
from mailer.deliveries.model import Worker
from mailer.outbox.model import DeliveryState
from tests.cast import Cast
from tests.support.databases import SqliteCopies
from tests.support.ledgers import new_ledger, opened

QUEUED, CLAIMED, SENDING, SENT, DEFERRED, REFUSED, _, IN_DOUBT, SKIPPED = DeliveryState


pytestmark = pytest.mark.any_database  # which is this one, whatever was asked for


@pytest.fixture
def database(sqlite_copies: SqliteCopies) -> Generator[str]:
    with sqlite_copies.one(altered=False) as url:
        yield url


async def test_sqlite_has_room_for_one_worker(house: House, cast: Cast) -> None:
    async with opened(house) as first:
        second = new_ledger(house)
        assert not await second.open()
        await second.close()
        assert first.worker == 1
    async with opened(house) as third:
        assert third.worker == 2
        assert not third.is_restored


async def test_a_database_that_is_older_than_its_worker_file_was_put_back(
    house: House, cast: Cast
) -> None:
    async with opened(house):
        pass
    async with house.work() as work:
        for worker in await work.session.scalars(select(Worker)):
            await work.session.delete(worker)

    async with opened(house) as ledger:
        assert ledger.is_restored
        assert ledger.worker == 2  # a number is never given twice


async def test_a_worker_that_could_not_begin_is_not_taken_for_another(
    house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = new_ledger(house)
    with monkeypatch.context() as failing:
        failing.setattr(room, "doubted", lambda **_how: [text("SELECT * FROM nowhere")])
        with pytest.raises(LedgerLost):
            await ledger.open()
    assert await ledger.open()
    await ledger.close()
