"""The columns of a pledge as plain JSON, and back: for what an undo and a merge put back."""

import base64
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from mailer.asks.model import Pledge, PledgeState
from mailer.kit.orm import Facts
from mailer.kit.work import Door

COLUMNS = (
    "state",
    "made_at",
    "done_at",
    "times",
    "amount",
    "note",
    "link",
    "due_at",
    "is_our_day",
    "is_answered",
    "verified_at",
    "verified_by",
    "reminded_at",
    "reminders",
    "asked_at",
    "door",
    "campaign_no",
)
"""What an answer says; beside these a pledge has its own number, and whose and of what it is."""

WORDS = ("note", "link")
"""What somebody typed: sealed, and kept no longer than it may be put back."""

_READ: dict[str, Callable[[Any], Any]] = {
    "state": PledgeState,
    "door": Door,
    "note": base64.b64decode,
    "link": base64.b64decode,
    **dict.fromkeys(
        ("made_at", "done_at", "due_at", "verified_at", "reminded_at", "asked_at"),
        datetime.fromisoformat,
    ),
}


def kept(pledge: Pledge, columns: Collection[str] = COLUMNS) -> Facts:
    """Write down what a pledge says. What somebody wrote stays sealed."""
    return {name: plain(getattr(pledge, name)) for name in columns}


def holds_words(before: Mapping[str, Any]) -> bool:
    """Say whether there are words of somebody's among what is kept."""
    return any(before.get(name) is not None for name in WORDS)


def without_words(before: Mapping[str, Any]) -> Facts:
    """Give what is kept without anybody's words."""
    return {name: None if name in WORDS else value for name, value in before.items()}


def plain(value: Any) -> Any:
    """Write one value as JSON holds it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def read(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Read what was written down; columns that are not ours are left as they stand."""
    return {
        name: value if value is None or name not in _READ else _READ[name](value)
        for name, value in facts.items()
    }
