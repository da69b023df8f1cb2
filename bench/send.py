"""How fast a campaign goes, beside others. Run: `python -m bench.send --help`.

Ours is the real thing: `rollcall worker` on a durable database, a campaign frozen by the verbs,
real people, and everything on. All take turns in each round, against Postfix's smtp-sink, which
counts what it took. Start-up is subtracted (a run of few). The ratio is to smtp-source: of
processor seconds for a message, for the sink fills a core before we do; with --rtt of messages a
second, for there the line is what everybody waits for.
"""

import argparse
import contextlib
import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.kit import peers, running
from bench.kit.distance import FAR, Distance, distance
from bench.kit.figures import Report, median, times
from bench.kit.ground import FIRST_NAMES, Ground, confirmed, ground
from bench.kit.running import Cost
from bench.kit.sample import Sample
from bench.kit.sinks import Honest, Postfix, Sink, honest_sink, postfix, smtp_sink
from mailer.bootstrap import House
from mailer.signing import actions as signing
from mailer.signing.dkim import Algorithm
from tests.support.debian import Unavailable

FEW = 16
SHORTEST = 0.5  # seconds of sending below which the clock on the wall says nothing


@dataclasses.dataclass(frozen=True)
class Place:
    """Where it happens: the tools, the message, and the line between sender and sink."""

    tools: Postfix
    sample: Sample
    connections: int
    line: Distance | None

    @property
    def host(self) -> str:
        return FAR if self.line else "127.0.0.1"

    @property
    def inside(self) -> Sequence[str]:
        return self.line.near if self.line else ()

    def sink(self) -> contextlib.AbstractContextManager[Sink]:
        return smtp_sink(self.tools, host=self.host, inside=self.line.far if self.line else ())


@dataclasses.dataclass
class Sender:
    """One way to send: how many in a round, and how; then what it has cost."""

    name: str
    count: int
    run: Callable[[int], Cost]
    start: Cost | None = None
    costs: list[Cost] = dataclasses.field(default_factory=list)

    def a_round(self) -> None:
        """Send once; the first time a few before, which is the price of starting."""
        if self.start is None:
            self.start = self.run(FEW).least(self.run(FEW))
        self.costs.append(self.run(self.count).beyond(self.start))

    def cpu(self) -> float:
        """Seconds of our processor for 1000 messages."""
        return median([cost.cpu for cost in self.costs]) * 1000 / (self.count - FEW)

    def server(self) -> float:
        return median([cost.server for cost in self.costs]) * 1000 / (self.count - FEW)

    def rate(self) -> float:
        """Messages a second; 0 where so few were sent that starting took most of the time."""
        wall = median([cost.wall for cost in self.costs])
        return (self.count - FEW) / wall if wall > SHORTEST else 0.0

    def peak(self) -> float:
        return max(cost.peak for cost in self.costs)


class Miscounted(SystemExit):
    """The sink did not take what was sent."""


def one_sink(place: Place, send: Callable[[Sink, int], Cost]) -> Callable[[int], Cost]:
    """Send to a sink of one's own, and count there."""

    def run(count: int) -> Cost:
        with place.sink() as sink:
            cost = send(sink, count)
            taken = sink.taken
        if taken != count:
            raise Miscounted(f"the sink took {taken} of {count}")
        return cost

    return run


def source(place: Place) -> Callable[[int], Cost]:
    """Postfix's smtp-source, with bodies as long as our messages."""

    def send(sink: Sink, count: int) -> Cost:
        said = ["-4", "-d", "-s", str(place.connections), "-m", str(count)]
        said += ["-l", str(place.sample.octets), "-f", "a@example.org", "-t", "b@example.org"]
        return running.command(
            [place.tools.program("smtp-source"), *said, f"{sink.host}:{sink.port}"],
            place.tools.environment,
            inside=place.inside,
        )

    return one_sink(place, send)


def peer(
    place: Place, folder: Path, command: Sequence[str], environment: dict[str, str]
) -> Callable[[int], Cost]:
    """Run somebody else's sender."""
    place.sample.write(folder)

    def send(sink: Sink, count: int) -> Cost:
        said = [sink.host, str(sink.port), str(count), str(place.connections), str(folder)]
        return running.command([*command, *said], environment, inside=place.inside)

    return one_sink(place, send)


def ours(
    place: Place, many: Ground, few: Ground, octets: int, how: argparse.Namespace
) -> Callable[[int], Cost]:
    """`rollcall worker`, one process to a sink; a campaign to everybody of a ground."""

    def run(count: int) -> Cost:
        on = few if count == FEW else many
        campaign = on.do(lambda house: confirmed(house, octets=octets))
        on.tidy()
        with contextlib.ExitStack() as stack:
            sinks: list[Sink | Honest] = []
            secure: dict[str, Any] = {}
            for _ in range(how.processes):
                if how.starttls:
                    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                    sinks.append(stack.enter_context(honest_sink(folder, secret=str(folder))))
                    secure["besides"] = {"SSL_CERT_FILE": str(folder / "relay.pem")}
                    secure["smtp_security"] = "starttls"
                else:
                    sinks.append(stack.enter_context(place.sink()))
            cost = running.sending(
                on,
                campaign,
                [sink.port for sink in sinks],
                inside=place.inside,
                smtp_host=place.host,
                smtp_connections=place.connections,
                **secure,
            )
            taken = sum(sink.taken for sink in sinks)
        if taken != count:
            raise Miscounted(f"the sinks took {taken} of {count}")
        return cost

    return run


async def sign(house: House, algorithm: Algorithm) -> None:
    """Make a key that signs from now on."""
    key = await signing.generate(algorithm)
    async with house.work() as work:
        made = await signing.new_key(work, key)
        await signing.switch_on(work, made, is_published=True)


def look(on: Ground, octets: int) -> Sample:
    """Send to a few, keep the first message: what the others are to send."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "first"
        campaign = on.do(lambda house: confirmed(house, octets=octets))
        with honest_sink(Path(folder), keep=str(kept)) as sink:
            running.sending(on, campaign, [sink.port], smtp_connections=1)
        return Sample.of(kept.read_bytes(), name=FIRST_NAMES[1])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--size", type=int, default=40_000, help="people in the campaign")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16, help="of each process")
    parser.add_argument("--processes", type=int, default=1, help="each with a sink of its own")
    parser.add_argument("--body", type=int, action="append", help="kB, from 21; again for several")
    parser.add_argument("--rtt", type=float, default=0.0, help="milliseconds between us and a sink")
    parser.add_argument("--peers", default="nodemailer,Django,aiosmtplib", help="or none")
    parser.add_argument("--dkim", choices=[one.value for one in Algorithm], help="sign with it")
    parser.add_argument("--starttls", action="store_true", help="with one process, to our own sink")
    said = parser.parse_args()
    if said.starttls and (said.rtt or said.processes > 1):
        parser.error("--starttls is measured on loopback, with one process")
    return said


def measure(
    report: Report, how: argparse.Namespace, place: Place, grounds: Sequence[Ground], octets: int
) -> None:
    """Let everybody take turns, and say what it cost."""
    many, few = grounds
    name = "Rollcall, " + {"sqlite": "SQLite", "postgres": "PostgreSQL"}[how.db]
    if how.processes > 1:
        name += f", {how.processes} processes"
    name += f", DKIM {how.dkim}" if how.dkim else ""
    name += ", STARTTLS" if how.starttls else ""
    senders = [
        Sender("smtp-source", how.size, source(place)),
        Sender(name, how.size, ours(place, many, few, octets, how)),
    ]
    with contextlib.ExitStack() as stack:
        for title, share, fetch in (
            ("nodemailer", 10, peers.nodemailer),
            ("Django", 20, peers.django),
            ("aiosmtplib", 40, lambda _folder: peers.plain()),
        ):
            if title not in how.peers.split(","):
                continue
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            try:
                command, environment = fetch(folder)
            except peers.PeerMissing as missing:
                report.say(f"without {title}: {missing}")
                continue
            count = max(4 * FEW, how.size // share)
            senders.append(Sender(title, count, peer(place, folder, command, environment)))
        for _ in range(how.rounds):
            for sender in senders:
                sender.a_round()
    tell(report, how, place, senders)


def tell(report: Report, how: argparse.Namespace, place: Place, senders: Sequence[Sender]) -> None:
    base = senders[0]
    rows = []
    for sender in senders:
        ratio = (sender.rate(), base.rate()) if place.line else (sender.cpu(), base.cpu())
        rows.append(
            [
                sender.name,
                str(sender.count),
                f"{sender.rate():.0f}" if sender.rate() else "–",
                f"{sender.cpu():.4f}",
                f"{sender.server():.4f}" if sender.server() else "",
                f"{sender.peak():.0f}",
                times(*ratio),
            ]
        )
    line = f", {how.rtt:g} ms round trip ({place.line.how})" if place.line else ""
    report.table(
        ["sender", "messages", "msg/s", "CPU s/1000", "server s/1000", "MiB", "ratio"],
        rows,
        f"{place.sample.octets / 1000:.1f} kB, {how.connections} connections, medians of"
        f" {how.rounds}{line}; ratio of {'msg/s' if place.line else 'CPU'} to smtp-source:",
    )


def main() -> None:
    how = arguments()
    try:
        with contextlib.ExitStack() as stack:
            tools = stack.enter_context(postfix())
            report = Report("send")
            line = stack.enter_context(distance(how.rtt)) if how.rtt else None
            many = stack.enter_context(ground(how.db, how.size))
            few = stack.enter_context(ground(how.db, FEW))
            if how.dkim:
                for on in (many, few):
                    on.do(lambda house: sign(house, Algorithm(how.dkim)))
            for kilo in how.body or [30]:
                sample = look(few, kilo * 1000)
                place = Place(tools, sample, how.connections, line)
                measure(report, how, place, (many, few), kilo * 1000)
            report.save()
    except Unavailable as unavailable:
        raise SystemExit(str(unavailable)) from unavailable


if __name__ == "__main__":
    main()
