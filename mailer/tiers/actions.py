"""Choosing a tier, asking for one, and taking either back.

Down is always immediate and never argued with. Up is immediate where the tier may be chosen by
oneself, and a request where it needs approval. Every move is a dated fact with its cause, and can
be undone for 30 days.
"""

from collections.abc import Collection

import msgspec

from mailer.activity import actions as activity
from mailer.audit import actions as audit
from mailer.kit.errors import Conflict, Invalid, NotFound
from mailer.kit.ids import new_uid
from mailer.kit.orm import Localised
from mailer.kit.rows import add_missing
from mailer.kit.texts import in_languages, lines
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import SubscriberUnknown, held
from mailer.subscribers.model import Subscriber
from mailer.tiers import store
from mailer.tiers.ladder import DEFAULT_LADDER
from mailer.tiers.model import UNDO_FOR, ChosenTier, Source, Tier, TierChange, TierRequest


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


class RequestWithdrawn(Conflict):
    """They have taken their request back."""


class RequestAnswered(Conflict):
    """This request was answered already."""


MOST_MAILS, MOST_DAYS = 100, 365


class PromiseOutOfRange(Invalid):
    """A promise is 1 to 100 emails in 1 to 365 days."""


class LowestIsOpen(Invalid):
    """The lowest level is open to all: whoever waits for an answer begins there."""


# --- the ladder ----------------------------------------------------------------------------------


async def furnish(work: Work) -> None:
    """Put in the ladder that every organisation starts with; one that stands is left alone."""
    if await store.ladder(work):
        return
    await add_missing(work, Tier, DEFAULT_LADDER)


async def describe_tier(
    work: Work,
    tier: Tier,
    *,
    name: Localised,
    often: Localised,
    you_get: Localised,
    we_ask: Localised,
    most_mails: int | None = None,
    most_in_days: int | None = None,
    needs_approval: bool | None = None,
) -> Tier:
    """Change what a tier is called and promises. Nobody moves, and nobody gets a mail."""
    described: dict[str, object] = {
        "name": in_languages(name, longest=60, field="name", needed=True),
        "often": in_languages(often, longest=120, field="often", needed=True),
        "you_get": in_languages(you_get, longest=300, field="you_get"),
        "we_ask": in_languages(we_ask, longest=300, field="we_ask"),
        "most_mails": tier.most_mails if most_mails is None else most_mails,
        "most_in_days": tier.most_in_days if most_in_days is None else most_in_days,
        "needs_approval": tier.needs_approval if needs_approval is None else needs_approval,
    }
    for field, most in (("most_mails", MOST_MAILS), ("most_in_days", MOST_DAYS)):
        number = described[field]
        if not isinstance(number, int) or not 1 <= number <= most:
            raise PromiseOutOfRange(field=field)
    if described["needs_approval"] and tier.no == (await store.ladder(work))[0].no:
        raise LowestIsOpen(field="needs_approval")
    tier = await _tier(work, tier.no)
    changed = [key for key, value in described.items() if getattr(tier, key) != value]
    for key in changed:
        setattr(tier, key, described[key])
    if changed:
        await audit.note(work, "tier_described", tier=tier.no, fields=changed)
    return tier


# --- moving --------------------------------------------------------------------------------------


async def step(
    work: Work,
    subscriber: Subscriber,
    tier: Tier,
    *,
    source: Source,
    campaign_no: int | None = None,
) -> Moved | Requested | Unchanged:
    """Move somebody to the tier of their choice, or ask for it where it needs approval.

    Choosing the same again changes nothing, and asking again is the same request. `campaign_no` is
    the mail whose link they followed.
    """
    subscriber = await held(work, subscriber)
    here = await store.chosen(work, subscriber.no)
    if here is not None and here.no == tier.no:
        return Unchanged(here)
    up = here is None or tier.rank > here.rank
    if up and tier.needs_approval:
        return Requested(await _request(work, subscriber, tier, campaign_no=campaign_no))
    change = await _move(work, subscriber, here, tier, source=source, campaign_no=campaign_no)
    await _overtake_request(work, subscriber, tier, up=up)
    if up:
        await _tell(work, subscriber, change, by="you")
    return Moved(change, up)


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
    up = here is None or tier.rank > here.rank
    change = await _move(work, subscriber, here, tier, source=Source.ASSIGNED, reason=reason)
    await _overtake_request(work, subscriber, tier, up=up)
    await _tell(work, subscriber, change, by="organiser")
    await audit.note(
        work, "tier_assigned", subscriber=subscriber.no, tier=tier.no, change=change.no
    )
    return Moved(change, up)


async def undo(work: Work, subscriber: Subscriber, change_no: int) -> TierChange:
    """Take back somebody's newest move, within 30 days; give the move that does so.

    Undoing twice is undoing once. Where they came from is theirs again, approval or not: they had
    it.
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
    back, here = await _tier(work, change.from_no), await _tier(work, change.to_no)
    change.undone_at = work.now
    return await _move(work, subscriber, here, back, source=Source.UNDO, undoes_no=change.no)


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


async def _move(
    work: Work,
    subscriber: Subscriber,
    here: Tier | None,
    to: Tier,
    *,
    source: Source,
    campaign_no: int | None = None,
    reason: str = "",
    undoes_no: int | None = None,
) -> TierChange:
    chosen = await store.chosen_row(work, subscriber.no)
    if chosen is None:
        chosen = ChosenTier(subscriber_no=subscriber.no, tier_no=to.no, since=work.now)
        work.session.add(chosen)
    else:
        chosen.tier_no, chosen.since = to.no, work.now
    change = TierChange(
        subscriber_no=subscriber.no,
        from_no=here.no if here is not None else None,
        to_no=to.no,
        source=source,
        door=work.door,
        campaign_no=campaign_no,
        account_no=work.account,
        reason=reason,
        made_at=work.now,
        undoes_no=undoes_no,
    )
    work.session.add(change)
    await work.session.flush()
    kind = "tier_chosen" if here is None else "tier_changed"
    await activity.record(work, subscriber.no, kind, change=change.no)
    return change


async def _tell(work: Work, subscriber: Subscriber, change: TierChange, *, by: str) -> None:
    await post(
        work,
        Post(
            kind="tier-changed",
            dedupe_key=f"tier-changed:{change.no}",
            language=subscriber.language,
            facts={"change": change.no, "by": by},
            subscriber=subscriber.no,
        ),
    )


async def _tier(work: Work, no: int) -> Tier:
    tier = await store.by_no(work, no)
    assert tier is not None  # a rung is never taken out
    return tier


# --- requests ------------------------------------------------------------------------------------


async def withdraw_request(work: Work, request: TierRequest) -> TierRequest:
    """Take a request back. One that was answered, or is withdrawn already, stays as it is."""
    request, subscriber = await _held_request(work, request)
    if request.withdrawn_at is None and request.answered_at is None:
        request.withdrawn_at = work.now
        await activity.record(
            work, subscriber.no, "tier_request_withdrawn", request=request.no, tier=request.tier_no
        )
    return request


async def answer(
    work: Work, request: TierRequest, *, granted: bool, reason: str = ""
) -> TierRequest:
    """Answer a request: granted moves them at once. They are told either way.

    The same answer twice is one answer; another one comes too late.
    """
    reason = lines(reason, longest=300, field="reason")
    request, subscriber = await _held_request(work, request)
    if request.withdrawn_at is not None:
        raise RequestWithdrawn
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
        tier, here = (
            await _tier(work, request.tier_no),
            await store.chosen(work, subscriber.no),
        )
        if here is None or here.rank < tier.rank:
            await _move(
                work,
                subscriber,
                here,
                tier,
                source=Source.ACCEPTED,
                campaign_no=request.campaign_no,
                reason=reason,
            )
    await post(
        work,
        Post(
            kind="tier-request-answered",
            dedupe_key=f"tier-request-answered:{request.no}",
            language=subscriber.language,
            facts={"request": request.no},
            subscriber=subscriber.no,
        ),
    )
    await audit.note(
        work,
        "tier_request_answered",
        subscriber=subscriber.no,
        request=request.no,
        granted=granted,
    )
    return request


async def wish(
    work: Work, subscriber: Subscriber, tier: Tier, *, campaign_no: int | None = None
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
    )
    work.session.add(request)
    await work.session.flush()
    await activity.record(work, subscriber.no, "tier_requested", request=request.no, tier=tier.no)
    return request


async def _request(
    work: Work, subscriber: Subscriber, tier: Tier, *, campaign_no: int | None
) -> TierRequest:
    request = await wish(work, subscriber, tier, campaign_no=campaign_no)
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


async def _overtake_request(work: Work, subscriber: Subscriber, reached: Tier, *, up: bool) -> None:
    """Withdraw a request that a move has settled: they went down, or as high as they asked."""
    standing = await store.standing_request(work, subscriber.no)
    if standing is None:
        return
    asked = await _tier(work, standing.tier_no)
    if not up or reached.rank >= asked.rank:
        await withdraw_request(work, standing)


async def _held_request(work: Work, request: TierRequest) -> tuple[TierRequest, Subscriber]:
    subscriber = await subscribers.hold(work, request.subscriber_no)
    found = await store.request_by_no(work, request.no)
    if subscriber is None or found is None:
        raise SubscriberUnknown
    return found, subscriber
