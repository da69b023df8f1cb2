"""Requests: a wish for a tier that an organiser agrees to, and what becomes of it.

One stands at a time. It is answered, taken back, or ends by itself after 30 days, and whoever asked
is told. An answer can be taken back for 30 days.
"""

from mailer.activity import actions as activity
from mailer.audit import actions as audit
from mailer.kit.errors import Conflict
from mailer.kit.ids import new_uid
from mailer.kit.texts import lines
from mailer.kit.work import Work
from mailer.outbox.actions import Post, call_back, post, post_many
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import SubscriberUnknown
from mailer.subscribers.model import Subscriber
from mailer.tiers import store
from mailer.tiers.changing import move, tier_of
from mailer.tiers.holding import hold_again
from mailer.tiers.model import ANSWER_WITHIN, UNDO_FOR, Source, Tier, TierRequest


class RequestWithdrawn(Conflict):
    """They have taken their request back."""


class RequestAnswered(Conflict):
    """This request was answered already."""


class RequestExpired(Conflict):
    """This request waited for too long, and they were told so. They can ask again."""


class AnswerStands(Conflict):
    """This answer can no longer be taken back."""


async def wish(
    work: Work,
    subscriber: Subscriber,
    tier: Tier,
    *,
    campaign_no: int | None = None,
    ask_no: int | None = None,
) -> TierRequest:
    """Note a wish for a tier that needs approval; one stands at a time, the newest."""
    standing = await store.standing_request(work, subscriber.no)
    if standing is not None:
        if standing.tier_no == tier.no:
            return standing
        standing.withdrawn_at = work.now
    request = TierRequest(
        uid=new_uid(),
        subscriber_no=subscriber.no,
        tier_no=tier.no,
        made_at=work.now,
        door=work.door,
        campaign_no=campaign_no,
        ask_no=ask_no,
    )
    work.session.add(request)
    await work.session.flush()
    await activity.record(work, subscriber.no, "tier_requested", request=request.no, tier=tier.no)
    return request


async def ask_for(
    work: Work, subscriber: Subscriber, tier: Tier, *, campaign_no: int | None, ask_no: int | None
) -> TierRequest:
    """Note a wish, and owe the letter that says we have it."""
    request = await wish(work, subscriber, tier, campaign_no=campaign_no, ask_no=ask_no)
    await post(
        work,
        Post(
            kind="tier-requested",
            dedupe_key=f"tier-requested:{request.no}",
            language=subscriber.language,
            facts={"tier": tier.no},
            subscriber=subscriber.no,
        ),
    )
    return request


async def withdraw_request(work: Work, request: TierRequest) -> TierRequest:
    """Take a request back. One that has come to its end already stays as it is."""
    request, subscriber = await _held(work, request)
    if request.is_waiting:
        request.withdrawn_at = work.now
        await activity.record(
            work, subscriber.no, "tier_request_withdrawn", request=request.no, tier=request.tier_no
        )
    return request


async def overtake_request(work: Work, subscriber: Subscriber, reached: Tier, *, up: bool) -> None:
    """Withdraw a request that a move has settled: they went down, or as high as they asked."""
    standing = await store.standing_request(work, subscriber.no)
    if standing is None:
        return
    asked = await tier_of(work, standing.tier_no)
    if not up or reached.rank >= asked.rank:
        await withdraw_request(work, standing)


async def answer(
    work: Work, request: TierRequest, *, granted: bool, reason: str = ""
) -> TierRequest:
    """Answer a request: granted moves them at once. They are told either way.

    The same answer twice is one answer; another one comes too late.
    """
    reason = lines(reason, longest=300, field="reason")
    request, subscriber = await _held(work, request)
    if request.withdrawn_at is not None:
        raise RequestWithdrawn
    if request.expired_at is not None:
        raise RequestExpired
    if request.answered_at is not None:
        if request.granted is granted:
            return request
        raise RequestAnswered
    request.answered_at, request.granted = work.now, granted
    request.account_no, request.reason = work.account, reason
    await activity.record(
        work,
        subscriber.no,
        "tier_request_granted" if granted else "tier_request_refused",
        request=request.no,
        tier=request.tier_no,
    )
    if granted:
        await _let_up(work, subscriber, request)
    await post(work, _answered(subscriber, request))
    await audit.note(
        work,
        "tier_request_answered",
        subscriber=subscriber.no,
        request=request.no,
        granted=granted,
    )
    return request


async def _let_up(work: Work, subscriber: Subscriber, request: TierRequest) -> None:
    tier, here = await tier_of(work, request.tier_no), await store.chosen(work, subscriber.no)
    if here is None or here.rank < tier.rank:
        change = await move(
            work,
            subscriber,
            here,
            tier,
            source=Source.ACCEPTED,
            campaign_no=request.campaign_no,
            ask_no=request.ask_no,
            reason=request.reason,
        )
        change.lifted = await store.lift_hold(work, subscriber.no)


def _answered(subscriber: Subscriber, request: TierRequest) -> Post:
    """Make the letter with the answer. One that was taken back is another than the next."""
    assert request.answered_at is not None
    return Post(
        kind="tier-request-answered",
        dedupe_key=_letter_of(request),
        language=subscriber.language,
        facts={"request": request.no},
        subscriber=subscriber.no,
    )


def _letter_of(request: TierRequest) -> str:
    assert request.answered_at is not None
    return f"tier-request-answered:{request.no}:{request.answered_at:%Y%m%d%H%M%S%f}"


async def take_back_answer(work: Work, request: TierRequest) -> TierRequest:
    """Let a request wait again, for 30 days after its answer.

    Who was let up goes back, unless they have moved since. A letter that nobody has begun to send
    is not sent; else the next answer tells them.
    """
    request, subscriber = await _held(work, request)
    if request.is_waiting:
        return request
    if request.answered_at is None or work.now > request.answered_at + UNDO_FOR:
        raise AnswerStands
    if await store.standing_request(work, subscriber.no) is not None:
        raise AnswerStands
    if request.granted:
        await _let_down(work, subscriber, request)
    await call_back(work, [_letter_of(request)])
    request.answered_at = request.granted = request.account_no = None
    request.made_at, request.reason = work.now, ""
    await activity.record(
        work, subscriber.no, "tier_request_reopened", request=request.no, tier=request.tier_no
    )
    await audit.note(work, "tier_request_reopened", subscriber=subscriber.no, request=request.no)
    return request


async def _let_down(work: Work, subscriber: Subscriber, request: TierRequest) -> None:
    change = await store.newest_change(work, subscriber.no)
    moved = (
        change is not None
        and change.to_no == request.tier_no
        and change.source is Source.ACCEPTED
        and change.made_at == request.answered_at
        and change.from_no is not None
    )
    if change is None or not moved or change.from_no is None:
        raise AnswerStands
    change.undone_at = work.now
    await hold_again(work, change)
    back, here = await tier_of(work, change.from_no), await tier_of(work, change.to_no)
    await move(work, subscriber, here, back, source=Source.UNDO, undoes_no=change.no)


async def expire_requests(work: Work, *, limit: int) -> int:
    """End the oldest requests that nobody has answered in time, and tell who asked; count them."""
    late = await store.unanswered(work, work.now - ANSWER_WITHIN, limit)
    for request, subscriber in late:
        request.expired_at = work.now
        await activity.record(
            work, subscriber.no, "tier_request_expired", request=request.no, tier=request.tier_no
        )
    await post_many(
        work,
        [
            Post(
                kind="tier-request-expired",
                dedupe_key=f"tier-request-expired:{request.no}",
                language=subscriber.language,
                facts={"request": request.no},
                subscriber=subscriber.no,
            )
            for request, subscriber in late
        ],
    )
    return len(late)


async def _held(work: Work, request: TierRequest) -> tuple[TierRequest, Subscriber]:
    subscriber = await subscribers.hold(work, request.subscriber_no)
    found = await store.request_by_no(work, request.no)
    if subscriber is None or found is None:
        raise SubscriberUnknown
    return found, subscriber
