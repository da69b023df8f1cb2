"""Recording what happened."""

from collections.abc import Collection
from typing import Any

from mailer.activity.model import Activity
from mailer.activity.signals import reactions
from mailer.activity.signals.model import Signal
from mailer.kit.work import Work


async def record(work: Work, subscriber_no: int, kind: str, **facts: Any) -> Activity:
    """Add a line to somebody's timeline: who and when are taken from the unit of work.

    `facts` are numbers and words of ours, never an address. Whoever follows lines of this kind is
    told of it by a signal.
    """
    line = _line(work, subscriber_no, kind, facts)
    work.session.add(line)
    _signal(work, [line])
    return line


async def record_many(work: Work, subscriber_nos: Collection[int], kind: str, **facts: Any) -> None:
    """Add the same line to the timelines of many."""
    lines = [_line(work, no, kind, facts) for no in subscriber_nos]
    work.session.add_all(lines)
    _signal(work, lines)


def _signal(work: Work, lines: Collection[Activity]) -> None:
    work.session.add_all(
        [Signal(line=line, due_at=work.now) for line in lines if reactions.is_followed(line.kind)]
    )


def _line(work: Work, subscriber_no: int, kind: str, facts: dict[str, Any]) -> Activity:
    return Activity(
        subscriber_no=subscriber_no,
        kind=kind,
        at=work.now,
        door=work.door,
        account_no=work.account,
        facts=facts,
    )
