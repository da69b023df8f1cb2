"""Every question about what time has brought: what is over, asked again, or to be forgotten."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select, update

from mailer.asks.model import IS_DONE, Ask, AskState, Pledge, PledgeChange, PledgeState, Turn
from mailer.kit.work import Work

# --- asks -----------------------------------------------------------------------------------------


async def asks_over(work: Work) -> Sequence[Ask]:
    """Give the open asks whose deadline has gone by."""
    found = await work.session.scalars(
        select(Ask).where(Ask.state == AskState.OPEN, Ask.deadline < work.now).order_by(Ask.no)
    )
    return found.all()


async def repeating(work: Work) -> Sequence[Ask]:
    """Give the open asks that are asked again some days after they were done."""
    found = await work.session.scalars(
        select(Ask)
        .where(
            Ask.state == AskState.OPEN,
            Ask.turn == Turn.REPEAT,
            or_(Ask.deadline.is_(None), Ask.deadline >= work.now),
        )
        .order_by(Ask.no)
    )
    return found.all()


# --- what is asked again --------------------------------------------------------------------------


def _is_due_again(work: Work, ask: Ask) -> tuple[ColumnElement[bool], ...]:
    """Say whether a pledge to a repeating ask was done long enough ago to be asked for again."""
    assert ask.repeat_days is not None
    return (
        Pledge.ask_no == ask.no,
        Pledge.done_at <= work.now - timedelta(days=ask.repeat_days),
        Pledge.state.in_(IS_DONE),
    )


async def is_any_due_again(work: Work, ask: Ask) -> bool:
    """Say whether a repeating ask is to be asked again of anybody; locks nothing."""
    return bool(await work.session.scalar(select(exists().where(*_is_due_again(work, ask)))))


async def due_again(work: Work, ask: Ask, *, limit: int) -> Sequence[Pledge]:
    """Give the next pledges that are to be opened again, as they are now, the oldest first."""
    found = await work.session.scalars(
        select(Pledge)
        .where(*_is_due_again(work, ask))
        .order_by(Pledge.done_at, Pledge.subscriber_no)
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return found.all()


# --- the days of those who have none --------------------------------------------------------------


async def asks_without_days(work: Work) -> Sequence[int]:
    """Give the asks without a deadline to which somebody said yes who has no day of ours either."""
    found = await work.session.scalars(
        select(Ask.no)
        .where(
            Ask.state != AskState.DRAFT,
            Ask.deadline.is_(None),
            exists().where(Pledge.ask_no == Ask.no, *_HAS_NO_DAY),
        )
        .order_by(Ask.no)
    )
    return found.all()


async def give_day(work: Work, ask_no: int, day: datetime, *, limit: int) -> int:
    """Give a day of ours to some of an ask's people who have none; count them."""
    some = select(Pledge.no).where(Pledge.ask_no == ask_no, *_HAS_NO_DAY).limit(limit)
    given = await work.session.scalars(
        update(Pledge)
        .where(Pledge.no.in_(some), *_HAS_NO_DAY)
        .values(due_at=day, is_our_day=True)
        .returning(Pledge.no)
        .execution_options(synchronize_session=False)
    )
    return len(given.all())


_HAS_NO_DAY = (
    Pledge.state.in_((PledgeState.PLEDGED, PledgeState.IN_PROGRESS)),
    Pledge.is_answered,
    Pledge.due_at.is_(None),
)


async def asks_with_days(work: Work) -> Sequence[int]:
    """Give the asks with a deadline to come to which somebody has a day of ours."""
    found = await work.session.scalars(
        select(Ask.no)
        .where(
            Ask.state != AskState.DRAFT,
            Ask.deadline > work.now,
            exists().where(Pledge.ask_no == Ask.no, Pledge.is_our_day),
        )
        .order_by(Ask.no)
    )
    return found.all()


async def take_day(work: Work, ask_no: int, *, limit: int) -> int:
    """Let the deadline of an ask count for some of its people who have a day of ours; count them.

    They are asked about that date too, if they were asked before.
    """
    some = select(Pledge.no).where(Pledge.ask_no == ask_no, Pledge.is_our_day).limit(limit)
    taken = await work.session.scalars(
        update(Pledge)
        .where(Pledge.no.in_(some), Pledge.is_our_day)
        .values(due_at=None, is_our_day=False)
        .returning(Pledge.no)
        .execution_options(synchronize_session=False)
    )
    return len(taken.all())


# --- words that nothing puts back any more --------------------------------------------------------


async def is_any_word_over(work: Work, before: datetime) -> bool:
    """Say whether words are kept with a step that was made before a moment; locks nothing."""
    return bool(await work.session.scalar(select(exists().where(_keeps_words(before)))))


async def words_over(work: Work, before: datetime, *, limit: int) -> Sequence[PledgeChange]:
    """Give some of the steps from before a moment with which words are kept, the oldest first."""
    found = await work.session.scalars(
        select(PledgeChange)
        .where(_keeps_words(before))
        .order_by(PledgeChange.at, PledgeChange.no)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return found.all()


def _keeps_words(before: datetime) -> ColumnElement[bool]:
    return and_(PledgeChange.keeps_words, PledgeChange.at < before)
