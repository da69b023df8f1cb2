"""The relay: connections to one mail server, opened when there is work and as many as we may.

When it does not let us in we try again with one connection, after a rest that doubles up to a
minute: nothing is lost meanwhile, and a server that comes back is not trampled.
"""

import asyncio
import contextlib
import ipaddress
import ssl
import time
from collections.abc import Generator, Mapping, Sequence
from typing import cast

import aiosmtplib
import structlog

from mailer.deliveries.model import Reason
from mailer.deliveries.transport import Route, Settle, Source, Trouble
from mailer.settings import Settings
from mailer.smtp.pipe import DEADLINES, Phase, Pipe

log = structlog.get_logger()

_LONGEST_REST = 60.0
_LOOK = 0.25  # seconds between two looks at what needs no hurry
GRACE = 25.0
"""Seconds that connections get to finish their message when we are told to end."""


class Relay:
    """See `deliveries.transport.Transport`."""

    def __init__(
        self,
        settings: Settings,
        *,
        deadlines: Mapping[Phase, float] = DEADLINES,
        first_rest: float = 1.0,
    ) -> None:
        """Take what the server's administrator chose; the seconds of the first rest double."""
        self._settings = settings
        self._deadlines = deadlines
        self._first_rest = first_rest
        self._pipes: set[Pipe] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._failures = 0
        self._not_before = 0.0
        self._source: Source
        self._settle: Settle

    def use(self, routes: Sequence[Route]) -> None:
        """Take the relays that there are."""

    def wake(self) -> None:
        """Hear that there is something to carry."""
        self._woken.set()

    def connections(self) -> int:
        """Say how many connections are open."""
        return len(self._pipes)

    async def run(self, source: Source, settle: Settle) -> None:
        """Carry until the source is ending and nothing is under way."""
        self._source, self._settle = source, settle
        cut_at = float("inf")
        try:
            while not source.is_ending():
                self._tend()
                await self._look_again()
            cut_at = time.monotonic() + GRACE
            while self._pipes or self._opening:
                self._take_leave(cut=time.monotonic() > cut_at)
                await self._look_again()
        finally:
            for task in self._opening:
                task.cancel()
            for pipe in list(self._pipes):
                pipe.cut(Reason.WORKER_ENDED)

    async def _look_again(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), _LOOK)
        self._woken.clear()

    def _tend(self) -> None:
        """Give idle connections work, end those that hang, open those that are missing."""
        now = time.monotonic()
        for pipe in list(self._pipes):
            if pipe.phase is Phase.REST and self._source.waiting(1):
                pipe.start()
            else:
                pipe.check_deadline(now)
        if now < self._not_before:
            return
        most = 1 if self._failures else self._settings.smtp_connections
        missing = most - len(self._pipes) - len(self._opening)
        for _ in range(min(missing, self._source.waiting(1) - len(self._opening))):
            task = asyncio.create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opened)

    def _take_leave(self, *, cut: bool) -> None:
        now = time.monotonic()
        for pipe in list(self._pipes):
            if cut:
                pipe.cut(Reason.NO_REPLY)
            elif pipe.phase is Phase.REST:
                pipe.quit()
            else:
                pipe.check_deadline(now)

    async def _open(self) -> None:
        smtp = connection(self._settings)
        try:
            await smtp.connect()
            if smtp.is_ehlo_or_helo_needed:
                await smtp.ehlo()
        except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
            smtp.close()
            self._failed(*told(fault))
            return
        self._failures = 0
        self._source.well(1)
        pipe = Pipe(
            cast(asyncio.Transport, smtp.transport),
            relay=1,
            pipelining=smtp.supports_extension("pipelining"),
            home=self,
            source=self._source,
            settle=self._settle,
            deadlines=self._deadlines,
        )
        self._pipes.add(pipe)
        if not self._source.is_ending():
            pipe.start()

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        self.wake()
        if not task.cancelled() and (fault := task.exception()):
            log.error("relay_fault", fault=type(fault).__name__)
            self._failed(Trouble.AWAY, type(fault).__name__)

    def ended(self, pipe: Pipe, why: str) -> None:
        """Hear that a connection is gone (`pipe.Home`)."""
        self._pipes.discard(pipe)
        self.wake()
        is_ours = why in {"", Reason.NOT_BEGUN} or self._source.is_ending()
        if not is_ours and not pipe.accepted:
            # It let us in and took nothing: coming back at once would be a hammer.
            self._rest()

    def _failed(self, kind: Trouble, words: str) -> None:
        log.warning("relay_not_reached", trouble=kind.name.lower(), failures=self._failures + 1)
        self._rest()
        self._source.trouble(1, kind, words)

    def _rest(self) -> None:
        if time.monotonic() < self._not_before:
            return  # several connections ended of one cause
        rest = min(self._first_rest * 2**self._failures, _LONGEST_REST)
        self._failures = min(self._failures + 1, 10)
        self._not_before = time.monotonic() + rest


def connection(settings: Settings) -> aiosmtplib.SMTP:
    """Prepare a connection as the settings say. Certificates are checked, and TLS is never let go.

    aiosmtplib's own choice would be TLS only where it is offered; an attacker need only hide it.
    """
    return aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        use_tls=settings.smtp_security == "tls",
        start_tls=settings.smtp_security == "starttls",
        username=settings.smtp_user or None,
        password=settings.smtp_password or None,
        timeout=settings.smtp_patience,
        local_hostname=_our_name(settings.domain),
    )


def _our_name(domain: str) -> str:
    """Write an address literal where our name is a number (RFC 5321 4.1.3)."""
    try:
        number = ipaddress.ip_address(domain)
    except ValueError:
        return domain
    return f"[{number}]" if number.version == 4 else f"[IPv6:{number}]"


def told(fault: BaseException) -> tuple[Trouble, str]:
    """Say what it means that we were not let in."""
    for cause in _causes(fault):
        match cause:
            case ssl.SSLError():
                return Trouble.SHUT, f"TLS: {cause.reason or cause}"
            case aiosmtplib.SMTPNotSupported():
                return Trouble.SHUT, str(cause)
            case _ if type(cause) is aiosmtplib.SMTPException:  # no STARTTLS, no AUTH on offer
                return Trouble.SHUT, str(cause)
            case aiosmtplib.SMTPResponseException():
                kind = Trouble.SHUT if cause.code >= 500 else Trouble.AWAY
                return kind, f"{cause.code} {cause.message}"
            case _:
                pass
    return Trouble.AWAY, str(fault) or type(fault).__name__


def _causes(fault: BaseException | None) -> Generator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__


async def greet(settings: Settings) -> str | None:
    """Try whether the relay lets us in; say why not, or None if it does."""
    smtp = connection(settings)
    try:
        await smtp.connect()
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
        await smtp.quit()
    except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
        smtp.close()
        return told(fault)[1]
    return None
