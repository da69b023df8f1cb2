"""One relay: its connections, its rests, and what it may take of its share.

**Rests.** When it does not let us in, or its connections break before they were of use, it rests
and is tried again with one connection: after a second, after two, up to a minute. The first word
about a message ends that; nobody need do anything, and a server that comes back is not trampled.

**Lanes.** A 421, or a connection that breaks at work, halves the connections; each second without
one gives one back (so does Postfix with its destinations).
"""

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Generator, Mapping
from typing import Protocol, cast

import aiosmtplib
import msgspec
import structlog

from mailer.deliveries.model import Reason
from mailer.deliveries.transport import Errand, Route, Settle, Source, Trouble
from mailer.smtp.bdat import BdatPipe
from mailer.smtp.pipe import Pipe
from mailer.smtp.rules import Offer, Phase

log = structlog.get_logger()

_LONGEST_REST = 60.0
_LANES_EVERY = 1.0  # seconds between two changes of how many connections there may be
_OUR_WORDS = frozenset(Reason)
_STUCK_AFTER = 1.0  # seconds without taking what it could take


class Manners(msgspec.Struct, frozen=True):
    """How we behave at every relay's door."""

    our_name: str  # the domain that we greet with
    patience: float  # seconds for each step of being let in
    deadlines: Mapping[Phase, float]
    first_rest: float  # seconds


class Shares(Protocol):
    """Who says how much each relay may take."""

    def grant(self, relay: "Relay") -> bool:
        """Give more credit to a relay that has none left; False if it must wait for the others."""

    def is_utf8_besides(self, relay: "Relay") -> bool:
        """Say whether another relay offers SMTPUTF8, or may."""

    def wake(self) -> None:
        """Have all relays tended soon."""


class Relay:
    """A route, and the connections that are open on it. See `pipe.Home`."""

    def __init__(
        self, route: Route, manners: Manners, *, source: Source, settle: Settle, shares: Shares
    ) -> None:
        self.route = route
        self.share = 1  # what a round gives it; see `fleet`
        self.credit = 0  # errands that it may take until the next round
        self.slots = 0  # of its connections, together
        self.offers_utf8: bool | None = None  # None until it has let us in
        self._manners = manners
        self._source = source
        self._settle = settle
        self._shares = shares
        self._pipes: set[Pipe] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._is_leaving = False
        self._failures = 0
        self._not_before = 0.0
        self._lanes = route.connections
        self._lanes_at = 0.0
        self._taken = 0
        self._taken_then = 0  # at the look when it last moved, and when that was
        self._moved_at = time.monotonic()
        self._is_stuck = False
        self._answers = 0  # that have been heeded
        self._answers_of_ended = 0  # to connections that are gone

    # What the fleet asks. -------------------------------------------------------------------------

    @property
    def is_well(self) -> bool:
        """Say whether it is not known to be in trouble."""
        return not self._failures

    @property
    def is_busy(self) -> bool:
        """Say whether a connection is open, or about to be."""
        return bool(self._pipes or self._opening)

    def keeps_up(self) -> bool:
        """Say whether it takes what it can, so that it is fair to wait for it."""
        return bool(self._pipes) and not self._is_stuck and self._source.waiting(self.route.no) > 0

    def change(self, route: Route) -> None:
        """Take another name, weight or number of connections, without a new connection."""
        if route.connections != self.route.connections:
            self._lanes = route.connections
            self._send_the_surplus_home()
        self.route = route

    def leave(self) -> None:
        """End every connection politely, after what it carries."""
        self._is_leaving = True
        self.credit = 0
        for task in self._opening:
            task.cancel()
        for pipe in list(self._pipes):
            pipe.leave()

    def cut(self, why: str) -> None:
        """End every connection at once."""
        for task in self._opening:
            task.cancel()
        for pipe in list(self._pipes):
            pipe.cut(why)

    def tend(self, now: float) -> None:
        """Give idle connections work, end those that hang, open those that are missing."""
        self._look(now)
        if self._is_leaving:  # one may have been let in meanwhile, for a cancellation can be lost
            return self.leave()
        if now < self._not_before:
            return None
        waiting = self._source.waiting(self.route.no)
        if not waiting or not (self.credit > 0 or self._shares.grant(self)):
            return None
        for pipe in list(self._pipes):
            pipe.stir()
        most = 1 if self._failures else self._lanes
        missing = most - len(self._staying()) - len(self._opening)
        for _ in range(min(missing, self._source.waiting(self.route.no) - len(self._opening))):
            task = asyncio.create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opened)
        return None

    def _look(self, now: float) -> None:
        """See what has changed since the last look."""
        self._heed_answers()
        for pipe in list(self._pipes):
            pipe.check_deadline(now)
        if self._taken != self._taken_then or not self._source.waiting(self.route.no):
            self._taken_then, self._moved_at, self._is_stuck = self._taken, now, False
        else:
            self._is_stuck = now - self._moved_at > _STUCK_AFTER
        if self._lanes < self.route.connections and now - self._lanes_at >= _LANES_EVERY:
            self._lanes, self._lanes_at = self._lanes + 1, now

    def _staying(self) -> list[Pipe]:
        return [pipe for pipe in self._pipes if not pipe.is_leaving]

    def _send_the_surplus_home(self) -> None:
        for pipe in self._staying()[self._lanes :]:
            pipe.leave()

    # What its connections ask (`pipe.Home`). ------------------------------------------------------

    def take(self) -> Errand | None:
        """Give the next errand, as long as its share allows."""
        if self.credit <= 0 and not self._shares.grant(self):
            return None
        errand = self._source.next(self.route.no)
        if errand is not None:
            self.credit -= 1
            self._taken += 1
        return errand

    def is_utf8_elsewhere(self) -> bool:
        """Say whether another relay may know addresses that are not ASCII."""
        return self._shares.is_utf8_besides(self)

    def ended(self, pipe: Pipe, why: str) -> None:
        """Hear that a connection is gone."""
        self._pipes.discard(pipe)
        self.slots -= pipe.slots
        self._answers_of_ended += pipe.answered
        self._heed_answers()
        self._shares.wake()
        if self._is_leaving or why in {"", Reason.NOT_BEGUN}:
            return
        # A server's words may repeat an address: only their code is recorded.
        log.info("connection_broke", relay=self.route.no, why=why if why in _OUR_WORDS else why[:3])
        if pipe.answered:
            self._halve()
        else:
            # It let us in and was of no use: coming back at once would be a hammer.
            self._failed(Trouble.AWAY, why)

    # Being let in. --------------------------------------------------------------------------------

    async def _open(self) -> None:
        smtp = connection(
            self.route, our_name=self._manners.our_name, patience=self._manners.patience
        )
        try:
            await let_in(smtp)
        except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
            smtp.close()
            self._not_let_in(fault)
            return
        except asyncio.CancelledError:
            smtp.close()
            raise
        offer = offer_of(smtp)
        self.offers_utf8 = offer.smtputf8
        make = BdatPipe if offer.pipelining and offer.chunking else Pipe
        pipe = make(
            cast(asyncio.Transport, smtp.transport),
            offer=offer,
            home=self,
            source=self._source,
            settle=self._settle,
            deadlines=self._manners.deadlines,
        )
        self._pipes.add(pipe)
        self.slots += pipe.slots
        if self.is_well:  # else the first word about a message will prove it
            self._source.well(self.route.no)
        pipe.stir()

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        self._shares.wake()
        if not task.cancelled() and (fault := task.exception()):
            log.error("relay_fault", relay=self.route.no, fault=type(fault).__name__)
            self._failed(Trouble.AWAY, type(fault).__name__)

    def _not_let_in(self, fault: Exception) -> None:
        kind, words = told(fault)
        if self._pipes and kind is Trouble.AWAY and words.startswith("4"):
            self._halve()  # others are in: it wants no more of us just now
        else:
            self._failed(kind, words)

    def _failed(self, kind: Trouble, words: str) -> None:
        log.warning(
            "relay_in_trouble",
            relay=self.route.no,
            trouble=kind.name.lower(),
            failures=self._failures + 1,
        )
        self._rest()
        self._source.trouble(self.route.no, kind, words)

    def _rest(self) -> None:
        now = time.monotonic()
        if now < self._not_before:
            return  # several connections ended of one cause
        self._not_before = now + min(self._manners.first_rest * 2**self._failures, _LONGEST_REST)
        self._failures = min(self._failures + 1, 10)

    def _heed_answers(self) -> None:
        """See that it is of use again: it had a word about a message."""
        answers = self._answers_of_ended + sum(pipe.answered for pipe in self._pipes)
        if answers == self._answers:
            return
        self._answers = answers
        if self._failures:
            self._failures, self._not_before = 0, 0.0
            self._source.well(self.route.no)

    def _halve(self) -> None:
        now = time.monotonic()
        if now - self._lanes_at >= _LANES_EVERY:  # several may have ended of one cause
            self._lanes, self._lanes_at = max(self._lanes // 2, 1), now
            self._send_the_surplus_home()


def connection(route: Route, *, our_name: str, patience: float) -> aiosmtplib.SMTP:
    """Prepare a connection as a route says. Certificates are checked, and TLS is never let go.

    aiosmtplib's own choice would be TLS only where it is offered; an attacker need only hide it.
    """
    return aiosmtplib.SMTP(
        hostname=route.host,
        port=route.port,
        use_tls=route.security == "tls",
        start_tls=route.security == "starttls",
        username=route.user or None,
        password=route.password or None,
        timeout=patience,
        local_hostname=_our_name(our_name),
    )


def _our_name(domain: str) -> str:
    """Write an address literal where our name is a number (RFC 5321 4.1.3)."""
    try:
        number = ipaddress.ip_address(domain)
    except ValueError:
        return domain
    return f"[{number}]" if number.version == 4 else f"[IPv6:{number}]"


async def let_in(smtp: aiosmtplib.SMTP) -> None:
    """Connect, greet, secure and sign in, as far as the connection was prepared to."""
    await smtp.connect()
    if not smtp.is_ehlo_or_helo_needed:
        return
    try:
        await smtp.ehlo()
    except aiosmtplib.SMTPHeloError as refused:
        if refused.code not in {500, 502, 504}:
            raise
        await smtp.helo()  # a server from before 1995 (RFC 5321 3.2)


def offer_of(smtp: aiosmtplib.SMTP) -> Offer:
    """Read what a server can do."""
    limit = smtp.esmtp_extensions.get("size", "")
    return Offer(
        pipelining=smtp.supports_extension("pipelining"),
        chunking=smtp.supports_extension("chunking"),
        size=smtp.supports_extension("size"),
        limit=int(limit) if limit.isascii() and limit.isdigit() else 0,
        smtputf8=smtp.supports_extension("smtputf8"),
    )


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


async def greet_route(route: Route, *, our_name: str, patience: float) -> str | None:
    """Try whether a relay lets us in; say why not, or None if it does."""
    smtp = connection(route, our_name=our_name, patience=patience)
    try:
        await let_in(smtp)
        await smtp.quit()
    except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
        smtp.close()
        return told(fault)[1]
    return None
