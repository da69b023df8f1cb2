"""Minding: what is looked after beside the sending.

Several times a second: limits and relays are read again, campaigns that went wrong are paused,
brakes are looked at, and organisers are told what keeps a campaign from going.
"""

import asyncio
import functools
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
import structlog

from mailer.deliveries import braking, finishing
from mailer.deliveries.finishing import OpenWork
from mailer.deliveries.lines import Lines
from mailer.deliveries.pacing import Pacer
from mailer.deliveries.transport import Transport, Trouble
from mailer.kit.work import clock

log = structlog.get_logger()

FAULTS_BEFORE_PAUSE = 3

_BUSY = 0.25  # seconds between two rounds while something waits
_IDLE = 1.0
_BRAKES = 1.0  # seconds between two looks at the brakes of a campaign that servers refuse

Why = Callable[[], str]
"""Says why, in the language that is spoken when it is called."""


class Ailing(msgspec.Struct):
    """A relay that does not let us in."""

    kind: Trouble
    words: str
    since: datetime
    times: int


class Minder:
    """Keeps an eye on limits, relays, brakes and troubles."""

    def __init__(
        self, pacer: Pacer, lines: Lines, transport: Transport, open_work: OpenWork
    ) -> None:
        self.stopped: dict[int, Why] = {}  # campaigns to be paused for all workers, and why
        self._pacer = pacer
        self._lines = lines
        self._transport = transport
        self._open_work = open_work
        self._called = asyncio.Event()
        self._ailing: dict[int, Ailing] = {}
        self._refused: Counter[int] = Counter()  # by campaign, not yet written down
        self._brakes_at = 0.0
        self._told: dict[int, object] = {}  # campaign to what stands beside it
        self._is_ending = False

    # What it hears. -------------------------------------------------------------------------------

    def stop(self, campaign: int, why: Why) -> None:
        """Take nobody new of a campaign, and pause it for all workers."""
        self.stopped.setdefault(campaign, why)
        self._called.set()

    def refused(self, campaign: int) -> None:
        """Count a recipient whose server refused for good."""
        self._refused[campaign] += 1

    def trouble(self, relay: int, kind: Trouble, words: str) -> None:
        """Hear that a relay does not let us in."""
        before = self._ailing.get(relay)
        is_same = before is not None and before.kind is kind
        self._ailing[relay] = Ailing(
            kind=kind,
            words=words,
            since=before.since if before else clock(),
            times=before.times + 1 if before and is_same else 1,
        )
        if self._is_shut_out():
            for no in self._lines.turns:
                self.stop(no, functools.partial(finishing.shut_out, words))
        self._called.set()

    def well(self, relay: int) -> None:
        """Hear that a relay let us in."""
        if self._ailing.pop(relay, None):
            self._called.set()

    def end(self) -> None:
        """Do a last round and leave."""
        self._is_ending = True
        self._called.set()

    def _is_shut_out(self) -> bool:
        """Say whether every relay has turned us away often enough to ask for a person."""
        ailing = self._all_ailing()
        return bool(ailing) and all(
            one.kind is Trouble.SHUT and one.times >= FAULTS_BEFORE_PAUSE for one in ailing
        )

    def _all_ailing(self) -> list[Ailing]:
        """Give the troubles, if there is no relay without one."""
        relays = [route.no for route in self._pacer.routes()]
        if any(no not in self._ailing for no in relays):
            return []
        return [self._ailing[no] for no in relays]

    # What it does. --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Go round until the end."""
        while not self._is_ending:
            await self.round()
            busy = self._lines.at_hand() or any(turn.aside for turn in self._lines.turns.values())
            await self._wait(_BUSY if busy else _IDLE)
        await self._attempt(self._count_refusals)
        await self._pacer.close()

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._called.wait(), seconds)
            await asyncio.sleep(_BUSY / 10)  # one cause is often heard several times
        except TimeoutError:
            pass
        self._called.clear()

    async def round(self) -> None:
        """Look once at everything."""
        for step in (self._look, self._pause_the_stopped, self._count_refusals, self._tell):
            await self._attempt(step)

    async def _attempt(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do a step; one that fails, as it does while the database is away, waits for a round.

        Mail must not stop because a reason could not be written beside it.
        """
        try:
            await step()
        except Exception as fault:  # noqa: BLE001  # recorded, and tried again
            log.error("minding_failed", step=step.__name__, fault=type(fault).__name__)  # noqa: TRY400

    async def _look(self) -> None:
        routes = self._pacer.routes()
        if await self._pacer.look():
            if routes is not self._pacer.routes():
                self._transport.use(self._pacer.routes())
            self._lines.ask_again()
            self._transport.wake()

    async def _pause_the_stopped(self) -> None:
        for no, why in list(self.stopped.items()):
            async with self._open_work() as work:
                await finishing.pause(work, no, why)
            del self.stopped[no]

    async def _count_refusals(self) -> None:
        now = asyncio.get_running_loop().time()
        if not self._refused or (now - self._brakes_at < _BRAKES and not self._is_ending):
            return
        self._brakes_at = now
        refused = dict(self._refused)
        async with self._open_work() as work:
            for campaign, number in refused.items():
                await braking.note_bounce(work, campaign, number)
        self._refused.subtract(refused)
        self._refused = +self._refused
        for campaign in refused:
            await braking.check(self._open_work, campaign)

    async def _tell(self) -> None:
        """Write beside each campaign what keeps it, when that has changed."""
        turns = self._lines.turns
        self._told = {no: told for no, told in self._told.items() if no in turns}
        whys = {no: self._why(no) for no in turns}
        news = {no: why for no, why in whys.items() if self._told.get(no, _UNTOLD) != _name(why)}
        for name in {_name(why) for why in news.values()}:
            some = [no for no, why in news.items() if _name(why) == name]
            async with self._open_work() as work:
                await finishing.tell(work, some, news[some[0]])
            self._told.update(dict.fromkeys(some, name))

    def _why(self, campaign: int) -> Why | None:
        if ailing := self._all_ailing():
            first = min(ailing, key=lambda one: one.since)
            return functools.partial(finishing.no_answer, first.kind, first.since, first.words)
        return self._pacer.why(self._lines.turns[campaign].campaign.kind)


_UNTOLD = object()


def _name(why: Why | None) -> object:
    """Give what tells two reasons apart."""
    if isinstance(why, functools.partial):
        return why.func, why.args
    return why
