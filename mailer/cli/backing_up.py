"""`backup`: a copy of the database, whole and at one moment, while everything runs."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import make_url

from mailer.cli.kit import err, out, read_settings
from mailer.kit.db import sqlite_file


def backup(
    to: Annotated[Path, typer.Argument(help="The file to write. It must not exist.")],
) -> None:
    """Copy the database into a file that only you can read. The root key is not in it.

    Keep the key (data/secret.key or ROLLCALL_SECRET) apart: without it nobody can read the second
    factors or use the links in a stolen backup, and without it a restored Rollcall cannot either.
    """
    settings = read_settings()
    if to.exists():
        err.print(f"[bold]{to} exists already. Choose another name; nothing was written.[/bold]")
        raise typer.Exit(1)
    unfinished = to.with_name(to.name + ".unfinished")
    os.close(os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    try:
        if file := sqlite_file(settings.database_url):
            _copy_sqlite(file, unfinished)
        else:
            _dump_postgres(settings.database_url, unfinished)
        unfinished.rename(to)
    finally:
        unfinished.unlink(missing_ok=True)
    out.print(
        f"Wrote {to} ({to.stat().st_size:,} octets). The root key is not in it: keep it apart."
    )


def _copy_sqlite(file: Path, to: Path) -> None:
    if not file.exists():
        err.print(f"[bold]There is no database at {file} yet.[/bold]")
        raise typer.Exit(1)
    with (
        contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(to)) as target,
    ):
        source.backup(target, pages=2000, sleep=0.01)  # in steps, so that writers get in between
        (verdict,) = target.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        err.print(f"[bold]The copy is damaged: {verdict}[/bold]")
        raise typer.Exit(1)


def _dump_postgres(url: str, to: Path) -> None:
    tool = shutil.which("pg_dump")
    if tool is None:
        err.print("[bold]pg_dump is not installed: apt-get install postgresql-client[/bold]")
        raise typer.Exit(1)
    where = make_url(url).set(drivername="postgresql")
    password = where.password
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}  # noqa: TID251
    # Without the password: other people of this machine can read a command line.
    shown = where.set(password=None).render_as_string()
    done = subprocess.run(  # noqa: S603  # the tool's own path, no shell
        [tool, "--format=custom", "--file", str(to), shown],
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        err.print("[bold]pg_dump failed; nothing was kept.[/bold]")
        raise typer.Exit(1)
