"""The import and its lines."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, Facts, one_of


class ImportState(enum.StrEnum):
    """How far an import has come."""

    REHEARSED = "rehearsed"
    APPLYING = "applying"
    APPLIED = "applied"
    CANCELLED = "cancelled"


class Basis(enum.StrEnum):
    """On what ground the people of a file may be written to."""

    AGREED = "agreed"  # they have agreed before, and here is the evidence
    ASK = "ask"  # they are asked again, by a confirmation letter


class Fate(enum.StrEnum):
    """What becomes of a line."""

    NEW = "new"
    KNOWN = "known"  # on the roll already: the file adds to it (a list, a group)
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class Why(enum.StrEnum):
    """Why a line is refused; an address that cannot be read has its own code (`kit.addresses`)."""

    NO_ADDRESS = "no_address"
    TWICE = "twice"  # an earlier line of the file has the same address
    UNKNOWN_TIER = "unknown_tier"
    UNKNOWN_LANGUAGE = "unknown_language"
    SUPPRESSED = "suppressed"
    HAS_LEFT = "has_left"
    STOPPED = "stopped"
    GONE = "gone"  # was on the roll at the rehearsal, and is not any more
    TOO_MANY_FIELDS = "too_many_fields"
    TOO_LONG = "too_long"
    NOT_PLAIN = "not_plain"  # line breaks or control characters in a word
    ENCODED_WORD = "encoded_word"  # =?utf-8?q?…?=, which a mail header would read as something else
    UNREADABLE = "unreadable"  # octets that are no letters in the file's encoding
    OPEN_QUOTE = "open_quote"


STAYS_OFF = frozenset({Why.SUPPRESSED, Why.HAS_LEFT, Why.STOPPED})
"""Reasons that no mending of the file changes: these people have said no."""


class Import(Base):
    """One file."""

    __tablename__ = "import"

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    file_name: Mapped[str] = mapped_column(String(200))
    state: Mapped[ImportState] = mapped_column(one_of(ImportState))
    columns: Mapped[dict[str, Any]] = mapped_column(default=dict)  # field to column, from 0
    # How the file was understood: encoding, delimiter, headings, new_groups.
    found: Mapped[Facts] = mapped_column(default=dict)
    list_no: Mapped[int] = mapped_column(ForeignKey("mailing_list.no"))
    basis: Mapped[Basis | None] = mapped_column(one_of(Basis))
    evidence: Mapped[str] = mapped_column(Text, default="")
    counts: Mapped[Facts] = mapped_column(default=dict)  # fate to number of lines
    done: Mapped[Facts] = mapped_column(default=dict)  # what has been applied so far, in numbers
    cursor: Mapped[int] = mapped_column(default=0)  # the last line that was applied
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    ended_at: Mapped[datetime | None]

    @property
    def usable(self) -> int:
        """Count the lines that an application has to look at."""
        return int(self.counts.get(Fate.NEW, 0)) + int(self.counts.get(Fate.KNOWN, 0))


class ImportLine(Base):
    """One line of a file, and its fate."""

    __tablename__ = "import_line"

    import_no: Mapped[int] = mapped_column(
        ForeignKey("import.no", ondelete="CASCADE"), primary_key=True
    )
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # as an editor counts
    fate: Mapped[Fate] = mapped_column(one_of(Fate))
    why: Mapped[str] = mapped_column(String(40), default="")  # a `Why`, or a refused address's code
    facts: Mapped[Facts] = mapped_column(default=dict)  # what a refusal says, what a known one gets
    # A usable line: its fields, kept until it is applied. A refused one: `cells`, as they stood.
    values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    subscriber_no: Mapped[int | None]
