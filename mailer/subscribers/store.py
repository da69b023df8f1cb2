"""Every question about subscribers, and the few statements that change their row."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update
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


async def by_no(work: Work, no: int) -> Subscriber | None:
    """Find one by number, if the actor may see them."""
    return await work.session.scalar(
        select(Subscriber).where(Subscriber.no == no, visible(work)),
    )


async def by_uid(work: Work, uid: str) -> Subscriber | None:
    """Find one by the name that the outside knows, if the actor may see them."""
    return await work.session.scalar(
        select(Subscriber).where(Subscriber.uid == uid, visible(work)),
    )


async def by_address(work: Work, address: str) -> Subscriber | None:
    """Find one by address, however it is spelt, if the actor may see them."""
    return await work.session.scalar(
        select(Subscriber).where(Subscriber.address_key == key_of(address), visible(work)),
    )


async def by_keys(work: Work, keys: Collection[str]) -> dict[str, Subscriber]:
    """Find those whom the actor may see by the keys of their addresses."""
    found = await work.session.scalars(
        select(Subscriber).where(Subscriber.address_key.in_(keys), visible(work)),
    )
    return {one.address_key: one for one in found if one.address_key is not None}


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
    """Find one and keep their row until this unit of work ends: verbs about one person queue.

    The row is read anew, so that what a verb then decides is decided on what is so. (SQLite has
    one writer at a time, and no such clause.)
    """
    return await work.session.scalar(
        select(Subscriber)
        .where(Subscriber.no == no, visible(work))
        .with_for_update(key_share=True)  # letters and deliveries may still name the row
        .execution_options(populate_existing=True),
    )


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
