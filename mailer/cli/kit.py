"""What every command needs: the settings, the house, and a clean way to say no."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import TypeVar

import typer
from rich.console import Console

from mailer import settings as room
from mailer.bootstrap import House, open_house
from mailer.kit.errors import Refusal
from mailer.settings import Settings, SettingsWrong

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

Result = TypeVar("Result")


def read_settings() -> Settings:
    """Read the settings from the environment; say what is wrong with them and end with 2."""
    try:
        return room.from_environment(os.environ)  # noqa: TID251  # the edge reads it
    except SettingsWrong as wrong:
        err.print(f"[bold]{wrong}[/bold]")
        raise typer.Exit(2) from wrong


@contextlib.asynccontextmanager
async def opened(settings: Settings | None = None) -> AsyncGenerator[House]:
    """Open the house for one command and close its database after it."""
    house = open_house(settings or read_settings())
    try:
        yield house
    finally:
        await house.engine.dispose()


def run(command: Callable[[House], Awaitable[Result]]) -> Result:
    """Run a command in the house; a refusal is said in its words and ends the command with 1."""

    async def inside() -> Result:
        async with opened() as house:
            return await command(house)

    with refusing():
        return asyncio.run(inside())


@contextlib.contextmanager
def refusing() -> Generator[None]:
    """Say a refusal in words instead of showing where it was raised."""
    try:
        yield
    except Refusal as refusal:
        err.print(f"[bold]{refusal.said()}[/bold]")
        raise typer.Exit(1) from refusal
