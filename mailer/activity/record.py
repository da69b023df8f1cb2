"""Telling a timeline: from a line that is kept to an entry that is read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mailer.activity import store
from mailer.activity.model import Activity, Entry
from mailer.kit.work import Work

Told = Mapping[str, Any]
"""The words of one entry: `words`, and perhaps `details`, `said` and `undo`."""


async def told(
    work: Work, subscriber_no: int, words: Mapping[str, Callable[[Activity], Told]]
) -> list[Entry]:
    """Tell the lines of the kinds that a slice has words for, newest first."""
    lines = await store.lines_of(work, subscriber_no, kinds=tuple(words))
    return [entry_of(line, words[line.kind](line)) for line in lines]


async def lines(work: Work, subscriber_no: int, kinds: Sequence[str]) -> Sequence[Activity]:
    """Give the lines of some kinds, for a slice that must look things up before it can tell."""
    return await store.lines_of(work, subscriber_no, kinds=kinds)


def entry_of(line: Activity, words: Told) -> Entry:
    """Tell one line in the words of the slice that knows what it means."""
    return Entry(
        at=line.at,
        order=line.no,
        kind=line.kind,
        door=line.door,
        account_no=line.account_no,
        **words,
    )
