"""Tables that travel: what a cell must look like so that it harms nobody and loses nothing.

A spreadsheet runs a cell that begins like a formula, whoever wrote it: a member's name may be
`=HYPERLINK(…)`. A leading apostrophe keeps it a text. What was guarded is read back exactly, so a
table that we wrote can be read in again and is the same.
"""

import functools
import re
from collections.abc import Iterable, Sequence

BOM = "\ufeff"
"""Before a CSV file: without it spreadsheets take UTF-8 for Windows-1252."""

# What spreadsheets run, also behind blanks and quotes (OWASP, CSV injection; security 4.1, 22):
# East Asian ones take the full-width signs too.
_BEGINS = r"[\s'\"]*[=+\-@\t\r\n＝＋－＠]"  # noqa: RUF001  # they are what is meant
_FORMULA = re.compile(_BEGINS)
_FORMULA_AMONG = re.compile(rf"\0{_BEGINS}")


def guarded(words: str) -> str:
    """Write words so that no spreadsheet takes them for a formula."""
    return f"'{words}" if _FORMULA.match(words) else words


def all_guarded(cells: Sequence[str]) -> Sequence[str]:
    """Do as `guarded` does for many: one look at all of them is enough where none is a formula."""
    if _FORMULA_AMONG.search("\0".join(["", *cells])) is None:
        return cells
    return [guarded(words) for words in cells]


def unguarded(cell: str) -> str:
    """Read a cell that `guarded` wrote: the same words, for every text there is.

    Words that themselves begin with an apostrophe and go on like a formula were given another one,
    so one is taken and never two. A cell that nobody guarded stays as it is.
    """
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def joined(items: Iterable[str]) -> str:
    """Write several in one cell, parted by `; `. One that holds what parts them is quoted."""
    return "; ".join(_quoted(item) for item in items)


@functools.lru_cache(4096)  # the tags and groups of a roll come again and again
def _quoted(item: str) -> str:
    if item and not _TO_QUOTE.search(item):
        return item
    doubled = item.replace('"', '""')
    return f'"{doubled}"'


def parted(cell: str, mark: str = ";") -> list[str]:
    """Read several out of one cell: what `joined` wrote, and what people write by hand.

    Blanks around an item go, and items of nothing do too. A quotation mark that begins an item and
    is never closed is one that somebody meant.
    """
    items = []
    at = 0
    while at <= len(cell):
        quoted = _QUOTED.match(cell, at)
        if quoted and cell[quoted.end() : quoted.end() + 1] in {"", mark}:
            items.append(quoted[1].replace('""', '"'))
            at = quoted.end() + 1
            continue
        ends = cell.find(mark, at)
        ends = len(cell) if ends < 0 else ends
        items.append(cell[at:ends].strip())
        at = ends + 1
    return [item for item in items if item]


_TO_QUOTE = re.compile(r'[;]|^["\s]|\s$')
_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"[^\S\r\n]*')
