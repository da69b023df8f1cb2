"""The segment and its versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base


class Segment(Base):
    """A saved question. Its tree is the newest version's."""

    __tablename__ = "segment"

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    name_key: Mapped[str] = mapped_column(String(120), unique=True)
    version: Mapped[int] = mapped_column(default=1)
    tree: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))
    changed_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class SegmentVersion(Base):
    """What a segment asked at one time. Never changed: an edit makes a new one."""

    __tablename__ = "segment_version"

    segment_no: Mapped[int] = mapped_column(
        ForeignKey("segment.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tree: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.no"))


def name_key(name: str) -> str:
    """Give the key under which two spellings of a segment's name are one."""
    return " ".join(name.split()).casefold()[:120]
