"""Receiving a file: its octets in parts, what it seems to be, and what somebody says it is.

A file is kept in parts in the database until it has been read, so that a worker on another machine
can read it. On the command line it is read where it lies (`path`).
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from mailer.audit import actions as audit
from mailer.consent import store as lists
from mailer.fields import store as fields
from mailer.imports import store
from mailer.imports.columns import (
    COLUMNS,
    KNOWN,
    PRESETS,
    SEVERAL,
    guess,
    preset_of,
)
from mailer.imports.cutting import DELIMITERS, LINES, MOST_CELLS, cut, find_delimiter
from mailer.imports.decoding import (
    ENCODINGS,
    HEAD,
    EncodingUnknown,
    FileEmpty,
    Finder,
    decode,
    is_workbook,
    mark_length,
    whole_lines,
)
from mailer.imports.model import Import, ImportSource, ImportState, Rule
from mailer.imports.octets import PIECE, Octets, OnDisk, octets_of
from mailer.imports.refusing import AlreadyDecided, ListNeeded, refuse_scoped
from mailer.imports.understanding import storable
from mailer.imports.workbook import open_sheet
from mailer.kit.errors import Invalid
from mailer.kit.ids import new_uid
from mailer.kit.orm import Facts
from mailer.kit.texts import one_line
from mailer.kit.work import Work
from mailer.tags.actions import TagHasSeparator

LARGEST = 512 << 20
"""Octets of a file that is uploaded; larger ones are imported on the server's command line."""

LARGEST_PART = 1 << 20

_SHOWN_ROWS = 6
_SHOWN_CELL = 120
_MOST_HEADINGS = 200


class FileTooLarge(Invalid):
    """This file is larger than 512 MB. Import it with `rollcall import` on the server."""


class NoAddressColumn(Invalid):
    """No heading here says which column is the email address. It reads: %(headings)s."""


class NobodyInFile(Invalid):
    """This file has headings and nobody below them."""


class TooManyColumns(Invalid):
    """This file has more than %(most)s columns. Leave out those that nobody needs."""


class ColumnUnknown(Invalid):
    """This is nothing that a column can become."""


class ColumnTwice(Invalid):
    """Another column is that already. Leave one of them out."""


class AddressColumnNeeded(Invalid):
    """Please say which column is the email address."""


class DelimiterUnknown(Invalid):
    """Please choose what stands between the columns."""


async def receive(work: Work, *, file_name: str, list_no: int) -> Import:
    """Begin to take a file; its octets follow in parts."""
    refuse_scoped(work)
    await _open_list(work, list_no)
    import_ = Import(
        uid=new_uid(),
        file_name=_base_name(file_name),
        state=ImportState.RECEIVED,
        list_no=list_no,
        size=0,
        made_at=work.now,
        made_by=work.account,
    )
    work.session.add(import_)
    await work.session.flush()
    return import_


async def keep_part(work: Work, import_: Import, part: int, content: bytes) -> None:
    """Keep a piece of the file, 1 MiB at most; the parts are numbered from 0."""
    refuse_scoped(work)
    if import_.state is not ImportState.RECEIVED:
        raise AlreadyDecided
    if len(content) > LARGEST_PART or (part + 1) * LARGEST_PART > LARGEST:
        raise FileTooLarge(field="file")
    await store.keep_part(work, import_, part, content)


async def received(work: Work, import_: Import, *, path: Path | None = None) -> Import:
    """Look at a file that is here as a whole: what it is, and what its columns seem to be.

    Refuses what is no list of people. A file whose headings came before is understood as it was
    then; one without headings gets none, and its addresses are found all the same.
    """
    refuse_scoped(work)
    octets = await octets_of(work, import_, path)
    import_.size = octets.size
    how = await _sniff(work, octets)
    return await _look(work, import_, octets, how)


async def look_again(
    work: Work,
    import_: Import,
    *,
    format: Facts,  # noqa: A002  # what the import calls it
    path: Path | None = None,
) -> Import:
    """Look at the file anew, with another encoding, delimiter or sheet than was found out."""
    refuse_scoped(work)
    if import_.state not in _MAY_BE_UNDERSTOOD:
        raise AlreadyDecided
    octets = await octets_of(work, import_, path)
    return await _look(work, import_, octets, _checked({**import_.format, **format}))


async def understand(
    work: Work,
    import_: Import,
    *,
    columns: Sequence[str],
    format: Facts | None = None,  # noqa: A002
    rule: Rule = Rule.FILL,
    source: str = "",
    list_no: int | None = None,
    tag: str = "",
) -> Import:
    """Say what each column becomes; from now on the worker reads every line.

    It may be said again as long as nobody has decided on the import: then it is read again. How the
    columns of a source were understood is remembered for its next file.
    """
    refuse_scoped(work)
    import_ = await store.held(work, import_)
    if import_.state not in _MAY_BE_UNDERSTOOD:
        raise AlreadyDecided
    how = _checked({**import_.format, **(format or {})})
    import_.columns = await _checked_columns(work, import_, list(columns), how)
    if list_no is not None:
        await _open_list(work, list_no)
        import_.list_no = list_no
    how["tag"] = one_line(tag, longest=80, field="tag")
    if set(how["tag"]) & set(",;"):
        raise TagHasSeparator(field="tag")
    import_.source = one_line(source, longest=80, field="source")
    import_.format, import_.rule = how, rule
    await store.forget_content(work, import_)
    import_.state, import_.read_to, import_.counts, import_.done = ImportState.READING, {}, {}, {}
    import_.cursor = 0
    if import_.source:
        await store.remember_source(
            work,
            ImportSource(
                name=import_.source,
                name_key=" ".join(import_.source.split()).casefold()[:80],
                headings=import_.found["headings"],
                columns=import_.columns,
                format={name: how[name] for name in _REMEMBERED if name in how},
                used_at=work.now,
            ),
        )
    await audit.note(work, "import_received", **{"import": import_.no})
    return import_


_MAY_BE_UNDERSTOOD = (
    ImportState.RECEIVED,
    ImportState.READING,
    ImportState.UNREADABLE,
    ImportState.REHEARSED,
)
_REMEMBERED = ("order", "parted_by", "without_address")


async def kinds_of_columns(work: Work) -> list[str]:
    """Give what a column may become, our own fields included (`words.column` says it)."""
    return [*COLUMNS[:-1], *[f"field:{one.slug}" for one in await fields.all_fields(work)], ""]


# --- looking ------------------------------------------------------------------------------------


async def _sniff(work: Work, octets: Octets) -> Facts:
    head = await octets.read(work, 0, HEAD)
    if not head.strip(b" \t\r\n\0\xef\xbb\xbf\xfe\xff"):
        raise FileEmpty(field="file")
    if is_workbook(head):
        return {"kind": "workbook"}
    finder = Finder(head)
    at = 0
    while at < octets.size:
        piece = await octets.read(work, at, PIECE)
        at += len(piece)
        if not piece or await asyncio.to_thread(finder.look, piece):
            break
    encoding = await asyncio.to_thread(finder.found)
    delimiter, first = find_delimiter(LINES.findall(_head_text(head, encoding, octets)), KNOWN)
    return {"kind": "text", "encoding": encoding, "delimiter": delimiter, "first": first}


def _head_text(head: bytes, encoding: str, octets: Octets) -> str:
    begins = mark_length(head)
    is_all = len(head) >= octets.size
    ends = len(head) if is_all else whole_lines(head, encoding) or len(head)
    return decode(head[begins:ends], encoding)


async def _look(work: Work, import_: Import, octets: Octets, how: Facts) -> Import:
    sheets: list[str] = []
    if how["kind"] == "workbook":
        sheet = await open_sheet(work, octets, str(how.get("sheet", "")))
        sheets, how["sheet"] = sheet.names, sheet.name
        try:
            rows, _, _ = await asyncio.to_thread(sheet.rows, 1)
        finally:
            sheet.close()
    else:
        head = await octets.read(work, 0, HEAD)
        lines = LINES.findall(_head_text(head, str(how["encoding"]), octets))
        first = int(how.get("first", 0))
        rows, _, _ = cut(
            "".join(lines[first:]), str(how["delimiter"]), first=first + 1, is_end=True
        )
    table = [[cell.strip() for cell in row.cells] for row in rows if any(map(str.strip, row.cells))]
    if not table:
        raise FileEmpty(field="file")
    headings = table[0]
    while headings and not headings[-1] and not any(row[len(headings) - 1 :] for row in table[1:]):
        headings.pop()
    if len(headings) > min(_MOST_HEADINGS, MOST_CELLS):
        raise TooManyColumns(field="file", most=_MOST_HEADINGS)
    how["headings"] = not any("@" in heading for heading in headings)
    if not how["headings"]:
        width = max(len(row) for row in table)
        headings = [""] * min(width, _MOST_HEADINGS)
    elif len(table) == 1 and octets.size <= HEAD:
        raise NobodyInFile(field="file")
    shown = table[1 : _SHOWN_ROWS + 1] if how["headings"] else table[:_SHOWN_ROWS]
    import_.format = how
    await _propose(work, import_, headings, table, on_disk=isinstance(octets, OnDisk))
    import_.found = {
        **import_.found,
        "headings": [storable(heading[:_SHOWN_CELL]) for heading in headings],
        "first_rows": [[storable(cell[:_SHOWN_CELL]) for cell in row] for row in shown],
        "sheets": sheets,
    }
    return import_


async def _propose(
    work: Work,
    import_: Import,
    headings: Sequence[str],
    table: Sequence[Sequence[str]],
    *,
    on_disk: bool,
) -> None:
    """Propose what the columns become, and what parts several things in one cell."""
    how = {"parted_by": ";", **import_.format}
    found: dict[str, Any] = {"preset": "", "source": "", "on_disk": on_disk}
    before = await store.source_by_headings(work, headings) if how["headings"] else None
    preset = preset_of(headings)
    if not how["headings"]:
        columns = _columns_of_roster(table, len(headings))
        found["preset"] = "mailman" if len(headings) == 1 else ""
    elif before is not None:
        columns = list(before.columns)
        how |= before.format
        found["source"] = before.name
    else:
        ours = {one.slug: set(one.name.values()) for one in await fields.all_fields(work)}
        columns = guess(headings, ours)
    if preset is not None:
        found["preset"] = preset.name
        how["parted_by"] = preset.parted_by
    if (
        "address" not in columns
        and before is None
        and not any("@" in one for row in table for one in row)
    ):
        said = " · ".join(heading[:40] for heading in headings[:12] if heading)
        raise NoAddressColumn(field="file", headings=said or "–")
    import_.columns, import_.format, import_.found = columns, how, found


def _columns_of_roster(table: Sequence[Sequence[str]], width: int) -> list[str]:
    """Find the column of addresses in a file without headings; names stand with them or not."""
    hits = [sum("@" in row[at] for row in table if at < len(row)) for at in range(width)]
    columns = [""] * width
    columns[max(range(width), key=lambda at: hits[at])] = "address"
    return columns


# --- checking what somebody said ----------------------------------------------------------------


def _checked(how: Facts) -> Facts:
    """Check how a file is said to be cut; what is not known is left out."""
    if how["kind"] == "workbook":
        kept: Facts = {"kind": "workbook", "sheet": str(how.get("sheet", ""))}
    else:
        if how.get("encoding") not in ENCODINGS:
            raise EncodingUnknown(field="encoding")
        if how.get("delimiter") not in DELIMITERS:
            raise DelimiterUnknown(field="delimiter")
        kept = {"kind": "text", "encoding": how["encoding"], "delimiter": how["delimiter"]}
        kept["first"] = int(how.get("first", 0))
    mark = how.get("parted_by", ";")
    return {
        **kept,
        "headings": bool(how.get("headings", True)),
        "order": how.get("order") if how.get("order") in {"dmy", "mdy"} else "",
        "parted_by": mark if mark in {";", ",", "|"} else ";",
        "without_address": how.get("without_address") is True,
    }


async def _checked_columns(
    work: Work, import_: Import, columns: list[str], how: Facts
) -> list[str]:
    known = set(await kinds_of_columns(work))
    if len(columns) != len(import_.found["headings"]):
        raise ColumnUnknown(field="columns")
    for at, becomes in enumerate(columns):
        if becomes not in known:
            raise ColumnUnknown(field=f"column-{at}")
        if becomes not in SEVERAL and becomes in columns[:at]:
            raise ColumnTwice(field=f"column-{at}")
    if "name" in columns and {"first_name", "last_name"} & set(columns):
        raise ColumnTwice(field=f"column-{columns.index('name')}")
    if "address" not in columns and not how["without_address"]:
        raise AddressColumnNeeded(field="columns")
    return columns


async def _open_list(work: Work, list_no: int) -> None:
    mailing_list = await lists.list_by_no(work, list_no)
    if mailing_list is None or mailing_list.closed_at is not None:
        raise ListNeeded(field="list")


def _base_name(file_name: str) -> str:
    name = PurePosixPath(file_name.replace("\\", "/")).name
    return "".join(letter for letter in name if letter.isprintable())[:200] or "file.csv"


def preset_words(import_: Import) -> str:
    """Name the tool that wrote a file; empty if we do not know it."""
    name = import_.found.get("preset", "")
    return next((one.words for one in PRESETS if one.name == name), "")
