"""Every question about who has begun to wait, whose reason is gone, and who is told of it."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Row, case, exists, func, or_, select, union_all, update
from sqlalchemy.orm import aliased

from mailer.activity.model import Activity
from mailer.asks.model import TO_DO, Ask, Pledge, PledgeState
from mailer.followups.model import (
    OF_A_PLEDGE,
    CaseKind,
    DigestWish,
    FollowUp,
    FollowUpRound,
)
from mailer.followups.store import ENDED, Number, are_there, is_nobodys, is_resting
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber, visible
from mailer.tiers.model import StillWithUs, TierSuggestion

Whom = Mapping[int, int]
"""What a case is about, by who waits."""


async def silent_after(work: Work, since: datetime, until: datetime, *, limit: int) -> Whom:
    """Give those whose pledges were due between two moments and who said nothing: the oldest first.

    The date is the one they gave, or the ask's. Who asked for help has a case about it already.
    """
    is_silent = Pledge.is_answered & Pledge.state.in_(
        (PledgeState.PLEDGED, PledgeState.IN_PROGRESS)
    )
    theirs = select(Pledge.no, Pledge.subscriber_no, Pledge.due_at.label("due")).where(
        Pledge.due_at > since, Pledge.due_at <= until, is_silent
    )
    of_the_ask = (
        select(Pledge.no, Pledge.subscriber_no, Ask.deadline.label("due"))
        .join(Ask, Ask.no == Pledge.ask_no)
        .where(Ask.deadline > since, Ask.deadline <= until, Pledge.due_at.is_(None), is_silent)
    )
    due = union_all(theirs, of_the_ask).subquery("due")
    had = aliased(FollowUp)
    was_asked_since = exists().where(
        had.kind == CaseKind.PAST_DUE, had.subject_no == due.c.no, had.opened_at > due.c.due
    )
    other = aliased(FollowUp)
    waits_for_it = exists().where(
        other.kind.in_(OF_A_PLEDGE), other.subject_no == due.c.no, other.resolved_at.is_(None)
    )
    found = await work.session.execute(
        select(due.c.subscriber_no, due.c.no)
        .join(Subscriber, Subscriber.no == due.c.subscriber_no)
        .where(~was_asked_since, ~waits_for_it, *_unasked(work, due.c.subscriber_no))
        .order_by(due.c.due, due.c.no)
        .limit(limit)
    )
    return _first_of_each(found.all())


async def ready_since(work: Work, since: datetime, *, limit: int) -> Whom:
    """Give those to whom a step up was suggested before a moment, and who have not answered."""
    return await _asked(
        work, CaseKind.READY, TierSuggestion, TierSuggestion.made_at <= since, limit
    )


async def quiet_twice(work: Work, *, limit: int) -> Whom:
    """Give those who were asked a second time whether they are still with us, and still are."""
    return await _asked(work, CaseKind.QUIET, StillWithUs, StillWithUs.again_at.is_not(None), limit)


async def _asked(
    work: Work,
    kind: CaseKind,
    asked: type[TierSuggestion | StillWithUs],
    since: ColumnElement[bool],
    limit: int,
) -> Whom:
    """Give who was asked something that stands, and has had no case about it."""
    had_one = exists().where(
        FollowUp.kind == kind,
        FollowUp.subject_no == asked.no,
        FollowUp.subscriber_no == asked.subscriber_no,
    )
    found = await work.session.execute(
        select(asked.subscriber_no, asked.no)
        .join(Subscriber, Subscriber.no == asked.subscriber_no)
        .where(asked.ended_at.is_(None), since, ~had_one, *_unasked(work, asked.subscriber_no))
        .order_by(asked.no)
        .limit(limit)
    )
    return _first_of_each(found.all())


def _unasked(work: Work, subscriber_no: Number) -> tuple[ColumnElement[bool], ...]:
    """Leave those whom somebody may call who have not asked for it."""
    return visible(work), *are_there(), ~is_resting(work, subscriber_no)


def _first_of_each(rows: Iterable[Row[int, int]]) -> Whom:
    """Give one thing for each person: of two, the other is found the next time."""
    whom: dict[int, int] = {}
    for subscriber_no, subject_no in rows:
        whom.setdefault(subscriber_no, subject_no)
    return whom


async def end_what_is_settled(work: Work, *, limit: int) -> int:
    """End the open cases whose reason is gone; count them.

    What is said of a pledge ends its cases at once. This is for what time ends, and for the rest.
    """
    reasons = {
        CaseKind.READY: _stands(TierSuggestion),
        CaseKind.QUIET: _stands(StillWithUs),
        CaseKind.BLOCKED: _is(PledgeState.BLOCKED),
        CaseKind.SUPPORT: _is(*TO_DO),
        CaseKind.PAST_DUE: _is(PledgeState.PLEDGED, PledgeState.IN_PROGRESS),
        CaseKind.ALERT: _is_unread(),
    }
    ended = 0
    for kind, is_so in reasons.items():
        settled = (
            select(FollowUp.no)
            .where(FollowUp.resolved_at.is_(None), FollowUp.kind == kind, ~is_so)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        gone = await work.session.scalars(
            update(FollowUp)
            .where(FollowUp.no.in_(settled))
            .values(**ENDED, resolved_at=work.now)
            .returning(FollowUp.no)
            .execution_options(synchronize_session=False)
        )
        ended += len(gone.all())
    return ended


def _stands(asked: type[TierSuggestion | StillWithUs]) -> ColumnElement[bool]:
    return exists().where(asked.no == FollowUp.subject_no, asked.ended_at.is_(None))


def _is_unread() -> ColumnElement[bool]:
    """Say that nobody has said of an alert that they read it, since they were to be called."""
    return ~exists().where(
        Activity.subscriber_no == FollowUp.subscriber_no,
        Activity.kind == "read",
        Activity.at >= FollowUp.opened_at,
        Activity.facts["campaign"].as_integer() == FollowUp.subject_no,
    )


def _is(*states: PledgeState) -> ColumnElement[bool]:
    return exists().where(Pledge.no == FollowUp.subject_no, Pledge.state.in_(states))


# --- rounds ---------------------------------------------------------------------------------------


async def is_round_due(work: Work, name: str, before: datetime) -> bool:
    """Say whether a round was begun last before a moment, or never; locks nothing."""
    last = await work.session.get(FollowUpRound, name)
    return last is None or last.at <= before


async def take_round(work: Work, name: str, before: datetime) -> FollowUpRound | None:
    """Take a round that is due, so that no other worker walks it now; None if somebody does."""
    await add_missing(work, FollowUpRound, [{"name": name, "at": before}])
    return await work.session.scalar(
        select(FollowUpRound)
        .where(FollowUpRound.name == name, FollowUpRound.at <= before)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


# --- the letter of the day ------------------------------------------------------------------------


async def wish_of(work: Work, account_no: int) -> bool | None:
    """Give what an account said about the letter of the day; None if it said nothing."""
    wish = await work.session.get(DigestWish, account_no, populate_existing=True)
    return wish.wanted if wish is not None else None


async def wishes(work: Work) -> dict[int, bool]:
    """Give what accounts said about the letter of the day."""
    found = await work.session.execute(select(DigestWish.account_no, DigestWish.wanted))
    return dict(found.all())


async def set_wish(work: Work, account_no: int, *, wanted: bool) -> None:
    """Write down what an account says about the letter of the day."""
    row = {"account_no": account_no, "wanted": wanted}
    if not await add_missing(work, DigestWish, [row]):
        await work.session.execute(
            update(DigestWish)
            .where(DigestWish.account_no == account_no)
            .values(wanted=wanted)
            .execution_options(synchronize_session=False)
        )


async def of_today(work: Work, account_no: int, until: datetime) -> tuple[int, int]:
    """Count an account's cases that are late, and those that are due or come back until a moment.

    In one of the two stands each, and only people whom the account may see.
    """
    is_late = FollowUp.due_at < work.now
    found = await work.session.execute(
        select(
            func.count(case((is_late, 1))),
            func.count(
                case((~is_late & or_(FollowUp.due_at < until, FollowUp.next_at < until), 1))
            ),
        )
        .join(Subscriber, Subscriber.no == FollowUp.subscriber_no)
        .where(
            FollowUp.owner_no == account_no,
            FollowUp.resolved_at.is_(None),
            visible(work),
            *are_there(),
        )
    )
    late, today = found.one()
    return late, today


async def nobodys(work: Work) -> int:
    """Count the cases that wait for whoever comes to them, of people whom the actor may see."""
    counted = (
        select(func.count(FollowUp.no))
        .join(Subscriber, Subscriber.no == FollowUp.subscriber_no)
        .where(
            is_nobodys(),
            FollowUp.resolved_at.is_(None),
            FollowUp.next_at <= work.now,
            visible(work),
            *are_there(),
        )
    )
    return await work.session.scalar(counted) or 0


async def owners(work: Work) -> set[int]:
    """Give the accounts that own open cases."""
    found = await work.session.scalars(
        select(FollowUp.owner_no).where(FollowUp.resolved_at.is_(None)).distinct()
    )
    return {no for no in found if no is not None}
