"""Every question about bulk acts: whom they touch, whom they would change, what is to be done."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    update,
)

from mailer.bulk.model import BulkAct, BulkPerson, BulkState, Deed
from mailer.consent import store as consents
from mailer.consent.model import Subscription, SubscriptionState
from mailer.kit.orm import Facts
from mailer.kit.work import Work
from mailer.subscribers.model import Membership, Subscriber, visible
from mailer.tags.model import Tagging
from mailer.tiers.model import ChosenTier

_NUMBER = Integer()
_BUSY = (BulkState.WORKING, BulkState.UNDOING)


# --- acts ---------------------------------------------------------------------------------------


async def by_uid(work: Work, uid: str) -> BulkAct | None:
    """Find an act that the actor may see: their own, or any that is decided if they see everybody.

    What somebody has counted and not decided is theirs alone.
    """
    return await work.session.scalar(select(BulkAct).where(BulkAct.uid == uid, _theirs(work)))


async def named(work: Work, uid: str) -> BulkAct | None:
    """Find an act by its name, for the worker."""
    return await work.session.scalar(select(BulkAct).where(BulkAct.uid == uid))


async def recent(work: Work, *, limit: int = 30) -> Sequence[BulkAct]:
    """Give the newest acts that were decided and that the actor may see, newest first."""
    found = await work.session.scalars(
        select(BulkAct)
        .where(_theirs(work), BulkAct.state != BulkState.WAITING)
        .order_by(BulkAct.no.desc())
        .limit(limit)
    )
    return found.all()


def _theirs(work: Work) -> ColumnElement[bool]:
    mine = BulkAct.made_by.is_not_distinct_from(work.account)
    return mine if work.scope is not None else or_(mine, BulkAct.state != BulkState.WAITING)


async def by_nos(work: Work, nos: Collection[int]) -> dict[int, BulkAct]:
    """Find several by number."""
    found = await work.session.scalars(select(BulkAct).where(BulkAct.no.in_(nos)))
    return {act.no: act for act in found}


async def held(work: Work, act: BulkAct) -> BulkAct:
    """Read an act again and keep it: a batch in another process is waited for."""
    await work.session.flush()  # refreshing drops what is not written yet
    await work.session.refresh(act, with_for_update=True)
    return act


# --- whom it touches ----------------------------------------------------------------------------


async def touch(work: Work, act: BulkAct, numbers: Select[int]) -> int:
    """Write down whom an act touches, in one statement; give how many they are."""
    chosen = numbers.subquery("chosen")
    [no] = chosen.c
    await work.session.execute(
        insert(BulkPerson).from_select(["act_no", "subscriber_no"], select(literal(act.no), no))
    )
    counted = select(func.count()).where(BulkPerson.act_no == act.no)
    return await work.session.scalar(counted) or 0


def these(work: Work, uids: Collection[str]) -> Select[int]:
    """Give the numbers of those of these whom the actor may see and who are on the roll."""
    return select(Subscriber.no).where(
        Subscriber.uid.in_(uids), visible(work), Subscriber.erased_at.is_(None)
    )


async def foresee(work: Work, act: BulkAct) -> tuple[int, int]:
    """Count those whom an act would change as things stand, and those who would get a letter."""
    would = _would_change(act.deed, act.facts, work.now)
    told = _would_be_told(act.deed)
    counted = await work.session.execute(
        select(func.count(), func.coalesce(func.sum(told.cast(_NUMBER)), 0))
        .select_from(BulkPerson)
        .join(Subscriber, Subscriber.no == BulkPerson.subscriber_no)
        .where(BulkPerson.act_no == act.no, visible(work), Subscriber.erased_at.is_(None), would)
    )
    changed, letters = counted.one()
    return int(changed), int(letters)


def _would_change(deed: Deed, facts: Facts, now: datetime) -> ColumnElement[bool]:
    match deed:
        case Deed.TAG:
            return not_(_tagged(facts["tag"]))
        case Deed.UNTAG:
            return _tagged(facts["tag"])
        case Deed.TIER:
            return not_(_of(ChosenTier, ChosenTier.tier_no == facts["tier"]))
        case Deed.LIST:
            return and_(_writable(), not_(_of(Subscription, Subscription.list_no == facts["list"])))
        case Deed.LEAVE_LIST:
            return _of(
                Subscription,
                Subscription.list_no == facts["list"],
                Subscription.state != SubscriptionState.UNSUBSCRIBED,
            )
        case Deed.GROUP:
            return not_(
                _of(
                    Membership,
                    Membership.group_no == facts["group"],
                    Membership.role == facts["role"],
                )
            )
        case Deed.LEAVE_GROUP:
            return _of(Membership, Membership.group_no == facts["group"])
        case Deed.PAUSE:
            # As `pause` does it: a break that ends within a day of the new end stays as it is.
            longer = now + timedelta(days=facts["days"] - 1)
            return or_(Subscriber.paused_until.is_(None), Subscriber.paused_until <= longer)
        case Deed.TAKE_OFF:
            return and_(consents.has_address(), not_(consents.is_suppressed_sql()))


_TOLD = frozenset({Deed.TIER, Deed.PAUSE, Deed.LIST})
"""The deeds that each person is told of by a letter."""


def _would_be_told(deed: Deed) -> ColumnElement[bool]:
    return _writable() if deed in _TOLD else literal(value=False)


def _writable() -> ColumnElement[bool]:
    """They may get a letter: there is an address, and nothing forbids it."""
    return and_(
        consents.has_address(),
        not_(consents.is_stopped()),
        not_(consents.is_suppressed_sql()),
    )


def _tagged(tag_no: int) -> ColumnElement[bool]:
    return _of(Tagging, Tagging.tag_no == tag_no)


_Theirs = type[Tagging] | type[ChosenTier] | type[Subscription] | type[Membership]


def _of(kind: _Theirs, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(kind.subscriber_no == Subscriber.no, *conditions).correlate(Subscriber)


# --- the worker ---------------------------------------------------------------------------------


async def is_any_busy(work: Work) -> bool:
    """Say whether there is something to do: asked often, so it must not take the write lock."""
    return bool(await work.session.scalar(select(exists().where(BulkAct.state.in_(_BUSY)))))


async def to_work(work: Work, *, uid: str | None = None) -> BulkAct | None:
    """Take the act that was decided first, or this one, and keep other workers from it."""
    wanted = select(BulkAct).where(BulkAct.state.in_(_BUSY))
    if uid is not None:
        wanted = wanted.where(BulkAct.uid == uid)
    claimed = wanted.order_by(BulkAct.confirmed_at, BulkAct.no).limit(1)
    return await work.session.scalar(claimed.with_for_update(skip_locked=True))


async def next_nos(work: Work, act: BulkAct, limit: int) -> Sequence[int]:
    """Give the numbers of those who come next."""
    found = await work.session.scalars(
        select(BulkPerson.subscriber_no)
        .where(BulkPerson.act_no == act.no, BulkPerson.subscriber_no > act.cursor)
        .order_by(BulkPerson.subscriber_no)
        .limit(limit)
    )
    return found.all()


async def next_changed(work: Work, act: BulkAct, limit: int) -> dict[int, Facts]:
    """Give those who come next of those who were changed, each with what to go back to."""
    found = await work.session.execute(
        select(BulkPerson.subscriber_no, BulkPerson.before)
        .where(
            BulkPerson.act_no == act.no,
            BulkPerson.subscriber_no > act.cursor,
            BulkPerson.before.is_not(None),
        )
        .order_by(BulkPerson.subscriber_no)
        .limit(limit)
    )
    return {no: before for no, before in found if before is not None}


async def keep_before(work: Work, act: BulkAct, changed: Mapping[int, Facts]) -> None:
    """Write down who was changed, and what to go back to."""
    if changed:
        await work.session.execute(
            update(BulkPerson),
            [
                {"act_no": act.no, "subscriber_no": no, "before": before}
                for no, before in changed.items()
            ],
        )


async def forgettable(
    work: Work, *, unconfirmed_before: datetime, ended_before: datetime, keep: bool
) -> BulkAct | None:
    """Find an act whose people need not be known any more: never decided, or past all undoing.

    `keep`: other workers are kept from it.
    """
    old = or_(
        and_(BulkAct.state == BulkState.WAITING, BulkAct.made_at < unconfirmed_before),
        and_(BulkAct.ended_at < ended_before, _has_people()),
    )
    found = select(BulkAct).where(old).order_by(BulkAct.no).limit(1)
    return await work.session.scalar(found.with_for_update(skip_locked=True) if keep else found)


async def forget_people(work: Work, act: BulkAct, limit: int) -> bool:
    """Forget some of the people of an act; False when there were none left."""
    some = select(BulkPerson.subscriber_no).where(BulkPerson.act_no == act.no).limit(limit)
    gone = await work.session.scalars(
        delete(BulkPerson)
        .where(BulkPerson.act_no == act.no, BulkPerson.subscriber_no.in_(some))
        .returning(BulkPerson.subscriber_no)
        .execution_options(synchronize_session=False)
    )
    return gone.first() is not None


async def forget(work: Work, act: BulkAct) -> None:
    """Forget an act that nobody decided."""
    await work.session.delete(act)


def _has_people() -> ColumnElement[bool]:
    return exists().where(BulkPerson.act_no == BulkAct.no).correlate(BulkAct)
