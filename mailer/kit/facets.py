"""Facets: what a segment can ask about a subscriber.

Each slice says in its `facets.py` what can be asked of its facts, in which words, and of which
people it is true; `bootstrap` registers them with `segments`, which knows none of their nouns. A
facet answers in the positive ("have the tag Driver") with the numbers of the people for whom it
holds, read from an index of its own table; "have not" is everybody else, which `segments` makes of
it.
"""

import enum
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Protocol

import msgspec
from babel.dates import format_date
from sqlalchemy import ColumnElement, Select, and_, select, union_all

from mailer.kit.i18n import known, language
from mailer.kit.work import Work

Args = Mapping[str, Any]
"""What a condition says beside the name of its facet: plain JSON, as it stands in the tree."""


class Takes(enum.StrEnum):
    """What sort of answer a parameter takes, and so how it is asked for."""

    ONE = "one"  # one of the options: a string
    SEVERAL = "several"  # some of the options: a list of strings
    DAYS = "days"  # a whole number of days, from 0 (today) to `MOST_DAYS`
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"  # a day: "2026-03-09"


MOST_DAYS = 36_500
LONGEST_TEXT = 400  # characters
MOST_CHOSEN = 200  # options of one parameter


class Option(msgspec.Struct, frozen=True):
    """One of the things that may be chosen."""

    value: str
    words: str


Options = Callable[[Work, Args], Awaitable[list[Option]]]
Fits = Callable[[Work, Args], Awaitable[bool]]


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a condition must, or may, say beside the name of its facet.

    Both functions are told what the condition says in the parameters before this one. `options`
    may depend on it: the choices of a field are known when the field is. `fits` says whether this
    is asked at all: "how many days" has no place beside "is filled in".
    """

    name: str
    takes: Takes
    words: str  # N_()
    needed: bool = True
    options: Options | None = None
    fits: Fits | None = None


Uses = set[tuple[str, int]]
"""What of ours a condition stands on, by kind and number: `("tag", 7)`."""


def _uses_nothing(_args: Args) -> Uses:
    return set()


def _as_numbers_say(_work: Work, _args: Args, _no: ColumnElement[int]) -> None:
    return None


class Sentence(Protocol):
    """Say a condition in words, of those of whom it is true, or of all the others."""

    def __call__(self, work: Work, args: Args, /, *, holds: bool) -> Awaitable[str]: ...  # noqa: D102


class Facet(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be asked. Its name stands in stored trees, and never changes."""

    name: str
    group: str  # N_(): the heading under which the builder offers it
    words: str  # N_(): "have the tag"
    negated: str  # N_(): "do not have the tag"
    parameters: tuple[Parameter, ...]
    # The numbers of the living of whom it is true, through an index: one column. Those that may
    # give a number more than once say so with `repeats`.
    numbers: Callable[[Work, Args], Awaitable[Select[int]]]
    # How a sentence goes on after "people who".
    sentence: Sentence
    # The numbers of the living of whom it is not true, where an index gives those.
    others: Callable[[Work, Args], Awaitable[Select[int]]] | None = None
    # The same of one person at a time, where that is not asked by looking into `numbers`.
    holds: Callable[[Work, Args, ColumnElement[int]], ColumnElement[bool] | None] = _as_numbers_say
    uses: Callable[[Args], Uses] = _uses_nothing


def repeats(numbers: Select[int]) -> Select[int]:
    """Say that a number may stand in an answer more than once."""
    return numbers.execution_options(repeats=True)


def may_repeat(numbers: Select[int]) -> bool:
    """Say whether a number may stand in an answer more than once."""
    return bool(numbers.get_execution_options().get("repeats"))


def in_order(numbers: Select[int]) -> Select[int]:
    """Say that an index gives these numbers in their order: it is asked for one value alone."""
    return numbers.execution_options(in_order=True)


def is_in_order(numbers: Select[int]) -> bool:
    """Say whether an index gives these numbers in their order."""
    return bool(numbers.get_execution_options().get("in_order"))


# --- parameters that many have --------------------------------------------------------------------


def only_if(name: str, *values: str) -> Fits:
    """Ask for a parameter only if another one says one of these."""

    async def fits(_work: Work, args: Args) -> bool:
        return args.get(name) in values

    return fits


def choice(**words: str) -> Options:
    """Give options that are always the same: value to N_() words."""

    async def options(_work: Work, _args: Args) -> list[Option]:
        return [Option(value, said) for value, said in words.items()]

    return options


def several(args: Args, name: str) -> list[str]:
    """Give what was chosen of a parameter that takes several."""
    return list(args.get(name) or [])


def number_of(args: Args, name: str) -> int | None:
    """Give the number of a row that a parameter names; None if it names none ("any")."""
    said = args.get(name)
    return int(said) if isinstance(said, str) and said.isascii() and said.isdigit() else None


def uses_the(kind: str, parameter: str) -> Callable[[Args], Uses]:
    """Say that a condition stands on the row that one of its parameters names."""

    def uses(args: Args) -> Uses:
        number = number_of(args, parameter)
        return set() if number is None else {(kind, number)}

    return uses


# --- days -----------------------------------------------------------------------------------------

ZONE: ContextVar[tzinfo] = ContextVar("zone", default=UTC)
"""Where a day begins and ends: the organisation's time zone, told by `segments` before it asks."""


def today(work: Work) -> date:
    """Give the day it is at the organisation."""
    return work.now.astimezone(ZONE.get()).date()


def begins(day: date) -> datetime:
    """Give the moment at which a day begins at the organisation."""
    return datetime.combine(day, time(), ZONE.get()).astimezone(UTC)


def days_ago(work: Work, days: int) -> date:
    """Give the day so many days before today, or the first there is."""
    return max(today(work) - timedelta(days=days), date(1, 1, 2))


def days_after(work: Work, days: int) -> date:
    """Give the day so many days after today."""
    return today(work) + timedelta(days=days)


def since(work: Work, days: int) -> datetime:
    """Give the beginning of "in the last N days": of the day that was N days ago. 0 is today."""
    return begins(days_ago(work, days))


def day_of(args: Args, name: str) -> date:
    """Read a day that a condition names."""
    return date.fromisoformat(args[name])


def day_in_words(iso: str) -> str:
    """Say a day as the reader does: "9 March 2026"."""
    return format_date(date.fromisoformat(iso), format="long", locale=known(language.get()))


def within(column: ColumnElement[Any], args: Args, how: str = "how") -> ColumnElement[bool]:
    """Compare a moment with the days of a condition: `before`, `after` or `between`, both counted.

    "Before the 9th" has nothing of the 9th, and "after the 9th" neither.
    """
    match args[how]:
        case "before":
            return column < begins(day_of(args, "date"))
        case "after":
            return column >= begins(day_of(args, "date") + timedelta(days=1))
        case _:
            last = day_of(args, "until") + timedelta(days=1)
            return and_(column >= begins(day_of(args, "date")), column < begins(last))


# --- beginnings of texts --------------------------------------------------------------------------

# Sorts after every text that goes on from where it stands.
_AFTER_ALL = "\U0010ffff"


def spellings(text: str) -> set[str]:
    """Give the ways in which people write a word: as it was typed, small, in capitals, Titled.

    Texts are found by ranges of a plain index, in which `north` and `North` stand apart.
    """
    return {text, text.lower(), text.upper(), text.title(), text[:1].upper() + text[1:]}


def beginning(
    column: ColumnElement[str], text: str, found: Callable[[ColumnElement[bool]], Select[int]]
) -> Select[int]:
    """Find texts that begin with a word in one of its spellings: a range of an index for each.

    `found` asks one range. Not joined by OR, for which SQLite would read the whole index.
    """
    ranges = [
        found(and_(column >= said, column < said + _AFTER_ALL)) for said in sorted(spellings(text))
    ]
    return repeats(select(union_all(*ranges).subquery("beginning").columns[0]))
