"""The engine: claims, beats, and a quiet end.

Errands wait in lines; connections take them, send their envelopes, and ask at the gate. A **beat**
gathers everything that was asked and settled since the last one, and is one transaction of the
ledger. So at any moment no more rows are ``sending`` than there are connections, and that is all a
kill can put in doubt.

Letters go before campaigns, and campaigns take turns.
"""

import asyncio
import contextlib
import functools
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

import structlog

from mailer.campaigns.model import OnDoubt
from mailer.deliveries import finishing
from mailer.deliveries.finishing import OpenWork
from mailer.deliveries.ledger import Granted, Ledger, LedgerLost, Running, Settled
from mailer.deliveries.letters import Letters
from mailer.deliveries.model import Key, Reason
from mailer.deliveries.retrying import is_spent, may_be_copied, wait_after
from mailer.deliveries.transport import Errand, Gate, Outcome, Transport, Trouble, Verdict
from mailer.deliveries.writing import Desk
from mailer.kit.errors import Refusal
from mailer.kit.loops import Ending
from mailer.kit.work import clock
from mailer.outbox.model import DeliveryState

log = structlog.get_logger()

# A grant is good for this long by a clock that also counts suspended time. A worker that was
# stopped between the commit and its first octet must ask again: others may think it dead by now.
GRANT_IS_FRESH = 30.0
FAULTS_BEFORE_PAUSE = 3
LOST_BEFORE_REST = 3

# Rows that are claimed ahead: five seconds' worth, so that other workers find some too.
_AHEAD = 5.0
_LEAST = 50
_MOST = 500
_LETTERS = 100
_HEARTBEAT = 1.0  # or a quarter of the lease, if that is less
# A beat costs a flush of the disk, whatever it carries: so it waits a moment for company.
_GATHER = 0.002
# And between two beats other processes may write (SQLite). Without the rest a second writer starved
# for seconds, with it p99 is 4 ms.
_REST_BETWEEN = 0.001
_LONGEST_REST = 30.0
_LAST_BEATS = 3.0
_LONGEST_PAUSE = 2.0  # before another look for what somebody has queued again
_LONGEST_LOOK = 10.0


class Turn:
    """How far the claims of one campaign have come."""

    def __init__(self, campaign: Running) -> None:
        self.campaign = campaign
        self.line: deque[Errand] = deque()
        self.after = 0  # the key behind which the next claim looks
        self.found = False  # anything, on this pass over the rows
        self.is_over = False  # the pass
        self.waits_for_hands = False  # to be empty, and then looks at once
        self.spent = 0.0  # seconds of claiming in this pass
        self.look_at = 0.0  # not before; monotonic


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
        look: float = 0.5,
    ) -> None:
        """Take a ledger that is open; look for new rows every so many seconds."""
        self._ledger = ledger
        self._transport = transport
        self._open_work = open_work
        self._desk = desk
        self._letters = letters
        self._look = look

        self._turns: dict[int, Turn] = {}
        self._order: deque[int] = deque()  # of the turns
        self._letter_line: deque[Errand] = deque()
        # Claimed and not yet settled: on SQLite a claim leaves no trace and would be found again.
        self._in_hand: set[Key] = set()

        self._asked: list[tuple[Gate, Errand]] = []
        self._settled: list[Settled] = []
        self._wanted = asyncio.Event()  # somebody asked or something was settled
        self._hungry = asyncio.Event()  # the lines are short
        self._is_lost = False  # the ledger: no new body until it is found again

        self._faults: Counter[int] = Counter()  # of ours, one after the other, by campaign
        self._stopped: dict[int, Callable[[], str]] = {}  # campaigns to be paused, and why
        self._trouble: Trouble | None = None
        self._trouble_words = ""
        self._troubles = 0
        self._trouble_since = clock()
        self._trouble_told = False
        self._identity = ledger.worker
        self._last_beat = _boottime()
        self._pace = 0.0  # settled a second, of late
        self._is_ending = False
        self._is_done = False

    async def run(self, ending: Ending) -> None:
        """Send until the end is wished; then finish what has begun, and give back the rest."""
        beats = asyncio.create_task(self._beat_on(), name="beats")
        claims = asyncio.create_task(self._claim_on(), name="claims")
        sending = asyncio.create_task(self._transport.run(self, self.settle), name="transport")
        wish = asyncio.create_task(ending.wait(), name="ending")
        try:
            await asyncio.wait({wish, beats, claims, sending}, return_when="FIRST_COMPLETED")
            self._drain()
            # Nobody is cancelled in the middle of a statement, unless the database is away.
            await sending
            await asyncio.wait({claims}, timeout=_LAST_BEATS)
            self._is_done = True
            self._wanted.set()
            # What was settled last is written down; a ledger that is away is not waited for long.
            await asyncio.wait_for(beats, _LAST_BEATS)
        except TimeoutError:
            log.warning("ended_without_the_ledger", unsettled=len(self._settled))
        finally:
            for task in (wish, claims, sending, beats):
                task.cancel()
            await asyncio.gather(wish, claims, sending, beats, return_exceptions=True)
        with contextlib.suppress(LedgerLost):
            await self._ledger.give_back()

    def _drain(self) -> None:
        """Nobody new is taken; what is in its body or at the gate is finished."""
        self._is_ending = True
        self._letter_line.clear()
        for turn in self._turns.values():
            turn.line.clear()
        self._transport.wake()
        self._hungry.set()

    def _has_to_say(self) -> bool:
        return bool(self._settled or self._asked)

    # What a transport asks (`transport.Source`). --------------------------------------------------

    def next(self, relay: int) -> Errand | None:  # noqa: ARG002  # wired with the pacer
        """Give an errand that may go through a relay."""
        if self._is_ending or self._is_lost:
            return None
        return self._take()

    def write(self, errand: Errand, attempt: int) -> bytes | None:
        """Write a body whose row is marked: what kills us now is found in its row.

        One mail that cannot be written must not hold up the others.
        """
        try:
            return errand.write(time.time())
        except Exception as fault:  # noqa: BLE001  # recorded, and seen by name
            log.error("mail_unwritable", key=errand.key, fault=type(fault).__name__)  # noqa: TRY400
            self._defer(errand, attempt, None, Reason.UNWRITABLE, counts=False)
            return None

    def _take(self) -> Errand | None:
        if self._at_hand() < self._ahead() // 2 and not all(
            t.is_over for t in self._turns.values()
        ):
            self._hungry.set()
        if self._letter_line:
            return self._letter_line.popleft()
        for _ in range(len(self._order)):
            self._order.rotate(-1)
            line = self._turns[self._order[-1]].line
            if line:
                return line.popleft()
        return None

    def ask(self, gate: Gate, errand: Errand) -> None:
        """Wait for the next beat."""
        self._asked.append((gate, errand))
        self._wanted.set()

    def put_back(self, errand: Errand) -> None:
        """Let another connection try; a recipient under whom connections break must wait."""
        errand.lost += 1
        turn = self._turns.get(errand.key.campaign)
        if errand.lost >= LOST_BEFORE_REST:
            self._defer(errand, errand.attempt + 1, None, Reason.CONNECTION_LOST, counts=True)
        elif self._is_ending or (turn is None and not errand.key.is_letter):
            self._release(errand)
        elif turn is None:
            self._letter_line.appendleft(errand)
        else:
            turn.line.appendleft(errand)
        self._transport.wake()

    def waiting(self, relay: int) -> int:  # noqa: ARG002
        """Say how many errands wait for a connection of a relay."""
        return 0 if self._is_ending or self._is_lost else self._at_hand()

    def _at_hand(self) -> int:
        return len(self._letter_line) + sum(len(turn.line) for turn in self._turns.values())

    def is_ending(self) -> bool:
        """Say whether we were told to end."""
        return self._is_ending

    def trouble(self, relay: int, kind: Trouble, words: str) -> None:  # noqa: ARG002
        """Hear that the mail server cannot be reached, or does not let us in."""
        if self._trouble is None:
            self._trouble_since = clock()
        self._troubles = self._troubles + 1 if self._trouble is kind else 1
        self._trouble, self._trouble_words, self._trouble_told = kind, words, False
        if kind is Trouble.SHUT and self._troubles >= FAULTS_BEFORE_PAUSE:
            for no in self._turns:
                self._stop(no, functools.partial(finishing.shut_out, words))
        self._hungry.set()

    def well(self, relay: int) -> None:  # noqa: ARG002
        """Hear that it let us in."""
        if self._trouble is not None:
            self._trouble, self._troubles, self._trouble_told = None, 0, False
            self._hungry.set()

    # What became of errands. ----------------------------------------------------------------------

    def settle(self, errand: Errand, attempt: int, outcome: Outcome) -> None:
        """Note an outcome; the next beat writes it down."""
        code, reply = outcome.code or None, outcome.reply or None
        counts = attempt == errand.attempt  # refused at its envelope: no mark has counted this try
        tries = attempt + 1 if counts else attempt
        match outcome.verdict:
            case Verdict.ACCEPTED:
                self._faults.pop(errand.key.campaign, None)
                self._note(errand, attempt, DeliveryState.SENT, 250, reply)
            case Verdict.DEFERRED:
                self._defer(errand, tries, code, reply, counts=counts)
            case Verdict.REFUSED:
                self._note(errand, attempt, DeliveryState.REFUSED, code, reply)
            case Verdict.NOT_SENT:
                self._note(errand, attempt, DeliveryState.QUEUED, code, reply)
            case Verdict.OURS:
                self._blame_us(errand, outcome)
                self._defer(errand, tries, code, reply, counts=counts)
            case Verdict.IN_DOUBT:
                if self._is_said_again(errand) and may_be_copied(attempt):
                    self._defer(errand, tries, code, reply, counts=counts)
                else:
                    self._note(errand, attempt, DeliveryState.IN_DOUBT, code, reply)

    def _is_said_again(self, errand: Errand) -> bool:
        """Letters are, and campaigns whose organiser chose so."""
        if errand.key.is_letter:
            return True
        turn = self._turns.get(errand.key.campaign)
        return turn is not None and turn.campaign.on_doubt is OnDoubt.RESEND

    def _blame_us(self, errand: Errand, outcome: Outcome) -> None:
        """Count what says nothing about the recipient; they are not blamed for it."""
        no = errand.key.campaign
        self._faults[no] += 1
        log.warning("our_fault", campaign=no, code=outcome.code, faults=self._faults[no])
        if self._faults[no] >= FAULTS_BEFORE_PAUSE and not errand.key.is_letter:
            self._faults.pop(no)
            why = functools.partial(finishing.refused_as_senders, outcome.code, outcome.reply)
            self._stop(no, why)

    def _stop(self, no: int, why: Callable[[], str]) -> None:
        """Take nobody new of a campaign; the claims' loop pauses it for all workers."""
        self._stopped.setdefault(no, why)
        self._drop_line(no)
        self._hungry.set()

    def _defer(
        self, errand: Errand, tries: int, code: int | None, reply: str | None, *, counts: bool
    ) -> None:
        """Try again later, or give up after five days. `counts`: no mark has counted this try."""
        attempt = tries - 1 if counts else tries
        state = DeliveryState.FAILED if is_spent(tries) else DeliveryState.DEFERRED
        wait = None if state is DeliveryState.FAILED else wait_after(tries)
        self._note(errand, attempt, state, code, reply, wait=wait, counts=counts)

    def _note(
        self,
        errand: Errand,
        attempt: int,
        state: DeliveryState,
        code: int | None,
        reply: str | None,
        *,
        wait: float | None = None,
        counts: bool = False,
    ) -> None:
        self._settled.append(
            Settled(errand.key, attempt, state, code, reply, wait=wait, counts=counts)
        )
        self._wanted.set()

    def _release(self, errand: Errand) -> None:
        """Let somebody else claim it, or a later pass: nothing has begun."""
        self._note(errand, errand.attempt, DeliveryState.QUEUED, None, None)

    # The beat. ------------------------------------------------------------------------------------

    async def _beat_on(self) -> None:
        heartbeat = min(_HEARTBEAT, self._ledger.lease / 4)
        rest = 0.1
        company = 0
        while not self._is_done or self._has_to_say():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), heartbeat)
            # At once when every connection is at the gate, for nobody else can come; and when the
            # last beat found no company either.
            if company > 1 and len(self._asked) < self._transport.connections():
                await asyncio.sleep(_GATHER)
            self._wanted.clear()
            company = len(self._asked) + len(self._settled)
            try:
                await self._beat()
                rest = 0.1
                await asyncio.sleep(_REST_BETWEEN)
            except LedgerLost as lost:
                log.warning("ledger_lost", why=str(lost), rest=rest)
                await asyncio.sleep(rest)
                rest = min(rest * 2, _LONGEST_REST)
                self._wanted.set()

    async def _beat(self) -> None:
        asked = []
        for gate, errand in self._asked:
            if gate.is_dead:  # never marked, so nothing to settle
                self.put_back(errand)
            elif errand.key.campaign in self._stopped:
                self._release(errand)
                gate.shut()
            else:
                asked.append((gate, errand))
        self._asked = []
        settled, self._settled = self._settled, []
        running = [turn.campaign for turn in self._turns.values()]
        began = _boottime()
        try:
            granted = await self._ledger.beat(settled, [errand for _, errand in asked], running)
        except LedgerLost:
            self._lose(asked, settled)
            raise
        if self._is_lost:
            self._is_lost = False
            self._transport.wake()
        for one in settled:
            self._in_hand.discard(one.key)
        self._answer(asked, granted, fresh=_boottime() - began < GRANT_IS_FRESH)
        if not self._in_hand:
            self._hungry.set()
        if self._is_late(began, len(settled)):
            await self._start_afresh()

    def _is_late(self, began: float, settled: int) -> bool:
        """Say whether we were silent for so long, or so dead, that others may hold our claims."""
        silence = began - self._last_beat
        self._last_beat = began
        self._pace += (settled / max(silence, 0.001) - self._pace) * min(silence, 1.0)
        identity, self._identity = self._identity, self._ledger.worker
        return silence > self._ledger.lease / 2 or identity != self._identity

    def _ahead(self) -> int:
        """Say how many rows to have at hand."""
        return int(min(max(_AHEAD * self._pace, _LEAST), _MOST))

    def _lose(self, asked: Sequence[tuple[Gate, Errand]], settled: list[Settled]) -> None:
        """Say both halves again, since it is not known whether the beat was committed.

        Outcomes are keyed by their attempt and can be repeated; and a row that asked is queued
        whichever attempt it has now, marked or not. No body goes out meanwhile.
        """
        self._is_lost = True
        again = [
            Settled(errand.key, attempt, DeliveryState.QUEUED, reply=Reason.NOT_BEGUN.value)
            for _gate, errand in asked
            for attempt in (errand.attempt, errand.attempt + 1)
        ]
        self._settled = [*settled, *again, *self._settled]
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
                self._in_hand.discard(errand.key)
                if not gate.is_dead:
                    gate.shut()
            elif fresh and not gate.is_dead:
                gate.open(attempt)
            else:
                self._note(errand, attempt, DeliveryState.QUEUED, None, Reason.NOT_BEGUN)
                if not gate.is_dead:
                    gate.shut()

    # Claims. --------------------------------------------------------------------------------------

    async def _claim_on(self) -> None:
        rest = self._look
        while not self._is_ending:
            self._hungry.clear()
            try:
                found = await self._claim()
                rest = self._look
            except Exception as fault:  # noqa: BLE001  # recorded; beats and letters must go on
                log.error("claim_failed", fault=type(fault).__name__, rest=rest)  # noqa: TRY400
                await self._start_afresh()
                rest = min(max(rest, 0.1) * 2, _LONGEST_REST)
                found = False
            if found:
                self._transport.wake()
                await asyncio.sleep(0)  # a moment for those who carry
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hungry.wait(), rest)

    async def _start_afresh(self) -> None:
        """Give back what was claimed and not begun: others may hold it, or should.

        Asking for each in turn would cost a connection a row.
        """
        for turn in self._turns.values():
            self._drop_line(turn.campaign.no)
        for errand in self._letter_line:
            self._release(errand)
        self._letter_line.clear()
        with contextlib.suppress(LedgerLost):
            await self._ledger.give_back()

    async def _claim(self) -> bool:
        """Look once for whatever is due; True when there may be more at once."""
        await self._pause_the_stopped()
        running = await self._ledger.running()
        self._attend(running)
        await self._tell_of_trouble()
        if self._is_ending:
            return False
        found = await self._claim_letters()
        for turn in list(self._turns.values()):
            found = await self._claim_of(turn) or found
        return found

    def _attend(self, running: Sequence[Running]) -> None:
        """Begin turns for campaigns that have begun, end those of campaigns that have stopped."""
        numbers = {campaign.no for campaign in running}
        for no in [no for no in self._turns if no not in numbers]:
            self._drop_line(no)
            del self._turns[no]
            self._order.remove(no)
        for campaign in running:
            if campaign.no not in self._turns:
                self._turns[campaign.no] = Turn(campaign)
                self._order.append(campaign.no)
                self._trouble_told = False
        self._desk.forget_all_but(list(numbers))

    def _drop_line(self, no: int) -> None:
        turn = self._turns.get(no)
        if turn is None:
            return
        for errand in turn.line:
            self._release(errand)
        turn.line.clear()
        turn.after, turn.found, turn.is_over = 0, True, True

    async def _claim_letters(self) -> bool:
        if len(self._letter_line) > _LETTERS // 2:
            return False
        async with self._open_work(reading=True) as work:
            if not await self._letters.may_send(work):
                return False
        held = [key.number for key in self._in_hand if key.is_letter]
        numbers = await self._ledger.claim_letters(besides=held, limit=_LETTERS)
        if not numbers:
            return False
        async with self._open_work(reading=True) as work:
            errands, settled = await self._letters.errands(work, numbers)
        self._take_in(errands, settled)
        self._letter_line.extend(errands)
        return True

    async def _claim_of(self, turn: Turn) -> bool:
        """Take the next rows of one campaign; at the end of a pass, look whether it is done."""
        share = max(self._ahead() // len(self._turns), _LEAST)
        campaign = turn.campaign
        began = time.monotonic()
        if len(turn.line) > share // 2 or self._is_too_soon(turn, began):
            return False
        turn.is_over = turn.waits_for_hands = False
        claims = await self._ledger.claim(campaign, after=turn.after, limit=share)
        turn.spent += time.monotonic() - began
        if not claims:
            return await self._end_pass(turn)
        turn.after = claims[-1].key.number
        fresh = [claim for claim in claims if claim.key not in self._in_hand]
        if not fresh:
            return True
        turn.found = True
        try:
            async with self._open_work(reading=True) as work:
                errands, settled = await self._desk.errands(work, campaign.no, fresh)
        except Refusal as refusal:  # it was proven at its review, and something changed since
            self._stop(campaign.no, refusal.said)
            await self._start_afresh()
            return True
        self._take_in(errands, settled)
        turn.line.extend(errands)
        if campaign.no in self._stopped:
            self._drop_line(campaign.no)
        return True

    def _take_in(self, errands: Sequence[Errand], settled: Sequence[Settled]) -> None:
        self._in_hand.update(errand.key for errand in errands)
        self._in_hand.update(one.key for one in settled)
        if settled:
            self._settled.extend(settled)
            self._wanted.set()

    async def _end_pass(self, turn: Turn) -> bool:
        """Go over the rows again if this pass found any; else see what is still to come."""
        was_found, turn.found, turn.after, turn.is_over = turn.found, False, 0, True
        spent, turn.spent = turn.spent, 0.0
        if self._holds(turn.campaign.no):
            turn.waits_for_hands = True
            turn.look_at = time.monotonic() + self._pause_after(spent)
            return False
        if was_found:
            return True
        began = time.monotonic()
        is_open, due_in = await self._ledger.outlook(turn.campaign)
        if not is_open:
            await finishing.finish(self._open_work, turn.campaign.no)
            return True
        pause = self._pause_after(spent + time.monotonic() - began)
        if due_in is not None:
            pause = max(pause, min(due_in, _LONGEST_PAUSE))
        turn.look_at = time.monotonic() + pause
        return False

    def _is_too_soon(self, turn: Turn, now: float) -> bool:
        """Say whether to look later; but at once when what was awaited has come to its end."""
        if turn.waits_for_hands and not self._holds(turn.campaign.no):
            return False
        return now < turn.look_at

    def _pause_after(self, spent: float) -> float:
        """Look rarely where looking takes long: a pass reads all rows of a campaign."""
        return min(max(self._look, 10 * spent), _LONGEST_LOOK)

    def _holds(self, no: int) -> bool:
        return any(key.campaign == no for key in self._in_hand)

    # What organisers are told. --------------------------------------------------------------------

    async def _pause_the_stopped(self) -> None:
        for no, why in list(self._stopped.items()):
            async with self._open_work() as work:
                await finishing.pause(work, no, why)
            del self._stopped[no]

    async def _tell_of_trouble(self) -> None:
        if self._trouble_told or not self._turns:
            return
        async with self._open_work() as work:
            if self._trouble is None:
                await finishing.tell(work, list(self._turns), None)
            else:
                why = functools.partial(
                    finishing.no_answer, self._trouble, self._trouble_since, self._trouble_words
                )
                await finishing.tell(work, list(self._turns), why)
        self._trouble_told = True


def _boottime() -> float:
    """Read the clock that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
