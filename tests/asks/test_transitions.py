"""Whatever is said in whatever order: no undefined state, and nothing changes by saying it again.

A plain-Python pledge is led beside the stored one. It knows the states and which verb is refused
from which; the database must agree after each step, and the steps that were not undone must lead to
what the pledge says.
"""

import contextlib
import dataclasses
import enum
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.activity import store as activity
from mailer.asks import actions as asks
from mailer.asks import plain, store, upkeep
from mailer.asks.model import IS_DONE, STANDS, Ask, Pledge, PledgeState, Turn
from mailer.asks.reminding.actions import remind_due
from mailer.kit.errors import Refusal
from mailer.kit.work import Door, Work
from mailer.outbox import store as outbox
from mailer.subscribers.model import Subscriber
from mailer.tiers import store as ladder
from mailer.tiers.model import SignKind
from tests import makers as make
from tests.cast import Cast

REPEAT_DAYS = 10


class Said(enum.Enum):
    """What may happen next."""

    YES = enum.auto()
    NO = enum.auto()
    BACK = enum.auto()
    DONE = enum.auto()
    MORE = enum.auto()
    LATER = enum.auto()
    HELP = enum.auto()
    VERIFY = enum.auto()
    UNDO = enum.auto()
    CLOSE = enum.auto()
    OPEN = enum.auto()
    TIME = enum.auto()


@dataclasses.dataclass(frozen=True)
class Model:
    """What a pledge is, as the rules are told."""

    turn: Turn
    state: PledgeState | None = None
    times: int = 0
    amount: int = 0
    before_deed: int = 0  # of the amount
    done_on: datetime | None = None
    is_open: bool = True
    is_answered: bool = False

    def said(self, what: Said, now: datetime) -> "Model | None":
        """Give what follows; None is a refusal."""
        stands = self.state in STANDS
        match what:
            case Said.YES:
                if stands and self.is_answered:
                    return self
                return self._in(PledgeState.PLEDGED) if self.is_open else None
            case Said.NO:
                return None if self._is_over() else self._in(PledgeState.DECLINED)
            case Said.BACK:
                if self.state is PledgeState.WITHDRAWN:
                    return self
                return self._in(PledgeState.WITHDRAWN) if self._is_to_do() else None
            case Said.DONE | Said.MORE:
                return self._done(4 if what is Said.MORE else 0, now)
            case Said.LATER:
                return self._in(PledgeState.IN_PROGRESS) if self._is_to_do() else None
            case Said.HELP:
                if self._is_over() or not (stands or self.is_open):
                    return None
                return self._in(PledgeState.BLOCKED)
            case Said.VERIFY:
                return self._in(PledgeState.VERIFIED) if self.state in IS_DONE else None
            case _:
                raise AssertionError(what)

    def _in(self, state: PledgeState) -> "Model":
        return dataclasses.replace(self, state=state, is_answered=True)

    def _is_over(self) -> bool:
        return self.state in IS_DONE and self.turn is not Turn.STANDING

    def _is_to_do(self) -> bool:
        return self.state in STANDS and not self._is_over()

    def _done(self, amount: int, now: datetime) -> "Model | None":
        if self.state not in STANDS and not self.is_open:
            return None
        if not self._counts_anew(now):
            if self.state is PledgeState.VERIFIED or (self.state in IS_DONE and not amount):
                return self
            told = self.before_deed + amount if amount else self.amount
            return dataclasses.replace(self._in(PledgeState.DONE), amount=told)
        return dataclasses.replace(
            self._in(PledgeState.DONE),
            times=self.times + 1,
            before_deed=self.amount,
            amount=self.amount + amount,
            done_on=now,
        )

    def _counts_anew(self, now: datetime) -> bool:
        if self.turn is not Turn.STANDING or self.done_on is None:
            return self.state not in IS_DONE
        return now.astimezone(UTC).date() > self.done_on.astimezone(UTC).date()

    def at(self, now: datetime) -> "Model":
        """Let the worker have its turn."""
        if (
            self.turn is Turn.REPEAT
            and self.is_open
            and self.state in IS_DONE
            and self.done_on is not None
            and self.done_on <= now - timedelta(days=REPEAT_DAYS)
        ):
            return dataclasses.replace(self._in(PledgeState.PLEDGED), is_answered=False)
        return self


@dataclasses.dataclass(frozen=True)
class Rooms:
    """One and the same unit of work, for the steps that open their own."""

    here: Work

    @contextlib.asynccontextmanager
    async def work(self, *, reading: bool = False) -> AsyncGenerator[Work]:
        assert isinstance(reading, bool)
        yield self.here


class Life:
    """One pledge and its model, led side by side; what undo goes back to is remembered."""

    def __init__(self, work: Work, somebody: Subscriber, ask: Ask) -> None:
        self.work = work
        self.somebody = somebody
        self.ask = ask
        self.model = Model(turn=ask.turn)
        # The number of each step that was not undone, the model before it, and who made it.
        self.steps: list[tuple[int, Model, Door]] = []

    async def happens(self, what: Said) -> None:
        match what:
            case Said.TIME:
                self.work = make.later(self.work, days=4)
                if (await store.again(self.work, self.ask)).turn is Turn.REPEAT:
                    system = make.through(self.work, Door.SYSTEM)
                    if self.model.is_open:
                        await upkeep.open_again(system, self.ask)
                await self._follow(self.model.at(self.work.now), Door.SYSTEM)
                at_work = Rooms(make.through(self.work, Door.SYSTEM))
                for step in (upkeep.give_days, upkeep.forget_words, remind_due):
                    while await step(at_work):
                        pass
            case Said.CLOSE:
                await asks.close_ask(self.work, self.ask)
                self.model = dataclasses.replace(self.model, is_open=False)
            case Said.OPEN:
                await asks.reopen_ask(self.work, self.ask)
                self.model = dataclasses.replace(self.model, is_open=True)
            case Said.UNDO:
                await self._undo()
            case _:
                await self._say(what)
        await self.agrees()

    async def _say(self, what: Said) -> None:
        expected = self.model.said(what, self.work.now)
        if what is Said.VERIFY and await self.pledge() is None:
            return
        if expected is None:
            with pytest.raises(Refusal):
                await self._do(what)
            return
        said = await self._do(what)
        await self._follow(expected, self.work.door)
        # Again within a minute: nothing more happens, and the same is given.
        rows = await self.everything()
        again = await self._do(what, seconds=59)
        assert plain.kept(again) == plain.kept(said)
        assert await self.everything() == rows

    async def _do(self, what: Said, *, seconds: int = 0) -> Pledge:
        work, somebody, ask = make.later(self.work, seconds=seconds), self.somebody, self.ask
        match what:
            case Said.YES:
                return await asks.pledge(work, somebody, ask)
            case Said.NO:
                return await asks.decline(work, somebody, ask)
            case Said.BACK:
                return await asks.withdraw(work, somebody, ask)
            case Said.DONE:
                return await asks.report_done(work, somebody, ask)
            case Said.MORE:
                return await asks.report_done(work, somebody, ask, amount=4, note="More.")
            case Said.LATER:
                until = work.now.astimezone(UTC).date() + timedelta(days=2)
                return await asks.not_yet(work, somebody, ask, until=until)
            case Said.HELP:
                return await asks.need_help(work, somebody, ask, words="Help.")
            case _:
                pledge = await self.pledge()
                assert pledge is not None
                return await asks.verify(work, pledge)

    async def _follow(self, model: Model, door: Door) -> None:
        """Remember the step that was made, if one was."""
        pledge = await self.pledge()
        change = await store.last_change(self.work, pledge.no) if pledge else None
        if change is not None and (not self.steps or change.no != self.steps[-1][0]):
            self.steps.append((change.no, self.model, door))
        self.model = model

    async def _undo(self) -> None:
        for no, _model, _door in self.steps[:-1]:
            with pytest.raises(asks.SinceChanged):
                await self._undo_step(no)
        if not self.steps:
            return
        no, before, door = self.steps[-1]
        if door is Door.SYSTEM:
            with pytest.raises(asks.ChangeUnknown):
                await self._undo_step(no)
            return
        await self._undo_step(no)
        rows = await self.everything()
        await self._undo_step(no)
        assert await self.everything() == rows
        self.steps.pop()
        state = before.state or PledgeState.WITHDRAWN
        self.model = dataclasses.replace(before, state=state, is_open=self.model.is_open)

    async def _undo_step(self, no: int) -> None:
        # Steps of time among those before are not there for anybody.
        change = await store.change_by_no(self.work, no)
        assert change is not None
        if change.door is Door.SYSTEM and no != self.steps[-1][0]:
            raise asks.SinceChanged
        await asks.undo(self.work, no, subscriber=self.somebody)

    async def pledge(self) -> Pledge | None:
        return await store.pledge_of(self.work, self.somebody.no, self.ask.no)

    async def everything(self) -> list[Any]:
        """Give all that a step could have changed."""
        no = self.somebody.no
        pledge = await self.pledge()
        return [
            plain.kept(pledge) if pledge else None,
            [(one.no, one.undone_at) for one in await store.changes_of(self.work, no)],
            await activity.kinds(self.work, no),
            [one.no for one in await outbox.letters_to(self.work, no)],
            await self.signs(),
        ]

    async def signs(self) -> list[SignKind]:
        since = self.work.now - timedelta(days=180)
        found = await ladder.signs_of(self.work, self.somebody.no, since=since)
        return sorted(kind for kind, _at in found if kind in {SignKind.PLEDGED, SignKind.DONE})

    async def agrees(self) -> None:
        pledge, model = await self.pledge(), self.model
        if pledge is None:
            assert model.state is None
            return
        assert pledge.state is model.state
        assert pledge.is_answered == model.is_answered
        assert (pledge.times, pledge.amount or 0) == (model.times, model.amount)
        assert (pledge.done_at is None) == (pledge.times == 0)
        assert pledge.done_at == (model.done_on if pledge.times else None)
        assert (pledge.verified_at is not None) == (pledge.state is PledgeState.VERIFIED)
        change = await store.last_change(self.work, pledge.no)
        assert (change is None) == (not self.steps)
        await self._steps_lead_to(pledge)
        signs = await self.signs()
        assert signs.count(SignKind.DONE) == model.times
        assert signs.count(SignKind.PLEDGED) <= (pledge.state in STANDS)

    async def _steps_lead_to(self, pledge: Pledge) -> None:
        """Walk back through the steps that were not undone, to where nothing was said."""
        state: PledgeState | None = pledge.state
        says = {name: getattr(pledge, name) for name in plain.COLUMNS}
        for change in await store.changes_of(self.work, self.somebody.no):
            if change.undone_at is None:
                assert change.to_state is state
                state = change.from_state
                says |= plain.read(change.before)
        if state is not None:  # it began anew after all had been undone
            assert state is PledgeState.WITHDRAWN
            nothing = (says["times"], says["amount"], says["done_at"], says["is_answered"])
            assert nothing == (0, None, None, False)


@given(
    turn=st.sampled_from(Turn),
    happens=st.lists(st.sampled_from(Said), min_size=1, max_size=14),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
async def test_no_path_leaves_an_undefined_state_and_repeating_changes_nothing(
    work: Work, cast: Cast, turn: Turn, happens: list[Said]
) -> None:
    transaction = await work.session.begin_nested()
    try:
        ask = await make.ask(
            work,
            turn=turn,
            repeat_days=REPEAT_DAYS if turn is Turn.REPEAT else None,
            unit={"en": "letters"},
        )
        # At noon, so that a minute later is the same day.
        noon = dataclasses.replace(work, now=work.now.replace(hour=12))
        life = Life(noon, await make.person(work), ask)
        for one in happens:
            await life.happens(one)
    finally:
        await transaction.rollback()
