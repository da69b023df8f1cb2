"""What time does to asks: they close at their deadline, and those that repeat are open again.

And to what was said of them: who has no date to be asked after gets one, and words that nothing
puts back any more are forgotten.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from mailer.activity import actions as activity
from mailer.asks import days, plain, store
from mailer.asks.ageing import store as ageing
from mailer.asks.composing import close_ask
from mailer.asks.model import UNDO_FOR, Ask, AskState, Pledge, PledgeChange, PledgeState
from mailer.asks.offers import store as offers
from mailer.asks.telling import HEAR
from mailer.consent import store as consent
from mailer.kit.rooms import Rooms
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post_many
from mailer.subscribers import store as subscribers

BATCH = 100
"""Pledges that are opened again in one unit of work: under 20 ms, so that others may write."""

KEPT_FOR = timedelta(days=90)
"""How long it is known who was offered what; how many were is known for good."""

FORGOTTEN_AT_ONCE = 1000

AGAIN = "ask-again"
"""The letter that says so."""

_ANEW: dict[str, Any] = {
    "note": None,
    "link": None,
    "due_at": None,
    "is_our_day": False,
    "is_answered": False,
    "verified_at": None,
    "verified_by": None,
    "reminded_at": None,
    "reminders": 0,
    "asked_at": None,
}


async def close_due(house: Rooms) -> bool:
    """Close the asks whose deadline is over, and open again what repeats; say if there is more.

    Where nothing is due nothing is written.
    """
    async with house.work(reading=True) as work:
        over = await ageing.asks_over(work)
        repeating = [
            one for one in await ageing.repeating(work) if await ageing.is_any_due_again(work, one)
        ]
    if over:
        async with house.work() as work:
            for ask in await ageing.asks_over(work):
                await _close_if_over(work, ask)
    more = False
    for ask in repeating:
        async with house.work() as work:
            more |= await open_again(work, ask) == BATCH
    return more


async def _close_if_over(work: Work, ask: Ask) -> None:
    """Close an ask, unless somebody has just given it another deadline, or closed it."""
    ask = await store.hold(work, ask)
    if ask.state is AskState.OPEN and ask.deadline is not None and ask.deadline < work.now:
        await close_ask(work, ask)


async def open_again(work: Work, ask: Ask, *, limit: int = BATCH) -> int:
    """Ask those anew who did a repeating ask so many days ago; count them.

    What they did stays told: how often, when last, and how much. Nobody can undo it: it is time's.
    A letter tells them, once. Who says nothing has promised nothing: nobody asks them how it went,
    and a newsletter may offer it to them again.
    """
    found = await ageing.due_again(work, ask, limit=limit)
    held = set(await subscribers.hold_nos(work, [one.subscriber_no for one in found]))
    # Read again now that nobody else changes them: somebody may have answered a moment ago.
    due = [
        one for one in await ageing.due_again(work, ask, limit=limit) if one.subscriber_no in held
    ]
    changes = [_change(work, one) for one in due]
    work.session.add_all(changes)
    await work.session.flush()
    await store.change_many(work, [one.no for one in due], state=PledgeState.PLEDGED, **_ANEW)
    for one in due:
        await activity.record(work, one.subscriber_no, "pledge_reopened", ask=ask.no, pledge=one.no)
    await _tell(work, changes)
    return len(due)


async def _tell(work: Work, changes: Sequence[PledgeChange]) -> None:
    """Owe the letters that say that something is open again."""
    nos = [one.subscriber_no for one in changes]
    people, states = await subscribers.by_nos(work, nos), await consent.states(work, nos)
    await post_many(
        work,
        [
            Post(
                kind=AGAIN,
                dedupe_key=f"{AGAIN}:{one.no}",
                language=people[one.subscriber_no].language,
                facts={"pledge": one.pledge_no, "change": one.no},
                subscriber=one.subscriber_no,
            )
            for one in changes
            if states[one.subscriber_no] in HEAR and people[one.subscriber_no].address is not None
        ],
    )


def _change(work: Work, pledge: Pledge) -> PledgeChange:
    before = plain.kept(pledge, _ANEW)
    return PledgeChange(
        pledge_no=pledge.no,
        subscriber_no=pledge.subscriber_no,
        from_state=pledge.state,
        to_state=PledgeState.PLEDGED,
        at=work.now,
        door=work.door,
        before=before,
        keeps_words=plain.holds_words(before),
    )


async def give_days(house: Rooms) -> bool:
    """See that each yes has a day after which it is asked about; say if there is more.

    An ask may lose its deadline after people said yes, and then theirs is a day of ours; it may
    have one since, and then that counts for them.
    """
    async with house.work(reading=True) as work:
        lost, found = await ageing.asks_without_days(work), await ageing.asks_with_days(work)
    more = False
    if lost or found:
        async with house.work() as work:
            ours = await days.a_day_of_ours(work, days.ASKED_AFTER)
            for ask_no in lost:
                more |= await ageing.give_day(work, ask_no, ours, limit=BATCH) == BATCH
            for ask_no in found:
                more |= await ageing.take_day(work, ask_no, limit=BATCH) == BATCH
    return more


async def forget_words(house: Rooms) -> bool:
    """Forget what somebody wrote before, once it can no longer be put back; say if there is more.

    Thirty days: what was said of trouble at work, and then taken back, is kept no longer.
    """
    async with house.work(reading=True) as work:
        if not await ageing.is_any_word_over(work, work.now - UNDO_FOR):
            return False
    async with house.work() as work:
        over = await ageing.words_over(work, work.now - UNDO_FOR, limit=BATCH)
        for change in over:
            change.before, change.keeps_words = plain.without_words(change.before), False
        await work.session.flush()
    return len(over) == BATCH


async def forget_offers(house: Rooms) -> bool:
    """Forget what was offered to whom more than 90 days ago; say if there is more."""
    async with house.work(reading=True) as work:
        if not await offers.is_an_offer_older(work, work.now - KEPT_FOR):
            return False
    async with house.work() as work:
        before = work.now - KEPT_FOR
        await offers.forget_offers(work, before, limit=FORGOTTEN_AT_ONCE)
        return await offers.is_an_offer_older(work, before)
