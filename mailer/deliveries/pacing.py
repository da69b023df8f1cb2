"""Pacing: how fast messages may go, through which relay and to which domain.

The engine asks once for every message, so asking is arithmetic on what this worker holds; where
nothing is limited it is one look at a flag and two counts. Several times a second `look` reads the
rows, writes down what servers said, and takes permits for the next half second (`permits.py`), so
that all workers keep to the same limits and a change acts within about a second.

While the database is away a pacer goes on with what it holds: nothing is marked without the
database, so nothing leaves either.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.exc import SQLAlchemyError

from mailer.campaigns.model import Kind
from mailer.deliveries import permits
from mailer.deliveries.finishing import OpenWork
from mailer.deliveries.hands import Hand
from mailer.deliveries.hearing import Traffic, asks_to_slow_down, without_addresses
from mailer.deliveries.permits import Moment, Plans
from mailer.deliveries.routing import routes_through
from mailer.deliveries.transport import Route
from mailer.kit.errors import Unavailable
from mailer.kit.i18n import _
from mailer.relays import store
from mailer.relays.hours import Night, hour_of, night_of
from mailer.relays.model import DomainPace, Relay, SendingRules
from mailer.settings import Settings

log = structlog.get_logger()

_READ = 0.9  # seconds between two looks at the rows: a change acts within about a second
_TALLY = 5.0  # seconds between two tallies of what needed no permit


class Pacer:
    """Says how fast this worker may send, in agreement with all the others."""

    def __init__(
        self,
        open_work: OpenWork,
        settings: Settings,
        *,
        moment: Moment = store.moment,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing may go before the first `look`."""
        self._open_work = open_work
        self._settings = settings
        self._moment = moment
        self._ticks = ticks

        self._routes: Sequence[Route] = ()
        self._limits: dict[int, tuple[object, ...]] = {}
        self._hands: dict[int, Hand | None] = {}  # of relays that are on; None: it has no limits
        self._domains: dict[str, Hand] = {}
        self._is_free = False  # neither relays nor domains have limits
        self._rules: SendingRules | None = None
        self._night: Night | None = None
        self._zone = ZoneInfo("UTC")
        self._quiet_until: datetime | None = None
        self._plans = Plans()

        self._taken: Counter[int] = Counter()  # without a permit, since the last tally
        self._left: Counter[tuple[int, datetime]] = Counter()  # unused, of hands that are no more
        self._heard: dict[str, tuple[int, str]] = {}
        self._recovered: set[str] = set()
        self._traffic = Traffic(ticks())

        self._read_at = self._tally_at = float("-inf")
        self._is_away = False  # the database

    # What the engine asks for every message. ------------------------------------------------------

    def routes(self) -> Sequence[Route]:
        """Give the relays that are on. The same object as long as nothing about them changes."""
        return self._routes

    def allows(self, relay: int, kind: Kind) -> bool:
        """Say whether a campaign's message may go through a relay now. Alerts mind no night."""
        if self._quiet_until is not None and kind is not Kind.ALERT:
            return False
        hand = self._hands.get(relay, _NONE)
        return hand is None or (hand is not _NONE and hand.is_ready(self._ticks()))

    def take(self, relay: int, domain: str) -> bool:
        """Take a permit; False, and nothing is taken, when this domain or relay must wait."""
        if self._is_free:
            self._taken[relay] += 1
        elif not self._take_limited(relay, domain):
            return False
        self._traffic.note(domain)
        return True

    def take_letter(self, relay: int, domain: str) -> None:
        """Count a letter; it waits for nothing, and campaigns make up for it."""
        hands = [self._hands.get(relay), self._domains.get(domain)]
        now = self._ticks()
        if all(hand is None or hand.has_ready(now) for hand in hands) and self.take(relay, domain):
            return
        for hand in hands:
            if hand is not None:
                hand.owed += 1
        if hands[0] is None:  # it has no limits, or was switched off a moment ago
            self._taken[relay] += 1
        self._traffic.note(domain)

    def give_back(self, relay: int, domain: str) -> None:
        """Return what was taken and came to nothing."""
        now = self._ticks()
        if (hand := self._hands.get(relay)) is not None:
            hand.put_back(now)
        else:
            self._taken[relay] -= 1
        if (slow := self._domains.get(domain)) is not None:
            slow.put_back(now)

    def hear(self, domain: str, code: int, words: str) -> None:
        """Hear a deferral; the next look slows the domain down if its server asks for that."""
        if domain and asks_to_slow_down(code, words):
            self._heard[domain] = (code, words)

    def _take_limited(self, relay: int, domain: str) -> bool:
        now = self._ticks()
        slow = self._domains.get(domain)
        if slow is not None and not slow.is_ready(now):
            return False
        hand = self._hands.get(relay, _NONE)
        if hand is _NONE or (hand is not None and not hand.is_ready(now)):
            return False
        if hand is None:
            self._taken[relay] += 1
        else:
            hand.take()
        if slow is not None:
            slow.take()
        return True

    # What it does several times a second. ---------------------------------------------------------

    async def look(self) -> bool:
        """Read, write down what was heard, take permits; say whether to wake the transport."""
        before = self._known()
        try:
            await self._look(self._ticks())
        except (SQLAlchemyError, OSError, Unavailable) as fault:
            if not self._is_away:
                log.warning("pacing_without_the_database", fault=type(fault).__name__)
            self._is_away = True
            return False
        self._is_away = False
        return self._has_fed() or before != self._known()

    def _known(self) -> tuple[object, ...]:
        return self._routes, self._quiet_until, self._limits, set(self._domains)

    def _has_fed(self) -> bool:
        """Say whether any who asked in vain would be answered now."""
        now = self._ticks()
        fed = [one for one in self._limited_hands() if one.is_starved and one.has_ready(now)]
        for hand in fed:
            hand.is_starved = False
        return bool(fed)

    async def close(self) -> None:
        """Give back what was reserved and not used, and write down what was not yet."""
        for hand in self._limited_hands():
            hand.empty()
        try:
            await self._write(tally=True)
        except (SQLAlchemyError, OSError, Unavailable) as fault:
            log.warning("permits_not_given_back", fault=type(fault).__name__)

    async def _look(self, now: float) -> None:
        self._traffic.turn(now)
        if self._heard:
            await self._slow_down(now)
        if now - self._read_at >= _READ:
            await self._read()
            self._read_at = now
        if self._recovered:
            await self._let_recovered_go()
        tally = now - self._tally_at >= _TALLY
        if tally or any(one.has_wish(now) for one in self._limited_hands()):
            await self._write(tally=tally)

    def _limited_hands(self) -> Iterable[Hand]:
        yield from (hand for hand in self._hands.values() if hand is not None)
        yield from self._domains.values()

    # Reading. -------------------------------------------------------------------------------------

    async def _read(self) -> None:
        async with self._open_work(reading=True) as work:
            at = await self._moment(work)
            rules = await store.the_rules(work)
            everything = await store.all_relays(work)
            paces = await store.all_paces(work)
            routes = routes_through(work, everything, self._settings)
        self._rules, self._zone, self._night = rules, ZoneInfo(rules.time_zone), night_of(rules)
        is_quiet, until = self._night.stretch(at) if self._night else (False, at)
        self._quiet_until = until if is_quiet else None
        if routes != self._routes:
            self._routes = routes
        known = {route.no for route in routes}
        self._know_relays([relay for relay in everything if relay.no in known])
        self._know_domains(paces, at)
        self._is_free = not any(self._limited_hands())

    def _know_relays(self, on: Sequence[Relay]) -> None:
        """Hold permits of relays that have limits; give back those of limits that have changed."""
        limits = {relay.no: _limits_of(relay) for relay in on}
        for no, hand in self._hands.items():
            if hand is not None and limits.get(no) != self._limits.get(no):
                self._put_down(no, hand)
        self._hands = {
            relay.no: (
                None
                if not relay.is_limited
                else self._hands.get(relay.no)
                if limits[relay.no] == self._limits.get(relay.no)
                else Hand()
            )
            for relay in on
        }
        self._limits = limits

    def _put_down(self, no: int, hand: Hand) -> None:
        hand.empty()
        for hour, count in hand.unused.items():
            self._left[no, hour] += count
        self._taken[no] += hand.owed

    def _know_domains(self, paces: Sequence[DomainPace], at: datetime) -> None:
        slow = {pace.domain for pace in paces if pace.pace_at(at) is not None}
        self._recovered = {
            pace.domain for pace in paces if pace.slowed_at is not None and not pace.is_slowed(at)
        }
        self._domains = {domain: self._domains.get(domain) or Hand() for domain in slow}

    # Writing. -------------------------------------------------------------------------------------

    async def _slow_down(self, now: float) -> None:
        heard = dict(self._heard)
        async with self._open_work() as work:
            at = await self._moment(work)
            others = await permits.workers(work)
            halved = []
            for domain, (code, words) in sorted(heard.items()):
                was_halved = await permits.slow_down(
                    work,
                    domain,
                    at,
                    # The others send there about as much as we do.
                    observed=self._traffic.pace(domain, now) * others,
                    code=code,
                    reply=without_addresses(words),
                )
                if was_halved:
                    log.info("domain_slowed", code=code)
                    halved.append(domain)
        self._heard = {
            name: said for name, said in self._heard.items() if said is not heard.get(name)
        }
        # What is held of them is of the pace before.
        self._domains |= {domain: Hand() for domain in halved}
        self._is_free = not any(self._limited_hands())

    async def _let_recovered_go(self) -> None:
        async with self._open_work() as work:
            await permits.let_recovered_go(work, self._recovered, await self._moment(work))
        self._recovered = set()

    async def _write(self, *, tally: bool) -> None:
        """Take permits, give back what was not used, and keep the tallies: one transaction."""
        now = self._ticks()
        hands = {no: one for no, one in self._hands.items() if one and one.has_wish(now)}
        slow = {domain: one for domain, one in self._domains.items() if one.has_wish(now)}
        wants = {no: one.want() for no, one in hands.items()}
        domain_wants = {domain: one.want() for domain, one in slow.items()}
        # Given back at most once, whatever comes of it: what is lost is wasted and not exceeded.
        counts = self._given_back(now)
        taken = Counter(self._taken) if tally else Counter[int]()
        if not (wants or domain_wants or any(counts.values()) or any(taken.values())):
            return
        async with self._open_work() as work:
            got = await permits.reserve(
                work, wants, domain_wants, zone=self._zone, moment=self._moment, plans=self._plans
            )
            counts.update(got.tallies)
            counts.update({(no, hour_of(got.at)): number for no, number in taken.items()})
            await permits.tally(work, counts)
        now = self._ticks()
        if tally:
            self._taken = Counter(
                {no: n - taken[no] for no, n in self._taken.items() if n != taken[no]}
            )
            self._tally_at = now
        for no, permitted in got.of_relays.items():
            hands[no].full = got.full[no]
            hands[no].receive(permitted, wants[no], at=got.at, now=now)
        for domain, permitted in got.of_domains.items():
            slow[domain].receive(permitted, domain_wants[domain], at=got.at, now=now)

    def _given_back(self, now: float) -> Counter[tuple[int, datetime]]:
        counts: Counter[tuple[int, datetime]] = Counter()
        counts.subtract(self._left)
        self._left.clear()
        for no, hand in self._hands.items():
            if hand is not None:
                hand.has_ready(now)  # which lets go what has run out
                counts.subtract({(no, hour): count for hour, count in hand.unused.items()})
                hand.unused.clear()
        for slow in self._domains.values():
            slow.unused.clear()
        return counts

    # What organisers are told. --------------------------------------------------------------------

    def why(self, kind: Kind = Kind.NEWSLETTER) -> Callable[[], str] | None:
        """Say what keeps campaigns from going just now; the words are chosen when it is called."""
        if self._rules is None:
            return None
        if not self._hands:
            return _none_is_on
        if self._quiet_until is not None and kind is not Kind.ALERT:
            return partial(_quiet, self._quiet_until.astimezone(self._zone))
        full = {hand.full if hand is not None else "" for hand in self._hands.values()}
        if "" in full:
            return None
        return _hour_is_full if "hour" in full else _day_is_full


_NONE = Hand()  # of a relay that is off: no permit ever


def _limits_of(relay: Relay) -> tuple[object, ...]:
    return (
        relay.per_second,
        relay.per_hour,
        relay.per_day,
        relay.warm_up_from,
        relay.warm_up_first,
        relay.warm_up_growth,
    )


def _none_is_on() -> str:
    return _("No mail server is switched on.")


def _quiet(until: datetime) -> str:
    named = {"time": f"{until:%H:%M}", "zone": str(until.tzinfo).replace("_", " ")}
    return _("Quiet hours. It goes on at %(time)s (%(zone)s).") % named


def _hour_is_full() -> str:
    return _("As much as may go in an hour has gone. It goes on in the next one.")


def _day_is_full() -> str:
    return _("As much as may go today has gone. It goes on tomorrow.")
