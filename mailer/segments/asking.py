"""Asking: how many, who, and a few of them to look at.

Whatever is asked is one statement of the database, inside what the actor may see, and has a limit
of time. The words of a question are in `telling`, and how it becomes SQL in `compiling`.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import tzinfo

import msgspec
from sqlalchemy import ColumnElement, Select

from mailer.kit.errors import Conflict
from mailer.kit.facets import ZONE
from mailer.kit.limits import TookTooLong, time_limit
from mailer.kit.pages import Page
from mailer.kit.work import Work
from mailer.segments import compiling, store
from mailer.segments.tree import (
    EVERYBODY,
    NOBODY,
    Condition,
    ConditionWrong,
    Node,
    NotATree,
    TooDeep,
    TooMany,
    Tree,
    facets,
    first_wrong,
    grow,
    plain,
    register,
)
from mailer.subscribers.model import Subscriber

__all__ = [
    "EVERYBODY",
    "NOBODY",
    "AskedTooLong",
    "ConditionWrong",
    "Counted",
    "NotATree",
    "TooDeep",
    "TooMany",
    "Tree",
    "count",
    "counted",
    "facets",
    "limited",
    "numbers",
    "page",
    "read",
    "register",
    "sample",
    "where",
    "zone_is_told_by",
]

SECONDS = 5.0
"""How long one question may take."""


class AskedTooLong(Conflict):
    """This question takes too long to answer. Ask for less, or begin with what few people have."""


class Counted(msgspec.Struct, frozen=True):
    """How many answer to a question, and how many of them may be written to just now."""

    people: int
    reachable: int


_Zone = Callable[[Work], Awaitable[tzinfo]]
_ZONES: list[_Zone] = []


def zone_is_told_by(ask: _Zone) -> None:
    """Let this say where a day begins; it stands above us, with the rules of sending."""
    _ZONES[:] = [ask]


@asynccontextmanager
async def at_home(work: Work) -> AsyncGenerator[None]:
    """Let days begin where the organisation is."""
    told = [await ask(work) for ask in _ZONES]
    token = ZONE.set(told[0]) if told else None
    try:
        yield
    finally:
        if token is not None:
            ZONE.reset(token)


async def grown(work: Work, tree: object) -> Node:
    """Read a tree, with what is wrong noted at each condition."""
    async with at_home(work):
        return await grow(work, tree)


async def read(work: Work, tree: object) -> Tree:
    """Give a tree from outside as it is kept; refuses at the first condition that is wrong."""
    node = await grown(work, tree)
    wrong = first_wrong(node)
    if wrong is not None:
        raise wrong
    return plain(node)


async def numbers(work: Work, tree: object) -> Select[int]:
    """Give the numbers of those who answer and whom the actor may see, each once: one column."""
    async with at_home(work):
        return await compiling.numbers(work, await grow(work, tree))


async def where(work: Work, tree: object) -> ColumnElement[bool]:
    """Give the question as a condition about rows of `Subscriber`; who was erased never answers."""
    return Subscriber.no.in_(await numbers(work, tree))


async def count(work: Work, tree: object) -> int:
    """Count those who answer and whom the actor may see."""
    asked = await numbers(work, tree)
    async with limited(work):
        return await store.how_many(work, asked)


async def counted(work: Work, tree: object) -> Counted:
    """Count those who answer, and how many of them may be written to just now."""
    asked = await numbers(work, tree)
    async with limited(work):
        return Counted(*await store.how_many_and_reachable(work, asked))


async def sample(work: Work, tree: object, limit: int = 10) -> Sequence[Subscriber]:
    """Give the first few who answer, in the order of their numbers."""
    return (await page(work, tree, limit=limit)).rows


async def page(work: Work, tree: object, *, after: int = 0, limit: int = 25) -> Page[Subscriber]:
    """Give a page of those who answer, in the order of their numbers; it goes on after one."""
    asked = await numbers(work, tree)
    async with limited(work):
        return await store.page(work, asked, after=after, limit=limit)


async def which_are_so(work: Work, asked: Sequence[Condition], subscriber_no: int) -> list[bool]:
    """Say of each condition, put in the positive, whether it is true of one person."""
    async with at_home(work):
        found = [await one.facet.numbers(work, one.args) for one in asked if one.facet is not None]
    async with limited(work):
        return await store.which_have(work, found, subscriber_no)


@asynccontextmanager
async def limited(work: Work) -> AsyncGenerator[None]:
    """Refuse in words what takes longer than a question may."""
    try:
        async with time_limit(work.session, SECONDS):
            yield
    except TookTooLong:
        raise AskedTooLong from None
