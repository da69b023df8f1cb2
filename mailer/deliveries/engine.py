"""The engine: beats, outcomes, and a quiet end.

Errands wait in lines (`lines.py`), which claims fill (`claiming.py`) and limits hold back
(`pacing.py`); connections take them, send their envelopes, and ask at the gate. A **beat** gathers
everything that was asked and settled since the last one, and is one transaction of the ledger. So
at any moment no more rows are ``sending`` than there are connections, and that is all a kill can
put in doubt.
"""

import asyncio
import contextlib
import functools
import time
from collections import Counter
from collections.abc import Sequence

import structlog

from mailer.campaigns.model import OnDoubt
from mailer.deliveries import finishing
from mailer.deliveries.beating import Settled
from mailer.deliveries.claiming import Claims
from mailer.deliveries.finishing import OpenWork
from mailer.deliveries.journal import Journal
from mailer.deliveries.ledger import Granted, Ledger, LedgerLost
from mailer.deliveries.letters import Letters
from mailer.deliveries.lines import Lines
from mailer.deliveries.minding import FAULTS_BEFORE_PAUSE, Minder
from mailer.deliveries.model import Reason
from mailer.deliveries.pacing import Pacer
from mailer.deliveries.retrying import may_be_copied
from mailer.deliveries.transport import Errand, Gate, Outcome, Transport, Trouble, Verdict
from mailer.deliveries.writing import Desk
from mailer.kit.loops import Ending
from mailer.outbox.model import DeliveryState

log = structlog.get_logger()

# A grant is good for this long by a clock that also counts suspended time. A worker that was
# stopped between the commit and its first octet must ask again: others may think it dead by now.
GRANT_IS_FRESH = 30.0
LOST_BEFORE_REST = 3

_HEARTBEAT = 1.0  # or a quarter of the lease, if that is less
# A beat costs a flush of the disk, whatever it carries: so it waits a moment for company.
_GATHER = 0.002
_LONGEST_REST = 30.0
_LAST_BEATS = 3.0


class Engine:
    """Sends whatever is due, until it is told to end."""

    def __init__(
        self,
        ledger: Ledger,
        transport: Transport,
        *,
        open_work: OpenWork,
        desk: Desk,
        letters: Letters,
        pacer: Pacer,
        look: float = 0.5,
    ) -> None:
        """Take a ledger that is open; look for new rows every so many seconds."""
        self._ledger = ledger
        self._transport = transport
        self._pacer = pacer
        self._journal = Journal()
        hungry = asyncio.Event()
        self._lines = Lines(pacer, hungry.set)
        self._minder = Minder(pacer, self._lines, transport, open_work)
        self._claims = Claims(
            ledger,
            self._lines,
            self._journal,
            self._minder,
            open_work=open_work,
            desk=desk,
            letters=letters,
            hungry=hungry,
            wake=transport.wake,
            look=look,
        )
        self._asked: list[tuple[Gate, Errand]] = []
        self._is_lost = False  # the ledger: no new body until it is found again
        self._faults: Counter[int] = Counter()  # of ours, one after the other, by campaign
        self._identity = ledger.worker
        self._last_beat = _boottime()
        self._is_ending = False
        self._is_done = False

    async def run(self, ending: Ending) -> None:
        """Send until the end is wished; then finish what has begun, and give back the rest."""
        await self._minder.round()  # limits first, then mail
        beats = asyncio.create_task(self._beat_on(), name="beats")
        claims = asyncio.create_task(self._claims.run(), name="claims")
        minding = asyncio.create_task(self._minder.run(), name="minding")
        sending = asyncio.create_task(self._transport.run(self, self.settle), name="transport")
        wish = asyncio.create_task(ending.wait(), name="ending")
        tasks = (wish, claims, sending, minding, beats)
        try:
            await asyncio.wait(tasks, return_when="FIRST_COMPLETED")
            self._drain()
            # Nobody is cancelled in the middle of a statement, unless the database is away.
            await sending
            self._minder.end()
            await asyncio.wait({claims, minding}, timeout=_LAST_BEATS)
            self._is_done = True
            self._journal.wanted.set()
            # What was settled last is written down; a ledger that is away is not waited for long.
            await asyncio.wait_for(beats, _LAST_BEATS)
        except TimeoutError:
            log.warning("ended_without_the_ledger", unsettled=len(self._journal.settled))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(LedgerLost):
            await self._ledger.give_back()

    def _drain(self) -> None:
        """Nobody new is taken; what is in its body or at the gate is finished."""
        self._is_ending = True
        self._lines.clear()
        self._claims.end()
        self._transport.wake()

    # What a transport asks (`transport.Source`). --------------------------------------------------

    def next(self, relay: int) -> Errand | None:
        """Give an errand that may go through a relay."""
        if self._is_ending or self._is_lost:
            return None
        return self._lines.take(relay)

    def write(self, errand: Errand, attempt: int) -> bytes | None:
        """Write a body whose row is marked: what kills us now is found in its row.

        One mail that cannot be written must not hold up the others.
        """
        try:
            return errand.write(time.time())
        except Exception as fault:  # noqa: BLE001  # recorded, and seen by name
            log.error("mail_unwritable", key=errand.key, fault=type(fault).__name__)  # noqa: TRY400
            self._journal.defer(errand, attempt, None, Reason.UNWRITABLE, counts=False)
            return None

    def ask(self, gate: Gate, errand: Errand) -> None:
        """Wait for the next beat."""
        self._asked.append((gate, errand))
        self._journal.wanted.set()

    def put_back(self, errand: Errand) -> None:
        """Let another connection try; a recipient under whom connections break must wait."""
        errand.lost += 1
        self._pacer.give_back(errand.relay, errand.domain)
        if errand.lost >= LOST_BEFORE_REST:
            self._journal.defer(
                errand, errand.attempt + 1, None, Reason.CONNECTION_LOST, counts=True
            )
        elif self._is_ending or not self._lines.put_back(errand):
            self._journal.release(errand)
        self._transport.wake()

    def waiting(self, relay: int) -> int:
        """Say how many errands wait for a connection of a relay."""
        return 0 if self._is_ending or self._is_lost else self._lines.waiting(relay)

    def is_ending(self) -> bool:
        """Say whether we were told to end."""
        return self._is_ending

    def trouble(self, relay: int, kind: Trouble, words: str) -> None:
        """Hear that a relay cannot be reached, or does not let us in."""
        self._minder.trouble(relay, kind, words)
        for no in self._minder.stopped:
            self._claims.drop_line(no)

    def well(self, relay: int) -> None:
        """Hear that it let us in."""
        self._minder.well(relay)

    # What became of errands. ----------------------------------------------------------------------

    def settle(self, errand: Errand, attempt: int, outcome: Outcome) -> None:
        """Note an outcome; the next beat writes it down."""
        code, reply = outcome.code or None, outcome.reply or None
        counts = attempt == errand.attempt  # refused at its envelope: no mark has counted this try
        tries = attempt + 1 if counts else attempt
        match outcome.verdict:
            case Verdict.ACCEPTED:
                if self._faults:
                    self._faults.pop(errand.key.campaign, None)
                self._journal.note(errand, attempt, DeliveryState.SENT, 250, reply)
            case Verdict.DEFERRED:
                self._pacer.hear(errand.domain, outcome.code, outcome.reply)
                self._journal.defer(errand, tries, code, reply, counts=counts)
            case Verdict.REFUSED:
                if not errand.key.is_letter:
                    self._minder.refused(errand.key.campaign)
                self._journal.note(errand, attempt, DeliveryState.REFUSED, code, reply)
            case Verdict.NOT_SENT:
                self._pacer.give_back(errand.relay, errand.domain)
                self._journal.note(errand, attempt, DeliveryState.QUEUED, code, reply)
            case Verdict.OURS:
                self._blame_us(errand, outcome)
                self._journal.defer(errand, tries, code, reply, counts=counts)
            case Verdict.IN_DOUBT:
                if self._is_said_again(errand) and may_be_copied(attempt):
                    self._journal.defer(errand, tries, code, reply, counts=counts)
                else:
                    self._journal.note(errand, attempt, DeliveryState.IN_DOUBT, code, reply)

    def _is_said_again(self, errand: Errand) -> bool:
        """Letters are, and campaigns whose organiser chose so."""
        if errand.key.is_letter:
            return True
        turn = self._lines.turns.get(errand.key.campaign)
        return turn is not None and turn.campaign.on_doubt is OnDoubt.RESEND

    def _blame_us(self, errand: Errand, outcome: Outcome) -> None:
        """Count what says nothing about the recipient; they are not blamed for it."""
        no = errand.key.campaign
        self._faults[no] += 1
        log.warning("our_fault", campaign=no, code=outcome.code, faults=self._faults[no])
        if self._faults[no] >= FAULTS_BEFORE_PAUSE and not errand.key.is_letter:
            self._faults.pop(no)
            why = functools.partial(finishing.refused_as_senders, outcome.code, outcome.reply)
            self._minder.stop(no, why)
            self._claims.drop_line(no)

    # The beat. ------------------------------------------------------------------------------------

    async def _beat_on(self) -> None:
        heartbeat = min(_HEARTBEAT, self._ledger.lease / 4)
        rest = 0.1
        company = 0
        wanted = self._journal.wanted
        while not self._is_done or self._journal.settled or self._asked:
            if not wanted.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(wanted.wait(), heartbeat)
            # At once when every connection is at the gate, for nobody else can come; and when the
            # last beat found no company either.
            if company > 1 and len(self._asked) < self._transport.connections():
                await asyncio.sleep(_GATHER)
            wanted.clear()
            company = len(self._asked) + len(self._journal.settled)
            try:
                await self._beat()
                rest = 0.1
                await asyncio.sleep(self._ledger.rest)
            except LedgerLost as lost:
                log.warning("ledger_lost", why=str(lost), rest=rest)
                await asyncio.sleep(rest)
                rest = min(rest * 2, _LONGEST_REST)
                wanted.set()

    async def _beat(self) -> None:
        asked = self._still_asking()
        settled = self._journal.take_all()
        running = [turn.campaign for turn in self._lines.turns.values()]
        began, worker = _boottime(), self._ledger.worker
        try:
            granted = await self._ledger.beat(settled, [errand for _, errand in asked], running)
        except LedgerLost:
            self._lose(asked, settled, worker)
            raise
        if self._is_lost:
            self._is_lost = False
            self._transport.wake()
        for one in settled:
            self._journal.let_go(one.key)
        self._answer(asked, granted, fresh=_boottime() - began < GRANT_IS_FRESH)
        if self._journal.holds_nothing():
            self._claims.hungry.set()
        if self._is_late(began, len(settled)):
            await self._claims.start_afresh()

    def _still_asking(self) -> list[tuple[Gate, Errand]]:
        asked, self._asked = self._asked, []
        stopped = self._minder.stopped
        living = []
        for gate, errand in asked:
            if gate.is_dead:  # never marked, so nothing to settle
                self.put_back(errand)
            elif stopped and errand.key.campaign in stopped:
                self._journal.release(errand)
                gate.shut()
            else:
                living.append((gate, errand))
        return living

    def _is_late(self, began: float, settled: int) -> bool:
        """Say whether we were silent for so long, or so dead, that others may hold our claims."""
        silence = began - self._last_beat
        self._last_beat = began
        pace = self._claims.pace
        self._claims.pace += (settled / max(silence, 0.001) - pace) * min(silence, 1.0)
        self._lines.low = self._claims.ahead() // (2 * max(len(self._lines.turns), 1))
        identity, self._identity = self._identity, self._ledger.worker
        return silence > self._ledger.lease / 2 or identity != self._identity

    def _lose(
        self, asked: Sequence[tuple[Gate, Errand]], settled: list[Settled], worker: int
    ) -> None:
        """Say both halves again, since it is not known whether the beat was committed.

        Outcomes are keyed by their attempt and can be repeated; and a row that asked is queued
        whichever attempt it has now, if it is ours still: after a long silence another worker may
        have marked it under the number that would have been ours. No body goes out meanwhile.
        """
        self._is_lost = True
        never_begun = functools.partial(
            Settled, state=DeliveryState.QUEUED, reply=Reason.NOT_BEGUN.value, worker=worker
        )
        again = [
            never_begun(errand.key, attempt)
            for _gate, errand in asked
            for attempt in (errand.attempt, errand.attempt + 1)
        ]
        self._journal.settled = [*settled, *again, *self._journal.settled]
        for gate, _errand in asked:
            if not gate.is_dead:
                gate.shut()

    def _answer(
        self, asked: Sequence[tuple[Gate, Errand]], granted: Granted, *, fresh: bool
    ) -> None:
        for gate, errand in asked:
            attempt = granted.get(errand.key)
            if attempt is None:
                # Skipped, or given back because it is paused: the ledger has written it down.
                self._pacer.give_back(errand.relay, errand.domain)
                self._journal.let_go(errand.key)
                if not gate.is_dead:
                    gate.shut()
            elif fresh and not gate.is_dead:
                gate.open(attempt)
            else:
                self._pacer.give_back(errand.relay, errand.domain)
                self._journal.note(errand, attempt, DeliveryState.QUEUED, None, Reason.NOT_BEGUN)
                if not gate.is_dead:
                    gate.shut()


def _boottime() -> float:
    """Read the clock that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
