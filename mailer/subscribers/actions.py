"""What is done with the people on the roll. Repeating any of it changes nothing more."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from typing_extensions import Unpack

from mailer.activity import actions as activity
from mailer.kit.addresses import key_of, read_address
from mailer.kit.errors import Invalid
from mailer.kit.ids import new_uid
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.subscribers import store
from mailer.subscribers.addressing import (
    CHANGES_A_DAY,
    AddressChangeUndone,
    AddressChangeUnknown,
    AddressSinceChanged,
    AddressTaken,
    AddressUndoTooLate,
    NoFormerAddress,
    SameAddress,
    TooManyChanges,
    ask_address_change,
    change_address,
    confirm_address_change,
    undo_address_change,
)
from mailer.subscribers.details import Details, read_details, with_keys
from mailer.subscribers.holding import SubscriberUnknown, held
from mailer.subscribers.model import Membership, Subscriber, mark_of
from mailer.subscribers.pausing import (
    LONGEST_PAUSE,
    PauseOutOfRange,
    pause,
    resume,
    start_again,
    stop_silently,
)

__all__ = [
    "CHANGES_A_DAY",
    "LONGEST_PAUSE",
    "AddressChangeUndone",
    "AddressChangeUnknown",
    "AddressSinceChanged",
    "AddressTaken",
    "AddressUndoTooLate",
    "GroupNeeded",
    "NewPerson",
    "NoFormerAddress",
    "PauseOutOfRange",
    "SameAddress",
    "SubscriberUnknown",
    "TooManyChanges",
    "add",
    "add_many",
    "ask_address_change",
    "change_address",
    "change_details",
    "confirm_address_change",
    "held",
    "pause",
    "resume",
    "start_again",
    "stop_silently",
    "undo_address_change",
]


class GroupNeeded(Invalid):
    """Please choose one of your groups for this person."""


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
    postcode: str = "",
    region: str = "",
    country: str = "",
    time_zone: str = "",
    source: str = "",
    groups: Collection[int] = (),
) -> Subscriber:
    """Take somebody onto the roll. They are written to only when they have agreed (`consent`).

    `address` None is somebody reached by telephone or paper. An account that sees only some groups
    adds people to those, or it could not see whom it added.
    """
    typed = read_address(address) if address is not None else None
    said: Details = {
        "first_name": first_name,
        "last_name": last_name,
        "city": city,
        "language": language,
        "postcode": postcode,
        "region": region,
        "country": country,
        "time_zone": time_zone,
        "source": source,
    }
    person = _row(work, typed, said)
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
            {
                "first_name": one.first_name,
                "last_name": one.last_name,
                "city": one.city,
                "language": one.language,
            },
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


async def change_details(
    work: Work, subscriber: Subscriber, **typed: Unpack[Details]
) -> Subscriber:
    """Change what somebody is called, where they live, their language or their hours.

    `typed` is by the names of the columns (`details.read_details`); what is not said stays.
    """
    subscriber = await held(work, subscriber)
    details = read_details(typed)
    changed = [name for name in typed if getattr(subscriber, name) != details[name]]
    if not changed:
        return subscriber
    await activity.record(work, subscriber.no, "details_changed", fields=changed)
    return await store.change(work, subscriber, with_keys(details, subscriber))


def _row(work: Work, address: str | None, typed: Details) -> dict[str, Any]:
    return {
        "uid": new_uid(),
        "address": address,
        "address_key": key_of(address) if address is not None else None,
        "mark": mark_of(work.keys, address) if address is not None else None,
        "door": work.door,
        "joined_at": work.now,
        **with_keys(read_details(typed)),
    }


def _within_reach(work: Work, wanted: Collection[int]) -> list[int]:
    """Give the groups that a new person joins: for an account with a scope, of its own."""
    if work.scope is None:
        return sorted(set(wanted))
    mine = work.scope.intersection(wanted) if wanted else work.scope
    if not mine or (not wanted and len(mine) > 1):
        raise GroupNeeded(field="group")
    return sorted(mine)
