"""How the pages answer while a campaign runs on SQLite. Run: `python -m bench.posting`.

A real web process is sent one-click unsubscribes (RFC 8058), each a transaction that writes, while
a real worker sends with all its connections; bar: p99 under 100 ms. Beside it a second writer
inserts a row fifty times a second into the same file; bar: p99 at most 20 ms. The same is measured
without a worker first, for the comparison.

With --honest the mail goes to our own sink, which is slower and takes more of the machine, and
whose log says whether anybody was written to after they had left: nobody may be, save one who was
in a body at that moment.
"""

import argparse
import asyncio
import contextlib
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path

import httpx

from bench.kit import running
from bench.kit.figures import Report, percentile, times
from bench.kit.ground import Ground, confirmed, ground
from bench.kit.sinks import Honest, Sink, honest_sink, postfix, smtp_sink, wait_for
from mailer.bootstrap import House
from mailer.consent import store as consents
from mailer.kit.tokens import Purpose
from tests.support.debian import Unavailable
from tests.support.rooms import free_port

BAR_OF_POSTS = 0.100
BAR_OF_WRITER = 0.020
FORM = {"List-Unsubscribe": (None, "One-Click")}


class Writer(threading.Thread):
    """Another process's small write, again and again: BEGIN IMMEDIATE, one row, COMMIT."""

    def __init__(self, on: Ground, rate: float) -> None:
        super().__init__(daemon=True)
        self.on = on
        self.pause = 1 / rate
        self.took: list[float] = []
        self.over = threading.Event()

    def run(self) -> None:
        with contextlib.closing(self.on.sqlite()) as file:
            file.execute("CREATE TABLE IF NOT EXISTS bench_note (at REAL)")
            following = time.monotonic()
            while not self.over.is_set():
                began = time.perf_counter()
                file.execute("BEGIN IMMEDIATE")
                file.execute("INSERT INTO bench_note VALUES (1)")
                file.execute("COMMIT")
                self.took.append(time.perf_counter() - began)
                following += self.pause
                self.over.wait(max(0.0, following - time.monotonic()))


@contextlib.contextmanager
def writing(on: Ground, rate: float) -> Generator[Writer]:
    writer = Writer(on, rate)
    writer.start()
    try:
        yield writer
    finally:
        writer.over.set()
        writer.join()


def tokens(on: Ground, numbers: Sequence[int]) -> list[tuple[int, str]]:
    """Make the token of each one's List-Unsubscribe."""

    async def make(house: House) -> list[tuple[int, str]]:
        async with house.work(reading=True) as work:
            [bulletin, *_] = await consents.lists(work)
            return [
                (
                    number,
                    work.signer.token(
                        Purpose.UNSUBSCRIBE, number, now=work.now, subject=bulletin.no
                    ),
                )
                for number in numbers
            ]

    return on.do(make)


async def leave(
    address: str, links: Sequence[tuple[int, str]], rate: float
) -> tuple[list[float], dict[int, float]]:
    """Post so many a second: how long each took, and when each was answered."""
    took: list[float] = []
    left: dict[int, float] = {}

    async with httpx.AsyncClient(base_url=address, timeout=60) as client:

        async def one(number: int, token: str) -> None:
            began = time.perf_counter()
            answer = await client.post(f"/u/{token}", files=FORM)
            answer.raise_for_status()
            took.append(time.perf_counter() - began)
            left[number] = time.monotonic()

        async with asyncio.TaskGroup() as tasks:
            following = time.monotonic()
            for number, token in links:
                tasks.create_task(one(number, token))
                following += 1 / rate
                # By the clock and not after an answer: a slow one must not slow the asking.
                await asyncio.sleep(max(0.0, following - time.monotonic()))
    return took, left


def row(name: str, took: Sequence[float], bar: float) -> list[str]:
    low, high = percentile(took, 50), percentile(took, 99)
    return [
        name,
        str(len(took)),
        f"{low * 1000:.1f}",
        f"{high * 1000:.1f}",
        f"{max(took) * 1000:.1f}",
        times(high, bar),
    ]


def measure(on: Ground, how: argparse.Namespace) -> tuple[list[list[str]], str]:
    """Post without a worker, then with one; rows of the table, and what was sent meanwhile."""
    last = how.size + 10
    numbers = [no for (no,) in on.ask(f"SELECT no FROM subscriber WHERE no < {last} ORDER BY no")]
    quiet, busy = (
        tokens(on, numbers[-how.posts :]),
        tokens(on, numbers[-2 * how.posts : -how.posts]),
    )
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with contextlib.ExitStack() as stack:
        sink: Sink | Honest
        if how.honest:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            sink = stack.enter_context(honest_sink(folder))
        else:
            sink = stack.enter_context(smtp_sink(stack.enter_context(postfix())))
        web = running.process(on, "web", port=port, public_url=address)
        try:
            wait_for("127.0.0.1", port)
            asyncio.run(leave(address, quiet[:20], how.rate))  # that it is warm
            with writing(on, 50) as alone:
                calm, _ = asyncio.run(leave(address, quiet[20:], how.rate))
            campaign = on.do(confirmed)
            worker = running.worker(on, smtp_port=sink.port, smtp_connections=how.connections)
            running.until(lambda: sink.taken > how.size // 50, watching=[worker, web])
            before, began = sink.taken, time.monotonic()
            with writing(on, 50) as writer:
                stirred, left = asyncio.run(leave(address, busy, how.rate))
            meanwhile, seconds = sink.taken - before, time.monotonic() - began
            over = running.state(on, campaign) == "sent"
            running.until(lambda: running.state(on, campaign) == "sent", watching=[worker])
            running.end([worker])
        finally:
            running.end([web])
        rows = [
            row("one-click POST, nothing runs", calm, BAR_OF_POSTS),
            row("one-click POST, a campaign runs", stirred, BAR_OF_POSTS),
            row("second writer, nothing runs", alone.took, BAR_OF_WRITER),
            row("second writer, a campaign runs", writer.took, BAR_OF_WRITER),
        ]
        words = f"{meanwhile / seconds:.0f} messages a second were accepted meanwhile"
        if isinstance(sink, Honest):
            words += "; " + mailed_after(sink, campaign, left)
        if over:
            words += "\nThe campaign was over before the posts were: make --size larger."
        return rows, words


def mailed_after(sink: Honest, campaign: int, left: dict[int, float]) -> str:
    """Say how many were written to after the answer that they are not."""
    late = [at - left[no] for at, no in sink.moments(campaign) if no in left and at > left[no]]
    return f"{len(late)} of {len(left)} who left were written to after that" + (
        f", at most {max(late) * 1000:.0f} ms after" if late else ""
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--posts", type=int, default=300)
    parser.add_argument("--rate", type=float, default=20.0, help="posts a second")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--honest", action="store_true", help="and who was written to too late")
    how = parser.parse_args()
    report = Report("posting")
    try:
        with ground("sqlite", how.size) as on:
            rows, words = measure(on, how)
    except Unavailable as unavailable:
        raise SystemExit(str(unavailable)) from unavailable
    report.table(
        ["what", "number", "p50 ms", "p99 ms", "most ms", "ratio"],
        rows,
        f"{how.size:,} people, {how.connections} connections; ratio of p99 to its bar,"
        f" {BAR_OF_POSTS * 1000:.0f} and {BAR_OF_WRITER * 1000:.0f} ms:",
    )
    report.say(words)
    report.save()


if __name__ == "__main__":
    main()
