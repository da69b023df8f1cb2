"""What the engine and a transport say to each other. Neither knows more of the other than this.

A transport (SMTP, in `mailer.smtp`) takes *errands* from a *source*. It may send an envelope at
once; with the body it waits at the *gate*, until the ledger has committed that it may go. What came
of an errand is an *outcome*, told by the phase in which it came: what the last octets handed over
were decides what can be known. All calls are synchronous.
"""

import enum
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
from typing_extensions import override

from mailer.deliveries.model import Key


class Route(msgspec.Struct, frozen=True):
    """A relay, as a transport needs it."""

    no: int
    name: str
    host: str
    port: int
    security: str  # starttls, tls or none
    user: str = ""
    password: str = ""
    connections: int = 8
    weight: int = 1  # its share of the messages; 0: a spare, for when no other lets us in

    @override
    def __repr__(self) -> str:
        return f"<Route {self.no}>"


class Errand(msgspec.Struct, eq=False):
    """One message on its way to one person."""

    key: Key
    attempt: int  # as it was when claimed; the mark raises it
    sender: bytes  # of the envelope, as is the recipient
    recipient: bytes
    write: Callable[[float], bytes]  # from the head to the last line, without the lone dot
    domain: str = ""  # the recipient's, in lower case: some are slower than others
    needs_utf8: bool = False  # the address has a local part that is not ASCII (RFC 6531)
    may_have_dots: bool = True  # at the beginning of lines; a compiled campaign has none
    size: int = 0  # octets, about; 0 when nobody knows yet (RFC 1870)
    mark: str | None = None  # the scrambled address of a letter, for the suppression list
    lost: int = 0  # connections that broke under it before its body
    relay: int = 0  # that took it last


class Verdict(enum.Enum):
    """What is known about an errand."""

    ACCEPTED = enum.auto()  # by their mail server: it is its now
    DEFERRED = enum.auto()  # not now (4xx)
    REFUSED = enum.auto()  # never (5xx), because of this recipient
    OURS = enum.auto()  # refused because of us; says nothing about the recipient
    NOT_SENT = enum.auto()  # the line broke before the end of the data was handed over
    IN_DOUBT = enum.auto()  # it broke afterwards: they may have it


class Outcome(msgspec.Struct, frozen=True):
    """A verdict, and the server's last word."""

    verdict: Verdict
    code: int = 0
    reply: str = ""


class Trouble(enum.Enum):
    """Why no connection can be made."""

    AWAY = enum.auto()  # no answer, or "not now": it will pass
    SHUT = enum.auto()  # they or our own caution turn us away: somebody must mend it


class Gate(Protocol):
    """A connection that waits with a body."""

    @property
    def is_dead(self) -> bool:
        """Say whether it broke meanwhile."""

    def open(self, attempt: int) -> None:
        """Let the body be written and go: its row is marked under this attempt."""

    def shut(self) -> None:
        """Send no octet of it, even if the connection must be cut for that."""


class Source(Protocol):
    """What a transport asks of the engine."""

    def next(self, relay: int) -> Errand | None:
        """Give an errand that may go through a relay; None when there is none just now."""

    def ask(self, gate: Gate, errand: Errand) -> None:
        """Wait at the gate; the answer comes as `open` or `shut`."""

    def write(self, errand: Errand, attempt: int) -> bytes | None:
        """Write the body of what was granted; None if it cannot be written, which is settled."""

    def put_back(self, errand: Errand) -> None:
        """Return an errand whose envelope came to nothing."""

    def waiting(self, relay: int) -> int:
        """Say how many errands wait for a connection of a relay."""

    def is_ending(self) -> bool:
        """Say whether to finish what has begun, and leave."""

    def trouble(self, relay: int, kind: Trouble, words: str) -> None:
        """Hear that a relay does not let us in, and why."""

    def well(self, relay: int) -> None:
        """Hear that a relay let us in."""


Settle = Callable[[Errand, int, Outcome], None]
"""What became of an errand, under which attempt."""


class Transport(Protocol):
    """Whatever carries errands."""

    def use(self, routes: Sequence[Route]) -> None:
        """Take the relays that there are: at the start, and again when something has changed."""

    async def run(self, source: Source, settle: Settle) -> None:
        """Carry until the source is ending and nothing is under way."""

    def wake(self) -> None:
        """Hear that there is something to carry."""

    def connections(self) -> int:
        """Say how many connections are open: so many can come to the gate."""
