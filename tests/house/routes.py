"""Every way in, as one line each. `python -m tests.house.routes` writes the committed table."""

from pathlib import Path

import msgspec
from litestar import Litestar
from litestar.routes import HTTPRoute

from mailer.accounts.model import Power
from mailer.bootstrap import House
from mailer.kit.db import make_engine
from mailer.kit.secrets import Keys
from mailer.settings import Settings
from web.app import make_app
from web.kit.security import Gate

TABLE = Path(__file__).with_name("routes.txt")


class WayIn(msgspec.Struct, frozen=True, order=True):
    """One method on one path, who may pass, and who answers."""

    path: str
    method: str
    gate: str
    handler: str

    def __str__(self) -> str:
        return f"{self.method:7} {self.path:52} {self.gate:24} {self.handler}"


def an_app() -> Litestar:
    """Make the application over a database that nobody opens, with the ways of the demo too."""
    return make_app(
        House(
            settings=Settings(demo=True),
            engine=make_engine("sqlite+aiosqlite://"),
            keys=Keys(bytes(32)),
        ),
    )


def ways_in() -> list[WayIn]:
    """Enumerate what Litestar will really answer, its own OPTIONS among it."""
    found: list[WayIn] = []
    for route in an_app().routes:
        assert isinstance(route, HTTPRoute), "web sockets and mounts have no gate: none are here"
        for handler in route.route_handlers:
            name = f"{handler.fn.__module__}.{handler.fn.__name__}".removeprefix("web.")
            gate = _gate(handler.opt)
            found += [WayIn(route.path, method, gate, name) for method in handler.http_methods]
    return sorted(found)


def _gate(opt: dict[str, object]) -> str:
    match opt.get("gate"), opt.get("power"):
        case None, _:
            return "closed"
        case Gate.POWER, Power() as power:
            return f"power:{power}"
        case gate, _:
            return str(gate)


if __name__ == "__main__":
    TABLE.write_text("".join(f"{way}\n" for way in ways_in()))
