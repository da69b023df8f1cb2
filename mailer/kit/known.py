"""What is known of one person, for that person: shown to them, and taken away as a file.

Each slice says in its `record.py` what its tables hold (`known`); `records.my_data` puts it
together. Names are stable: they stand in the files that people take away (docs/my-data.md).
"""

from datetime import datetime

import msgspec


class Said(msgspec.Struct, frozen=True):
    """A word as it stands in a row, and what it means in the reader's language."""

    value: str
    words: str


Value = str | int | float | bool | datetime | None | list[str] | Said
Row = dict[str, Value]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Some of what is known: the rows of one table, in the order in which they came about.

    `words` is its heading in the reader's language, and `table` what a house test compares with
    the tables there are.
    """

    name: str
    table: str
    words: str
    rows: list[Row]
