"""Taking back the newest step of a pledge, for 30 days: what it said before, it says again."""

from mailer.activity import actions as activity
from mailer.asks import plain, store
from mailer.asks.model import STANDS, UNDO_FOR, Pledge, PledgeChange, PledgeState
from mailer.asks.pledging import is_full
from mailer.asks.stepping import unweigh
from mailer.kit.errors import Conflict, NotFound
from mailer.kit.work import Door, Work
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber


class ChangeUnknown(NotFound):
    """There is no such answer."""


class UndoTooLate(Conflict):
    """This can no longer be undone: 30 days have gone by. You can still answer anew."""


class SinceChanged(Conflict):
    """There was another answer since. You can answer anew."""


class PlaceTaken(Conflict):
    """Your place was given to somebody else meanwhile, and no other is free."""


async def undo(work: Work, change_no: int, *, subscriber: Subscriber) -> Pledge:
    """Take back one step of somebody's pledge, if none came after it. Twice is once.

    Where it was their first answer, none stands afterwards, and they may be asked as if there had
    never been one. What time did by itself is not undone.
    """
    subscriber = await held(work, subscriber)
    change = await store.change_by_no(work, change_no)
    if change is None or change.subscriber_no != subscriber.no or change.door is Door.SYSTEM:
        raise ChangeUnknown
    standing = await store.pledge_by_no(work, change.pledge_no)
    assert standing is not None  # a change goes with its pledge
    if change.undone_at is not None:
        return standing
    if work.now > change.at + UNDO_FOR:
        raise UndoTooLate
    newest = await store.last_change(work, standing.no)
    if newest is None or newest.no != change.no:
        raise SinceChanged
    await _ask_for_place(work, standing, change)
    change.undone_at = work.now
    times = standing.times
    before = plain.read(change.before) if change.from_state else _unsaid()
    pledge = await store.change(
        work, standing, **before, state=change.from_state or PledgeState.WITHDRAWN
    )
    await work.session.flush()
    await activity.record(
        work, subscriber.no, "pledge_undone", ask=pledge.ask_no, pledge=pledge.no, change=change.no
    )
    await unweigh(work, pledge, change, times=times)
    return pledge


async def unverify(work: Work, pledge: Pledge) -> Pledge:
    """Take back the confirming of what somebody reported, if nothing came after it.

    Refuses what is not confirmed; that it is done stays said.
    """
    person = await subscribers.by_no(work, pledge.subscriber_no)
    newest = await store.last_change(work, pledge.no)
    if person is None or newest is None or newest.to_state is not PledgeState.VERIFIED:
        raise ChangeUnknown
    return await undo(work, newest.no, subscriber=person)


async def _ask_for_place(work: Work, standing: Pledge, change: PledgeChange) -> None:
    """Refuse to put back a yes where the places are few and all were given away since."""
    if change.to_state in STANDS or change.from_state not in STANDS:
        return
    ask = await store.by_no(work, standing.ask_no)
    assert ask is not None
    if ask.capacity is not None and await is_full(work, await store.hold(work, ask)):
        raise PlaceTaken


def _unsaid() -> dict[str, object]:
    """Give what a pledge says that never said anything."""
    return {
        "done_at": None,
        "times": 0,
        "amount": None,
        "note": None,
        "link": None,
        "due_at": None,
        "is_our_day": False,
        "is_answered": False,
        "reminded_at": None,
        "reminders": 0,
        "asked_at": None,
        "campaign_no": None,
    }
