"""Moving many at once, as an organiser who decided it for all of them, and taking that back.

What is true of one is true of each: a dated fact with its reason, a letter with an undo, and a
request that the move has settled is withdrawn.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from mailer.activity import actions as activity
from mailer.kit.rows import add_missing
from mailer.kit.texts import lines
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post_many
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tiers import store
from mailer.tiers.actions import ReasonNeeded
from mailer.tiers.model import ChosenTier, Source, Tier, TierChange


def read_reason(typed: str) -> str:
    """Give the reason for a move as it is kept and told; there must be one."""
    reason = lines(typed, longest=300, field="reason")
    if not reason:
        raise ReasonNeeded(field="reason")
    return reason


async def assign_many(
    work: Work, subscriber_nos: Collection[int], tier: Tier, *, reason: str
) -> dict[int, int]:
    """Move those of these who stand elsewhere; give the numbers of their moves by subscriber.

    They are told the reason, and can undo it. Who is erased or out of sight is left out.
    """
    reason = read_reason(reason)
    people = {
        one.no: one
        for one in await subscribers.hold_many(work, subscriber_nos)
        if one.erased_at is None
    }
    here = await store.chosen_of(work, list(people))
    moving = [no for no in people if no not in here or here[no].no != tier.no]
    await _stand(work, moving, tier.no, already={no for no in moving if no in here})
    changes = await _write(
        work,
        [
            {
                "subscriber_no": no,
                "from_no": here[no].no if no in here else None,
                "to_no": tier.no,
                "source": Source.ASSIGNED,
                "reason": reason,
            }
            for no in moving
        ],
    )
    await _settle_requests(work, moving, tier, here)
    await post_many(work, [_told(people[one.subscriber_no], one) for one in changes])
    return {one.subscriber_no: one.no for one in changes}


async def undo_many(work: Work, moves: Mapping[int, int]) -> list[int]:
    """Take back these moves, given by subscriber; give who is back where they were.

    Only the newest move of somebody, within 30 days, and not the first choice of a level. Letters
    that still wait are not sent: they would tell of a move that is undone.
    """
    held = await subscribers.hold_many(work, moves)
    nos = [one.no for one in held if one.erased_at is None]
    undone = [
        one
        for one in await store.newest_changes(work, nos)
        if one.no == moves[one.subscriber_no] and one.is_open_to_undo(work.now)
    ]
    back: dict[int, list[int]] = defaultdict(list)
    for one in undone:
        assert one.from_no is not None  # it is open to undo
        one.undone_at = work.now
        back[one.from_no].append(one.subscriber_no)
    for tier_no, theirs in back.items():
        await store.set_chosen(work, theirs, tier_no)
    await _write(
        work,
        [
            {
                "subscriber_no": one.subscriber_no,
                "from_no": one.to_no,
                "to_no": one.from_no,
                "source": Source.UNDO,
                "undoes_no": one.no,
            }
            for one in undone
        ],
    )
    return [one.subscriber_no for one in undone]


async def _stand(
    work: Work, moving: Sequence[int], tier_no: int, *, already: Collection[int]
) -> None:
    await store.set_chosen(work, already, tier_no)
    fresh = [
        {"subscriber_no": no, "tier_no": tier_no, "since": work.now}
        for no in moving
        if no not in already
    ]
    await add_missing(work, ChosenTier, fresh)


async def _write(work: Work, rows: Sequence[Mapping[str, object]]) -> Sequence[TierChange]:
    common = {"door": work.door, "account_no": work.account, "made_at": work.now}
    changes = await add_missing(work, TierChange, [{**common, **row} for row in rows])
    for one in changes:
        kind = "tier_chosen" if one.from_no is None else "tier_changed"
        await activity.record(work, one.subscriber_no, kind, change=one.no)
    return changes


async def _settle_requests(
    work: Work, moved: Sequence[int], to: Tier, here: Mapping[int, Tier]
) -> None:
    """Withdraw the requests that a move has settled: down, or as high as they asked."""
    for request, asked in await store.standing_requests(work, moved):
        before = here.get(request.subscriber_no)
        up = before is None or to.rank > before.rank
        if up and to.rank < asked.rank:
            continue
        request.withdrawn_at = work.now
        await activity.record(
            work,
            request.subscriber_no,
            "tier_request_withdrawn",
            request=request.no,
            tier=request.tier_no,
        )


def _told(subscriber: Subscriber, change: TierChange) -> Post:
    return Post(
        kind="tier-changed",
        dedupe_key=f"tier-changed:{change.no}",
        language=subscriber.language,
        facts={"change": change.no, "by": "organiser"},
        subscriber=subscriber.no,
    )
