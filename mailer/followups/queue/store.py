"""Every question about the queue."""

import enum
from collections.abc import Mapping

import msgspec
from sqlalchemy import ColumnElement, case, exists, func, literal, or_, select, tuple_

from mailer.followups.model import CaseKind, FollowUp, Rank
from mailer.followups.store import are_there, by_uid, is_nobodys
from mailer.kit.orm import UtcDateTime
from mailer.kit.pages import Page, cut
from mailer.kit.work import Work
from mailer.subscribers.model import Membership, Subscriber, visible


class Whose(enum.StrEnum):
    """Whose cases are looked at."""

    NEXT = "next"  # what the account may do next: its own, and those that nobody has
    MINE = "mine"
    ALL = "all"  # of everybody whom it may see


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the queue."""

    account_no: int
    whose: Whose = Whose.NEXT
    kind: CaseKind | None = None
    group_no: int | None = None


class Waiting(msgspec.Struct, frozen=True):
    """A case in the queue, and who waits."""

    case: FollowUp
    person: Subscriber


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How many wait in a part of the queue."""

    by_rank: Mapping[Rank, int]
    overdue: int = 0

    @property
    def all(self) -> int:
        """Count them together."""
        return sum(self.by_rank.values())


async def queue(work: Work, view: View, *, after: str = "", limit: int = 25) -> Page[Waiting]:
    """Give a page of those who wait now, in the order in which to call; `after` is a case's uid.

    Overdue call-backs come first, then who let a date go by, needs help, is ready to step up, is
    quiet, did not read an alert; among those alike who has waited longest.
    """
    found = (
        select(FollowUp, Subscriber)
        .join(Subscriber, Subscriber.no == FollowUp.subscriber_no)
        .where(*_in(work, view))
        .order_by(FollowUp.rank, FollowUp.next_at, FollowUp.no)
        .limit(limit + 1)
        .execution_options(populate_existing=True)
    )
    if after and (last := await by_uid(work, after)) is not None:
        key = tuple_(FollowUp.rank, FollowUp.next_at, FollowUp.no)
        stood = tuple_(literal(last.rank), literal(last.next_at, UtcDateTime()), literal(last.no))
        found = found.where(key > stood)
    rows = [Waiting(one, person) for one, person in await work.session.execute(found)]
    return cut(rows, limit, lambda row: row.case.no)


async def counts(work: Work, view: View) -> Count:
    """Count who waits now in a part of the queue, and those of them for whom it is late."""
    late = func.count(case((FollowUp.due_at < work.now, 1)))
    found = await work.session.execute(
        select(FollowUp.rank, func.count(FollowUp.no), late)
        .join(Subscriber, Subscriber.no == FollowUp.subscriber_no)
        .where(*_in(work, view))
        .group_by(FollowUp.rank)
    )
    rows = found.all()
    return Count(
        by_rank={Rank(rank): number for rank, number, _late in rows},
        overdue=sum(overdue for _rank, _number, overdue in rows),
    )


def _in(work: Work, view: View) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        FollowUp.resolved_at.is_(None),
        FollowUp.next_at <= work.now,
        visible(work),
        *are_there(),
    ]
    mine = FollowUp.owner_no == view.account_no
    match view.whose:
        case Whose.NEXT:
            is_free = or_(
                FollowUp.held_until.is_(None),
                FollowUp.held_until <= work.now,
                FollowUp.held_by == view.account_no,
            )
            conditions += [or_(mine, is_nobodys()), is_free]
        case Whose.MINE:
            conditions.append(mine)
        case Whose.ALL:
            pass
    if view.kind is not None:
        conditions.append(FollowUp.kind == view.kind)
    if view.group_no is not None:
        conditions.append(
            exists().where(
                Membership.subscriber_no == FollowUp.subscriber_no,
                Membership.group_no == view.group_no,
            )
        )
    return conditions


async def later(work: Work, view: View) -> int:
    """Count those in a part of the queue who come back at an hour that is still to come."""
    conditions = _in(work, view)
    conditions[1] = FollowUp.next_at > work.now
    counted = (
        select(func.count(FollowUp.no))
        .join(Subscriber, Subscriber.no == FollowUp.subscriber_no)
        .where(*conditions)
    )
    return await work.session.scalar(counted) or 0
