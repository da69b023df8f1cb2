"""The ledger: one row per recipient and campaign, one per letter, and what may be said about it.

A row travels ``queued → claimed → sending`` and ends in an outcome. Two facts make the rest safe:

* ``attempt`` is raised by the beat that marks a row ``sending``, under the row's lock. So a number
  of attempt belongs to one worker for ever, and whoever holds it may tell the truth about it at any
  time.
* a worker's number is given once per start of a process and never again. So ``worker = me`` is a
  fence of marks.

What is the same on both databases is here, and what a beat writes is in `beating.py`; who may hold
the ledger, and what a claim is, is in `ledger_sqlite.py` and `ledger_postgres.py`. The engine
writes to whomever the audience chose, so its statements are not scoped to what an account may see.
"""

import abc
import contextlib
import sqlite3
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from mailer.campaigns.model import Campaign, CampaignState, Kind, OnDoubt
from mailer.deliveries.beating import Batch, Beats, Settled
from mailer.deliveries.model import FIRST_RUN, Delivery, Key, Reason
from mailer.deliveries.prepared import Step
from mailer.deliveries.retrying import COPIES, tries_of
from mailer.deliveries.store import OPEN
from mailer.deliveries.transport import Errand
from mailer.kit.work import clock
from mailer.outbox.model import DeliveryState, Letter

# In these words, so that both databases find the index of those that wait.
_LETTER_WAITS = text("letter.state IN (0, 1, 2, 4)")

Moment: TypeAlias = datetime | ColumnElement[datetime]


class LedgerLost(Exception):
    """The database cannot be reached; whether the last beat was committed is not known."""


class Running(msgspec.Struct, frozen=True):
    """A campaign that is being sent, as the engine needs it."""

    no: int
    run: int
    list_no: int
    on_doubt: OnDoubt
    kind: Kind = Kind.NEWSLETTER


class Claim(msgspec.Struct, frozen=True):
    """A row that is due. Losing a claim is harmless: nothing was sent."""

    key: Key
    attempt: int


Granted = dict[Key, int]
"""Key to attempt, for the rows that a beat marked `sending`. What is missing is not sent."""


class Ledger(abc.ABC):
    """What the engine asks of a ledger."""

    worker: int = 0
    lease: float  # seconds after which silence loses our claims
    rest: float = 0.0  # seconds between two beats, in which others may write
    is_restored: bool = False  # an older copy of the database was put back under us
    _beats: Beats

    # Who holds it. --------------------------------------------------------------------------------

    @abc.abstractmethod
    async def open(self) -> bool:
        """Become a worker; False while another holds a ledger that has room for one only."""

    @abc.abstractmethod
    async def close(self) -> None:
        """Give everything back and say goodbye: nobody need wait for a lease."""

    @abc.abstractmethod
    async def give_back(self) -> None:
        """Return what was claimed and not yet begun."""

    @abc.abstractmethod
    async def watch(self) -> None:
        """Look for workers that are late or dead, and take over what they held."""

    @abc.abstractmethod
    def _reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Begin a transaction that only reads."""

    @abc.abstractmethod
    def _claiming(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Begin a transaction that claims."""

    @abc.abstractmethod
    async def _fly(self, steps: Sequence[Step]) -> list[list[tuple[int, ...]]]:
        """Do statements in one durable transaction, with a sign of life; give what each finds.

        That it was committed proves that we lived. Raises `LedgerLost`.
        """

    @abc.abstractmethod
    def _moment(self, seconds: float = 0) -> Moment:
        """Say now, or so many seconds from now, by the clock that all workers share."""

    @abc.abstractmethod
    async def _take(
        self, claim: AsyncConnection, table: type[Delivery | Letter], due: Select[*tuple[Any, ...]]
    ) -> Sequence[Any]:
        """Claim the rows that a query finds; give its columns."""

    # Claims. --------------------------------------------------------------------------------------

    async def running(self) -> list[Running]:
        """Say which campaigns are being sent, the one that began first first."""
        found = (
            select(Campaign.no, Campaign.list_no, Campaign.on_doubt, Campaign.kind)
            .where(Campaign.state == CampaignState.SENDING)
            .order_by(Campaign.started_at, Campaign.no)
        )
        async with translated(), self._reading() as reading:
            rows = (await reading.execute(found)).all()
        return [
            Running(no, FIRST_RUN, list_no or 0, on_doubt, kind)
            for no, list_no, on_doubt, kind in rows
        ]

    async def claim(self, campaign: Running, *, after: int, limit: int) -> list[Claim]:
        """Take rows of a campaign that are due, in the order of their keys after a number."""
        due = (
            select(Delivery.campaign_no, Delivery.run, Delivery.subscriber_no, Delivery.attempt)
            .where(
                Delivery.campaign_no == campaign.no,
                Delivery.run == campaign.run,
                Delivery.subscriber_no > after,
                Delivery.state.in_([DeliveryState.QUEUED, DeliveryState.DEFERRED]),
                or_(Delivery.due_at.is_(None), Delivery.due_at <= self._moment()),
            )
            .order_by(Delivery.subscriber_no)
            .limit(limit)
        )
        async with translated(), self._claiming() as claim:
            rows = await self._take(claim, Delivery, due)
        return [Claim(Key(no, run, number), attempt) for no, run, number, attempt in rows]

    async def claim_letters(self, *, besides: Collection[int], limit: int) -> list[int]:
        """Take letters that are due, those first that somebody waits for; give their numbers."""
        due = (
            select(Letter.no)
            .where(
                _LETTER_WAITS,
                Letter.state.in_([DeliveryState.QUEUED, DeliveryState.DEFERRED]),
                Letter.due_at <= self._moment(),
                Letter.no.not_in(besides),
            )
            .order_by(Letter.lane.desc(), Letter.due_at, Letter.no)
            .limit(limit)
        )
        async with translated(), self._claiming() as claim:
            return [no for (no,) in await self._take(claim, Letter, due)]

    async def outlook(self, campaign: Running) -> tuple[bool, float | None]:
        """Say whether anything is still open, and in how many seconds the next is due."""
        rows = select(func.count(), func.min(Delivery.due_at)).where(
            Delivery.campaign_no == campaign.no,
            Delivery.run == campaign.run,
            Delivery.state.in_(OPEN),
        )
        async with translated(), self._reading() as reading:
            number, due_at = (await reading.execute(rows)).one()
        return bool(number), None if due_at is None else (due_at - clock()).total_seconds()

    # The beat. ------------------------------------------------------------------------------------

    async def beat(
        self, settled: Sequence[Settled], asked: Sequence[Errand], running: Sequence[Running]
    ) -> Granted:
        """Settle outcomes, then mark rows `sending` where that is still allowed: one transaction.

        What was not granted is then written down as skipped or given back, in a second one.

        Raises `LedgerLost` when it is not known whether it was committed. Everything may be said a
        second time: outcomes name their attempt, and a mark finds no row that is marked already.
        """
        steps = self._beats.settle(settled)
        marks = self._marks(asked, running)
        found = await self._fly([*steps, *[step for _campaign, _run, step in marks]])
        granted = {
            Key(campaign, run, number): attempt
            for (campaign, run, _step), rows in zip(marks, found[len(steps) :], strict=True)
            for number, attempt in rows
        }
        if len(granted) < len(asked):
            left = [errand for errand in asked if errand.key not in granted]
            await self._fly(self._refusals(left, running))
        return granted

    def _marks(
        self, asked: Sequence[Errand], running: Sequence[Running]
    ) -> list[tuple[int, int, Step]]:
        lists = {(campaign.no, campaign.run): campaign.list_no for campaign in running}
        marks = [
            (0, 0, self._beats.mark_letter(self.worker, errand))
            for errand in asked
            if errand.key.is_letter
        ]
        for (no, run), numbers in _by_campaign(asked).items():
            if (no, run) in lists:  # else it was just stopped
                steps = self._beats.mark(self.worker, no, run, lists[no, run], numbers)
                marks.extend((no, run, step) for step in steps)
        return marks

    def _refusals(self, left: Sequence[Errand], running: Sequence[Running]) -> list[Step]:
        lists = {(campaign.no, campaign.run): campaign.list_no for campaign in running}
        steps = [
            self._beats.skip_letter(self.worker, errand) for errand in left if errand.key.is_letter
        ]
        for (no, run), numbers in _by_campaign(left).items():
            if (no, run) in lists:
                steps += self._beats.skip(self.worker, no, run, lists[no, run], numbers)
            steps += self._beats.give_back(self.worker, no, run, numbers)
        return steps


def _by_campaign(errands: Sequence[Errand]) -> Batch:
    batch: Batch = {}
    for errand in errands:
        key = errand.key
        if not key.is_letter:
            batch.setdefault((key.campaign, key.run), []).append(key.number)
    return batch


# --- what a dead worker leaves --------------------------------------------------------------------


def doubted(*, worker: int | None, moment: Moment) -> list[Any]:
    """Decide about what was being sent by a worker that has ended (None: by any).

    Where the campaign chose to send again it is queued, else it is in doubt, as is what was copied
    often enough. A letter is sent again: one that comes twice does less harm than a confirmation
    that never comes.
    """
    theirs = [] if worker is None else [Delivery.worker == worker]
    theirs_of_letters = [] if worker is None else [Letter.worker == worker]
    again = select(Campaign.no).where(
        Campaign.on_doubt == OnDoubt.RESEND, Campaign.state != CampaignState.CANCELLED
    )
    return [
        update(Delivery)
        .where(
            Delivery.campaign_no.in_(unfinished()),
            Delivery.state == DeliveryState.SENDING,
            *theirs,
        )
        .values(
            state=case(
                (
                    and_(Delivery.campaign_no.in_(again), tries_of(Delivery.attempt) < COPIES),
                    DeliveryState.QUEUED.value,
                ),
                else_=DeliveryState.IN_DOUBT.value,
            ),
            worker=None,
            due_at=None,
            code=None,
            reply=Reason.WORKER_ENDED.value,
            at=moment,
        ),
        update(Letter)
        .where(_LETTER_WAITS, Letter.state == DeliveryState.SENDING, *theirs_of_letters)
        .values(
            state=case(
                (Letter.attempt < COPIES, DeliveryState.QUEUED.value),
                else_=DeliveryState.IN_DOUBT.value,
            ),
            worker=None,
            code=None,
            reply=Reason.WORKER_ENDED.value,
            at=moment,
        ),
    ]


def returned(*, worker: int) -> list[Any]:
    """Queue again what a worker had claimed and not begun."""
    return [
        update(Delivery)
        .where(
            Delivery.campaign_no.in_(unfinished()),
            Delivery.worker == worker,
            Delivery.state == DeliveryState.CLAIMED,
        )
        .values(state=DeliveryState.QUEUED, worker=None),
        update(Letter)
        .where(_LETTER_WAITS, Letter.worker == worker, Letter.state == DeliveryState.CLAIMED)
        .values(state=DeliveryState.QUEUED, worker=None),
    ]


def unfinished() -> Select[int]:
    """Name the campaigns that may have open rows, so that the others need not be read."""
    return select(Campaign.no).where(Campaign.started_at.is_not(None), Campaign.ended_at.is_(None))


@contextlib.asynccontextmanager
async def translated(*others: type[Exception]) -> AsyncGenerator[None]:
    """Turn whatever a database, or a driver of `others`, does to us into what matters."""
    faults: tuple[type[Exception], ...] = (SQLAlchemyError, sqlite3.Error, OSError, *others)
    try:
        yield
    except faults as fault:
        raise LedgerLost(type(fault).__name__) from fault
