"""Counting moves between rungs."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, bindparam, func, select

from mailer.kit.work import Work
from mailer.subscribers.model import Membership, Subscriber, visible
from mailer.tiers.model import Source, TierChange


class Moves(msgspec.Struct, frozen=True):
    """So many moved from one rung to another in one way."""

    from_no: int
    to_no: int
    source: Source
    count: int


class Cause(msgspec.Struct, frozen=True):
    """What brought moves about: a mail whose link was followed, an ask whose answer led there."""

    campaign_no: int | None = None
    ask_no: int | None = None


ANY = Cause()


async def moves(
    work: Work, since: datetime, until: datetime | None = None, *, why: Cause = ANY
) -> list[Moves]:
    """Count the moves from one moment (to before another) of people whom the actor may see.

    Told from an index alone where everybody is in sight; of one cause from those it brought about.
    """
    counted = (
        select(TierChange.from_no, TierChange.to_no, TierChange.source, func.count())
        .where(*_in(since, until, why))
        .group_by(TierChange.from_no, TierChange.to_no, TierChange.source)
    )
    if work.scope is not None:
        counted = counted.join(Subscriber, Subscriber.no == TierChange.subscriber_no).where(
            visible(work)
        )
    found = await work.session.execute(counted)
    return [
        Moves(from_no, to_no, source, count)
        for from_no, to_no, source, count in found
        if from_no is not None
    ]


async def moves_of_groups(
    work: Work, since: datetime, until: datetime, *, why: Cause = ANY
) -> Sequence[tuple[int, int, int, int]]:
    """Count the moves of each group's people: group, from, to, and how many.

    Whoever is in two groups counts in both. Only of groups that the actor looks after.
    """
    counted = (
        select(Membership.group_no, TierChange.from_no, TierChange.to_no, func.count())
        .join(Membership, Membership.subscriber_no == TierChange.subscriber_no)
        .where(*_in(since, until, why))
        .group_by(Membership.group_no, TierChange.from_no, TierChange.to_no)
    )
    if work.scope is not None:
        counted = counted.where(Membership.group_no.in_(work.scope))
    found = await work.session.execute(counted)
    return [
        (group_no, from_no, to_no, count)
        for group_no, from_no, to_no, count in found
        if from_no is not None
    ]


def _in(since: datetime, until: datetime | None, why: Cause) -> tuple[ColumnElement[bool], ...]:
    """Say that somebody moved then and that it stands, in the words of the indexes."""
    undo: ColumnElement[Source] = bindparam(None, Source.UNDO, literal_execute=True)
    return (
        TierChange.made_at >= since,
        *([] if why.campaign_no is None else [TierChange.campaign_no == why.campaign_no]),
        *([] if why.ask_no is None else [TierChange.ask_no == why.ask_no]),
        *([] if until is None else [TierChange.made_at < until]),
        TierChange.from_no.is_not(None),
        TierChange.undone_at.is_(None),
        TierChange.source != undo,
    )
