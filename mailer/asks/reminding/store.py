"""Whom a letter about a date is due for, and that it is owed."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Select, and_, exists, func, select, update

from mailer.asks.model import Ask, AskState, Pledge, PledgeChange, PledgeState
from mailer.asks.reminding.model import MOST_REMINDERS, QUIET_FOR, WAITS, Occasion
from mailer.asks.telling import HEAR
from mailer.consent.store import has_address, is_paused_at, state_now
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber, visible
from mailer.tiers.model import Round
from mailer.tiers.upkeep.rounds import EVERY


class Waiting(msgspec.Struct, frozen=True):
    """Somebody who has something to do by a date."""

    pledge_no: int
    subscriber_no: int
    language: str
    paused_until: datetime | None


class Owed(msgspec.Struct, frozen=True):
    """A letter about the date of a pledge, which is noted and to be posted."""

    waiting: Waiting
    due: datetime


async def asks_due(work: Work, occasion: Occasion) -> Sequence[Ask]:
    """Give the asks whose deadline is such that the letter is due."""
    after, until = occasion.span(work.now)
    states = [AskState.OPEN] if occasion.is_reminder else [AskState.OPEN, AskState.CLOSED]
    found = await work.session.scalars(
        select(Ask)
        .where(Ask.deadline > after, Ask.deadline <= until, Ask.state.in_(states))
        .order_by(Ask.no)
    )
    return found.all()


async def walked_lately(work: Work, names: Collection[str]) -> set[str]:
    """Give those of these walks that have come to their end within the day."""
    found = await work.session.scalars(
        select(Round.name).where(
            Round.name.in_(names), Round.after_no.is_(None), Round.begun_at > work.now - EVERY
        )
    )
    return set(found)


async def of_deadline(
    work: Work, occasion: Occasion, ask: Ask, state: PledgeState, *, after: int, limit: int
) -> tuple[list[Waiting], int | None]:
    """Look at the next answers to an ask in one state that have no date of their own.

    Gives who is to be written to, and the number of the person up to whom it looked; None at the
    end. A stretch is bounded before it is sifted: however few are due, it costs the same.
    """
    assert ask.deadline is not None
    stretch = (
        select(Pledge.subscriber_no)
        .where(Pledge.ask_no == ask.no, Pledge.state == state, Pledge.subscriber_no > after)
        .order_by(Pledge.subscriber_no)
        .limit(limit)
        .subquery()
    )
    last: int | None = await work.session.scalar(select(func.max(stretch.c.subscriber_no)))
    if last is None:
        return [], None
    found = await work.session.execute(
        _people(work, occasion).where(
            *_of_ask(ask, occasion),
            Pledge.state == state,
            Pledge.subscriber_no > after,
            Pledge.subscriber_no <= last,
        )
    )
    return [Waiting(*row) for row in found], last


async def of_own_date(work: Work, occasion: Occasion, *, limit: int) -> list[Waiting]:
    """Give those who have a date of their own, and whom the letter is due for."""
    found = await work.session.execute(
        _people(work, occasion)
        .where(*_own_date(work, occasion))
        .order_by(Pledge.due_at)
        .limit(limit)
    )
    return [Waiting(*row) for row in found]


async def is_own_date_due(work: Work, occasion: Occasion) -> bool:
    """Say whether there is anybody like that; locks nothing."""
    due = _people(work, occasion).where(*_own_date(work, occasion)).limit(1)
    return (await work.session.execute(due)).first() is not None


async def note(
    work: Work, occasion: Occasion, waiting: Sequence[Waiting], ask: Ask | None
) -> list[Owed]:
    """Note that the letter is owed, and give to whom: all is asked again that made it due.

    Between the look and this somebody may have answered, or another worker been here.
    """
    of = {one.pledge_no: one for one in waiting}
    values: dict[str, object] = {occasion.noted: work.now}
    if occasion.is_reminder:
        values["reminders"] = Pledge.reminders + 1
    noted = await work.session.execute(
        update(Pledge)
        .where(Pledge.no.in_(of), *_is_due(work, occasion, ask))
        .values(values)
        .returning(Pledge.no, Pledge.due_at)
        .execution_options(synchronize_session=False)
    )
    dates = {no: due_at or (ask.deadline if ask else None) for no, due_at in noted}
    return [Owed(of[no], due) for no, due in sorted(dates.items()) if due is not None]


async def put_off(
    work: Work, occasion: Occasion, pledge_no: int, until: datetime, ask: Ask | None
) -> None:
    """Ask somebody later, on a day that is ours."""
    await work.session.execute(
        update(Pledge)
        .where(Pledge.no == pledge_no, *_is_due(work, occasion, ask))
        .values(due_at=until, is_our_day=True, asked_at=None)
        .execution_options(synchronize_session=False)
    )


# --- what makes a letter due ----------------------------------------------------------------------


def _is_due(work: Work, occasion: Occasion, ask: Ask | None) -> list[ColumnElement[bool]]:
    due = _own_date(work, occasion) if ask is None else _of_ask(ask, occasion)
    return [Pledge.state.in_(WAITS), *due]


def _own_date(work: Work, occasion: Occasion) -> list[ColumnElement[bool]]:
    after, until = occasion.span(work.now)
    conditions = [
        Pledge.due_at.is_not(None),  # the index holds no others
        Pledge.due_at > after,
        Pledge.due_at <= until,
        Pledge.state.in_(WAITS),
        _noted(occasion).is_(None),  # a new date clears it
        _said_yes(occasion),
    ]
    if occasion.is_reminder:
        is_open = exists().where(Ask.no == Pledge.ask_no, Ask.state == AskState.OPEN)
        conditions += [~Pledge.is_our_day, is_open]
    return conditions


def _of_ask(ask: Ask, occasion: Occasion) -> list[ColumnElement[bool]]:
    assert ask.deadline is not None
    noted = _noted(occasion)
    return [
        Pledge.ask_no == ask.no,
        Pledge.due_at.is_(None),
        noted.is_(None) | (noted < ask.deadline + occasion.begins),
        _said_yes(occasion),
    ]


def _said_yes(occasion: Occasion) -> ColumnElement[bool]:
    """Leave out who was asked again and has not answered, and who was reminded often enough."""
    if occasion.is_reminder:
        return and_(Pledge.is_answered, Pledge.reminders < MOST_REMINDERS)
    return and_(Pledge.is_answered)


def _people(work: Work, occasion: Occasion) -> Select[int, int, str, datetime | None]:
    said_something = exists().where(
        PledgeChange.pledge_no == Pledge.no, PledgeChange.at > work.now - QUIET_FOR
    )
    people = (
        select(Pledge.no, Pledge.subscriber_no, Subscriber.language, Subscriber.paused_until)
        .join(Subscriber, Subscriber.no == Pledge.subscriber_no)
        .where(
            has_address(),
            state_now(work.now).in_([one.value for one in HEAR]),
            ~said_something,
            visible(work),
        )
    )
    return people.where(~is_paused_at(work.now)) if occasion.is_reminder else people


def _noted(occasion: Occasion) -> ColumnElement[datetime | None]:
    column: ColumnElement[datetime | None] = getattr(Pledge, occasion.noted)
    return column
