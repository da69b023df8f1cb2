"""What a timeline says of somebody's joining, details, address and breaks."""

from collections.abc import Collection
from datetime import datetime

from babel.dates import format_date
from sqlalchemy import and_, delete, func, inspect, or_, select, update
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from mailer.activity.model import Activity, Entry, Undo, Undoes
from mailer.activity.record import Told, entry_of, lines, told
from mailer.kit import i18n
from mailer.kit.i18n import N_, _
from mailer.kit.ids import new_uid
from mailer.kit.known import Part, Row, Said
from mailer.kit.orm import Facts
from mailer.kit.work import Door, Work
from mailer.subscribers import store
from mailer.subscribers.model import (
    UNDO_FOR,
    AddressChange,
    MailForm,
    Membership,
    Subscriber,
    mark_of,
    visible,
)

_JOINED = {
    Door.EMAIL: N_("By email"),
    Door.PAGE: N_("By the join page"),
    Door.ADMIN: N_("Added by an organiser"),
    Door.API: N_("Added by another program"),
    Door.IMPORT: N_("From a file"),
    Door.CLI: N_("Added on the server"),
    Door.SYSTEM: N_("Added by Rollcall"),
}
_FIELDS = {
    "first_name": N_("first name"),
    "last_name": N_("last name"),
    "city": N_("town"),
    "language": N_("language"),
    "postcode": N_("postcode"),
    "region": N_("region"),
    "country": N_("country"),
    "time_zone": N_("time zone"),
    "source": N_("source"),
}
_FORMS = {
    MailForm.USUAL: N_("Emails are written as usual"),
    MailForm.LARGE: N_("Emails are written in large text"),
    MailForm.PLAIN: N_("Emails are written as plain text"),
}
_ADDRESS = ("address_change_asked", "address_changed", "address_change_undone")


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell what happened to somebody as a person on the roll."""
    simple = await told(
        work,
        subscriber_no,
        {
            "joined": lambda line: {
                "words": _("Came onto the roll"),
                "details": _(_JOINED[line.door]),
            },
            "details_changed": _details_changed,
            "mail_form": lambda line: {"words": _(_FORMS[MailForm(line.facts["form"])])},
            "paused": _paused,
            "resumed": lambda _line: {"words": _("Ended the break before its time")},
            "stopped": lambda _line: {
                "words": _("Stopped"),
                "details": _("No email is sent any more."),
            },
            "started_again": lambda _line: {"words": _("No longer stopped")},
        },
    )
    return [*simple, *await _addresses(work, subscriber_no)]


def _details_changed(line: Activity) -> Told:
    fields = [_(_FIELDS[name]) for name in line.facts.get("fields", []) if name in _FIELDS]
    return {"words": _("Details were changed"), "details": ", ".join(fields)}


def _paused(line: Activity) -> Told:
    until = datetime.fromisoformat(line.facts["until"])
    return {"words": _("Takes a break until %(day)s") % {"day": _day(until)}}


async def _addresses(work: Work, subscriber_no: int) -> list[Entry]:
    changes = {one.no: one for one in await store.address_changes_of(work, subscriber_no)}
    found = await lines(work, subscriber_no, _ADDRESS)
    latest = next((line.facts["change"] for line in found if line.kind == "address_changed"), None)
    return [
        entry_of(line, _address(work, line, change, is_latest=change.no == latest))
        for line in found
        if (change := changes.get(line.facts["change"])) is not None
    ]


def _address(work: Work, line: Activity, change: AddressChange, *, is_latest: bool) -> Told:
    if line.kind == "address_change_asked":
        return {
            "words": _("Wants to be written to at another address"),
            "details": _("We asked at %(address)s.") % {"address": change.new_address},
        }
    if line.kind == "address_change_undone":
        return {
            "words": _("Went back to the former address"),
            "details": change.old_address or "",
        }
    confirmed_at = change.confirmed_at or line.at
    undo = None
    may = change.old_address is not None and change.undone_at is None and is_latest
    if may and work.now <= confirmed_at + UNDO_FOR:
        undo = Undo(what=Undoes.ADDRESS, no=change.no, until=confirmed_at + UNDO_FOR)
    moved = _("From %(old)s to %(new)s.") % {
        "old": change.old_address or "–",
        "new": change.new_address,
    }
    return {"words": _("Has another address"), "details": moved, "undo": undo}


def _day(at: datetime) -> str:
    return format_date(at, format="long", locale=i18n.language.get())


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give who somebody is to us, and which addresses they had."""
    person = await _row(work, subscriber_no)
    return [
        Part(
            name="person",
            table="subscriber",
            words=_("You"),
            rows=[_person(person)] if person else [],
        ),
        Part(
            name="addresses",
            table="address_change",
            words=_("Changes of your address"),
            rows=[
                {
                    "before": change.old_address,
                    "after": change.new_address,
                    "asked_at": change.asked_at,
                    "confirmed_at": change.confirmed_at,
                    "undone_at": change.undone_at,
                    "door": change.door.value,
                }
                for change in reversed(await store.address_changes_of(work, subscriber_no))
            ],
        ),
    ]


def _person(person: Subscriber) -> Row:
    return {
        "address": person.address,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "city": person.city,
        "postcode": person.postcode,
        "region": person.region,
        "country": person.country,
        "time_zone": person.time_zone,
        "language": Said(person.language, i18n.own_name(person.language)),
        "mail_form": Said(person.mail_form.value, _(_FORMS[person.mail_form])),
        "source": person.source,
        "joined_at": person.joined_at,
        "door": Said(person.door.value, _(_JOINED[person.door])),
        "paused_until": person.paused_until,
        "stopped_at": person.stopped_at,
        "last_mailed_at": person.last_mailed_at,
        "public_name": person.uid,
    }


async def _row(work: Work, subscriber_no: int) -> Subscriber | None:
    """Find a row by its own number, also one that turned out to be another's."""
    return await work.session.scalar(
        select(Subscriber)
        .where(Subscriber.no == subscriber_no, visible(work))
        .execution_options(populate_existing=True)
    )


async def with_merged(work: Work, subscriber_no: int) -> list[int]:
    """Give somebody's number after those of all rows that turned out to be theirs."""
    numbers = [subscriber_no]
    while True:
        more = await work.session.scalars(
            select(Subscriber.no)
            .where(
                Subscriber.merged_no.in_(numbers),
                Subscriber.no.not_in(numbers),
            )
            .order_by(Subscriber.no)
            .execution_options(unscoped="whose row leads to somebody who is seen is theirs")
        )
        if not (found := list(more)):
            return numbers
        numbers = [*found, *numbers]


async def marks_of(work: Work, subscriber_no: int) -> set[str]:
    """Give the scrambled marks of the addresses that somebody has and had.

    An address that was only asked about may be another person's.
    """
    person = await _row(work, subscriber_no)
    addresses = {person.address if person else None}
    for change in await store.address_changes_of(work, subscriber_no):
        addresses |= {change.old_address, change.new_address if change.confirmed_at else None}
    return {mark_of(work.keys, address) for address in addresses if address is not None}


async def forget(work: Work, subscriber_no: int) -> None:
    """Keep no membership and no former address of somebody.

    Nor that another person wished in vain to be written to at theirs.
    """
    theirs = select(func.lower(Subscriber.address)).where(
        Subscriber.no == subscriber_no, visible(work)
    )
    wished = and_(
        AddressChange.confirmed_at.is_(None),
        func.lower(AddressChange.new_address).in_(theirs),
    )
    for kind, whose in (
        (Membership, Membership.subscriber_no == subscriber_no),
        (AddressChange, or_(AddressChange.subscriber_no == subscriber_no, wished)),
    ):
        await work.session.execute(
            delete(kind).where(whose).execution_options(synchronize_session=False)
        )


async def empty(work: Work, subscriber_no: int) -> None:
    """Leave of somebody's row its number and the day: nothing that says who they were.

    The row stays because its number stands in the counts of campaigns, and so that it is never
    given to another. The name that the outside knows is a new one.
    """
    await work.session.execute(
        update(Subscriber)
        .where(Subscriber.no == subscriber_no, visible(work))
        .values({**_nothing(), "uid": new_uid(), "joined_at": work.now, "erased_at": work.now})
        .execution_options(synchronize_session=False)
    )


def _nothing() -> Facts:
    """Give what stands in each column of a person of whom nothing is known."""
    columns = inspect(Subscriber).columns
    empty = {one.key: None for one in columns if one.nullable}
    usual = {
        one.key: one.default.arg
        for one in columns
        if isinstance(one.default, ScalarElementColumnDefault)
    }
    return {**usual, **empty, "door": Door.SYSTEM}


async def others_have(work: Work, marks: Collection[str], numbers: Collection[int]) -> set[str]:
    """Give those of these marks whose address is by now that of somebody else on the roll."""
    found = await work.session.scalars(
        select(Subscriber.mark)
        .where(Subscriber.mark.in_(marks), Subscriber.no.not_in(numbers))
        .execution_options(unscoped="whoever it is: their mail must not stop")
    )
    return {mark for mark in found if mark is not None}


async def repoint(work: Work, from_no: int, to_no: int) -> Facts:
    """Give one person the former addresses of another."""
    moved = await work.session.scalars(
        update(AddressChange)
        .where(AddressChange.subscriber_no == from_no)
        .values(subscriber_no=to_no)
        .returning(AddressChange.no)
        .execution_options(synchronize_session=False)
    )
    return {"address_changes": sorted(moved)}


async def restore(work: Work, from_no: int, _to_no: int, moved: Facts) -> None:
    """Take a `repoint` back."""
    await work.session.execute(
        update(AddressChange)
        .where(AddressChange.no.in_(moved["address_changes"]))
        .values(subscriber_no=from_no)
        .execution_options(synchronize_session=False)
    )
