"""A real SMTP server in the test's own loop, whose manners a test can script.

    relay.plan("RCPT", "450 4.2.1 not now")    the next answer at that step
    relay.plan("RCPT bo@example.org", "550 …") the same for one recipient; so with DATA
    relay.plan("DATA", DROP)                   after the final dot: hang up without a word
    relay.plan("DATA", TAKE)                   the same, and yet it has been taken
    relay.plan("BODY", DROP)                   hang up while the body is coming
    relay.plan("BODY", STALL)                  read no more of it
    relay.plan("DATA", HANG)                   never answer
    relay.plan("CONNECT", DROP)                hang up at once

`relay.meanwhile["RCPT bo@example.org"] = leave` does something else before it answers, once;
`relay.delay = 0.02` takes so many seconds over each message, on average.
A plan may be made for good: `relay.always("RCPT", "450 4.2.1 not now")`, until `relay.heal()`.

What is not planned is accepted. `relay.letters` are those taken, `relay.wire` every byte.
"""

import asyncio
import dataclasses
import enum
import random
import ssl
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope, Session
from typing_extensions import override


class Manner(enum.Enum):
    """What is not an answer."""

    DROP = enum.auto()
    HANG = enum.auto()
    TAKE = enum.auto()
    STALL = enum.auto()


DROP, HANG, TAKE, STALL = Manner


@dataclasses.dataclass
class Letter:
    """What a sender handed over."""

    sender: str
    to: list[str]
    content: bytes


class Relay:
    """The server. A context, so that nothing is left listening."""

    def __init__(
        self, *, pipelining: bool = True, tls: ssl.SSLContext | None = None, **manners: Any
    ) -> None:
        """Listen; `tls` from the first octet. Other manners are aiosmtpd's (`auth_required`…)."""
        self.pipelining = pipelining
        self.tls = tls
        self.manners = manners
        self.port = 0
        self.letters: list[Letter] = []
        self.wire: list[tuple[str, bytes]] = []  # (">" from us, "<" from the client; bytes)
        self.reached = defaultdict[str, asyncio.Event](asyncio.Event)
        self.delay = 0.0
        self.meanwhile: dict[str, Callable[[], Awaitable[None]]] = {}
        self._plans = defaultdict[str, deque[str | Manner]](deque)
        self._always: dict[str, str | Manner] = {}
        self._lines: set[_Line] = set()

    def plan(self, step: str, *answers: str | Manner) -> None:
        self._plans[step].extend(answers)

    def always(self, step: str, answer: str | Manner) -> None:
        self._always[step] = answer

    def heal(self) -> None:
        """Accept everything again."""
        self._always.clear()
        self._plans.clear()

    async def wait_for(self, step: str) -> None:
        """Wait until a client has come to a step."""
        async with asyncio.timeout(40):
            await self.reached[step].wait()

    def said_by_clients(self) -> bytes:
        return b"".join(data for who, data in self.wire if who == "<")

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        # Not aiosmtpd's Controller: it needs a port chosen beforehand, and a thread.
        self._server = await loop.create_server(
            lambda: _Line(self), "127.0.0.1", self.port, ssl=self.tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _it: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        # Who has been accepted and has no line yet cannot be attached to a server that is closed:
        # asyncio forgets their sockets. So: let nobody in, let those arrive, then close.
        for listening in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        await _some_passes()
        for line in list(self._lines):
            hang_up(line)
        self._server.close()
        await self._server.wait_closed()
        await _some_passes()  # connection_lost cancels the handlers

    def planned(self, step: str) -> str | Manner | None:
        """Take the next plan for a step."""
        self.reached[step].set()
        return self._plans[step].popleft() if self._plans[step] else self._always.get(step)

    async def at(self, step: str, line: SMTP, who: str = "") -> str | None:
        """Do what is planned; None when nothing is."""
        if meanwhile := self.meanwhile.pop(f"{step} {who}", None):
            await meanwhile()
        planned = (self.planned(f"{step} {who}") if who else None) or self.planned(step)
        match planned:
            case Manner.TAKE:
                assert line.envelope
                self._take(line.envelope)
                hang_up(line)
                return "421 unheard"
            case Manner.DROP:
                hang_up(line)
                return "421 unheard"
            case Manner.HANG:
                await asyncio.Event().wait()
            case _:
                pass
        return planned if isinstance(planned, str) else None

    # aiosmtpd calls these by name.

    async def handle_EHLO(
        self,
        server: SMTP,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        answers: list[str],
    ) -> list[str]:
        session.host_name = hostname
        planned = await self.at("EHLO", server)
        if self.pipelining:
            answers.insert(1, "250-PIPELINING")
        return [planned] if planned else answers

    async def handle_MAIL(
        self,
        server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        planned = await self.at("MAIL", server)
        if planned is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return planned or "250 2.1.0 OK"

    async def handle_RCPT(
        self,
        server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        planned = await self.at("RCPT", server, address)
        if planned is None:
            envelope.rcpt_tos.append(address)
        return planned or "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(random.uniform(0, 2 * self.delay))
        planned = await self.at("DATA", server, envelope.rcpt_tos[0])
        if planned is None:
            self._take(envelope)
        return planned or "250 2.0.0 taken"

    def _take(self, envelope: Envelope) -> None:
        content = envelope.original_content or b""
        self.letters.append(Letter(envelope.mail_from or "", list(envelope.rcpt_tos), content))


async def _some_passes() -> None:
    """Let the loop do what is waiting to be done."""
    for _ in range(5):
        await asyncio.sleep(0)


def hang_up(line: SMTP) -> None:
    """End a connection without a word."""
    assert isinstance(line.transport, asyncio.Transport)
    line.transport.abort()


class _Line(SMTP):
    """One connection, overheard."""

    def __init__(self, relay: Relay) -> None:
        super().__init__(relay, hostname="relay.test", ident="relay", **relay.manners)
        self._relay = relay
        self._in_body = False

    @override
    def connection_made(self, transport: Any) -> None:
        self._relay._lines.add(self)
        super().connection_made(transport)
        if self._relay.planned("CONNECT") is Manner.DROP:
            hang_up(self)

    @override
    def connection_lost(self, error: Exception | None) -> None:
        self._relay._lines.discard(self)
        super().connection_lost(error)

    @override
    def data_received(self, data: bytes) -> None:
        self._relay.wire.append(("<", data))
        if self._in_body:
            match self._relay.planned("BODY"):
                case Manner.DROP:
                    hang_up(self)
                    return
                case Manner.STALL:
                    assert isinstance(self.transport, asyncio.Transport)
                    self.transport.pause_reading()
                    return
                case Manner.HANG:
                    return  # the bytes are swallowed: the final dot is never seen
                case _:
                    pass
        super().data_received(data)

    @override
    async def push(self, status: Any) -> None:
        said = status if isinstance(status, bytes) else str(status).encode()
        self._relay.wire.append((">", said))
        self._in_body = said.startswith(b"354")
        await super().push(status)
