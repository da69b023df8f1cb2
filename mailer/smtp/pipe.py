"""One SMTP connection as one synchronous state machine.

aiosmtplib opens the connection and hands its transport over. From then on there is no task, no
future and no lock per message.

    pipelined   <body k> . MAIL k+1 RCPT k+1 DATA      one flight and one round trip a message
    plain       the same machine, one command a flight  four round trips
    window      several messages under way at once      see `bdat`

**The gate.** Before a body goes out its row must be marked ``sending`` by a committed beat. The
envelope needs no mark, so it rides ahead; the body waits at its 354. A body that may not go cannot
be taken back politely (after 354 the only words left are the message), so its connection is cut
without an octet of it.

**Outcome by phase, never by exception**: what the last octets handed over were decides what is
known.
"""

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Protocol

from typing_extensions import override

from mailer.deliveries.model import Reason
from mailer.deliveries.transport import Errand, Outcome, Settle, Source, Verdict
from mailer.smtp.rules import DEADLINES, Offer, Phase, said, stuffed, text, verdict

_LONGEST_LINE = 8192
_MOST_LINES = 100
# What TLS adds to a flight may lie in the buffer besides the flight itself.
_TLS_ADDS = 1024

# An attribute of an enum costs 70 ns in Python 3.11, and there would be a dozen for each message.
_MAIL, _RCPT, _DATA, _GATE, _BODY = Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.GATE, Phase.BODY
_ACCEPTED = Verdict.ACCEPTED


class Home(Protocol):
    """Where a connection belongs."""

    def take(self) -> Errand | None:
        """Give the next errand; None when there is none for this connection."""

    def is_utf8_elsewhere(self) -> bool:
        """Say whether another server may know addresses that are not ASCII."""

    def ended(self, pipe: "Pipe", why: str) -> None:
        """Hear that a connection is gone; no reason where nobody is to blame."""


class Pipe(asyncio.Protocol):
    """A connection that has been let in. It rests until `stir`."""

    slots = 1  # messages that can be at the gate or in their bodies at once

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        offer: Offer,
        home: Home,
        source: Source,
        settle: Settle,
        deadlines: Mapping[Phase, float] = DEADLINES,
    ) -> None:
        self.phase = Phase.REST
        self.answered = 0  # errands that the server had a word about
        self.is_leaving = False
        self._transport = transport
        self._write: Callable[[bytes], None] = transport.write
        self._offer = offer
        self._limit = offer.limit or sys.maxsize
        self._home = home
        self._take: Callable[[], Errand | None] = home.take
        self._source = source
        self._settle = settle
        self._deadlines = deadlines
        self._socket: socket.socket | None = transport.get_extra_info("socket")
        self._slack = _TLS_ADDS if transport.get_extra_info("sslcontext") else 0
        # Since when it waits for what it waits for, as far as the looks can tell.
        self._since = 0.0
        self._seen: tuple[Phase, int] | None = None
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

    def stir(self) -> None:
        """Begin, if it rests and there is something to do."""
        if self.phase is Phase.REST:
            self._start()

    def leave(self) -> None:
        """Take nothing more, and go when what has begun is finished."""
        self.is_leaving = True
        self._take = _nothing
        if self.phase is Phase.REST:
            self.phase = Phase.QUIT
            self._write(b"QUIT\r\n")

    def check_deadline(self, now: float) -> None:
        """End what has lasted too long, from the first look that saw it."""
        seen = (self.phase, self.answered)
        if seen != self._seen:
            self._seen, self._since = seen, now
        elif now - self._since > self._deadlines[self.phase]:
            match self.phase:
                case Phase.REST:
                    self.leave()
                case Phase.QUIT:
                    self.cut("")
                case Phase.GATE:  # it is the ledger that does not answer
                    self.cut(Reason.NOT_BEGUN)
                case _:
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
        if len(body) > self._limit:
            self._settle(errand, attempt, self._too_big(len(body)))
            return self.shut()
        if errand.may_have_dots:
            body = stuffed(body)
        following = self._following() if self._offer.pipelining else None
        envelope = self._envelope(following) if following is not None else b""
        self._current, self._attempt, self._next = errand, attempt, following
        self._tail = len(envelope)
        self.phase = _BODY
        # Joined: giving the pieces to writelines is no cheaper (measured with both loops).
        return self._write(b"".join((body, b".\r\n", envelope)))

    def shut(self) -> None:
        """Send no octet of the body, and after 354 that means cutting the connection."""
        self._next = None
        self.cut(Reason.NOT_BEGUN)

    # What the server says. ------------------------------------------------------------------------

    @override
    def data_received(self, data: bytes) -> None:
        data = self._unfinished + data
        lines = data.split(b"\n")
        if len(data) > _LONGEST_LINE and max(map(len, lines)) > _LONGEST_LINE:
            return self.cut(Reason.BAD_REPLY)
        self._unfinished = lines.pop()
        for line in lines:
            if self._dead:
                return None
            self._hear(line)
        if not self._dead and self._owes_replies():
            self._ask_for_the_rest()
        return None

    def _owes_replies(self) -> bool:
        """Say whether only some of a flight's replies have come."""
        return self.phase <= _DATA and self._offer.pipelining

    def _ask_for_the_rest(self) -> None:
        """Acknowledge at once what has come.

        The server met our envelope at the edge of its buffer, and its Nagle now waits for our
        delayed ACK (40 ms, measured). Linux forgets this option by itself; it is wanted just now.
        """
        if self._socket is not None and hasattr(socket, "TCP_QUICKACK"):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _hear(self, line: bytes) -> None:
        """Go on at once after what is usual; read everything else with care."""
        start = line[:4]
        phase = self.phase
        if start == b"250 ":
            if phase is _MAIL:
                self._lines, self.phase = 0, _RCPT
                return self._send_next_command()
            if phase is _RCPT:
                self._lines, self.phase = 0, _DATA
                return self._send_next_command()
            if phase is _BODY:
                self._lines = 0
                return self._reply_to_body(250, line[4:].rstrip(b"\r"))
        elif start == b"354 " and phase is _DATA and self._objection is None:
            self._lines, self.phase = 0, _GATE
            assert self._next is not None
            return self._source.ask(self, self._next)
        return self._read(line)

    def _send_next_command(self) -> None:
        if self._flight:
            self._write(self._flight.pop(0))

    def _read(self, line: bytes) -> None:
        code, mark = line[:3], line[3:4]
        if mark == b"-":
            self._lines += 1
            if self._lines > _MOST_LINES:
                self.cut(Reason.BAD_REPLY)
        elif len(code) < 3 or not code.isdigit() or mark not in b" \r":
            self.cut(Reason.BAD_REPLY)
        else:
            self._lines = 0
            self._reply(int(code), line[4:].rstrip(b"\r"))

    def _reply(self, code: int, words: bytes) -> None:
        match self.phase:
            case Phase.BODY:
                self._reply_to_body(code, words)
            case Phase.QUIT:
                self._end("")
                self._transport.close()
            case Phase.REST if code == 421:  # it has waited long enough for us
                self.cut("")
            case _ if code == 421:
                self.cut(said(code, words))
            case Phase.MAIL:
                self._reply_to_envelope(Phase.RCPT, code, words, good=code == 250)
            case Phase.RCPT:
                self._reply_to_envelope(Phase.DATA, code, words, good=code in {250, 251})
            case Phase.DATA:
                self._reply_to_data(code, words)
            case Phase.RSET if code == 250:
                self._go_on()
            case Phase.LONE_DOT:
                self.phase = Phase.RSET
            case _:  # at the gate or at rest nobody asked; and RSET has one answer
                self.cut(Reason.BAD_REPLY)

    def _reply_to_body(self, code: int, words: bytes) -> None:
        if self._transport.get_write_buffer_size() > self._tail + self._slack:
            return self.cut(Reason.BAD_REPLY)  # a reply before the end of the body
        if code < 400 and code != 250:
            return self.cut(Reason.BAD_REPLY)  # no answer to a body
        errand, self._current = self._current, None
        assert errand is not None
        self.answered += 1
        if code == 250:
            self._settle(errand, self._attempt, Outcome(_ACCEPTED, 250, text(words)))
        else:
            self._object(errand, self._attempt, Phase.BODY, code, words)
        if self._dead:
            return None
        if code == 421:
            return self.cut(said(code, words))
        return self._go_on()

    def _reply_to_envelope(self, following: Phase, code: int, words: bytes, *, good: bool) -> None:
        if not good and code < 400:
            return self.cut(Reason.BAD_REPLY)  # one answer too many, and all would be shifted
        if not good and self._objection is None:
            self._objection = (self.phase, code, words)
        self.phase = following
        if good:
            return self._send_next_command()
        if self._offer.pipelining:
            return None
        self._flight.clear()
        self._object_as_noted()
        return self._reset(None)

    def _reply_to_data(self, code: int, words: bytes) -> None:
        if code == 354 and self._objection is None:  # "354" and not a word more
            self.phase = Phase.GATE
            assert self._next is not None
            return self._source.ask(self, self._next)
        if code < 400 and code != 354:
            return self.cut(Reason.BAD_REPLY)
        self._objection = self._objection or (Phase.DATA, code, words)
        self._object_as_noted()
        if self._dead:
            return None
        if code == 354:  # RFC 2920 3.1: a 354 although no recipient stands
            self.phase = Phase.LONE_DOT
            return self._write(b".\r\nRSET\r\n")
        # MAIL may stand: RSET rides with the next envelope.
        return self._reset(self._following() if self._offer.pipelining else None)

    def _reset(self, following: Errand | None) -> None:
        if self._dead:
            return
        self._next = following
        self.phase = Phase.RSET
        self._write(b"RSET\r\n" + (self._envelope(following) if following else b""))

    def _go_on(self) -> None:
        if self._next is None:
            self._start()
        else:
            self.phase = _MAIL

    def _object_as_noted(self) -> None:
        """Settle the errand whose envelope met an objection; no mark has counted this try."""
        errand, self._next = self._next, None
        assert errand is not None
        assert self._objection is not None
        phase, code, words = self._objection
        self._objection = None
        self.answered += 1
        self._object(errand, errand.attempt, phase, code, words)

    def _object(self, errand: Errand, attempt: int, phase: Phase, code: int, words: bytes) -> None:
        said_so = text(words)
        self._settle(errand, attempt, Outcome(verdict(phase, code, said_so), code, said_so))
        if code == 503 and not self._dead:  # we and the server no longer agree where we are
            self.cut(said(code, words))

    # Envelopes. -----------------------------------------------------------------------------------

    def _start(self) -> None:
        """Begin with the next errand, if there is one."""
        errand = self._following()
        if errand is not None:
            self._next = errand
            self.phase = _MAIL
            self._write(self._envelope(errand))
            return
        self.phase = Phase.REST
        if self.is_leaving:
            self.leave()

    def _following(self) -> Errand | None:
        """Take the next errand that this server can carry; settle those that it cannot."""
        while (errand := self._take()) is not None:
            if errand.size > self._limit:
                self._settle(errand, errand.attempt, self._too_big(errand.size))
            elif errand.needs_utf8 and not self._offer.smtputf8:
                self._settle(errand, errand.attempt, self._not_ascii())
            else:
                return errand
        return None

    def _too_big(self, size: int) -> Outcome:
        words = f"5.3.4 The message has {size} octets; the mail server takes at most {self._limit}"
        return Outcome(Verdict.OURS, 552, words)

    def _not_ascii(self) -> Outcome:
        """Let another server try; where there is none, nobody can write to this address."""
        words = "6.7 This address needs SMTPUTF8, which the mail server does not offer"
        if self._home.is_utf8_elsewhere():
            return Outcome(Verdict.DEFERRED, 450, f"4.{words}")
        return Outcome(Verdict.REFUSED, 553, f"5.{words}")

    def _envelope(self, errand: Errand) -> bytes:
        commands = b"MAIL FROM:<%b>%b\r\nRCPT TO:<%b>\r\nDATA\r\n" % (
            errand.sender,
            self._parameters(errand, errand.size),
            errand.recipient,
        )
        if self._offer.pipelining:
            return commands
        first, *self._flight = commands.splitlines(keepends=True)
        return first

    def _parameters(self, errand: Errand, size: int) -> bytes:
        """Say of a message what the server wants to know beforehand."""
        stated = b" SIZE=%d" % size if size and self._offer.size else b""
        return stated + b" SMTPUTF8" if errand.needs_utf8 else stated

    # The end. -------------------------------------------------------------------------------------

    @override
    def eof_received(self) -> bool:
        return False

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        is_at_leisure = self.phase in {Phase.REST, Phase.QUIT}
        self._end("" if is_at_leisure else Reason.CONNECTION_LOST)

    def _end(self, why: str) -> None:
        if self._dead:
            return
        self._dead = True
        self._settle_the_rest(why)
        self._home.ended(self, why)

    def _settle_the_rest(self, why: str) -> None:
        """Say what is known of what is under way."""
        if self._current is not None:
            current, self._current = self._current, None
            self._settle(current, self._attempt, Outcome(self._known(self._tail), 0, why))
        if self._next is not None and self.phase is not Phase.GATE:
            self._source.put_back(self._next)  # at the gate it is in the engine's hands
        self._next = None

    def _known(self, tail: int) -> Verdict:
        """Say what is known of a body without its reply, after which so many octets were written.

        As long as a part of it lies in our own buffer they cannot have it. The buffer of a broken
        connection is empty, and then we know nothing.
        """
        is_handed_over = self._transport.get_write_buffer_size() <= tail + self._slack
        return Verdict.IN_DOUBT if is_handed_over else Verdict.NOT_SENT


def _nothing() -> None:
    """Have no errand."""
