"""The worker process: the engine, and the steps that are done beside it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog
from sqlalchemy.exc import DBAPIError

from mailer.bootstrap import House
from mailer.deliveries import finishing, store
from mailer.deliveries.engine import Engine
from mailer.deliveries.ledger import Ledger, LedgerLost
from mailer.deliveries.ledger_sqlite import SqliteLedger
from mailer.deliveries.letters import Letters
from mailer.deliveries.naming import Namer
from mailer.deliveries.pacing import Pacer
from mailer.deliveries.transport import Transport
from mailer.deliveries.writing import Desk
from mailer.kit.db import sqlite_file
from mailer.kit.loops import Ending, Step, run_loop
from mailer.settings import Settings
from mailer.smtp import Fleet

log = structlog.get_logger()

_LOOK_FOR_LEDGER = 0.5
_LOOK_FOR_THE_DEAD = 1.0
_LOOK_FOR_UPKEEP = 10.0  # what nobody waits for: asking twice a second would be most of idling

HouseStep = Callable[[House], Awaitable[bool]]
"""One batch of something else that a worker does; True when there may be more at once."""


async def work_on(
    house: House,
    ending: Ending | None = None,
    *,
    steps: Sequence[HouseStep] = (),
    upkeep: Sequence[HouseStep] = (),
    transport: Transport | None = None,
) -> None:
    """Send, and do the other steps, until the end is wished; then finish what has begun.

    `upkeep` is what nobody waits for: what is due by the day.
    """
    ending = ending or Ending()
    ledger = make_ledger(house)
    if not await _opened(house, ledger, ending):
        return
    try:
        await asyncio.gather(
            make_engine(house, ledger, transport).run(ending),
            run_loop(
                "steps",
                [
                    partial(finishing.start_due, house.work),
                    partial(finishing.sweep_cancelled, house.work),
                    *[partial(step, house) for step in steps],
                ],
                pause=house.settings.pause,
                ending=ending,
            ),
            run_loop(
                "upkeep",
                [partial(step, house) for step in upkeep],
                pause=_LOOK_FOR_UPKEEP,
                ending=ending,
            ),
            run_loop(
                "watch",
                [_watching(ledger)],
                pause=min(_LOOK_FOR_THE_DEAD, house.settings.lease / 3),
                ending=ending,
            ),
        )
    finally:
        await ledger.close()


def make_ledger(house: House) -> Ledger:
    """Choose the ledger of the house's database."""
    settings = house.settings
    file = sqlite_file(settings.database_url)
    if file is not None:
        return SqliteLedger(house.engine, file)
    from mailer.deliveries.ledger_postgres import (  # noqa: PLC0415  # 9 MiB that SQLite can spare
        PostgresLedger,
    )

    return PostgresLedger(
        house.engine,
        lease=settings.lease,
        takeover=settings.takeover,
        memory=settings.data_folder / "worker",
    )


def make_engine(house: House, ledger: Ledger, transport: Transport | None = None) -> Engine:
    """Put an engine together, over SMTP unless another transport is given."""
    namer = Namer(house.keys)
    base = house.settings.public_url
    return Engine(
        ledger,
        transport or make_transport(house.settings),
        open_work=house.work,
        desk=Desk(base=base, namer=namer),
        letters=Letters(base=base, namer=namer),
        pacer=Pacer(house.work, house.settings),
        look=house.settings.pause,
    )


def make_transport(settings: Settings) -> Transport:
    """Connect to relays; the engine says which."""
    return Fleet(our_name=settings.domain, patience=settings.smtp_patience)


async def _opened(house: House, ledger: Ledger, ending: Ending) -> bool:
    """Wait until the ledger is ours; hold what should be asked about before it goes on."""
    is_told = is_ours = False
    seen_at = None
    while not ending.is_wished():
        try:
            if not ledger.worker:  # once we are in the book, the one seen last would be ourselves
                async with house.work(reading=True) as work:
                    seen_at = await store.last_seen(work)
            is_ours = is_ours or await ledger.open()
            if is_ours:
                async with house.work() as work:
                    await finishing.hold_after_silence(
                        work, seen_at=seen_at, is_restored=ledger.is_restored
                    )
                log.info("worker_began", worker=ledger.worker)
                return True
            if not is_told:
                log.warning("another_worker_holds_this_database")
                is_told = True
        except (LedgerLost, DBAPIError) as lost:
            # A database that is being started is waited for, as one is that goes away later.
            log.warning("ledger_not_opened", why=type(lost).__name__)
        await ending.wait(_LOOK_FOR_LEDGER)
    return False


def _watching(ledger: Ledger) -> Step:
    async def watch() -> bool:
        await ledger.watch()
        return False

    return watch
