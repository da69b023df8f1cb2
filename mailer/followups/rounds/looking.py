"""The worker's step: who has begun to wait by time alone, and whose reason is gone."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from mailer.asks.model import Ask
from mailer.followups.model import CaseKind
from mailer.followups.opening import open_many
from mailer.followups.rounds import store
from mailer.followups.rounds.store import Whom
from mailer.followups.telling.store import is_round_due, take_round, take_walk, walked_lately
from mailer.kit.rooms import Rooms
from mailer.kit.work import Work

EVERY = timedelta(minutes=10)
BATCH = 100
"""Cases that are ended in one unit of work: under 20 ms, so that others may write."""

A_DAY = 50
"""People who are put into the queue unasked in a day: for each ask, ready, and quiet."""

AT_MOST = 200
"""Open cases of one kind that nobody asked for: more than a few organisers call in two weeks."""

A_WALK_EVERY = timedelta(days=1)
STRETCH = 300
"""People who are looked at in one unit of work."""

_Walk = Callable[[Work, int, int], Awaitable[tuple[int | None, int]]]
"""Looks at a stretch after a number and opens so many cases at most.

Gives the number up to which it looked, None at the end, and how many cases it opened.
"""

LETTER_AND_THREE_DAYS = timedelta(days=4)
"""A day after the date a letter asks whether it was done; three days they have to answer it."""

LONG_AGO = timedelta(days=60)
"""Whose date went by before that is not called about it any more."""

SUGGESTED_FOR = timedelta(days=3)
"""A day after it is suggested a letter says so; two days they have to answer it."""


async def look_around(house: Rooms) -> bool:
    """Every ten minutes end the cases that time has ended; once a day open those it has opened.

    Who is looked for is found in a unit of work that only reads. Each kind is ended in a unit of
    its own, and each walk over those who may begin to wait goes on by a stretch; says whether
    there is more.
    """
    async with house.work(reading=True) as work:
        if not await is_round_due(work, "look", work.now - EVERY):
            return False
        settled = {kind: await store.settled(work, kind, limit=BATCH) for kind in store.SWEPT}
        walks = await _walks(work)
    more = False
    for kind, nos in settled.items():
        if nos:
            async with house.work() as work:
                await store.end_settled(work, kind, nos)
            more |= len(nos) == BATCH
    for name in sorted(walks):
        async with house.work() as work:
            more |= await _go_on(work, name, walks[name])
    if not more:
        async with house.work() as work:
            taken = await take_round(work, "look", work.now - EVERY)
            if taken is not None:
                taken.at = work.now
    return more


async def _walks(work: Work) -> dict[str, _Walk]:
    """Give the walks that are due: one for each ask whose date went by, and two over the ladder."""
    asks = await store.asks_past_due(work, work.now - LONG_AGO, work.now - LETTER_AND_THREE_DAYS)
    walks: dict[str, _Walk] = {f"past {ask.no}": partial(_silent, ask) for ask in asks}
    walks |= {"ready": _ready, "quiet": _quiet}
    lately = await walked_lately(work, walks, work.now - A_WALK_EVERY)
    return {name: walk for name, walk in walks.items() if name not in lately}


async def _go_on(work: Work, name: str, walk: _Walk) -> bool:
    """Do the next stretch of a walk; say whether there is more of it today."""
    taken = await take_walk(work, name, work.now - A_WALK_EVERY)
    if taken is None:
        return False
    if taken.after_no is None:
        taken.at, taken.after_no, taken.left = work.now, 0, A_DAY
    last, opened = await walk(work, taken.after_no, taken.left)
    taken.left -= opened
    # Whoever found no room today is first in line tomorrow: the others have a case.
    taken.after_no = last if taken.left > 0 else None
    await work.session.flush()
    return taken.after_no is not None


async def _silent(ask: Ask, work: Work, after: int, left: int) -> tuple[int | None, int]:
    since, until = work.now - LONG_AGO, work.now - LETTER_AND_THREE_DAYS
    whom, last = await store.silent_of(work, ask, since, until, after=after, limit=STRETCH)
    return await _open(work, CaseKind.PAST_DUE, whom, last, left)


async def _ready(work: Work, after: int, left: int) -> tuple[int | None, int]:
    since = work.now - SUGGESTED_FOR
    whom, last = await store.ready_since(work, since, after=after, limit=STRETCH)
    return await _open(work, CaseKind.READY, whom, last, left)


async def _quiet(work: Work, after: int, left: int) -> tuple[int | None, int]:
    whom, last = await store.quiet_twice(work, after=after, limit=STRETCH)
    return await _open(work, CaseKind.QUIET, whom, last, left)


async def _open(
    work: Work, kind: CaseKind, whom: Whom, last: int | None, left: int
) -> tuple[int | None, int]:
    """Let as many wait as there is room for; where there is none left the walk is over for today.

    Whoever found none is looked at again tomorrow.
    """
    room = min(left, AT_MOST - await store.how_many_wait(work, kind)) if whom else left
    begun = dict(list(whom.items())[: max(room, 0)])
    await open_many(work, kind, begun)
    return last if len(begun) == len(whom) else None, len(begun)
