"""The import and its lines."""

import enum
from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, LargeBinary, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Address, Base, Facts, Json, one_of


class ImportState(enum.StrEnum):
    """How far an import has come."""

    RECEIVED = "received"  # the file is here; somebody says what its columns are
    READING = "reading"  # the worker looks at every line
    UNREADABLE = "unreadable"  # it could not; `facts` of the import say why
    REHEARSED = "rehearsed"
    APPLYING = "applying"
    APPLIED = "applied"
    CANCELLED = "cancelled"
    UNDOING = "undoing"
    UNDONE = "undone"


class Basis(enum.StrEnum):
    """On what ground the people of a file may be written to."""

    AGREED = "agreed"  # they have agreed before, and here is the evidence
    ASK = "ask"  # they are asked again, by a confirmation letter


class Rule(enum.StrEnum):
    """What happens where the file says something else than the roll."""

    FILL = "fill"  # the file fills what is empty, and changes nothing that is there
    OVERWRITE = "overwrite"  # what the file says counts; what it leaves empty stays
    LEAVE = "leave"  # people who are here get lists, groups and tags, and nothing else


class Fate(enum.StrEnum):
    """What becomes of a line."""

    NEW = "new"
    KNOWN = "known"  # on the roll already: the file adds to it (a list, a group, a tag)
    CHANGED = "changed"  # on the roll already: the file changes what is known of them
    OPTS_OUT = "opts_out"  # the file says that they want no mail; these are applied first
    UNCHANGED = "unchanged"
    REFUSED = "refused"


USABLE = (Fate.OPTS_OUT, Fate.NEW, Fate.KNOWN, Fate.CHANGED)
"""What becomes of lines that do something."""


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
    NO_NAME = "no_name"  # neither an address nor a name and a telephone or a group
    TAG_WRONG = "tag_wrong"
    ROLE_WRONG = "role_wrong"
    FIELD_WRONG = "field_wrong"  # not what the field takes; the refusal's own words are told
    UNKNOWN_COUNTRY = "unknown_country"
    UNKNOWN_TIME_ZONE = "unknown_time_zone"
    UNKNOWN_DATE = "unknown_date"
    UNKNOWN_OPT_OUT = "unknown_opt_out"  # a word that may mean that they want no mail
    PHONE_WRONG = "phone_wrong"
    TOO_MANY_NEW = "too_many_new"  # would found more groups or make more tags than a file may


STAYS_OFF = frozenset({Why.SUPPRESSED, Why.HAS_LEFT, Why.STOPPED})
"""Reasons that no mending of the file changes: these people have said no."""


class Import(Base):
    """One file."""

    __tablename__ = "import"

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    file_name: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(80), default="")  # remembered mapping, and `source`
    state: Mapped[ImportState] = mapped_column(one_of(ImportState))
    size: Mapped[int] = mapped_column(default=0)  # octets of the file
    # How the file is cut: encoding, delimiter, sheet, date order, what parts several in one cell.
    format: Mapped[Facts] = mapped_column(default=dict)
    # What each column becomes: a list beside the headings, "" where a column is left out.
    columns: Mapped[list[str]] = mapped_column(Json, default=list)
    # What was seen: headings, first rows, preset, new groups and tags, why it cannot be read.
    found: Mapped[Facts] = mapped_column(default=dict)
    rule: Mapped[Rule] = mapped_column(one_of(Rule), default=Rule.FILL)
    list_no: Mapped[int] = mapped_column(ForeignKey("mailing_list.no"))
    tag_no: Mapped[int | None] = mapped_column(ForeignKey("tag.no"))  # put on everybody in it
    basis: Mapped[Basis | None] = mapped_column(one_of(Basis))
    evidence: Mapped[str] = mapped_column(Text, default="")
    counts: Mapped[Facts] = mapped_column(default=dict)  # fate to number of lines
    done: Mapped[Facts] = mapped_column(default=dict)  # what has been applied so far, in numbers
    read_to: Mapped[Facts] = mapped_column(default=dict)  # where reading goes on after a crash
    cursor: Mapped[int] = mapped_column(default=0)  # the last line that was applied, or undone
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    ended_at: Mapped[datetime | None]
    # How much of who stood in it is forgotten (`forgetting`), and up to which line.
    forgotten: Mapped[int] = mapped_column(SmallInteger, default=0)
    forgotten_to: Mapped[int] = mapped_column(default=0)

    @property
    def usable(self) -> int:
        """Count the lines that do something."""
        return sum(int(self.counts.get(fate, 0)) for fate in USABLE)


class ImportPart(Base):
    """A piece of a file that waits to be read: any worker on any machine may read it.

    The parts go when somebody has decided on the import, or has left it.
    """

    __tablename__ = "import_part"

    import_no: Mapped[int] = mapped_column(
        ForeignKey("import.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportLine(Base):
    """One line of a file, what it says, and its fate."""

    __tablename__ = "import_line"
    __table_args__ = (
        Index("ix_import_line_fate", "import_no", "fate", "line"),
        {"sqlite_with_rowid": False},
    )

    import_no: Mapped[int] = mapped_column(
        ForeignKey("import.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # as an editor counts
    fate: Mapped[Fate | None] = mapped_column(one_of(Fate))  # None: read, not yet judged
    why: Mapped[str] = mapped_column(String(40), default="")  # a `Why`, or a refused address's code
    facts: Mapped[Facts | None]  # what a refusal says
    cells: Mapped[list[str] | None] = mapped_column(Json)  # a refused line as it stood
    subscriber_no: Mapped[int | None]
    address: Mapped[str | None] = mapped_column(Address)
    address_key: Mapped[str | None] = mapped_column(Address)
    mark: Mapped[str | None] = mapped_column(String(32))
    uid: Mapped[str | None] = mapped_column(String(36))  # of somebody who is new
    first_name: Mapped[str | None] = mapped_column(String(120))
    last_name: Mapped[str | None] = mapped_column(String(120))
    name_key: Mapped[str | None] = mapped_column(String(240))
    called_key: Mapped[str | None] = mapped_column(String(240))
    middle_key: Mapped[str | None] = mapped_column(String(240))
    second_key: Mapped[str | None] = mapped_column(String(240))
    city: Mapped[str | None] = mapped_column(String(120))
    postcode: Mapped[str | None] = mapped_column(String(20))
    region: Mapped[str | None] = mapped_column(String(80))
    country: Mapped[str | None] = mapped_column(String(2))
    time_zone: Mapped[str | None] = mapped_column(String(40))
    source: Mapped[str | None] = mapped_column(String(80))
    language: Mapped[str | None] = mapped_column(String(12))
    tier_no: Mapped[int | None]
    agreed_at: Mapped[datetime | None]
    never_agreed: Mapped[bool | None]  # the file says that they were asked and never said yes
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)  # encrypted, as `phone.sealed`
    phone_mark: Mapped[str | None] = mapped_column(String(32))
    # What an undo goes back to: the details that were changed, and what became of them.
    before: Mapped[Facts | None]
    # Where they stood on the list before they were confirmed, asked or taken off: "none" or a
    # state of a subscription. None: the import left their subscription alone.
    list_was: Mapped[str | None] = mapped_column(String(16))
    phone_before: Mapped[bytes | None] = mapped_column(LargeBinary)  # encrypted; "" was none
    # What else was done for this line and an undo takes back, as letters: the import's own tag
    # (g), a first level (t), never written to again (s); and that they stay as they are (k).
    did: Mapped[str | None] = mapped_column(String(8))


class Gives(enum.IntEnum):
    """What one item of a line gives to its person."""

    TAG = 1  # `ref` is a name of the file
    GROUP = 2  # so too; `value` is their role in it, "" what they are there or a member
    FIELD = 3  # `ref` is the field
    FIELD_BEFORE = 4  # what the field held before: kept for an undo


class ImportItem(Base):
    """One of the several things that a line gives: a tag, a group, a field's value."""

    __tablename__ = "import_item"
    __table_args__ = ({"sqlite_with_rowid": False},)

    import_no: Mapped[int] = mapped_column(
        ForeignKey("import.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    gives: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    ref: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[str] = mapped_column(String(400), primary_key=True, default="")
    number: Mapped[float | None] = mapped_column(Float)
    was_given: Mapped[bool | None]  # they had it not, so an undo takes it back


class ImportName(Base):
    """A tag or a group that a file names; it is made when the first line with it is applied."""

    __tablename__ = "import_name"

    import_no: Mapped[int] = mapped_column(
        ForeignKey("import.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    gives: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    ref: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(160))
    no: Mapped[int | None]  # of the tag or the group
    was_made: Mapped[bool] = mapped_column(default=False)  # by this import: an undo takes it back


class ImportSource(Base):
    """Where files come from again and again, and how their columns were understood last."""

    __tablename__ = "import_source"

    no: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    name_key: Mapped[str] = mapped_column(String(80), unique=True)
    headings: Mapped[list[str]] = mapped_column(Json)
    columns: Mapped[list[str]] = mapped_column(Json)
    format: Mapped[Facts] = mapped_column(default=dict)
    used_at: Mapped[datetime]
