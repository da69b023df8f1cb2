"""Choosing: which ask a campaign offers to whom.

Each person's best open ask is one that they have not answered, that is meant for people like them
and for their level, and that fits into the minutes a month for which their level asks. Of those it
is the one that was offered to them least recently, and what never was before what was; among equals
the one with the nearest deadline. Where none is left, nothing is offered.
"""

from collections.abc import Sequence

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
)

from mailer.asks import store
from mailer.asks.model import Ask, AskFor, Offer, OfferTally, Pledge
from mailer.groups.model import Group, GroupKind
from mailer.kit.work import Work
from mailer.subscribers.model import GroupRole, Membership
from mailer.tiers import store as tiers
from mailer.tiers.model import ChosenTier, Tier

AT_MOST = 12
"""Asks among which a campaign chooses: each stands in what is compiled, in every language."""

_PLACES = 16  # more than `AT_MOST`


async def candidates(work: Work) -> Sequence[Ask]:
    """Give the open asks that have room, the nearest deadline first; 12 at most."""
    found = await store.open_asks(work)
    return [one for one in found if await _has_room(work, one)][:AT_MOST]


async def _has_room(work: Work, ask: Ask) -> bool:
    return ask.capacity is None or await store.standing(work, ask.no) < ask.capacity


async def choose(
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


async def offer(work: Work, campaign_no: int, recipients: Select[int], ask: Ask) -> None:
    """Write down that a campaign offers one ask to everybody who gets it."""
    people = recipients.subquery("people")
    await work.session.execute(
        insert(Offer).from_select(
            ["campaign_no", "subscriber_no", "ask_no", "at"],
            select(
                literal(campaign_no),
                people.columns[0],
                literal(ask.no),
                literal(work.now, Offer.at.type),
            ),
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


async def best_for(work: Work, subscriber_no: int) -> Ask | None:
    """Give the best open ask of one person, by the same rule. The caller asked whether they may."""
    among = await candidates(work)
    ranked = await _ranked(work, select(literal(subscriber_no)), among)
    if ranked is None:
        return None
    found = await work.session.scalar(select(_ask_at(func.min(ranked.c.rank), among)))
    return next((one for one in among if one.no == found), None)


async def forget(work: Work, campaign_no: int) -> None:
    """Take back what a campaign was to offer: it goes back to draft."""
    for table in (Offer, OfferTally):
        await work.session.execute(
            delete(table)
            .where(table.campaign_no == campaign_no)
            .execution_options(synchronize_session=False)
        )


# --- the rule -------------------------------------------------------------------------------------


async def _ranked(work: Work, recipients: Select[int], among: Sequence[Ask]) -> Subquery | None:
    """Give for each person the asks that they may be offered, each with its rank.

    A rank is one number, so that the best is the least: a grouping by hash, and no sorting. It is
    made of the last campaign that offered the ask to them (0: none did), and the place of the ask
    among the others.
    """
    every = await tiers.every_tier(work)
    lowest = next(one for one in every if one.closed_at is None)
    people = recipients.subquery("people")
    no = people.columns[0]
    # Whoever stands on no level yet is asked as on the lowest.
    level = func.coalesce(ChosenTier.tier_no, lowest.no)
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
            .where(level.in_(fitting), ~_has_answered(ask, no), is_for(ask, no))
        )
    return union_all(*ranked).subquery("ranked") if ranked else None


def _fitting(ask: Ask, every: Sequence[Tier]) -> list[int]:
    """Give the levels whose people have the time for an ask, and stand high enough for it."""
    least = next((one.rank for one in every if one.no == ask.minimum_tier_no), 0)
    return [
        one.no
        for one in every
        if one.rank >= least and (ask.minutes is None or ask.minutes <= one.minutes)
    ]


def _has_answered(ask: Ask, no: ColumnElement[int]) -> ColumnElement[bool]:
    """Say whether somebody said yes or no, also if they took it back: nobody is asked twice."""
    return exists().where(Pledge.subscriber_no == no, Pledge.ask_no == ask.no)


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
