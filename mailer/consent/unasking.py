"""Taking back that many were asked whether they want a list."""

from collections.abc import Collection

from mailer.activity import actions as activity
from mailer.consent import store
from mailer.kit.work import Work
from mailer.outbox.actions import call_back
from mailer.subscribers import store as subscribers


async def unask_many(
    work: Work, subscriber_nos: Collection[int], list_no: int, *, fresh: Collection[int]
) -> list[int]:
    """Ask these no longer; give those for whom anything is as it was.

    Letters that wait are called back, and those who were never on the list before (`fresh`) are
    forgotten there. A letter that has gone cannot be called back: who says yes to it is on the
    list, for they have said so.
    """
    held = await subscribers.hold_nos(work, subscriber_nos)
    waiting = {
        f"confirm:{one.no}": one for one in await store.waiting_confirmations(work, list_no, held)
    }
    unsent = [waiting[key] for key in await call_back(work, list(waiting))]
    await store.forget_confirmations(work, [one.no for one in unsent])
    gone = await store.forget_unconfirmed(
        work, list_no, [no for no in held if no in frozenset(fresh)]
    )
    unasked = sorted({*gone, *(one.subscriber_no for one in unsent if one.subscriber_no)})
    await activity.record_many(work, unasked, "unasked", list=list_no)
    return unasked
