"""Every question about who has begun to wait, and whose reason is gone."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select, union_all, update
from sqlalchemy.orm import aliased

from mailer.asks.model import TO_DO, Ask, AskState, Pledge, PledgeChange, PledgeState
from mailer.asks.reminding.model import WAITS
from mailer.followups.model import (
    OF_A_PLEDGE,
    RANKS,
    UNASKED,
    CaseKind,
    FollowUp,
    FollowUpStep,
)
from mailer.followups.store import ENDED, Number, has_read, is_resting, may_be_called_unasked
from mailer.kit.orm import UtcDateTime
from mailer.kit.work import Door, Work
from mailer.tiers.model import StillWithUs, TierSuggestion

Whom = Mapping[int, int]
"""What a case is about, by who waits."""


async def asks_past_due(work: Work, since: datetime, until: datetime) -> Sequence[Ask]:
    """Give the asks of which a pledge may have been due between two moments, and still waits."""
    own_dates = select(Pledge.ask_no).where(
        Pledge.due_at.is_not(None),
        Pledge.due_at > since,
        Pledge.due_at <= until,
        Pledge.state.in_(WAITS),
    )
    found = await work.session.scalars(
        select(Ask)
        .where(
            Ask.state != AskState.DRAFT,
            or_(and_(Ask.deadline > since, Ask.deadline <= until), Ask.no.in_(own_dates)),
        )
        .order_by(Ask.no)
    )
    return found.all()


async def silent_of(
    work: Work, ask: Ask, since: datetime, until: datetime, *, after: int, limit: int
) -> tuple[Whom, int | None]:
    """Look at the next yeses to an ask that wait to be done.

    Gives those that were due between two moments and were followed by no word since, and the number
    of the person up to whom it looked; None at the end. The date is the one they gave, or the
    ask's. A stretch is bounded before it is sifted, however few are silent.
    """
    people = [
        select(
            select(Pledge.subscriber_no)
            .where(Pledge.ask_no == ask.no, Pledge.state == state, Pledge.subscriber_no > after)
            .order_by(Pledge.subscriber_no)
            .limit(limit)
            .subquery()
            .c.subscriber_no
        )
        for state in WAITS
    ]
    both = union_all(*people).subquery()
    stretch = select(both.c.subscriber_no).order_by(both.c.subscriber_no).limit(limit).subquery()
    last: int | None = await work.session.scalar(select(func.max(stretch.c.subscriber_no)))
    if last is None:
        return {}, None
    due = func.coalesce(Pledge.due_at, literal(ask.deadline, UtcDateTime()))
    had, other = aliased(FollowUp), aliased(FollowUp)
    was_asked_since = exists().where(
        had.kind == CaseKind.PAST_DUE,
        had.subject_no == Pledge.no,
        had.subscriber_no == Pledge.subscriber_no,
        had.opened_at > due,
    )
    waits_for_it = exists().where(
        other.kind.in_(OF_A_PLEDGE),
        other.subject_no == Pledge.no,
        other.subscriber_no == Pledge.subscriber_no,
        other.resolved_at.is_(None),
    )
    found = await work.session.execute(
        select(Pledge.subscriber_no, Pledge.no)
        .where(
            Pledge.ask_no == ask.no,
            Pledge.subscriber_no > after,
            Pledge.subscriber_no <= last,
            Pledge.state.in_(WAITS),
            Pledge.is_answered,
            due > since,
            due <= until,
            ~_said_since(due),
            ~was_asked_since,
            ~waits_for_it,
            *_unasked(work, Pledge.subscriber_no),
        )
        .order_by(due, Pledge.no)
    )
    return dict(found.all()), last


def _said_since(due: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Say that something was said about a pledge after its date, if only "not yet"."""
    return exists().where(
        PledgeChange.pledge_no == Pledge.no,
        PledgeChange.at > due,
        PledgeChange.undone_at.is_(None),
        PledgeChange.door != Door.SYSTEM,
    )


async def ready_since(
    work: Work, since: datetime, *, after: int, limit: int
) -> tuple[Whom, int | None]:
    """Look at the next suggestions of a step up; give those made before a moment and unanswered."""
    made = TierSuggestion.made_at <= since
    return await _asked(work, CaseKind.READY, TierSuggestion, made, after=after, limit=limit)


async def quiet_twice(work: Work, *, after: int, limit: int) -> tuple[Whom, int | None]:
    """Look at the next who are asked whether they are still with us; give those asked twice."""
    again = StillWithUs.again_at.is_not(None)
    return await _asked(work, CaseKind.QUIET, StillWithUs, again, after=after, limit=limit)


async def _asked(
    work: Work,
    kind: CaseKind,
    asked: type[TierSuggestion | StillWithUs],
    is_it: ColumnElement[bool],
    *,
    after: int,
    limit: int,
) -> tuple[Whom, int | None]:
    """Give who was asked something that stands, and has had no case about it."""
    stretch = (
        select(asked.no)
        .where(asked.ended_at.is_(None), is_it, asked.no > after)
        .order_by(asked.no)
        .limit(limit)
        .subquery()
    )
    last: int | None = await work.session.scalar(select(func.max(stretch.c.no)))
    if last is None:
        return {}, None
    had_one = exists().where(
        FollowUp.kind == kind,
        FollowUp.subject_no == asked.no,
        FollowUp.subscriber_no == asked.subscriber_no,
    )
    found = await work.session.execute(
        select(asked.subscriber_no, asked.no)
        .where(
            asked.ended_at.is_(None),
            is_it,
            asked.no > after,
            asked.no <= last,
            ~had_one,
            *_unasked(work, asked.subscriber_no),
        )
        .order_by(asked.no)
    )
    return dict(found.all()), last


def _unasked(work: Work, subscriber_no: Number) -> tuple[ColumnElement[bool], ...]:
    """Leave those whom somebody may call who have not asked for it."""
    return may_be_called_unasked(work, subscriber_no), ~is_resting(work, subscriber_no)


async def how_many_wait(work: Work, kind: CaseKind) -> int:
    """Count the open cases of a kind."""
    counted = select(func.count(FollowUp.no)).where(
        FollowUp.resolved_at.is_(None), FollowUp.rank == RANKS[kind], FollowUp.kind == kind
    )
    return await work.session.scalar(counted) or 0


# --- whose reason is gone -------------------------------------------------------------------------

SWEPT = tuple(kind for kind in CaseKind if kind not in {CaseKind.BLOCKED, CaseKind.MANUAL})
"""What ends without anybody saying so. A call for help never does: see `helping`."""


async def settled(work: Work, kind: CaseKind, *, limit: int) -> Sequence[int]:
    """Give open cases of a kind whose reason is gone.

    What is said of a pledge ends its cases at once. This is for what time ends, and for the rest.
    """
    found = await work.session.scalars(
        select(FollowUp.no).where(*_is_settled(work, kind)).order_by(FollowUp.no).limit(limit)
    )
    return found.all()


async def end_settled(work: Work, kind: CaseKind, nos: Collection[int]) -> None:
    """End those of these cases whose reason is still gone, and at which nobody is just now."""
    theirs = (
        select(FollowUp.no)
        .where(FollowUp.no.in_(nos), *_is_settled(work, kind))
        .order_by(FollowUp.no)
        .with_for_update(skip_locked=True, of=FollowUp)
    )
    await work.session.execute(
        update(FollowUp)
        .where(FollowUp.no.in_(theirs))
        .values(**ENDED, resolved_at=work.now)
        .execution_options(synchronize_session=False)
    )


def _is_settled(work: Work, kind: CaseKind) -> tuple[ColumnElement[bool], ...]:
    is_so = _IS_SO[kind](work)
    if kind in UNASKED:
        is_so = and_(is_so, may_be_called_unasked(work, FollowUp.subscriber_no))
    return FollowUp.resolved_at.is_(None), FollowUp.kind == kind, ~is_so


def _is_suggested(_work: Work) -> ColumnElement[bool]:
    return _stands(TierSuggestion)


def _is_asked(_work: Work) -> ColumnElement[bool]:
    return _stands(StillWithUs)


def _stands(asked: type[TierSuggestion | StillWithUs]) -> ColumnElement[bool]:
    return exists().where(asked.no == FollowUp.subject_no, asked.ended_at.is_(None))


def _is_supported(_work: Work) -> ColumnElement[bool]:
    return exists().where(*_their_pledge(TO_DO))


def _is_silent(work: Work) -> ColumnElement[bool]:
    """Say that its date, as it is now, went by without a word."""
    due = func.coalesce(Pledge.due_at, Ask.deadline, type_=UtcDateTime())
    return exists().where(
        *_their_pledge(WAITS), Ask.no == Pledge.ask_no, due <= work.now, ~_said_since(due)
    )


def _their_pledge(states: Collection[PledgeState]) -> tuple[ColumnElement[bool], ...]:
    return (
        Pledge.no == FollowUp.subject_no,
        Pledge.subscriber_no == FollowUp.subscriber_no,
        Pledge.state.in_(states),
    )


def _is_unread(_work: Work) -> ColumnElement[bool]:
    return ~has_read(FollowUp.subscriber_no, FollowUp.subject_no)


_IS_SO: Mapping[CaseKind, Callable[[Work], ColumnElement[bool]]] = {
    CaseKind.READY: _is_suggested,
    CaseKind.QUIET: _is_asked,
    CaseKind.SUPPORT: _is_supported,
    CaseKind.PAST_DUE: _is_silent,
    CaseKind.ALERT: _is_unread,
}


# --- what is kept no longer -----------------------------------------------------------------------


async def is_any_noted(work: Work, before: datetime) -> bool:
    """Say whether the notes of a case that ended before a moment are still kept; locks nothing."""
    return bool(await work.session.scalar(select(exists().where(*_noted(before)))))


async def forget_notes(work: Work, before: datetime, *, limit: int) -> int:
    """Forget what was noted and written about cases that ended before a moment; count the cases."""
    ended = await work.session.scalars(
        select(FollowUp.no)
        .where(*_noted(before))
        .order_by(FollowUp.resolved_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    nos = ended.all()
    for kind, key, values in (
        (FollowUpStep, FollowUpStep.case_no, {"sealed": None}),
        (FollowUp, FollowUp.no, {"forgotten_at": work.now}),
    ):
        await work.session.execute(
            update(kind)
            .where(key.in_(nos))
            .values(values)
            .execution_options(synchronize_session=False)
        )
    return len(nos)


def _noted(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        FollowUp.resolved_at.is_not(None),
        FollowUp.resolved_at < before,
        FollowUp.forgotten_at.is_(None),
    )
