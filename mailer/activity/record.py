"""Telling a timeline: from a line that is kept to an entry that is read."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mailer.activity import store
from mailer.activity.model import Activity, Entry
from mailer.kit.i18n import _
from mailer.kit.known import Part
from mailer.kit.orm import Facts
from mailer.kit.work import Work

Told = Mapping[str, Any]
"""The words of one entry: `words`, and perhaps `details`, `said`, `cause` and `undo`."""


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


PART = "timeline"


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give every line of somebody's timeline as it is kept; not which account did it."""
    return [
        Part(
            name=PART,
            table="activity",
            words=_("What happened, line by line"),
            rows=[
                {
                    "what": line.kind,
                    "at": line.at,
                    "door": line.door.value,
                    "by_organiser": line.account_no is not None,
                    "details": json.dumps(line.facts, ensure_ascii=False) if line.facts else "",
                }
                for line in await store.every_line_of(work, subscriber_no)
            ],
        )
    ]


async def forget(work: Work, subscriber_no: int) -> None:
    """Keep nothing of what happened to somebody."""
    await store.drop(work, subscriber_no)


async def repoint(work: Work, from_no: int, to_no: int) -> Facts:
    """Make one timeline of two."""
    return {"lines": await store.hand_over(work, from_no, to_no)}


async def restore(work: Work, from_no: int, _to_no: int, moved: Facts) -> None:
    """Take a `repoint` back."""
    await store.hand_back(work, moved["lines"], from_no)
