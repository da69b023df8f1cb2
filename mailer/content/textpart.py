"""The text part: lines of 72 columns from the same blocks."""

import unicodedata
from collections.abc import Callable
from typing import Protocol

WIDTH = 72


class Wrap(Protocol):
    """A function that breaks words into lines."""

    def __call__(self, words: str, first: str = "", indent: str = "") -> str:
        """Begin the first line with `first` and the others with `indent`."""
        ...


def wrapper(shown_as: Callable[[str], str] = str) -> Wrap:
    """Make a `wrap`; `shown_as` says how wide a word with a merge field in it usually is.

    Filling changes widths, so a line may come out some columns wider or narrower than 72. Breaking
    again for every reader would cost more than the whole rest of filling.
    """

    def wrap(words: str, first: str = "", indent: str = "") -> str:
        lines, line, room = [], first, WIDTH - columns(first)
        start = True
        for word in words.split():
            width = columns(shown_as(word))
            if not start and width + 1 > room:
                lines.append(line)
                line, room, start = indent, WIDTH - columns(indent), True
            line += word if start else f" {word}"
            room -= width + (not start)
            start = False
        return "\n".join([*lines, line])

    return wrap


def columns(text: str) -> int:
    """Measure text as a terminal shows it: East Asian wide takes two columns, combining none."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
