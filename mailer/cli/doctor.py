"""`doctor`: what is misconfigured, and how to mend it."""

import asyncio
import enum
import os
import shutil
import stat
import sys
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage

import msgspec
import typer
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from mailer import smtp
from mailer.accounts import store as accounts
from mailer.bootstrap import House, open_house
from mailer.cli.kit import out, read_settings
from mailer.content.selftest import headers_hold
from mailer.deliveries import store as deliveries
from mailer.kit.db import sqlite_file
from mailer.kit.secrets import SealBroken
from mailer.kit.work import Door, Work, clock
from mailer.migrations import configured
from mailer.organisation import store as organisation
from mailer.settings import Settings
from mailer.signing import store as signing

LEAST_FREE = 1 << 30  # octets; below this a campaign's rows and the write-ahead log may not fit
LARGEST_CLOCK_GAP = timedelta(seconds=5)


class How(enum.StrEnum):
    """How a thing stands."""

    GOOD = "good"
    NOTE = "note"  # works, and could be better
    BAD = "bad"  # something will not work


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at, and what to do about it."""

    how: How
    what: str
    mend: str = ""


Findings = AsyncGenerator[Finding]


def doctor() -> None:
    """Look at the installation: say what is wrong and how to mend it. Changes nothing."""
    settings = read_settings()
    worst = asyncio.run(_examine(settings))
    raise typer.Exit(1 if worst is How.BAD else 0)


async def _examine(settings: Settings) -> How:
    found: list[Finding] = []
    signs = {How.GOOD: "[green]ok   [/green]", How.NOTE: "[yellow]note [/yellow]"}
    for look in LOOKS:
        async for finding in look(settings):
            found.append(finding)
            out.print(signs.get(finding.how, "[red]WRONG[/red]"), end=" ")
            out.print(finding.what, markup=False)
            if finding.mend:
                out.print(f"      {finding.mend}", markup=False)
    bad = sum(finding.how is How.BAD for finding in found)
    notes = sum(finding.how is How.NOTE for finding in found)
    out.print(f"\n{len(found)} things looked at: {bad} wrong, {notes} worth a look.")
    return How.BAD if bad else How.GOOD


# --- this machine ---------------------------------------------------------------------------------


async def look_at_python(_settings: Settings) -> Findings:
    """Test what we write into heads of messages with the two payloads of CVE-2024-6923."""
    version = ".".join(map(str, sys.version_info[:3]))
    problems = headers_hold()
    if problems:
        for problem in problems:
            yield Finding(How.BAD, problem, "Do not send with this build; please report it.")
        return
    yield Finding(How.GOOD, "Heads of messages cannot be added to by what people type.")
    if _library_injects():
        yield Finding(
            How.NOTE,
            f"Python {version} lets a subject add headers (CVE-2024-6923).",
            "Rollcall writes its own headers and is not affected. Upgrade Python when you can.",
        )
    else:
        yield Finding(How.GOOD, f"Python {version}.")


def _library_injects() -> bool:
    payload = "=?utf-8?q?x=0D=0ABcc:_a@evil.example?="
    message = EmailMessage()
    try:
        message["Subject"] = payload
        message["To"] = Address(display_name=payload, addr_spec="bo@example.org")
        return b"\nBcc:" in message.as_bytes()
    except ValueError:
        return False  # newer versions refuse


async def look_at_data(settings: Settings) -> Findings:
    """Look at the folder, the key and the room on the disk."""
    folder = settings.data_folder
    if not folder.is_dir():
        yield Finding(How.BAD, f"There is no folder {folder}.", "rollcall migrate makes it.")
        return
    if not os.access(folder, os.W_OK):
        yield Finding(How.BAD, f"{folder} cannot be written.", "Give it to the user of Rollcall.")
    free = shutil.disk_usage(folder).free
    how = How.GOOD if free > LEAST_FREE else How.BAD
    yield Finding(
        how,
        f"{free / (1 << 30):.1f} GiB are free in {folder}.",
        "" if how is How.GOOD else "Make room: nothing is sent while rows cannot be written.",
    )
    key = settings.key_file
    if settings.secret:
        yield Finding(How.GOOD, "The root key comes from the settings.")
    elif not key.exists():
        yield Finding(How.BAD, "There is no root key yet.", "rollcall migrate makes it.")
    elif stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield Finding(How.BAD, f"Others can read {key}.", f"chmod 600 {key}")
    else:
        yield Finding(How.GOOD, f"The root key is in {key}, for its owner alone.")


async def look_at_address(settings: Settings) -> Findings:
    """Look at the address that stands in mails."""
    if settings.is_https:
        yield Finding(How.GOOD, f"Mails link to {settings.public_url}.")
    else:
        yield Finding(
            How.NOTE,
            f"Mails link to {settings.public_url}, which only this machine can open.",
            "Set ROLLCALL_PUBLIC_URL=https://… before you write to anybody.",
        )


# --- the database ---------------------------------------------------------------------------------


async def look_at_database(settings: Settings) -> Findings:
    """Look at the database: there, up to date, durable, and with our hour."""
    file = sqlite_file(settings.database_url)
    if file is not None and not file.exists():
        yield Finding(How.BAD, f"There is no database at {file}.", "rollcall migrate makes it.")
        return
    house = open_house(settings)
    try:
        async with house.engine.connect() as connection:
            at = await connection.run_sync(_revision)
            head = ScriptDirectory.from_config(configured(settings.database_url)).get_current_head()
            if at == head:
                yield Finding(How.GOOD, f"The database is up to date ({at}).")
            else:
                yield Finding(How.BAD, f"The database is at {at}, not {head}.", "rollcall migrate")
                return
            if file is None:
                async for finding in _look_at_postgres(connection):
                    yield finding
        async for finding in _look_inside(house):
            yield finding
    except DBAPIError as error:
        yield Finding(
            How.BAD,
            f"The database does not answer ({type(error.orig).__name__}).",
            "Is it running? Is ROLLCALL_DATABASE right?",
        )
    finally:
        await house.engine.dispose()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def _look_at_postgres(connection: AsyncConnection) -> Findings:
    durable = await connection.scalar(text("SHOW synchronous_commit"))
    if durable == "off":
        yield Finding(
            How.BAD,
            "synchronous_commit is off: a crash could forget what was sent and send it again.",
            "Set it to on for Rollcall’s user: ALTER ROLE … SET synchronous_commit = on",
        )
    first = await connection.scalar(text("SELECT pg_backend_pid()"))
    await connection.commit()
    second = await connection.scalar(text("SELECT pg_backend_pid()"))
    if first == second:
        yield Finding(How.GOOD, "PostgreSQL is reached directly.")
    else:
        yield Finding(
            How.BAD,
            "A pooler changes sessions between transactions: a worker’s lock would not hold.",
            "Connect workers to PostgreSQL itself, or pool by session.",
        )
    theirs = await connection.scalar(text("SELECT clock_timestamp()"))
    gap = abs(theirs - clock()) if theirs else timedelta()
    if gap > LARGEST_CLOCK_GAP:
        yield Finding(
            How.BAD,
            f"This machine’s clock and the database’s differ by {gap.total_seconds():.0f} s.",
            "Set both by NTP: codes from authenticator apps are refused otherwise.",
        )


async def _look_inside(house: House) -> Findings:
    async with house.work(reading=True, door=Door.CLI) as work:
        organisation_row = await organisation.the_one(work)
        if organisation_row.may_send:
            yield Finding(How.GOOD, "The organisation is described.")
        else:
            yield Finding(
                How.NOTE,
                "The organisation has no name, postal address or sender yet.",
                "Fill it in at /admin/organisation.",
            )
        if await accounts.any_account(work):
            yield Finding(How.GOOD, "Somebody can sign in.")
        else:
            yield Finding(How.NOTE, "Nobody can sign in yet.", "rollcall account open ADDRESS")
        seen = await deliveries.last_heartbeat(work)
        if seen is None or work.now - seen > timedelta(minutes=2):
            yield Finding(How.NOTE, "No worker is running.", "rollcall serve, or rollcall worker")
        else:
            yield Finding(How.GOOD, "A worker is running.")
        async for finding in _look_at_signing(work, signing.domain_of(organisation_row)):
            yield finding


async def _look_at_signing(work: Work, domain: str) -> Findings:
    try:
        signatures = await signing.current(work, domain)
    except SealBroken:
        yield Finding(
            How.BAD,
            "The key that signs our emails was sealed with another root key: nothing can be sent.",
            "Put the old root key back, or: rollcall dkim show, retire, new.",
        )
        return
    if signatures:
        named = " and ".join(sorted(one.algorithm.value for one in signatures))
        yield Finding(How.GOOD, f"Emails from {domain} are signed here ({named}).")
    elif domain:
        yield Finding(
            How.NOTE,
            f"Emails from {domain} are not signed here.",
            "Good if the mail server signs them (DKIM). Else: rollcall dkim new",
        )


# --- the relay ------------------------------------------------------------------------------------


async def look_at_relay(settings: Settings) -> Findings:
    """Look whether the relay lets us in."""
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    trouble = await smtp.greet(settings)
    if trouble is None:
        yield Finding(How.GOOD, f"The relay at {where} lets us in.")
    else:
        yield Finding(How.BAD, f"The relay at {where}: {trouble}", "See ROLLCALL_SMTP_… settings.")
    if settings.smtp_security == "none" and settings.smtp_host not in {"127.0.0.1", "localhost"}:
        yield Finding(
            How.NOTE,
            f"Mails travel to {settings.smtp_host} unprotected.",
            "Set ROLLCALL_SMTP_SECURITY=starttls unless the network between is yours.",
        )


LOOKS: tuple[Callable[[Settings], AsyncGenerator[Finding]], ...] = (
    look_at_python,
    look_at_data,
    look_at_address,
    look_at_database,
    look_at_relay,
)
