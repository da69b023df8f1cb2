"""The worker's step: the next letters about dates, a batch at a time."""

from collections.abc import Sequence
from functools import partial

from mailer.asks import days
from mailer.asks.model import Ask, PledgeState
from mailer.asks.reminding import store
from mailer.asks.reminding.model import OCCASIONS, WAITS, Occasion
from mailer.asks.reminding.store import Owed, Waiting
from mailer.kit.rooms import Rooms
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post_many
from mailer.tiers.upkeep import rounds
from mailer.tiers.upkeep.store import Stretch

BATCH = 100
"""Letters about dates of their own that are owed in one unit of work."""


async def remind_due(house: Rooms) -> bool:
    """Owe the next letters about dates; say whether there are more.

    Who has a date of their own is found by it. Those of an ask's deadline may be a hundred
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
    """Owe the letter to those who have a date of their own; count them."""
    waiting = await store.of_own_date(work, occasion, limit=limit)
    await _owe(work, occasion, waiting, None)
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
    await _owe(work, occasion, waiting, ask)
    return Stretch([], last), 0


async def _owe(work: Work, occasion: Occasion, waiting: Sequence[Waiting], ask: Ask | None) -> None:
    """Owe a letter to some; `ask` is the one whose deadline it is about, None where each has one.

    Whoever is on a break is asked once it is over, and no case is opened about them until then.
    """
    zone = await days.zone_of_ours(work)
    there = []
    for one in waiting:
        if one.paused_until is None or one.paused_until <= work.now:
            there.append(one)
        else:
            back = days.end_of(one.paused_until.astimezone(zone).date(), zone)
            await store.put_off(work, occasion, one.pledge_no, back, ask)
    if not there:
        return
    await post_many(
        work,
        [
            Post(
                kind=occasion.letter,
                dedupe_key=f"{occasion.letter}:{one.waiting.pledge_no}:{_second(one)}",
                language=one.waiting.language,
                facts={"pledge": one.waiting.pledge_no, "due": _second(one)},
                subscriber=one.waiting.subscriber_no,
            )
            for one in await store.note(work, occasion, there, ask)
        ],
    )


def _second(one: Owed) -> int:
    return int(one.due.timestamp())
