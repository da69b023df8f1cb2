"""`import`: people from a file, rehearsed first, like on the pages and by the same verbs.

A file is read where it lies and is not copied. When the command is cut off while it reads, the same
command goes on where it was; what is being applied a worker finishes too.
"""

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from typer.core import TyperGroup
from typing_extensions import override

from mailer.bootstrap import House
from mailer.cli.kit import err, out, run
from mailer.consent import store as consent
from mailer.imports import actions as imports
from mailer.imports import receiving, store, words
from mailer.imports.model import USABLE, Basis, Fate, Import, ImportState, Rule
from mailer.imports.octets import OnDisk
from mailer.kit.errors import Invalid, NotFound
from mailer.kit.orm import Facts
from mailer.kit.work import Door, Work

SHOWN = 20


class NoSuchList(NotFound):
    """There is no such list."""


class NoSuchColumn(Invalid):
    """The file has no column “%(heading)s”. It has: %(headings)s."""


class CannotBeRead(Invalid):
    """This file cannot be read: “%(why)s”."""


class _FileFirst(TyperGroup):
    """`rollcall import FILE` beside `rollcall import undo …`: what is no command is a file."""

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in {"--help", "-h"}:
            args = ["file", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_FileFirst, help="People from a file: FILE, or one of these.")


@app.command("file")
def import_file(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV, TSV, plain text or XLSX.")
    ],
    to_list: Annotated[str, typer.Option("--list", help="The list they join.")] = "bulletin",
    basis: Annotated[
        Basis | None,
        typer.Option(help="agreed: they have agreed, here is the evidence. ask: ask them again."),
    ] = None,
    evidence: Annotated[str, typer.Option(help="How and when they agreed.")] = "",
    source: Annotated[
        str, typer.Option(help="Where the file comes from; its columns are remembered by it.")
    ] = "",
    rule: Annotated[
        Rule, typer.Option(help="Where the file says something else than the roll.")
    ] = Rule.FILL,
    tag: Annotated[str, typer.Option(help="A tag for everybody in the file.")] = "",
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", help="HEADING=WHAT, as in “Site=group”. Again for each."),
    ] = None,
    encoding: Annotated[str, typer.Option(help="If it was found out wrongly.")] = "",
    delimiter: Annotated[str, typer.Option(help="If it was found out wrongly.")] = "",
    sheet: Annotated[str, typer.Option(help="Of a workbook; else the first.")] = "",
    order: Annotated[str, typer.Option(help="Of dates like 3/4/2026: dmy or mdy.")] = "",
    parted_by: Annotated[str, typer.Option(help="What parts several tags in one cell.")] = "",
    without_address: Annotated[
        bool, typer.Option("--without-address", help="Take people with a name and no address.")
    ] = False,
) -> None:
    """Read a file of people and say what would become of each line; with a basis, do it."""
    how = {
        "encoding": encoding,
        "delimiter": {"tab": "\t"}.get(delimiter, delimiter),
        "sheet": sheet,
        "order": order,
        "parted_by": parted_by,
        "without_address": without_address,
    }

    async def command(house: House) -> None:
        rehearsed = await rehearse(
            house,
            file,
            to_list,
            how={name: said for name, said in how.items() if said},
            columns=columns or [],
            rule=rule,
            source=source,
            tag=tag,
        )
        await tell(house, rehearsed)
        if basis is None:
            out.print(
                "\nNothing has been imported. To do it, say on what ground they may be written to:"
                "\n"
                "  --basis agreed --evidence “paper forms of the assembly, 12 May”\n"
                "  --basis ask",
            )
            return
        await apply(house, rehearsed, basis, evidence)
        out.print(f"Within 7 days it can be taken back: rollcall import undo {rehearsed.uid}")

    run(command)


@app.command("list")
def list_imports() -> None:
    """List the newest imports."""

    async def command(house: House) -> None:
        async with house.work(reading=True, door=Door.CLI) as work:
            found = await store.recent(work)
        table = Table("import", "state", "lines", "file", box=None)
        for one in found:
            lines = f"{sum(one.counts.values()):,}"
            table.add_row(one.uid, one.state.value, lines, one.file_name)
        out.print(table if found else "No import yet.")

    run(command)


@app.command("show")
def show(uid: Annotated[str, typer.Argument(help="As `import list` gives it.")]) -> None:
    """Say what becomes of the lines of an import, and how far it has come."""

    async def command(house: House) -> None:
        async with house.work(reading=True, door=Door.CLI) as work:
            import_ = await _import(work, uid)
        out.print(f"{import_.file_name}: {import_.state.value}", markup=False)
        await tell(house, import_)
        for name, number in import_.done.items():
            if type(number) is int and number and not name.endswith("_to"):
                out.print(f"  {number:8,}  {name.replace('_', ' ')}")

    run(command)


@app.command("undo")
def undo(uid: Annotated[str, typer.Argument(help="As `import list` gives it.")]) -> None:
    """Take back a whole import, as long as nobody of it was written to."""

    async def command(house: House) -> None:
        async with house.work(door=Door.CLI) as work:
            await imports.undo(work, await _import(work, uid))
        undone = await _drive(house, uid, "taking back")
        out.print(f"Taken back: {undone.done['undone']:,} lines.")
        if undone.done["kept"]:
            out.print(f"{undone.done['kept']:,} people have acted since and stay as they are.")

    run(command)


@app.command("resume")
def resume(uid: Annotated[str, typer.Argument(help="As `import list` gives it.")]) -> None:
    """Go on with an import that was cut off while it was applied or taken back."""

    async def command(house: House) -> None:
        async with house.work(reading=True, door=Door.CLI) as work:
            await _import(work, uid)
        import_ = await _drive(house, uid, "going on")
        out.print(f"{import_.file_name}: {import_.state.value}", markup=False)

    run(command)


async def _import(work: Work, uid: str) -> Import:
    found = await store.by_uid(work, uid)
    if found is None:
        raise imports.ImportUnknown
    return found


# --- what the demo does too ---------------------------------------------------------------------


async def rehearse(
    house: House,
    file: Path,
    to_list: str,
    *,
    how: Facts | None = None,
    columns: list[str] | None = None,
    rule: Rule = Rule.FILL,
    source: str = "",
    tag: str = "",
) -> Import:
    """Read a file and keep the fate of every line; go on where the same command was cut off."""
    size = OnDisk(file).size
    async with house.work(door=Door.CLI) as work:
        mailing_list = await consent.list_by_slug(work, to_list)
        if mailing_list is None:
            raise NoSuchList
        import_ = await store.left_reading(work, file.name, size)
        if import_ is None:
            import_ = await receiving.receive(work, file_name=file.name, list_no=mailing_list.no)
            import_ = await receiving.received(work, import_, path=file)
            if how and set(how) & {"encoding", "delimiter", "sheet"}:
                import_ = await receiving.look_again(work, import_, format=how, path=file)
            await receiving.understand(
                work,
                import_,
                columns=_columns(import_, columns or []),
                format=how,
                rule=rule,
                source=source or str(import_.found.get("source", "")),
                tag=tag,
            )
    read = await _drive(house, import_.uid, "reading", path=file)
    if read.state is ImportState.UNREADABLE:
        raise CannotBeRead(why=words.unreadable(read))
    return read


def _columns(import_: Import, said: list[str]) -> list[str]:
    """Give what the columns become: as proposed, and as said for some of them."""
    columns = list(import_.columns)
    headings = import_.found["headings"]
    for one in said:
        heading, _, becomes = one.partition("=")
        if heading not in headings:
            raise NoSuchColumn(heading=heading, headings=", ".join(headings))
        columns[headings.index(heading)] = becomes.strip()
    return columns


async def tell(house: House, rehearsed: Import) -> None:
    """Say how many lines meet which fate, and name those that are refused."""
    counts = rehearsed.counts
    for fate in Fate:
        if counts.get(fate) or fate in USABLE[1:2]:
            out.print(f"  {counts.get(fate.value, 0):8,}  {fate.value.replace('_', ' ')}")
    async with house.work(reading=True, door=Door.CLI) as work:
        refused = await store.lines(work, rehearsed, fate=Fate.REFUSED, limit=SHOWN)
    for line in refused.rows:
        out.print(f"  line {line.line}: {words.why(line)}", markup=False)
    if refused.next_after is not None:
        err.print(f"  … and more: the page /admin/import/{rehearsed.uid} lists all.")


async def apply(house: House, rehearsed: Import, basis: Basis, evidence: str) -> Import:
    """Import the lines that can be, with a bar."""
    async with house.work(door=Door.CLI) as work:
        chosen = await store.by_uid(work, rehearsed.uid)
        assert chosen
        await imports.choose_basis(work, chosen, basis=basis, evidence=evidence)
    return await _drive(house, rehearsed.uid, "importing")


async def _drive(house: House, uid: str, doing: str, *, path: Path | None = None) -> Import:
    async with _bar(doing) as moved:
        return await imports.drive(house, uid, moved, path=path)


@contextlib.asynccontextmanager
async def _bar(doing: str) -> AsyncGenerator[Any]:
    """Show a bar that is moved by telling it the import."""
    columns = (TextColumn(f"  {doing}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out) as bar:
        task = bar.add_task("", total=1.0)

        def moved(import_: Import) -> None:
            bar.update(task, completed=_share(import_))

        yield moved
        bar.update(task, completed=1.0)


def _share(import_: Import) -> float:
    """Give how much of what is going on is done, from 0 to 1."""
    match import_.state:
        case ImportState.READING:
            return int(import_.read_to.get("octet", 0)) / max(import_.size, 1)
        case ImportState.APPLYING:
            return int(import_.done.get("lines", 0)) / max(import_.usable, 1)
        case ImportState.UNDOING:
            return int(import_.done.get("undone_to", 0)) / max(int(import_.found["last_line"]), 1)
        case _:
            return 1.0
