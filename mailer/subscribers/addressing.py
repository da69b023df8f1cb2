"""Another address for somebody: asked at the new one, told to the old one, undone for 30 days."""

from datetime import timedelta

from mailer.activity import actions as activity
from mailer.kit.addresses import key_of, read_address
from mailer.kit.errors import Conflict, Invalid, NotFound
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post
from mailer.outbox.model import Lane, Needs
from mailer.subscribers import store
from mailer.subscribers.holding import held
from mailer.subscribers.model import (
    UNDO_FOR,
    AddressChange,
    Subscriber,
    Suppression,
    SuppressionReason,
    mark_of,
)

CHANGES_A_DAY = 3


class AddressTaken(Conflict):
    """This address is on the roll already."""


class SameAddress(Invalid):
    """That is the address we write to already."""


class TooManyChanges(Conflict):
    """That is enough new addresses for one day. Please try again tomorrow."""


class AddressChangeUnknown(NotFound):
    """There is no such change of address."""


class AddressChangeUndone(Conflict):
    """This change of address was undone. Please ask for a new one."""


class AddressUndoTooLate(Conflict):
    """This can no longer be undone: 30 days have gone by. Please change the address again."""


class AddressSinceChanged(Conflict):
    """The address was changed again since. Please undo the newest change."""


class NoFormerAddress(Conflict):
    """There was no address before this one."""


async def ask_address_change(work: Work, subscriber: Subscriber, typed: str) -> AddressChange:
    """Note a wish for another address, and ask at the new one whether it is theirs.

    The answer is the same whether that address is on the roll or not: nobody finds out who is. The
    same wish within a day is the same change, and sends no second letter.
    """
    subscriber = await held(work, subscriber)
    wanted = read_address(typed)
    if key_of(wanted) == subscriber.address_key:
        raise SameAddress(field="address")
    asked = [
        change
        for change in await store.address_changes_of(work, subscriber.no)
        if change.asked_at > work.now - timedelta(days=1)
    ]
    for change in asked:
        if key_of(change.new_address) == key_of(wanted) and change.confirmed_at is None:
            return change
    if len(asked) >= CHANGES_A_DAY:
        raise TooManyChanges(field="address")
    change = await _note_change(work, subscriber, wanted)
    await activity.record(work, subscriber.no, "address_change_asked", change=change.no)
    if not await store.suppression(work, mark_of(work.keys, wanted)):
        await post(
            work,
            Post(
                kind="address-change-confirm",
                dedupe_key=f"address-change-confirm:{change.no}",
                language=subscriber.language,
                facts={"change": change.no},
                address=wanted,
                lane=Lane.URGENT,
                needs=Needs.NOTHING,
            ),
        )
    return change


async def confirm_address_change(work: Work, no: int) -> Subscriber:
    """Move somebody to the address where they have just opened our letter.

    The old address is told, with an undo.
    """
    change, subscriber = await _change_of(work, no)
    if change.undone_at is not None:
        raise AddressChangeUndone
    if change.confirmed_at is not None:
        return subscriber
    return await _carry_out(work, subscriber, change)


async def change_address(work: Work, subscriber: Subscriber, typed: str) -> Subscriber:
    """Change somebody's address at once, as an organiser does for one who asks.

    The old address is told, with an undo.
    """
    subscriber = await held(work, subscriber)
    wanted = read_address(typed)
    if wanted == subscriber.address:
        return subscriber
    change = await _note_change(work, subscriber, wanted)
    return await _carry_out(work, subscriber, change)


async def undo_address_change(work: Work, no: int) -> Subscriber:
    """Go back to the address from before a change. Undoing twice is undoing once."""
    change, subscriber = await _change_of(work, no)
    if change.undone_at is not None:
        return subscriber
    if change.confirmed_at is None:
        raise AddressChangeUnknown
    if change.old_address is None:
        raise NoFormerAddress
    if work.now > change.confirmed_at + UNDO_FOR:
        raise AddressUndoTooLate
    if subscriber.address != change.new_address:
        raise AddressSinceChanged
    carried = await store.suppression(work, subscriber.mark)
    if carried is not None and carried.at == change.confirmed_at:
        # It went along with them to this address and to no other owner of it.
        await store.lift(work, carried)
    subscriber = await _move(work, subscriber, change.old_address)
    change.undone_at = work.now
    await activity.record(work, subscriber.no, "address_change_undone", change=change.no)
    return subscriber


async def _note_change(work: Work, subscriber: Subscriber, wanted: str) -> AddressChange:
    change = AddressChange(
        subscriber_no=subscriber.no,
        old_address=subscriber.address,
        new_address=wanted,
        asked_at=work.now,
        door=work.door,
    )
    work.session.add(change)
    await work.session.flush()
    return change


async def _change_of(work: Work, no: int) -> tuple[AddressChange, Subscriber]:
    change = await store.address_change(work, no)
    subscriber = await store.hold(work, change.subscriber_no) if change else None
    if change is None or subscriber is None:
        raise AddressChangeUnknown
    await work.session.refresh(change)  # as it is now that its person is held
    return change, subscriber


async def _carry_out(work: Work, subscriber: Subscriber, change: AddressChange) -> Subscriber:
    change.old_address = subscriber.address
    change.confirmed_at = work.now
    subscriber = await _move(work, subscriber, change.new_address)
    await activity.record(work, subscriber.no, "address_changed", change=change.no)
    if change.old_address is not None:
        await post(
            work,
            Post(
                kind="address-changed",
                dedupe_key=f"address-changed:{change.no}",
                language=subscriber.language,
                facts={"change": change.no},
                address=change.old_address,
                needs=Needs.NOTHING,
            ),
        )
    return subscriber


async def _move(work: Work, subscriber: Subscriber, address: str) -> Subscriber:
    """Write the address and all that follows from it. A wish not to be written to goes along."""
    mark = mark_of(work.keys, address)
    standing = await store.suppression(work, subscriber.mark)
    # A bounce is about the old mailbox; everything else was the wish of its owner.
    if standing is not None and standing.reason is not SuppressionReason.BOUNCE:
        await add_missing(
            work,
            Suppression,
            [
                {
                    "mark": mark,
                    "reason": standing.reason,
                    "at": work.now,
                    "door": work.door,
                    "account_no": work.account,
                },
            ],
        )
    # The address of a row that turned out to be theirs is theirs to be written to at.
    own = await store.merged_with(work, subscriber.no, key_of(address))
    if own is not None:
        return (await store.swap_addresses(work, subscriber, own))[0]
    moved = await store.move(work, subscriber, address=address, key=key_of(address), mark=mark)
    if moved is None:
        raise AddressTaken(field="address")
    return moved
