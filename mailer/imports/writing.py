"""The lines that were refused, as a file to mend and read again.

Before what stood in the file come the line and the reason; both are left out when it is read again.
A line that was understood and refused for what is on the roll is written from what was understood.
"""

import csv
import io
from collections.abc import AsyncGenerator

from mailer.fields import store as fields
from mailer.fields.values import written
from mailer.imports import store
from mailer.imports.house import Rooms
from mailer.imports.model import Fate, Gives, Import, ImportItem, ImportLine
from mailer.imports.words import why
from mailer.kit.i18n import _
from mailer.kit.tables import BOM, guarded, joined
from mailer.kit.work import Work

_AT_ONCE = 500


async def refused_lines(house: Rooms, import_: Import) -> AsyncGenerator[str]:
    """Write the refused lines as CSV, some at a time, each in a reading unit of work."""
    yield BOM + _csv([[_("Line"), _("Why not"), *_headings(import_)]])
    async for text in _pages(house, import_, Fate.REFUSED):
        yield text


async def every_line(house: Rooms, import_: Import) -> AsyncGenerator[str]:
    """Write all lines as CSV with the fate of each, some at a time.

    Lines that were applied hold nobody any more: they are told by number and fate.
    """
    yield BOM + _csv([[_("Line"), _("Fate"), _("Why not"), *_headings(import_)]])
    async for text in _pages(house, import_, None):
        yield text


async def _pages(house: Rooms, import_: Import, fate: Fate | None) -> AsyncGenerator[str]:
    after: int | None = 0
    while after is not None:
        async with house.work(reading=True) as work:
            text, after = await _page(work, import_, fate, after)
        yield text


async def _page(
    work: Work, import_: Import, fate: Fate | None, after: int
) -> tuple[str, int | None]:
    page = await store.lines(work, import_, fate=fate, after=after, limit=_AT_ONCE)
    items = await store.items_of(work, import_, [line.line for line in page.rows])
    slugs = {one.no: one.slug for one in await fields.every_field(work)}
    rows = []
    for line in page.rows:
        cells = line.cells
        if cells is None:
            cells = _cells(work, import_, line, items.get(line.line, []), slugs)
        told = [why(line)] if fate else [line.fate.value if line.fate else "", why(line)]
        rows.append([str(line.line), *told, *cells])
    return _csv(rows), page.next_after


def _headings(import_: Import) -> list[str]:
    headings: list[str] = import_.found["headings"]
    return headings


def _cells(
    work: Work,
    import_: Import,
    line: ImportLine,
    items: list[tuple[ImportItem, str]],
    slugs: dict[int, str],
) -> list[str]:
    """Write a line that was understood as the file would have it."""
    given: dict[str, list[str]] = {"tags": [], "group": [], "group_roles": []}
    for item, name in items:
        if item.gives == Gives.FIELD:
            given.setdefault(f"field:{slugs[item.ref]}", []).append(item.value)
        elif item.gives == Gives.GROUP and item.value:
            given["group_roles"].append(f"{item.value}: {name}")
        else:
            given["tags" if item.gives == Gives.TAG else "group"].append(name)
    said = {name: getattr(line, name, None) for name in import_.columns if ":" not in name}
    said["name"] = " ".join(filter(None, [line.first_name, line.last_name]))
    said["phone"] = work.keys.unseal("phone", line.phone) if line.phone else ""
    said["agreed_at"] = line.agreed_at.isoformat() if line.agreed_at else ""
    cells = []
    for kind in import_.columns:
        if kind in {"tags", "group", "group_roles"}:
            cells.append(joined(given[kind]))
            given[kind] = []  # where several columns give them, the first has them all
        elif kind in given:
            cells.append(written(given[kind]))
        else:
            cells.append(str(said.get(kind) or ""))
    return cells


def _csv(rows: list[list[str]]) -> str:
    out = io.StringIO()
    sheet = csv.writer(out, lineterminator="\r\n")
    sheet.writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue()
