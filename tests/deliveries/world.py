"""A small world for the state machine: real ledgers, organisers with their verbs, and a sink.

A worker here does what the engine does with its ledger, one step at a time, so that anything may
happen between two steps. The sink is the mail server: what it has accepted is the truth, whatever
our tables say.
"""

import asyncio
import contextlib
import dataclasses
import enum
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import psycopg
from sqlalchemy import make_url, text, update

from mailer.bootstrap import House
from mailer.campaigns import sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState, OnDoubt
from mailer.campaigns.sending import NobodyLeft
from mailer.consent import actions as consent
from mailer.deliveries import finishing
from mailer.deliveries.beating import Settled
from mailer.deliveries.ledger import Ledger, LedgerLost, Running
from mailer.deliveries.ledger_postgres import PostgresLedger
from mailer.deliveries.ledger_sqlite import SqliteLedger
from mailer.deliveries.model import Key, Reason
from mailer.deliveries.retrying import COPIES, may_be_copied
from mailer.deliveries.transport import Errand
from mailer.kit.db import make_engine
from mailer.kit.errors import Conflict
from mailer.kit.secrets import Keys
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.settings import Settings
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import SubscriberUnknown
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.support.ledgers import begun, die, errand, new_ledger
from tests.support.rooms import ROOT_KEY
from tests.support.sending import let_many_go, rows

QUEUED, CLAIMED, SENDING, SENT, DEFERRED, REFUSED, FAILED, IN_DOUBT, SKIPPED = DeliveryState
OURS = "machine"  # how sessions that may be ended call themselves
MOST_WORKERS = 3
TAKEOVER = 0.02

# In words: of whatever is read after each step the plan need not be made each time.
_COUNTS = """
    SELECT count(delivery.subscriber_no), campaign.recipients
      FROM campaign LEFT JOIN delivery ON delivery.campaign_no = campaign.no
     GROUP BY campaign.no, campaign.recipients"""


class Break(enum.Enum):
    """What happens to the database during a beat."""

    NOTHING = enum.auto()
    BEFORE = enum.auto()  # sessions were ended: nothing is committed
    AMID = enum.auto()  # they are ended at any moment of it
    UNHEARD = enum.auto()  # it is committed, and nobody hears of it


class Fate(enum.Enum):
    """What a worker hears about a body."""

    ACCEPTED = enum.auto()
    DEFERRED = enum.auto()
    REFUSED = enum.auto()
    NOT_SENT = enum.auto()  # the line broke before the end of the data
    NO_REPLY = enum.auto()  # it broke after that


_STATES = {
    Fate.ACCEPTED: SENT,
    Fate.DEFERRED: DEFERRED,
    Fate.REFUSED: REFUSED,
    Fate.NOT_SENT: QUEUED,
    Fate.NO_REPLY: IN_DOUBT,
}


@dataclasses.dataclass
class Body:
    """A body that was let through the gate."""

    key: Key
    attempt: int
    is_accepted: bool = False


class Worker:
    """A process that sends, as far as its ledger can tell."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.number = ledger.worker
        self.running: list[Running] = []
        self.claimed: dict[Key, int] = {}
        self.settled: list[Settled] = []
        self.bodies: list[Body] = []
        self.stale: list[Body] = []  # granted in the moment in which it was stopped
        self.is_stopped = False

    def in_hand(self) -> set[Key]:
        """Name what the engine would not take in a second time."""
        return {
            *self.claimed,
            *(body.key for body in (*self.bodies, *self.stale)),
            *(one.key for one in self.settled),
        }

    def on_doubt(self, key: Key) -> OnDoubt:
        """Say what a campaign chose, as far as this worker knows."""
        chosen = {one.no: one.on_doubt for one in self.running}
        return chosen.get(key.campaign, OnDoubt.HOLD)


def house_of(url: str, settings: Settings) -> House:
    """Open a house whose sessions can be told from those of the tests."""
    if not url.startswith("sqlite"):
        named = make_url(url).update_query_dict({"application_name": OURS})
        url = named.render_as_string(hide_password=False)
    return House(
        settings=msgspec.structs.replace(settings, database=url),
        engine=make_engine(url),
        keys=Keys(bytes.fromhex(ROOT_KEY)),
    )


class World:
    """Everything that there is in one story."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.is_sqlite = house.engine.dialect.name == "sqlite"
        self.workers: list[Worker] = []
        self.dead: list[int] = []
        self.campaigns: list[Running] = []
        self.people: list[int] = []
        self.still: set[int] = set()  # campaigns that are not being sent
        self.gone: set[int] = set()  # people who may not be written to
        self.accepted: Counter[Key] = Counter()
        self.unheard: set[Key] = set()  # accepted, and the reply was lost

    async def begin(self, *, people: int, on_doubt: OnDoubt) -> None:
        async with self.house.work() as work:
            await make.people(work, people)
            await let_many_go(work)
        await self.freeze(on_doubt)

    async def end(self) -> None:
        for worker in self.workers:
            await self._bury(worker)

    # --- organisers and members ------------------------------------------------------------------

    async def freeze(self, on_doubt: OnDoubt) -> None:
        """Freeze a campaign to everybody and begin it, if anybody is left to get it."""
        try:
            campaign = await begun(self.house, on_doubt)
        except NobodyLeft:
            return
        self.campaigns.append(campaign)
        self.people = sorted({*self.people, *await rows(self.house, campaign.no)})

    async def pause(self, campaign: Running) -> None:
        await self._step(campaign, sending.pause, stands_still=True)

    async def resume(self, campaign: Running) -> None:
        await self._step(campaign, sending.resume, stands_still=False)

    async def cancel(self, campaign: Running) -> None:
        await self._step(campaign, sending.cancel, stands_still=True)

    async def _step(
        self,
        campaign: Running,
        verb: Callable[[Work, Campaign], Awaitable[object]],
        *,
        stands_still: bool,
    ) -> None:
        with contextlib.suppress(Conflict):  # not from where it stands
            async with self.house.work() as work:
                found = await campaigns.by_no(work, campaign.no)
                assert found
                await verb(work, found)
            (self.still.add if stands_still else self.still.discard)(campaign.no)

    async def unsubscribe(self, number: int) -> None:
        async with self.house.work() as work:
            person = await subscribers.by_no(work, number)
            assert person
            # Who was erased is not on the roll any more, and cannot leave it.
            with contextlib.suppress(SubscriberUnknown):
                await consent.unsubscribe(work, person, list_no=None)
        self.gone.add(number)

    async def erase(self, number: int) -> None:
        async with self.house.work() as work:
            await work.session.execute(
                update(Subscriber)
                .where(Subscriber.no == number)
                .values(erased_at=work.now, address=None, address_key=None, mark=None)
                .execution_options(unscoped="the test erases")
            )
        self.gone.add(number)

    # --- workers ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start one more worker; SQLite has room for one."""
        if len(self.workers) >= MOST_WORKERS:
            return
        ledger = new_ledger(self.house, lease=60, takeover=TAKEOVER)
        if not await ledger.open():
            assert self.is_sqlite
            assert self.workers
            return
        assert not (self.is_sqlite and self.workers)
        self.workers.append(Worker(ledger))

    async def look(self, worker: Worker) -> None:
        """Learn which campaigns are being sent."""
        with contextlib.suppress(LedgerLost):
            worker.running = await worker.ledger.running()

    async def claim(self, worker: Worker, limit: int) -> None:
        for campaign in worker.running:
            with contextlib.suppress(LedgerLost):
                claims = await worker.ledger.claim(campaign, after=0, limit=limit)
                held = worker.in_hand()
                worker.claimed |= {one.key: one.attempt for one in claims if one.key not in held}

    async def work(self, worker: Worker, limit: int, broken: Break = Break.NOTHING) -> None:
        """Do what a worker does all day: look, claim and beat."""
        await self.look(worker)
        await self.claim(worker, limit)
        worker.bodies += await self.beat(worker, limit, broken)

    async def beat(self, worker: Worker, limit: int, broken: Break = Break.NOTHING) -> list[Body]:
        """Ask for some rows, and say what is to be said; give the bodies that may go."""
        asked = [errand(key, attempt) for key, attempt in list(worker.claimed.items())[:limit]]
        for one in asked:
            del worker.claimed[one.key]
        settled, worker.settled = worker.settled, []
        number = worker.ledger.worker
        try:
            granted = await self._say(worker, settled, asked, broken)
        except LedgerLost:
            worker.settled = [*settled, *_never_begun(asked, number), *worker.settled]
            return []
        finally:
            worker.number = worker.ledger.worker
        for key in granted:
            assert key.campaign not in self.still, "granted though its campaign stands still"
            assert key.number not in self.gone, "granted though they may not be written to"
        return [Body(key, attempt) for key, attempt in granted.items()]

    async def _say(
        self, worker: Worker, settled: Sequence[Settled], asked: Sequence[Errand], broken: Break
    ) -> dict[Key, int]:
        if broken is Break.BEFORE:
            if self.is_sqlite:
                raise LedgerLost("before")
            await self.restart()
        saying = asyncio.ensure_future(worker.ledger.beat(settled, asked, worker.running))
        if broken is Break.AMID:
            await asyncio.sleep(0)
            await self.restart()
        granted = await saying
        if broken is Break.UNHEARD:
            raise LedgerLost("unheard")
        return granted

    def hear(self, worker: Worker, body: Body, fate: Fate) -> None:
        """End a body; the next beat writes down what the engine would."""
        worker.bodies.remove(body)
        if body.is_accepted and fate is not Fate.ACCEPTED:
            fate = Fate.NO_REPLY  # a server that has accepted does not say otherwise
        if fate is Fate.ACCEPTED:
            self.accept(body)
            self.unheard.discard(body.key)
        state = _STATES[fate]
        is_said_again = worker.on_doubt(body.key) is OnDoubt.RESEND
        if state is IN_DOUBT and is_said_again and may_be_copied(body.attempt):
            state = DEFERRED
        wait = 0.0 if state is DEFERRED else None
        worker.settled.append(
            Settled(body.key, body.attempt, state, reply=Reason.NO_REPLY.value, wait=wait)
        )

    def accept(self, body: Body) -> None:
        """Let the mail server take a body: the truth."""
        if not body.is_accepted:
            body.is_accepted = True
            self.accepted[body.key] += 1
            self.unheard.add(body.key)

    async def stop(self, worker: Worker, limit: int) -> None:
        """Stop a process (SIGSTOP), some of its rows granted and their bodies not begun."""
        worker.stale = await self.beat(worker, limit)
        worker.is_stopped = True

    def wake(self, worker: Worker) -> None:
        """Let it go on: a grant that old is void."""
        worker.is_stopped = False
        worker.settled += [
            Settled(body.key, body.attempt, QUEUED, reply=Reason.NOT_BEGUN.value)
            for body in worker.stale
        ]
        worker.stale = []

    async def start_afresh(self, worker: Worker) -> None:
        """Give back what was claimed, as after a long silence."""
        worker.claimed = {}
        with contextlib.suppress(LedgerLost):
            await worker.ledger.give_back()

    async def crash(self, worker: Worker, taken: int) -> None:
        """Kill a process; the bits of `taken` say which of its bodies had arrived."""
        for at, body in enumerate(worker.bodies):
            if taken >> at & 1:
                self.accept(body)
        self.workers.remove(worker)
        self.dead.append(worker.number)
        await self._bury(worker)

    async def _bury(self, worker: Worker) -> None:
        ledger = worker.ledger
        if isinstance(ledger, PostgresLedger):
            if ledger._session is None:  # it was lost, and is made anew by the next beat
                await ledger._own.dispose()
            else:
                await die(ledger)
            if ledger._watcher is not None:
                await ledger._watcher.invalidate()
                await ledger._watcher.close()
        elif isinstance(ledger, SqliteLedger):
            await die(ledger)
            if ledger._session is not None:
                ledger._session.close()

    async def leave(self, worker: Worker) -> None:
        """End a process as it should end: nothing is left to say."""
        while worker.settled:
            await self.beat(worker, 0)
        await worker.ledger.close()
        self.workers.remove(worker)

    # --- the database and the clock --------------------------------------------------------------

    async def restart(self) -> None:
        """End every session of ours at once. SQLite has none that could be ended from outside."""
        if self.is_sqlite:
            return
        url = make_url(self.house.settings.database_url)
        _positional, named = self.house.engine.dialect.create_connect_args(url)
        other = await psycopg.AsyncConnection.connect(
            **{**named, "application_name": "janitor"}, autocommit=True
        )
        async with other:
            await other.execute(
                "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = %s",
                [OURS],
            )
        await self.house.engine.dispose()

    async def judge(self, judge: Worker) -> None:
        """Let an hour pass for all that are stopped or dead, and a worker look at them."""
        if self.is_sqlite:
            return
        silent = [*self.dead, *(one.number for one in self.workers if one.is_stopped)]
        async with self.house.work() as work:
            await work.session.execute(
                text(
                    "UPDATE worker SET seen_at = seen_at - interval '1 hour' WHERE no = ANY(:nos)"
                ),
                {"nos": silent},
            )
        await judge.ledger.watch()
        await asyncio.sleep(TAKEOVER * 1.5)  # the judge's own session has to be older than that
        await judge.ledger.watch()

    async def sweep(self) -> None:
        await finishing.sweep_cancelled(self.house.work)

    # --- what must be so -------------------------------------------------------------------------

    async def states(self, campaign: Running) -> dict[int, DeliveryState]:
        found = await rows(self.house, campaign.no)
        return {number: DeliveryState(row.state) for number, row in found.items()}

    async def check(self) -> None:
        """See that nobody is lost, and nobody got more than the campaign allowed."""
        async with self.house.work(reading=True) as work:
            found = await work.session.execute(text(_COUNTS))
            assert all(counted == recipients for counted, recipients in found)
        chosen = {one.no: one.on_doubt for one in self.campaigns}
        for key, copies in self.accepted.items():
            most = COPIES if chosen[key.campaign] is OnDoubt.RESEND else 1
            assert copies <= most, f"{key} came {copies} times"

    async def calm_down(self) -> None:
        """Let everything come to its end: all wake, all servers answer, the dead are found."""
        for worker in list(self.workers):
            if worker.is_stopped:
                self.wake(worker)
            for body in list(worker.bodies):
                self.hear(worker, body, Fate.ACCEPTED)
            await self.leave(worker)
        await self.start()
        [last] = self.workers
        await self.judge(last)
        for campaign in self.campaigns:
            await self.resume(campaign)
        await self.sweep()
        await self.look(last)
        for _ in range(20):
            if not [one for one in last.running if self._is_open(await self.states(one))]:
                break
            await self.claim(last, 100)
            last.bodies += await self.beat(last, 100)
            for body in list(last.bodies):
                self.hear(last, body, Fate.ACCEPTED)
        await self.leave(last)
        for campaign in self.campaigns:
            await finishing.finish(self.house.work, campaign.no)
        await self.sweep()

    def _is_open(self, states: dict[int, DeliveryState]) -> bool:
        return bool({QUEUED, CLAIMED, SENDING, DEFERRED} & set(states.values()))

    async def check_the_end(self) -> None:
        """See that every row is accounted for, and that no row tells a lie."""
        await self.check()
        for campaign in self.campaigns:
            states = await self.states(campaign)
            assert not self._is_open(states), f"nobody sends what is open: {states}"
            async with self.house.work(reading=True) as work:
                found = await campaigns.by_no(work, campaign.no)
            assert found
            assert found.state in {CampaignState.SENT, CampaignState.CANCELLED}
            assert found.ended_at
            for number, state in states.items():
                self._check_truth(Key(campaign.no, campaign.run, number), state)

    def _check_truth(self, key: Key, state: DeliveryState) -> None:
        copies = self.accepted[key]
        if state is SENT:
            assert copies, f"{key} is called sent and never came"
        elif copies and state is not IN_DOUBT:
            # Only where a copy was risked can a later one end otherwise.
            assert key in self.unheard, f"{key} came and is called {state.name}"
            [campaign] = [one for one in self.campaigns if one.no == key.campaign]
            assert campaign.on_doubt is OnDoubt.RESEND, f"{key} came and is called {state.name}"


def _never_begun(asked: Sequence[Errand], worker: int) -> list[Settled]:
    """Say what the engine says of what it asked for in a beat that it did not hear of."""
    return [
        Settled(one.key, attempt, QUEUED, reply=Reason.NOT_BEGUN.value, worker=worker)
        for one in asked
        for attempt in (one.attempt, one.attempt + 1)
    ]
