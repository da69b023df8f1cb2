"""`import`: people from a file, rehearsed first, like on the page and by the same verbs."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from mailer.bootstrap import House
from mailer.cli.kit import err, out, run
from mailer.consent import store as consent
from mailer.imports import actions as imports
from mailer.imports import store
from mailer.imports.model import Basis, Fate, Import
from mailer.imports.words import why
from mailer.kit.errors import NotFound
from mailer.kit.work import Door

SHOWN = 20


class NoSuchList(NotFound):
    """There is no such list."""


def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file.")],
    to_list: Annotated[str, typer.Option("--list", help="The list they join.")] = "bulletin",
    basis: Annotated[
        Basis | None,
        typer.Option(help="agreed: they have agreed, here is the evidence. ask: ask them again."),
    ] = None,
    evidence: Annotated[str, typer.Option(help="How and when they agreed.")] = "",
) -> None:
    """Read a file of people and say what would become of each line; with a basis, do it."""

    async def command(house: House) -> None:
        rehearsed = await rehearse(house, file, to_list)
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

    run(command)


async def rehearse(house: House, file: Path, to_list: str) -> Import:
    """Read a file and keep the fate of every line."""
    async with house.work(door=Door.CLI) as work:
        mailing_list = await consent.list_by_slug(work, to_list)
        if mailing_list is None:
            raise NoSuchList
        return await imports.rehearse(
            work,
            file_name=file.name,
            content=await asyncio.to_thread(file.read_bytes),
            list_no=mailing_list.no,
        )


async def tell(house: House, rehearsed: Import) -> None:
    """Say how many lines meet which fate, and name those that are refused."""
    counts = rehearsed.counts
    for fate in Fate:
        out.print(f"  {counts.get(fate.value, 0):6,}  {fate.value}")
    async with house.work(reading=True, door=Door.CLI) as work:
        refused = await store.lines(work, rehearsed, fate=Fate.REFUSED, limit=SHOWN)
    for line in refused.rows:
        out.print(f"  line {line.line}: {why(line)}", markup=False)
    if refused.next_after is not None:
        err.print(f"  … and more: the page /admin/import/{rehearsed.uid} lists all.")


async def apply(house: House, rehearsed: Import, basis: Basis, evidence: str) -> Import:
    """Import the lines that can be, with a bar."""
    async with house.work(door=Door.CLI) as work:
        chosen = await store.by_uid(work, rehearsed.uid)
        assert chosen
        await imports.choose_basis(work, chosen, basis=basis, evidence=evidence)
    columns = (TextColumn("  importing"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=out) as bar:
        task = bar.add_task("", total=rehearsed.usable)

        def moved(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return await imports.apply_all(house, rehearsed.uid, progress=moved)
