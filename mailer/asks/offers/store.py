"""Every question about offers, and the statement that finds everybody's best ask."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    union_all,
    update,
)

from mailer.asks.model import Ask, AskFor, Offer, OfferTally, Pledge
from mailer.groups.model import Group, GroupKind
from mailer.kit.work import Work
from mailer.subscribers.model import GroupRole, Membership
from mailer.tiers import store as tiers
from mailer.tiers.model import ChosenTier, Tier

_PLACES = 16
"""Asks that one statement can choose among."""


async def write_best(
    work: Work, campaign_no: int, recipients: Select[int], among: Sequence[Ask]
) -> None:
    """Write down each recipient's best ask among some; who has none gets no row.

    `recipients` gives the numbers of people. One statement, which looks twice into indexes for each
    person and each ask: its cost grows with the people times the asks.
    """
    ranked = await _ranked(work, recipients, among)
    if ranked is None:
        return
    await work.session.execute(
        insert(Offer).from_select(
            ["campaign_no", "subscriber_no", "ask_no", "at"],
            select(
                literal(campaign_no),
                ranked.c.subscriber_no,
                _ask_at(func.min(ranked.c.rank), among),
                literal(work.now, Offer.at.type),
            )
            .group_by(ranked.c.subscriber_no)
            .order_by(ranked.c.subscriber_no),
            include_defaults=False,
        )
    )
    await _tally(work, campaign_no)


async def write_one(work: Work, campaign_no: int, recipients: Select[int], ask: Ask) -> None:
    """Write down that a campaign offers one ask to all who get it and may be offered it.

    However long it takes: an organiser chose it.
    """
    every = await tiers.every_tier(work)
    people = recipients.subquery("people")
    no = people.columns[0]
    fitting = [one.no for one in every if one.rank >= _least(ask, every)]
    await work.session.execute(
        insert(Offer).from_select(
            ["campaign_no", "subscriber_no", "ask_no", "at"],
            select(literal(campaign_no), no, literal(ask.no), literal(work.now, Offer.at.type))
            .outerjoin_from(people, ChosenTier, ChosenTier.subscriber_no == no)
            .where(*_may_be_offered(ask, no, fitting, _lowest(every))),
            include_defaults=False,
        )
    )
    await _tally(work, campaign_no)


async def _tally(work: Work, campaign_no: int) -> None:
    counted = (
        select(
            literal(campaign_no),
            Offer.ask_no,
            func.count(),
            literal(work.now, OfferTally.at.type),
        )
        .where(Offer.campaign_no == campaign_no)
        .group_by(Offer.ask_no)
    )
    await work.session.execute(
        insert(OfferTally).from_select(
            ["campaign_no", "ask_no", "count", "at"], counted, include_defaults=False
        )
    )


async def best_for(work: Work, subscriber_no: int, among: Sequence[Ask]) -> Ask | None:
    """Give one person's best ask among some, by the same rule."""
    ranked = await _ranked(work, select(literal(subscriber_no)), among)
    if ranked is None:
        return None
    found = await work.session.scalar(select(_ask_at(func.min(ranked.c.rank), among)))
    return next((one for one in among if one.no == found), None)


async def forget(work: Work, campaign_no: int) -> None:
    """Forget what a campaign offered to whom, and how often."""
    for table in (Offer, OfferTally):
        await work.session.execute(
            delete(table)
            .where(table.campaign_no == campaign_no)
            .execution_options(synchronize_session=False)
        )


async def take_back(work: Work, campaign_no: int, people: Select[int]) -> None:
    """Forget what a campaign was to offer to some, and count it among its offers no more."""
    gone = await work.session.scalars(
        delete(Offer)
        .where(Offer.campaign_no == campaign_no, Offer.subscriber_no.in_(people))
        .returning(Offer.ask_no)
        .execution_options(synchronize_session=False)
    )
    for ask_no, count in Counter(gone.all()).items():
        await work.session.execute(
            update(OfferTally)
            .where(OfferTally.campaign_no == campaign_no, OfferTally.ask_no == ask_no)
            .values(count=OfferTally.count - count)
            .execution_options(synchronize_session=False)
        )


async def offered(work: Work, campaign_no: int, subscriber_nos: Collection[int]) -> dict[int, int]:
    """Give the asks that a campaign offers to several people, by the number of each person."""
    found = await work.session.execute(
        select(Offer.subscriber_no, Offer.ask_no).where(
            Offer.campaign_no == campaign_no, Offer.subscriber_no.in_(subscriber_nos)
        )
    )
    return dict(found.all())


async def offers_by(work: Work, campaign_no: int) -> dict[int, int]:
    """Count whom a campaign offers each of its asks, by the number of the ask."""
    counted = await work.session.execute(
        select(OfferTally.ask_no, OfferTally.count).where(OfferTally.campaign_no == campaign_no)
    )
    return dict(counted.all())


async def offers_to(work: Work, subscriber_no: int) -> Sequence[Offer]:
    """Give what was offered to somebody, oldest first. The caller has asked whether they may."""
    found = await work.session.scalars(
        select(Offer).where(Offer.subscriber_no == subscriber_no).order_by(Offer.campaign_no)
    )
    return found.all()


async def hand_offers_over(
    work: Work, from_no: int, to_no: int, campaign_nos: Collection[int]
) -> None:
    """Count what some campaigns offered to one person among what was offered to another."""
    await work.session.execute(
        update(Offer)
        .where(Offer.subscriber_no == from_no, Offer.campaign_no.in_(campaign_nos))
        .values(subscriber_no=to_no)
        .execution_options(synchronize_session=False)
    )


async def is_an_offer_older(work: Work, before: datetime) -> bool:
    """Say whether offers from before a moment are still kept."""
    return await _oldest_kept(work, before) is not None


async def forget_offers(work: Work, before: datetime, *, limit: int) -> int:
    """Forget offers from before a moment, some at a time; what they add up to stays."""
    campaign_no = await _oldest_kept(work, before)
    if campaign_no is None:
        return 0
    some = (
        select(Offer.subscriber_no)
        .where(Offer.campaign_no == campaign_no)
        .order_by(Offer.subscriber_no)
        .limit(limit)
    )
    gone = await work.session.scalars(
        delete(Offer)
        .where(Offer.campaign_no == campaign_no, Offer.subscriber_no.in_(some))
        .returning(Offer.subscriber_no)
        .execution_options(synchronize_session=False)
    )
    count = len(gone.all())
    if count < limit:
        await work.session.execute(
            update(OfferTally)
            .where(OfferTally.campaign_no == campaign_no)
            .values(forgotten_at=work.now)
            .execution_options(synchronize_session=False)
        )
    return count


async def _oldest_kept(work: Work, before: datetime) -> int | None:
    return await work.session.scalar(
        select(OfferTally.campaign_no)
        .where(OfferTally.forgotten_at.is_(None), OfferTally.at < before)
        .order_by(OfferTally.at)
        .limit(1)
    )


# --- the rule -------------------------------------------------------------------------------------


async def _ranked(work: Work, recipients: Select[int], among: Sequence[Ask]) -> Subquery | None:
    """Give for each person the asks that they may be offered, each with its rank.

    A rank is one number, so that the best is the least: a grouping by hash, and no sorting. It is
    made of the last campaign that offered the ask to them (0: none did), and the place of the ask
    among the others.
    """
    every = await tiers.every_tier(work)
    lowest = _lowest(every)
    people = recipients.subquery("people")
    no = people.columns[0]
    ranked = []
    for place, ask in enumerate(among):
        fitting = _fitting(ask, every)
        if not fitting:
            continue
        offered = (
            select(func.max(Offer.campaign_no))
            .where(Offer.subscriber_no == no, Offer.ask_no == ask.no)
            .scalar_subquery()
        )
        rank = func.coalesce(offered, 0) * _PLACES + place
        ranked.append(
            select(no.label("subscriber_no"), rank.label("rank"))
            .outerjoin_from(people, ChosenTier, ChosenTier.subscriber_no == no)
            .where(*_may_be_offered(ask, no, fitting, lowest))
        )
    return union_all(*ranked).subquery("ranked") if ranked else None


def _lowest(every: Sequence[Tier]) -> Tier:
    return next(one for one in every if one.closed_at is None)


def _may_be_offered(
    ask: Ask, no: ColumnElement[int], fitting: Collection[int], lowest: Tier
) -> tuple[ColumnElement[bool], ...]:
    """Say that somebody is of the right levels, has not answered, and is of those it is for."""
    return _stands_on(fitting, lowest), ~_has_answered(ask, no), is_for(ask, no)


def _stands_on(fitting: Collection[int], lowest: Tier) -> ColumnElement[bool]:
    """Say whether somebody's level is among some; whoever has none yet is asked as on the lowest.

    Not by `coalesce`: PostgreSQL would expect one in a hundred to pass, and then look into an index
    for each person instead of reading a table once.
    """
    on = ChosenTier.tier_no.in_(fitting)
    return or_(on, ChosenTier.tier_no.is_(None)) if lowest.no in fitting else on


def _fitting(ask: Ask, every: Sequence[Tier]) -> list[int]:
    """Give the levels whose people have the time for an ask, and stand high enough for it.

    Nobody is asked for more than the minutes of their level, but on the highest: whoever stands
    there may be offered anything, or what takes a day would be offered to nobody.
    """
    highest = max(one.rank for one in every if one.closed_at is None)
    least = _least(ask, every)
    return [
        one.no
        for one in every
        if one.rank >= least
        and (ask.minutes is None or ask.minutes <= one.minutes or one.rank >= highest)
    ]


async def fits_a_level(work: Work, ask: Ask) -> bool:
    """Say whether there is an open level whose people have the time, and stand high enough."""
    every = await tiers.every_tier(work)
    open_ = {one.no for one in every if one.closed_at is None}
    return not open_.isdisjoint(_fitting(ask, every))


def _least(ask: Ask, every: Sequence[Tier]) -> int:
    """Give the rank from which on people may be asked."""
    return next((one.rank for one in every if one.no == ask.minimum_tier_no), 0)


def _has_answered(ask: Ask, no: ColumnElement[int]) -> ColumnElement[bool]:
    """Say whether somebody said yes or no, also if they took it back: nobody is asked twice.

    But for those whose only answer was undone, and those for whom time has opened it again.
    """
    return exists().where(Pledge.subscriber_no == no, Pledge.ask_no == ask.no, Pledge.is_answered)


def is_for(ask: Ask, no: ColumnElement[int]) -> ColumnElement[bool]:
    """Say whether somebody is among those for whom an ask is meant. For nobody named: everybody."""
    if not ask.audience:
        return true()
    return or_(*[_is(AskFor(one), no) for one in ask.audience])


_ORGANISED = (GroupKind.UNION, GroupKind.BRANCH, GroupKind.CHAPTER, GroupKind.FEDERATION)
_SPEAKS = (GroupRole.OFFICER, GroupRole.CONTACT)


def _is(whom: AskFor, no: ColumnElement[int]) -> ColumnElement[bool]:
    # A group of which nobody said what it is counts as a union's: most are.
    is_organised = or_(Group.kind.in_(_ORGANISED), Group.kind.is_(None))
    match whom:
        case AskFor.MEMBER:
            return _belongs(no, is_organised)
        case AskFor.REP:
            return _belongs(no, Membership.role == GroupRole.REP)
        case AskFor.BRANCH:
            local = Group.kind.in_((GroupKind.BRANCH, GroupKind.CHAPTER))
            return _belongs(no, local, Membership.role.in_(_SPEAKS))
        case AskFor.FEDERATION:
            return _belongs(no, Group.kind == GroupKind.FEDERATION, Membership.role.in_(_SPEAKS))
        case AskFor.ALLY:
            return ~_belongs(no, is_organised)


def _belongs(no: ColumnElement[int], *how: ColumnElement[bool]) -> ColumnElement[bool]:
    """Say whether somebody belongs to a group that is not closed, in some way."""
    return exists().where(
        Membership.subscriber_no == no,
        Group.no == Membership.group_no,
        Group.closed_at.is_(None),
        *how,
    )


def _ask_at(rank: ColumnElement[int], among: Sequence[Ask]) -> ColumnElement[int]:
    """Give the number of the ask that has a rank."""
    places = {place: ask.no for place, ask in enumerate(among)}
    return case(places, value=rank % _PLACES)
