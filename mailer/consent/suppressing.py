"""Never being written to again, and how that is taken back."""

from collections.abc import Collection, Sequence

from mailer.activity import actions as activity
from mailer.audit import actions as audit
from mailer.consent import store
from mailer.consent.asking import NoAddress
from mailer.kit.errors import Conflict
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber, Suppression, SuppressionReason, mark_of


class ComplaintStands(Conflict):
    """They told their mail provider that our mail is unwanted. Only they can join again."""


async def take_off(
    work: Work,
    subscriber: Subscriber,
    *,
    reason: SuppressionReason = SuppressionReason.ASKED,
) -> None:
    """Never write to somebody's address again, by whatever list. They get no letter about it."""
    subscriber = await held(work, subscriber)
    if subscriber.mark is None:
        raise NoAddress
    if await _suppress(work, [subscriber.mark], reason):
        await activity.record(work, subscriber.no, "taken_off", reason=reason.value)
        await audit.note(work, "subscriber_taken_off", subscriber=subscriber.no, reason=reason)


async def put_back(work: Work, subscriber: Subscriber) -> None:
    """Take back that somebody is never written to, because they asked or it was a mistake.

    They are again where they stood: on the lists they had agreed to and not left. A complaint to
    their mail provider is not ours to take back.
    """
    subscriber = await held(work, subscriber)
    standing = await subscribers.suppression(work, subscriber.mark)
    if standing is None:
        return
    if standing.reason is SuppressionReason.COMPLAINT:
        raise ComplaintStands
    await subscribers.lift(work, standing)
    await activity.record(work, subscriber.no, "put_back")
    await audit.note(work, "subscriber_put_back", subscriber=subscriber.no, reason=standing.reason)


async def take_off_many(work: Work, subscriber_nos: Collection[int]) -> list[int]:
    """Never write to many again, because they asked; give those for whom that is new.

    Who has no address is left out: there is nothing to write to.
    """
    people = {
        one.mark: one.no
        for one in await subscribers.hold_many(work, subscriber_nos)
        if one.mark is not None
    }
    reason = SuppressionReason.ASKED
    taken = sorted(people[mark] for mark in await _suppress(work, sorted(people), reason))
    await activity.record_many(work, taken, "taken_off", reason=reason.value)
    if taken:
        await audit.note(work, "subscribers_taken_off", number=len(taken), reason=reason)
    return taken


async def put_back_many(work: Work, subscriber_nos: Collection[int]) -> list[int]:
    """Take back `take_off_many`; give who may be written to again.

    Of whom something else is known, such as a complaint or a bounce, that stands.
    """
    people = {
        one.mark: one.no
        for one in await subscribers.hold_many(work, subscriber_nos)
        if one.mark is not None
    }
    put_back = sorted(people[mark] for mark in await store.lift_asked(work, list(people)))
    await activity.record_many(work, put_back, "put_back")
    if put_back:
        await audit.note(work, "subscribers_put_back", number=len(put_back))
    return put_back


async def suppress_many(work: Work, addresses: Collection[str], reason: SuppressionReason) -> int:
    """Put many addresses on the suppression list, on the roll or not; give how many are new."""
    marks = {mark_of(work.keys, address) for address in addresses}
    new = await _suppress(work, sorted(marks), reason)
    known = await subscribers.by_marks(work, new)
    await activity.record_many(work, [one.no for one in known], "taken_off", reason=reason.value)
    if new:
        await audit.note(work, "addresses_suppressed", number=len(new), reason=reason)
    return len(new)


async def _suppress(work: Work, marks: Sequence[str], reason: SuppressionReason) -> list[str]:
    added = await add_missing(
        work,
        Suppression,
        [
            {
                "mark": mark,
                "reason": reason,
                "at": work.now,
                "door": work.door,
                "account_no": work.account,
            }
            for mark in marks
        ],
    )
    return [one.mark for one in added]
