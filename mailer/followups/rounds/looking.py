"""The worker's step: who has begun to wait by time alone, and whose reason is gone."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

from mailer.followups.model import CaseKind
from mailer.followups.opening import open_many
from mailer.followups.rounds import store
from mailer.followups.rounds.store import Whom
from mailer.kit.work import Work

EVERY = timedelta(minutes=10)
BATCH = 100
"""Cases that are opened or ended in one unit of work: under 20 ms, so that others may write."""

LETTER_AND_THREE_DAYS = timedelta(days=4)
"""A day after the date a letter asks whether it was done; three days they have to answer it."""

LONG_AGO = timedelta(days=60)
"""Whose date went by before that is not called about it any more."""

SUGGESTED_FOR = timedelta(days=3)
"""A day after it is suggested a letter says so; two days they have to answer it."""


class Rooms(Protocol):
    """What opens units of work."""

    def work(self, *, reading: bool = False) -> AbstractAsyncContextManager[Work]:
        """Begin one."""
        ...


async def look_around(house: Rooms) -> bool:
    """Every ten minutes open the cases that time has opened, and end those it has ended.

    A batch of each at a time; says whether there is more. Who is looked for is found in a unit of
    work that only reads, and what it finds is written down whether or not somebody else did.
    """
    async with house.work(reading=True) as work:
        if not await store.is_round_due(work, "look", work.now - EVERY):
            return False
        begun = {kind: await look(work) for kind, look in _LOOKS.items()}
    async with house.work() as work:
        taken = await store.take_round(work, "look", work.now - EVERY)
        if taken is None:
            return False
        for kind, whom in begun.items():
            await open_many(work, kind, whom)
        ended = await store.end_what_is_settled(work, limit=BATCH)
        # By what was found and not by what was opened: another worker may have been quicker.
        more = any(begun.values()) or ended > 0
        if not more:
            taken.at = work.now
    return more


async def _silent(work: Work) -> Whom:
    return await store.silent_after(
        work, work.now - LONG_AGO, work.now - LETTER_AND_THREE_DAYS, limit=BATCH
    )


async def _ready(work: Work) -> Whom:
    return await store.ready_since(work, work.now - SUGGESTED_FOR, limit=BATCH)


async def _quiet(work: Work) -> Whom:
    return await store.quiet_twice(work, limit=BATCH)


_LOOKS: dict[CaseKind, Callable[[Work], Awaitable[Whom]]] = {
    CaseKind.PAST_DUE: _silent,
    CaseKind.READY: _ready,
    CaseKind.QUIET: _quiet,
}
