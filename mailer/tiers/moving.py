"""Moving: by oneself, by an organiser with a reason, by a suggestion; and taking a move back.

Down is always immediate and never argued with. Up is immediate where the tier may be chosen by
oneself, and a request where it needs approval. Every move is a dated fact with its cause, and can
be undone for 30 days.
"""

from collections.abc import Collection

import msgspec

from mailer.activity import actions as activity
from mailer.audit import actions as audit
from mailer.kit.errors import Conflict, Invalid, NotFound
from mailer.kit.rows import add_missing
from mailer.kit.texts import lines
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber
from mailer.tiers import store
from mailer.tiers.changing import move, tell, tier_of
from mailer.tiers.holding import hold_again
from mailer.tiers.laddering import TierGone
from mailer.tiers.model import UNDO_FOR, ChosenTier, Source, Tier, TierChange, TierRequest
from mailer.tiers.requesting import ask_for, overtake_request
from mailer.tiers.signs import SuggestionUnknown, end_suggestion, of_theirs


class Moved(msgspec.Struct, frozen=True):
    """They moved, and the change says from where to where."""

    change: TierChange
    up: bool


class Requested(msgspec.Struct, frozen=True):
    """They asked, and an organiser will answer. Nothing has moved."""

    request: TierRequest


class Unchanged(msgspec.Struct, frozen=True):
    """They are where they wanted to be already."""

    tier: Tier


class ReasonNeeded(Invalid):
    """Please say why. They are told that you moved them, and can undo it."""


class ChangeUnknown(NotFound):
    """There is no such move."""


class UndoTooLate(Conflict):
    """This can no longer be undone: 30 days have gone by. You can still choose a level anew."""


class SinceMoved(Conflict):
    """There was another move since. You can choose a level anew."""


async def step(
    work: Work,
    subscriber: Subscriber,
    tier: Tier,
    *,
    source: Source,
    campaign_no: int | None = None,
    ask_no: int | None = None,
) -> Moved | Requested | Unchanged:
    """Move somebody to the tier of their choice, or ask for it where it needs approval.

    Choosing the same again changes nothing, and asking again is the same request. `campaign_no` is
    the mail whose link they followed, `ask_no` the ask whose answer had suggested it. Whoever is
    held at the lowest rung asks for every step up.
    """
    subscriber = await held(work, subscriber)
    here = await store.chosen(work, subscriber.no)
    if here is not None and here.no == tier.no:
        return Unchanged(here)
    if tier.closed_at is not None:
        raise TierGone
    up = here is None or tier.rank > here.rank
    if up and (tier.needs_approval or await store.hold_of(work, subscriber.no)):
        return Requested(
            await ask_for(work, subscriber, tier, campaign_no=campaign_no, ask_no=ask_no)
        )
    change = await move(
        work, subscriber, here, tier, source=source, campaign_no=campaign_no, ask_no=ask_no
    )
    await _settle(work, subscriber, tier, up=up)
    if up:
        await tell(work, subscriber, change, by="you")
    return Moved(change, up)


async def accept(
    work: Work, subscriber: Subscriber, suggestion_no: int
) -> Moved | Requested | Unchanged:
    """Take the step up that was suggested. Where it needs approval it becomes a request."""
    subscriber = await held(work, subscriber)
    suggestion = await of_theirs(work, subscriber, suggestion_no)
    tier = await tier_of(work, suggestion.tier_no)
    if suggestion.ended_at is not None:
        here = await store.chosen(work, subscriber.no)
        if here is None or here.no != tier.no:
            raise SuggestionUnknown
        return Unchanged(here)
    await end_suggestion(work, suggestion, accepted=True)
    return await step(work, subscriber, tier, source=Source.ACCEPTED, ask_no=suggestion.ask_no)


async def assign(
    work: Work, subscriber: Subscriber, tier: Tier, *, reason: str
) -> Moved | Unchanged:
    """Move somebody as an organiser, with a reason. They are told, and can undo it."""
    reason = lines(reason, longest=300, field="reason")
    if not reason:
        raise ReasonNeeded(field="reason")
    subscriber = await held(work, subscriber)
    here = await store.chosen(work, subscriber.no)
    if here is not None and here.no == tier.no:
        return Unchanged(here)
    if tier.closed_at is not None:
        raise TierGone
    up = here is None or tier.rank > here.rank
    change = await move(work, subscriber, here, tier, source=Source.ASSIGNED, reason=reason)
    await _settle(work, subscriber, tier, up=up)
    change.lifted = await store.lift_hold(work, subscriber.no)
    await tell(work, subscriber, change, by="organiser")
    await audit.note(
        work, "tier_assigned", subscriber=subscriber.no, tier=tier.no, change=change.no
    )
    return Moved(change, up)


async def _settle(work: Work, subscriber: Subscriber, reached: Tier, *, up: bool) -> None:
    """End what a move has settled: a request, and a suggestion of where they are by now."""
    await overtake_request(work, subscriber, reached, up=up)
    suggestion = await store.open_suggestion(work, subscriber.no)
    if suggestion is None:
        return
    suggested = await tier_of(work, suggestion.tier_no)
    if not up or reached.rank >= suggested.rank:
        await end_suggestion(work, suggestion, accepted=None)


async def undo(work: Work, subscriber: Subscriber, change_no: int) -> TierChange:
    """Take back somebody's newest move, within 30 days; give the move that does so.

    Undoing twice is undoing once. Where they came from is theirs again, approval or not: they had
    it. Whoever is held since then does not rise by it, and is not told why; whom the move had freed
    is held again.
    """
    subscriber = await held(work, subscriber)
    change = await store.change_by_no(work, change_no)
    if change is None or change.subscriber_no != subscriber.no or not change.may_be_undone:
        raise ChangeUnknown
    if (done := await store.undo_of(work, change)) is not None:
        return done
    if work.now > change.made_at + UNDO_FOR:
        raise UndoTooLate
    newest = await store.newest_change(work, subscriber.no)
    if newest is None or newest.no != change.no:
        raise SinceMoved
    assert change.from_no is not None
    back, here = await tier_of(work, change.from_no), await tier_of(work, change.to_no)
    if back.closed_at is not None:
        raise TierGone
    if back.rank > here.rank and await store.hold_of(work, subscriber.no):
        raise SinceMoved
    change.undone_at = work.now
    await hold_again(work, change)
    return await move(work, subscriber, here, back, source=Source.UNDO, undoes_no=change.no)


async def place_many(
    work: Work, pairs: Collection[tuple[int, int]], source: Source = Source.IMPORT
) -> list[int]:
    """Put many on the tier that a file says, given as (subscriber, tier) numbers; give who is new.

    Whoever stands on a tier stays there: a file moves nobody.
    """
    seen = await subscribers.by_nos(work, {no for no, _ in pairs})
    rows = [
        {"subscriber_no": no, "tier_no": tier_no, "since": work.now}
        for no, tier_no in pairs
        if no in seen
    ]
    placed = await add_missing(work, ChosenTier, rows)
    changes = await add_missing(
        work,
        TierChange,
        [
            {
                "subscriber_no": one.subscriber_no,
                "to_no": one.tier_no,
                "source": source,
                "door": work.door,
                "account_no": work.account,
                "made_at": work.now,
            }
            for one in placed
        ],
    )
    for change in changes:
        await activity.record(work, change.subscriber_no, "tier_chosen", change=change.no)
    return [one.subscriber_no for one in placed]
