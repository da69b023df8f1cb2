"""The worker's step: signals are handed to what reacts to them, and deleted."""

import contextlib
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from mailer.activity.signals import reactions, store
from mailer.activity.signals.model import Signal
from mailer.kit.errors import Refusal
from mailer.kit.rooms import Rooms
from mailer.kit.work import Work

log = structlog.get_logger()

BATCH = 20
"""Signals that are handed on before the other steps have their turn."""

CLAIMED_FOR = timedelta(minutes=1)
"""So long they are this worker's: if it dies another hands them on after that."""

FIRST_REST, LONGEST_REST = timedelta(minutes=1), timedelta(days=1)
"""After a fault a signal rests, for twice as long each time."""


class _Overtaken(Exception):
    """Another worker has it: what was done here is taken back."""


async def follow_signals(house: Rooms) -> bool:
    """Hand the next signals on; say whether there are more. Where none waits nothing is written.

    What reacts does so in the unit of work in which the signal goes: once, or not at all. Each has
    a unit of its own: it holds the person it is about, and no two of those in whatever order. The
    signals are claimed before that: who erases or merges holds the person first and comes to the
    signals then, and so does this.
    """
    async with house.work(reading=True) as work:
        if not await store.is_any_due(work):
            return False
    async with house.work() as work:
        until = work.now + CLAIMED_FOR
        taken = await store.claim(work, until, limit=BATCH)
    for line_no in taken:
        with contextlib.suppress(_Overtaken):
            async with house.work() as work:
                await _hand_on(work, line_no, until)
    return len(taken) == BATCH


async def _hand_on(work: Work, line_no: int, until: datetime) -> None:
    signal = await store.claimed(work, line_no, until)
    if signal is None:
        return  # it went with the person, who was erased; or another worker was quicker
    if await _is_handed_on(work, signal) and not await store.drop(work, line_no, until):
        raise _Overtaken


async def _is_handed_on(work: Work, signal: Signal) -> bool:
    """Let each reaction have the line; one that fails takes back what the others did, and rests."""
    line, tried = signal.line, signal.tried
    number = line.no
    try:
        async with work.session.begin_nested():
            for reaction in reactions.to(line.kind):
                await reaction(work, line)
    except reactions.LineMoved:
        await store.put_off(work, signal, work.now)
        return False
    except Refusal:
        return True  # what the line says is not so any more
    except (InterfaceError, OperationalError):
        raise  # the database is at fault and no line: the whole batch is tried again
    except Exception as fault:  # noqa: BLE001  # recorded; one line must not hold up the others
        # The kind of the fault alone: its words may hold an address.
        log.error("signal_failed", line=number, fault=type(fault).__name__, tried=tried)  # noqa: TRY400
        rest = min(FIRST_REST * 2 ** min(tried, 12), LONGEST_REST)
        await store.put_off(work, signal, work.now + rest)
        return False
    return True
