"""What a timeline says of somebody's joining, details, address and breaks."""

from datetime import datetime

from babel.dates import format_date

from mailer.activity.model import Activity, Entry, Undo, Undoes
from mailer.activity.record import Told, entry_of, lines, told
from mailer.kit import i18n
from mailer.kit.i18n import N_, _
from mailer.kit.work import Door, Work
from mailer.subscribers import store
from mailer.subscribers.model import UNDO_FOR, AddressChange

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
            "paused": _paused,
            "resumed": lambda _line: {"words": _("Ended the break before its time")},
            "stopped": lambda _line: {
                "words": _("Stopped"),
                "details": _("Gets no email any more, and was told nothing."),
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
