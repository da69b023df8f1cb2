"""`export`: people to a file, like on the page and by the same verbs."""

import contextlib
import os
from collections.abc import Generator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from mailer.bootstrap import House
from mailer.cli.kit import err, out, run
from mailer.exports import columns as shelf
from mailer.exports import exporting
from mailer.exports.columns import Column
from mailer.exports.files import Format
from mailer.kit.errors import Conflict, NotFound
from mailer.kit.work import Door, Work
from mailer.segments import asking
from mailer.segments import store as segments


class NoSuchSegment(NotFound):
    """There is no segment of this name."""


class FileExists(Conflict):
    """There is a file of this name already. Choose another name, or move it away."""


def export_file(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The file to write.")],
    reason: Annotated[str, typer.Option(help="What the file is for; the record keeps it.")],
    kind: Annotated[
        Format | None,
        typer.Option("--format", help="As the name of the file ends, unless it is said."),
    ] = None,
    segment: Annotated[
        str, typer.Option(help="The name of a saved segment. Without it, everybody.")
    ] = "",
    columns: Annotated[
        str, typer.Option(help="Names of columns, parted by commas. Without it, the usual ones.")
    ] = "",
) -> None:
    """Write people into a file that nobody but you can read."""
    if kind is None:
        ending = file.suffix.removeprefix(".").lower()
        if ending not in set(Format):
            err.print("[bold]Say the format: --format csv, xlsx or jsonl.[/bold]")
            raise typer.Exit(2)
        kind = Format(ending)

    async def command(house: House) -> None:
        why = exporting.read_reason(reason)
        async with house.work(reading=True, door=Door.CLI) as work:
            wanted = await _columns(work, columns)
            nos = await exporting.gather(work, await _tree(work, segment))
        with _opened(file) as target:
            async with house.work(door=Door.CLI) as work:
                await exporting.note(work, nos, wanted, kind, why)
            bar = (TextColumn("  exporting"), BarColumn(), MofNCompleteColumn())
            with Progress(*bar, console=out) as shown:
                task = shown.add_task("", total=len(nos))
                async for piece in exporting.written(
                    house,
                    nos,
                    wanted,
                    kind,
                    progress=lambda done: shown.update(task, completed=done),
                ):
                    target.write(piece)

    run(command)


async def _columns(work: Work, names: str) -> list[Column]:
    if names:
        return await shelf.chosen(work, [name.strip() for name in names.split(",")])
    return [column for column in await shelf.columns(work) if column.is_usual]


async def _tree(work: Work, name: str) -> asking.Tree:
    if not name:
        return asking.EVERYBODY
    found = await segments.by_name(work, name)
    if found is None:
        raise NoSuchSegment
    return found.tree


@contextlib.contextmanager
def _opened(file: Path) -> Generator[BinaryIO]:
    """Make a file that only its owner reads. One that is there stands; half a one does not stay."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise FileExists from None
    try:
        with os.fdopen(descriptor, "wb") as target:
            yield target
    except BaseException:  # Ctrl-C too: half of a file of people is nobody’s, and stays nowhere
        file.unlink()
        raise
