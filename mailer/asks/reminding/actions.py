"""The worker's step: the next letters about dates, a batch at a time."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Protocol

from mailer.asks.model import Ask, PledgeState
from mailer.asks.reminding import store
from mailer.asks.reminding.model import OCCASIONS, WAITS, Occasion
from mailer.asks.reminding.store import Waiting
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post_many
from mailer.tiers.upkeep import rounds
from mailer.tiers.upkeep.store import Stretch

BATCH = 100
"""Letters about dates of their own that are owed in one unit of work."""


class Rooms(Protocol):
    """What opens units of work."""

    def work(self, *, reading: bool = False) -> AbstractAsyncContextManager[Work]:
        """Begin one."""
        ...


async def remind_due(house: Rooms) -> bool:
    """Owe the next letters about dates; say whether there are more.

    Who gave a date of their own is found by it. Those of an ask's deadline may be a hundred
    thousand: they are walked once a day, as long as its letter makes sense.
    """
    async with house.work(reading=True) as work:
        dated = [one for one in OCCASIONS if await store.is_own_date_due(work, one)]
        walks: dict[str, rounds.Walk] = {
            f"{occasion.walk} {ask.no} {state[0]}": partial(_walk, occasion, ask, state)
            for occasion in OCCASIONS
            for ask in await store.asks_due(work, occasion)
            for state in WAITS
        }
        due = walks.keys() - await store.walked_lately(work, walks)
    more = False
    for occasion in dated:
        async with house.work() as work:
            more |= await owe_own_dates(work, occasion) == BATCH
    for name in sorted(due):
        async with house.work() as work:
            more |= await rounds.go_on(work, name, walks[name], has_share=False)
    return more


async def owe_own_dates(work: Work, occasion: Occasion, *, limit: int = BATCH) -> int:
    """Owe the letter to those who gave a date of their own; count them."""
    waiting = await store.of_own_date(work, occasion, limit=limit)
    await _owe(work, occasion, waiting)
    return len(waiting)


async def _walk(
    occasion: Occasion, ask: Ask, state: PledgeState, work: Work, after: int, _most: int
) -> tuple[Stretch, int]:
    """Owe the letter to the next people of an ask.

    None is counted against the day's share of the roll: they asked for it, and the date is one.
    """
    waiting, last = await store.of_deadline(
        work, occasion, ask, state, after=after, limit=rounds.STRETCH
    )
    await _owe(work, occasion, waiting)
    return Stretch([], last), 0


async def _owe(work: Work, occasion: Occasion, waiting: Sequence[Waiting]) -> None:
    if not waiting:
        return
    await store.note(work, occasion, [one.pledge_no for one in waiting])
    await post_many(
        work,
        [
            Post(
                kind=occasion.letter,
                dedupe_key=f"{occasion.letter}:{one.pledge_no}:{_second(one)}",
                language=one.language,
                facts={"pledge": one.pledge_no, "due": _second(one)},
                subscriber=one.subscriber_no,
            )
            for one in waiting
        ],
    )


def _second(one: Waiting) -> int:
    return int(one.due.timestamp())
