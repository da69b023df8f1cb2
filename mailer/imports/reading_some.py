"""Reading: every line of a file is looked at and its fate written down; nothing else changes.

A step of the worker reads pieces of 2,000 to 4,000 lines. Each is written in one unit of work with
the place where reading goes on, so a crash loses the piece in hand and nothing else. While one
piece is being written the next is cut and understood in a thread.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from mailer.audit import actions as audit
from mailer.fields import store as fields
from mailer.groups import store as groups
from mailer.groups.model import name_key
from mailer.imports import judging, staging, store
from mailer.imports.cutting import Record
from mailer.imports.feeding import Feed, feed
from mailer.imports.house import Rooms
from mailer.imports.model import Gives, Import, ImportItem, ImportLine, ImportName, ImportState
from mailer.imports.receiving import NobodyInFile
from mailer.imports.understanding import Known, People, Understood
from mailer.kit.errors import Invalid
from mailer.kit.orm import Facts
from mailer.kit.planning import count_afresh
from mailer.kit.work import Door, Work
from mailer.phones.reading import read_number
from mailer.tags import store as tags
from mailer.tags.model import tag_key
from mailer.tiers import store as tiers

log = structlog.get_logger()

SECONDS = 0.4
"""How long one step of the worker reads before others have their turn."""

BREATH = 0.002  # seconds between two pieces, in which other processes write on SQLite

_PAIRS_AT_ONCE = 1000

Progress = Callable[[Import], None]


class Ready(msgspec.Struct):
    """A piece that is understood, and where reading goes on after it."""

    understood: Understood
    place: Facts
    is_end: bool


class Reader:
    """Reads one import's file from where reading stopped."""

    def __init__(self, import_: Import, feed: Feed, people: People) -> None:
        """Take what `open_reader` put together."""
        self.place: Facts = import_.read_to
        self._how = import_.format
        self._feed = feed
        self._people = people

    def close(self) -> None:
        """Let the file go."""
        self._feed.close()

    async def load(self, work: Work) -> bytes:
        """Give the octets of the next piece."""
        return await self._feed.load(work, self.place)

    def prepare(self, octets: bytes) -> Ready:
        """Cut and understand the next piece."""
        piece = self._feed.cut(octets, self.place)
        records = [*piece.records]
        started = bool(self.place.get("started")) or not self._how["headings"]
        if not started:
            records, started = self._below_headings(records)
        elif "octet" not in self.place:
            records = [one for one in records if one.line > int(self._how.get("first", 0))]
        self.place = {**piece.place, "started": started}
        return Ready(self._people.understand(records), self.place, piece.is_end)

    def _below_headings(self, records: list[Record]) -> tuple[list[Record], bool]:
        first = int(self._how.get("first", 0))
        for at, record in enumerate(records):
            if record.line > first and any(map(str.strip, record.cells)):
                return records[at + 1 :], True
        return [], False


async def open_reader(work: Work, import_: Import, path: Path | None = None) -> Reader:
    """Put together what reading an import needs."""
    known_names = {
        (one.gives, _key(one.gives, one.name)): one.ref for one in await store.names(work, import_)
    }
    known = Known(
        tiers=await tiers.ladder(work),
        fields={one.slug: one for one in await fields.all_fields(work)},
        names=known_names,
        read_phone=read_number,
    )
    people = People(
        import_no=import_.no,
        columns=import_.columns,
        how=import_.format,
        known=known,
        keys=work.keys,
    )
    return Reader(import_, await feed(work, import_, path), people)


def _key(gives: int, name: str) -> str:
    return name_key(name) if gives == Gives.GROUP else tag_key(name)


# --- steps --------------------------------------------------------------------------------------


async def read_some(
    house: Rooms,
    *,
    uid: str | None = None,
    path: Path | None = None,
    seconds: float = SECONDS,
    progress: Progress | None = None,
) -> bool:
    """Read on in the oldest import that is being read, or this one; False when there is none."""
    async with house.work(reading=True) as work:
        if not await store.is_any_in(work, ImportState.READING):
            return False
    with contextlib.ExitStack() as opened:
        return await _read_on(house, opened, uid, path, seconds, progress)


async def _read_on(
    house: Rooms,
    opened: contextlib.ExitStack,
    uid: str | None,
    path: Path | None,
    seconds: float,
    progress: Progress | None,
) -> bool:
    until = time.monotonic() + seconds
    reader: Reader | None = None
    ready: Ready | None = None
    while True:
        octets: bytes | None = None
        async with house.work(door=Door.IMPORT, bulk=True) as work:
            import_ = await store.to_read(work, uid=uid, on_disk=path is not None)
            if import_ is None:
                return False
            uid = import_.uid
            if import_.read_to.get("is_end"):
                uid = import_.uid
                break
            try:
                if reader is None:
                    reader = await open_reader(work, import_, path)
                    opened.callback(reader.close)
                if ready is None:
                    ready = await asyncio.to_thread(reader.prepare, await reader.load(work))
                await _keep(work, import_, ready)
                if not ready.is_end and time.monotonic() < until:
                    octets = await reader.load(work)
            except Invalid as refusal:
                _give_up(import_, refusal)
                return True
        if progress is not None:
            progress(import_)
        if octets is None:
            return True
        try:
            # Not while a piece is written: two threads at work take the interpreter from each other
            # at every row, and both take thrice as long.
            ready = await asyncio.to_thread(reader.prepare, octets)
        except Invalid:  # met again, and told, at the beginning of the next step
            return True
    await _finish(house, uid)
    return True


async def _finish(house: Rooms, uid: str) -> None:
    """Find who stands in the file twice, which takes seconds and no lock, and end the reading."""
    async with house.work(reading=True) as work:
        import_ = await store.by_uid(work, uid)
        assert import_ is not None
        lines, first = await judging.twice(work, import_)
    for at in range(0, len(lines), _PAIRS_AT_ONCE):
        some = slice(at, at + _PAIRS_AT_ONCE)
        async with house.work(door=Door.IMPORT, bulk=True) as work:
            pairs = list(zip(lines[some], first[some], strict=True))
            await judging.refuse_twice(work, import_, pairs)
        await asyncio.sleep(BREATH)
    async with house.work(door=Door.IMPORT, bulk=True) as work:
        read = await store.to_do(work, ImportState.READING, uid=uid)
        if read is not None and read.read_to.get("is_end"):
            await _end(work, read)


async def read_all(work: Work, import_: Import) -> Import:
    """Read a small file from beginning to end in one unit of work."""
    reader = await open_reader(work, import_)
    is_end = False
    with contextlib.closing(reader):
        while not is_end:
            ready = reader.prepare(await reader.load(work))
            await _keep(work, import_, ready)
            is_end = ready.is_end
    lines, first = await judging.twice(work, import_)
    await judging.refuse_twice(work, import_, list(zip(lines, first, strict=True)))
    await _end(work, import_)
    return import_


async def _keep(work: Work, import_: Import, ready: Ready) -> None:
    """Write a piece down, judged, with the place where reading goes on."""
    await _keep_names(work, import_, ready.understood)
    lines = ready.understood.lines
    if lines:
        await staging.keep(work, lines, ready.understood.items)
        await judging.judge(work, import_, lines[0][1], lines[-1][1])
    read = int(import_.read_to.get("lines", 0)) + len(lines)
    import_.read_to = {**ready.place, "lines": read, "is_end": ready.is_end}


async def _keep_names(work: Work, import_: Import, understood: Understood) -> None:
    if not understood.new_names:
        return
    said = {
        gives: [name for kind, _, name in understood.new_names if kind == gives] for gives in Gives
    }
    there = await tags.by_names(work, said[Gives.TAG])
    founded = await groups.by_names(work, said[Gives.GROUP])
    for gives, ref, name in understood.new_names:
        known = (there if gives == Gives.TAG else founded).get(_key(gives, name))
        work.session.add(
            ImportName(
                import_no=import_.no,
                gives=gives,
                ref=ref,
                name=name,
                no=known.no if known else None,
            )
        )
    await work.session.flush()


async def _end(work: Work, import_: Import) -> None:
    """Count. The file stays until somebody decides, for they may say that its columns differ."""
    import_.counts = await store.counts(work, import_)
    await count_afresh(work, ImportLine, ImportItem, ImportName)
    if not any(import_.counts.values()):
        _give_up(import_, NobodyInFile(field="file"))
        return
    names = await store.names(work, import_)
    import_.found = {
        **import_.found,
        "last_line": await store.last_line(work, import_),
        "new_groups": [one.name for one in names if one.gives == Gives.GROUP and one.no is None],
        "new_tags": [one.name for one in names if one.gives == Gives.TAG and one.no is None],
    }
    import_.state = ImportState.REHEARSED
    await audit.note(work, "import_rehearsed", **{"import": import_.no, **import_.counts})
    log.info("import_rehearsed", **{"import": import_.no, **import_.counts})


def _give_up(import_: Import, refusal: Invalid) -> None:
    """Say why a file cannot be read. Somebody may say that it is cut in another way."""
    import_.state = ImportState.UNREADABLE
    facts = {name: str(fact) for name, fact in refusal.facts.items()}
    import_.found = {**import_.found, "refusal": refusal.code, "refusal_facts": facts}
