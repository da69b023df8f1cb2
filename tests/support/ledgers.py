"""Ledgers without an engine: two of them in one test, and one that dies."""

import contextlib
import os
from collections.abc import AsyncGenerator

from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns.model import OnDoubt
from mailer.deliveries.ledger import Ledger, Running
from mailer.deliveries.ledger_postgres import PostgresLedger
from mailer.deliveries.ledger_sqlite import SqliteLedger
from mailer.deliveries.model import Key
from mailer.deliveries.transport import Errand
from mailer.kit.db import sqlite_file
from mailer.outbox.model import DeliveryState
from tests.support.sending import confirmed, draft, no_letters, rows


def new_ledger(house: House, *, lease: float = 60, takeover: float = 120) -> Ledger:
    file = sqlite_file(house.settings.database_url)
    if file:
        return SqliteLedger(house.engine, file)
    return PostgresLedger(house.engine, lease=lease, takeover=takeover)


@contextlib.asynccontextmanager
async def opened(house: House, **how: float) -> AsyncGenerator[Ledger]:
    ledger = new_ledger(house, **how)
    assert await ledger.open()
    try:
        yield ledger
    finally:
        await ledger.close()


async def begun(house: House, on_doubt: OnDoubt = OnDoubt.HOLD) -> Running:
    """Give a campaign that is being sent, to Bo and Gil."""
    await no_letters(house)
    async with house.work() as work:
        campaign = await confirmed(work, await draft(work, on_doubt=on_doubt))
    async with house.work() as work:
        [campaign] = await sending.start_due(work)
        assert campaign.list_no
        return Running(campaign.no, 1, campaign.list_no, on_doubt)


def errand(key: Key, attempt: int = 0) -> Errand:
    return Errand(key, attempt, b"a@example.org", b"b@example.org", lambda _now: b"")


async def marked(ledger: Ledger, campaign: Running) -> list[Key]:
    """Claim everything and mark it."""
    claims = await ledger.claim(campaign, after=0, limit=100)
    granted = await ledger.beat([], [errand(one.key, one.attempt) for one in claims], [campaign])
    return list(granted)


async def states(house: House, campaign: Running) -> dict[int, DeliveryState]:
    return {no: DeliveryState(row.state) for no, row in (await rows(house, campaign.no)).items()}


async def die(ledger: Ledger) -> None:
    """End as a process does that is killed: its locks go, its rows stay."""
    if isinstance(ledger, SqliteLedger):
        assert ledger._lock is not None
        os.close(ledger._lock)
        ledger._lock = None
    elif isinstance(ledger, PostgresLedger):
        assert ledger._session
        await ledger._session.close()
        ledger._session = None
        await ledger._own.dispose()
