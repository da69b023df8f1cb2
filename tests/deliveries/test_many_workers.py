"""PostgreSQL has room for many workers: they share, and know who is dead and who only silent."""

import asyncio
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, text, update

from mailer.bootstrap import House
from mailer.deliveries.beating import Settled
from mailer.deliveries.ledger import LedgerLost
from mailer.deliveries.ledger_postgres import PostgresLedger
from mailer.deliveries.model import Delivery, Worker
from mailer.outbox.model import DeliveryState
from tests import makers as make
from tests.cast import Cast
from tests.support.databases import PostgresCopies
from tests.support.ledgers import begun, die, errand, marked, new_ledger, opened, states

QUEUED, CLAIMED, SENDING, SENT, DEFERRED, REFUSED, _, IN_DOUBT, SKIPPED = DeliveryState


pytestmark = pytest.mark.any_database  # which is this one, whatever was asked for


@pytest.fixture
def database(postgres_copies: PostgresCopies) -> Generator[str]:
    with postgres_copies.one(altered=False) as url:
        yield url


async def test_two_workers_share_the_rows(house: House, cast: Cast) -> None:
    async with house.work() as work:
        await make.people(work, 20)
    campaign = await begun(house)
    async with opened(house) as one, opened(house) as two:
        mine = await one.claim(campaign, after=0, limit=15)
        theirs = await two.claim(campaign, after=0, limit=15)

        assert len(mine) == 15
        assert len(theirs) == 7
        assert not {claim.key for claim in mine} & {claim.key for claim in theirs}
        # What one has claimed the other cannot mark.
        assert await two.beat([], [errand(mine[0].key)], [campaign]) == {}


async def test_the_claims_of_a_silent_worker_go_back(house: House, cast: Cast) -> None:
    campaign = await begun(house)
    async with opened(house, lease=0.2) as silent, opened(house, lease=0.2) as other:
        claims = await silent.claim(campaign, after=0, limit=100)
        await asyncio.sleep(0.3)
        await other.beat([], [], [])
        await other.watch()
        assert set((await states(house, campaign)).values()) == {QUEUED}

        # It wakes: nothing that it held is granted, and it takes nothing before it has beaten.
        assert await silent.claim(campaign, after=0, limit=100) == []
        asked = [errand(claim.key) for claim in claims]
        assert await silent.beat([], asked, [campaign]) == {}
        assert len(await silent.claim(campaign, after=0, limit=100)) == 2


async def test_a_silent_worker_whose_lock_is_held_is_not_dead(house: House, cast: Cast) -> None:
    """A worker that was stopped may still have its body on the way."""
    campaign = await begun(house)
    async with opened(house, lease=0.1, takeover=0.2) as silent:
        keys = await marked(silent, campaign)
        async with opened(house, lease=0.1, takeover=0.2) as other:
            await other.watch()
            await asyncio.sleep(0.5)
            await other.watch()
            assert set((await states(house, campaign)).values()) == {SENDING}

            await silent.beat([Settled(key, 1, SENT) for key in keys], [], [campaign])
    assert set((await states(house, campaign)).values()) == {SENT}


async def test_nobody_is_judged_by_a_session_younger_than_the_silence(
    house: House, cast: Cast
) -> None:
    """A restart of PostgreSQL frees every lock while workers live."""
    campaign = await begun(house)
    dead = new_ledger(house)
    await dead.open()
    await marked(dead, campaign)
    await die(dead)
    async with house.work() as work:
        await work.session.execute(update(Worker).values(seen_at=work.now - timedelta(minutes=30)))

    async with opened(house, lease=0.1, takeover=1.0) as other:
        await other.watch()
        await other.watch()
        assert set((await states(house, campaign)).values()) == {SENDING}

        await asyncio.sleep(1.2)
        await other.watch()
    assert set((await states(house, campaign)).values()) == {IN_DOUBT}


async def test_a_lost_session_is_found_again_under_the_same_number(
    house: House, cast: Cast
) -> None:
    campaign = await begun(house)
    async with opened(house) as ledger:
        [bo, gil] = await marked(ledger, campaign)
        number = ledger.worker
        await _end_sessions_of_locks(house)

        with pytest.raises(LedgerLost):
            await ledger.beat([Settled(bo, 1, SENT)], [], [campaign])
        await ledger.beat([Settled(bo, 1, SENT)], [], [campaign])

        assert ledger.worker == number
    assert await states(house, campaign) == {bo.number: SENT, gil.number: SENDING}


async def test_a_worker_that_was_ended_gets_a_new_number_and_may_still_tell_the_truth(
    house: House, cast: Cast
) -> None:
    campaign = await begun(house)
    async with opened(house) as ledger:
        [bo, gil] = await marked(ledger, campaign)
        number = ledger.worker
        await _end_sessions_of_locks(house)
        async with house.work() as work:
            await work.session.execute(update(Worker).values(ended_at=func.now()))
            await work.session.execute(update(Delivery).values(state=IN_DOUBT))

        with pytest.raises(LedgerLost):
            await ledger.beat([Settled(bo, 1, SENT)], [], [campaign])
        await ledger.beat([Settled(bo, 1, SENT)], [], [campaign])

        assert ledger.worker == number + 1
    assert await states(house, campaign) == {bo.number: SENT, gil.number: IN_DOUBT}


async def _end_sessions_of_locks(house: House) -> None:
    """End the sessions that hold a worker's lock, as a broken network does.

    In this database: other tests have theirs in the same cluster.
    """
    async with house.work() as work:
        await work.session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " JOIN pg_database ON pg_database.oid = pg_locks.database"
                " WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
                " AND datname = current_database()"
            )
        )


async def test_a_worker_that_ends_gives_everything_back(house: House, cast: Cast) -> None:
    campaign = await begun(house)
    async with opened(house) as ledger:
        await ledger.claim(campaign, after=0, limit=100)
        assert set((await states(house, campaign)).values()) == {CLAIMED}

    assert set((await states(house, campaign)).values()) == {QUEUED}
    async with house.work() as work:
        [worker] = await work.session.scalars(select(Worker))
        assert worker.ended_at


async def test_a_database_that_has_seen_fewer_workers_than_this_machine_was_put_back(
    house: House, cast: Cast, tmp_path: Path
) -> None:
    async def start() -> tuple[int, bool]:
        ledger = PostgresLedger(
            house.engine, lease=60, takeover=120, memory=tmp_path / "data" / "worker"
        )
        assert await ledger.open()
        await ledger.close()
        return ledger.worker, ledger.is_restored

    assert [await start(), await start()] == [(1, False), (2, False)]
    async with house.work() as work:
        await work.session.execute(delete(Worker))
        await work.session.execute(text("ALTER SEQUENCE worker_no_seq RESTART"))

    assert await start() == (1, True)
    assert await start() == (3, False)  # a number is never given twice
