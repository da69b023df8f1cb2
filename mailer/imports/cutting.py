"""Cutting text into records and cells (RFC 4180, and what people make of it).

Nearly all lines are as they should be, and the csv module reads them at 1 µs each. A line with a
stray quotation mark is read with care: it costs itself and no other, so that a quote that is never
closed does not swallow the rest of the file.
"""

import csv
import functools
import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from mailer.imports.columns import plain
from mailer.imports.model import Why

DELIMITERS = (",", ";", "\t", "|")
LONGEST = 65_536  # characters in one line of a person; nobody's are more than a few hundred
MOST_LINES = 40  # that one quoted field may span; a quote open for longer was never closed
MOST_CELLS = 400  # of one line
KEPT = 300  # characters of each cell of a refused line that are kept for its mending

LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")  # str.splitlines knows too many ends


class Record(NamedTuple):
    """One line of a person: its number in the file, its cells, and why it cannot be cut."""

    line: int
    cells: list[str]
    why: str = ""


def cut(text: str, delimiter: str, *, first: int, is_end: bool) -> tuple[list[Record], str, int]:
    """Cut a piece of a file that begins where a record does; `first` is its line's number.

    Give the records, the text that waits for the next piece because its record is not complete,
    and the number of the line that it begins with.
    """
    lines = LINES.findall(text)
    waiting = ""
    if lines and not is_end and (lines[-1][-1] not in "\r\n" or lines[-1].endswith("\r")):
        waiting = lines.pop()  # half a line; and a lone \r may be half of \r\n
    if '"' not in text and max(map(len, lines), default=0) <= LONGEST:
        cells = csv.reader(
            lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, skipinitialspace=True
        )
        found = [Record(number, row) for number, row in enumerate(cells, first)]
        return found, waiting, first + len(lines)
    found = []
    at = 0
    for record, after in _records(lines, delimiter, first):
        if record is None and not is_end:
            break
        found.append(record or Record(first + at, [lines[at].strip()], Why.OPEN_QUOTE))
        at = after
    return found, "".join(lines[at:]) + waiting, first + at


def records(lines: Sequence[str], delimiter: str, *, first: int = 1) -> Iterator[Record]:
    """Cut the lines of a whole file.

    A quoted cell may hold line breaks; its record has the number of its first line. When a quote
    stays open, or is closed in the middle of a word further down, only the line it stands in is
    given up, and reading goes on with the next.
    """
    found, _, _ = cut("".join(lines), delimiter, first=first, is_end=True)
    yield from found


def _records(
    lines: Sequence[str], delimiter: str, first: int
) -> Iterator[tuple[Record | None, int]]:
    """Give each record and the index after its last line; None where the lines end inside one."""
    well_made = _well_made(delimiter).fullmatch
    at = 0
    while at < len(lines):
        run = at
        while at < len(lines) and len(lines[at]) <= LONGEST:
            if '"' in lines[at] and not well_made(lines[at]):
                break
            at += 1
        cells = csv.reader(lines[run:at], delimiter=delimiter, skipinitialspace=True)
        for number, row in enumerate(cells, run):
            yield Record(first + number, row), number + 1
        if at < len(lines):
            record, at = _with_care(lines, at, delimiter, first)
            yield record, at


def _with_care(
    lines: Sequence[str], at: int, delimiter: str, first: int
) -> tuple[Record | None, int]:
    number, line = first + at, lines[at]
    if len(line) > LONGEST:
        return Record(number, [line[:KEPT]], Why.TOO_LONG), at + 1
    more = _lines_of_record(lines, at, delimiter)
    if more is None:
        return None, at + 1
    if not more:
        return Record(number, [line.strip()], Why.OPEN_QUOTE), at + 1
    whole = "".join(lines[at : at + more])
    cells = next(csv.reader([whole], delimiter=delimiter, skipinitialspace=True))
    return Record(number, cells), at + more


@functools.cache
def _well_made(delimiter: str) -> re.Pattern[str]:
    """Match a line that is one record, in which each quote opens or closes a cell or is doubled."""
    mark = re.escape(delimiter)
    cell = rf'(?: *"(?:[^"\r\n]|"")*" *|(?! *")[^{mark}\r\n]*)'
    return re.compile(rf"{cell}(?:{mark}{cell})*(?:\r\n|\r|\n)?")


def _lines_of_record(lines: Sequence[str], start: int, delimiter: str) -> int | None:
    """Count the lines of the record that begins here.

    0 when its quote is never rightly closed; None when the lines end before that is known.
    """
    inside, length = False, 0
    for at in range(start, min(start + MOST_LINES, len(lines))):
        length += len(lines[at])
        ends_inside = _ends_inside(lines[at], delimiter, inside=inside)
        if ends_inside is None or length > LONGEST:
            return 0
        if not ends_inside:
            return at - start + 1
        inside = True
    return None if start + MOST_LINES > len(lines) else 0


_SPACES = re.compile(" *")


def _ends_inside(line: str, delimiter: str, *, inside: bool) -> bool | None:
    """Say whether a quote is open at the end of this line; None when one from before ends wrongly.

    In a record of one line a stray quote is let pass, as every spreadsheet does. Over several it
    means that an earlier one was never closed and has found some other cell's.
    """
    at, from_before = 0, inside
    while True:
        if not inside:
            at = _end_of_spaces(line, at)
            if line[at : at + 1] != '"':
                at = line.find(delimiter, at) + 1
                if not at:
                    return False
                continue
            inside, at = True, at + 1
        at = line.find('"', at) + 1
        if not at:
            return True
        if line[at : at + 1] == '"':  # doubled: it stands for itself
            at += 1
            continue
        after = _end_of_spaces(line, at)
        if from_before and line[after : after + 1] not in {delimiter, "\r", "\n", ""}:
            return None
        inside = from_before = False
        at = line.find(delimiter, at) + 1
        if not at:
            return False


def _end_of_spaces(line: str, at: int) -> int:
    found = _SPACES.match(line, at)
    return found.end() if found else at


def find_delimiter(lines: Sequence[str], known: Collection[str]) -> tuple[str, int]:
    """Find the delimiter by the headings it makes; give it and the index of the headings' line.

    A spreadsheet may say it in a line of its own: `sep=;`. `known` are headings that we know, as
    `columns.plain` writes them.
    """
    start = next(at for at, line in enumerate(lines) if line.strip())
    said = re.fullmatch(r'"?sep=(.)"?\s*', lines[start])
    if said and said[1] in DELIMITERS:
        return said[1], start + 1

    def sense(delimiter: str) -> tuple[int, int, int]:
        rows = [record.cells for record in records(lines[start : start + 20], delimiter)]
        headings = rows[0] if rows else []
        understood = sum(heading in known for heading in map(plain, headings))
        alike = sum(len(row) == len(headings) for row in rows)
        return understood, alike if len(headings) > 1 else 0, len(headings)

    return max(DELIMITERS, key=sense), start
