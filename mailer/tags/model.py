"""The tag, and who has it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base


class Tag(Base):
    """A word that organisers put on people."""

    __tablename__ = "tag"

    no: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(36), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    name_key: Mapped[str] = mapped_column(String(80), unique=True)  # one word, one tag
    made_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Tagging(Base):
    """Somebody has a tag."""

    __tablename__ = "tagging"
    __table_args__ = (
        Index("ix_tagging_tag_no", "tag_no", "subscriber_no"),
        {"sqlite_with_rowid": False},
    )

    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    tag_no: Mapped[int] = mapped_column(ForeignKey("tag.no"), primary_key=True, autoincrement=False)
    since: Mapped[datetime]


def tag_key(name: str) -> str:
    """Give the key under which two spellings of a tag are one."""
    return " ".join(name.split()).casefold()[:80]
