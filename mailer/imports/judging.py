"""Judging lines: what becomes of each, by what is on the roll. Set-wise, and nothing else is done.

A line that was understood is new until it is found otherwise. First whose lines they are is looked
up, then what the roll says of those people; at last, when every line is there, which address stands
in the file twice.
"""

from array import array
from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    update,
)

from mailer.consent.model import Subscription, SubscriptionState
from mailer.fields.model import FieldValue
from mailer.imports.model import (
    Fate,
    Gives,
    Import,
    ImportItem,
    ImportLine,
    ImportName,
    Rule,
    Why,
)
from mailer.kit.orm import Json
from mailer.kit.work import Work
from mailer.phones.model import Phone
from mailer.subscribers.model import Membership, Subscriber, Suppression
from mailer.tags.model import Tagging
from mailer.tiers.model import ChosenTier

L = cast(Table, ImportLine.__table__).c
S = cast(Table, Subscriber.__table__).c

UNSCOPED = {"unscoped": "a file may name anybody: it is for those who see everybody"}

DETAILS = (
    "first_name",
    "last_name",
    "city",
    "postcode",
    "region",
    "country",
    "time_zone",
    "source",
    "language",
)


def there(kinds: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Say that there are such rows; other tables in the conditions are of the statement around."""
    of = kinds if isinstance(kinds, tuple) else (kinds,)
    return exists(select(literal(1)).select_from(*of).where(*conditions).correlate_except(*of))


def within(import_: Import, first: int, last: int) -> ColumnElement[bool]:
    """Leave the lines of an import from one to another."""
    return and_(L.import_no == import_.no, L.line.between(first, last))


async def judge(work: Work, import_: Import, first: int, last: int) -> None:
    """Judge some lines, in the unit of work in which they were read."""
    here = within(import_, first, last)
    for statement in (
        update(L.line.table)
        .where(here, L.fate.in_([Fate.NEW, Fate.OPTS_OUT]), S.address_key == L.address_key)
        .values(subscriber_no=func.coalesce(S.merged_no, S.no)),
        update(L.line.table)
        .where(here, L.fate == Fate.NEW, S.no == L.subscriber_no)
        .values(fate=_fate(import_), why=_why(import_)),
        update(L.line.table)
        .where(here, L.fate != Fate.REFUSED, L.fate != Fate.OPTS_OUT, _is_suppressed(L.mark))
        .values(fate=Fate.REFUSED, why=Why.SUPPRESSED),
        update(L.line.table)
        .where(here, L.fate == Fate.OPTS_OUT, _is_suppressed(L.mark))
        .values(fate=Fate.UNCHANGED),
    ):
        await work.session.execute(statement.execution_options(**UNSCOPED))


def _is_suppressed(mark: ColumnElement[Any]) -> ColumnElement[bool]:
    return there(Suppression, Suppression.mark == mark)


def refusal(import_: Import) -> list[tuple[ColumnElement[bool], Why]]:
    """Say when a file may not touch somebody on the roll, and why; `S` is their row."""
    theirs = Subscription.subscriber_no == S.no
    left = Subscription.state == SubscriptionState.UNSUBSCRIBED
    has_left = or_(
        there(Subscription, theirs, Subscription.list_no == import_.list_no, left),
        and_(there(Subscription, theirs), not_(there(Subscription, theirs, not_(left)))),
    )
    return [
        (S.stopped_at.is_not(None), Why.STOPPED),
        (S.erased_at.is_not(None), Why.GONE),
        (_is_suppressed(S.mark), Why.SUPPRESSED),
        (has_left, Why.HAS_LEFT),
    ]


def _why(import_: Import) -> ColumnElement[str]:
    return case(*refusal(import_), else_="")


def _fate(import_: Import) -> ColumnElement[Any]:
    refused = or_(*[condition for condition, _ in refusal(import_)])
    fates: list[tuple[ColumnElement[bool], Fate]] = [(refused, Fate.REFUSED)]
    if import_.rule is not Rule.LEAVE:
        fates.append((or_(*_changes(import_)), Fate.CHANGED))
    fates.append((or_(*_gains(import_)), Fate.KNOWN))
    return case(*fates, else_=Fate.UNCHANGED)


def changed(name: str, rule: Rule) -> ColumnElement[bool]:
    """Say that a detail of `S` becomes what the line says."""
    said, stands = L[name], S[name]
    if rule is Rule.FILL:
        # The language is never empty, and a file that says another one may know better or not.
        if name == "language":
            return literal(False)  # noqa: FBT003
        return and_(said.is_not(None), said != "", stands == "")
    return and_(said.is_not(None), said != "", said != stands)


def _changes(import_: Import) -> list[ColumnElement[bool]]:
    """Say in which ways a line changes what is known of somebody."""
    rule = import_.rule
    becomes = {kind for kind in import_.columns if kind}
    names = [name for name in DETAILS if name in becomes]
    if "name" in becomes or "address" in becomes:
        names += [name for name in ("first_name", "last_name") if name not in names]
    ways = [changed(name, rule) for name in names]
    if any(kind.startswith("field:") for kind in becomes):
        ways.append(_changes_a_field(rule))
    if "phone" in becomes:
        theirs = and_(Phone.subscriber_no == S.no, Phone.mark.is_not(None))
        same = theirs if rule is Rule.FILL else and_(theirs, Phone.mark == L.phone_mark)
        ways.append(and_(L.phone_mark.is_not(None), not_(there(Phone, same))))
    return ways


def _items(gives: Gives) -> ColumnElement[bool]:
    return and_(
        ImportItem.import_no == L.import_no, ImportItem.line == L.line, ImportItem.gives == gives
    )


def _changes_a_field(rule: Rule) -> ColumnElement[bool]:
    held = and_(FieldValue.subscriber_no == S.no, FieldValue.field_no == ImportItem.ref)
    if rule is Rule.FILL:
        return there(ImportItem, _items(Gives.FIELD), not_(there(FieldValue, held)))
    other = ImportItem.__table__.alias("other")
    still_said = there(
        other,
        other.c.import_no == ImportItem.import_no,
        other.c.line == ImportItem.line,
        other.c.gives == Gives.FIELD,
        other.c.ref == FieldValue.field_no,
        other.c.value == FieldValue.value,
    )
    return there(
        ImportItem,
        _items(Gives.FIELD),
        or_(
            not_(there(FieldValue, held, FieldValue.value == ImportItem.value)),
            there(FieldValue, held, not_(still_said)),
        ),
    )


def _gains(import_: Import) -> list[ColumnElement[bool]]:
    """Say in which ways somebody on the roll gets more: a list, a tag, a group, a first level."""
    on_it = there(
        Subscription,
        Subscription.subscriber_no == S.no,
        Subscription.list_no == import_.list_no,
        Subscription.state == SubscriptionState.CONFIRMED,
    )
    ways: list[ColumnElement[bool]] = [and_(S.address.is_not(None), not_(on_it))]
    becomes = set(import_.columns)
    named = and_(
        ImportName.import_no == ImportItem.import_no,
        ImportName.gives == ImportItem.gives,
        ImportName.ref == ImportItem.ref,
    )
    if "tags" in becomes:
        has = there(Tagging, Tagging.subscriber_no == S.no, Tagging.tag_no == ImportName.no)
        ways.append(there((ImportItem, ImportName), _items(Gives.TAG), named, not_(has)))
    if {"group", "group_roles"} & becomes:
        member = there(
            Membership, Membership.subscriber_no == S.no, Membership.group_no == ImportName.no
        )
        ways.append(there((ImportItem, ImportName), _items(Gives.GROUP), named, not_(member)))
    if import_.format.get("tag"):
        tagged = there(Tagging, Tagging.subscriber_no == S.no, Tagging.tag_no == import_.tag_no)
        ways.append(not_(tagged) if import_.tag_no else literal(True))  # noqa: FBT003
    if "tier" in becomes:
        chosen = there(ChosenTier, ChosenTier.subscriber_no == S.no)
        ways.append(and_(L.tier_no.is_not(None), not_(chosen)))
    return ways


# --- twice --------------------------------------------------------------------------------------


async def twice(work: Work, import_: Import) -> list["array[int]"]:
    """Give the lines that name somebody again, and beside each the line that counts.

    Who wants no mail in one line wants none, wherever that line stands; else the first one counts.
    """
    sound = [L.import_no == import_.no, L.fate != Fate.REFUSED]
    found = [array("q"), array("q")]
    await _again(work, L.mark, [*sound, L.mark.is_not(None)], found)
    if await work.session.scalar(
        select(exists().where(S.merged_no.is_not(None))).execution_options(**UNSCOPED)
    ):
        # Two addresses, one of which belongs to somebody who was merged into the other's owner.
        await _again(work, L.subscriber_no, [*sound, L.subscriber_no.is_not(None)], found)
    return found


async def _again(
    work: Work,
    by: ColumnElement[Any],
    conditions: Sequence[ColumnElement[bool]],
    found: list["array[int]"],
) -> None:
    wins = case((L.fate == Fate.OPTS_OUT, 0), else_=1)
    first = func.first_value(L.line).over(partition_by=by, order_by=(wins, L.line))
    lines = select(L.line, first.label("first")).where(*conditions).subquery()
    again = select(lines.c.line, lines.c.first).where(lines.c.line != lines.c.first)
    async for line, counts in await work.session.stream(again):
        found[0].append(line)
        found[1].append(counts)


async def refuse_twice(work: Work, import_: Import, pairs: Sequence[tuple[int, int]]) -> None:
    """Refuse lines that name somebody again."""
    if not pairs:
        return
    await work.session.execute(
        update(L.line.table)
        .where(L.import_no == import_.no, L.line == bindparam("at"))
        .values(
            fate=Fate.REFUSED,
            why=Why.TWICE,
            facts=bindparam("first", type_=Json()),
            subscriber_no=null(),
        ),
        [{"at": line, "first": {"first": str(first)}} for line, first in pairs],
    )


# --- what an undo goes back to ------------------------------------------------------------------


async def keep_befores(work: Work, import_: Import, rows: Sequence[dict[str, Any]]) -> None:
    """Keep, for lines `at`, what stood there before (`kept`)."""
    if rows:
        await work.session.execute(
            update(L.line.table)
            .where(L.import_no == import_.no, L.line == bindparam("at"))
            .values(before=bindparam("kept", type_=Json())),
            list(rows),
        )


async def keep_phones(work: Work, import_: Import, rows: Sequence[dict[str, Any]]) -> None:
    """Keep, for lines `at`, the number from before (`kept`), sealed; an empty one was none."""
    if rows:
        await work.session.execute(
            update(L.line.table)
            .where(L.import_no == import_.no, L.line == bindparam("at"))
            .values(phone_before=bindparam("kept", type_=L.phone.type)),
            list(rows),
        )


async def write_details(work: Work, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the details of people, each under the number `at`."""
    if rows:
        names = [name for name in rows[0] if name != "at"]
        await work.session.execute(
            update(S.no.table)
            .where(S.no == bindparam("at"))
            .values({name: bindparam(f"to_{name}", type_=S[name].type) for name in names})
            .execution_options(**UNSCOPED),
            [{"at": row["at"], **{f"to_{name}": row[name] for name in names}} for row in rows],
        )
