"""Letting people leave in a file: a counted act, with a reason, that is written down.

Three steps, each a unit of work of its own: who is in it is fixed (`gather`), the act is written
down with its number (`note`), and the file is read page by page while it leaves (`written`). Nobody
waits for it, and it holds no lock.
"""

import contextlib
from array import array
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol

from mailer.audit import actions as audit
from mailer.exports import store
from mailer.exports.columns import Column, Page
from mailer.exports.files import Format, file_of
from mailer.kit.errors import Conflict, Invalid
from mailer.kit.limits import TookTooLong, time_limit
from mailer.kit.texts import one_line
from mailer.kit.work import Work
from mailer.segments import asking

SHORTEST_REASON = 10
LONGEST_REASON = 300
SECONDS = 60.0  # to find out who is in it; a million by an index take two
AT_ONCE = 1000  # people read, and written, in one piece


class ReasonNeeded(Invalid):
    """Please say in a few words what this file is for. It is kept in the record."""


class NobodyToExport(Conflict):
    """Nobody answers to this, so the file would be empty."""


class Rooms(Protocol):
    """What can begin a unit of work: the house."""

    def work(
        self, *, reading: bool = False, scope: frozenset[int] | None = None
    ) -> contextlib.AbstractAsyncContextManager[Work]:
        """Begin one."""


def read_reason(typed: str) -> str:
    """Give the reason as it is kept; refuse one that says nothing."""
    reason = one_line(typed, longest=LONGEST_REASON, field="reason")
    if len(reason) < SHORTEST_REASON:
        raise ReasonNeeded(field="reason")
    return reason


async def gather(work: Work, tree: asking.Tree) -> "array[int]":
    """Fix who is in the file: their numbers, of those whom the actor may see."""
    asked = await asking.numbers(work, tree)
    try:
        async with time_limit(work.session, SECONDS):
            found = await store.numbers(work, asked)
    except TookTooLong:
        raise asking.AskedTooLong from None
    if not found:
        raise NobodyToExport
    return found


async def note(
    work: Work, nos: "array[int]", columns: Sequence[Column], kind: Format, why: str
) -> None:
    """Write down who takes how many people out, in which columns, and why."""
    await audit.note(
        work,
        "people_exported",
        count=len(nos),
        columns=[column.name for column in columns],
        format=kind.value,
        why=why,
    )


async def written(
    house: Rooms,
    nos: "array[int]",
    columns: Sequence[Column],
    kind: Format,
    *,
    scope: frozenset[int] | None = None,
    progress: Callable[[int], None] = lambda _done: None,
) -> AsyncGenerator[bytes]:
    """Give the file piece by piece; `progress` is told how many people have left.

    Who was erased since the numbers were gathered, or has moved out of sight, is not in it.
    """
    with contextlib.closing(file_of(kind, columns)) as file:
        yield file.begin()
        for at in range(0, len(nos), AT_ONCE):
            some = nos[at : at + AT_ONCE].tolist()
            async with house.work(reading=True, scope=scope) as work:
                found = await store.people(store.Some(work, some))
                page = Page(work, found) if found["no"] else None
                cells = [await column.reads(page) for column in columns] if page else []
            if cells and (piece := file.write(cells)):
                yield piece
            progress(at + len(some))
        yield file.end()
