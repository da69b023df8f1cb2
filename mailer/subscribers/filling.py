"""Filling in what nobody has said of somebody yet. What is known stays."""

from collections.abc import Mapping

from mailer.activity import actions as activity
from mailer.kit.texts import one_line
from mailer.kit.work import Work
from mailer.subscribers import store
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber

LONGEST = {"first_name": 120, "last_name": 120, "city": 120, "postcode": 20}
"""The columns that may be filled in so, and how many characters each takes."""


def read(column: str, typed: str, *, field: str) -> str:
    """Read what somebody typed for one of these columns; refuses at `field` what is too long."""
    return one_line(typed, longest=LONGEST[column], field=field)


async def fill(work: Work, subscriber: Subscriber, said: Mapping[str, str]) -> list[str]:
    """Write what was said into those columns that are empty; give their names."""
    subscriber = await held(work, subscriber)
    values = {
        column: read(column, said[column], field=column)
        for column in LONGEST
        if said.get(column) and not getattr(subscriber, column)
    }
    filled = sorted(column for column, text in values.items() if text)
    if filled:
        first = values.get("first_name", subscriber.first_name)
        last = values.get("last_name", subscriber.last_name)
        await store.change(work, subscriber, {**values, **Subscriber.keys_of(first, last)})
        await activity.record(work, subscriber.no, "details_changed", fields=filled)
    return filled
