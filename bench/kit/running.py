"""Processes of ours and others', and what they cost: their own processor seconds, by wait4.

A run of few is subtracted from a run of many, so that starting an interpreter, opening a database
and looking around are not counted as sending.
"""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.kit.ground import Ground

PATIENCE = 3600.0
POLL = 0.02
LONGEST = 3600.0  # seconds that one run may take
_RECORDS: dict[int, Path] = {}  # what each process of ours says, by its number


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a run took: seconds on the clock, of our processor, of PostgreSQL's; peak in MiB."""

    wall: float
    cpu: float
    server: float
    peak: float

    def least(self, other: "Cost") -> "Cost":
        """Take the less of two runs, figure by figure: the rest is what else the machine did."""
        return Cost(
            min(self.wall, other.wall),
            min(self.cpu, other.cpu),
            min(self.server, other.server),
            min(self.peak, other.peak),
        )

    def beyond(self, start: "Cost") -> "Cost":
        """Subtract a run of few."""
        return Cost(
            max(1e-9, self.wall - start.wall),
            max(1e-9, self.cpu - start.cpu),
            max(0.0, self.server - start.server),
            self.peak,
        )


def command(
    said: Sequence[str], environment: Mapping[str, str], *, inside: Sequence[str] = ()
) -> Cost:
    """Run a program to its end and say what it took."""
    began = time.perf_counter()
    child = subprocess.Popen([*inside, *said], env=dict(environment))
    peak = 0.0
    while True:
        peak = peak_of(child.pid) or peak
        ended, status, used = os.wait4(child.pid, os.WNOHANG)
        if ended:
            break
        if time.perf_counter() - began > LONGEST:
            child.kill()
            child.wait()
            raise SystemExit(f"{said[0]} did not end within {LONGEST:.0f} s")
        time.sleep(POLL)
    wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(said)} ended with {child.returncode}")
    return Cost(wall, used.ru_utime + used.ru_stime, 0.0, peak)


def peak_of(pid: int) -> float:
    """Give the most memory a process has had, in MiB; 0 when it is gone.

    Not wait4's: that begins with what we had when it was forked from us.
    """
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def process(
    ground: Ground,
    *command: str,
    inside: Sequence[str] = (),
    besides: Mapping[str, str] | None = None,
    **settings: Any,
) -> "subprocess.Popen[bytes]":
    """Start one process of ours; `besides` is added to its environment."""
    chosen = {f"ROLLCALL_{name.upper()}": str(value) for name, value in settings.items()}
    records = ground.records / f"{command[0]}.log"
    with records.open("ab") as log:
        started = subprocess.Popen(
            [*inside, sys.executable, "-m", "mailer.cli", *command],
            env={**os.environ, **ground.environment, **chosen, **(besides or {})},
            stdout=log,
            stderr=log,
        )
    _RECORDS[started.pid] = records
    return started


def worker(
    ground: Ground,
    *,
    inside: Sequence[str] = (),
    besides: Mapping[str, str] | None = None,
    **settings: Any,
) -> "subprocess.Popen[bytes]":
    """Start one `rollcall worker`."""
    said = ("worker", "--processes", "1")
    return process(ground, *said, inside=inside, besides=besides, **settings)


def sending(
    ground: Ground,
    campaign: int,
    ports: Sequence[int],
    *,
    inside: Sequence[str] = (),
    **settings: Any,
) -> Cost:
    """Let workers send a campaign, one to each port; from their start until it is called sent."""
    server = ground.server_cpu()
    began = time.perf_counter()
    workers = [worker(ground, inside=inside, smtp_port=port, **settings) for port in ports]
    until(lambda: state(ground, campaign) == "sent", watching=workers)
    wall = time.perf_counter() - began
    cpu = peak = 0.0
    for one in workers:
        peak = max(peak, peak_of(one.pid))
        one.send_signal(signal.SIGTERM)
    for one in workers:
        _, status, used = os.wait4(one.pid, 0)
        one.returncode = os.waitstatus_to_exitcode(status)
        cpu += used.ru_utime + used.ru_stime
    return Cost(wall, cpu, ground.server_cpu() - server, peak)


def state(ground: Ground, campaign: int) -> str:
    """Ask how a campaign stands."""
    [(found,)] = ground.ask(f"SELECT state FROM campaign WHERE no = {campaign}")
    return str(found)


def until(
    is_so: Callable[[], bool],
    *,
    watching: Sequence["subprocess.Popen[bytes]"] = (),
    patience: float = PATIENCE,
) -> None:
    """Wait until something is so; a watched process that ends ends the waiting."""
    end = time.monotonic() + patience
    while not is_so():
        for process in watching:
            if process.poll() is not None:
                words = _RECORDS[process.pid].read_text()[-1000:]
                raise SystemExit(f"a process of ours ended with {process.returncode}:\n{words}")
        if time.monotonic() > end:
            raise SystemExit(f"it did not come to be within {patience:.0f} s")
        time.sleep(POLL)  # a look; the loop has its deadline


def end(workers: Sequence["subprocess.Popen[bytes]"]) -> float:
    """Tell workers to end, politely; the seconds until the last has."""
    began = time.monotonic()
    for one in workers:
        one.send_signal(signal.SIGTERM)
    for one in workers:
        one.wait(60)
    return time.monotonic() - began
