"""The subscriber, their memberships, and who may see whom."""

import enum
import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, String, select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm.util import AliasedClass
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from mailer.kit.addresses import key_of
from mailer.kit.orm import Address, Base, one_of, where
from mailer.kit.secrets import Keys
from mailer.kit.work import Door, Work

UNDO_FOR = timedelta(days=30)  # a change of address


def _sorted_key(length: int) -> String:
    """Give the type of a text that is searched by its beginning.

    A range of a plain index finds those if it is sorted by code point. SQLite does so; PostgreSQL
    sorts by the rules of a language unless told otherwise.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def _of_the_living(column: str) -> Index:
    """Index a text that segments ask about, of those who were not erased: counts need no row.

    Who has none is left out: a file without such a column pays nothing for it. Questions must
    repeat the condition word for word (`subscribers.facets`).
    """
    condition = f"erased_at IS NULL AND {column} <> ''"
    return Index(f"ix_subscriber_{column}", column, "no", **where(condition))


def _of_some(column: str) -> Index:
    """Index a column that few people have something in."""
    there = text(f"{column} IS NOT NULL")
    return Index(
        f"ix_subscriber_{column}", column, "no", sqlite_where=there, postgresql_where=there
    )


class MailForm(enum.StrEnum):
    """How somebody's mail is written."""

    USUAL = "usual"  # in two parts, of which a mail program shows the one it likes
    LARGE = "large"  # the same, with larger words in the HTML
    PLAIN = "plain"  # text alone: for screen readers, old devices, and who wants no HTML


class Subscriber(Base):
    """A person we know.

    `merged_no` is who this row turned out to be: it is kept as an erased one, so that its old links
    and its address still lead to them (`records.merging`).
    """

    __tablename__ = "subscriber"
    __table_args__ = (
        Index("ix_subscriber_name", "name_key", "no"),
        Index("ix_subscriber_called", "called_key", "no"),
        *(_of_some(column) for column in ("middle_key", "second_key")),
        *(
            _of_the_living(column)
            for column in "language door source city postcode region country time_zone".split()
        ),
        Index("ix_subscriber_joined", "joined_at", "no", **where("erased_at IS NULL")),
        # Few, and asked for whenever people are counted: as everybody without them.
        Index("ix_subscriber_erased", "no", **where("erased_at IS NOT NULL")),
        Index("ix_subscriber_stopped", "no", **where("stopped_at IS NOT NULL")),
        Index("ix_subscriber_paused", "paused_until", "no", **where("paused_until IS NOT NULL")),
        Index(
            "ix_subscriber_unwritten",
            "no",
            **where("erased_at IS NULL AND address_key IS NULL"),
        ),
        # A number stands in links and Message-IDs: it is never given a second time.
        {"sqlite_autoincrement": True},
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    address: Mapped[str | None] = mapped_column(Address)
    address_key: Mapped[str | None] = mapped_column(_sorted_key(320), unique=True)
    # The scrambled mark of the address: what the suppression list is compared with.
    mark: Mapped[str | None] = mapped_column(String(32), index=True)
    first_name: Mapped[str] = mapped_column(String(120), default="")
    last_name: Mapped[str] = mapped_column(String(120), default="")
    # What a search finds by its beginning, case-folded: "last first" and "first last".
    name_key: Mapped[str] = mapped_column(_sorted_key(240), default="")
    called_key: Mapped[str] = mapped_column(_sorted_key(240), default="")
    # The same from a second first name and from a second last name on, where there is one: the
    # "maria" of Ana Maria, the "garcía" of López García.
    middle_key: Mapped[str | None] = mapped_column(_sorted_key(240))
    second_key: Mapped[str | None] = mapped_column(_sorted_key(240))
    city: Mapped[str] = mapped_column(_sorted_key(120), default="")
    postcode: Mapped[str] = mapped_column(_sorted_key(20), default="")
    region: Mapped[str] = mapped_column(_sorted_key(80), default="")
    country: Mapped[str] = mapped_column(String(2), default="")  # ISO 3166-1
    time_zone: Mapped[str] = mapped_column(String(40), default="")  # IANA
    source: Mapped[str] = mapped_column(_sorted_key(80), default="")  # in words
    language: Mapped[str] = mapped_column(String(12), default="en")
    mail_form: Mapped[MailForm] = mapped_column(
        one_of(MailForm), default=MailForm.USUAL, server_default="usual"
    )
    door: Mapped[Door] = mapped_column(one_of(Door))
    joined_at: Mapped[datetime]
    paused_until: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    last_mailed_at: Mapped[datetime | None]
    merged_no: Mapped[int | None] = mapped_column(ForeignKey("subscriber.no"), index=True)

    @property
    def shown_name(self) -> str:
        """Give the name as a person says it, or nothing."""
        return " ".join(part for part in (self.first_name, self.last_name) if part)

    @staticmethod
    def keys_of(first_name: str, last_name: str) -> dict[str, str | None]:
        """Give the columns by which a name is found: by each of its first two words, and last."""
        first, last = first_name.casefold().strip(), last_name.casefold().strip()
        middle, second = _from_second_word(first), _from_second_word(last)
        return {
            "name_key": f"{last} {first}".strip()[:240],
            "called_key": f"{first} {last}".strip()[:240],
            "middle_key": f"{middle} {last}".strip()[:240] if middle else None,
            "second_key": f"{second} {first}".strip()[:240] if second else None,
        }

    def is_paused(self, now: datetime) -> bool:
        """Say whether they asked for a break that still lasts."""
        return self.paused_until is not None and self.paused_until > now

    def __repr__(self) -> str:
        return f"<Subscriber {self.no}>"  # never the address: reprs end in logs


def _from_second_word(name: str) -> str:
    """Give a name from its second word on; the two of a double name are two."""
    return re.split(r"[\s‐-]+", name, maxsplit=1)[1] if re.search(r"[\s‐-]", name) else ""  # noqa: RUF001  # the hyphen that is one


class AddressChange(Base):
    """An address that somebody had, and until when: what an undo goes back to."""

    __tablename__ = "address_change"
    # A number stands in links: it is never given a second time.
    __table_args__ = ({"sqlite_autoincrement": True},)

    no: Mapped[int] = mapped_column(primary_key=True)
    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), index=True
    )
    old_address: Mapped[str | None] = mapped_column(Address)
    new_address: Mapped[str] = mapped_column(Address)
    asked_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    door: Mapped[Door] = mapped_column(one_of(Door))


class GroupRole(enum.StrEnum):
    """What somebody is in a group."""

    MEMBER = "member"
    REP = "rep"  # of a workplace
    OFFICER = "officer"
    CONTACT = "contact"  # whom to ask about this group


class Membership(Base):
    """A subscriber belongs to a group. Here, and not with the groups: it decides who sees whom."""

    __tablename__ = "membership"
    __table_args__ = (Index("ix_membership_group_no", "group_no", "subscriber_no"),)

    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), primary_key=True
    )
    group_no: Mapped[int] = mapped_column(
        ForeignKey("groups.no", ondelete="CASCADE"), primary_key=True
    )
    since: Mapped[datetime]
    role: Mapped[GroupRole] = mapped_column(
        one_of(GroupRole), default=GroupRole.MEMBER, server_default="member"
    )


class SuppressionReason(enum.StrEnum):
    """Why somebody is never written to."""

    ASKED = "asked"  # told an organiser, who took them off all emails
    COMPLAINT = "complaint"
    BOUNCE = "bounce"
    IMPORTED = "imported"  # an opt-out that another tool knew
    ERASED = "erased"


class Suppression(Base):
    """A scrambled mark of an address that is never written to, whatever else is true.

    Here, and not with consent, whose list it is: when somebody's address changes, the wish not to
    be written to goes with them.
    """

    __tablename__ = "suppression"

    mark: Mapped[str] = mapped_column(String(32), primary_key=True)
    reason: Mapped[SuppressionReason] = mapped_column(one_of(SuppressionReason))
    at: Mapped[datetime]
    door: Mapped[Door] = mapped_column(one_of(Door))
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))


def mark_of(keys: Keys, address: str) -> str:
    """Give the scrambled mark that stands for an address, however it is spelt."""
    return keys.scramble("address", key_of(address))


class Visible(FunctionElement[bool]):
    """The condition that the reader may see these rows; a house test looks for it."""

    type = Boolean()
    inherit_cache = True


class VisibleToAll(Visible):
    """The same for one who may see everybody: it says `true` and still names its table."""

    inherit_cache = True


@compiles(Visible)
def _condition(element: Visible, compiler: SQLCompiler, **how: Any) -> str:
    return compiler.process(element.clauses, **how)


@compiles(VisibleToAll)
def _everybody(_element: Visible, _compiler: SQLCompiler, **_how: Any) -> str:
    return "1 = 1"


def visible(
    work: Work,
    rows: type[Subscriber] | AliasedClass[Subscriber] = Subscriber,
) -> Visible:
    """Leave only those whom the actor may see; give the alias when it is one that is read."""
    if work.scope is None:
        return VisibleToAll(rows.no)
    theirs = select(Membership.subscriber_no).where(Membership.group_no.in_(work.scope))
    return Visible(rows.no.in_(theirs))
