"""The field, its choices, and its values."""

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from mailer.kit.orm import Base, Json, one_of

LONGEST = 400  # characters of a text

SEAL = "special"  # the use of the root key by which protected values are encrypted


class FieldKind(enum.StrEnum):
    """What sort of answer a field takes."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"
    YES_NO = "yes_no"


class Field(Base):
    """Something that is known of people."""

    __tablename__ = "field"

    no: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)  # its column in files
    kind: Mapped[FieldKind] = mapped_column(one_of(FieldKind))
    name: Mapped[dict[str, str]]
    help: Mapped[dict[str, str]] = mapped_column(default=dict)
    # Of `choice` and `choices`, in their order: [{"slug": …, "name": {language: words}}].
    choices: Mapped[list[Any]] = mapped_column(Json, default=list)
    is_public: Mapped[bool] = mapped_column(default=False)  # its person sees and changes it
    is_special: Mapped[bool] = mapped_column(default=False)
    consent_text: Mapped[dict[str, str]] = mapped_column(default=dict)  # of a special one
    threshold: Mapped[int] = mapped_column(SmallInteger, default=5)  # below it no number is shown
    place: Mapped[int] = mapped_column(SmallInteger, default=0)  # in forms, from above
    made_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class FieldValue(Base):
    """What somebody's field holds; several rows for `choices`.

    `value` is as files and pages write it: the text, the ISO date, the slug of the choice, `yes` or
    `no`, the number. `number` is the number itself, for comparing.
    """

    __tablename__ = "field_value"
    __table_args__ = (
        Index("ix_field_value_value", "field_no", "value", "subscriber_no"),
        Index("ix_field_value_number", "field_no", "number", "subscriber_no"),
        {"sqlite_with_rowid": False},
    )

    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    field_no: Mapped[int] = mapped_column(
        ForeignKey("field.no"), primary_key=True, autoincrement=False
    )
    value: Mapped[str] = mapped_column(
        String(LONGEST).with_variant(String(LONGEST, collation="C"), "postgresql"),
        primary_key=True,
    )
    number: Mapped[float | None] = mapped_column(Float)


class SpecialValue(Base):
    """What somebody told us under a consent of its own, encrypted with the root key."""

    __tablename__ = "special_value"

    subscriber_no: Mapped[int] = mapped_column(
        ForeignKey("subscriber.no", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    field_no: Mapped[int] = mapped_column(
        ForeignKey("field.no"), primary_key=True, autoincrement=False
    )
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    consent_no: Mapped[int] = mapped_column(ForeignKey("consent_record.no"))
    at: Mapped[datetime]
