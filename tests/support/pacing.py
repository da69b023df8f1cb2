"""Pacers whose clock the test turns."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from mailer.bootstrap import House
from mailer.deliveries.pacing import Pacer
from mailer.kit.work import Door, Work
from mailer.relays import actions as relays
from mailer.relays import store
from mailer.relays.model import OF_SETTINGS, Relay

NOON = datetime(2026, 6, 11, 12, tzinfo=UTC)
FIRST = OF_SETTINGS


class Hours:
    """The clock that all workers share, and that of this machine, in step."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at
        self._ticks = 1000.0

    def pass_(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self._ticks += seconds

    def jump(self, **by: float) -> None:
        """Put the clock of all forward or back; the machine's own goes on as before."""
        self.at += timedelta(**by)

    async def moment(self, work: Work) -> datetime:
        """Do what asking a real clock does: one statement, in the transaction."""
        await store.moment(work)
        return self.at

    def ticks(self) -> float:
        return self._ticks


async def pacer(house: House, hours: Hours) -> Pacer:
    """Give a pacer that has looked once."""
    made = Pacer(house.work, house.settings, moment=hours.moment, ticks=hours.ticks)
    await made.look()
    return made


async def limited(house: House, no: int = FIRST, **limits: int | None) -> None:
    """Say what a relay may carry."""
    everything = {"weight": 1, "connections": None} | {
        "per_second": None,
        "per_hour": None,
        "per_day": None,
    }
    async with house.work(door=Door.ADMIN) as work:
        relay = await work.session.get_one(Relay, no)
        await relays.set_limits(work, relay, **(everything | limits))


async def changed(house: House, verb: Callable[..., Awaitable[object]], **how: object) -> None:
    """Do one thing to the relay of the settings, or to the rules."""
    async with house.work(door=Door.ADMIN) as work:
        await verb(work, **how)


def taken_now(
    pacer: Pacer, *, relay: int = FIRST, domain: str = "example.org", most: int = 10**6
) -> int:
    """Take as many as there are to be had just now."""
    taken = 0
    while taken < most and pacer.take(relay, domain):
        taken += 1
    return taken
