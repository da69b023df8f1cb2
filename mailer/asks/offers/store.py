"""Every question about offers, and the statement that finds everybody's best ask."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute

from mailer.asks.model import Ask, AskFor, Offer, OfferTally, Pledge
from mailer.groups.model import Group, GroupKind
from mailer.kit.work import Work
from mailer.subscribers.model import GroupRole, Membership
from mailer.tiers import store as tiers
from mailer.tiers.model import ChosenTier, Tier

_PLACES = 16
"""Asks that one statement can choose among."""

_NONE = 2**62
"""The rank of nothing: above that of every ask."""


async def write_best(
    work: Work, campaign_no: int, recipients: Select[int], among: Sequence[Ask]
) -> None:
    """Write down each recipient's best ask among some; who has none gets no row.

    `recipients` gives the numbers of people. One statement; what each has answered, was offered and
    belongs to is added up once for all, so that its cost hardly grows with the number of asks.
    """
    every = await tiers.every_tier(work)
    await _write(work, campaign_no, recipients, [(ask, _fitting(ask, every)) for ask in among])


async def write_one(work: Work, campaign_no: int, recipients: Select[int], ask: Ask) -> None:
    """Write down that a campaign offers one ask to all who get it and may be offered it.

    However long it takes: an organiser chose it.
    """
    every = await tiers.every_tier(work)
    levels = [one.no for one in every if one.rank >= _least(ask, every)]
    await _write(work, campaign_no, recipients, [(ask, levels)])


async def _write(
    work: Work,
    campaign_no: int,
    recipients: Select[int],
    among: Sequence[tuple[Ask, Collection[int]]],
) -> None:
    if not among:
        return
    best = await _best(work, recipients, among)
    await work.session.execute(
        insert(Offer).from_select(
            ["campaign_no", "subscriber_no", "ask_no", "at"],
            select(
                literal(campaign_no),
                best.c.no,
                _ask_at(best.c.rank, among),
                literal(work.now, Offer.at.type),
            )
            .where(best.c.rank < _NONE)
            .order_by(best.c.no),
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
    if not among:
        return None
    every = await tiers.every_tier(work)
    fitting = [(ask, _fitting(ask, every)) for ask in among]
    best = await _best(work, select(literal(subscriber_no)), fitting, only=subscriber_no)
    rank = await work.session.scalar(select(best.c.rank))
    return None if rank is None or rank == _NONE else among[rank % _PLACES]


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


async def _best(
    work: Work,
    recipients: Select[int],
    among: Sequence[tuple[Ask, Collection[int]]],
    *,
    only: int | None = None,
) -> Subquery:
    """Give each recipient with the rank of their best ask, `_NONE` where there is none.

    `among` are the asks, each with the levels on which it may be offered. A rank is one number, so
    that the best is the least. It is made of the last campaign that offered the ask to them (0:
    none did), and the place of the ask among the others. `only`: they are this one person.
    """
    every = await tiers.every_tier(work)
    lowest = next(one for one in every if one.closed_at is None)
    people = recipients.subquery("people")
    no = people.columns[0]
    answered = _answered([ask for ask, _levels in among], only)
    offered = _offered([ask for ask, _levels in among], only)
    belongs = _belongs(only)
    ranks = [
        case(
            (
                and_(
                    _stands_on(levels, lowest),
                    func.coalesce(answered.c[f"ask{place}"], 0) == 0,
                    _is_for(ask, belongs),
                ),
                func.coalesce(offered.c[f"ask{place}"], 0) * _PLACES + place,
            ),
            else_=_NONE,
        )
        for place, (ask, levels) in enumerate(among)
    ]
    on_postgres = work.session.get_bind().dialect.name == "postgresql"
    least = func.least if on_postgres else func.min
    return (
        select(no.label("no"), least(literal(_NONE), *ranks).label("rank"))
        .outerjoin_from(people, ChosenTier, ChosenTier.subscriber_no == no)
        .outerjoin(answered, answered.c.no == no)
        .outerjoin(offered, offered.c.no == no)
        .outerjoin(belongs, belongs.c.no == no)
        .subquery("best")
    )


def _answered(asks: Sequence[Ask], only: int | None) -> Subquery:
    """Say of each person which asks they said yes or no to, also if they took it back.

    Nobody is asked twice; but whose only answer was undone, and for whom time has opened it again,
    has not answered.
    """
    return _of_each(
        Pledge.subscriber_no,
        [case((Pledge.ask_no == ask.no, 1), else_=0) for ask in asks],
        select().where(Pledge.ask_no.in_([ask.no for ask in asks]), Pledge.is_answered),
        only,
    ).subquery("answered")


def _offered(asks: Sequence[Ask], only: int | None) -> Subquery:
    """Give for each person the last campaigns that offered them these asks, 0 for none."""
    return _of_each(
        Offer.subscriber_no,
        [case((Offer.ask_no == ask.no, Offer.campaign_no), else_=0) for ask in asks],
        select().where(Offer.ask_no.in_([ask.no for ask in asks])),
        only,
    ).subquery("offered")


def _of_each(
    person: InstrumentedAttribute[int],
    values: Sequence[ColumnElement[int]],
    rows: Select[()],
    only: int | None,
) -> Select[Any]:
    """Give the most of each value among the rows of each person."""
    columns = [func.max(value).label(f"ask{place}") for place, value in enumerate(values)]
    found = rows.add_columns(person.label("no"), *columns).group_by(person)
    return found if only is None else found.where(person == only)


def _stands_on(levels: Collection[int], lowest: Tier) -> ColumnElement[bool]:
    """Say whether somebody's level is among some; whoever has none yet is asked as on the lowest.

    Not by `coalesce`: PostgreSQL would expect one in a hundred to pass, and then look into an index
    for each person instead of reading a table once.
    """
    on = ChosenTier.tier_no.in_(levels)
    return or_(on, ChosenTier.tier_no.is_(None)) if lowest.no in levels else on


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


async def takes_too_long(work: Work, ask: Ask) -> bool:
    """Say whether an ask takes more time than any open level gives: the highest alone is left."""
    every = await tiers.every_tier(work)
    most = max(one.minutes for one in every if one.closed_at is None)
    return ask.minutes is not None and ask.minutes > most


def _least(ask: Ask, every: Sequence[Tier]) -> int:
    """Give the rank from which on people may be asked."""
    return next((one.rank for one in every if one.no == ask.minimum_tier_no), 0)


_ORGANISED = (GroupKind.UNION, GroupKind.BRANCH, GroupKind.CHAPTER, GroupKind.FEDERATION)
_SPEAKS = (GroupRole.OFFICER, GroupRole.CONTACT)


def _belongs(only: int | None) -> Subquery:
    """Say of each person in which ways they belong to groups that are not closed."""
    # A group of which nobody said what it is counts as a union's: most are.
    organised = or_(Group.kind.in_(_ORGANISED), Group.kind.is_(None))
    speaks = Membership.role.in_(_SPEAKS)
    local = Group.kind.in_((GroupKind.BRANCH, GroupKind.CHAPTER))
    ways = {
        AskFor.MEMBER: organised,
        AskFor.REP: Membership.role == GroupRole.REP,
        AskFor.BRANCH: and_(local, speaks),
        AskFor.FEDERATION: and_(Group.kind == GroupKind.FEDERATION, speaks),
    }
    found = (
        select(
            Membership.subscriber_no.label("no"),
            *[func.max(case((how, 1), else_=0)).label(whom.value) for whom, how in ways.items()],
        )
        .join(Group, Group.no == Membership.group_no)
        .where(Group.closed_at.is_(None))
        .group_by(Membership.subscriber_no)
    )
    if only is not None:
        found = found.where(Membership.subscriber_no == only)
    return found.subquery("belongs")


def _is_for(ask: Ask, belongs: Subquery) -> ColumnElement[bool]:
    """Say whether somebody is among those for whom an ask is meant. For nobody named: everybody."""
    if not ask.audience:
        return true()
    return or_(*[_is(AskFor(one), belongs) for one in ask.audience])


def _is(whom: AskFor, belongs: Subquery) -> ColumnElement[bool]:
    if whom is AskFor.ALLY:
        return func.coalesce(belongs.c[AskFor.MEMBER.value], 0) == 0
    return func.coalesce(belongs.c[whom.value], 0) == 1


def _ask_at(
    rank: ColumnElement[int], among: Sequence[tuple[Ask, Collection[int]]]
) -> ColumnElement[int]:
    """Give the number of the ask that has a rank."""
    places = {place: ask.no for place, (ask, _levels) in enumerate(among)}
    return case(places, value=rank % _PLACES)
