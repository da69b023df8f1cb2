"""One line of a timeline: as it is kept, and as it is read."""

import enum
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, Facts, one_of
from mailer.kit.work import Door

DECLARED = (Door.EMAIL, Door.PAGE)
"""The doors by which people act themselves: what comes by them is a sign of life."""

_SAID = text("door IN ('email', 'page')")
_DECLARED: dict[str, Any] = {"sqlite_where": _SAID, "postgresql_where": _SAID}


class Activity(Base):
    """Something that happened to or was done by a subscriber."""

    __tablename__ = "activity"
    __table_args__ = (
        Index("ix_activity_timeline", "subscriber_no", "no"),
        # What people did themselves, lately: a segment asks for it.
        Index("ix_activity_declared", "at", "subscriber_no", **_DECLARED),
    )

    no: Mapped[int] = mapped_column(primary_key=True)
    subscriber_no: Mapped[int] = mapped_column(ForeignKey("subscriber.no", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    door: Mapped[Door] = mapped_column(one_of(Door))
    account_no: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    facts: Mapped[Facts] = mapped_column(default=dict)


class Undoes(enum.StrEnum):
    """What kind of thing an entry's undo takes back: which verb it is for."""

    TIER = "tier"
    LEAVING = "leaving"
    ADDRESS = "address"
    MERGING = "merging"
    PLEDGE = "pledge"


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """An undo that is still open: of what, by which number, and until when."""

    what: Undoes
    no: int
    until: datetime


class Causes(enum.StrEnum):
    """What kind of thing led to an entry."""

    CAMPAIGN = "campaign"
    ASK = "ask"


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What led to an entry, by its number, for slices that lie below what it is.

    `words` say more, with room for its name: `%(campaign)s` or `%(ask)s`. `uid` is its name in the
    addresses of admin pages, filled in where the whole timeline is put together.
    """

    what: Causes
    no: int
    words: str
    uid: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a timeline as it is read, in the reader's language.

    Each slice tells its own (`record.entries`). `words` is a sentence without its full stop,
    `details` says more where there is more, and `said` is what a person wrote. `kind` is for
    choosing a sign, `order` tells what came first of what has one date. `account_name` is filled in
    where the whole timeline is put together; there the words of a `cause` that is found take the
    place of `details`.
    """

    at: datetime
    order: int = 0
    kind: str
    words: str
    details: str = ""
    said: str = ""
    door: Door | None = None
    account_no: int | None = None
    account_name: str | None = None
    cause: Cause | None = None
    undo: Undo | None = None
