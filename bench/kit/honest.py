"""A server that writes down what it accepts before it says so. `python -m bench.kit.honest --help`.

Its log is the truth by which a ledger is judged: one line `<monotonic seconds> <Message-ID>` for
each message, appended by one write() before the 250. It can hang up after the end of the data, with
and without having taken the message, and think for a while over each.
"""

import argparse
import asyncio
import os
import random
import re
import ssl
import time
from pathlib import Path
from typing import cast

import uvloop
from typing_extensions import override

from tests.support.certificates import certificate

NAME = re.compile(rb"\r\nMessage-ID: <([^@>]+)", re.IGNORECASE)
END = b"\r\n.\r\n"


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, log: int, how: argparse.Namespace, tls: ssl.SSLContext | None) -> None:
        self.log = log
        self.tls = tls
        self.is_secure = False
        self.how = how
        self.buffer = bytearray()
        self.seen = 0  # octets of the body in which no end was found
        self.in_body = False
        self.thinks = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none of asyncio's
        self.transport.write(b"220 sink ESMTP\r\n")

    @override
    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self.go_on()

    def go_on(self) -> None:
        while not self.thinks and not self.transport.is_closing():
            if not (self.body() if self.in_body else self.command()):
                return

    def body(self) -> bool:
        end = self.buffer.find(END, max(0, self.seen - len(END)))
        if end < 0:
            self.seen = len(self.buffer)
            return False
        message = bytes(self.buffer[:end])
        del self.buffer[: end + len(END)]
        self.in_body, self.seen = False, 0
        if self.how.delay:
            self.thinks = True
            loop = asyncio.get_running_loop()
            loop.call_later(random.uniform(0, 2 * self.how.delay), self.think_no_more, message)
        else:
            self.take(message)
        return True

    def think_no_more(self, message: bytes) -> None:
        self.thinks = False
        self.take(message)
        self.go_on()

    def take(self, message: bytes) -> None:
        chance = random.random()
        if chance < self.how.drop_before + self.how.drop_after:
            with Path(f"{self.how.log}.dropped").open("ab") as file:
                file.write(b"\n")
        if chance < self.how.drop_before:  # read, not taken, and no word about it
            self.transport.abort()
            return
        found = NAME.search(b"\r\n" + message)
        assert found
        os.write(self.log, b"%.4f %s\n" % (time.monotonic(), found[1]))
        if self.how.keep:
            with Path(self.how.keep).open("xb") as file:
                file.write(message + b"\r\n")
            self.how.keep = ""
        if chance < self.how.drop_before + self.how.drop_after:  # taken, and no word about it
            self.transport.abort()
        elif not self.transport.is_closing():
            self.transport.write(b"250 2.0.0 taken\r\n")

    def command(self) -> bool:
        end = self.buffer.find(b"\r\n")
        if end < 0:
            return False
        verb = bytes(self.buffer[: min(end, 8)]).upper()
        del self.buffer[: end + 2]
        if verb.startswith(b"EHLO"):
            offer = b"250-STARTTLS\r\n" if self.tls and not self.is_secure else b""
            self.transport.write(b"250-sink\r\n" + offer + b"250-PIPELINING\r\n250 8BITMIME\r\n")
        elif verb == b"STARTTLS" and self.tls:
            self.transport.write(b"220 2.0.0 go on\r\n")
            self.securing = asyncio.create_task(self.secure(self.tls))
            return False
        elif verb == b"DATA":
            self.in_body = True
            self.transport.write(b"354 go on\r\n")
        elif verb == b"QUIT":
            self.transport.write(b"221 2.0.0 bye\r\n")
            self.transport.close()
        else:
            self.transport.write(b"250 2.0.0 ok\r\n")
        return True

    async def secure(self, tls: ssl.SSLContext) -> None:
        """Go on in private (RFC 3207)."""
        loop = asyncio.get_running_loop()
        secured = await loop.start_tls(self.transport, self, tls, server_side=True)
        assert secured
        self.transport, self.is_secure = secured, True


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--keep", default="", help="a file for the first message")
    parser.add_argument("--delay", type=float, default=0.0, help="mean seconds over a message")
    parser.add_argument("--drop-before", type=float, default=0.0, help="share, not taken")
    parser.add_argument("--drop-after", type=float, default=0.0, help="share, and taken")
    parser.add_argument("--secret", default="", help="folder for a certificate: offer STARTTLS")
    how = parser.parse_args()
    tls = certificate(Path(how.secret))[1] if how.secret else None
    log = os.open(how.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Line(log, how, tls), how.host, how.port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
