"""Two rows that are one person: made one, and two again within 30 days.

Each slice hands over what it keeps (`record.repoint`) and takes it back (`record.restore`). The row
that goes is kept as an erased one that names the other, with its address: sign-ups, files and old
links that name it lead to the one who stays. Having left, having been stopped and never to be
written to hold for both, whichever row said so.
"""

import enum
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from mailer.activity import actions as activity
from mailer.activity import record as lines
from mailer.asks import record as asks
from mailer.audit import actions as audit
from mailer.consent import record as consent
from mailer.deliveries import record as deliveries
from mailer.fields import record as fields
from mailer.followups import record as followups
from mailer.groups import record as groups
from mailer.kit.errors import Conflict, Forbidden, NotFound
from mailer.kit.orm import Facts
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.phones import record as phones
from mailer.records.model import Merging
from mailer.records.pairs import store as pairs
from mailer.subscribers import record as subscribers
from mailer.subscribers import store as people
from mailer.subscribers.model import (
    AddressChange,
    MailForm,
    Subscriber,
    Suppression,
    SuppressionReason,
)
from mailer.tags import record as tags
from mailer.tiers import record as tiers
from mailer.tiers import store as ladder

UNDO_FOR = timedelta(days=30)

_SLICES = {
    "subscribers": subscribers,
    "groups": groups,
    "tags": tags,
    "consent": consent,
    "fields": fields,
    "phones": phones,
    "tiers": tiers,
    "asks": asks,
    "followups": followups,
    "deliveries": deliveries,
    "activity": lines,
}


class MergingOutOfReach(Forbidden):
    """Making two one changes what other groups see. Please ask somebody who looks after all."""


class SamePerson(Conflict):
    """This is one and the same entry."""


class MergingUnknown(NotFound):
    """There is nothing here that could be made two again."""


class MergingTooOld(Conflict):
    """This can no longer be undone: 30 days have gone by."""


class MergedSince(Conflict):
    """They were made one with somebody else since. Please undo the newest first."""


class Take(enum.StrEnum):
    """What may be taken from the row that goes."""

    ADDRESS = "address"
    NAME = "name"
    LEVEL = "level"


def may_merge(work: Work) -> bool:
    """Say whether the actor may make two one."""
    return work.scope is None


async def merge(
    work: Work, kept: Subscriber, other: Subscriber, *, take: Collection[Take] = ()
) -> Merging:
    """Make two one; the first stays, with what `take` names from the other.

    What is known of the other alone is filled in, lists and groups are those of both. It can be
    undone for 30 days.
    """
    if not may_merge(work):
        raise MergingOutOfReach
    kept, other = await _both(work, kept, other)
    before = _columns(kept)
    addresses = {"kept": kept.address, "other": other.address}
    level = await ladder.chosen(work, other.no) if Take.LEVEL in take else None
    moved: Facts = {
        name: await slice_.repoint(work, other.no, kept.no) for name, slice_ in _SLICES.items()
    }
    moved["cases"] = await followups.follow_pledges(work, kept.no, moved["asks"])
    moved["letters"] = await outbox.hand_over(work, other.no, kept.no)
    if level is not None and (stood := await ladder.chosen(work, kept.no)) is not None:
        moved["level"] = [stood.no, level.no]
        await ladder.set_chosen(work, [kept.no], level.no)
    swaps = other.address is not None and (Take.ADDRESS in take or kept.address is None)
    if swaps:
        kept, other = await people.swap_addresses(work, kept, other)
    kept = await people.change(work, kept, _together(kept, other, take))
    await people.change(work, other, {"erased_at": work.now, "merged_no": kept.no})
    merging = Merging(
        kept_no=kept.no,
        merged_no=other.no,
        moved={
            **moved,
            "before": before,
            "after": _columns(kept),
            "addresses": addresses if swaps else None,
            "suppressed": await _carry_suppression(work, kept, other),
            "history": await _remember_address(work, kept, other),
        },
        made_at=work.now,
        door=work.door,
        account_no=work.account,
    )
    work.session.add(merging)
    await work.session.flush()
    await activity.record(work, kept.no, "merged", merging=merging.no)
    await audit.note(work, "people_merged", subscriber=kept.no)
    return merging


async def undo(work: Work, merging_no: int) -> Subscriber:
    """Make two of one again, as they were; what has changed since stays with the one who stayed.

    Gives that one. Undoing twice is undoing once.
    """
    if not may_merge(work):
        raise MergingOutOfReach
    merging = await pairs.merging(work, merging_no)
    if merging is None:
        raise MergingUnknown
    held = {one.no: one for one in await people.hold_many(work, _numbers(merging))}
    if len(held) < 2:
        raise MergingUnknown
    kept, other = held[merging.kept_no], held[merging.merged_no]
    await work.session.refresh(merging)
    if merging.undone_at is not None:
        return kept
    if work.now > merging.made_at + UNDO_FOR:
        raise MergingTooOld
    if kept.erased_at is not None:
        raise MergedSince
    moved = merging.moved
    kept, other = await _addresses_back(work, kept, other, moved["addresses"])
    kept = await people.change(work, kept, _unchanged_since(kept, moved))
    other = await people.change(work, other, {"erased_at": None, "merged_no": None})
    await _lift_suppression(work, moved["suppressed"], merging.made_at)
    if moved["history"] is not None:
        await people.forget_address_change(work, moved["history"])
    if "level" in moved:
        stood, given = moved["level"]
        now = await ladder.chosen(work, kept.no)
        if now is not None and now.no == given:
            await ladder.set_chosen(work, [kept.no], stood)
    await outbox.hand_back(work, moved["letters"], other.no)
    for name, slice_ in reversed(_SLICES.items()):
        await slice_.restore(work, other.no, kept.no, moved[name])
    await followups.go_home(work, other.no, kept.no, moved["cases"])
    merging.undone_at = work.now
    await activity.record_many(work, [kept.no, other.no], "unmerged", merging=merging.no)
    await audit.note(work, "merging_undone", subscriber=kept.no)
    return kept


async def keep_apart(work: Work, one: Subscriber, other: Subscriber) -> None:
    """Remember that these two are two people: they are not suggested again."""
    if not may_merge(work):
        raise MergingOutOfReach
    one, other = await _both(work, one, other)
    if await pairs.note_two(work, one.no, other.no):
        await audit.note(work, "kept_apart", subscriber=one.no)


async def _both(work: Work, one: Subscriber, other: Subscriber) -> tuple[Subscriber, Subscriber]:
    if one.no == other.no:
        raise SamePerson
    held = {held.no: held for held in await people.hold_many(work, [one.no, other.no])}
    if len(held) < 2 or any(found.erased_at is not None for found in held.values()):
        raise MergingUnknown
    return held[one.no], held[other.no]


def _numbers(merging: Merging) -> list[int]:
    return [merging.kept_no, merging.merged_no]


# --- the row of the one who stays -----------------------------------------------------------------

_NAME = ("first_name", "last_name")
_FILLED = ("city", "postcode", "region", "country", "time_zone", "source")
_DATES = ("joined_at", "paused_until", "stopped_at", "last_mailed_at")


def _columns(subscriber: Subscriber) -> Facts:
    """Give the columns that a merge may change, as plain JSON."""
    dates = {name: getattr(subscriber, name) for name in _DATES}
    return {
        **{name: getattr(subscriber, name) for name in (*_NAME, *_FILLED)},
        "mail_form": subscriber.mail_form.value,
        **{name: at and at.isoformat() for name, at in dates.items()},
    }


def _together(kept: Subscriber, other: Subscriber, take: Collection[Take]) -> dict[str, Any]:
    """Give what is now known: a gap is filled, the longer break and any stop hold."""
    takes_name = other.shown_name and (Take.NAME in take or not kept.shown_name)
    named = other if takes_name else kept
    return {
        "first_name": named.first_name,
        "last_name": named.last_name,
        **Subscriber.keys_of(named.first_name, named.last_name),
        **{name: getattr(kept, name) or getattr(other, name) for name in _FILLED},
        "mail_form": other.mail_form if kept.mail_form is MailForm.USUAL else kept.mail_form,
        "joined_at": min(kept.joined_at, other.joined_at),
        "paused_until": _latest(kept.paused_until, other.paused_until),
        "stopped_at": kept.stopped_at or other.stopped_at,
        "last_mailed_at": _latest(kept.last_mailed_at, other.last_mailed_at),
    }


def _latest(*moments: datetime | None) -> datetime | None:
    return max((at for at in moments if at is not None), default=None)


def _unchanged_since(kept: Subscriber, moved: Facts) -> dict[str, Any]:
    """Give the columns as they were before, but for those that somebody has changed since."""
    now, before = _columns(kept), moved["before"]
    back: dict[str, Any] = {
        name: before[name] for name, was in moved["after"].items() if now[name] == was
    }
    for name in _DATES:
        if back.get(name):
            back[name] = datetime.fromisoformat(back[name])
    first, last = (str(back.get(name, now[name])) for name in _NAME)
    return {**back, **Subscriber.keys_of(first, last)}


# --- addresses ------------------------------------------------------------------------------------


async def _addresses_back(
    work: Work, kept: Subscriber, other: Subscriber, swapped: Facts | None
) -> tuple[Subscriber, Subscriber]:
    """Give each their own address again; one who has a third by now keeps it."""
    if swapped is None or kept.address != swapped["other"]:
        return kept, other
    return await people.swap_addresses(work, kept, other)


async def _carry_suppression(work: Work, kept: Subscriber, other: Subscriber) -> str | None:
    """Never write to one who by either address must not be; give the mark that is new to the list.

    A bounce is about a mailbox, and everything else was a wish.
    """
    standing = await people.suppression(work, other.mark)
    if standing is None or standing.reason is SuppressionReason.BOUNCE or kept.mark is None:
        return None
    row = {
        "mark": kept.mark,
        "reason": standing.reason,
        "at": work.now,
        "door": work.door,
        "account_no": work.account,
    }
    return kept.mark if await add_missing(work, Suppression, [row]) else None


async def _lift_suppression(work: Work, mark: str | None, merged_at: datetime) -> None:
    standing = await people.suppression(work, mark)
    if standing is not None and standing.at == merged_at:
        await people.lift(work, standing)


async def _remember_address(work: Work, kept: Subscriber, other: Subscriber) -> int | None:
    """Keep the address that is no longer used among the former ones."""
    if other.address is None or kept.address is None:
        return None
    change = AddressChange(
        subscriber_no=kept.no,
        old_address=other.address,
        new_address=kept.address,
        asked_at=work.now,
        confirmed_at=work.now,
        door=work.door,
    )
    work.session.add(change)
    await work.session.flush()
    return change.no
