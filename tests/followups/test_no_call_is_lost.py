"""Whatever people answer, take back and turn out to be, no call for help is lost.

A call for help waits in the queue until its owner answers on a page of theirs, takes it back, or an
organiser says what came of it.
"""

import random

import pytest

from mailer.asks import pledging, reporting, undoing
from mailer.asks import store as asks
from mailer.asks.model import Ask, PledgeState
from mailer.bootstrap import House
from mailer.followups import settling, store
from mailer.followups.model import CaseKind, FollowUp, Outcome, Resolution
from mailer.followups.rounds.looking import look_around
from mailer.followups.subjects import store as subjects
from mailer.kit.errors import Refusal
from mailer.kit.work import Door
from mailer.records import merging
from mailer.subscribers.model import Subscriber
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.following import followed

WALKS, STEPS = 4, 10


class Walk:
    """One person, another entry that is theirs too, and an ask both may answer."""

    def __init__(self, house: House, cast: Cast, ask: Ask, seed: int) -> None:
        self.house, self.cast, self.ask = house, cast, ask
        self.chance = random.Random(seed)
        self.merged: int | None = None
        self.words = 0
        self.history: list[str] = []

    @property
    def who(self) -> Subscriber:
        """Answer as one of the two, or as the one that they are."""
        both = (self.cast.bo,) if self.merged else (self.cast.bo, self.cast.gil)
        return self.chance.choice(both)

    async def step(self) -> None:
        deeds = [self.answer] * 6 + [self.undo] * 3 + [self.call] * 2 + [self.take_back, self.merge]
        deed = self.chance.choice(deeds)
        try:
            await deed()
        except Refusal as refusal:
            self.history.append(f"({type(refusal).__name__})")
        if self.chance.random() < 0.6:
            await self.work_on()

    async def work_on(self) -> None:
        await followed(self.house)
        while await look_around(self.house):
            pass
        self.history.append("worker")

    async def answer(self) -> None:
        who, door = self.who, self.chance.choice([Door.EMAIL, Door.EMAIL, Door.PAGE])
        what = self.chance.choice(["help", "help", "pledge", "done", "later", "decline"])
        self.history.append(f"{who.first_name} {what} {door.value}")
        self.words += 1
        async with self.house.work(door=door) as work:
            match what:
                case "help":
                    await reporting.need_help(work, who, self.ask, words=f"Help {self.words}.")
                case "pledge":
                    await pledging.pledge(work, who, self.ask)
                case "done":
                    await reporting.report_done(work, who, self.ask)
                case "later":
                    await reporting.not_yet(work, who, self.ask, until=None)
                case _:
                    await pledging.decline(work, who, self.ask)

    async def undo(self) -> None:
        who = self.who
        self.history.append(f"{who.first_name} undo")
        async with self.house.work(door=Door.EMAIL) as work:
            pledge = await asks.pledge_of(work, who.no, self.ask.no)
            change = await asks.last_change(work, pledge.no) if pledge is not None else None
            if change is not None:
                await undoing.undo(work, change.no, subscriber=who)

    async def call(self) -> None:
        case = await self.any_case()
        if case is None:
            return
        outcome = self.chance.choice(
            [Outcome.REACHED, Outcome.NO_ANSWER, Outcome.NOT_NOW, Outcome.WRONG_NUMBER]
        )
        self.history.append(f"call {case.no} {outcome.value}")
        async with self.house.work(account=self.cast.amina.no, door=Door.ADMIN) as work:
            await settling.settle(work, case, outcome)

    async def take_back(self) -> None:
        case = await self.any_case(is_open=False)
        if case is None:
            return
        self.history.append(f"take back {case.no}")
        async with self.house.work(account=self.cast.amina.no, door=Door.ADMIN) as work:
            steps = await store.steps_of(work, case.no)
            await settling.take_back(work, case, steps[0].no if steps else 0)

    async def merge(self) -> None:
        async with self.house.work(door=Door.ADMIN) as work:
            if self.merged is None:
                self.history.append("merge")
                self.merged = (await merging.merge(work, self.cast.bo, self.cast.gil)).no
            else:
                self.history.append("unmerge")
                await merging.undo(work, self.merged)
                self.merged = None

    async def any_case(self, *, is_open: bool = True) -> FollowUp | None:
        async with self.house.work(reading=True) as work:
            cases = [
                one
                for who in (self.cast.bo, self.cast.gil)
                for one in await store.cases_of(work, who.no)
                if one.is_open is is_open and one.kind is CaseKind.BLOCKED
            ]
        return self.chance.choice(cases) if cases else None

    async def ask_that_nobody_is_lost(self) -> None:
        """Whoever needs help has an open case, or one that an organiser has settled since."""
        await self.work_on()
        async with self.house.work(reading=True) as work:
            for who in (self.cast.bo, self.cast.gil):
                cases = await store.cases_of(work, who.no)
                about = await subjects.pledges(work, {one.subject_no for one in cases})
                for one in cases:
                    assert about[one.subject_no][0].subscriber_no == who.no, " | ".join(
                        self.history
                    )
                pledge = await asks.pledge_of(work, who.no, self.ask.no)
                if pledge is None or pledge.state is not PledgeState.BLOCKED:
                    continue
                since = max(
                    (
                        one.at
                        for one in await subjects.answers_of(work, pledge.no)
                        if one.to_state is PledgeState.BLOCKED
                    ),
                    default=pledge.made_at,
                )
                is_held = any(one.is_open for one in cases if one.kind is CaseKind.BLOCKED)
                was_settled = any(
                    one.resolution not in {None, Resolution.ANSWERED, Resolution.MERGED}
                    and one.resolved_at is not None
                    and one.resolved_at >= since
                    for one in cases
                )
                assert is_held or was_settled, " | ".join(self.history)


@pytest.mark.parametrize("seed", range(WALKS))
async def test_no_call_for_help_is_lost(house: House, cast: Cast, seed: int) -> None:
    ask = await opened(house, "Pass the model motion")
    walk = Walk(house, cast, ask, seed)
    for _step in range(STEPS):
        await walk.step()
        await walk.ask_that_nobody_is_lost()
    assert any("help" in done for done in walk.history)
