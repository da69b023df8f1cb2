"""One SMTP connection as one synchronous state machine.

aiosmtplib opens the connection and hands its transport over. From then on there is no task, no
future and no lock per message.

    pipelined   <body k> . MAIL k+1 RCPT k+1 DATA      one flight and one round trip a message
    plain       the same machine, one command a flight  four round trips

**The gate.** Before a body goes out its row must be marked ``sending`` by a committed beat. The
envelope needs no mark, so it rides ahead; the body waits at its 354. A body that may not go cannot
be taken back politely (after 354 the only words left are the message), so its connection is cut
without an octet of it.

**Outcome by phase, never by exception**: what the last octets handed over were decides what is
known.
"""

import asyncio
import enum
import socket
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from typing_extensions import override

from mailer.deliveries.model import Reason
from mailer.deliveries.transport import Errand, Outcome, Settle, Source, Verdict


class Phase(enum.IntEnum):
    """What we are waiting for. The order is that of a message."""

    MAIL = 0
    RCPT = 1
    DATA = 2
    GATE = 3  # the ledger, not the server
    BODY = 4  # the reply to a body
    RSET = 5
    LONE_DOT = 6  # the reply to an empty message that nobody gets
    REST = 7
    QUIT = 8


# RFC 5321 4.5.3.2; and 600 s for the reply to the body, so that a slow 250 is not a duplicate.
DEADLINES: Mapping[Phase, float] = {
    Phase.MAIL: 300,
    Phase.RCPT: 300,
    Phase.DATA: 120,
    Phase.GATE: 60,
    Phase.BODY: 600,
    Phase.RSET: 60,
    Phase.LONE_DOT: 60,
    Phase.REST: 60,
    Phase.QUIT: 2,  # a courtesy
}

_LONGEST_LINE = 8192
_MOST_LINES = 100
# What TLS adds to a flight may lie in the buffer besides the flight itself.
_TLS_ADDS = 1024


class Home(Protocol):
    """Where a connection belongs."""

    def ended(self, pipe: "Pipe", why: str) -> None:
        """Hear that it is gone."""


class Pipe(asyncio.Protocol):
    """A connection that has been let in. It rests until `start`."""

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        relay: int,
        pipelining: bool,
        home: Home,
        source: Source,
        settle: Settle,
        deadlines: Mapping[Phase, float] = DEADLINES,
    ) -> None:
        self.accepted = 0
        self.phase = Phase.REST
        self._transport = transport
        self._write: Callable[[bytes], None] = transport.write
        self._relay = relay
        self._pipelining = pipelining
        self._home = home
        self._source = source
        self._settle = settle
        self._deadlines = deadlines
        self._socket: socket.socket | None = transport.get_extra_info("socket")
        self._slack = _TLS_ADDS if transport.get_extra_info("sslcontext") else 0
        self._since = time.monotonic()
        self._dead = False
        # The errand whose body is handed over and whose reply is awaited, under which attempt; and
        # the one whose envelope is under way.
        self._current: Errand | None = None
        self._attempt = 0
        self._next: Errand | None = None
        self._tail = 0  # octets that were written after the body
        self._flight: list[bytes] = []  # without PIPELINING: commands not yet written
        self._objection: tuple[Phase, int, bytes] | None = None
        self._unfinished = b""
        self._lines = 0
        transport.set_protocol(self)

    # What the home says. --------------------------------------------------------------------------

    def start(self) -> None:
        """Begin with the next errand, if there is one."""
        errand = self._source.next(self._relay)
        if errand is None:
            self._enter(Phase.REST)
            return
        self._next = errand
        self._enter(Phase.MAIL)
        self._write(self._envelope(errand))

    def quit(self) -> None:
        """Leave politely; only from rest."""
        self._enter(Phase.QUIT)
        self._write(b"QUIT\r\n")

    def check_deadline(self, now: float) -> None:
        """End what has lasted too long."""
        if now - self._since <= self._deadlines[self.phase]:
            return
        if self.phase is Phase.REST:
            self.quit()
        else:
            self.cut(Reason.NO_REPLY)

    def cut(self, why: str) -> None:
        """End at once. What was handed over and not answered is in doubt."""
        self._end(why)
        self._transport.abort()

    # What the engine says (`transport.Gate`). -----------------------------------------------------

    @property
    def is_dead(self) -> bool:
        """Say whether it is over."""
        return self._dead

    def open(self, attempt: int) -> None:
        """Let the body go, and the next envelope with it."""
        errand = self._next
        assert errand is not None
        body = self._source.write(errand, attempt)
        if body is None:
            return self.shut()
        following = self._source.next(self._relay) if self._pipelining else None
        envelope = self._envelope(following) if following else b""
        self._current, self._attempt = errand, attempt
        self._next = following
        self._tail = len(envelope)
        self._enter(Phase.BODY)
        return self._write(b"".join((_stuffed(body), b".\r\n", envelope)))

    def shut(self) -> None:
        """Send no octet of the body, and after 354 that means cutting the connection."""
        self._next = None
        self.cut(Reason.NOT_BEGUN)

    # What the server says. ------------------------------------------------------------------------

    @override
    def data_received(self, data: bytes) -> None:
        if self._unfinished:
            data = self._unfinished + data
            self._unfinished = b""
        start = 0
        while not self._dead:
            end = data.find(b"\n", start)
            if end < 0:
                break
            code, mark = data[start : start + 3], data[start + 3 : start + 4]
            words = data[start + 4 : end].rstrip(b"\r")
            start = end + 1
            if mark == b"-":
                self._lines += 1
                if self._lines > _MOST_LINES:
                    return self.cut(Reason.BAD_REPLY)
                continue
            if not code.isdigit() or mark not in b" \r\n":
                return self.cut(Reason.BAD_REPLY)
            self._lines = 0
            self._reply(int(code), words)
        if self._dead:
            return None
        if Phase.MAIL < self.phase <= Phase.DATA:
            self._ask_for_the_rest()
        self._unfinished = data[start:]
        if len(self._unfinished) > _LONGEST_LINE:
            self.cut(Reason.BAD_REPLY)
        return None

    def _ask_for_the_rest(self) -> None:
        """Half of a flight's replies have come.

        The server met our envelope at the edge of its buffer, and its Nagle now waits for our
        delayed ACK (40 ms, measured). Linux forgets this option by itself; it is wanted just now.
        """
        if self._socket is not None and hasattr(socket, "TCP_QUICKACK"):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _reply(self, code: int, words: bytes) -> None:
        match self.phase:
            case Phase.BODY:
                self._reply_to_body(code, words)
            case _ if code == 421:
                self.cut(_said(code, words))
            case Phase.MAIL:
                self._reply_to_envelope(Phase.RCPT, code, words, good=code == 250)
            case Phase.RCPT:
                self._reply_to_envelope(Phase.DATA, code, words, good=code in {250, 251})
            case Phase.DATA:
                self._reply_to_data(code, words)
            case Phase.RSET:
                self._go_on()
            case Phase.LONE_DOT:
                self._enter(Phase.RSET)
            case Phase.QUIT:
                self._end("")
                self._transport.close()
            case _:  # at the gate or at rest: nobody asked
                self.cut(Reason.BAD_REPLY)

    def _reply_to_body(self, code: int, words: bytes) -> None:
        if self._transport.get_write_buffer_size() > self._tail + self._slack:
            return self.cut(Reason.BAD_REPLY)  # a reply before the end of the body
        if code < 400 and code != 250:
            return self.cut(Reason.BAD_REPLY)  # no answer to a body
        errand, self._current = self._current, None
        assert errand is not None
        if code == 250:
            self.accepted += 1
            self._settle(errand, self._attempt, Outcome(Verdict.ACCEPTED, code, _text(words)))
        else:
            self._object(errand, self._attempt, Phase.BODY, code, words)
        if code == 421 and not self._dead:
            return self.cut(_said(code, words))
        if not self._dead:
            self._go_on()
        return None

    def _reply_to_envelope(self, following: Phase, code: int, words: bytes, *, good: bool) -> None:
        if not good and code < 400:
            return self.cut(Reason.BAD_REPLY)  # one answer too many, and all would be shifted
        if not good and self._objection is None:
            self._objection = (self.phase, code, words)
        self._enter(following)
        if self._pipelining:
            return None
        if good:
            return self._write(self._flight.pop(0))
        errand, self._next = self._next, None
        assert errand is not None
        self._object_as_noted(errand)
        return self._reset(None)

    def _reply_to_data(self, code: int, words: bytes) -> None:
        errand = self._next
        assert errand is not None
        if code == 354 and self._objection is None:  # the ordinary case
            self._enter(Phase.GATE)
            return self._source.ask(self, errand)
        if code < 400 and code != 354:
            return self.cut(Reason.BAD_REPLY)
        self._next = None
        self._objection = self._objection or (Phase.DATA, code, words)
        self._object_as_noted(errand)
        if self._dead:
            return None
        if code == 354:  # RFC 2920 3.1: a 354 although no recipient stands
            self._enter(Phase.LONE_DOT)
            return self._write(b".\r\nRSET\r\n")
        # MAIL may stand: RSET rides with the next envelope.
        return self._reset(self._source.next(self._relay) if self._pipelining else None)

    def _reset(self, following: Errand | None) -> None:
        if self._dead:
            return
        self._next = following
        self._enter(Phase.RSET)
        self._write(b"RSET\r\n" + (self._envelope(following) if following else b""))

    def _go_on(self) -> None:
        if self._next is None:
            self.start()
        else:
            self._enter(Phase.MAIL)

    def _object_as_noted(self, errand: Errand) -> None:
        assert self._objection is not None
        phase, code, words = self._objection
        self._objection = None
        self._object(errand, errand.attempt, phase, code, words)

    def _object(self, errand: Errand, attempt: int, phase: Phase, code: int, words: bytes) -> None:
        text = _text(words)
        self._settle(errand, attempt, Outcome(verdict(phase, code, text), code, text))
        if code == 503 and not self._dead:  # we and the server no longer agree where we are
            self.cut(_said(code, words))

    def _envelope(self, errand: Errand) -> bytes:
        commands = [
            b"MAIL FROM:<" + errand.sender + b">\r\n",
            b"RCPT TO:<" + errand.recipient + b">\r\n",
            b"DATA\r\n",
        ]
        if self._pipelining:
            return b"".join(commands)
        first, *self._flight = commands
        return first

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self._since = time.monotonic()

    # The end. -------------------------------------------------------------------------------------

    @override
    def eof_received(self) -> bool:
        return False

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._end(Reason.CONNECTION_LOST)

    def _end(self, why: str) -> None:
        if self._dead:
            return
        self._dead = True
        if self._current is not None:
            current, self._current = self._current, None
            self._settle(current, self._attempt, Outcome(self._known(), 0, why))
        if self._next is not None and self.phase is not Phase.GATE:
            self._source.put_back(self._next)  # at the gate it is in the engine's hands
        self._next = None
        self._home.ended(self, why)

    def _known(self) -> Verdict:
        """Say what is known of a body without its reply.

        As long as a part of it lies in our own buffer they cannot have it. The buffer of a broken
        connection is empty, and then we know nothing.
        """
        is_handed_over = self._transport.get_write_buffer_size() <= self._tail + self._slack
        return Verdict.IN_DOUBT if is_handed_over else Verdict.NOT_SENT


def verdict(phase: Phase, code: int, words: str) -> Verdict:
    """Say what a negative reply is about: this moment, this recipient, or ourselves."""
    if not 500 <= code < 600:
        return Verdict.DEFERRED
    if phase is Phase.MAIL or words.startswith("5.7.") or code in {503, 530, 535}:
        return Verdict.OURS
    if code == 552 and not words.startswith("5.2."):  # 5.2.x: their mailbox, not our message
        return Verdict.OURS
    return Verdict.REFUSED


def _stuffed(body: bytes) -> bytes:
    """Double the dots at the beginning of lines (RFC 5321 4.5.2).

    Content never writes such a line; were it to once, this is what keeps it one message.
    """
    if body.startswith(b"."):
        body = b"." + body
    return body.replace(b"\r\n.", b"\r\n..") if b"\r\n." in body else body


def _text(words: bytes) -> str:
    return words.decode("utf-8", "replace")


def _said(code: int, words: bytes) -> str:
    return f"{code} {_text(words)}"
