"""The ledger: one row per recipient and campaign, one per letter, and what may be said about it.

A row travels ``queued → claimed → sending`` and ends in an outcome. Two facts make the rest safe:

* ``attempt`` is raised by the beat that marks a row ``sending``, under the row's lock. So a number
  of attempt belongs to one worker for ever, and whoever holds it may tell the truth about it at any
  time.
* a worker's number is given once per start of a process and never again. So ``worker = me`` is a
  fence of marks.

What is the same on both databases is here; who may hold the ledger, and what a claim is, is in
`ledger_sqlite.py` and `ledger_postgres.py`. The engine writes to whomever the audience chose, so
its statements are not scoped to what an account may see.
"""

import abc
import contextlib
from collections import defaultdict
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
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from mailer.accounts.model import Account
from mailer.campaigns.model import Campaign, CampaignState, OnDoubt
from mailer.consent import store as consent
from mailer.deliveries.model import FIRST_RUN, LONGEST_REPLY, Delivery, Key, Reason
from mailer.deliveries.retrying import COPIES
from mailer.deliveries.store import OPEN, why_not
from mailer.deliveries.transport import Errand
from mailer.kit.work import clock
from mailer.outbox.model import DeliveryState, Letter, Needs
from mailer.subscribers.model import Subscriber, Suppression

EVERYBODY = {"unscoped": "the engine writes to whomever the audience chose"}

# The attempt that knows the truth may tell it until one of the last states is reached: a row that
# was taken over, or even queued again, is settled by it as long as no later attempt has begun.
UNSETTLED = (
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.SENDING,
    DeliveryState.IN_DOUBT,
)
_LETTER_IS_DONE = (
    DeliveryState.SENT,
    DeliveryState.REFUSED,
    DeliveryState.FAILED,
    DeliveryState.SKIPPED,
)
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


class Settled(msgspec.Struct, frozen=True):
    """What a beat writes down about one row."""

    key: Key
    attempt: int
    state: DeliveryState
    code: int | None = None
    reply: str | None = None
    wait: float | None = None  # seconds until it is due again
    counts: bool = False  # as a try, though no mark did count it: refused at its envelope

    @property
    def is_given_back(self) -> bool:
        """Say whether it was claimed and not begun, so that there is nothing to tell."""
        return self.state is DeliveryState.QUEUED and self.reply is None


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
    is_restored: bool = False  # an older copy of the database was put back under us

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
    def _beating(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Begin a transaction that, if it is committed, proves that we live."""

    @abc.abstractmethod
    async def _is_alive(self, beat: AsyncConnection) -> bool:
        """Show a sign of life within a beat; False when somebody has declared us dead."""

    @abc.abstractmethod
    def _moment(self, seconds: float = 0) -> Moment:
        """Say now, or so many seconds from now, by the clock that all workers share."""

    @abc.abstractmethod
    def _is_mine(self, table: type[Delivery | Letter]) -> ColumnElement[bool]:
        """Give the condition that a row may be marked by us."""

    @abc.abstractmethod
    async def _take(
        self, claim: AsyncConnection, table: type[Delivery | Letter], due: Select[*tuple[Any, ...]]
    ) -> Sequence[Any]:
        """Claim the rows that a query finds; give its columns."""

    # Claims. --------------------------------------------------------------------------------------

    async def running(self) -> list[Running]:
        """Say which campaigns are being sent, the one that began first first."""
        found = (
            select(Campaign.no, Campaign.list_no, Campaign.on_doubt)
            .where(Campaign.state == CampaignState.SENDING)
            .order_by(Campaign.started_at, Campaign.no)
        )
        async with translated(), self._reading() as reading:
            rows = (await reading.execute(found)).all()
        return [Running(no, FIRST_RUN, list_no or 0, on_doubt) for no, list_no, on_doubt in rows]

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

        Raises `LedgerLost` when it is not known whether it was committed. Everything may be said a
        second time: outcomes name their attempt, and a mark finds no row that is marked already.
        """
        async with translated(), self._beating() as beat:
            await self._settle(beat, settled)
            granted: Granted = {}
            if await self._is_alive(beat) and asked:
                granted = await self._mark(beat, asked, running)
        return granted

    async def _settle(self, beat: AsyncConnection, settled: Sequence[Settled]) -> None:
        # Nearly all are accepted, or given back: one statement for many instead of many.
        alike: dict[tuple[int, int, int, DeliveryState], list[int]] = defaultdict(list)
        for one in settled:
            if one.key.is_letter:
                await self._settle_letter(beat, one)
            elif one.state is DeliveryState.SENT or one.is_given_back:
                alike[one.key.campaign, one.key.run, one.attempt, one.state].append(one.key.number)
            else:
                await self._settle_one(beat, one)
        for (campaign, run, attempt, state), numbers in alike.items():
            said = (
                {"code": 250, "reply": None, "due_at": None, "at": self._moment()}
                if state is DeliveryState.SENT
                else {"worker": None}
            )
            await beat.execute(
                update(Delivery)
                .where(
                    Delivery.campaign_no == campaign,
                    Delivery.run == run,
                    Delivery.subscriber_no.in_(numbers),
                    Delivery.attempt == attempt,
                    Delivery.state.in_(UNSETTLED),
                )
                .values(state=state, **said)
            )

    async def _settle_one(self, beat: AsyncConnection, one: Settled) -> None:
        await beat.execute(
            update(Delivery)
            .where(
                Delivery.campaign_no == one.key.campaign,
                Delivery.run == one.key.run,
                Delivery.subscriber_no == one.key.number,
                Delivery.attempt == one.attempt,
                Delivery.state.in_(UNSETTLED),
            )
            .values(**self._said(one), due_at=None if one.wait is None else self._moment(one.wait))
        )

    async def _settle_letter(self, beat: AsyncConnection, one: Settled) -> None:
        forgotten = {"address": None} if one.state in _LETTER_IS_DONE else {}
        await beat.execute(
            update(Letter)
            .where(
                Letter.no == one.key.number,
                Letter.attempt == one.attempt,
                Letter.state.in_(UNSETTLED),
            )
            .values(
                **self._said(one),
                **forgotten,
                **({} if one.wait is None else {"due_at": self._moment(one.wait)}),
            )
        )

    def _said(self, one: Settled) -> dict[str, Any]:
        # PostgreSQL's text has no NUL, and a server may say what it likes.
        reply = None if one.reply is None else one.reply.replace("\0", "")[:LONGEST_REPLY]
        return {
            "state": one.state,
            "attempt": one.attempt + (1 if one.counts else 0),
            "code": one.code,
            "reply": reply,
            "at": self._moment(),
        }

    async def _mark(
        self, beat: AsyncConnection, asked: Sequence[Errand], running: Sequence[Running]
    ) -> Granted:
        granted: Granted = {}
        numbers: dict[tuple[int, int], list[int]] = defaultdict(list)
        for errand in asked:
            if errand.key.is_letter:
                granted |= await self._mark_letter(beat, errand)
            else:
                numbers[errand.key.campaign, errand.key.run].append(errand.key.number)
        for campaign in running:
            if wanted := numbers.pop((campaign.no, campaign.run), None):
                granted |= await self._mark_of(beat, campaign, wanted)
        for (no, run), unwanted in numbers.items():  # of campaigns that were just stopped
            await self._return(beat, no, run, unwanted)
        return granted

    async def _mark_of(
        self, beat: AsyncConnection, campaign: Running, numbers: list[int]
    ) -> Granted:
        """Mark what may be sent; turn what may not be, any more, into `skipped` with its reason."""
        may_mail = (
            exists()
            .where(
                Subscriber.no == Delivery.subscriber_no,
                consent.may_mail(campaign.list_no, clock()),
            )
            .correlate(Delivery)
        )
        may_go = [
            Delivery.campaign_no == campaign.no,
            Delivery.run == campaign.run,
            self._is_mine(Delivery),
            exists().where(Campaign.no == campaign.no, Campaign.state == CampaignState.SENDING),
        ]
        marked = await beat.execute(
            update(Delivery)
            .where(*may_go, Delivery.subscriber_no.in_(numbers), may_mail)
            .values(
                state=DeliveryState.SENDING,
                attempt=Delivery.attempt + 1,
                worker=self.worker,
                at=self._moment(),
            )
            .returning(Delivery.subscriber_no, Delivery.attempt),
            execution_options=EVERYBODY,
        )
        granted = {Key(campaign.no, campaign.run, number): attempt for number, attempt in marked}
        if left := [n for n in numbers if (campaign.no, campaign.run, n) not in granted]:
            why = (
                select(why_not(campaign.list_no, clock()))
                .where(Subscriber.no == Delivery.subscriber_no)
                .correlate(Delivery)
                .scalar_subquery()
            )
            await beat.execute(
                update(Delivery)
                .where(*may_go, Delivery.subscriber_no.in_(left), ~may_mail)
                .values(
                    state=DeliveryState.SKIPPED,
                    reply=func.coalesce(why, Reason.ERASED.value),
                    due_at=None,
                    at=self._moment(),
                ),
                execution_options=EVERYBODY,
            )
            await self._return(beat, campaign.no, campaign.run, left)
        return granted

    async def _return(self, beat: AsyncConnection, no: int, run: int, numbers: list[int]) -> None:
        """Give back what we hold and may not send now."""
        await beat.execute(
            update(Delivery)
            .where(
                Delivery.campaign_no == no,
                Delivery.run == run,
                Delivery.subscriber_no.in_(numbers),
                Delivery.state == DeliveryState.CLAIMED,
                Delivery.worker == self.worker,
            )
            .values(state=DeliveryState.QUEUED, worker=None)
        )

    async def _mark_letter(self, beat: AsyncConnection, errand: Errand) -> Granted:
        """Do the same for a letter, by the consent that its kind needs."""
        is_this = and_(Letter.no == errand.key.number, self._is_mine(Letter))
        why = case(
            (Letter.account_no.is_not(None), _why_not_account()),
            (exists().where(Suppression.mark == errand.mark), Reason.SUPPRESSED.value),
            (Letter.subscriber_no.is_not(None), _why_not_subscriber()),
            else_=None,
        )
        marked = await beat.execute(
            update(Letter)
            .where(is_this, why.is_(None))
            .values(
                state=DeliveryState.SENDING,
                attempt=Letter.attempt + 1,
                worker=self.worker,
                at=self._moment(),
            )
            .returning(Letter.attempt),
            execution_options=EVERYBODY,
        )
        attempt = marked.scalar_one_or_none()
        if attempt is not None:
            return {errand.key: attempt}
        await beat.execute(
            update(Letter)
            .where(is_this, why.is_not(None))
            .values(state=DeliveryState.SKIPPED, reply=why, address=None, at=self._moment()),
            execution_options=EVERYBODY,
        )
        return {}


def _why_not_account() -> ColumnElement[Any]:
    open_account = (
        exists()
        .where(Account.no == Letter.account_no, Account.disabled_at.is_(None))
        .correlate(Letter)
    )
    return case((~open_account, Reason.NO_ACCOUNT.value), else_=None)


def _why_not_subscriber() -> ColumnElement[Any]:
    """Say why a letter's subscriber may not get it; suppression was asked about before."""
    person = (
        select(
            case(
                (consent.is_erased(), Reason.ERASED.value),
                (~consent.has_address(), Reason.NO_ADDRESS.value),
                (
                    and_(Letter.needs == Needs.ROLL, consent.is_stopped()),
                    Reason.STOPPED.value,
                ),
                else_="",
            )
        )
        .where(Subscriber.no == Letter.subscriber_no)
        .correlate(Letter)
        .scalar_subquery()
    )
    return func.nullif(func.coalesce(person, Reason.ERASED.value), "")


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
                    and_(Delivery.campaign_no.in_(again), Delivery.attempt < COPIES),
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
async def translated() -> AsyncGenerator[None]:
    """Turn whatever a database may do to us into the one thing that matters."""
    try:
        yield
    except (SQLAlchemyError, OSError) as fault:
        raise LedgerLost(type(fault).__name__) from fault
