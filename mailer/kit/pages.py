"""Pages of long lists, by key and not by number: the ten-thousandth costs what the first did."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

Row = TypeVar("Row")


class Page(msgspec.Struct, Generic[Row], frozen=True):
    """Some rows, and the key after which the next begin (None: these were the last)."""

    rows: Sequence[Row]
    next_after: int | None


def cut(rows: Sequence[Row], limit: int, key: Callable[[Row], int]) -> Page[Row]:
    """Make a page of rows that were asked for with `limit + 1`."""
    if len(rows) <= limit:
        return Page(rows, None)
    return Page(rows[:limit], key(rows[limit - 1]))
