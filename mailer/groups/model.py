"""The group."""

import enum
from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, one_of


class GroupKind(enum.StrEnum):
    """What sort of group it is."""

    UNION = "union"
    BRANCH = "branch"
    CHAPTER = "chapter"
    COMMUNITY = "community"
    FEDERATION = "federation"


class Group(Base):
    """A union, branch, chapter or community organisation."""

    __tablename__ = "groups"  # GROUP is a word of SQL

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    name: Mapped[str] = mapped_column(String(160))
    name_key: Mapped[str] = mapped_column(String(160), unique=True)  # one name, one group
    place: Mapped[str] = mapped_column(String(120), default="")
    kind: Mapped[GroupKind | None] = mapped_column(one_of(GroupKind))
    sector: Mapped[str] = mapped_column(String(80), default="")
    size: Mapped[int | None]  # people in it, as it says itself: most are not on the roll
    made_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


def name_key(name: str) -> str:
    """Give the key under which two spellings of a group's name are one."""
    return " ".join(name.split()).casefold()[:160]
