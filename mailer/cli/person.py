"""`person`: what is done with one person where there is no page for it, or nobody to open one."""

from pathlib import Path
from typing import Annotated

import typer

from mailer.bootstrap import House
from mailer.cli.kit import err, out, run
from mailer.kit.work import Door, Work
from mailer.organisation import store as organisations
from mailer.records import erasing, my_data
from mailer.records.erasing import Ground, Remains
from mailer.subscribers import store
from mailer.subscribers.actions import SubscriberUnknown
from mailer.subscribers.model import Subscriber

app = typer.Typer(help="One person: what is held of them, and erasing it.", no_args_is_help=True)

Uid = Annotated[str, typer.Argument(help="As it stands in the address of their page.")]


@app.command("data")
def data(
    uid: Uid,
    to: Annotated[
        Path, typer.Argument(help="The file to write: .json or .csv. It must not exist.")
    ],
) -> None:
    """Write all that is held of somebody into a file that only you can read."""
    if to.exists() or to.suffix not in {".json", ".csv"}:
        err.print(f"[bold]{to} exists, or ends neither in .json nor in .csv.[/bold]")
        raise typer.Exit(1)

    async def command(house: House) -> bytes:
        async with house.work(reading=True, door=Door.CLI) as work:
            parts = await my_data.known(work, await _person(work, uid))
            if to.suffix == ".csv":
                return my_data.as_csv(parts)
            organisation = await organisations.the_one(work)
            return my_data.as_json(parts, organisation=organisation.name, made_at=work.now)

    content = run(command)
    to.touch(mode=0o600, exist_ok=False)
    to.write_bytes(content)
    out.print(f"Written to {to}.", markup=False)


@app.command("erase")
def erase(
    uid: Uid,
    remains: Annotated[Remains, typer.Option(help="What is left of them.")] = Remains.MARK,
    ground: Annotated[
        Ground, typer.Option(help="Why. The dead get no letter; everybody else one.")
    ] = Ground.ASKED,
    sure: Annotated[bool, typer.Option("--for-good", help="Nobody can undo it.")] = False,
) -> None:
    """Leave nothing that says who somebody was, in any table. Audited."""
    if not sure:
        out.print("This cannot be undone. Say --for-good.")
        raise typer.Exit(1)

    async def command(house: House) -> None:
        async with house.work(door=Door.CLI) as work:
            await erasing.erase(work, await _person(work, uid), remains=remains, ground=ground)
        out.print("Erased. Backups hold it until newer ones take their place.")

    run(command)


async def _person(work: Work, uid: str) -> Subscriber:
    found = await store.by_uid(work, uid)
    if found is None or found.erased_at is not None:
        raise SubscriberUnknown
    return found
