"""What files said of somebody, and how that is forgotten."""

import json
from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, or_, select, tuple_

from mailer.activity.model import Activity, Entry
from mailer.activity.record import Told, entry_of, lines
from mailer.imports import store
from mailer.imports.model import Gives, Import, ImportItem, ImportLine, ImportName
from mailer.kit.i18n import _
from mailer.kit.known import Part, Row
from mailer.kit.work import Work
from mailer.subscribers import record as subscribers
from mailer.subscribers.model import Subscriber, visible

_SAID = "address first_name last_name city postcode region country time_zone language".split()


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell the files by which somebody came, and those that said more of them."""
    found = await lines(work, subscriber_no, ("imported",))
    files = await store.by_nos(work, {line.facts["import"] for line in found})
    joined_at = await work.session.scalar(
        select(Subscriber.joined_at).where(Subscriber.no == subscriber_no, visible(work))
    )
    return [
        entry_of(line, _told(line, files.get(line.facts["import"]), is_first=line.at == joined_at))
        for line in found
    ]


def _told(line: Activity, import_: Import | None, *, is_first: bool) -> Told:
    name = import_.file_name if import_ else "–"
    details = _("From the file “%(file)s”") % {"file": name}
    if line.facts.get("opted_out"):
        return {"words": _("Wants no email, as a file says"), "details": details}
    words = _("Came onto the roll") if is_first else _("Was in a file that was imported")
    return {"words": words, "details": details}


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give the lines of files that are about somebody, as long as they are kept."""
    found = await work.session.execute(
        select(ImportLine, Import)
        .join(Import, Import.no == ImportLine.import_no)
        .where(await _theirs(work, subscriber_no))
        .order_by(ImportLine.import_no, ImportLine.line)
    )
    lines = found.all()
    items = await _items(work, [(line.import_no, line.line) for line, _import in lines])
    return [
        Part(
            name="files",
            table="import_line",
            words=_("What a file said of you"),
            rows=[_line(line, import_) for line, import_ in lines],
        ),
        Part(
            name="file_items",
            table="import_item",
            words=_("What a file gave you"),
            rows=items,
        ),
    ]


def _line(line: ImportLine, import_: Import) -> Row:
    return {
        "file": import_.file_name,
        "line": line.line,
        "at": import_.made_at,
        "fate": line.fate.value if line.fate else None,
        "reason": line.why,
        **{name: getattr(line, name) for name in _SAID},
        "agreed_at": line.agreed_at,
        "has_phone": line.phone is not None,
        "cells": list(line.cells or []),
        "before": json.dumps(line.before, ensure_ascii=False) if line.before else "",
    }


async def _items(work: Work, keys: Collection[tuple[int, int]]) -> list[Row]:
    found = await work.session.scalars(
        select(ImportItem)
        .where(tuple_(ImportItem.import_no, ImportItem.line).in_(keys))
        .order_by(ImportItem.import_no, ImportItem.line, ImportItem.gives, ImportItem.ref)
    )
    of = {import_no for import_no, _line in keys}
    names = {
        (one.import_no, one.gives, one.ref): one.name
        for one in await work.session.scalars(
            select(ImportName).where(ImportName.import_no.in_(of))
        )
    }
    return [
        {
            "line": one.line,
            "what": Gives(one.gives).name.lower(),
            "name": names.get((one.import_no, one.gives, one.ref)),
            "value": one.value,
            "number": one.number,
        }
        for one in found
    ]


async def forget(work: Work, subscriber_no: int) -> None:
    """Take somebody's lines out of every file that was read. What was counted stands.

    The head of a file is kept to show its columns: their line is taken out of that too.
    """
    theirs = await _theirs(work, subscriber_no)
    found = await work.session.execute(select(ImportLine.import_no, ImportLine.line).where(theirs))
    keys = [(import_no, line) for import_no, line in found]
    for kind in (ImportItem, ImportLine):
        await work.session.execute(
            delete(kind)
            .where(tuple_(kind.import_no, kind.line).in_(keys))
            .execution_options(synchronize_session=False)
        )
    await _forget_heads(work, subscriber_no)


async def _forget_heads(work: Work, subscriber_no: int) -> None:
    address = await work.session.scalar(
        select(Subscriber.address).where(Subscriber.no == subscriber_no, visible(work))
    )
    if address is None:
        return
    for import_ in await work.session.scalars(select(Import)):
        rows = import_.found.get("first_rows", [])
        kept = [row for row in rows if not _names(row, address)]
        if len(kept) < len(rows):
            import_.found = {**import_.found, "first_rows": kept}


def _names(row: Collection[str], address: str) -> bool:
    return any(address.casefold() in cell.casefold() for cell in row)


async def _theirs(work: Work, subscriber_no: int) -> ColumnElement[bool]:
    """Find the lines of somebody: by their number, or by an address that is or was theirs.

    There is no index for it: lines are kept for days, and this is asked seldom.
    """
    marks = await subscribers.marks_of(work, subscriber_no)
    return or_(ImportLine.subscriber_no == subscriber_no, ImportLine.mark.in_(marks))
