"""What a timeline says of somebody's fields, and what becomes of them in a merge or an erasure."""

from sqlalchemy import select

from mailer.activity.model import Activity, Entry
from mailer.activity.record import Told, entry_of, lines
from mailer.fields import store
from mailer.fields.model import SEAL, Field, SpecialValue
from mailer.fields.values import Value, shown
from mailer.kit import i18n
from mailer.kit.i18n import _, in_language
from mailer.kit.known import Part
from mailer.kit.orm import Facts
from mailer.kit.work import Work


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell what was written into somebody's fields. Of special ones there is nothing to tell."""
    found = await lines(work, subscriber_no, ("field_filled", "field_emptied"))
    fields = await store.by_nos(work, {line.facts["field"] for line in found})
    return [entry_of(line, _told(line, fields.get(line.facts["field"]))) for line in found]


def _told(line: Activity, field: Field | None) -> Told:
    named = {"field": in_language(field.name) if field else "–"}
    if line.kind == "field_emptied":
        return {"words": _("“%(field)s” was emptied") % named}
    chosen = line.facts.get("chosen", [])
    return {
        "words": _("“%(field)s” was filled in") % named,
        "details": shown(field, chosen, i18n.language.get()) if field else "",
    }


async def repoint(work: Work, from_no: int, to_no: int) -> Facts:
    """Give one person what is known of another, where nothing is known of the first.

    Say what the other had, and which fields the first was given.
    """
    had, stands = await store.rows_of(work, from_no), await store.rows_of(work, to_no)
    given = [field_no for field_no in had if field_no not in stands]
    for field_no in given:
        await store.replace(work, field_no, {to_no: had[field_no]})
    await store.forget(work, from_no)
    return {
        "had": [[field_no, *row] for field_no, rows in had.items() for row in rows],
        "given": given,
        "special": await store.move_sealed(work, from_no, to_no),
    }


async def restore(work: Work, from_no: int, to_no: int, moved: Facts) -> None:
    """Take a `repoint` back; what was written since stands."""
    had: dict[int, list[Value]] = {}
    for field_no, value, number in moved["had"]:
        had.setdefault(field_no, []).append((value, number))
    stands = await store.rows_of(work, to_no)
    for field_no, rows in had.items():
        await store.replace(work, field_no, {from_no: rows})
        if field_no in moved["given"] and stands.get(field_no) == rows:
            await store.replace(work, field_no, {to_no: []})
    # What they told anew since then stands.
    await store.move_sealed(work, to_no, from_no, consents=moved["special"])


async def forget(work: Work, subscriber_no: int) -> None:
    """Keep no value of somebody."""
    await store.forget(work, subscriber_no)
    await store.forget_sealed(work, subscriber_no)


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give what the fields of somebody hold; the protected ones are opened for them."""
    held = await store.rows_of(work, subscriber_no)
    sealed = (
        await work.session.scalars(
            select(SpecialValue)
            .where(SpecialValue.subscriber_no == subscriber_no)
            .order_by(SpecialValue.field_no)
        )
    ).all()
    fields = await store.by_nos(work, {*held, *(one.field_no for one in sealed)})
    return [
        Part(
            name="fields",
            table="field_value",
            words=_("What is noted about you"),
            rows=[
                {
                    "field": in_language(fields[no].name),
                    "values": [value for value, _number in values],
                }
                for no, values in held.items()
            ],
        ),
        Part(
            name="protected_fields",
            table="special_value",
            words=_("What you told us under a consent of its own"),
            rows=[
                {
                    "field": in_language(fields[one.field_no].name),
                    "values": [work.keys.unseal(SEAL, one.sealed)],
                    "at": one.at,
                }
                for one in sealed
            ],
        ),
    ]
