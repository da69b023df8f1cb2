"""A mail server that breaks in every way, by script or at random; its log is the truth.

    chaos.plan("RCPT", Say("450 4.2.1 not now"))   the next answer at that step
    chaos.plan("END", Drop(taken=True))            after the body: taken, and not a word
    chaos.always("CONNECT", Reset())               until `chaos.heal()`
    chaos.storm = {"END": [(0.1, Hang())]}         one in ten, by the seed

The steps: CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA (or BDAT), BODY (its first octets have
come), END (it is whole), RSET, QUIT. What is not planned is answered well.

`chaos.accepted` holds what it took, written down before it says so; `chaos.begun` whose bodies have
begun to come. It is our own, since aiosmtpd knows no BDAT (RFC 3030) and answers too well.
"""

import asyncio
import base64
import contextlib
import dataclasses
import random
import re
import socket
import ssl
import struct
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

MODES: Mapping[str, Sequence[str]] = {
    "plain": (),
    "pipelined": ("PIPELINING",),
    "bdat": ("PIPELINING", "CHUNKING"),
}


@dataclasses.dataclass(frozen=True)
class Manner:
    """What it does instead of the usual. `taken`: a body is taken all the same."""

    taken: bool = False


class Drop(Manner):
    """Hang up without a word."""


class Reset(Manner):
    """Hang up rudely: RST, and what is under way is thrown away."""


class Hang(Manner):
    """Never answer, and read no more."""


class Garbage(Manner):
    """Answer with what is no SMTP."""


class TooLong(Manner):
    """Answer with a line that does not end."""


class Endless(Manner):
    """Answer with lines that do not end."""


@dataclasses.dataclass(frozen=True)
class Say(Manner):
    """Answer so. A 250 takes a body."""

    reply: str = "250 ok"


@dataclasses.dataclass(frozen=True)
class Slowly(Manner):
    """Give the usual answer one octet at a time."""

    pause: float = 0.3
    taken: bool = True


@dataclasses.dataclass(frozen=True)
class Split(Manner):
    """Give the usual answer in several packets."""

    taken: bool = True


@dataclasses.dataclass(frozen=True)
class Twice(Manner):
    """Give the usual answer, and one that nobody asked for."""

    taken: bool = True


@dataclasses.dataclass(frozen=True)
class Taken:
    """What it took."""

    sender: str
    to: str
    content: bytes


Storm = Mapping[str, Sequence[tuple[float, Manner]]]


class Chaos:
    """The server. A context, so that nothing is left listening."""

    def __init__(
        self,
        *,
        offers: Sequence[str] = MODES["pipelined"],
        seed: int = 0,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        password: str = "",
    ) -> None:
        """Offer this at EHLO; `tls` from the first octet. With a password everybody is "roll"."""
        self.offers = list(offers)
        self.random = random.Random(seed)
        self.tls = tls
        self.starttls = starttls
        self.password = password
        self.port = 0
        self.greylists = False
        self.knows_nothing_of: frozenset[str] = frozenset()
        self.on_body: Callable[[str], None] = lambda _to: None
        self.storm: Storm = {}
        self.accepted: list[Taken] = []
        self.begun: list[str] = []
        self.commands: list[str] = []
        self.connections = 0
        self.open = 0
        self._seen: set[str] = set()  # by the greylist
        self._plans = defaultdict[str, deque[Manner]](deque)
        self._always: dict[str, Manner] = {}
        self._lines: set[asyncio.Task[None]] = set()

    def plan(self, step: str, *manners: Manner) -> None:
        self._plans[step].extend(manners)

    def always(self, step: str, manner: Manner) -> None:
        self._always[step] = manner

    def heal(self) -> None:
        """Answer everything well again."""
        self._plans.clear()
        self._always.clear()
        self.storm = {}

    def manner(self, step: str) -> Manner | None:
        """Choose how to behave at a step."""
        if self._plans[step]:
            return self._plans[step].popleft()
        if step in self._always:
            return self._always[step]
        chance = self.random.random()
        for share, manner in self.storm.get(step, ()):
            chance -= share
            if chance < 0:
                return manner
        return None

    def knows(self, recipient: str) -> bool:
        """Greylist: let nobody in the first time."""
        if not self.greylists or recipient in self._seen:
            return True
        self._seen.add(recipient)
        return False

    def hang_up(self) -> None:
        """End every connection at once."""
        for line in self._lines:
            line.cancel()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _it: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        self._server.close()
        for _ in range(3):  # one that has just been accepted has no task yet
            self.hang_up()
            await asyncio.gather(*self._lines, return_exceptions=True)
            await asyncio.sleep(0)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._lines.add(task)
        self.connections += 1
        self.open += 1
        try:
            with contextlib.suppress(_HungUp, OSError, asyncio.IncompleteReadError):
                await Line(self, reader, writer).serve()
        except asyncio.CancelledError:
            writer.transport.abort()  # the test is over, and streams would report a cancellation
        finally:
            self.open -= 1
            self._lines.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class _HungUp(Exception):
    """This connection is over."""


class Line:
    """One connection."""

    def __init__(
        self, chaos: Chaos, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._chaos = chaos
        self._reader = reader
        self._writer = writer
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._is_signed_in = not chaos.password

    async def serve(self) -> None:
        await self._answer("CONNECT", "220 chaos.test ESMTP")
        while True:
            line = (await self._reader.readuntil(b"\r\n")).decode("utf-8", "replace").strip()
            self._chaos.commands.append(line)
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO":
                    await self._ehlo()
                case "HELO":
                    await self._say("250 chaos.test")
                case "STARTTLS":
                    await self._starttls()
                case "AUTH":
                    await self._auth(rest)
                case "MAIL":
                    await self._mail(rest)
                case "RCPT":
                    await self._rcpt(rest)
                case "DATA":
                    await self._data()
                case "BDAT":
                    await self._bdat(rest)
                case "RSET":
                    self._forget()
                    await self._answer("RSET", "250 2.0.0 forgotten")
                case "QUIT":
                    await self._answer("QUIT", "221 2.0.0 bye")
                    raise _HungUp
                case _:
                    await self._say("500 5.5.2 what?")

    # Being let in. --------------------------------------------------------------------------------

    async def _ehlo(self) -> None:
        offers = list(self._chaos.offers)
        if self._chaos.starttls and self._writer.get_extra_info("sslcontext") is None:
            offers.append("STARTTLS")
        if self._chaos.password:
            offers.append("AUTH PLAIN LOGIN")
        lines = ["chaos.test", *offers]
        marks = ["-"] * (len(lines) - 1) + [" "]
        said = [f"250{mark}{line}" for mark, line in zip(marks, lines, strict=True)]
        await self._answer("EHLO", "\r\n".join(said))

    async def _starttls(self) -> None:
        assert self._chaos.starttls
        manner = self._chaos.manner("STARTTLS")
        if isinstance(manner, Garbage):  # where the handshake should be
            self._writer.write(b"220 go\r\n")
            await asyncio.sleep(0.05)
        await self._do(manner, "220 go")
        if manner is None:
            await self._writer.start_tls(self._chaos.starttls)

    async def _auth(self, rest: str) -> None:
        kind, _, first = rest.partition(" ")
        if kind == "PLAIN":
            _, name, password = base64.b64decode(first).decode().split("\0")
        else:
            name = base64.b64decode(first).decode()
            await self._say("334 UGFzc3dvcmQ6")
            password = base64.b64decode(await self._reader.readuntil(b"\r\n")).decode()
        self._is_signed_in = (name, password) == ("roll", self._chaos.password)
        good = "235 2.7.0 welcome" if self._is_signed_in else "535 5.7.8 credentials"
        await self._answer("AUTH", good)

    # A message. -----------------------------------------------------------------------------------

    async def _mail(self, rest: str) -> None:
        if not self._is_signed_in:
            await self._say("530 5.7.0 sign in first")
        elif self._sender is not None:
            await self._say("503 5.5.1 nested MAIL")
        elif await self._answer("MAIL", "250 2.1.0 ok"):
            self._sender = _address(rest)

    async def _rcpt(self, rest: str) -> None:
        recipient = _address(rest)
        if self._sender is None:
            await self._say("503 5.5.1 need MAIL")
        elif not self._chaos.knows(recipient):
            await self._say("450 4.2.0 greylisted")
        elif recipient in self._chaos.knows_nothing_of:
            await self._say("550 5.1.1 nobody")
        elif await self._answer("RCPT", "250 2.1.5 ok"):
            self._recipients.append(recipient)

    async def _data(self) -> None:
        if not self._recipients:
            await self._say("554 5.5.1 no valid recipients")
        elif await self._answer("DATA", "354 go on"):
            await self._body()

    async def _body(self) -> None:
        content = await self._reader.readexactly(3)
        if content == b".\r\n":
            await self._say("554 5.6.0 nothing")
            return
        await self._begin()
        while not content.endswith(b"\r\n.\r\n"):
            content += await self._reader.readuntil(b"\r\n")
        await self._end(content.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n."))

    async def _bdat(self, rest: str) -> None:
        size, _, last = rest.partition(" ")
        assert last == "LAST"
        whom = list(self._recipients)
        if whom:
            await self._begin()
        content = await self._reader.readexactly(int(size))
        if not whom:
            # As Exim does: MAIL still stands, and the next must begin with RSET.
            await self._say("503 5.5.1 no valid recipients")
        else:
            await self._end(content)

    async def _begin(self) -> None:
        self._chaos.begun.extend(self._recipients)
        for recipient in self._recipients:
            self._chaos.on_body(recipient)
        manner = self._chaos.manner("BODY")
        if manner is not None:
            await self._do(manner, "")

    async def _end(self, content: bytes) -> None:
        manner = self._chaos.manner("END")
        is_yes = isinstance(manner, Say) and manner.reply.startswith("250")
        if manner is None or manner.taken or is_yes:
            self._chaos.accepted += [
                Taken(self._sender or "", recipient, content) for recipient in self._recipients
            ]
        self._forget()
        await self._do(manner, "250 2.0.0 taken")

    def _forget(self) -> None:
        self._sender = None
        self._recipients = []

    # Answers. -------------------------------------------------------------------------------------

    async def _answer(self, step: str, usual: str) -> bool:
        """Answer as planned; say whether it was, in the end, the usual."""
        manner = self._chaos.manner(step)
        await self._do(manner, usual)
        if isinstance(manner, Say):
            return manner.reply[:3] == usual[:3]
        return manner is None or isinstance(manner, Slowly | Split | Twice)

    async def _do(self, manner: Manner | None, usual: str) -> None:
        match manner:
            case None:
                await self._say(usual)
            case Say():
                await self._say(manner.reply)
                if manner.reply.startswith("421"):
                    raise _HungUp
            case Slowly():
                await self._say_by_octets(usual, pause=manner.pause)
            case Split():
                await self._say_by_octets(usual, pause=0)
            case Twice():
                await self._say(f"{usual}\r\n250 2.0.0 and again")
            case Garbage():
                self._writer.write(b"\x00\xff\xfe what?\r\n" * 3)
            case TooLong():
                self._writer.write(b"250 " + b"x" * 20_000)
            case Endless():
                self._writer.write(b"250-and\r\n" * 500)
            case Hang():
                await asyncio.Event().wait()
            case Reset():
                linger = struct.pack("ii", 1, 0)
                line = self._writer.get_extra_info("socket")
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self._writer.transport.abort()
                raise _HungUp
            case _:
                raise _HungUp

    async def _say_by_octets(self, reply: str, *, pause: float) -> None:
        for octet in f"{reply}\r\n".encode():
            if self._writer.is_closing():
                raise _HungUp
            self._writer.write(bytes((octet,)))
            await asyncio.sleep(pause)

    async def _say(self, reply: str) -> None:
        self._writer.write(f"{reply}\r\n".encode())
        await self._writer.drain()


def _address(rest: str) -> str:
    found = re.search(r"<([^>]*)>", rest)
    assert found
    return found[1]


@contextlib.asynccontextmanager
async def nobody() -> AsyncGenerator[int]:
    """Give a port at which nobody answers."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield closed.getsockname()[1]
