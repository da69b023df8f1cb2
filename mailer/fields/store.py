"""Every question about fields and what they hold."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence

from sqlalchemy import Select, delete, func, insert, literal, select, update

from mailer.fields.model import Field, FieldKind, FieldValue, SpecialValue
from mailer.fields.values import Value
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber, visible

_AT_ONCE = 10_000  # numbers in one statement: drivers bind 32,766 values at most


# --- fields --------------------------------------------------------------------------------------


async def all_fields(work: Work, *, special: bool = False) -> Sequence[Field]:
    """Give the open fields in their order; the special ones too where those are wanted."""
    found = select(Field).where(Field.closed_at.is_(None)).order_by(Field.place, Field.no)
    if not special:
        found = found.where(Field.is_special.is_(False))
    return (await work.session.scalars(found)).all()


async def public_fields(work: Work) -> Sequence[Field]:
    """Give the open fields that their person sees and changes, special ones too."""
    found = await work.session.scalars(
        select(Field)
        .where(Field.closed_at.is_(None), Field.is_public)
        .order_by(Field.place, Field.no)
    )
    return found.all()


async def every_field(work: Work) -> Sequence[Field]:
    """Give all there ever were, in their order."""
    return (await work.session.scalars(select(Field).order_by(Field.place, Field.no))).all()


async def by_no(work: Work, no: int) -> Field | None:
    """Find one by number."""
    return await work.session.get(Field, no)


async def by_slug(work: Work, slug: str) -> Field | None:
    """Find one by its slug."""
    return await work.session.scalar(select(Field).where(Field.slug == slug))


async def by_nos(work: Work, nos: Collection[int]) -> dict[int, Field]:
    """Find several by number."""
    found = await work.session.scalars(select(Field).where(Field.no.in_(nos)))
    return {field.no: field for field in found}


async def again(work: Work, field: Field) -> Field:
    """Read a field anew, for changing it: one who changes it meanwhile waits."""
    return await work.session.get_one(
        Field, field.no, populate_existing=True, with_for_update={"key_share": True}
    )


# --- values --------------------------------------------------------------------------------------


async def values_of(work: Work, subscriber_nos: Collection[int]) -> dict[int, dict[int, list[str]]]:
    """Give what is known of several people: subscriber, then field, then values.

    Who has none is not in it. The caller has asked whether they may see them.
    """
    theirs: dict[int, dict[int, list[str]]] = {}
    wanted = sorted(set(subscriber_nos))
    for at in range(0, len(wanted), _AT_ONCE):
        found = await work.session.execute(
            select(FieldValue.subscriber_no, FieldValue.field_no, FieldValue.value)
            .where(FieldValue.subscriber_no.in_(wanted[at : at + _AT_ONCE]))
            .order_by(FieldValue.subscriber_no, FieldValue.field_no, FieldValue.value)
        )
        for no, field_no, value in found:
            theirs.setdefault(no, {}).setdefault(field_no, []).append(value)
    return theirs


async def values_in(
    work: Work, field_no: int, subscriber_nos: Sequence[int]
) -> dict[int, list[str]]:
    """Give what one field holds of several people; who has nothing there is not in it."""
    theirs: dict[int, list[str]] = {}
    for at in range(0, len(subscriber_nos), _AT_ONCE):
        found = await work.session.execute(
            select(FieldValue.subscriber_no, FieldValue.value)
            .where(
                FieldValue.field_no == field_no,
                FieldValue.subscriber_no.in_(subscriber_nos[at : at + _AT_ONCE]),
            )
            .order_by(FieldValue.subscriber_no, FieldValue.value)
        )
        for no, value in found:
            theirs.setdefault(no, []).append(value)
    return theirs


async def replace(work: Work, field_no: int, values: Mapping[int, Sequence[Value]]) -> None:
    """Write what a field holds of several people, who are held; no values is nothing."""
    nos = sorted(values)
    for at in range(0, len(nos), _AT_ONCE):
        await work.session.execute(
            delete(FieldValue)
            .where(
                FieldValue.field_no == field_no,
                FieldValue.subscriber_no.in_(nos[at : at + _AT_ONCE]),
            )
            .execution_options(synchronize_session=False)
        )
    rows = [
        {"subscriber_no": no, "field_no": field_no, "value": value, "number": number}
        for no in nos
        for value, number in values[no]
    ]
    if rows:
        await work.session.execute(insert(FieldValue), rows)


async def rows_of(work: Work, subscriber_no: int) -> dict[int, list[Value]]:
    """Give somebody's values as they are kept, by the number of the field."""
    found = await work.session.execute(
        select(FieldValue.field_no, FieldValue.value, FieldValue.number)
        .where(FieldValue.subscriber_no == subscriber_no)
        .order_by(FieldValue.field_no, FieldValue.value)
    )
    rows: dict[int, list[Value]] = {}
    for field_no, value, number in found:
        rows.setdefault(field_no, []).append((value, number))
    return rows


async def forget(work: Work, subscriber_no: int) -> None:
    """Keep no value of somebody, but for what is specially protected."""
    await work.session.execute(
        delete(FieldValue)
        .where(FieldValue.subscriber_no == subscriber_no)
        .execution_options(synchronize_session=False)
    )


async def forget_sealed(work: Work, subscriber_no: int) -> None:
    """Keep nothing that somebody told under a consent of its own."""
    await work.session.execute(
        delete(SpecialValue)
        .where(SpecialValue.subscriber_no == subscriber_no)
        .execution_options(synchronize_session=False)
    )


# --- what is specially protected ------------------------------------------------------------------


async def sealed_of(work: Work, subscriber_no: int, field_no: int) -> bytes | None:
    """Give what somebody told under a consent of its own, still encrypted."""
    return await work.session.scalar(
        select(SpecialValue.sealed).where(
            SpecialValue.subscriber_no == subscriber_no, SpecialValue.field_no == field_no
        )
    )


async def seal(
    work: Work, subscriber_no: int, field_no: int, *, sealed: bytes, consent_no: int
) -> None:
    """Write what somebody told, encrypted, in the place of what stood there."""
    await unseal(work, subscriber_no, field_no)
    row = {
        "subscriber_no": subscriber_no,
        "field_no": field_no,
        "sealed": sealed,
        "consent_no": consent_no,
        "at": work.now,
    }
    await work.session.execute(insert(SpecialValue), [row])


async def unseal(work: Work, subscriber_no: int, field_no: int) -> None:
    """Keep no longer what somebody told."""
    await work.session.execute(
        delete(SpecialValue)
        .where(SpecialValue.subscriber_no == subscriber_no, SpecialValue.field_no == field_no)
        .execution_options(synchronize_session=False)
    )


async def every_sealed(work: Work, field_no: int) -> AsyncGenerator[bytes]:
    """Give what a field holds of all whom the actor may see, some thousand at a time."""
    after = 0
    while True:
        found = (
            await work.session.execute(
                select(SpecialValue.subscriber_no, SpecialValue.sealed)
                .join(Subscriber, Subscriber.no == SpecialValue.subscriber_no)
                .where(
                    SpecialValue.field_no == field_no,
                    SpecialValue.subscriber_no > after,
                    Subscriber.erased_at.is_(None),
                    visible(work),
                )
                .order_by(SpecialValue.subscriber_no)
                .limit(_AT_ONCE)
            )
        ).all()
        for _no, sealed in found:
            yield sealed
        if len(found) < _AT_ONCE:
            return
        after = found[-1][0]


async def move_sealed(
    work: Work, from_no: int, to_no: int, *, consents: Collection[int] | None = None
) -> list[int]:
    """Give one person what another told, in fields where the first told nothing.

    `consents` leaves it to what was told under these. Gives the consents of what was moved.
    """
    theirs = select(SpecialValue.field_no).where(SpecialValue.subscriber_no == to_no)
    moved = (
        update(SpecialValue)
        .where(SpecialValue.subscriber_no == from_no, SpecialValue.field_no.not_in(theirs))
        .values(subscriber_no=to_no)
        .returning(SpecialValue.consent_no)
        .execution_options(synchronize_session=False)
    )
    if consents is not None:
        moved = moved.where(SpecialValue.consent_no.in_(consents))
    return sorted(await work.session.scalars(moved))


# --- numbers -------------------------------------------------------------------------------------


async def has_values(work: Work, field: Field) -> bool:
    """Say whether anybody has a value in a field, whoever asks."""
    kind = SpecialValue if field.is_special else FieldValue
    found = select(literal(1)).select_from(kind).where(kind.field_no == field.no).limit(1)
    return await work.session.scalar(found) is not None


async def how_many_chose(work: Work, field: Field) -> dict[str, int]:
    """Count those whom the actor may see by what they chose in a field of choices or yes and no."""
    found = await work.session.execute(_counted(work, field.no))
    return dict(found.all())


async def how_many_fill(work: Work) -> dict[int, int]:
    """Count those whom the actor may see who have something in each field that is not special."""
    # Only several choices are several rows of one person; to look for those costs a sort.
    several = select(Field.no).where(Field.kind == FieldKind.CHOICES)
    numbers: dict[int, int] = {}
    for people, fields in (
        (func.count(), FieldValue.field_no.not_in(several)),
        (func.count(FieldValue.subscriber_no.distinct()), FieldValue.field_no.in_(several)),
    ):
        counted = select(FieldValue.field_no, people).where(fields).group_by(FieldValue.field_no)
        if work.scope is not None:
            theirs = select(Subscriber.no).where(visible(work))
            counted = counted.where(FieldValue.subscriber_no.in_(theirs))
        numbers.update((await work.session.execute(counted)).all())
    return numbers


async def chosen_in(work: Work, field_no: int) -> set[str]:
    """Give the values that stand in a field, whoever asks: what may not be taken away."""
    found = await work.session.scalars(
        select(FieldValue.value).where(FieldValue.field_no == field_no).distinct()
    )
    return set(found)


def _counted(work: Work, field_no: int) -> Select[str, int]:
    counted = (
        select(FieldValue.value, func.count())
        .where(FieldValue.field_no == field_no)
        .group_by(FieldValue.value)
    )
    if work.scope is not None:
        # Who was erased or merged has no values, so nobody else's row has to be looked at.
        theirs = select(Subscriber.no).where(visible(work))
        counted = counted.where(FieldValue.subscriber_no.in_(theirs))
    return counted
