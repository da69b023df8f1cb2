"""Whom a letter about a date is due for, and that it is owed."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Select, exists, func, select, update

from mailer.asks.model import Ask, AskState, Pledge, PledgeChange, PledgeState
from mailer.asks.reminding.model import QUIET_FOR, WAITS, Occasion
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber, visible
from mailer.tiers.model import Round
from mailer.tiers.upkeep.rounds import EVERY


class Waiting(msgspec.Struct, frozen=True):
    """Somebody who has something to do by a date."""

    pledge_no: int
    subscriber_no: int
    language: str
    due: datetime


async def asks_due(work: Work, occasion: Occasion) -> Sequence[Ask]:
    """Give the asks whose deadline is such that the letter is due."""
    after, until = occasion.span(work.now)
    states = [AskState.OPEN] if occasion.only_open else [AskState.OPEN, AskState.CLOSED]
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
    begins = ask.deadline + occasion.begins
    noted = _noted(occasion)
    found = await work.session.execute(
        _people(work).where(
            Pledge.ask_no == ask.no,
            Pledge.state == state,
            Pledge.subscriber_no > after,
            Pledge.subscriber_no <= last,
            Pledge.due_at.is_(None),
            noted.is_(None) | (noted < begins),
        )
    )
    return [Waiting(no, person, words, ask.deadline) for no, person, words, _due in found], last


async def of_own_date(work: Work, occasion: Occasion, *, limit: int) -> list[Waiting]:
    """Give those who gave a date of their own, and whom the letter is due for."""
    found = await work.session.execute(
        _people(work).where(*_own_date(work, occasion)).order_by(Pledge.due_at).limit(limit)
    )
    return [Waiting(no, person, words, due) for no, person, words, due in found if due is not None]


async def is_own_date_due(work: Work, occasion: Occasion) -> bool:
    """Say whether there is anybody like that; locks nothing."""
    due = _people(work).where(*_own_date(work, occasion)).limit(1)
    return (await work.session.execute(due)).first() is not None


def _own_date(work: Work, occasion: Occasion) -> list[ColumnElement[bool]]:
    after, until = occasion.span(work.now)
    return [
        Pledge.due_at.is_not(None),  # the index holds no others
        Pledge.due_at > after,
        Pledge.due_at <= until,
        Pledge.state.in_(WAITS),
        _noted(occasion).is_(None),  # a new date clears it
    ]


def _people(work: Work) -> Select[int, int, str, datetime | None]:
    said_something = exists().where(
        PledgeChange.pledge_no == Pledge.no, PledgeChange.at > work.now - QUIET_FOR
    )
    return (
        select(Pledge.no, Pledge.subscriber_no, Subscriber.language, Pledge.due_at)
        .join(Subscriber, Subscriber.no == Pledge.subscriber_no)
        .where(
            Subscriber.address.is_not(None),
            Subscriber.erased_at.is_(None),
            Subscriber.stopped_at.is_(None),
            ~said_something,
            visible(work),
        )
    )


def _noted(occasion: Occasion) -> ColumnElement[datetime | None]:
    column: ColumnElement[datetime | None] = getattr(Pledge, occasion.noted)
    return column


async def note(work: Work, occasion: Occasion, pledge_nos: Collection[int]) -> None:
    """Note that the letter is owed about these pledges."""
    await work.session.execute(
        update(Pledge)
        .where(Pledge.no.in_(pledge_nos))
        .values({occasion.noted: work.now})
        .execution_options(synchronize_session=False)
    )
