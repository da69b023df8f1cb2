"""Prepared statements: SQLAlchemy writes them, the driver executes them.

A beat is a handful of statements, up to a thousand times a second. Going through SQLAlchemy's
execution costs many times what the database does, so the hot path compiles each statement once and
gives the driver its words and values. The rules in them (who may be mailed) are written once, where
everybody reads them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Dialect, Executable
from sqlalchemy.sql.compiler import SQLCompiler

Encode = Callable[[Any], Any]


class Prepared:
    """A statement in the words of one database, with places for values."""

    def __init__(self, name: str, statement: Executable, dialect: Dialect, encode: Encode) -> None:
        """Compile it; constants are encoded now, and what is a named parameter at each call."""
        compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        assert compiled.positiontup is not None
        self.name = name
        self.words = str(compiled)
        processors: Mapping[str, Any] = compiled._bind_processors  # noqa: SLF001  # as its own execution does
        self._values: list[Any] = []
        self._places: list[tuple[int, str, Encode]] = []
        for place, key in enumerate(compiled.positiontup):
            parameter = compiled.binds[key]
            process = _chained(processors.get(key), encode)
            if parameter.required:
                self._values.append(None)
                self._places.append((place, parameter.key, process))
            else:
                self._values.append(process(parameter.effective_value))

    def fill(self, values: Mapping[str, Any]) -> list[Any]:
        """Give the values in the order of their places."""
        filled = self._values.copy()
        for place, key, encode in self._places:
            filled[place] = encode(values[key])
        return filled


class Step(NamedTuple):
    """One statement of a flight, and its values."""

    statement: Prepared
    values: Sequence[Any]


def _chained(process: Encode | None, encode: Encode) -> Encode:
    if process is None:
        return encode
    return lambda value: encode(process(value))


def as_text(value: Any) -> bytes | None:
    """Write a value as PostgreSQL reads it in text; a list of numbers is an array.

    PostgreSQL's text has no NUL, and a server may say what it likes.
    """
    match value:
        case None:
            return None
        case bool():
            return b"t" if value else b"f"
        case int():
            return b"%d" % value
        case str():
            return value.encode("utf-8", "replace").replace(b"\0", b"")
        case float():
            return repr(value).encode()
        case datetime():
            return value.isoformat().encode()
        case _:
            return b"{" + b",".join([b"%d" % number for number in value]) + b"}"
