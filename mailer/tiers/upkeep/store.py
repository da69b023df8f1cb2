"""Every question about who is quiet, who is to be asked, and how far a walk has come."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from mailer.consent.store import is_active
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber, visible
from mailer.tiers.model import ChosenTier, Round, StillWithUs, Tier, TierHold, Yearly
from mailer.tiers.upkeep.living import gave_a_sign


class Stretch(msgspec.Struct, frozen=True):
    """The next people of a walk that it is about, and up to whom it looked; None at the end."""

    people: Sequence[tuple[int, str]]  # number and language
    last: int | None


# --- walks ----------------------------------------------------------------------------------------


async def is_due(work: Work, name: str, before: datetime) -> bool:
    """Say whether a walk is under way, or was begun last before a moment; locks nothing."""
    standing = await work.session.get(Round, name)
    return standing is None or standing.after_no is not None or standing.begun_at <= before


async def take_round(work: Work, name: str, before: datetime) -> Round | None:
    """Take a walk that is due, so that nobody else walks it now; None if somebody does."""
    fresh = {"name": name, "begun_at": before, "after_no": None, "left": 0}
    await add_missing(work, Round, [fresh])
    return await work.session.scalar(
        select(Round)
        .where(Round.name == name, or_(Round.after_no.is_not(None), Round.begun_at <= before))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


# --- who is quiet ---------------------------------------------------------------------------------


async def quiet(
    work: Work, tier: Tier, since: datetime, *, after: int, limit: int, most: int
) -> Stretch:
    """Give those of the next people on a tier who are to be asked whether they are still with us.

    They have stood there since before a moment, gave no sign of life since, may be written to, and
    nobody has asked them yet. A stretch of 300 takes 4 ms where a million stand on the tier.
    """
    last = await _last(
        work, ChosenTier.subscriber_no, ChosenTier.tier_no == tier.no, after=after, limit=limit
    )
    if last is None:
        return Stretch([], None)
    is_asked = exists().where(
        StillWithUs.subscriber_no == ChosenTier.subscriber_no, StillWithUs.ended_at.is_(None)
    )
    is_held = exists().where(TierHold.subscriber_no == ChosenTier.subscriber_no)
    found = await work.session.execute(
        select(Subscriber.no, Subscriber.language)
        .join(ChosenTier, ChosenTier.subscriber_no == Subscriber.no)
        .where(
            ChosenTier.tier_no == tier.no,
            ChosenTier.subscriber_no > after,
            ChosenTier.subscriber_no <= last,
            ChosenTier.since <= since,
            ~gave_a_sign(ChosenTier.subscriber_no, since),
            ~is_asked,
            ~is_held,
            is_active(work.now),
            visible(work),
        )
        .order_by(ChosenTier.subscriber_no)
        .limit(most)
    )
    return Stretch([(no, language) for no, language in found], last)


async def due_questions(work: Work, limit: int) -> Sequence[StillWithUs]:
    """Take the questions whose next step is due, the longest first; others take others."""
    found = await work.session.scalars(
        select(StillWithUs)
        .where(StillWithUs.ended_at.is_(None), StillWithUs.next_at <= work.now)
        .order_by(StillWithUs.next_at, StillWithUs.no)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def is_a_question_due(work: Work) -> bool:
    """Say whether any is; locks nothing."""
    due = exists().where(StillWithUs.ended_at.is_(None), StillWithUs.next_at <= work.now)
    return bool(await work.session.scalar(select(due)))


async def heard_from(work: Work, questions: Collection[int]) -> set[int]:
    """Give those of these questions whose people gave a sign of life since they were asked."""
    found = await work.session.scalars(
        select(StillWithUs.no).where(
            StillWithUs.no.in_(questions),
            gave_a_sign(StillWithUs.subscriber_no, StillWithUs.asked_at),
        )
    )
    return set(found)


async def is_asked(work: Work, subscriber_no: int) -> bool:
    """Say whether somebody is asked just now whether they are still with us."""
    standing = exists().where(
        StillWithUs.subscriber_no == subscriber_no, StillWithUs.ended_at.is_(None)
    )
    return bool(await work.session.scalar(select(standing)))


async def active_of(work: Work, subscriber_nos: Collection[int]) -> set[int]:
    """Give those of these people who may be written to."""
    found = await work.session.scalars(
        select(Subscriber.no).where(
            Subscriber.no.in_(subscriber_nos), is_active(work.now), visible(work)
        )
    )
    return set(found)


# --- the letter of the year -----------------------------------------------------------------------


async def not_told_since(
    work: Work, before: datetime, *, after: int, limit: int, most: int
) -> Stretch:
    """Give those of the next people who joined before a moment and were not told since.

    They may be written to, and no letter of the year went to them after that moment.
    """
    last = await _last(work, Subscriber.no, visible(work), after=after, limit=limit)
    if last is None:
        return Stretch([], None)
    told = (
        exists()
        .where(Yearly.subscriber_no == Subscriber.no, Yearly.at > before)
        .correlate(Subscriber)
    )
    found = await work.session.execute(
        select(Subscriber.no, Subscriber.language)
        .where(
            Subscriber.no > after,
            Subscriber.no <= last,
            Subscriber.joined_at <= before,
            ~told,
            is_active(work.now),
            visible(work),
        )
        .order_by(Subscriber.no)
        .limit(most)
    )
    return Stretch([(no, language) for no, language in found], last)


async def note_told(work: Work, subscriber_nos: Collection[int]) -> None:
    """Note that these people were told today."""
    await work.session.execute(
        update(Yearly)
        .where(Yearly.subscriber_no.in_(subscriber_nos))
        .values(at=work.now)
        .execution_options(synchronize_session=False)
    )
    rows = [{"subscriber_no": no, "at": work.now} for no in subscriber_nos]
    await add_missing(work, Yearly, rows)


async def _last(
    work: Work,
    column: InstrumentedAttribute[int],
    condition: ColumnElement[bool],
    *,
    after: int,
    limit: int,
) -> int | None:
    """Find the number up to which the next stretch reaches."""
    numbers = (
        select(column.label("no"))
        .where(condition, column > after)
        .order_by(column)
        .limit(limit)
        .subquery()
    )
    last: int | None = await work.session.scalar(select(func.max(numbers.c.no)))
    return last
