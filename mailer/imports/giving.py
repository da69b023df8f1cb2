"""Giving people what the lines of a file give them: tags, groups with roles in them, fields.

What somebody had not before is marked, and an undo takes that back.
"""

from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    update,
)

from mailer.fields.model import FieldValue
from mailer.groups import actions as groups
from mailer.groups import store as group_store
from mailer.imports.batch import Batch, I, N, beside
from mailer.imports.judging import L, there
from mailer.imports.model import Gives, ImportItem, ImportName, Rule
from mailer.subscribers.model import GroupRole, Membership
from mailer.tags import actions as tags
from mailer.tags.model import Tagging


async def make_names(batch: Batch) -> None:
    """Make the tags and found the groups that these lines are the first to give."""
    wanted = (
        select(ImportName)
        .where(
            ImportName.import_no == batch.import_.no,
            ImportName.no.is_(None),
            exists()
            .select_from(I.line.table.join(L.line.table, beside()))
            .where(batch.willing, I.gives == N.gives, I.ref == N.ref)
            .correlate(N.no.table),
        )
        .order_by(ImportName.ref)
    )
    for name in (await batch.work.session.scalars(wanted)).all():
        if name.gives == Gives.TAG:
            name.was_made = True
            name.no = (await tags.make(batch.work, name=name.name)).no
        else:
            name.no, name.was_made = await _group_of(batch, name.name)
    await batch.work.session.flush()


async def _group_of(batch: Batch, name: str) -> tuple[int, bool]:
    try:
        async with batch.work.session.begin_nested():
            return (await groups.found(batch.work, name=name)).no, True
    except groups.GroupExists:  # since the file was read
        standing = await group_store.by_name(batch.work, name)
        assert standing is not None
        return standing.no, False


def _given(batch: Batch, gives: Gives) -> Select[Any]:
    """Ask for what the lines give: their person, and the tag or the group."""
    named = and_(N.import_no == I.import_no, N.gives == I.gives, N.ref == I.ref)
    return (
        select(L.subscriber_no)
        .select_from(L.line.table.join(I.line.table, beside()).join(N.no.table, named))
        .where(batch.willing, I.gives == gives)
    )


async def _mark_given(batch: Batch, gives: Gives, has: ColumnElement[bool]) -> None:
    """Mark what somebody who was here is given and had not: an undo takes that back."""
    if not batch.some_known:
        return
    named = (N.import_no == I.import_no, N.gives == I.gives, N.ref == I.ref)
    await batch.do(
        update(I.line.table)
        .where(beside(), batch.was_here, I.gives == gives, *named, not_(has))
        .values(was_given=True)
    )


async def tag(batch: Batch) -> int:
    """Tag people as their lines say, and with the tag of the whole import; count it."""
    given = 0
    if "tags" in batch.import_.columns:
        has = there(Tagging, Tagging.subscriber_no == L.subscriber_no, Tagging.tag_no == N.no)
        await _mark_given(batch, Gives.TAG, has)
        row = {"subscriber_no": L.subscriber_no, "tag_no": N.no, "since": batch.now()}
        given += await batch.do(batch.insert(Tagging, row, _given(batch, Gives.TAG)))
    if batch.import_.tag_no is not None:
        tag_no = batch.import_.tag_no
        has = there(Tagging, Tagging.subscriber_no == L.subscriber_no, Tagging.tag_no == tag_no)
        await batch.mark_did("g", not_(has))
        row = {
            "subscriber_no": L.subscriber_no,
            "tag_no": literal(tag_no),
            "since": batch.now(),
        }
        given += await batch.do(batch.insert(Tagging, row, select(L.line).where(batch.willing)))
    return given


async def group(batch: Batch) -> int:
    """Make people members of groups, in the role that the file gives; count it.

    Who is in a group already is there what we know them to be.
    """
    if not {"group", "group_roles"} & set(batch.import_.columns):
        return 0
    member = there(
        Membership, Membership.subscriber_no == L.subscriber_no, Membership.group_no == N.no
    )
    await _mark_given(batch, Gives.GROUP, member)
    row = {
        "subscriber_no": L.subscriber_no,
        "group_no": N.no,
        "since": batch.now(),
        "role": func.coalesce(func.nullif(I.value, ""), GroupRole.MEMBER.value),
    }
    return await batch.do(batch.insert(Membership, row, _given(batch, Gives.GROUP)))


async def fill_fields(batch: Batch) -> int:
    """Write the values of fields, by the rule of the import; count them."""
    if not any(kind.startswith("field:") for kind in batch.import_.columns):
        return 0
    given = [batch.is_new]
    if batch.some_known and batch.import_.rule is not Rule.LEAVE:
        await _mark_fields(batch)
        given.append(I.was_given)
    row = {
        "subscriber_no": L.subscriber_no,
        "field_no": I.ref,
        "value": I.value,
        "number": I.number,
    }
    said = (
        select(L.subscriber_no)
        .select_from(L.line.table.join(I.line.table, beside()))
        .where(batch.willing, I.gives == Gives.FIELD, or_(*given))
    )
    return await batch.do(batch.insert(FieldValue, row, said))


async def _mark_fields(batch: Batch) -> None:
    """Mark the values that change something, and move those that they take the place of."""
    held = and_(FieldValue.subscriber_no == L.subscriber_no, FieldValue.field_no == I.ref)
    fills = batch.import_.rule is Rule.FILL
    has = there(FieldValue, held if fills else and_(held, FieldValue.value == I.value))
    field = I.gives == Gives.FIELD
    await batch.do(
        update(I.line.table)
        .where(beside(), batch.was_here, field, not_(has))
        .values(was_given=True)
    )
    if fills:
        return
    said = cast(Table, ImportItem.__table__).alias("said")
    of_the_line = (said.c.import_no == L.import_no, said.c.line == L.line)
    about = (said.c.gives == Gives.FIELD, said.c.ref == FieldValue.field_no)
    speaks = there(said, *of_the_line, *about)
    the_same = there(said, *of_the_line, *about, said.c.value == FieldValue.value)
    theirs = and_(batch.was_here, FieldValue.subscriber_no == L.subscriber_no)
    old = select(L.line).select_from(L.line.table.join(FieldValue, theirs))
    row = {
        "import_no": L.import_no,
        "line": L.line,
        "gives": literal(int(Gives.FIELD_BEFORE)),
        "ref": FieldValue.field_no,
        "value": FieldValue.value,
        "number": FieldValue.number,
    }
    await batch.do(batch.insert(ImportItem, row, old.where(speaks, not_(the_same))))
    people = select(L.subscriber_no).where(batch.was_here)
    before = there(
        (I.line.table, L.line.table),
        I.import_no == batch.import_.no,
        I.line.between(batch.first, batch.last),
        I.gives == Gives.FIELD_BEFORE,
        I.ref == FieldValue.field_no,
        I.value == FieldValue.value,
        I.line == L.line,
        L.import_no == I.import_no,
        L.subscriber_no == FieldValue.subscriber_no,
    )
    await batch.do(delete(FieldValue).where(FieldValue.subscriber_no.in_(people), before))
