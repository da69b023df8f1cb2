"""Holding a doubtful sign-up at the lowest rung, without a word to them.

What is doubtful is an organiser's word. Whoever is held gets what the lowest rung gets; a step up
becomes a request, until the hold is lifted.
"""

from mailer.audit import actions as audit
from mailer.kit.errors import Invalid
from mailer.kit.texts import lines
from mailer.kit.work import Work
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber
from mailer.tiers import store
from mailer.tiers.changing import move, tier_of
from mailer.tiers.model import Source, TierChange, TierHold


class DoubtUnexplained(Invalid):
    """Please say what is doubtful. No email tells them; who asks for their data reads it."""


async def hold_back(work: Work, subscriber: Subscriber, *, reason: str) -> TierHold:
    """Hold somebody at the lowest rung. No letter tells them; holding twice is holding once."""
    reason = lines(reason, longest=300, field="reason")
    if not reason:
        raise DoubtUnexplained(field="reason")
    subscriber = await held(work, subscriber)
    standing = await store.hold_of(work, subscriber.no)
    if standing is not None:
        return standing
    here, lowest = await store.chosen(work, subscriber.no), (await store.ladder(work))[0]
    change_no = None
    if here is not None and here.no != lowest.no:
        change = await move(work, subscriber, here, lowest, source=Source.HELD, reason=reason)
        change_no = change.no
    hold = TierHold(
        subscriber_no=subscriber.no,
        reason=reason,
        held_at=work.now,
        account_no=work.account,
        change_no=change_no,
    )
    work.session.add(hold)
    await work.session.flush()
    await audit.note(work, "tier_held", subscriber=subscriber.no, why=reason)
    return hold


async def let_go(work: Work, subscriber: Subscriber) -> None:
    """Lift a hold: they stand again where they stood, if nothing has moved them since."""
    subscriber = await held(work, subscriber)
    standing = await store.hold_of(work, subscriber.no)
    if standing is None:
        return
    await store.lift_hold(work, subscriber.no)
    newest = await store.newest_change(work, subscriber.no)
    if newest is not None and newest.no == standing.change_no and newest.from_no is not None:
        back = await tier_of(work, newest.from_no)
        if back.closed_at is None:
            newest.undone_at = work.now
            here = await tier_of(work, newest.to_no)
            await move(work, subscriber, here, back, source=Source.UNDO, undoes_no=newest.no)
    await audit.note(work, "tier_hold_lifted", subscriber=subscriber.no)


async def hold_again(work: Work, change: TierChange) -> None:
    """Hold somebody as before a move that freed them, and that is taken back now."""
    if change.lifted is None or await store.hold_of(work, change.subscriber_no) is not None:
        return
    work.session.add(
        TierHold(
            subscriber_no=change.subscriber_no,
            reason=change.lifted,
            held_at=work.now,
            account_no=work.account,
        )
    )
    await work.session.flush()
