"""What is written into fields. Repeating any of it changes nothing more."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from mailer.activity import actions as activity
from mailer.fields import store
from mailer.fields.describing import Choice, close, describe, make, may_make, move, reopen
from mailer.fields.model import Field, FieldKind
from mailer.fields.values import Value, read_value, written
from mailer.kit.errors import Conflict
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber

__all__ = [
    "Choice",
    "FieldClosed",
    "SpecialElsewhere",
    "close",
    "describe",
    "make",
    "may_make",
    "move",
    "put_many",
    "reopen",
    "set_many",
    "set_value",
]


class FieldClosed(Conflict):
    """This field is closed: nothing more is written into it."""


class SpecialElsewhere(Conflict):
    """This field is specially protected: only its person fills it in, on their private page."""


async def set_value(work: Work, subscriber: Subscriber, field: Field, typed: str) -> bool:
    """Write what one field holds of somebody; blank is nothing. Say whether it is new.

    Refuses at the field's slug what is not of its kind.
    """
    values = read_value(field, typed)
    subscriber = await held(work, subscriber)
    return subscriber.no in await put_many(work, field, {subscriber.no: values})


async def set_many(work: Work, field: Field, typed: Mapping[int, str]) -> dict[int, str]:
    """Write what one field holds of many; give what stood there before, for whom it is new.

    What stood before is as `typed` is, so that an undo is the same verb with the answer. Who may
    not be seen is left out.
    """
    return await put_many(
        work, field, {no: read_value(field, words) for no, words in typed.items()}
    )


async def put_many(
    work: Work, field: Field, values: Mapping[int, Sequence[Value]]
) -> dict[int, str]:
    """Do as `set_many` does with values that were read before (`values.read_value`)."""
    if field.is_special:
        raise SpecialElsewhere(field=field.slug)
    if field.closed_at is not None:
        raise FieldClosed(field=field.slug)
    nos = await subscribers.hold_nos(work, values)
    standing = await store.values_in(work, field.no, nos)
    changed = {
        no: values[no]
        for no in nos
        if sorted(value for value, _number in values[no]) != standing.get(no, [])
    }
    await store.replace(work, field.no, changed)
    await _record(work, field, changed)
    return {no: written(standing.get(no, [])) for no in changed}


async def _record(work: Work, field: Field, changed: Mapping[int, Sequence[Value]]) -> None:
    """Add lines to the timelines, which hold words of ours alone and never what people wrote."""
    ours = field.kind in {FieldKind.CHOICE, FieldKind.CHOICES, FieldKind.YES_NO}

    def line(no: int) -> tuple[str, list[str]]:
        chosen = sorted(value for value, _number in changed[no]) if ours else []
        return "field_filled" if changed[no] else "field_emptied", chosen

    for (kind, chosen), some in groupby(sorted(changed, key=line), key=line):
        facts = {"chosen": chosen} if chosen else {}
        await activity.record_many(work, list(some), kind, field=field.no, **facts)
