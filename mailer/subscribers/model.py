"""The subscriber, their memberships, and who may see whom."""

import enum
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, String, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm.util import AliasedClass
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from mailer.kit.addresses import key_of
from mailer.kit.orm import Address, Base, one_of
from mailer.kit.secrets import Keys
from mailer.kit.work import Door, Work

UNDO_FOR = timedelta(days=30)  # a change of address


def _sorted_key(length: int) -> String:
    """Give the type of a text that is searched by its beginning.

    A range of a plain index finds those if it is sorted by code point. SQLite does so; PostgreSQL
    sorts by the rules of a language unless told otherwise.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Subscriber(Base):
    """A person we know."""

    __tablename__ = "subscriber"
    __table_args__ = (
        Index("ix_subscriber_name", "name_key", "no"),
        Index("ix_subscriber_called", "called_key", "no"),
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
    city: Mapped[str] = mapped_column(String(120), default="")
    language: Mapped[str] = mapped_column(String(12), default="en")
    door: Mapped[Door] = mapped_column(one_of(Door))
    joined_at: Mapped[datetime]
    paused_until: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    last_mailed_at: Mapped[datetime | None]

    @property
    def shown_name(self) -> str:
        """Give the name as a person says it, or nothing."""
        return " ".join(part for part in (self.first_name, self.last_name) if part)

    @staticmethod
    def keys_of(first_name: str, last_name: str) -> dict[str, str]:
        """Give the columns by which a name is found: as it is filed and as it is called."""
        filed = f"{last_name} {first_name}".casefold().strip()
        called = f"{first_name} {last_name}".casefold().strip()
        return {"name_key": filed[:240], "called_key": called[:240]}

    def is_paused(self, now: datetime) -> bool:
        """Say whether they asked for a break that still lasts."""
        return self.paused_until is not None and self.paused_until > now

    def __repr__(self) -> str:
        return f"<Subscriber {self.no}>"  # never the address: reprs end in logs


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
