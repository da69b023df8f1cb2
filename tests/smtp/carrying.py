"""A fleet that carries an office's errands to a server of the test's."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Protocol

from mailer.deliveries.transport import Outcome, Route
from mailer.settings import Settings
from mailer.smtp import Fleet, route_of
from mailer.smtp.rules import DEADLINES, Phase
from tests.smtp.office import Office

SHORT = {**dict.fromkeys(Phase, 0.5), Phase.QUIT: 2.0}


class Server(Protocol):
    """Whatever listens."""

    port: int


def settings(server: Server, **more: Any) -> Settings:
    return Settings(
        **{
            "smtp_port": server.port,
            "smtp_security": "none",
            "smtp_connections": 1,
            "smtp_patience": 2,
            **more,
        }
    )


@contextlib.asynccontextmanager
async def carrying(
    office: Office,
    *servers: Server | Route,
    deadlines: Mapping[Phase, float] = DEADLINES,
    first_rest: float = 0.02,
    **more: Any,
) -> AsyncGenerator[Fleet]:
    """Carry as long as the context lasts, and end politely. `more` is for the settings."""
    routes = [
        server if isinstance(server, Route) else route_of(settings(server, **more))
        for server in servers
    ]
    fleet = Fleet(
        our_name="example.org",
        patience=more.get("smtp_patience", 2),
        deadlines=deadlines,
        first_rest=first_rest,
    )
    fleet.use(routes)
    running = asyncio.create_task(fleet.run(office, office.settle))
    try:
        yield fleet
    finally:
        office.ends = True
        fleet.wake()
        async with asyncio.timeout(10):
            await running


async def until(is_so: Callable[[], Any], seconds: float = 8) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.01)


async def sent(
    office: Office, server: Server, deadlines: Mapping[Phase, float] = DEADLINES, **more: Any
) -> dict[int, Outcome]:
    """Carry until every errand has its outcome."""
    wanted = len(office.line)
    async with carrying(office, server, deadlines=deadlines, **more):
        await until(lambda: len(office.outcomes()) == wanted)
    return office.outcomes()
