"""How our tables are mapped: constraint names, moments in UTC, words in several languages."""

import enum
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, Integer, MetaData, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

Localised = dict[str, str]
"""Text that people wrote in several languages, by code. Read it with `i18n.in_language`."""

Facts = dict[str, Any]
"""What a dated fact remembers: plain JSON, with numbers of rows and never an address."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Naive ones are refused; SQLite, which forgets the zone, is told it again."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its zone")
        return value.astimezone(UTC)

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Json(TypeDecorator[Any]):
    """Plain JSON: `jsonb` on PostgreSQL, text on SQLite."""

    impl = JSON
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else JSON())


class WordsInLanguages(TypeDecorator[Localised]):
    """`Localised` as JSON. Languages with nothing to say are not kept."""

    impl = Json
    cache_ok = True

    @override
    def process_bind_param(self, value: Mapping[str, str] | None, dialect: Dialect) -> Any:
        return None if value is None else {k: v for k, v in value.items() if v.strip()}


# SQLite numbers rows by itself only when the key is exactly INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")

# RFC 5321 4.5.3.1.3: a path is at most 256 octets; IDNA and UTF-8 may need a little more here.
Address = String(320)


def one_of(kind: type[enum.StrEnum]) -> Enum:
    """Keep an enumeration as its plain words, so that a new word needs no ALTER TYPE."""
    # `.value`: a StrEnum member among the values would be written into migrations as its repr.
    return Enum(
        kind,
        native_enum=False,
        length=16,
        values_callable=lambda words: [w.value for w in words],
    )


def where(condition: str) -> dict[str, Any]:
    """Leave rows out of an index that nobody asks it about."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Base(DeclarativeBase):
    """The root of all mapped classes."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        },
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        int: Number,
        dict[str, Any]: Json,
        dict[str, str]: WordsInLanguages,
    }
