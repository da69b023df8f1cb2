"""From a file to people on the roll: rehearse, choose on what ground, apply, take back.

The file itself is dealt with in `receiving`, its lines in `reading_some`, `applying` and
`undoing`: those are steps of the worker. Here is what a person decides.
"""

from collections.abc import Awaitable, Callable

from mailer.audit import actions as audit
from mailer.imports import receiving, store
from mailer.imports.applying import apply_some
from mailer.imports.driving import drive
from mailer.imports.house import Rooms
from mailer.imports.model import Basis, Import, ImportState, Rule
from mailer.imports.reading_some import read_all, read_some
from mailer.imports.refusing import (
    AlreadyApplied,
    AlreadyDecided,
    AlreadyMailed,
    BasisNeeded,
    EvidenceNeeded,
    ImportOutOfReach,
    ImportUnknown,
    ListNeeded,
    NobodyToImport,
    NothingToUndo,
    NotRead,
    StillApplying,
    UndoTooLate,
    refuse_scoped,
)
from mailer.imports.undoing import UNDO_FOR, undo_some, was_mailed
from mailer.imports.words import why
from mailer.kit.texts import lines as several_lines
from mailer.kit.work import Work

_STEPS: dict[ImportState, Callable[[Rooms], Awaitable[bool]]] = {
    ImportState.READING: read_some,
    ImportState.APPLYING: apply_some,
    ImportState.UNDOING: undo_some,
}

__all__ = [
    "UNDO_FOR",
    "AlreadyApplied",
    "AlreadyDecided",
    "AlreadyMailed",
    "BasisNeeded",
    "EvidenceNeeded",
    "ImportOutOfReach",
    "ImportUnknown",
    "ListNeeded",
    "NobodyToImport",
    "NotRead",
    "NothingToUndo",
    "StillApplying",
    "UndoTooLate",
    "apply_some",
    "cancel",
    "choose_basis",
    "drive",
    "read_some",
    "refuse_scoped",
    "rehearse",
    "undo",
    "undo_some",
    "why",
    "work_some",
]


async def work_some(house: Rooms) -> bool:
    """Read, apply or take back some of what waits for it; False when nothing does.

    A worker asks this twice a second for years: one look, where nothing waits.
    """
    async with house.work(reading=True) as work:
        waiting = await store.states_in(work, *_STEPS)
    done = [await _STEPS[state](house) for state in waiting]
    return any(done)


SHORTEST_EVIDENCE = 10


async def rehearse(
    work: Work,
    *,
    file_name: str,
    content: bytes,
    list_no: int,
    rule: Rule = Rule.FILL,
    columns: list[str] | None = None,
) -> Import:
    """Read a small file, understood as it seems to be, and write down the fate of every line.

    All in one unit of work: what is larger is received in parts and read by the worker.
    """
    async with work.session.begin_nested():  # a file that is refused leaves nothing
        import_ = await receiving.receive(work, file_name=file_name, list_no=list_no)
        for part, at in enumerate(range(0, len(content), receiving.LARGEST_PART)):
            piece = content[at : at + receiving.LARGEST_PART]
            await receiving.keep_part(work, import_, part, piece)
        await receiving.received(work, import_)
        await receiving.understand(work, import_, columns=columns or import_.columns, rule=rule)
        await read_all(work, import_)
        if import_.state is ImportState.UNREADABLE:
            raise receiving.NobodyInFile(field="file")
    return import_


async def choose_basis(
    work: Work,
    import_: Import,
    *,
    basis: Basis | None,
    evidence: str = "",
) -> Import:
    """Say on what ground these people may be written to. From now on the worker applies the file.

    Saying the same twice is saying it once.
    """
    refuse_scoped(work)
    import_ = await store.held(work, import_)
    if basis is None:
        raise BasisNeeded(field="basis")
    evidence = several_lines(evidence, longest=2000, field="evidence")
    if basis is Basis.ASK:
        evidence = ""
    elif len(evidence) < SHORTEST_EVIDENCE:
        raise EvidenceNeeded(field="evidence")
    if import_.state in {ImportState.RECEIVED, ImportState.READING, ImportState.UNREADABLE}:
        raise NotRead
    if import_.state is not ImportState.REHEARSED:
        if (import_.basis, import_.evidence) == (basis, evidence):
            return import_
        raise AlreadyDecided
    if not import_.usable:
        raise NobodyToImport
    await store.forget_parts(work, import_)  # till now its columns could be put right
    import_.state = ImportState.APPLYING
    import_.basis = basis
    import_.evidence = evidence
    import_.confirmed_at = work.now
    import_.confirmed_by = work.account
    await audit.note(work, "import_confirmed", **{"import": import_.no, "basis": basis.value})
    return import_


async def cancel(work: Work, import_: Import) -> Import:
    """Stop an import before its next batch. What was applied stays; the rest is forgotten."""
    refuse_scoped(work)
    import_ = await store.held(work, import_)
    if import_.state is ImportState.CANCELLED:
        return import_
    if import_.state in {ImportState.APPLIED, ImportState.UNDOING, ImportState.UNDONE}:
        raise AlreadyApplied
    import_.state = ImportState.CANCELLED
    import_.ended_at = work.now
    await store.forget_parts(work, import_)
    last = await store.last_line(work, import_)
    await store.empty_lines(work, import_, import_.cursor + 1, last)
    lines = int(import_.done.get("lines", 0))
    await audit.note(work, "import_cancelled", **{"import": import_.no, "lines": lines})
    return import_


async def undo(work: Work, import_: Import) -> Import:
    """Take back a whole import, as long as nobody of it was written to; the worker does it.

    Within 7 days. Who has left, changed level or done anything else since stays as they are.
    """
    refuse_scoped(work)
    import_ = await store.held(work, import_)
    if import_.state in {ImportState.UNDOING, ImportState.UNDONE}:
        return import_
    if import_.state is ImportState.APPLYING:
        raise StillApplying
    if import_.ended_at is None or not import_.done.get("lines"):
        raise NothingToUndo
    if work.now > import_.ended_at + UNDO_FOR:
        raise UndoTooLate
    if await was_mailed(work, import_):
        raise AlreadyMailed
    import_.state = ImportState.UNDOING
    import_.done = {**import_.done, "undone": 0, "kept": 0, "undone_to": 0}
    await audit.note(work, "import_undone", **{"import": import_.no})
    return import_
