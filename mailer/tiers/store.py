"""Every question about tiers."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Row,
    bindparam,
    case,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.orm import aliased

from mailer.consent.facets import out_of_reach, subscribed
from mailer.consent.model import MailingList, SubscriptionState
from mailer.consent.store import is_active, lists
from mailer.kit.work import Work
from mailer.subscribers.model import MailForm, Subscriber, visible
from mailer.tiers.model import (
    ChosenTier,
    Sign,
    SignKind,
    Source,
    StillWithUs,
    Tier,
    TierChange,
    TierHold,
    TierPromise,
    TierRequest,
    TierSuggestion,
)
from mailer.tiers.movement import store as movement


class Through(msgspec.Struct, frozen=True):
    """What one campaign moved."""

    ups: int
    downs: int
    requests: int


# --- the ladder -----------------------------------------------------------------------------------


async def ladder(work: Work) -> Sequence[Tier]:
    """Give the tiers that can be stood on, lowest first."""
    return [tier for tier in await every_tier(work) if tier.closed_at is None]


async def lists_with(work: Work, tier: Tier) -> list[MailingList]:
    """Give the lists that go with a tier, as far as anybody may choose them."""
    if not tier.list_nos:
        return []
    return [one for one in await lists(work, public_only=True) if one.no in tier.list_nos]


async def every_tier(work: Work) -> Sequence[Tier]:
    """Give every tier there ever was, lowest first."""
    return (await work.session.scalars(select(Tier).order_by(Tier.rank))).all()


async def hold_ladder(work: Work) -> Sequence[Tier]:
    """Give every tier as it is now, and keep others from changing the ladder."""
    found = await work.session.scalars(
        select(Tier)
        .order_by(Tier.rank)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def swap_ranks(work: Work, one: Tier, other: Tier) -> None:
    """Let two tiers change places; no two ever have one rank, so it takes three steps."""
    ranks = one.rank, other.rank
    for tier, rank in ((one, -1), (other, ranks[0]), (one, ranks[1])):
        tier.rank = rank
        await work.session.flush()


async def anybody_on(work: Work, tier_no: int) -> bool:
    """Say whether anybody at all stands on a tier, whoever asks."""
    return bool(await work.session.scalar(select(exists().where(ChosenTier.tier_no == tier_no))))


async def everybody_on(work: Work) -> dict[int, int]:
    """Count all who stand on each tier and are in sight, whatever their state."""
    counted = await work.session.execute(
        select(ChosenTier.tier_no, func.count())
        .join(Subscriber, Subscriber.no == ChosenTier.subscriber_no)
        .where(visible(work))
        .group_by(ChosenTier.tier_no),
    )
    found = dict(counted.all())
    return {tier.no: found.get(tier.no, 0) for tier in await ladder(work)}


async def end_what_waits_for(work: Work, tier_no: int) -> None:
    """Withdraw the requests for a tier, and end the suggestions of it."""
    await work.session.execute(
        update(TierRequest)
        .where(TierRequest.tier_no == tier_no, *_waiting())
        .values(withdrawn_at=work.now)
        .execution_options(synchronize_session=False)
    )
    await work.session.execute(
        update(TierSuggestion)
        .where(TierSuggestion.tier_no == tier_no, TierSuggestion.ended_at.is_(None))
        .values(ended_at=work.now)
        .execution_options(synchronize_session=False)
    )


async def promises(work: Work) -> Sequence[TierPromise]:
    """Give what tiers promised before they began to promise more."""
    return (await work.session.scalars(select(TierPromise).order_by(TierPromise.no))).all()


async def by_no(work: Work, no: int) -> Tier | None:
    """Find a tier by number."""
    return await work.session.get(Tier, no)


async def by_slug(work: Work, slug: str) -> Tier | None:
    """Find a tier by its slug."""
    return await work.session.scalar(select(Tier).where(Tier.slug == slug))


# --- where people stand ---------------------------------------------------------------------------


async def chosen(work: Work, subscriber_no: int) -> Tier | None:
    """Give the tier that holds for somebody. The caller has asked whether they may."""
    return await work.session.scalar(
        select(Tier)
        .join(ChosenTier, ChosenTier.tier_no == Tier.no)
        .where(ChosenTier.subscriber_no == subscriber_no),
    )


async def chosen_of(work: Work, subscriber_nos: Collection[int]) -> dict[int, Tier]:
    """Give the tiers that hold for several people; who has none is not in it."""
    found = await work.session.execute(
        select(ChosenTier.subscriber_no, Tier)
        .join(Tier, Tier.no == ChosenTier.tier_no)
        .where(ChosenTier.subscriber_no.in_(subscriber_nos)),
    )
    return dict(found.all())


async def people_for_mail(
    work: Work, subscriber_nos: Collection[int]
) -> Sequence[Row[int, str | None, str, str, str, str, datetime, int, MailForm]]:
    """Give of several people what their mail may say: plain columns, for there are millions.

    Number, address, first name, last name, city, language, when they joined, number of their tier,
    and how their mail is written.
    """
    found = await work.session.execute(
        select(
            Subscriber.no,
            Subscriber.address,
            Subscriber.first_name,
            Subscriber.last_name,
            Subscriber.city,
            Subscriber.language,
            Subscriber.joined_at,
            ChosenTier.tier_no,
            Subscriber.mail_form,
        )
        .outerjoin(ChosenTier, ChosenTier.subscriber_no == Subscriber.no)
        .where(Subscriber.no.in_(subscriber_nos), Subscriber.address.is_not(None), visible(work))
    )
    return found.all()


async def chosen_row(work: Work, subscriber_no: int) -> ChosenTier | None:
    """Give the row that says which tier holds, as it is now."""
    return await work.session.get(ChosenTier, subscriber_no, populate_existing=True)


async def changes_of(work: Work, subscriber_no: int) -> Sequence[TierChange]:
    """Give somebody's moves, newest first. The caller has asked whether they may."""
    found = await work.session.scalars(
        select(TierChange)
        .where(TierChange.subscriber_no == subscriber_no)
        .order_by(TierChange.no.desc()),
    )
    return found.all()


async def newest_change(work: Work, subscriber_no: int) -> TierChange | None:
    """Give somebody's last move."""
    return await work.session.scalar(
        select(TierChange)
        .where(TierChange.subscriber_no == subscriber_no)
        .order_by(TierChange.no.desc())
        .limit(1),
    )


async def newest_changes(work: Work, subscriber_nos: Collection[int]) -> Sequence[TierChange]:
    """Give the last moves of several people. The caller has asked whether they may."""
    newest = (
        select(func.max(TierChange.no))
        .where(TierChange.subscriber_no.in_(subscriber_nos))
        .group_by(TierChange.subscriber_no)
    )
    found = await work.session.scalars(
        select(TierChange)
        .where(TierChange.no.in_(newest))
        .order_by(TierChange.subscriber_no)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def set_chosen(work: Work, subscriber_nos: Collection[int], tier_no: int) -> None:
    """Write the tier of several people who are held and have one."""
    await work.session.execute(
        update(ChosenTier)
        .where(ChosenTier.subscriber_no.in_(subscriber_nos))
        .values(tier_no=tier_no, since=work.now)
        .execution_options(synchronize_session=False),
    )


async def change_by_no(work: Work, no: int) -> TierChange | None:
    """Find a move by number, as it is now."""
    return await work.session.get(TierChange, no, populate_existing=True)


async def undo_of(work: Work, change: TierChange) -> TierChange | None:
    """Find the move that undid another."""
    return await work.session.scalar(select(TierChange).where(TierChange.undoes_no == change.no))


# --- holds ----------------------------------------------------------------------------------------


async def hold_of(work: Work, subscriber_no: int) -> TierHold | None:
    """Find the hold that keeps somebody at the lowest rung."""
    return await work.session.get(TierHold, subscriber_no, populate_existing=True)


async def lift_hold(work: Work, subscriber_no: int) -> str | None:
    """Let somebody go, if they are held; give why they were."""
    held = await hold_of(work, subscriber_no)
    if held is None:
        return None
    await work.session.delete(held)
    await work.session.flush()
    return held.reason


# --- signs and suggestions ------------------------------------------------------------------------


async def signs_of(
    work: Work, subscriber_no: int, *, since: datetime
) -> list[tuple[SignKind, datetime]]:
    """Give the signs of somebody since a day."""
    found = await work.session.execute(
        select(Sign.kind, Sign.at).where(Sign.subscriber_no == subscriber_no, Sign.at > since)
    )
    return [(kind, at) for kind, at in found]


async def forget_signs(work: Work, subscriber_no: int, *, before: datetime) -> None:
    """Forget the signs of somebody that do not count any more."""
    await work.session.execute(
        delete(Sign)
        .where(Sign.subscriber_no == subscriber_no, Sign.at <= before)
        .execution_options(synchronize_session=False)
    )


async def forget_sign(work: Work, subscriber_no: int, kind: SignKind, at: datetime) -> None:
    """Forget one sign of a kind that somebody gave at a moment; another of that moment stays."""
    one = select(func.min(Sign.no)).where(
        Sign.subscriber_no == subscriber_no, Sign.kind == kind, Sign.at == at
    )
    await work.session.execute(
        delete(Sign)
        .where(Sign.no == one.scalar_subquery())
        .execution_options(synchronize_session=False)
    )


async def open_suggestion(work: Work, subscriber_no: int) -> TierSuggestion | None:
    """Find the suggestion that somebody has not answered."""
    return await work.session.scalar(
        select(TierSuggestion)
        .where(TierSuggestion.subscriber_no == subscriber_no, TierSuggestion.ended_at.is_(None))
        .execution_options(populate_existing=True)
    )


async def suggested(work: Work, subscriber_no: int) -> tuple[TierSuggestion, Tier] | None:
    """Give the step up that is suggested to somebody; None once they stand as high."""
    found = await work.session.execute(
        select(TierSuggestion, Tier)
        .join(Tier, Tier.no == TierSuggestion.tier_no)
        .join(ChosenTier, ChosenTier.subscriber_no == TierSuggestion.subscriber_no)
        .join(_FROM, _FROM.no == ChosenTier.tier_no)
        .where(
            TierSuggestion.subscriber_no == subscriber_no,
            TierSuggestion.ended_at.is_(None),
            Tier.closed_at.is_(None),
            Tier.rank > _FROM.rank,
        )
    )
    row = found.first()
    return None if row is None else (row[0], row[1])


async def ready_to_step_up(
    work: Work, *, limit: int
) -> Sequence[tuple[TierSuggestion, Subscriber, Tier]]:
    """Give those to whom a step up is suggested, whom the actor may see, newest first."""
    found = await work.session.execute(
        select(TierSuggestion, Subscriber, Tier)
        .join(Subscriber, Subscriber.no == TierSuggestion.subscriber_no)
        .join(Tier, Tier.no == TierSuggestion.tier_no)
        .join(ChosenTier, ChosenTier.subscriber_no == Subscriber.no)
        .join(_FROM, _FROM.no == ChosenTier.tier_no)
        .where(
            TierSuggestion.ended_at.is_(None),
            Tier.closed_at.is_(None),
            Tier.rank > _FROM.rank,
            is_active(work.now),
            visible(work),
        )
        .order_by(TierSuggestion.no.desc())
        .limit(limit)
    )
    return found.all()


async def suggestion_by_no(work: Work, no: int) -> TierSuggestion | None:
    """Find a suggestion by the number that stands in its link, as it is now."""
    return await work.session.get(TierSuggestion, no, populate_existing=True)


async def was_asked_since(work: Work, subscriber_no: int, since: datetime) -> bool:
    """Say whether a suggestion stands, or somebody has said no to one since a day."""
    asked = exists().where(
        TierSuggestion.subscriber_no == subscriber_no,
        TierSuggestion.ended_at.is_(None)
        | (TierSuggestion.accepted.is_(False) & (TierSuggestion.ended_at > since)),
    )
    return bool(await work.session.scalar(select(asked)))


async def question_by_no(work: Work, no: int) -> StillWithUs | None:
    """Find the question whether somebody is still with us, as it is now."""
    return await work.session.get(StillWithUs, no, populate_existing=True)


async def standing_question(work: Work, subscriber_no: int) -> StillWithUs | None:
    """Find the question whether somebody is still with us that waits for their answer."""
    return await work.session.scalar(
        select(StillWithUs).where(
            StillWithUs.subscriber_no == subscriber_no, StillWithUs.ended_at.is_(None)
        )
    )


# --- requests -------------------------------------------------------------------------------------


async def request_by_uid(work: Work, uid: str) -> TierRequest | None:
    """Find a request, if the actor may see whose it is."""
    return await work.session.scalar(
        select(TierRequest)
        .join(Subscriber, Subscriber.no == TierRequest.subscriber_no)
        .where(TierRequest.uid == uid, visible(work)),
    )


async def request_by_no(work: Work, no: int) -> TierRequest | None:
    """Find a request by number, as it is now."""
    return await work.session.get(TierRequest, no, populate_existing=True)


async def standing_request(work: Work, subscriber_no: int) -> TierRequest | None:
    """Find somebody's request that waits for an answer."""
    return await work.session.scalar(
        select(TierRequest)
        .where(TierRequest.subscriber_no == subscriber_no, *_waiting())
        .order_by(TierRequest.no.desc())
        .limit(1),
    )


async def standing_requests(
    work: Work, subscriber_nos: Collection[int]
) -> Sequence[tuple[TierRequest, Tier]]:
    """Find the requests of several people that wait for an answer, each with what it asks for."""
    found = await work.session.execute(
        select(TierRequest, Tier)
        .join(Tier, Tier.no == TierRequest.tier_no)
        .where(TierRequest.subscriber_no.in_(subscriber_nos), *_waiting())
        .order_by(TierRequest.no)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def requests_of(work: Work, subscriber_no: int) -> Sequence[TierRequest]:
    """Give somebody's requests, oldest first. The caller has asked whether they may."""
    found = await work.session.scalars(
        select(TierRequest)
        .where(TierRequest.subscriber_no == subscriber_no)
        .order_by(TierRequest.no),
    )
    return found.all()


async def open_requests(work: Work) -> Sequence[tuple[TierRequest, Subscriber, Tier]]:
    """Give the requests that wait for an answer, oldest first.

    Only of people whom the actor may see and who are active: a sign-up that nobody has confirmed
    asks nothing of an organiser.
    """
    found = await work.session.execute(
        select(TierRequest, Subscriber, Tier)
        .join(Subscriber, Subscriber.no == TierRequest.subscriber_no)
        .join(Tier, Tier.no == TierRequest.tier_no)
        .where(*_waiting(), is_active(work.now), visible(work))
        .order_by(TierRequest.no),
    )
    return found.all()


async def unanswered(
    work: Work, before: datetime, limit: int
) -> Sequence[tuple[TierRequest, Subscriber]]:
    """Take the oldest requests that have waited since before a day, with who asked."""
    found = await work.session.execute(
        select(TierRequest, Subscriber)
        .join(Subscriber, Subscriber.no == TierRequest.subscriber_no)
        .where(*_waiting(), TierRequest.made_at < before, visible(work))
        .order_by(TierRequest.made_at)
        .limit(limit)
        .with_for_update(of=TierRequest, skip_locked=True)
    )
    return found.all()


async def waits_since(work: Work, before: datetime) -> bool:
    """Say whether any request has waited since before a day; locks nothing."""
    waits = exists().where(*_waiting(), TierRequest.made_at < before)
    return bool(await work.session.scalar(select(waits)))


async def answered_requests(
    work: Work, since: datetime, *, limit: int
) -> Sequence[tuple[TierRequest, Subscriber, Tier]]:
    """Give the requests that were answered since a day, newest first, of people in sight."""
    found = await work.session.execute(
        select(TierRequest, Subscriber, Tier)
        .join(Subscriber, Subscriber.no == TierRequest.subscriber_no)
        .join(Tier, Tier.no == TierRequest.tier_no)
        .where(TierRequest.answered_at >= since, visible(work))
        .order_by(TierRequest.answered_at.desc(), TierRequest.no.desc())
        .limit(limit),
    )
    return found.all()


# --- counts ---------------------------------------------------------------------------------------


async def counts(work: Work) -> dict[int, int]:
    """Count the active people whom the actor may see on each tier; a tier without any has 0.

    Who sees everybody is answered from indexes, without reading anybody's row.
    """
    if work.scope is None:
        theirs = select(ChosenTier.tier_no, func.count()).where(
            ChosenTier.subscriber_no.in_(subscribed(SubscriptionState.CONFIRMED)),
            ChosenTier.subscriber_no.not_in(out_of_reach(work)),
        )
    else:
        theirs = (
            select(ChosenTier.tier_no, func.count())
            .join(Subscriber, Subscriber.no == ChosenTier.subscriber_no)
            .where(is_active(work.now), visible(work))
        )
    found = dict((await work.session.execute(theirs.group_by(ChosenTier.tier_no))).all())
    return {tier.no: found.get(tier.no, 0) for tier in await ladder(work)}


async def moves_since(work: Work, since: datetime) -> dict[int, tuple[int, int]]:
    """Count, for each tier, who stepped up onto it or past it, and who stepped down from there.

    That is what crossed the line between the tier and the one below. Joining is no move, and one
    that was undone is none.
    """
    every = await every_tier(work)
    rank = {tier.no: tier.rank for tier in every}
    counted = [
        (rank[one.from_no], rank[one.to_no], one.count) for one in await movement.moves(work, since)
    ]
    return {
        tier.no: (
            sum(number for old, new, number in counted if old < tier.rank <= new),
            sum(number for old, new, number in counted if new < tier.rank <= old),
        )
        for tier in every
        if tier.closed_at is None
    }


async def through(work: Work, campaign_no: int) -> Through:
    """Count the moves and requests that a campaign caused."""
    up, down = _FROM.rank < _TO.rank, _FROM.rank > _TO.rank
    moved = await work.session.execute(
        select(_how_many(up), _how_many(down))
        .select_from(TierChange)
        .join(_FROM, _FROM.no == TierChange.from_no)
        .join(_TO, _TO.no == TierChange.to_no)
        .where(TierChange.campaign_no == campaign_no, *_stands()),
    )
    ups, downs = moved.one()
    requests = await work.session.scalar(
        select(func.count(TierRequest.no)).where(
            TierRequest.campaign_no == campaign_no, TierRequest.withdrawn_at.is_(None)
        ),
    )
    return Through(ups=ups, downs=downs, requests=requests or 0)


_FROM, _TO = aliased(Tier, name="left_tier"), aliased(Tier, name="reached_tier")


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _waiting() -> tuple[ColumnElement[Any], ...]:
    return (
        TierRequest.withdrawn_at.is_(None),
        TierRequest.answered_at.is_(None),
        TierRequest.expired_at.is_(None),
    )


def _stands() -> tuple[ColumnElement[Any], ...]:
    """Say that somebody moved and that it stands, in the words of the indexes of moves."""
    undo: ColumnElement[Source] = bindparam(None, Source.UNDO, literal_execute=True)
    return TierChange.undone_at.is_(None), TierChange.source != undo
