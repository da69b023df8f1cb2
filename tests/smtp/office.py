"""The other side of a transport: hands out errands, and opens every gate at once."""

import asyncio
import time
from collections import Counter, deque

from typing_extensions import override

from mailer.deliveries.model import Key
from mailer.deliveries.transport import Errand, Gate, Outcome, Trouble, Verdict


def errand(
    number: int, *, body: bytes | None = None, size: int = 0, needs_utf8: bool = False
) -> Errand:
    """Make a message to one of many people."""
    written = body or (
        b"Subject: %d\r\nTo: <one%d@example.org>\r\n\r\nA line.\r\n" % (number, number)
    )
    return Errand(
        key=Key(1, 1, number),
        attempt=0,
        sender=b"news@example.org",
        recipient=(f"zoë{number}" if needs_utf8 else f"one{number}").encode() + b"@example.org",
        write=lambda _now: written,
        size=size,
        needs_utf8=needs_utf8,
    )


class Office:
    """A source, and where its errands are settled."""

    def __init__(self, *errands: Errand) -> None:
        self.line = deque(errands)
        self.told: list[tuple[int, Outcome]] = []
        self.settled: list[tuple[int, int, bool]] = []  # who, which attempt, was it marked
        self.troubles: list[tuple[Trouble, str]] = []
        self.troubled: list[int] = []  # relays, in the order of their troubles
        self.took = Counter[int]()  # errands by relay
        self.spent: set[int] = set()  # relays that may take nothing
        self.asked: list[int] = []
        self.granted: set[str] = set()  # recipients whose gate was opened
        self.refused: set[int] = set()
        self.unwritable: set[int] = set()
        self.held: list[tuple[Gate, Errand]] = []
        self.holds = False
        self.wells = 0
        self.ends = False

    def next(self, relay: int) -> Errand | None:
        if not self.waiting(relay):
            return None
        self.took[relay] += 1
        return self.line.popleft()

    def write(self, errand: Errand, attempt: int) -> bytes | None:
        if errand.key.number in self.unwritable:
            self.settle(errand, attempt, Outcome(Verdict.DEFERRED))
            return None
        return errand.write(time.time())

    def ask(self, gate: Gate, errand: Errand) -> None:
        self.asked.append(errand.key.number)
        if self.holds:
            self.held.append((gate, errand))
        else:
            asyncio.get_running_loop().call_soon(self.answer, gate, errand)

    def answer(self, gate: Gate, errand: Errand) -> None:
        if gate.is_dead:
            self.put_back(errand)
        elif errand.key.number in self.refused:
            gate.shut()
        else:
            self.granted.add(errand.recipient.decode())
            gate.open(errand.attempt + 1)

    def put_back(self, errand: Errand) -> None:
        errand.lost += 1
        self.line.append(errand)

    def waiting(self, relay: int) -> int:
        return 0 if self.ends or relay in self.spent else len(self.line)

    def is_ending(self) -> bool:
        return self.ends

    def trouble(self, relay: int, kind: Trouble, words: str) -> None:
        self.troubles.append((kind, words))
        self.troubled.append(relay)

    def well(self, relay: int) -> None:  # noqa: ARG002
        self.wells += 1

    def settle(self, errand: Errand, attempt: int, outcome: Outcome) -> None:
        self.told.append((errand.key.number, outcome))
        self.settled.append((errand.key.number, attempt, attempt > errand.attempt))

    def outcomes(self) -> dict[int, Outcome]:
        return dict(self.told)

    def verdicts(self) -> set[Verdict]:
        return {outcome.verdict for outcome in self.outcomes().values()}


class Persistent(Office):
    """An office that tries again what is not final, as the engine does after its rests."""

    NOT_FINAL = frozenset({Verdict.DEFERRED, Verdict.NOT_SENT, Verdict.OURS})

    @override
    def settle(self, errand: Errand, attempt: int, outcome: Outcome) -> None:
        super().settle(errand, attempt, outcome)
        if outcome.verdict in self.NOT_FINAL:
            # Refused at its envelope, no mark has counted this try.
            errand.attempt = attempt + 1 if attempt == errand.attempt else attempt
            self.line.append(errand)

    def final(self) -> dict[int, Outcome]:
        return {
            number: outcome
            for number, outcome in self.outcomes().items()
            if outcome.verdict not in self.NOT_FINAL
        }
