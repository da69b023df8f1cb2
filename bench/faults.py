"""What becomes of a campaign when things break. Run: `python -m bench.faults --help`.

Real workers on a durable database send to a sink of ours that logs each Message-ID before it says
250. Then something breaks, and the rows are judged by that log:

- *lost*: called sent and never accepted, or not brought to an end;
- *unsaid*: accepted, and called neither sent nor in doubt;
- *duplicates*, and the *most copies* anybody got; *in doubt*, and how many *may be*.

It ends with 1 if a guarantee is broken: nothing lost, every row accounted for, on `hold` no
duplicate, on `resend` no more than connections for each kill, and doubt no more than that. Lease
and takeover are four seconds, and what was put off for minutes is made due at once: waiting longer
shows nothing. `disk` fills a small tmpfs under PostgreSQL (root) and limits the size of files under
SQLite; `clock` moves the workers' time of day (a C compiler).
"""

import argparse
import contextlib
import dataclasses
import os
import random
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path

from bench.kit.figures import Report
from bench.kit.ground import Ground, ground
from bench.kit.sinks import honest_sink
from bench.kit.trial import TAKEOVER, Judgement, Trial, records
from mailer.campaigns.model import OnDoubt
from tests.support.clock import JumpingClock
from tests.support.debian import Unavailable

POSTGRES, SQLITE = "postgres", "sqlite"
TMPFS = 400  # MiB, and 2 kB for each person
SMALL_FILE = 32_768
FULL = 5.0  # seconds
SLOW = 0.03  # seconds that the sink takes over a message, so that something is left to send then
SHARE = 0.002  # of messages, at whose end the sink hangs up: so many taken, so many not
HOUR = 3600


@dataclasses.dataclass(frozen=True)
class How:
    """What was asked for."""

    kills: int
    workers: int
    connections: int
    outage: float


Fault = Callable[[Trial, How], int]
"""Break something while a campaign is sent; give how many rows may be in doubt for it."""


def kills(trial: Trial, how: How) -> int:
    """`kill -9` at random, spread over the campaign."""
    trial.start(how.workers)
    for share in sorted(random.uniform(0.01, 0.97) for _ in range(how.kills)):
        trial.until_taken(share)
        trial.kill(random.randrange(len(trial.workers)))
    return how.kills * how.connections


def stopped(trial: Trial, how: How) -> int:
    """SIGSTOP for longer than lease and takeover, then SIGCONT; others work on meanwhile."""
    trial.start(how.workers)
    trial.until_taken(0.2)
    trial.signal(0, signal.SIGSTOP)
    time.sleep(2.5 * TAKEOVER)  # so long that others may call it dead
    trial.signal(0, signal.SIGCONT)
    return how.connections


def restarted(trial: Trial, how: How) -> int:
    """PostgreSQL is restarted while one worker is stopped: every lock is free, and one lives."""
    assert trial.on.cluster
    trial.start(max(2, how.workers))
    trial.until_taken(0.2)
    trial.signal(0, signal.SIGSTOP)
    trial.on.cluster.restart()
    time.sleep(2.5 * TAKEOVER)  # so long that others may call it dead
    trial.signal(0, signal.SIGCONT)
    return how.connections * len(trial.workers)


def crashed(trial: Trial, how: How) -> int:
    """PostgreSQL ends as in a power cut, twice, under all workers."""
    assert trial.on.cluster
    trial.start(how.workers)
    for share in (0.2, 0.6):
        trial.until_taken(share)
        trial.on.cluster.restart(signal.SIGQUIT)
    return 2 * how.connections * how.workers


def disk(trial: Trial, how: How) -> int:
    """The disk of the database is full for five seconds."""
    trial.start(how.workers)
    trial.until_taken(0.2)
    before = trial.sink.taken
    if trial.on.cluster:
        _fill(trial.on.folder.parent, trial)
        trial.on.cluster.restart()  # it may have ended itself: it could not write its log ahead
    else:
        _allow(trial, SMALL_FILE)
        time.sleep(FULL)  # the fault itself lasts so long
        _allow(trial, resource.RLIM_INFINITY)
    trial.note = f"{trial.sink.taken - before} were accepted in the {FULL:g} s that it was full"
    for worker in list(trial.workers):
        if worker.poll() is not None:  # as `rollcall serve` would
            trial.workers.remove(worker)
            trial.start()
    return 2 * how.connections * how.workers


def _allow(trial: Trial, octets: int) -> None:
    """Let no file of a worker's grow beyond this: to SQLite that is a full disk.

    A disk that is really full is no such thing to it: it writes where its file and its log have
    room already.
    """
    for worker in trial.workers:
        _soft, hard = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (octets, hard))


def _fill(mount: Path, trial: Trial) -> None:
    """Take all the room of a small disk, and that in the log ahead which would be used again."""
    ballast = mount / "ballast"
    end = time.monotonic() + FULL
    with ballast.open("wb") as file:
        while time.monotonic() < end:
            _take_room(file.fileno(), mount)
            trial.ask("SELECT pg_switch_wal()")
            time.sleep(0.02)  # others free some meanwhile, and it is filled again
    ballast.unlink()


def _take_room(file: int, mount: Path) -> None:
    """Make a file as long as the disk lets it be."""
    free = os.statvfs(mount)
    octets = free.f_bavail * free.f_frsize
    while octets >= free.f_frsize:
        try:
            os.posix_fallocate(file, os.fstat(file).st_size, octets)
        except OSError:  # not quite so much: a tmpfs keeps some for itself
            octets //= 2


def outage(trial: Trial, how: How) -> int:
    """The relay goes away in the middle, and comes back."""
    trial.start(how.workers)
    trial.until_taken(0.2)
    trial.sink.stop()
    time.sleep(how.outage)  # the fault itself lasts so long
    trial.sink.start()
    return how.connections * how.workers


def clock(trial: Trial, how: How) -> int:
    """The workers' clock jumps an hour ahead, then two back; the monotonic ones do not."""
    jumping = JumpingClock(trial.on.records)
    trial.besides = jumping.environment
    trial.start(how.workers)
    for share, seconds in ((0.2, HOUR), (0.6, -HOUR)):
        trial.until_taken(share)
        jumping.jump(seconds)
    return 0


def drops(trial: Trial, how: How) -> int:
    """The sink hangs up after the end of the data, with or without having taken it."""
    trial.start(how.workers)
    trial.until_taken(0.9)
    return -1  # as many as it dropped, which is known at the end


def drained(trial: Trial, how: How) -> int:
    """SIGTERM, five times: each worker finishes what it has in hand."""
    slowest = 0.0
    for turn in range(5):
        trial.start()
        trial.until_taken(0.15 * (turn + 1))
        began = time.monotonic()
        trial.end()
        slowest = max(slowest, time.monotonic() - began)
    trial.note = f"ended within {slowest:.1f} s"
    trial.start(how.workers)
    return 0


FAULTS: dict[str, tuple[Fault, tuple[str, ...]]] = {
    "kills": (kills, (SQLITE, POSTGRES)),
    "stopped": (stopped, (SQLITE, POSTGRES)),
    "restarted": (restarted, (POSTGRES,)),
    "crashed": (crashed, (POSTGRES,)),
    "disk": (disk, (SQLITE, POSTGRES)),
    "outage": (outage, (SQLITE, POSTGRES)),
    "clock": (clock, (SQLITE, POSTGRES)),
    "drops": (drops, (SQLITE, POSTGRES)),
    "drained": (drained, (SQLITE, POSTGRES)),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--db", choices=[SQLITE, POSTGRES, "both"], default="both")
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--kills", type=int, help="20 on SQLite, 50 on PostgreSQL unless said")
    parser.add_argument("--workers", type=int, default=2, help="on PostgreSQL; SQLite has one")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--outage", type=float, default=60.0, help="seconds without the relay")
    parser.add_argument("--delay", type=float, default=0.002, help="the sink's, mean seconds")
    parser.add_argument(
        "--on-doubt", choices=[*[choice.value for choice in OnDoubt], "both"], default="both"
    )
    parser.add_argument("--only", default=",".join(FAULTS), help="faults, with commas")
    said = parser.parse_args()
    choices = list(OnDoubt) if said.on_doubt == "both" else [OnDoubt(said.on_doubt)]
    report = Report("faults")
    report.say(f"{said.size:,} people, {said.connections} connections a worker")
    found: list[Judgement] = []
    for kind in [SQLITE, POSTGRES] if said.db == "both" else [said.db]:
        workers = 1 if kind == SQLITE else said.workers
        number = said.kills or (20 if kind == SQLITE else 50)
        how = How(number, workers, said.connections, said.outage)
        with ground(kind, said.size) as on:
            for name in said.only.split(","):
                fault, kinds = FAULTS[name]
                if kind not in kinds:
                    continue
                for on_doubt in choices:
                    found += one(report, name, fault, on, on_doubt, how, said)
    report.table(Judgement.HEAD, [judgement.row() for judgement in found])
    for judgement in found:
        for words in [judgement.trial.note, *judgement.trial.failed]:
            if words:
                report.say(f"{judgement.row()[0]}: {words}")
    report.save()
    raise SystemExit(0 if all(judgement.holds for judgement in found) else 1)


def one(
    report: Report,
    name: str,
    fault: Fault,
    on: Ground,
    on_doubt: OnDoubt,
    how: How,
    said: argparse.Namespace,
) -> list[Judgement]:
    """Try one fault; what cannot be tried here is said, and gives nothing."""
    share = SHARE if fault is drops else 0.0
    delay = max(said.delay, SLOW) if fault is disk else said.delay
    try:
        with contextlib.ExitStack() as stack:
            if fault is disk and on.cluster:
                on = stack.enter_context(small_disk(on.kind, said.size))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            sink = stack.enter_context(
                honest_sink(folder, delay=delay, drop_before=share, drop_after=share)
            )
            trial = Trial(on, sink, said.size, on_doubt, how.connections)
            stack.callback(trial.end)
            bound = fault(trial, how)
            trial.finish()
            judgement = trial.judge(name, sink.dropped if fault is drops else bound)
    except Unavailable as missing:
        report.say(f"without {name}: {missing}")
        return []
    print("  ".join(judgement.row()), trial.note, *trial.failed, flush=True)
    if not judgement.holds:
        records(on)
    return [judgement]


@contextlib.contextmanager
def small_disk(kind: str, people: int) -> Generator[Ground]:
    """Make a ground on a disk of its own, so that it can be filled."""
    if os.geteuid() != 0:
        raise Unavailable("a small disk needs root, to mount a tmpfs")
    size = (TMPFS << 20) + 2000 * people
    with tempfile.TemporaryDirectory(prefix="rollcall-disk-") as folder:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size},mode=1777", "none", folder], check=True
        )
        try:
            with ground(kind, people, under=Path(folder)) as on:
                yield on
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


if __name__ == "__main__":
    main()
