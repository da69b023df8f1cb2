"""One campaign under one fault, and the judgement: by the sink's log, never by our own table."""

import contextlib
import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from bench.kit import running
from bench.kit.ground import Ground, confirmed
from bench.kit.sinks import Honest
from mailer.campaigns.model import OnDoubt
from mailer.outbox.model import DeliveryState

LEASE = TAKEOVER = 4.0  # seconds; sixty and 120 unless said, and nobody learns more by waiting
SENT, DEFERRED, IN_DOUBT = DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.IN_DOUBT
FINAL = {SENT, IN_DOUBT, DeliveryState.REFUSED, DeliveryState.FAILED, DeliveryState.SKIPPED}


@dataclasses.dataclass
class Trial:
    """A campaign that is being sent, its sink, and the workers at it."""

    on: Ground
    sink: Honest
    size: int
    on_doubt: OnDoubt
    connections: int
    besides: Mapping[str, str] = dataclasses.field(default_factory=dict)
    workers: "list[subprocess.Popen[bytes]]" = dataclasses.field(default_factory=list)
    note: str = ""
    failed: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        """Freeze and confirm the campaign; nobody works yet."""
        self.began = time.monotonic()
        self.campaign = self.on.do(lambda house: confirmed(house, octets=1, on_doubt=self.on_doubt))

    def start(self, number: int = 1) -> None:
        """Start so many workers."""
        for _ in range(number):
            self.workers.append(
                running.worker(
                    self.on,
                    besides=self.besides,
                    smtp_port=self.sink.port,
                    smtp_connections=self.connections,
                    lease=LEASE,
                    takeover=TAKEOVER,
                    pause=0.1,
                )
            )

    def kill(self, which: int) -> None:
        """End a worker as a power cut does, and start another."""
        victim = self.workers.pop(which)
        victim.kill()
        victim.wait()
        self.start()

    def signal(self, which: int, number: signal.Signals) -> None:
        os.kill(self.workers[which].pid, number)

    def until_taken(self, share: float) -> None:
        """Wait until that share of the campaign was accepted."""
        running.until(lambda: self.sink.taken >= share * self.size, patience=self.patience)

    @property
    def patience(self) -> float:
        return 180 + self.size / 100

    def finish(self) -> None:
        """Wait until it is called sent; what was put off for minutes is made due at once."""
        end = time.monotonic() + self.patience
        while self.ask(f"SELECT state FROM campaign WHERE no = {self.campaign}") != [("sent",)]:
            if time.monotonic() > end:
                self.failed.append(f"it did not come to an end: {self.standing()}")
                break
            self.ask(
                "UPDATE delivery SET due_at = (SELECT joined_at FROM subscriber LIMIT 1)"
                f" WHERE campaign_no = {self.campaign} AND state = {int(DEFERRED)}"
            )
            time.sleep(0.5)  # until another look; it has its patience above
        self.end()
        time.sleep(0.3)  # what the sink is still thinking about

    def standing(self) -> str:
        """Say how many rows are in which state, and whose they are."""
        counted = self.ask(
            "SELECT state, worker, count(*) FROM delivery"
            f" WHERE campaign_no = {self.campaign} GROUP BY state, worker ORDER BY state, worker"
        )
        return ", ".join(
            f"{count} {DeliveryState(state).name.lower()} by {worker}"
            for state, worker, count in counted
        )

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database, which may be away."""
        try:
            return self.on.ask(statement)
        except (psycopg.OperationalError, sqlite3.OperationalError):
            return []

    def end(self) -> None:
        """End whoever works still."""
        for worker in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGCONT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.end(self.workers)
        for worker in self.workers:
            if worker.poll() is None:
                self.failed.append("a worker did not end within a minute")
                worker.kill()
                worker.wait()
        self.workers.clear()

    def judge(self, name: str, bound: int) -> "Judgement":
        """Compare the rows with what was accepted; `bound` is how many may be in doubt."""
        accepted = self.sink.accepted(self.campaign)
        rows = {
            int(number): DeliveryState(state)
            for number, state in self.on.ask(
                f"SELECT subscriber_no, state FROM delivery WHERE campaign_no = {self.campaign}"
            )
        }
        return Judgement(name, self, bound, rows, accepted, time.monotonic() - self.began)


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What became of a campaign under a fault."""

    name: str
    trial: Trial
    bound: int
    rows: Mapping[int, DeliveryState]
    accepted: Counter[int]
    seconds: float

    HEAD = (
        "fault / database / on doubt,accepted,lost,unsaid,duplicates,most copies,in doubt,"
        "may be,seconds,holds"
    ).split(",")

    @property
    def lost(self) -> int:
        """Called sent and never accepted, or not brought to an end at all."""
        return sum(
            state not in FINAL or (state is SENT and not self.accepted[number])
            for number, state in self.rows.items()
        )

    @property
    def unsaid(self) -> int:
        """Accepted, and called neither sent nor in doubt."""
        return sum(
            state not in {SENT, IN_DOUBT} and self.accepted[number] > 0
            for number, state in self.rows.items()
        )

    @property
    def duplicates(self) -> int:
        return sum(number - 1 for number in self.accepted.values())

    @property
    def in_doubt(self) -> int:
        return sum(state is IN_DOUBT for state in self.rows.values())

    @property
    def holds(self) -> bool:
        """Say whether the guarantees of the engine were kept."""
        repeats = 0 if self.trial.on_doubt is OnDoubt.HOLD else self.bound
        return (
            len(self.rows) == self.trial.size
            and self.lost == self.unsaid == 0
            and self.duplicates <= repeats
            and self.in_doubt <= self.bound
            and not self.trial.failed
        )

    def row(self) -> list[str]:
        words = f"{self.name} / {self.trial.on.kind} / {self.trial.on_doubt.value}"
        figures = (
            len(self.accepted),
            self.lost,
            self.unsaid,
            self.duplicates,
            max(self.accepted.values(), default=0),
            self.in_doubt,
            self.bound,
        )
        return [words, *map(str, figures), f"{self.seconds:.0f}", "yes" if self.holds else "NO"]


def records(on: Ground, *, last: int = 2000) -> Sequence[str]:
    """Give the last that the workers said, for whoever must find out what went wrong."""
    file = on.records / "worker.log"
    words = file.read_bytes()[-last:].decode(errors="replace") if file.exists() else ""
    print(words, file=sys.stderr)
    return words.splitlines()
