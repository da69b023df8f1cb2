"""The relays together: each carries its share, and one that rests is stood in for.

**Shares.** A round gives every relay that is well as many errands as its weight says. Who has used
up its own begins the next round, but waits while another lags more than a round behind: so shares
follow the weights within two rounds, also where one relay is quicker. Nobody waits for a relay that
rests, that may take nothing just now (its limits), or that takes nothing for a second; what it
misses is not made up for later.

**Spares** (weight 0) carry only while no relay that has a weight is well.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence

import msgspec

from mailer.deliveries.model import Reason
from mailer.deliveries.transport import Route, Settle, Source
from mailer.settings import Settings
from mailer.smtp.relay import Manners, Relay, greet_route
from mailer.smtp.rules import DEADLINES, Phase

_ROUND = 16  # errands in a round, unless the weights themselves sum to more
_LOOK = 0.25  # seconds between two looks at what needs no hurry
GRACE = 25.0
"""Seconds that connections get to finish their message when we are told to end."""


class Fleet:
    """See `deliveries.transport.Transport`."""

    def __init__(
        self,
        *,
        our_name: str,
        patience: float,
        deadlines: Mapping[Phase, float] = DEADLINES,
        first_rest: float = 1.0,
    ) -> None:
        """Greet with our name, wait so many seconds for each step of being let in.

        The seconds of a relay's first rest double.
        """
        self._manners = Manners(our_name, patience, deadlines, first_rest)
        self._routes: list[Route] = []
        self._relays: dict[int, Relay] = {}
        self._left: list[Relay] = []  # no longer of the fleet, and not yet empty
        self._is_anyone_waiting = False  # for others to keep up
        self._woken = asyncio.Event()
        self._source: Source | None = None
        self._settle: Settle

    def use(self, routes: Sequence[Route]) -> None:
        """Take the relays that there are; connections of those that stay as they were stay too."""
        is_new = list(routes) != self._routes
        self._routes = list(routes)
        if is_new and self._source is not None:
            self._arrange(self._source)

    def wake(self) -> None:
        """Hear that there is something to carry."""
        self._woken.set()

    def connections(self) -> int:
        """Say how many messages can come to the gate: one for each connection, or its window."""
        return sum([relay.slots for relay in self._relays.values()])

    async def run(self, source: Source, settle: Settle) -> None:
        """Carry until the source is ending and nothing is under way."""
        self._source, self._settle = source, settle
        self._arrange(source)
        try:
            while not source.is_ending():
                self._tend()
                await self._look_again()
            await self._take_leave()
        finally:
            for relay in self._all():
                relay.cut(Reason.WORKER_ENDED)
            self._source, self._relays, self._left = None, {}, []

    async def _take_leave(self) -> None:
        for relay in self._all():
            relay.leave()
        cut_at = time.monotonic() + GRACE
        while any(relay.is_busy for relay in self._all()):
            self._tend()
            if time.monotonic() > cut_at:
                for relay in self._all():
                    relay.cut(Reason.NO_REPLY)
            await self._look_again()

    async def _look_again(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), _LOOK)
        self._woken.clear()

    def _tend(self) -> None:
        now = time.monotonic()
        for relay in self._all():
            relay.tend(now)
        self._left = [relay for relay in self._left if relay.is_busy]

    def _all(self) -> list[Relay]:
        return [*self._relays.values(), *self._left]

    def _arrange(self, source: Source) -> None:
        """Keep, change, add and send away relays, until they are as the routes say."""
        before, self._relays = self._relays, {}
        for route in self._routes:
            relay = before.get(route.no)
            if relay is not None and _door(relay.route) == _door(route):
                relay.change(route)
                del before[route.no]
            else:
                relay = Relay(route, self._manners, source=source, settle=self._settle, shares=self)
            self._relays[route.no] = relay
        for relay in before.values():
            relay.leave()
            self._left.append(relay)
        total = sum(_weight(route) for route in self._routes)
        for relay in self._relays.values():
            relay.share = _weight(relay.route) * max(-(-_ROUND // total), 1)
            relay.credit = 0
        self.wake()

    # What relays ask (`relay.Shares`). ------------------------------------------------------------

    def grant(self, relay: Relay) -> bool:
        """Begin another round, unless somebody lags behind who could keep up."""
        carriers = self._carriers()
        if relay not in carriers:
            return self._try_out(relay, carriers)
        for other in carriers:
            if other is not relay and other.credit > other.share and other.keeps_up():
                self._is_anyone_waiting = True
                return False
        for one in carriers:
            one.credit = min(max(one.credit, 0) + one.share, 2 * one.share)
        if self._is_anyone_waiting:
            self._is_anyone_waiting = False
            self.wake()
        return True

    def is_utf8_besides(self, relay: Relay) -> bool:
        """Say whether another relay offers SMTPUTF8, or has not said yet."""
        return any(
            other.offers_utf8 is not False for other in self._relays.values() if other is not relay
        )

    def _carriers(self) -> list[Relay]:
        """List those among whom the errands are shared now."""
        well = [relay for relay in self._relays.values() if relay.is_well]
        return [relay for relay in well if relay.route.weight] or well

    def _try_out(self, relay: Relay, carriers: Sequence[Relay]) -> bool:
        """Let a relay that was in trouble prove itself with an errand at a time."""
        is_wanted = relay.route.weight or not any(one.route.weight for one in carriers)
        has_left = self._relays.get(relay.route.no) is not relay
        if relay.is_well or not is_wanted or has_left:
            return False
        relay.credit = 1
        return True


def _weight(route: Route) -> int:
    return route.weight or 1  # spares share alike


def _door(route: Route) -> Route:
    """Give of a route what a connection depends on."""
    return msgspec.structs.replace(route, name="", connections=0, weight=0)


def route_of(settings: Settings) -> Route:
    """Give the relay that the server's administrator chose in the settings."""
    return Route(
        no=1,
        name=settings.smtp_host,
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=settings.smtp_password,
        connections=settings.smtp_connections,
    )


async def greet(settings: Settings) -> str | None:
    """Try whether the relay of the settings lets us in; say why not, or None if it does."""
    return await greet_route(
        route_of(settings), our_name=settings.domain, patience=settings.smtp_patience
    )
