"""The other side of a transport: hands out errands, and opens every gate at once."""

import asyncio
import time
from collections import deque

from mailer.deliveries.model import Key
from mailer.deliveries.transport import Errand, Gate, Outcome, Trouble


def errand(number: int, *, body: bytes | None = None) -> Errand:
    """Make a message to one of many people."""
    written = body or (
        b"Subject: %d\r\nTo: <one%d@example.org>\r\n\r\nA line.\r\n" % (number, number)
    )
    return Errand(
        key=Key(1, 1, number),
        attempt=0,
        sender=b"news@example.org",
        recipient=b"one%d@example.org" % number,
        write=lambda _now: written,
    )


class Office:
    """A source, and where its errands are settled."""

    def __init__(self, *errands: Errand) -> None:
        self.line = deque(errands)
        self.told: list[tuple[int, Outcome]] = []
        self.troubles: list[tuple[Trouble, str]] = []
        self.asked: list[int] = []
        self.refused: set[int] = set()
        self.held: list[tuple[Gate, Errand]] = []
        self.holds = False
        self.wells = 0
        self.ends = False

    def next(self, relay: int) -> Errand | None:  # noqa: ARG002
        return None if self.ends or not self.line else self.line.popleft()

    def write(self, errand: Errand, attempt: int) -> bytes | None:  # noqa: ARG002
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
            gate.open(errand.attempt + 1)

    def put_back(self, errand: Errand) -> None:
        errand.lost += 1
        self.line.append(errand)

    def waiting(self, relay: int) -> int:  # noqa: ARG002
        return 0 if self.ends else len(self.line)

    def is_ending(self) -> bool:
        return self.ends

    def trouble(self, relay: int, kind: Trouble, words: str) -> None:  # noqa: ARG002
        self.troubles.append((kind, words))

    def well(self, relay: int) -> None:  # noqa: ARG002
        self.wells += 1

    def settle(self, errand: Errand, attempt: int, outcome: Outcome) -> None:
        del attempt
        self.told.append((errand.key.number, outcome))

    def outcomes(self) -> dict[int, Outcome]:
        return dict(self.told)
