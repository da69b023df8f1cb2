"""Whatever happens, in whatever order: everybody is accounted for, and nobody gets it twice.

Hypothesis writes the stories: workers claim, beat, are killed, stopped and woken, the database
loses its sessions in the middle of a beat, organisers pause and cancel, people leave and are
erased. A model of a mail server keeps what it has accepted. Two bits of luck are not Hypothesis's:
when exactly a session ends, and the clock.

No rule has a precondition and nothing is drawn from what there is, since what there is depends on
that luck: a rule that does not fit does nothing.
"""

import asyncio
import contextlib
import enum
import os
import shutil
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager
from typing import Any

import hypothesis
import msgspec
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from mailer.bootstrap import House
from mailer.campaigns.model import OnDoubt
from mailer.kit.db import sqlite_file
from mailer.settings import Settings
from tests.deliveries.world import Body, Break, Fate, Worker, World, house_of

STORIES = int(os.environ.get("EXAMPLES", "12"))  # EXAMPLES=1000 pytest tests/deliveries/test_sta…
STEPS = 40
PATIENCE = 20.0
ANY = st.integers(0, 999)
FEW = st.integers(0, 6)


class Decision(enum.Enum):
    """What organisers and members do meanwhile; rather one of all rules than a third of them."""

    FREEZE = enum.auto()
    PAUSE = enum.auto()
    RESUME = enum.auto()
    CANCEL = enum.auto()
    LEAVE = enum.auto()
    ERASE = enum.auto()


class Told(msgspec.Struct):
    """What all stories of one test share: to open it anew for each would take most of the time."""

    house: House
    runner: asyncio.Runner
    fresh: Callable[[], AbstractContextManager[None]]  # the database as it is before a story


class Sending(RuleBasedStateMachine):
    """One story."""

    told: Told

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(self.told.fresh())
        self.world = World(self.told.house)

    def run(self, going_on: Coroutine[Any, Any, Any]) -> Any:
        """Take a step; one that hangs fails with the story that led there."""
        return self.told.runner.run(asyncio.wait_for(going_on, PATIENCE))

    def worker(self, which: int, *, is_stopped: bool = False) -> Worker | None:
        found = [one for one in self.world.workers if one.is_stopped is is_stopped]
        return found[which % len(found)] if found else None

    def body(self, worker: Worker, which: int) -> Body | None:
        return worker.bodies[which % len(worker.bodies)] if worker.bodies else None

    @initialize(on_doubt=st.sampled_from(OnDoubt), people=st.integers(1, 6))
    def begin(self, on_doubt: OnDoubt, people: int) -> None:
        self.run(self.world.begin(people=people, on_doubt=on_doubt))
        self.run(self.world.start())

    # --- workers ---------------------------------------------------------------------------------

    @rule()
    def another_worker_starts(self) -> None:
        self.run(self.world.start())

    @rule(which=ANY, limit=FEW)
    def a_worker_looks_and_claims(self, which: int, limit: int) -> None:
        if worker := self.worker(which):
            self.run(self.world.look(worker))
            self.run(self.world.claim(worker, limit))

    @rule(which=ANY, limit=FEW, broken=st.sampled_from([Break.NOTHING, *Break]))
    def a_worker_beats(self, which: int, limit: int, broken: Break) -> None:
        if worker := self.worker(which):
            worker.bodies += self.run(self.world.beat(worker, limit, broken))

    @rule(which=ANY, limit=FEW, broken=st.sampled_from([*[Break.NOTHING] * 4, *Break]))
    def a_worker_works(self, which: int, limit: int, broken: Break) -> None:
        if worker := self.worker(which):
            self.run(self.world.work(worker, limit, broken))

    @rule(which=ANY, body=ANY)
    def the_server_takes_a_body(self, which: int, body: int) -> None:
        worker = self.worker(which) or self.worker(which, is_stopped=True)
        if worker and (taken := self.body(worker, body)):
            self.world.accept(taken)

    @rule(which=ANY, body=ANY, fate=st.sampled_from(Fate))
    def a_worker_hears_of_a_body(self, which: int, body: int, fate: Fate) -> None:
        worker = self.worker(which)
        if worker and (heard := self.body(worker, body)):
            self.world.hear(worker, heard, fate)

    @rule(which=ANY, fate=st.sampled_from(Fate))
    def a_worker_hears_of_all_its_bodies_and_writes_it_down(self, which: int, fate: Fate) -> None:
        if worker := self.worker(which):
            for body in list(worker.bodies):
                self.world.hear(worker, body, fate)
            worker.bodies += self.run(self.world.beat(worker, 0))

    @rule(which=ANY, limit=FEW, taken=st.integers(0, 63))
    def a_worker_is_killed_at_work(self, which: int, limit: int, taken: int) -> None:
        if worker := self.worker(which):
            self.run(self.world.work(worker, limit))
            self.run(self.world.crash(worker, taken))

    @rule(which=ANY, limit=FEW)
    def a_worker_is_stopped_at_work(self, which: int, limit: int) -> None:
        if worker := self.worker(which):
            self.run(self.world.work(worker, limit))
            self.run(self.world.stop(worker, limit))

    @rule(which=ANY, afresh=st.booleans())
    def a_worker_goes_on(self, which: int, afresh: bool) -> None:
        if worker := self.worker(which, is_stopped=True):
            self.world.wake(worker)
            if afresh:
                self.run(self.world.start_afresh(worker))

    @rule(which=ANY)
    def an_hour_passes_for_the_silent(self, which: int) -> None:
        if worker := self.worker(which):
            self.run(self.world.judge(worker))

    @rule()
    def the_database_restarts(self) -> None:
        self.run(self.world.restart())

    # --- people ----------------------------------------------------------------------------------

    @rule(decision=st.sampled_from(Decision), which=ANY, on_doubt=st.sampled_from(OnDoubt))
    def somebody_decides(self, decision: Decision, which: int, on_doubt: OnDoubt) -> None:
        self.run(self._decide(decision, which, on_doubt))

    async def _decide(self, decision: Decision, which: int, on_doubt: OnDoubt) -> None:
        world = self.world
        campaign = world.campaigns[which % len(world.campaigns)]
        person = world.people[which % len(world.people)]
        match decision:
            case Decision.FREEZE:
                if len(world.campaigns) < 2:
                    await world.freeze(on_doubt)
            case Decision.PAUSE:
                await world.pause(campaign)
            case Decision.RESUME:
                await world.resume(campaign)
            case Decision.CANCEL:
                await world.cancel(campaign)
                await world.sweep()
            case Decision.LEAVE:
                await world.unsubscribe(person)
            case Decision.ERASE:
                await world.erase(person)

    # --- what must be so -------------------------------------------------------------------------

    @invariant()
    def nobody_is_lost_and_nobody_gets_too_many(self) -> None:
        self.run(self.world.check())

    def teardown(self) -> None:
        with self.stack:
            try:
                self.run(self.world.calm_down())
                self.run(self.world.check_the_end())
            finally:
                self.run(self.world.end())


@pytest.fixture
def stories(
    database: str, request: pytest.FixtureRequest, settings: Settings
) -> Generator[Callable[[int], None]]:
    """Tell so many stories on the test's kind of database."""
    kind = "sqlite" if database.startswith("sqlite") else "postgres"
    copies = request.getfixturevalue(f"{kind}_copies")
    with asyncio.Runner() as runner:
        house = house_of(database, settings)

        @contextlib.contextmanager
        def fresh() -> Generator[None]:
            with copies.one(altered=False, peopled=True) as url:
                if file := sqlite_file(database):
                    for left in file.parent.glob(f"{file.name}?*"):
                        left.unlink()
                    shutil.copyfile(str(sqlite_file(url)), file)
                try:
                    yield
                finally:
                    runner.run(house.engine.dispose())

        machine = type("Told", (Sending,), {"told": Told(house, runner, fresh)})

        def tell(number: int) -> None:
            run_state_machine_as_test(
                machine,
                settings=hypothesis.settings(
                    max_examples=number,
                    stateful_step_count=STEPS,
                    deadline=None,
                    derandomize=True,
                    database=None,
                    phases=[Phase.generate],  # to shrink takes longer than a test may
                    suppress_health_check=list(HealthCheck),
                ),
            )

        yield tell
        runner.run(house.engine.dispose())


def test_whatever_happens_everybody_is_accounted_for(stories: Callable[[int], None]) -> None:
    stories(STORIES)


@pytest.mark.story
@pytest.mark.timeout(1200)
def test_the_same_for_long(stories: Callable[[int], None]) -> None:
    stories(STORIES * 20)
