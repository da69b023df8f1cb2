"""A window of messages on one connection, for servers that take bodies by their length.

    RSET  MAIL k  RCPT k  BDAT n LAST  <body k>        each message is one flight, several at once

With CHUNKING and PIPELINING (RFC 3030, RFC 2920) nothing waits for a 354, so a long way to the
server costs nothing but patience. The gate holds for every message by itself: nothing of one is
written, not even its envelope, before its row is granted; so one that is not granted costs nothing.

The price is doubt: all that is handed over and not answered when a connection breaks is in doubt.
"""

import asyncio
from collections import deque
from collections.abc import Mapping

from typing_extensions import override

from mailer.deliveries.model import Reason
from mailer.deliveries.transport import Errand, Outcome, Settle, Source, Verdict
from mailer.smtp.pipe import Home, Pipe
from mailer.smtp.rules import DEADLINES, Offer, Phase, said, text

WINDOW = 4
"""Messages under way on one connection."""

# An answer that nobody asked for would shift all that follow by one, and here all are 250. This is
# how it shows, with servers that say more than a number (RFC 3463 3.2).
_OF_A_RECIPIENT = b"2.1.5"

_RSET, _MAIL, _RCPT, _BODY = Phase.RSET, Phase.MAIL, Phase.RCPT, Phase.BODY
_ACCEPTED = Verdict.ACCEPTED


class Slot:
    """One place in the window, and its gate."""

    __slots__ = ("_pipe", "attempt", "end", "errand")

    def __init__(self, pipe: "BdatPipe") -> None:
        self._pipe = pipe
        self.errand: Errand | None = None
        self.attempt = 0
        self.end = 0  # octets of the connection written when its last one was

    @property
    def is_dead(self) -> bool:
        """Say whether its connection is over."""
        return self._pipe.is_dead

    def open(self, attempt: int) -> None:
        """Let the message go."""
        self.attempt = attempt
        self._pipe.send(self)

    def shut(self) -> None:
        """Nothing was written for it: the place is free again."""
        self._pipe.free(self)


class BdatPipe(Pipe):
    """A connection with a window."""

    slots = WINDOW

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
        self._free = [Slot(self) for _ in range(WINDOW)]
        self._window: deque[Slot] = deque()  # written and not yet answered, in that order
        self._written = 0  # octets, in all
        super().__init__(
            transport, offer=offer, home=home, source=source, settle=settle, deadlines=deadlines
        )

    @override
    def stir(self) -> None:
        if self.phase is not Phase.QUIT:
            self._start()

    @override
    def _start(self) -> None:
        """Ask for as many messages as there is room for."""
        while self._free:
            errand = self._following()
            if errand is None:
                break
            slot = self._free.pop()
            slot.errand = errand
            self._source.ask(slot, errand)
        if self._window:
            return
        self.phase = Phase.REST if len(self._free) == WINDOW else Phase.GATE
        if self.is_leaving and self.phase is Phase.REST:
            self.leave()

    def send(self, slot: Slot) -> None:
        """Write a message whose row is marked, from its envelope to its last octet."""
        errand = slot.errand
        assert errand is not None
        body = self._source.write(errand, slot.attempt)
        if body is None:
            return self.free(slot)
        size = len(body)
        if size > self._limit:
            self._settle(errand, slot.attempt, self._too_big(size))
            return self.free(slot)
        # RFC 3030 leaves open whether MAIL still stands after a BDAT that was refused, and servers
        # differ. Where it does, the next recipient would be added under the last one's sender.
        commands = b"RSET\r\nMAIL FROM:<%b>%b\r\nRCPT TO:<%b>\r\nBDAT %d LAST\r\n" % (
            errand.sender,
            self._parameters(errand, size),
            errand.recipient,
            size,
        )
        self._written += len(commands) + size
        slot.end = self._written
        if not self._window:
            self.phase = _RSET
        self._window.append(slot)
        return self._write(commands + body)

    def free(self, slot: Slot) -> None:
        """Give a place to the next."""
        slot.errand = None
        if not self._dead:
            self._free.append(slot)
            self._start()

    @override
    def _owes_replies(self) -> bool:
        return bool(self._window)

    @override
    def _hear(self, line: bytes) -> None:
        if line[:4] == b"250 ":
            phase = self.phase
            self._lines = 0
            if phase is _RSET:
                self.phase = _MAIL
            elif phase is _MAIL:
                self.phase = _RCPT
            elif phase is _RCPT:
                self.phase = _BODY
            elif phase is _BODY:
                self._reply_to_body(250, line[4:].rstrip(b"\r"))
            else:
                self._read(line)
            return
        self._read(line)

    @override
    def _reply(self, code: int, words: bytes) -> None:
        match self.phase:
            case Phase.BODY:
                self._reply_to_body(code, words)
            case Phase.RSET | Phase.MAIL | Phase.RCPT if code == 421:
                self._take_back(said(code, words))
            case Phase.MAIL:
                self._reply_to_envelope(_RCPT, code, words, good=code == 250)
            case Phase.RCPT:
                self._reply_to_envelope(_BODY, code, words, good=code in {250, 251})
            case _:
                super()._reply(code, words)

    @override
    def _go_on(self) -> None:
        self.phase = _MAIL

    @override
    def _reply_to_body(self, code: int, words: bytes) -> None:
        slot = self._window[0]
        errand = slot.errand
        assert errand is not None
        if (
            (code < 400 and (code != 250 or self._objection))
            or words[:5] == _OF_A_RECIPIENT
            or not self._is_handed_over(slot)
        ):
            # No answer to a body, or one that contradicts the last, or one before its end.
            return self.cut(Reason.BAD_REPLY)
        self._window.popleft()
        self.answered += 1
        if self._window:
            self.phase = _RSET
        if code == 250:
            self._settle(errand, slot.attempt, Outcome(_ACCEPTED, 250, text(words)))
        elif code == 421:
            self._object(errand, slot.attempt, Phase.BODY, code, words)
            return self._take_back(said(code, words))
        else:
            phase, code, words = self._objection or (Phase.BODY, code, words)
            self._objection = None
            self._object(errand, slot.attempt, phase, code, words)
        return self.free(slot)

    def _take_back(self, why: str) -> None:
        """End after a 421: the server takes what it gets in turn, and will get to nothing more."""
        while self._window:
            slot = self._window.popleft()
            assert slot.errand is not None
            self._settle(slot.errand, slot.attempt, Outcome(Verdict.NOT_SENT, 0, why))
        self.cut(why)

    @override
    def _settle_the_rest(self, why: str) -> None:
        for slot in self._window:
            assert slot.errand is not None
            known = self._known(self._written - slot.end)
            self._settle(slot.errand, slot.attempt, Outcome(known, 0, why))
        self._window.clear()  # those at their gates are in the engine's hands

    def _is_handed_over(self, slot: Slot) -> bool:
        return self._known(self._written - slot.end) is Verdict.IN_DOUBT
