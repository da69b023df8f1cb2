"""The worker and the web server as the processes they really are."""

import re
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.processes import Kept

RUNNING = re.compile(r"(http://[\d.]+:\d+)")
PATIENCE = 60  # seconds for a process to start, also where others keep every core busy
ROOT_KEY = "0f" * 32  # what tests and the processes they start sign and seal with


class Rooms:
    """Processes on one database; all end with the test."""

    def __init__(self, database: str, folder: Path) -> None:
        self.environment = {
            "ROLLCALL_DATA": str(folder / "data"),
            "ROLLCALL_DATABASE": database,
            "ROLLCALL_SECRET": ROOT_KEY,
            "ROLLCALL_SMTP_SECURITY": "none",
            "ROLLCALL_PAUSE": "0.02",
            "ROLLCALL_UNDO_SECONDS": "0",
        }
        self.folder = folder
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _it: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        self._open.close()

    def worker(self, *, relay_port: int, **settings: str) -> Kept:
        chosen = {f"ROLLCALL_{name.upper()}": value for name, value in settings.items()}
        return self._start(
            "worker",
            [sys.executable, "-m", "mailer.cli", "worker", "--processes", "1"],
            {"ROLLCALL_SMTP_PORT": str(relay_port), **chosen},
        )

    def web(self, port: int | None = None, **settings: str) -> tuple[Kept, str]:
        """Start the web server; give its address once it listens.

        Links in mails carry the address, so the port is chosen before the server starts.
        """
        port = port or free_port()
        address = f"http://127.0.0.1:{port}"
        chosen = {f"ROLLCALL_{name.upper()}": value for name, value in settings.items()}
        self.environment["ROLLCALL_PUBLIC_URL"] = address
        server = self._start(
            "web",
            [sys.executable, "-m", "mailer.cli", "web"],
            {"ROLLCALL_PORT": str(port), **chosen},
        )
        assert server.log
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if RUNNING.search(server.log.read_text()):
                return server, address
            assert server.alive(), server.log.read_text()
            time.sleep(0.02)
        raise TimeoutError(server.log.read_text())

    def said(self) -> str:
        """Give what the processes have written down so far."""
        return "".join(log.read_text() for log in sorted(self.folder.glob("*.log")))

    def _start(self, name: str, command: list[str], more: dict[str, str] | None = None) -> Kept:
        log = self.folder / f"{name}-{time.monotonic_ns()}.log"
        log.touch()
        process = Kept(command, log=log, environment={**self.environment, **(more or {})})
        self._open.callback(process.stop)
        return process


def free_port() -> int:
    """Find a port on which nothing listens just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
