"""Every question about cases and what was done about them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from mailer.accounts.model import POWERS, Account, AccountScope, Power, Role
from mailer.activity.model import Activity
from mailer.consent import store as consent
from mailer.followups.model import (
    TALKED,
    CaseKind,
    CaseState,
    FollowUp,
    FollowUpStep,
    Resolution,
)
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.phones.model import Phone
from mailer.subscribers.model import Membership, Subscriber, visible
from mailer.tiers.upkeep.living import Since, Whose

USE = "followup"  # of the root key

Number = ColumnElement[int] | InstrumentedAttribute[int]
"""Where the number of a person stands."""


# --- one case -------------------------------------------------------------------------------------


async def by_uid(work: Work, uid: str) -> FollowUp | None:
    """Find a case, if the actor may see whose it is."""
    return await work.session.scalar(_theirs(work).where(FollowUp.uid == uid))


async def by_no(work: Work, no: int) -> FollowUp | None:
    """Find a case by number, as it is now. The caller has asked whether they may."""
    return await work.session.get(FollowUp, no, populate_existing=True)


def _theirs(work: Work) -> Select[FollowUp]:
    return (
        select(FollowUp)
        .join(Subscriber, Subscriber.no == FollowUp.subscriber_no)
        .where(visible(work), *are_there())
    )


def are_there() -> tuple[ColumnElement[bool], ...]:
    """Say that somebody is neither erased nor stopped silently: the dead are not called."""
    return Subscriber.erased_at.is_(None), Subscriber.stopped_at.is_(None)


async def again(work: Work, found: FollowUp) -> FollowUp:
    """Read a case anew, and keep it until this unit of work ends; the person is held before."""
    return await work.session.get_one(
        FollowUp, found.no, populate_existing=True, with_for_update={"key_share": True}
    )


async def standing(
    work: Work, subscriber_no: int, kind: CaseKind, subject_no: int
) -> FollowUp | None:
    """Find somebody's open case about one thing."""
    return await work.session.scalar(
        select(FollowUp)
        .where(
            FollowUp.subscriber_no == subscriber_no,
            FollowUp.kind == kind,
            FollowUp.subject_no == subject_no,
            FollowUp.resolved_at.is_(None),
        )
        .execution_options(populate_existing=True)
    )


async def add(work: Work, rows: Sequence[Mapping[str, Any]]) -> Sequence[FollowUp]:
    """Open cases; who has one about the same thing keeps that, and is not among those given."""
    return await add_missing(work, FollowUp, rows)


async def change(work: Work, found: FollowUp, values: Mapping[str, Any]) -> FollowUp:
    """Write into a case, and read it anew."""
    changed = await work.session.scalars(
        update(FollowUp)
        .where(FollowUp.no == found.no)
        .values(**values)
        .returning(FollowUp)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return changed.one()


ENDED = {
    "state": CaseState.RESOLVED,
    "resolution": Resolution.ANSWERED,
    "held_by": None,
    "held_until": None,
}


async def end_by_itself(work: Work, found: FollowUp) -> FollowUp:
    """End a case that was settled without us."""
    return await change(work, found, ENDED | {"resolved_at": work.now})


async def open_of(work: Work, subscriber_no: int) -> Sequence[FollowUp]:
    """Give somebody's open cases, the first in the queue first. The caller has asked."""
    found = await work.session.scalars(
        select(FollowUp)
        .where(FollowUp.subscriber_no == subscriber_no, FollowUp.resolved_at.is_(None))
        .order_by(FollowUp.rank, FollowUp.next_at, FollowUp.no)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def cases_of(work: Work, subscriber_no: int) -> Sequence[FollowUp]:
    """Give every case of somebody, oldest first. The caller has asked whether they may."""
    found = await work.session.scalars(
        select(FollowUp)
        .where(FollowUp.subscriber_no == subscriber_no)
        .order_by(FollowUp.no)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def about(
    work: Work, kinds: Collection[CaseKind], subject_no: int, subscriber_no: int
) -> Sequence[FollowUp]:
    """Give the cases of somebody about one thing, newest first."""
    found = await work.session.scalars(
        select(FollowUp)
        .where(
            FollowUp.kind.in_(kinds),
            FollowUp.subject_no == subject_no,
            FollowUp.subscriber_no == subscriber_no,
        )
        .order_by(FollowUp.no.desc())
        .execution_options(populate_existing=True)
    )
    return found.all()


# --- steps ----------------------------------------------------------------------------------------


def sealed(work: Work, words: str) -> bytes | None:
    """Give the column that keeps words."""
    return work.keys.seal(USE, words) if words else None


def words_of(work: Work, step: FollowUpStep) -> str:
    """Give what was noted or written, opened."""
    return work.keys.unseal(USE, step.sealed) if step.sealed else ""


async def step_by_no(work: Work, no: int) -> FollowUpStep | None:
    """Find a step by number, as it is now."""
    return await work.session.get(FollowUpStep, no, populate_existing=True)


async def steps_of(work: Work, case_no: int) -> Sequence[FollowUpStep]:
    """Give what was done about a case, newest first."""
    found = await work.session.scalars(
        select(FollowUpStep)
        .where(FollowUpStep.case_no == case_no)
        .order_by(FollowUpStep.no.desc())
        .execution_options(populate_existing=True)
    )
    return found.all()


async def steps_with(work: Work, subscriber_no: int) -> Sequence[FollowUpStep]:
    """Give everything that was done about somebody, oldest first. The caller has asked."""
    found = await work.session.scalars(
        select(FollowUpStep)
        .where(FollowUpStep.subscriber_no == subscriber_no)
        .order_by(FollowUpStep.no)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def mark_undone(work: Work, step: FollowUpStep) -> None:
    """Note that a step was taken back."""
    step.undone_at = work.now
    await work.session.flush()


def is_resting(work: Work, subscriber_no: Number) -> ColumnElement[bool]:
    """Say that somebody was talked to so lately that nobody calls them unasked."""
    return exists().where(
        FollowUpStep.subscriber_no == subscriber_no,
        FollowUpStep.rests_until > work.now,
        FollowUpStep.undone_at.is_(None),
    )


def may_be_called_unasked(work: Work, subscriber_no: Number) -> ColumnElement[bool]:
    """Say that somebody may be called who has not asked for it: a reader, who does not forbid it.

    Or somebody without an address, whom nothing but a call reaches.
    """
    people = aliased(Subscriber)
    has_no_address = and_(people.address.is_(None), ~consent.is_paused_at(work.now, people))
    may = exists().where(
        people.no == subscriber_no,
        or_(consent.is_active(work.now, people), has_no_address),
        people.erased_at.is_(None),
        people.stopped_at.is_(None),
        visible(work, people),
    )
    never = exists().where(Phone.subscriber_no == subscriber_no, Phone.never_call)
    return and_(may, ~never)


READ, UNREAD = "read", "read_taken_back"
"""Lines of `campaigns.reading`, which stands above: the newest of an alert counts."""


def has_read(subscriber_no: Number, campaign_no: Number | int) -> ColumnElement[bool]:
    """Say that the newest of what somebody said of an alert is that they have read it."""
    said, since = aliased(Activity), aliased(Activity)
    taken_back = exists().where(
        *_says(since, UNREAD, subscriber_no, campaign_no), since.no > said.no
    )
    return exists().where(*_says(said, READ, subscriber_no, campaign_no), ~taken_back)


def _says(
    line: type[Activity], kind: str, subscriber_no: Number, campaign_no: Number | int
) -> tuple[ColumnElement[bool], ...]:
    about = line.facts["campaign"].as_integer() == campaign_no
    return line.subscriber_no == subscriber_no, line.kind == kind, about


# --- who cares for whom ---------------------------------------------------------------------------

_CARING = [role for role, powers in POWERS.items() if Power.CHANGE_PEOPLE in powers]


def is_nobodys() -> ColumnElement[bool]:
    """Say that a case waits for whoever comes to it: also where its owner looks after none now."""
    return ~exists().where(
        Account.no == FollowUp.owner_no,
        Account.disabled_at.is_(None),
        Account.role.in_(_CARING),
    )


async def carers(work: Work, subscriber_no: int) -> Sequence[Account]:
    """Give the accounts that may look after somebody.

    Who has another open case of theirs comes first, then who looks after a group of theirs, then
    who has the fewest cases.
    """
    scoped = exists().where(AccountScope.account_no == Account.no)
    is_near = exists().where(
        AccountScope.account_no == Account.no,
        AccountScope.group_no == Membership.group_no,
        Membership.subscriber_no == subscriber_no,
    )
    knows = exists().where(
        FollowUp.owner_no == Account.no,
        FollowUp.subscriber_no == subscriber_no,
        FollowUp.resolved_at.is_(None),
    )
    load = (
        select(func.count(FollowUp.no))
        .where(FollowUp.owner_no == Account.no, FollowUp.resolved_at.is_(None))
        .scalar_subquery()
    )
    found = await work.session.scalars(
        select(Account)
        .where(
            Account.disabled_at.is_(None),
            Account.role.in_(_CARING),
            or_(is_near, ~scoped & (Account.role != Role.GROUP_ORGANISER)),
        )
        .order_by(case((knows, 0), else_=1), case((is_near, 0), else_=1), load, Account.no)
    )
    return found.all()


# --- merging and erasing --------------------------------------------------------------------------


async def hand_over(work: Work, case_nos: Collection[int], to_no: int) -> None:
    """Make some cases another person's, with what was done about them."""
    for kind, key in ((FollowUp, FollowUp.no), (FollowUpStep, FollowUpStep.case_no)):
        await work.session.execute(
            update(kind)
            .where(key.in_(case_nos))
            .values(subscriber_no=to_no)
            .execution_options(synchronize_session=False)
        )


async def drop(work: Work, subscriber_no: int) -> None:
    """Keep no case of somebody, nor what was done about it."""
    for kind in (FollowUpStep, FollowUp):
        await work.session.execute(
            delete(kind)
            .where(kind.subscriber_no == subscriber_no)
            .execution_options(synchronize_session=False)
        )


# --- signs of life --------------------------------------------------------------------------------


def was_talked_to(whose: Whose, since: Since) -> ColumnElement[bool]:
    """Say whether an organiser has talked to somebody since a moment."""
    return exists().where(
        FollowUpStep.subscriber_no == whose,
        FollowUpStep.outcome.in_(TALKED),
        FollowUpStep.undone_at.is_(None),
        FollowUpStep.at > since,
    )
