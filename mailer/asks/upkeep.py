"""What time does to asks: they close at their deadline, and those that repeat are open again."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Protocol

from mailer.activity import actions as activity
from mailer.asks import plain, store
from mailer.asks.composing import close_ask
from mailer.asks.model import Ask, Pledge, PledgeChange, PledgeState
from mailer.asks.offers import store as offers
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers

BATCH = 100
"""Pledges that are opened again in one unit of work: under 20 ms, so that others may write."""

KEPT_FOR = timedelta(days=90)
"""How long it is known who was offered what; how many were is known for good."""

FORGOTTEN_AT_ONCE = 1000

_ANEW: dict[str, Any] = {
    "note": None,
    "link": "",
    "due_at": None,
    "verified_at": None,
    "verified_by": None,
    "reminded_at": None,
    "asked_at": None,
}


class Rooms(Protocol):
    """What opens units of work."""

    def work(self, *, reading: bool = False) -> AbstractAsyncContextManager[Work]:
        """Begin one."""
        ...


async def close_due(house: Rooms) -> bool:
    """Close the asks whose deadline is over, and open again what repeats; say if there is more.

    Where nothing is due nothing is written.
    """
    async with house.work(reading=True) as work:
        over = await store.asks_over(work)
        repeating = [
            one for one in await store.repeating(work) if await store.is_any_due_again(work, one)
        ]
    if over:
        async with house.work() as work:
            for ask in await store.asks_over(work):
                await close_ask(work, ask)
    more = False
    for ask in repeating:
        async with house.work() as work:
            more |= await open_again(work, ask) == BATCH
    return more


async def open_again(work: Work, ask: Ask, *, limit: int = BATCH) -> int:
    """Ask those anew who did a repeating ask so many days ago; count them.

    What they did stays told: how often, when last, and how much. Nobody can undo it: it is time's.
    """
    found = await store.due_again(work, ask, limit=limit)
    held = set(await subscribers.hold_nos(work, [one.subscriber_no for one in found]))
    # Read again now that nobody else changes them: somebody may have answered a moment ago.
    due = [
        one for one in await store.due_again(work, ask, limit=limit) if one.subscriber_no in held
    ]
    work.session.add_all([_change(work, one) for one in due])
    await work.session.flush()
    await store.change_many(work, [one.no for one in due], state=PledgeState.PLEDGED, **_ANEW)
    for one in due:
        await activity.record(work, one.subscriber_no, "pledge_reopened", ask=ask.no, pledge=one.no)
    return len(due)


def _change(work: Work, pledge: Pledge) -> PledgeChange:
    return PledgeChange(
        pledge_no=pledge.no,
        subscriber_no=pledge.subscriber_no,
        from_state=pledge.state,
        to_state=PledgeState.PLEDGED,
        at=work.now,
        door=work.door,
        before=plain.kept(pledge, _ANEW),
    )


async def forget_offers(house: Rooms) -> bool:
    """Forget what was offered to whom more than 90 days ago; say if there is more."""
    async with house.work(reading=True) as work:
        if not await offers.is_an_offer_older(work, work.now - KEPT_FOR):
            return False
    async with house.work() as work:
        before = work.now - KEPT_FOR
        await offers.forget_offers(work, before, limit=FORGOTTEN_AT_ONCE)
        return await offers.is_an_offer_older(work, before)
