"""`serve`, `web`, `worker`, `migrate`: the processes, and the shape of the database."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import structlog
import typer
import uvicorn

from mailer import settings as room
from mailer.bootstrap import furnish
from mailer.cli.kit import err, opened, out, read_settings
from mailer.content.selftest import headers_hold
from mailer.kit.db import sqlite_file
from mailer.kit.logs import keep_records
from mailer.kit.loops import Ending
from mailer.migrations import migrate as bring_up
from mailer.settings import Settings

log = structlog.get_logger()

# A process that ended by itself is started again after this many seconds, doubling to the longest:
# a database that is away for a minute must not need a person. One that had lived longer than that
# begins again at the first.
_FIRST_REST = 0.5
_LONGEST_REST = 30.0
# A worker finishes the mails in hand within 30 s of being told to end; it is killed after that.
_PATIENCE = 35.0


WEB = ("-m", "mailer.cli", "web")
WORKER = ("-m", "mailer.working")
"""What `supervise` can keep running: what Python is to run."""

Processes = Annotated[
    int | None,
    typer.Option(
        "--processes",
        min=1,
        help="How many workers: on PostgreSQL one for each core unless said, on SQLite always one.",
    ),
]


def serve(processes: Processes = None) -> None:
    """Start everything: bring the database up to date, then run a web server and the workers."""
    settings = read_settings()
    keep_records()
    workers = how_many(settings, processes)
    prepare(settings)
    out.print(f"Rollcall is at [bold]{settings.public_url}[/bold], its admin area at /admin.")
    raise typer.Exit(asyncio.run(supervise([WEB, *[WORKER] * workers])))


def web() -> None:
    """Run the web server alone."""
    settings = read_settings()
    keep_records()
    refuse_unsafe_headers()
    uvicorn.run(
        "web.asgi:serve",
        factory=True,
        host=settings.host,
        port=settings.port,
        access_log=False,  # ours has no tokens in it
        server_header=False,
        proxy_headers=False,  # whom to believe is a setting of ours
        timeout_graceful_shutdown=10,
        ws="none",
    )


def worker(processes: Processes = None) -> None:
    """Run what sends, imports and tidies. On PostgreSQL there may be many, on many machines."""
    settings = read_settings()
    keep_records()
    workers = how_many(settings, processes)
    if workers > 1:
        raise typer.Exit(asyncio.run(supervise([WORKER] * workers)))
    # This very process becomes the worker, without what only a command line needs.
    os.execv(sys.executable, [sys.executable, *WORKER])  # noqa: S606  # nothing of it is typed


def how_many(settings: Settings, said: int | None) -> int:
    """Say how many worker processes there are to be; end with 2 where that cannot be.

    One for each core that this process may use, because a worker is one thread. SQLite has one
    writer at a time, and a second worker would only wait for the first to end.
    """
    if not settings.database_url.startswith("sqlite"):
        return said or _cores()
    if said is not None and said > 1:
        err.print(
            "[bold]SQLite can have one worker.[/bold] For more, keep the facts in PostgreSQL"
            " (ROLLCALL_DATABASE), or leave out --processes."
        )
        raise typer.Exit(2)
    return 1


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # a container may have fewer than its machine
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def migrate() -> None:
    """Bring the database to the newest shape, and put in what every organisation starts with."""
    prepare(read_settings())
    out.print("The database is up to date.")


def env_example(
    markdown: Annotated[bool, typer.Option(help="As the table that stands in the README.")] = False,
) -> None:
    """Print every setting with its default, as it stands in deploy/env.example."""
    if not markdown:
        out.print(room.env_example(), end="", markup=False)
        return
    out.print("| setting | what it is | unless said |\n|---|---|---|")
    for name, words, default in room.described():
        shown = f"`{default}`" if default else ""
        out.print(f"| `{room.PREFIX}{name.upper()}` | {words} | {shown} |", markup=False)


def refuse_unsafe_headers() -> None:
    """End at once if what people type could add a line to a message's head (CVE-2024-6923)."""
    if problems := headers_hold():
        for problem in problems:
            err.print(f"[bold]{problem}[/bold]")
        raise typer.Exit(3)


def prepare(settings: Settings) -> None:
    """Make the folder, bring the database up to date, and furnish it."""
    if file := sqlite_file(settings.database_url):
        file.parent.mkdir(parents=True, exist_ok=True)
    bring_up(settings.database_url)

    async def put_in() -> None:
        async with opened(settings) as house:
            await furnish(house)

    asyncio.run(put_in())


async def supervise(
    commands: Sequence[Sequence[str]],
    environment: Mapping[str, str] | None = None,
    *,
    records: int | None = None,
) -> int:
    """Keep processes of ours running until told to end; say how it ended (0: as told).

    `environment` is added to theirs; `records` is the descriptor their records go to, unless said
    our own standard error.

    A web server and a worker are two processes and never one: the engine's beats and the pages
    would make each other wait.
    """
    ending = Ending()
    ending.on_signals()
    codes = await asyncio.gather(
        *[
            _keep(command, number, ending, environment, records)
            for number, command in enumerate(commands, 1)
        ]
    )
    return max(codes)


async def _keep(
    command: Sequence[str],
    number: int,
    ending: Ending,
    environment: Mapping[str, str] | None,
    records: int | None,
) -> int:
    loop = asyncio.get_running_loop()
    name = "worker" if command == WORKER else command[-1]
    rest = _FIRST_REST
    while True:
        began = loop.time()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            env={**os.environ, **(environment or {})},  # noqa: TID251  # handed on, not read
            stderr=records,
            start_new_session=True,  # Ctrl-C reaches us, and we tell them
        )
        ended = asyncio.create_task(process.wait())
        wished = asyncio.create_task(ending.wait())
        await asyncio.wait({ended, wished}, return_when=asyncio.FIRST_COMPLETED)
        wished.cancel()
        if ending.is_wished():
            return await _end(process, ended)
        code = await ended
        if code in {2, 3}:  # refused to start, and would again: its words are on the screen
            ending.wish()
            return code
        if loop.time() - began > _LONGEST_REST:
            rest = _FIRST_REST
        log.warning("process_ended", process=name, number=number, code=code, again_in=rest)
        if await ending.wait(rest):
            return 0
        rest = min(rest * 2, _LONGEST_REST)


async def _end(process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> int:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        code = await asyncio.wait_for(asyncio.shield(ended), _PATIENCE)
    except TimeoutError:
        process.kill()
        await ended
        return 1
    return 0 if code in {0, -signal.SIGTERM, 128 + signal.SIGTERM} else code
