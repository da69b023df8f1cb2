"""What is done with the people on the roll. Repeating any of it changes nothing more."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from mailer.activity import actions as activity
from mailer.audit import actions as audit
from mailer.kit.addresses import key_of, read_address
from mailer.kit.errors import Conflict, Invalid, NotFound
from mailer.kit.ids import new_uid
from mailer.kit.rows import add_missing
from mailer.kit.texts import one_line
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post
from mailer.outbox.model import Lane, Needs
from mailer.subscribers import store
from mailer.subscribers.model import (
    UNDO_FOR,
    AddressChange,
    Membership,
    Subscriber,
    Suppression,
    SuppressionReason,
    mark_of,
)

LONGEST_PAUSE = 365
CHANGES_A_DAY = 3

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")


class SubscriberUnknown(NotFound):
    """There is nobody like this on the roll."""


class AddressTaken(Conflict):
    """This address is on the roll already."""


class GroupNeeded(Invalid):
    """Please choose one of your groups for this person."""


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


class PauseOutOfRange(Invalid):
    """A pause lasts from 1 to %(most)s days."""


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `add_many`: somebody who is new to the roll, with an address that was read."""

    address: str
    first_name: str = ""
    last_name: str = ""
    city: str = ""
    language: str = "en"


async def add(
    work: Work,
    *,
    address: str | None,
    first_name: str = "",
    last_name: str = "",
    city: str = "",
    language: str = "en",
    groups: Collection[int] = (),
) -> Subscriber:
    """Take somebody onto the roll. They are written to only when they have agreed (`consent`).

    `address` None is somebody reached by telephone or paper. An account that sees only some groups
    adds people to those, or it could not see whom it added.
    """
    typed = read_address(address) if address is not None else None
    person = _row(work, typed, _details(first_name, last_name, city, language))
    groups = _within_reach(work, groups)
    added = await add_missing(work, Subscriber, [person])
    if not added:
        raise AddressTaken(field="address")
    [subscriber] = added
    await add_missing(
        work,
        Membership,
        [{"subscriber_no": subscriber.no, "group_no": no, "since": work.now} for no in groups],
    )
    await activity.record(work, subscriber.no, "joined")
    return subscriber


async def add_many(work: Work, people: Sequence[NewPerson]) -> dict[str, Subscriber]:
    """Take many onto the roll at once; give those who were new, by the key of their address.

    Whoever is on the roll already, or is twice among these, is left out.
    """
    rows = [
        _row(
            work,
            one.address,
            _details(one.first_name, one.last_name, one.city, one.language),
        )
        for one in people
    ]
    added = await add_missing(work, Subscriber, rows)
    groups = _within_reach(work, ())
    await add_missing(
        work,
        Membership,
        [
            {"subscriber_no": one.no, "group_no": no, "since": work.now}
            for one in added
            for no in groups
        ],
    )
    await activity.record_many(work, [one.no for one in added], "joined")
    return {str(one.address_key): one for one in added}


async def held(work: Work, subscriber: Subscriber) -> Subscriber:
    """Keep somebody's row until this unit of work ends, and give it as it now is.

    Every verb that decides by what is so begins with this: two who say yes at the same time are
    then served one after the other. Refuses when the actor may not see them.
    """
    found = await store.hold(work, subscriber.no)
    if found is None:
        raise SubscriberUnknown
    return found


async def change_details(
    work: Work,
    subscriber: Subscriber,
    *,
    first_name: str,
    last_name: str,
    city: str,
    language: str,
) -> Subscriber:
    """Change what somebody is called, where they live, and the language we write in."""
    subscriber = await held(work, subscriber)
    details = _details(first_name, last_name, city, language)
    changed = [name for name in _DETAILS if getattr(subscriber, name) != details[name]]
    if not changed:
        return subscriber
    await activity.record(work, subscriber.no, "details_changed", fields=changed)
    return await store.change(work, subscriber, details)


# --- the address -----------------------------------------------------------------------------


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
    moved = await store.move(work, subscriber, address=address, key=key_of(address), mark=mark)
    if moved is None:
        raise AddressTaken(field="address")
    return moved


# --- pausing and stopping ----------------------------------------------------------------------


async def pause(work: Work, subscriber: Subscriber, *, days: int = 30) -> datetime:
    """Stop writing to somebody for some days; give the moment when it begins again by itself.

    Asking again on the same day changes nothing; later it makes the pause longer.
    """
    if not 1 <= days <= LONGEST_PAUSE:
        raise PauseOutOfRange(field="days", most=LONGEST_PAUSE)
    subscriber = await held(work, subscriber)
    until = work.now + timedelta(days=days)
    standing = subscriber.paused_until
    if standing is not None and standing > until - timedelta(days=1):
        return standing
    await store.change(work, subscriber, {"paused_until": until})
    await activity.record(work, subscriber.no, "paused", until=until.isoformat())
    await post(
        work,
        Post(
            kind="paused",
            dedupe_key=f"paused:{subscriber.no}:{until.date()}",
            language=subscriber.language,
            facts={"until": until.isoformat()},
            subscriber=subscriber.no,
        ),
    )
    return until


async def resume(work: Work, subscriber: Subscriber) -> Subscriber:
    """End a pause before its time."""
    subscriber = await held(work, subscriber)
    if not subscriber.is_paused(work.now):
        return subscriber
    await activity.record(work, subscriber.no, "resumed")
    return await store.change(work, subscriber, {"paused_until": None})


async def stop_silently(work: Work, subscriber: Subscriber) -> Subscriber:
    """Never write to somebody again and tell nobody: they have died, or must not be found out."""
    subscriber = await held(work, subscriber)
    if subscriber.stopped_at is not None:
        return subscriber
    await activity.record(work, subscriber.no, "stopped")
    await audit.note(work, "subscriber_stopped", subscriber=subscriber.no)
    return await store.change(work, subscriber, {"stopped_at": work.now})


async def start_again(work: Work, subscriber: Subscriber) -> Subscriber:
    """Take back that somebody was stopped silently."""
    subscriber = await held(work, subscriber)
    if subscriber.stopped_at is None:
        return subscriber
    await activity.record(work, subscriber.no, "started_again")
    await audit.note(work, "subscriber_started_again", subscriber=subscriber.no)
    return await store.change(work, subscriber, {"stopped_at": None})


# --- reading what was typed --------------------------------------------------------------------

_DETAILS = ("first_name", "last_name", "city", "language")


def _details(first_name: str, last_name: str, city: str, language: str) -> dict[str, str]:
    first_name = one_line(first_name, longest=120, field="first_name")
    last_name = one_line(last_name, longest=120, field="last_name")
    return {
        "first_name": first_name,
        "last_name": last_name,
        "city": one_line(city, longest=120, field="city"),
        "language": language if _LANGUAGE.fullmatch(language) else "en",
        **Subscriber.keys_of(first_name, last_name),
    }


def _row(work: Work, address: str | None, details: dict[str, str]) -> dict[str, Any]:
    return {
        "uid": new_uid(),
        "address": address,
        "address_key": key_of(address) if address is not None else None,
        "mark": mark_of(work.keys, address) if address is not None else None,
        "door": work.door,
        "joined_at": work.now,
        **details,
    }


def _within_reach(work: Work, wanted: Collection[int]) -> list[int]:
    """Give the groups that a new person joins: for an account with a scope, of its own."""
    if work.scope is None:
        return sorted(set(wanted))
    mine = work.scope.intersection(wanted) if wanted else work.scope
    if not mine or (not wanted and len(mine) > 1):
        raise GroupNeeded(field="group")
    return sorted(mine)
