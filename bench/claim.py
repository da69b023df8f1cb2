"""What a large campaign costs to find one's way in. Run: `python -m bench.claim [--db …]`.

There is no index on the state of a delivery, so a worker finds what is left by walking the key:

- *first*: from a worker's start until the first of so many is accepted;
- *last*: all but a scattered thousand are done; from a worker's start until those are accepted;
- *pause*, *cancel*: from the click until it is committed, and until the last message that was
  accepted after it (bar: final within 2 s);
- *swept*: until every row of the cancelled campaign is `skipped`, in units that let others write.

Our own sink's log says when a message was accepted.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.kit import running
from bench.kit.figures import Report, times
from bench.kit.ground import Ground, confirmed, ground
from bench.kit.sinks import Honest, honest_sink
from mailer.bootstrap import House
from mailer.campaigns import sending, store
from mailer.campaigns.model import Campaign
from mailer.kit.work import Door, Work
from mailer.outbox.model import DeliveryState

SCATTERED = 1000
BAR = 2.0
Verb = Callable[[Work, Campaign], Awaitable[Campaign]]


def first(campaign: int, sink: Honest, worker: "subprocess.Popen[bytes]") -> float:
    """Wait for the first message: seconds since the worker was started (just now)."""
    began = time.monotonic()
    running.until(lambda: bool(sink.taken), watching=[worker])
    return sink.moments(campaign)[0][0] - began


def last(on: Ground, campaign: int, sink: Honest, size: int) -> float:
    """Call all but some done, and see how long a worker looks for those."""
    step = max(1, size // SCATTERED)
    sent, queued = DeliveryState.SENT, DeliveryState.QUEUED
    on.ask(
        f"UPDATE delivery SET state = {int(sent)}, attempt = 1 WHERE campaign_no = {campaign}"
        f" AND state = {int(queued)} AND subscriber_no % {step} <> 0"
    )
    on.tidy()
    began = time.monotonic()
    worker = running.worker(on, smtp_port=sink.port, smtp_connections=16)
    running.until(lambda: running.state(on, campaign) == "sent", watching=[worker])
    running.end([worker])
    return sink.moments(campaign)[-1][0] - began


def stop(on: Ground, campaign: int, verb: Verb) -> tuple[float, float]:
    """Pause or cancel: how long the verb and its commit took, and when that was."""

    async def do(house: House) -> tuple[float, float]:
        began = time.monotonic()
        async with house.work(door=Door.ADMIN) as work:
            found = await store.by_no(work, campaign)
            assert found
            await verb(work, found)
        return time.monotonic() - began, time.monotonic()

    return on.do(do)


def late(sink: Honest, campaign: int, at: float) -> tuple[int, float]:
    """Wait past the bar; count what was accepted after a moment, and give the last, in seconds."""
    time.sleep(BAR + 1)  # what still arrives after the bar breaks it
    after = [moment - at for moment, _ in sink.moments(campaign) if moment > at]
    return len(after), max(after, default=0.0)


def resume(on: Ground, campaign: int) -> None:
    async def do(house: House) -> None:
        async with house.work(door=Door.ADMIN) as work:
            found = await store.by_no(work, campaign)
            assert found
            await sending.resume(work, found)

    on.do(do)


def measure(kind: str, size: int) -> list[list[str]]:
    """Measure one database: rows of the table."""
    rows: list[list[str]] = []

    def note(what: str, seconds: float, *, after: str = "", bar: bool = False) -> None:
        ratio = times(seconds, BAR) if bar else ""
        rows.append([f"{kind}, {what}", f"{seconds:.2f}", after, ratio])

    with (
        ground(kind, size) as on,
        tempfile.TemporaryDirectory() as folder,
        honest_sink(Path(folder)) as sink,
    ):
        campaign = on.do(confirmed)
        on.tidy()
        worker = running.worker(on, smtp_port=sink.port, smtp_connections=16)
        note("first", first(campaign, sink, worker))
        at = 0.0
        for name, verb in (("pause", sending.pause), ("cancel", sending.cancel)):
            running.until(_beyond(sink, sink.taken + min(500, size // 10)), watching=[worker])
            took, at = stop(on, campaign, verb)
            number, seconds = late(sink, campaign, at)
            note(name, took + seconds, after=f"{number} accepted after", bar=True)
            if verb is sending.pause:
                resume(on, campaign)
        # Since the cancel: `late` has waited already.
        running.until(lambda: not _open_rows(on, campaign), watching=[worker])
        note("swept", time.monotonic() - at)
        running.end([worker])
        note("last", last(on, on.do(confirmed), sink, size))
    return rows


def _beyond(sink: Honest, number: int) -> Callable[[], bool]:
    return lambda: sink.taken >= number


def _open_rows(on: Ground, campaign: int) -> int:
    [(count,)] = on.ask(
        f"SELECT count(*) FROM delivery WHERE campaign_no = {campaign}"
        f" AND state = {int(DeliveryState.QUEUED)}"
    )
    return int(count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--size", type=int, default=1_000_000)
    how = parser.parse_args()
    report = Report("claim")
    rows = []
    for kind in ["sqlite", "postgres"] if how.db == "both" else [how.db]:
        rows += measure(kind, how.size)
    report.table(
        ["what", "seconds", "", "ratio"],
        rows,
        f"{how.size:,} people; ratio of pause and cancel to their bar, {BAR:g} s:",
    )
    report.save()


if __name__ == "__main__":
    main()
