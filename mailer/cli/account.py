"""`account`: who may sign in. The first one is opened here; there is no other way in."""

from typing import Annotated

import typer
from rich.table import Table

from mailer.accounts import actions as accounts
from mailer.accounts import store
from mailer.accounts.model import Account, Role
from mailer.bootstrap import House
from mailer.cli.kit import out, run
from mailer.kit.errors import NotFound
from mailer.kit.work import Door, Work

app = typer.Typer(help="Who may sign in.", no_args_is_help=True)

PasswordFile = Annotated[
    typer.FileText | None,
    typer.Option(help="Read the password from this file, or from standard input (-)."),
]


class NoSuchAccount(NotFound):
    """There is no account with this address."""


@app.command("open")
def open_account(
    address: Annotated[str, typer.Argument(help="The email address to sign in with.")],
    name: Annotated[str, typer.Option(prompt=True, help="As colleagues call them.")],
    password_file: PasswordFile = None,
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.OWNER,
    language: Annotated[str, typer.Option(help="en or fr.")] = "en",
) -> None:
    """Open an account. Its owner sets up the second factor when they first sign in."""
    password = _password(password_file)

    async def command(house: House) -> None:
        hashed = await accounts.hash_password(password, address=address)
        async with house.work(door=Door.CLI) as work:
            await accounts.open_account(
                work,
                address=address,
                name=name,
                role=role,
                password_hash=hashed,
                language=language,
            )
        out.print(f"Opened. Sign in at {house.settings.public_url}/admin/sign-in")

    run(command)


@app.command("list")
def list_accounts() -> None:
    """List the accounts and whether their second factor stands."""

    async def command(house: House) -> None:
        async with house.work(reading=True, door=Door.CLI) as work:
            found = await store.all_accounts(work)
        table = Table("address", "name", "role", "second factor", box=None)
        for one in found:
            factor = "set up" if one.has_factor else "not yet"
            table.add_row(one.address, one.name, one.role.value, factor)
        out.print(table if found else "No account yet: rollcall account open ADDRESS")

    run(command)


@app.command("reset-factor")
def reset_factor(address: Annotated[str, typer.Argument(help="Whose.")]) -> None:
    """Take away a lost second factor. They set up a new one at the next sign-in. Audited."""

    async def command(house: House) -> None:
        async with house.work(door=Door.CLI) as work:
            await accounts.reset_factor(work, await _account(work, address))
        out.print("Taken away. All their sessions are ended, and they are told by mail.")

    run(command)


@app.command("set-password")
def set_password(
    address: Annotated[str, typer.Argument(help="Whose.")], password_file: PasswordFile = None
) -> None:
    """Give a new password, for somebody who has lost theirs. Ends their sessions."""
    password = _password(password_file)

    async def command(house: House) -> None:
        hashed = await accounts.hash_password(password, address=address)
        async with house.work(door=Door.CLI) as work:
            await accounts.set_password(work, await _account(work, address), hashed)
        out.print("Changed.")

    run(command)


@app.command("disable")
def disable(address: Annotated[str, typer.Argument(help="Whose.")]) -> None:
    """Close an account at once. What it did stays in the record."""

    async def command(house: House) -> None:
        async with house.work(door=Door.CLI) as work:
            await accounts.disable(work, await _account(work, address))
        out.print("Closed. All its sessions are ended.")

    run(command)


def _password(file: typer.FileText | None) -> str:
    """Read a password: from a file, or typed twice where nobody sees it."""
    if file is not None:
        return file.readline().rstrip("\n")
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt="Once more")
    return typed


async def _account(work: Work, address: str) -> Account:
    found = await store.by_address(work, address)
    if found is None:
        raise NoSuchAccount
    return found
