"""Who reacts to which kinds of lines. Filled once, when a process puts itself together."""

from collections.abc import Awaitable, Callable, Sequence

from mailer.activity.model import Activity
from mailer.kit.work import Work

Reaction = Callable[[Work, Activity], Awaitable[None]]
"""Does what follows from a line. A refusal is an answer: there is nothing to do any more."""


class LineMoved(Exception):
    """The line is another person's by now than when it was read: it is handed on anew."""


_REACTIONS: dict[str, list[Reaction]] = {}


def follow(kind: str, *reactions: Reaction) -> None:
    """Hand every line of a kind to these, from now on; to each once, however often it is said."""
    known = _REACTIONS.setdefault(kind, [])
    known += [reaction for reaction in reactions if reaction not in known]


def is_followed(kind: str) -> bool:
    """Say whether anybody reacts to a kind of lines."""
    return kind in _REACTIONS


def to(kind: str) -> Sequence[Reaction]:
    """Give what reacts to a kind of lines, in the order in which it was said."""
    return tuple(_REACTIONS.get(kind, ()))
