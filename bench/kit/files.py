"""A process that writes everybody into a file or reads one, and says what that took.

Of its own, with nothing imported but what it needs: its memory is one of the figures.
`python -m bench.kit.files export|import FILE …` prints processor seconds and the most MiB it held.
"""

import asyncio
import os
import re
import resource
import sys
from pathlib import Path

from mailer import models, settings
from mailer.bootstrap import House, open_house
from mailer.consent import store as consents
from mailer.exports import columns, exporting
from mailer.exports.files import Format
from mailer.imports import receiving
from mailer.imports import store as imports
from mailer.imports.actions import choose_basis
from mailer.imports.driving import drive
from mailer.imports.model import Basis, ImportState
from mailer.kit.work import Door
from mailer.segments import asking

COLUMNS = ("address", "first_name", "last_name", "city", "language", "tags", "groups", "sector")


async def do(house: House, what: str, *arguments: str) -> None:
    """Do one of the two."""
    if what == "export":
        await _export(house, Path(arguments[0]), Format(arguments[1]))
    else:
        await _import(house, Path(arguments[0]))


async def _export(house: House, file: Path, kind: Format) -> None:
    async with house.work(reading=True) as work:
        nos = await exporting.gather(work, asking.EVERYBODY)
        known = {column.name for column in await columns.columns(work)}
        wanted = await columns.chosen(work, [name for name in COLUMNS if name in known])
    with file.open("wb") as out:
        async for piece in exporting.written(house, nos, wanted, kind):
            out.write(piece)


async def _import(house: House, file: Path) -> None:
    async with house.work(door=Door.CLI) as work:
        [bulletin, *_] = await consents.lists(work)
        import_ = await receiving.receive(work, file_name=file.name, list_no=bulletin.no)
        import_ = await receiving.received(work, import_, path=file)
        await receiving.understand(work, import_, columns=import_.columns)
    read = await drive(house, import_.uid, path=file)
    assert read.state is ImportState.REHEARSED, read.found
    async with house.work(door=Door.CLI) as work:
        chosen = await imports.by_uid(work, import_.uid)
        assert chosen
        if not chosen.usable:
            return
        await choose_basis(work, chosen, basis=Basis.AGREED, evidence="Paper forms of the assembly")
    applied = await drive(house, import_.uid)
    assert applied.state is ImportState.APPLIED, applied.state


def main() -> None:
    async def whole() -> None:
        house = open_house(settings.from_environment(os.environ))
        try:
            await do(house, *sys.argv[1:])
        finally:
            await house.engine.dispose()

    models.Base.registry.configure()  # every table that a key may name is known
    asyncio.run(whole())
    used = resource.getrusage(resource.RUSAGE_SELF)
    # Not ru_maxrss: that begins with what the process that started this one held.
    held = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert held
    print(used.ru_utime + used.ru_stime, int(held[1]) / 1024)


if __name__ == "__main__":
    main()
