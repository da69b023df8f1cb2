"""Servers that take mail: Postfix's smtp-sink for speed, our own where each message counts."""

import contextlib
import dataclasses
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from bench.kit.ground import KEYS
from mailer.deliveries.naming import Namer
from tests.support.debian import library_path, unpacked
from tests.support.rooms import free_port

_SAID = re.compile(rb"mesg=(\d+)")


@dataclasses.dataclass
class Postfix:
    """Debian's Postfix, unpacked: nothing is installed, nothing configured."""

    folder: Path
    environment: dict[str, str]

    def program(self, name: str) -> str:
        return str(self.folder / "usr/sbin" / name)


@contextlib.contextmanager
def postfix() -> Generator[Postfix]:
    """Unpack it (raises `Unavailable`, in words), with an empty configuration of its own."""
    folder = unpacked("postfix")
    with tempfile.TemporaryDirectory(prefix="rollcall-postfix-") as config:
        (Path(config) / "main.cf").write_text("compatibility_level = 3.6\n")
        environment = {
            **os.environ,
            "LD_LIBRARY_PATH": library_path(folder),
            "MAIL_CONFIG": config,
        }
        yield Postfix(folder, environment)


@dataclasses.dataclass
class Sink:
    """One smtp-sink; `taken` is what it says itself."""

    host: str
    port: int
    said: Path

    @property
    def taken(self) -> int:
        found = _SAID.findall(self.said.read_bytes()[-200:])
        return int(found[-1]) if found else 0


@contextlib.contextmanager
def smtp_sink(
    tools: Postfix,
    *,
    host: str = "127.0.0.1",
    inside: Sequence[str] = (),
) -> Generator[Sink]:
    """Run Postfix's smtp-sink, inside a network namespace if its prefix is given."""
    port = free_port()
    as_user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="rollcall-sink-") as folder:
        said = Path(folder) / "said"
        with said.open("wb") as out:
            process = subprocess.Popen(
                [
                    *inside,
                    tools.program("smtp-sink"),
                    *as_user,
                    "-c",
                    "-m",
                    "512",
                    f"{host}:{port}",
                    "1024",
                ],
                env=tools.environment,
                stdout=out,
                stderr=subprocess.DEVNULL,
            )
            try:
                wait_for(host, port, inside)
                yield Sink(host, port, said)
            finally:
                process.terminate()
                process.wait()


@dataclasses.dataclass
class Honest:
    """Our own sink, whose log is the truth."""

    port: int
    log: Path
    process: "subprocess.Popen[bytes]"

    @property
    def taken(self) -> int:
        return sum(1 for _ in self.log.open("rb")) if self.log.exists() else 0

    @property
    def dropped(self) -> int:
        """How often it hung up after the end of the data."""
        file = self.log.with_name(self.log.name + ".dropped")
        return file.stat().st_size if file.exists() else 0

    def accepted(self, campaign: int) -> Counter[int]:
        """Count how often each subscriber's message of a campaign was accepted."""
        return Counter(number for _, number in self.moments(campaign))

    def moments(self, campaign: int) -> list[tuple[float, int]]:
        """Give when (monotonic seconds) whose message of a campaign was accepted, in order."""
        namer = Namer(KEYS)
        found = []
        for line in self.log.read_bytes().splitlines() if self.log.exists() else []:
            at, _, name = line.partition(b" ")
            key = namer.read(name.decode())
            if key and key.campaign == campaign:
                found.append((float(at), key.number))
        return found

    def stop(self) -> None:
        """End it, as a server that is switched off: its connections break."""
        self.process.terminate()
        self.process.wait()

    def start(self) -> None:
        """Start it again, on the same port and with the same log."""
        self.process = subprocess.Popen(self.process.args)
        wait_for("127.0.0.1", self.port)


@contextlib.contextmanager
def honest_sink(folder: Path, *, port: int = 0, **how: Any) -> Generator[Honest]:
    """Run our own sink; `how` are its options. The same folder goes on with the same log."""
    port = port or free_port()
    options = [f"--{name.replace('_', '-')}={value}" for name, value in how.items()]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "bench.kit.honest",
            f"--port={port}",
            f"--log={folder / 'accepted'}",
            *options,
        ],
    )
    sink = Honest(port, folder / "accepted", process)
    try:
        wait_for("127.0.0.1", port)
        yield sink
    finally:
        sink.stop()


def wait_for(host: str, port: int, inside: Sequence[str] = ()) -> None:
    """Wait until somebody listens."""
    for _ in range(400):
        if inside:
            listening = subprocess.run(
                [*inside, "ss", "-Hltn"], capture_output=True, text=True, check=True
            )
            if f":{port} " in listening.stdout:
                return
        else:
            with contextlib.suppress(OSError):
                socket.create_connection((host, port), 0.2).close()
                return
        time.sleep(0.02)  # until it listens
    raise TimeoutError(f"nobody listens on port {port}")
