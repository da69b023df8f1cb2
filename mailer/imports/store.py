"""Questions about imports, their parts, their lines, and what those give."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, exists, func, insert, null, or_, select, text, update

from mailer.imports.model import (
    Fate,
    Gives,
    Import,
    ImportItem,
    ImportLine,
    ImportName,
    ImportPart,
    ImportSource,
    ImportState,
)
from mailer.kit.pages import Page, cut
from mailer.kit.work import Work


async def by_uid(work: Work, uid: str) -> Import | None:
    """Give the import of this name."""
    return await work.session.scalar(select(Import).where(Import.uid == uid))


async def by_nos(work: Work, nos: Collection[int]) -> dict[int, Import]:
    """Find several by number."""
    found = await work.session.scalars(select(Import).where(Import.no.in_(nos)))
    return {import_.no: import_ for import_ in found}


async def by_no(work: Work, no: int) -> Import | None:
    """Give the import of this number."""
    return await work.session.get(Import, no)


async def recent(work: Work, *, limit: int = 20) -> Sequence[Import]:
    """Give the newest imports, newest first."""
    newest = select(Import).order_by(Import.no.desc()).limit(limit)
    return (await work.session.scalars(newest)).all()


async def lines(
    work: Work,
    import_: Import,
    *,
    fate: Fate | None = None,
    after: int = 0,
    limit: int = 50,
) -> Page[ImportLine]:
    """Give lines in the order of the file, a page at a time."""
    found = select(ImportLine).where(ImportLine.import_no == import_.no, ImportLine.line > after)
    if fate is not None:
        found = found.where(ImportLine.fate == fate)
    rows = (await work.session.scalars(found.order_by(ImportLine.line).limit(limit + 1))).all()
    return cut(rows, limit, lambda row: row.line)


async def reasons(work: Work, import_: Import) -> dict[str, int]:
    """Count the refused lines by reason."""
    counted = (
        select(ImportLine.why, func.count())
        .where(ImportLine.import_no == import_.no, ImportLine.fate == Fate.REFUSED)
        .group_by(ImportLine.why)
    )
    found = await work.session.execute(counted)
    return {why: number for why, number in found}  # noqa: C416  # rows, not pairs, to mypy


async def counts(work: Work, import_: Import) -> dict[str, int]:
    """Count the lines by fate."""
    counted = (
        select(ImportLine.fate, func.count())
        .where(ImportLine.import_no == import_.no)
        .group_by(ImportLine.fate)
    )
    found = {fate: number for fate, number in await work.session.execute(counted)}  # noqa: C416
    return {fate.value: found.get(fate, 0) for fate in Fate}


async def last_line(work: Work, import_: Import) -> int:
    """Give the number of the last line."""
    found = select(func.max(ImportLine.line)).where(ImportLine.import_no == import_.no)
    return await work.session.scalar(found) or 0


async def items_of(
    work: Work, import_: Import, lines: Collection[int]
) -> dict[int, list[tuple[ImportItem, str]]]:
    """Give what some lines give, each with the name of the tag or the group if it is one."""
    found = await work.session.execute(
        select(ImportItem, func.coalesce(ImportName.name, ""))
        .outerjoin(
            ImportName,
            (ImportName.import_no == ImportItem.import_no)
            & (ImportName.gives == ImportItem.gives)
            & (ImportName.ref == ImportItem.ref),
        )
        .where(
            ImportItem.import_no == import_.no,
            ImportItem.line.in_(lines),
            ImportItem.gives != Gives.FIELD_BEFORE,
        )
        .order_by(ImportItem.line, ImportItem.gives, ImportItem.ref, ImportItem.value)
    )
    items: dict[int, list[tuple[ImportItem, str]]] = {}
    for item, name in found:
        items.setdefault(item.line, []).append((item, name))
    return items


async def names(work: Work, import_: Import) -> Sequence[ImportName]:
    """Give the tags and groups that a file names."""
    found = select(ImportName).where(ImportName.import_no == import_.no).order_by(ImportName.ref)
    return (await work.session.scalars(found)).all()


async def forget_content(work: Work, import_: Import) -> None:
    """Empty the file itself and what was read of it, to read it again or never."""
    for table in (ImportLine, ImportItem, ImportName):
        await work.session.execute(
            delete(table)
            .where(table.import_no == import_.no)
            .execution_options(synchronize_session=False)
        )


# --- the file -----------------------------------------------------------------------------------


async def keep_part(work: Work, import_: Import, part: int, content: bytes) -> None:
    """Keep a piece of a file; one that comes again takes the place of the first."""
    await work.session.execute(
        delete(ImportPart)
        .where(ImportPart.import_no == import_.no, ImportPart.part == part)
        .execution_options(synchronize_session=False)
    )
    row = {"import_no": import_.no, "part": part, "content": content}
    await work.session.execute(insert(ImportPart), [row])


async def part(work: Work, import_no: int, part: int) -> bytes:
    """Give a piece of a file."""
    found = await work.session.scalar(
        select(ImportPart.content).where(ImportPart.import_no == import_no, ImportPart.part == part)
    )
    return found or b""


async def lengths_of_parts(work: Work, import_: Import) -> list[tuple[int, int]]:
    """Give the numbers of a file's parts in their order, with the octets of each."""
    found = await work.session.execute(
        select(ImportPart.part, func.length(ImportPart.content))
        .where(ImportPart.import_no == import_.no)
        .order_by(ImportPart.part)
    )
    return [(no, length) for no, length in found]  # rows, not pairs, to mypy


async def forget_parts(work: Work, import_: Import) -> None:
    """Keep the file no longer."""
    await work.session.execute(
        delete(ImportPart)
        .where(ImportPart.import_no == import_.no)
        .execution_options(synchronize_session=False)
    )


# --- where files come from ----------------------------------------------------------------------


async def sources(work: Work) -> Sequence[ImportSource]:
    """Give where files came from before, the latest first."""
    found = select(ImportSource).order_by(ImportSource.used_at.desc(), ImportSource.no.desc())
    return (await work.session.scalars(found)).all()


async def source_by_headings(work: Work, headings: Sequence[str]) -> ImportSource | None:
    """Find where a file with these very headings came from last."""
    return next((one for one in await sources(work) if list(one.headings) == list(headings)), None)


async def remember_source(work: Work, source: ImportSource) -> None:
    """Keep how the columns of a source were understood last."""
    await work.session.execute(
        delete(ImportSource)
        .where(ImportSource.name_key == source.name_key)
        .execution_options(synchronize_session=False)
    )
    work.session.add(source)


# --- taking in hand -----------------------------------------------------------------------------


async def is_any_in(work: Work, *states: ImportState) -> bool:
    """Say whether an import has come so far: asked often, so it must not take the write lock."""
    return bool(await work.session.scalar(select(exists().where(Import.state.in_(states)))))


async def states_in(work: Work, *states: ImportState) -> Sequence[ImportState]:
    """Say in which of these states there are imports."""
    found = await work.session.scalars(
        select(Import.state).where(Import.state.in_(states)).distinct()
    )
    return found.all()


async def to_do(work: Work, *states: ImportState, uid: str | None = None) -> Import | None:
    """Take the oldest import that has come so far, or this one, and keep other workers from it."""
    wanted = select(Import).where(Import.state.in_(states))
    if uid is not None:
        wanted = wanted.where(Import.uid == uid)
    claimed = wanted.order_by(Import.confirmed_at, Import.no).limit(1)
    return await work.session.scalar(claimed.with_for_update(skip_locked=True))


async def to_read(work: Work, *, uid: str | None, on_disk: bool) -> Import | None:
    """Take the oldest import whose file is to be read, or this one.

    A file on the disk of whoever runs a command (`on_disk`) is read by that command alone.
    """
    wanted = select(Import).where(Import.state == ImportState.READING).order_by(Import.no)
    if uid is not None:
        wanted = wanted.where(Import.uid == uid)
    for import_ in await work.session.scalars(wanted):
        if bool(import_.found.get("on_disk")) is on_disk:
            return await to_do(work, ImportState.READING, uid=import_.uid)
    return None


async def left_reading(work: Work, file_name: str, size: int) -> Import | None:
    """Find the import of a file on the disk that was cut off while it was read."""
    found = await work.session.scalars(
        select(Import)
        .where(
            Import.state == ImportState.READING,
            Import.file_name == file_name,
            Import.size == size,
        )
        .order_by(Import.no.desc())
    )
    return next((one for one in found if one.found.get("on_disk")), None)


async def data_version(work: Work) -> int:
    """Give SQLite's number of what other connections have written, as this one sees it."""
    return int(await work.session.scalar(text("PRAGMA data_version")) or 0)


async def last_of_batch(work: Work, import_: Import, limit: int) -> int:
    """Give the number of the last of so many lines after the cursor."""
    some = (
        select(ImportLine.line)
        .where(ImportLine.import_no == import_.no, ImportLine.line > import_.cursor)
        .order_by(ImportLine.line)
        .limit(limit)
        .subquery()
    )
    last = await work.session.scalar(select(func.max(some.c.line)))
    return last or int(import_.found["last_line"])


async def held(work: Work, import_: Import) -> Import:
    """Read an import again and keep it: a batch in another process is waited for."""
    await work.session.flush()  # refreshing drops what is not written yet
    await work.session.refresh(import_, with_for_update=True)
    return import_


# --- forgetting ---------------------------------------------------------------------------------

EMPTY = dict.fromkeys(
    (
        "facts cells address address_key mark first_name last_name name_key called_key"
        " middle_key second_key city postcode region country time_zone source language"
        " agreed_at phone phone_mark"
    ).split(),
    null(),
)
"""The columns of a line that say who somebody is, emptied."""


async def empty_lines(work: Work, import_: Import, first: int, last: int) -> None:
    """Empty lines, from one to another, of who stood in them.

    The refused ones are to be mended; of who is never written to again an undo needs the mark.
    """
    await work.session.execute(
        update(ImportLine)
        .where(
            ImportLine.import_no == import_.no,
            ImportLine.line.between(first, last),
            ImportLine.fate != Fate.REFUSED,
            or_(ImportLine.fate != Fate.OPTS_OUT, ImportLine.did.is_(None)),
        )
        .values(**EMPTY)
        .execution_options(synchronize_session=False),
    )
