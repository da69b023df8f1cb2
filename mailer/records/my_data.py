"""My data: all that is held of one person, for that person, to read and to take away.

Each slice says what its tables hold (`record.known`); a house test finds a table that nobody says.
The names of parts and of what stands in them are stable: docs/my-data.md lists them.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from babel.dates import format_datetime

from mailer.activity import record as activity
from mailer.activity.model import Entry
from mailer.asks import record as asks
from mailer.bulk import record as bulk
from mailer.consent import record as consent
from mailer.deliveries import record as deliveries
from mailer.fields import record as fields
from mailer.followups import record as followups
from mailer.groups import record as groups
from mailer.imports import record as imports
from mailer.kit import i18n
from mailer.kit.i18n import N_, _
from mailer.kit.known import Part, Row, Said, Value
from mailer.kit.tables import BOM, guarded, joined
from mailer.kit.work import Work
from mailer.outbox import record as letters
from mailer.phones import record as phones
from mailer.records import record as records
from mailer.subscribers import record as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tags import record as tags
from mailer.tiers import record as tiers

FORMAT = "rollcall-my-data"
VERSION = 1

# In the order in which a person reads it.
_SLICES = (
    subscribers,
    consent,
    tiers,
    groups,
    fields,
    phones,
    tags,
    asks,
    followups,
    records,
    deliveries,
    letters,
    imports,
    bulk,
    activity,
)


async def known(work: Work, subscriber: Subscriber) -> list[Part]:
    """Give all that is held of somebody, also of rows that turned out to be theirs."""
    parts: dict[str, Part] = {}
    for no in reversed(await subscribers.with_merged(work, subscriber.no)):
        for slice_ in _SLICES:
            for part in await slice_.known(work, no):
                parts.setdefault(part.name, part)
                if parts[part.name] is not part:
                    parts[part.name].rows.extend(part.rows)
    return list(parts.values())


# --- to take away ---------------------------------------------------------------------------------


def as_json(parts: Sequence[Part], *, organisation: str, made_at: datetime) -> bytes:
    """Write it all as one JSON document (RFC 8259): a list of entries under each part's name."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "organisation": organisation,
        "made_at": made_at.isoformat(),
        "data": {part.name: [_plain_row(row) for row in part.rows] for part in parts},
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _plain_row(row: Row) -> dict[str, object]:
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Value) -> object:
    match value:
        case Said():
            return value.value
        case datetime():
            return value.isoformat()
        case _:
            return value


def as_csv(parts: Sequence[Part]) -> bytes:
    """Write it all as one table (RFC 4180): part, entry, name, value, a line for each value.

    Spreadsheets open it as it is: UTF-8 with its mark, and no cell that one of them would run.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(["part", "entry", "name", "value"])
    for part in parts:
        for entry, row in enumerate(part.rows, 1):
            for name, value in row.items():
                table.writerow([part.name, entry, name, guarded(_cell(value))])
    return (BOM + text.getvalue()).encode()


def _cell(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return joined(value)
        case _:
            return str(_plain(value))


# --- to read --------------------------------------------------------------------------------------


class Shown(msgspec.Struct, frozen=True):
    """A part as a page shows it: of each entry what it says, under its label."""

    name: str
    words: str
    entries: list[list[tuple[str, str]]]


def shown(parts: Iterable[Part], timeline: Sequence[Entry]) -> list[Shown]:
    """Say the parts that hold something in the reader's language; what is empty is left out.

    What happened is told in the words of the timeline: its lines as they are kept are in the files.
    """
    told = [
        Shown(part.name, part.words, [_entry(row) for row in part.rows])
        for part in parts
        if part.rows and part.name != activity.PART
    ]
    if timeline:
        happened = [_happened(entry) for entry in timeline]
        told.append(Shown(activity.PART, _("What happened"), happened))
    return told


def _entry(row: Row) -> list[tuple[str, str]]:
    return [(_(LABELS[name]), said) for name, value in row.items() if (said := _said(name, value))]


def _said(name: str, value: Value) -> str:
    match value:
        case Said():
            return value.words
        case datetime():
            return _moment(value)
        case bool():
            return _("Yes") if value else _("No")
        case list():
            return ", ".join(value)
        case str():
            return _(WORDS[name][value]) if value in WORDS.get(name, {}) else value
        case None:
            return ""
        case _:
            return str(value)


def _happened(entry: Entry) -> list[tuple[str, str]]:
    lines = [(_(LABELS["at"]), _moment(entry.at)), (_(LABELS["what"]), entry.words)]
    more = " ".join(part for part in (entry.details, entry.said) if part)
    return [*lines, (_(LABELS["details"]), more)] if more else lines


def _moment(at: datetime) -> str:
    return f"{format_datetime(at, 'medium', locale=i18n.language.get())} UTC"


LABELS = {
    "about": N_("What it was about"),
    "accepted": N_("You accepted"),
    "address": N_("Address"),
    "after": N_("After"),
    "agreed_at": N_("Agreed on"),
    "amount": N_("How many"),
    "answered": N_("You answered"),
    "answered_at": N_("Answered on"),
    "answers": N_("What you wrote"),
    "ask": N_("What it is"),
    "asked_after": N_("We ask after"),
    "asked_again_at": N_("Asked again on"),
    "asked_at": N_("Asked on"),
    "at": N_("When"),
    "before": N_("Before"),
    "best_time": N_("Best time to call"),
    "by_campaign": N_("From one of our emails"),
    "by_ask": N_("After your answer to an ask"),
    "by_organiser": N_("By an organiser"),
    "campaign": N_("Name"),
    "cells": N_("The line as it stood"),
    "channel": N_("By which way"),
    "city": N_("Town"),
    "code": N_("Code of the mail server"),
    "confirmed_at": N_("Confirmed on"),
    "country": N_("Country"),
    "declined_at": N_("Refused on"),
    "details": N_("Details"),
    "done_at": N_("Done on"),
    "door": N_("How it came in"),
    "due_at": N_("Due on"),
    "ended": N_("How it ended"),
    "ended_at": N_("Ended on"),
    "expired_at": N_("Ran out on"),
    "fate": N_("What became of it"),
    "field": N_("What it is about"),
    "file": N_("File"),
    "first_name": N_("First name"),
    "from": N_("Before"),
    "from_file": N_("From a file"),
    "from_level": N_("From level"),
    "given": N_("You agreed"),
    "granted": N_("Granted"),
    "group": N_("Group"),
    "has_phone": N_("With a telephone number"),
    "held_until": N_("Somebody was at it until"),
    "how": N_("How"),
    "joined_at": N_("On the roll since"),
    "language": N_("Language"),
    "last_at": N_("Last in touch on"),
    "last_mailed_at": N_("Last email to you"),
    "last_name": N_("Last name"),
    "last_outcome": N_("What came of it"),
    "left_alone_until": N_("Left alone until"),
    "level": N_("Level"),
    "line": N_("Line of the file"),
    "link": N_("Link"),
    "link_before": N_("Link before that"),
    "list": N_("List"),
    "mail_form": N_("How your emails are written"),
    "name": N_("Name"),
    "never_call": N_("Never call"),
    "notes_forgotten_at": N_("Notes deleted on"),
    "number": N_("Number"),
    "outcome": N_("What came of it"),
    "pace": N_("At most"),
    "paused_until": N_("On a break until"),
    "postcode": N_("Postcode"),
    "public_name": N_("Name in addresses of pages"),
    "purpose": N_("What for"),
    "reason": N_("Why"),
    "region": N_("Region"),
    "reminded_at": N_("Reminded on"),
    "reminders": N_("Reminders"),
    "reply": N_("Last word of the mail server"),
    "role": N_("Role"),
    "settled_at": N_("Settled on"),
    "since": N_("Since"),
    "source": N_("Where it came from"),
    "state": N_("How it stands"),
    "stopped_at": N_("Stopped on"),
    "tag": N_("Tag"),
    "time_zone": N_("Time zone"),
    "times": N_("How often"),
    "to": N_("After"),
    "to_whom": N_("To whom"),
    "tries": N_("Tries"),
    "undone_at": N_("Undone on"),
    "value": N_("What it says"),
    "values": N_("What it says"),
    "verified_at": N_("Confirmed on"),
    "version": N_("Version of the words"),
    "waits_until": N_("Not before"),
    "what": N_("What"),
    "withdrawn_at": N_("Taken back on"),
    "wording": N_("The words you read"),
    "words": N_("The words"),
    "wrong_codes": N_("Wrong codes that were tried"),
    "you_wrote": N_("What you wrote"),
    "you_wrote_before": N_("What you had written before"),
}
"""What a page calls what stands in an entry."""

_STATES = {
    "queued": N_("waits to be sent"),
    "claimed": N_("waits to be sent"),
    "sending": N_("is being sent"),
    "sent": N_("accepted by your mail server"),
    "deferred": N_("put off by your mail server"),
    "refused": N_("refused by your mail server"),
    "failed": N_("could not be sent"),
    "in_doubt": N_("we cannot tell whether it arrived"),
    "skipped": N_("was not sent"),
    "pledged": N_("you said yes"),
    "in_progress": N_("you are at it"),
    "done": N_("done"),
    "verified": N_("done, and seen by an organiser"),
    "declined": N_("you said no"),
    "withdrawn": N_("you took it back"),
    "blocked": N_("you need help with it"),
}

WORDS = {
    "door": {
        "email": N_("from an email"),
        "page": N_("on a page"),
        "admin": N_("by an organiser"),
        "api": N_("by another program"),
        "import": N_("from a file"),
        "cli": N_("on the server"),
        "system": N_("by itself"),
    },
    "state": _STATES,
    "from": _STATES,
    "to": _STATES,
    "channel": {
        "email": N_("by email"),
        "phone": N_("by telephone"),
        "field": N_("kept with your entry"),
    },
}
"""What words that stand in rows mean, where the slices leave them as they are."""
