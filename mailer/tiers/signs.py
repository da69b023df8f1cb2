"""Signs of how far people go, and the step up that they suggest.

Asks and events tell what somebody did by `note_sign`. A suggestion is shown to the person, mailed
to them once, and moves nobody: they accept it, or say no and are left alone for half a year. A no
may be taken back.
"""

from datetime import datetime, timedelta

from mailer.activity import actions as activity
from mailer.kit.errors import NotFound
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.outbox.actions import Post, call_back, post
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber
from mailer.tiers import store
from mailer.tiers.model import Sign, SignKind, Tier, TierSuggestion
from mailer.tiers.observing import COUNTS_FOR, observed

LEFT_ALONE_FOR = timedelta(days=180)
"""So long nothing is suggested to somebody who said no."""

LETTER_AFTER = timedelta(days=1)
"""Whoever is at it sees the suggestion on their page; the letter comes when that is over."""


class SuggestionUnknown(NotFound):
    """There is no such suggestion any more."""


async def note_sign(
    work: Work,
    subscriber_no: int,
    kind: SignKind,
    at: datetime,
    *,
    ready_for: Tier | None = None,
    ask_no: int | None = None,
) -> None:
    """Note what somebody did, who is held; suggest a step up where that is news. Nobody moves.

    Some deeds show by themselves that whoever did them is `ready_for` a rung. `ask_no` is the ask
    that was answered, if that was the deed: it is the cause of what follows.
    """
    work.session.add(Sign(subscriber_no=subscriber_no, kind=kind, at=at))
    await store.forget_signs(work, subscriber_no, before=work.now - COUNTS_FOR)
    await work.session.flush()
    reached = await observed_tier(work, subscriber_no)
    if ready_for is not None and ready_for.closed_at is None and ready_for.rank > reached.rank:
        reached = ready_for
    await _suggest(work, subscriber_no, reached, ask_no)


async def forget_sign(
    work: Work,
    subscriber_no: int,
    kind: SignKind,
    at: datetime,
    *,
    ready_for: Tier | None = None,
) -> None:
    """Forget one sign of somebody, who is held: what it told was taken back.

    A suggestion that it had raised ends, unless their other deeds show that they are `ready_for` as
    much. Nobody said no to it: it may be made again.
    """
    await store.forget_sign(work, subscriber_no, kind, at)
    suggestion = await store.open_suggestion(work, subscriber_no)
    tier = None if suggestion is None else await store.by_no(work, suggestion.tier_no)
    if suggestion is None or tier is None:
        return
    reached = (await observed_tier(work, subscriber_no)).rank
    if max(reached, ready_for.rank if ready_for else reached) < tier.rank:
        await end_suggestion(work, suggestion, accepted=None)


async def observed_tier(work: Work, subscriber_no: int) -> Tier:
    """Give the rung that somebody's deeds reach. The caller has asked whether they may."""
    signs = await store.signs_of(work, subscriber_no, since=work.now - COUNTS_FOR)
    return observed(signs, await store.ladder(work), work.now)


async def _suggest(work: Work, subscriber_no: int, reached: Tier, ask_no: int | None) -> None:
    here = await store.chosen(work, subscriber_no)
    if here is None or reached.rank <= here.rank or await store.hold_of(work, subscriber_no):
        return
    if await store.was_asked_since(work, subscriber_no, work.now - LEFT_ALONE_FOR):
        return
    made = await add_missing(
        work,
        TierSuggestion,
        [
            {
                "subscriber_no": subscriber_no,
                "tier_no": reached.no,
                "made_at": work.now,
                "ask_no": ask_no,
            }
        ],
    )
    person = await subscribers.by_no(work, subscriber_no)
    if not made or person is None:
        return
    await activity.record(
        work, subscriber_no, "tier_suggested", suggestion=made[0].no, tier=reached.no
    )
    await post(
        work,
        Post(
            kind="tier-suggested",
            dedupe_key=_letter_of(made[0]),
            language=person.language,
            facts={"suggestion": made[0].no},
            subscriber=subscriber_no,
            due_at=work.now + LETTER_AFTER,
        ),
    )


def _letter_of(suggestion: TierSuggestion) -> str:
    return f"tier-suggested:{suggestion.no}"


async def dismiss(work: Work, subscriber: Subscriber, suggestion_no: int) -> TierSuggestion:
    """Say no to a suggestion: nothing is suggested for half a year. Twice is once."""
    subscriber = await held(work, subscriber)
    suggestion = await of_theirs(work, subscriber, suggestion_no)
    if suggestion.ended_at is None:
        await end_suggestion(work, suggestion, accepted=False)
        await activity.record(
            work,
            subscriber.no,
            "tier_suggestion_declined",
            suggestion=suggestion.no,
            tier=suggestion.tier_no,
        )
    return suggestion


async def take_back_no(work: Work, subscriber: Subscriber, suggestion_no: int) -> TierSuggestion:
    """Take back the no to a suggestion: it stands again, and steps may be suggested. Twice is once.

    Where it is no question any more it stays over: whoever has reached the level by now, is held
    back, or has another suggestion, is only not left alone any longer.
    """
    subscriber = await held(work, subscriber)
    suggestion = await of_theirs(work, subscriber, suggestion_no)
    if suggestion.accepted is not False:
        return suggestion
    suggestion.accepted = None
    if await _may_stand(work, subscriber.no, suggestion.tier_no):
        suggestion.ended_at = None
    await work.session.flush()
    await activity.record(
        work,
        subscriber.no,
        "tier_suggestion_reopened",
        suggestion=suggestion.no,
        tier=suggestion.tier_no,
    )
    return suggestion


async def _may_stand(work: Work, subscriber_no: int, tier_no: int) -> bool:
    here, tier = await store.chosen(work, subscriber_no), await store.by_no(work, tier_no)
    if here is None or tier is None or tier.closed_at is not None or tier.rank <= here.rank:
        return False
    is_held_back = await store.hold_of(work, subscriber_no) is not None
    return not is_held_back and await store.open_suggestion(work, subscriber_no) is None


async def of_theirs(work: Work, subscriber: Subscriber, suggestion_no: int) -> TierSuggestion:
    """Give a suggestion, which must be this person's."""
    suggestion = await store.suggestion_by_no(work, suggestion_no)
    if suggestion is None or suggestion.subscriber_no != subscriber.no:
        raise SuggestionUnknown
    return suggestion


async def end_suggestion(work: Work, suggestion: TierSuggestion, *, accepted: bool | None) -> None:
    """Let a suggestion be over; its letter is not sent if it waits."""
    suggestion.ended_at, suggestion.accepted = work.now, accepted
    await call_back(work, [_letter_of(suggestion)])
