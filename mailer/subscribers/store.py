"""Every question about subscribers, and the few statements that change their row."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError

from mailer.kit.addresses import key_of
from mailer.kit.work import Work
from mailer.subscribers.model import (
    AddressChange,
    Membership,
    Subscriber,
    Suppression,
    visible,
)

_AT_ONCE = 10_000  # numbers in one statement: drivers bind 32,766 values at most


async def by_no(work: Work, no: int) -> Subscriber | None:
    """Find one by number, if the actor may see them; who was merged is whom they turned out to be.

    Old links name the rows that were merged: whoever comes by one comes as the one person.
    """
    return await _one(work, Subscriber.no == no)


async def by_uid(work: Work, uid: str) -> Subscriber | None:
    """Find one by the name that the outside knows, as `by_no` does."""
    return await _one(work, Subscriber.uid == uid)


async def by_address(work: Work, address: str) -> Subscriber | None:
    """Find one by address, however it is spelt, as `by_no` does."""
    return await _one(work, Subscriber.address_key == key_of(address))


async def _one(work: Work, condition: ColumnElement[bool]) -> Subscriber | None:
    found = await work.session.scalar(select(Subscriber).where(condition, visible(work)))
    if found is not None and found.merged_no is None:
        return found
    no = found.merged_no if found is not None else await _merged_into(work, condition)
    return await _one(work, Subscriber.no == no) if no is not None else None


async def _merged_into(work: Work, condition: ColumnElement[bool]) -> int | None:
    """Say whom a row was merged into that an account with a scope does not see itself."""
    if work.scope is None:
        return None
    return await work.session.scalar(
        select(Subscriber.merged_no)
        .where(condition)
        .execution_options(unscoped="whom it leads to is asked for by `visible`")
    )


async def by_nos(work: Work, nos: Collection[int]) -> dict[int, Subscriber]:
    """Find those of these whom the actor may see."""
    found = await work.session.scalars(
        select(Subscriber).where(Subscriber.no.in_(nos), visible(work)),
    )
    return {one.no: one for one in found}


async def by_marks(work: Work, marks: Collection[str]) -> Sequence[Subscriber]:
    """Find those whom the actor may see by the marks of their addresses."""
    found = await work.session.scalars(
        select(Subscriber).where(Subscriber.mark.in_(marks), visible(work)),
    )
    return found.all()


async def taken(work: Work, keys: Collection[str]) -> set[str]:
    """Give those of these address keys that are on the roll already, whoever asks."""
    found = await work.session.scalars(
        select(Subscriber.address_key).where(Subscriber.address_key.in_(keys)),
        execution_options={"unscoped": "an address stands on the roll once, whoever may see it"},
    )
    return {key for key in found if key is not None}


async def how_many(work: Work) -> int:
    """Count the people on the roll whom the actor may see; who was erased is not."""
    counted = select(func.count(Subscriber.no)).where(visible(work), Subscriber.erased_at.is_(None))
    return await work.session.scalar(counted) or 0


async def hold(work: Work, no: int) -> Subscriber | None:
    """Find one, as `by_no` does, and keep their row until this unit of work ends.

    Verbs about one person queue. The row is read anew, so that what a verb then decides is decided
    on what is so. (SQLite has one writer at a time, and no such clause.)
    """
    found = await work.session.scalar(
        select(Subscriber)
        .where(Subscriber.no == no, visible(work))
        .with_for_update(key_share=True)  # letters and deliveries may still name the row
        .execution_options(populate_existing=True),
    )
    if found is not None and found.merged_no is None:
        return found
    to = found.merged_no if found is not None else await _merged_into(work, Subscriber.no == no)
    return await hold(work, to) if to is not None else None


async def hold_many(work: Work, nos: Collection[int]) -> Sequence[Subscriber]:
    """Hold several, in one order, so that two who hold cannot wait for each other."""
    found = await work.session.scalars(
        select(Subscriber)
        .where(Subscriber.no.in_(nos), visible(work))
        .order_by(Subscriber.no)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True),
    )
    return found.all()


async def hold_nos(work: Work, nos: Collection[int]) -> list[int]:
    """Hold several as `hold_many` does, and give the numbers alone of those who are on the roll.

    For verbs that put the same on many: nothing of their rows is read.
    """
    held: list[int] = []
    wanted = sorted(set(nos))
    for at in range(0, len(wanted), _AT_ONCE):
        found = await work.session.scalars(
            select(Subscriber.no)
            .where(
                Subscriber.no.in_(wanted[at : at + _AT_ONCE]),
                visible(work),
                Subscriber.erased_at.is_(None),
            )
            .order_by(Subscriber.no)
            .with_for_update(key_share=True)
        )
        held += found
    return held


async def change(work: Work, subscriber: Subscriber, values: Mapping[str, Any]) -> Subscriber:
    """Write columns of one person's row; a row that the actor may not see is not written.

    Not by setting attributes: what the session then writes by itself could not say `visible`.
    """
    changed = await work.session.scalars(
        update(Subscriber)
        .where(Subscriber.no == subscriber.no, visible(work))
        .values(**values)
        .returning(Subscriber)
        .execution_options(synchronize_session=False, populate_existing=True),
    )
    return changed.one()


async def change_many(work: Work, nos: Collection[int], values: Mapping[str, Any]) -> None:
    """Write the same into the rows of several people who are held."""
    await work.session.execute(
        update(Subscriber)
        .where(Subscriber.no.in_(nos), visible(work))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def move(
    work: Work, subscriber: Subscriber, *, address: str, key: str, mark: str
) -> Subscriber | None:
    """Write somebody's new address; None when another person has it, perhaps since a moment ago."""
    try:
        async with work.session.begin_nested():
            return await change(
                work, subscriber, {"address": address, "address_key": key, "mark": mark}
            )
    except IntegrityError:
        if key in await taken(work, [key]):
            return None
        raise


async def swap_addresses(
    work: Work, one: Subscriber, other: Subscriber
) -> tuple[Subscriber, Subscriber]:
    """Give each of two the address of the other, or none; an address stands on the roll once."""
    names = ("address", "address_key", "mark")
    first = {name: getattr(one, name) for name in names}
    second = {name: getattr(other, name) for name in names}
    await change(work, one, dict.fromkeys(names))
    other = await change(work, other, first)
    return await change(work, one, second), other


async def merged_with(work: Work, no: int, key: str) -> Subscriber | None:
    """Find the row with this address that turned out to be this person."""
    return await work.session.scalar(
        select(Subscriber).where(
            Subscriber.address_key == key, Subscriber.merged_no == no, visible(work)
        )
    )


async def forget_address_change(work: Work, no: int) -> None:
    """Keep a former address no longer."""
    if (found := await address_change(work, no)) is not None:
        await work.session.delete(found)
        await work.session.flush()


async def address_change(work: Work, no: int) -> AddressChange | None:
    """Find a change of address by number."""
    return await work.session.get(AddressChange, no)


async def address_changes_of(work: Work, subscriber_no: int) -> Sequence[AddressChange]:
    """Give one person's changes of address, newest first."""
    found = await work.session.scalars(
        select(AddressChange)
        .where(AddressChange.subscriber_no == subscriber_no)
        .order_by(AddressChange.no.desc()),
    )
    return found.all()


async def suppression(work: Work, mark: str | None) -> Suppression | None:
    """Find why an address is never written to, by its mark."""
    return None if mark is None else await work.session.get(Suppression, mark)


async def suppressions(work: Work, marks: Collection[str]) -> set[str]:
    """Give those of these marks that are never written to."""
    found = await work.session.scalars(
        select(Suppression.mark).where(Suppression.mark.in_(marks)),
    )
    return set(found)


async def lift(work: Work, suppression: Suppression) -> None:
    """Take a mark off the suppression list."""
    await work.session.delete(suppression)
    await work.session.flush()


async def memberships_of(work: Work, nos: Collection[int]) -> Sequence[Membership]:
    """Give the memberships of some people whom the actor may see."""
    found = await work.session.scalars(
        select(Membership)
        .join(Subscriber, Subscriber.no == Membership.subscriber_no)
        .where(Membership.subscriber_no.in_(nos), visible(work))
        .order_by(Membership.subscriber_no, Membership.since, Membership.group_no),
    )
    return found.all()
