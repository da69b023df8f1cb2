"""From a file to people on the roll: rehearse, choose on what ground, apply.

Applying is a step of the worker: it takes the oldest import that waits, does a small batch in one
transaction with the cursor, and comes back for the next. A crash loses the batch in hand and
nothing else; the next step begins where the last one was committed.
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Protocol

import structlog

from mailer.audit import actions as audit
from mailer.consent import actions as consent
from mailer.consent import store as lists
from mailer.groups import actions as groups
from mailer.groups import store as group_store
from mailer.groups.model import name_key
from mailer.imports import store
from mailer.imports.judging import Judge, why_not
from mailer.imports.model import Basis, Fate, Import, ImportLine, ImportState, Why
from mailer.imports.reading import Table, read
from mailer.imports.words import why
from mailer.kit.addresses import key_of
from mailer.kit.errors import Conflict, Forbidden, Invalid, NotFound
from mailer.kit.ids import new_uid
from mailer.kit.texts import lines as several_lines
from mailer.kit.work import Door, Work
from mailer.organisation import store as organisation
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store as subscriber_store
from mailer.subscribers.model import mark_of
from mailer.tiers import actions as tiers
from mailer.tiers import store as tier_store
from mailer.tiers.model import Source

__all__ = ["apply_all", "apply_some", "cancel", "choose_basis", "rehearse", "why"]

log = structlog.get_logger()

AT_ONCE = 500  # lines judged by one question to the roll
BATCH = 50  # lines applied in one transaction; longer ones would keep SQLite from everybody else
KEPT_FOR = timedelta(days=90)  # after that a file's lines are emptied
SHORTEST_EVIDENCE = 10


class ImportUnknown(NotFound):
    """There is no such import."""


class ListNeeded(Invalid):
    """Please choose the list that these people join."""


class BasisNeeded(Invalid):
    """Please say how these people agreed, or that they are to be asked."""


class EvidenceNeeded(Invalid):
    """Please write down when and how they agreed, in one sentence or more. It is kept as proof."""


class NobodyToImport(Conflict):
    """No line of this file changes anything, so there is nothing to import."""


class AlreadyDecided(Conflict):
    """This file was decided on before. Read it again to import it once more."""


class AlreadyApplied(Conflict):
    """This import is complete, so there is nothing left to stop."""


class ImportOutOfReach(Forbidden):
    """A file may name anybody. Files are for those who may see everybody on the roll."""


def refuse_scoped(work: Work) -> None:
    """Refuse whoever sees only the people of some groups."""
    if work.scope is not None:
        raise ImportOutOfReach


class Rooms(Protocol):
    """What can begin a unit of work: the house."""

    def work(
        self, *, reading: bool = False, door: Door = Door.SYSTEM
    ) -> contextlib.AbstractAsyncContextManager[Work]:
        """Begin one."""


async def rehearse(work: Work, *, file_name: str, content: bytes | Table, list_no: int) -> Import:
    """Read a file and write down what would become of each of its lines. Nothing else changes.

    Whoever has a large file and others waiting to write reads it before the work begins.
    """
    refuse_scoped(work)
    table = content if isinstance(content, Table) else await asyncio.to_thread(read, content)
    mailing_list = await lists.list_by_no(work, list_no)
    if mailing_list is None or mailing_list.closed_at is not None:
        raise ListNeeded(field="list")
    await store.forget_older(work, work.now - KEPT_FOR)
    import_ = Import(
        uid=new_uid(),
        file_name=_base_name(file_name),
        state=ImportState.REHEARSED,
        columns=table.columns,
        list_no=mailing_list.no,
        made_at=work.now,
        made_by=work.account,
    )
    work.session.add(import_)
    await work.session.flush()
    judge = Judge(import_, await tier_store.ladder(work))
    for at in range(0, len(table.rows), AT_ONCE):
        await store.keep_lines(work, await judge.fates(work, table.rows[at : at + AT_ONCE]))
    import_.counts = dict(judge.counts)
    import_.found = {
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "headings": [heading[:120] for heading in table.headings[:60]],
        "new_groups": list(judge.new_groups.values()),
    }
    await audit.note(work, "import_rehearsed", **{"import": import_.no, **import_.counts})
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
    if import_.state is not ImportState.REHEARSED:
        if (import_.basis, import_.evidence) == (basis, evidence):
            return import_
        raise AlreadyDecided
    if not import_.usable:
        raise NobodyToImport
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
    if import_.state is ImportState.APPLIED:
        raise AlreadyApplied
    import_.state = ImportState.CANCELLED
    import_.ended_at = work.now
    await store.forget_waiting(work, import_)
    await audit.note(work, "import_cancelled", **{"import": import_.no, **import_.done})
    return import_


# --- applying -----------------------------------------------------------------------------------


async def apply_some(house: Rooms, *, limit: int = BATCH) -> bool:
    """Apply the next batch of the oldest import that waits; False when none does."""
    async with house.work(reading=True) as work:
        if not await store.is_any_waiting(work):
            return False
    async with house.work(door=Door.IMPORT) as work:
        import_ = await store.to_apply(work)
        if import_ is None:
            return False
        await _apply_batch(work, import_, limit)
    return True


async def apply_all(
    house: Rooms,
    uid: str,
    *,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Import:
    """Apply one import to its end; `progress` is told the lines done and to be done."""
    while True:
        async with house.work(door=Door.IMPORT) as work:
            claimed = await store.to_apply(work, uid=uid)
            if claimed is not None:
                await _apply_batch(work, claimed, BATCH)
        async with house.work(reading=True) as work:
            import_ = await store.by_uid(work, uid)
        if import_ is None:
            raise ImportUnknown
        progress(int(import_.done.get("lines", 0)), import_.usable)
        if import_.state is not ImportState.APPLYING:
            return import_
        if claimed is None:  # a worker has it in hand
            await asyncio.sleep(0.05)


async def _apply_batch(work: Work, import_: Import, limit: int) -> None:
    # The timeline and the audit name who decided, though the worker does it.
    work = dataclasses.replace(work, account=import_.confirmed_by)
    lines = await store.next_lines(work, import_, limit)
    if not lines:
        import_.state = ImportState.APPLIED
        import_.ended_at = work.now
        await audit.note(work, "import_applied", **{"import": import_.no, **import_.done})
        log.info("import_applied", **{"import": import_.no, **import_.done})
        return
    done = await Batch(work, import_, lines).apply()
    import_.done = {
        name: int(import_.done.get(name, 0)) + done.get(name, 0)
        for name in ("lines", "added", "confirmed", "asked", "placed", "grouped", "refused")
    }
    import_.cursor = lines[-1].line


class Batch:
    """Some lines of an import, applied set-wise in one unit of work."""

    def __init__(self, work: Work, import_: Import, lines: Sequence[ImportLine]) -> None:
        """Take the lines; nothing is done yet."""
        self.work = work
        self.import_ = import_
        self.lines = {key_of(line.values["address"]): line for line in lines}

    async def apply(self) -> dict[str, int]:
        """Do what the lines say, for whom it is still right; count what was done."""
        added = await self._add()
        known = await store.known(self.work, self.lines)
        done = {"lines": len(self.lines), "added": len(added)}
        for key, line in self.lines.items():
            if not line.why:
                line.why = why_not(known[key], self.import_.list_no) if key in known else Why.GONE
        willing = {key: known[key] for key, line in self.lines.items() if not line.why}
        done["placed"] = await self._place(willing, added)
        done["grouped"] = await self._group(willing)
        done.update(await self._subscribe(willing))
        done["refused"] = len(self.lines) - len(willing)
        for key, line in self.lines.items():
            line.fate = Fate.REFUSED if line.why else line.fate
            line.subscriber_no = known[key].person.no if key in known else None
            line.values = self._cells(line) if line.why else {}
        return done

    async def _add(self) -> set[str]:
        """Take those who are new onto the roll, unless they have said no since the rehearsal."""
        marks = {
            key: mark_of(self.work.keys, line.values["address"]) for key, line in self.lines.items()
        }
        suppressed = await subscriber_store.suppressions(self.work, marks.values())
        for key, line in self.lines.items():
            if marks[key] in suppressed:
                line.why = Why.SUPPRESSED
        fallback = (await organisation.the_one(self.work)).language
        added = await subscribers.add_many(
            self.work,
            [
                subscribers.NewPerson(
                    address=line.values["address"],
                    first_name=line.values["first_name"],
                    last_name=line.values["last_name"],
                    city=line.values["city"],
                    language=line.values["language"] or fallback,
                )
                for line in self.lines.values()
                if line.fate is Fate.NEW and not line.why
            ],
        )
        return set(added)

    async def _place(self, willing: dict[str, store.Known], added: set[str]) -> int:
        """Give a tier to those who have none: the file's, or for new people the lowest."""
        lowest = (await tier_store.ladder(self.work))[0].no
        pairs = [
            (one.person.no, self.lines[key].facts.get("tier") or lowest)
            for key, one in willing.items()
            if not one.has_tier and (key in added or "tier" in self.lines[key].facts)
        ]
        await tiers.place_many(self.work, pairs, source=Source.IMPORT)
        return len(pairs)

    async def _group(self, willing: dict[str, store.Known]) -> int:
        """Put people into their groups; a group that is not there is founded."""
        wanted = [
            (one.person.no, self.lines[key].facts["group"])
            for key, one in willing.items()
            if "group" in self.lines[key].facts
        ]
        there = await group_store.by_names(self.work, {name for _, name in wanted})
        for _, name in wanted:
            if name_key(name) not in there:
                there[name_key(name)] = await groups.found(self.work, name=name)
        pairs = [(no, there[name_key(name)].no) for no, name in wanted]
        return await groups.join_many(self.work, pairs)

    async def _subscribe(self, willing: dict[str, store.Known]) -> dict[str, int]:
        """Confirm or ask those who are not on the list; nobody is asked a second time."""
        mailing_list = await lists.list_by_no(self.work, self.import_.list_no)
        assert mailing_list is not None
        us = await organisation.the_one(self.work)
        wanted = [one for key, one in willing.items() if "list" in self.lines[key].facts]
        if self.import_.basis is Basis.AGREED:
            agreed = await consent.agree_many(
                self.work,
                [one.person.no for one in wanted],
                mailing_list,
                wording=self.import_.evidence,
                language=us.language,
            )
            return {"confirmed": len(agreed)}
        by_language: dict[str, list[int]] = {}
        for one in wanted:
            if mailing_list.no not in one.lists:
                by_language.setdefault(one.person.language, []).append(one.person.no)
        asked = 0
        for language, nos in by_language.items():
            wording = await consent.wording_of(self.work, mailing_list, language)
            asked += len(
                await consent.ask_many(
                    self.work, nos, mailing_list, wording=wording, language=language
                )
            )
        return {"asked": asked}

    def _cells(self, line: ImportLine) -> dict[str, list[str]]:
        """Write a line that was refused after all as it stood in the file, for the download."""
        cells = [""] * len(self.import_.found["headings"])
        whole = " ".join(filter(None, [line.values["first_name"], line.values["last_name"]]))
        for field, words in {**line.values, "name": whole, **line.facts}.items():
            at = self.import_.columns.get(field)
            if at is not None and at < len(cells) and isinstance(words, str):
                cells[at] = words
        return {"cells": cells}


def _base_name(file_name: str) -> str:
    name = PurePosixPath(file_name.replace("\\", "/")).name
    return "".join(letter for letter in name if letter.isprintable())[:200] or "file.csv"
