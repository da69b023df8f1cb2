"""Claiming: rows that are due become errands at hand, pass after pass over each campaign."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

import structlog

from mailer.deliveries import finishing
from mailer.deliveries.beating import Settled
from mailer.deliveries.finishing import OpenWork
from mailer.deliveries.journal import Journal
from mailer.deliveries.ledger import Ledger, LedgerLost
from mailer.deliveries.letters import Letters
from mailer.deliveries.lines import Lines, Turn
from mailer.deliveries.minding import Minder
from mailer.deliveries.transport import Errand
from mailer.deliveries.writing import Desk
from mailer.kit.errors import Refusal

log = structlog.get_logger()

# Rows that are claimed ahead: five seconds' worth, so that other workers find some too.
_AHEAD = 5.0
_LEAST = 100
_MOST = 1000
_LETTERS = 100
_LOOK_AROUND = 0.25  # seconds between two looks for letters while a campaign keeps us busy
_LONGEST_REST = 30.0
_LONGEST_PAUSE = 2.0  # before another look for what somebody has queued again
_LONGEST_LOOK = 10.0
# Of a slow domain enough is at hand: a pass would claim all its rows only to give them back.
_LONGEST_CROWDED = 60.0


class Claims:
    """Fills the lines."""

    def __init__(
        self,
        ledger: Ledger,
        lines: Lines,
        journal: Journal,
        minder: Minder,
        *,
        open_work: OpenWork,
        desk: Desk,
        letters: Letters,
        hungry: asyncio.Event,
        wake: Callable[[], None],
        look: float,
    ) -> None:
        """Look for new rows every `look` seconds, and when `hungry`: the lines are short."""
        self.hungry = hungry
        self.pace = 0.0  # settled a second, of late
        self._ledger = ledger
        self._lines = lines
        self._journal = journal
        self._minder = minder
        self._open_work = open_work
        self._desk = desk
        self._letters = letters
        self._wake = wake
        self._look = look
        self._is_returned = True  # what was claimed for us before
        self._looked_at = 0.0  # for letters, and which campaigns there are
        self._is_ending = False

    def ahead(self) -> int:
        """Say how many rows to have at hand."""
        return int(min(max(_AHEAD * self.pace, _LEAST), _MOST))

    def end(self) -> None:
        """Claim nothing more."""
        self._is_ending = True
        self.hungry.set()

    async def run(self) -> None:
        """Claim until the end."""
        rest = self._look
        while not self._is_ending:
            self.hungry.clear()
            try:
                found = await self._claim()
                rest = self._look
            except Exception as fault:  # noqa: BLE001  # recorded; beats and letters must go on
                log.error("claim_failed", fault=type(fault).__name__, rest=rest)  # noqa: TRY400
                await self.start_afresh()
                rest = min(max(rest, 0.1) * 2, _LONGEST_REST)
                found = False
            if found:
                self._wake()
                await asyncio.sleep(0)  # a moment for those who carry
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.hungry.wait(), rest)

    async def start_afresh(self) -> None:
        """Give back what was claimed and not begun: others may hold it, or should.

        Asking for each in turn would cost a connection a row.
        """
        for no in self._lines.turns:
            self.drop_line(no)
        for errand in self._lines.letters:
            self._journal.release(errand)
        self._lines.letters.clear()
        self._is_returned = False
        with contextlib.suppress(LedgerLost):
            await self._return()

    async def _return(self) -> None:
        """Return what is claimed for us and not in our hands; until it is done, claim nothing.

        A claim may have been committed and its answer lost: while we live nobody else would ever
        give such rows back.
        """
        if not self._is_returned:
            await self._ledger.give_back()
            self._is_returned = True

    def drop_line(self, no: int) -> None:
        """Give back what is at hand of a campaign, and begin its rows again later."""
        if turn := self._lines.turns.get(no):
            self._drop(turn)

    def _drop(self, turn: Turn) -> None:
        for errand in turn.everybody():
            self._journal.release(errand)
        turn.after, turn.found, turn.is_over = 0, True, True

    async def _claim(self) -> bool:
        """Look once for whatever is due; True when there may be more at once."""
        await self._return()
        found = False
        if time.monotonic() - self._looked_at >= min(self._look, _LOOK_AROUND):
            await self._attend()
            self._looked_at = time.monotonic()
            found = await self._claim_letters()
        for errand in self._lines.surplus:
            self._journal.release(errand)
        self._lines.surplus.clear()
        if self._is_ending:
            return False
        for turn in list(self._lines.turns.values()):
            found = await self._claim_of(turn) or found
        return found

    async def _attend(self) -> None:
        """Begin turns for campaigns that have begun, end those of campaigns that have stopped."""
        running = await self._ledger.running()
        for turn in self._lines.attend(running):
            self._drop(turn)
        self._desk.forget_all_but([campaign.no for campaign in running])

    async def _claim_letters(self) -> bool:
        if len(self._lines.letters) > _LETTERS // 2:
            return False
        async with self._open_work(reading=True) as work:
            if not await self._letters.may_send(work):
                return False
        numbers = await self._ledger.claim_letters(besides=self._journal.letters(), limit=_LETTERS)
        if not numbers:
            return False
        async with self._open_work(reading=True) as work:
            errands, settled = await self._letters.errands(work, numbers)
        self._take_in(errands, settled)
        self._lines.letters.extend(errands)
        return True

    async def _claim_of(self, turn: Turn) -> bool:
        """Take the next rows of one campaign; at the end of a pass, look whether it is done."""
        share = max(self.ahead() // len(self._lines.turns), _LEAST)
        campaign = turn.campaign
        began = time.monotonic()
        if (
            len(turn.line) > share // 2
            or campaign.no in self._minder.stopped
            or self._is_too_soon(turn, began)
        ):
            return False
        turn.is_over = turn.waits_for_hands = False
        claims = await self._ledger.claim(campaign, after=turn.after, limit=share)
        turn.spent += time.monotonic() - began
        if not claims:
            return await self._end_pass(turn)
        turn.after = claims[-1].key.number
        fresh = [claim for claim in claims if not self._journal.holds(claim.key)]
        if not fresh:
            return True
        turn.found = True
        try:
            async with self._open_work(reading=True) as work:
                errands, settled = await self._desk.errands(work, campaign.no, fresh)
        except Refusal as refusal:  # it was proven at its review, and something changed since
            self._minder.stop(campaign.no, refusal.said)
            await self.start_afresh()
            return True
        self._take_in(errands, settled)
        turn.line.extend(errands)
        if campaign.no in self._minder.stopped:
            self._drop(turn)
        return True

    def _take_in(self, errands: Sequence[Errand], settled: Sequence[Settled]) -> None:
        for errand in errands:
            self._journal.hold(errand.key)
        for one in settled:
            self._journal.hold(one.key)
        if settled:
            self._journal.settled.extend(settled)
            self._journal.wanted.set()

    async def _end_pass(self, turn: Turn) -> bool:
        """Go over the rows again if this pass found any; else see what is still to come."""
        was_found, turn.found, turn.after, turn.is_over = turn.found, False, 0, True
        spent, turn.spent = turn.spent, 0.0
        if self._journal.holds_any_of(turn.campaign.no):
            turn.waits_for_hands, turn.was_crowded = True, turn.is_crowded
            pause = _LONGEST_CROWDED if turn.was_crowded else self._pause_after(spent)
            turn.look_at = time.monotonic() + pause
            return False
        if was_found:
            return True
        began = time.monotonic()
        is_open, due_in = await self._ledger.outlook(turn.campaign)
        if not is_open:
            await finishing.finish(self._open_work, turn.campaign.no)
            self._looked_at = 0.0
            return True
        pause = self._pause_after(spent + time.monotonic() - began)
        if due_in is not None:
            pause = max(pause, min(due_in, _LONGEST_PAUSE))
        turn.look_at = time.monotonic() + pause
        return False

    def _is_too_soon(self, turn: Turn, now: float) -> bool:
        """Say whether to look later; but at once when what was awaited has come to its end."""
        if turn.waits_for_hands and not self._journal.holds_any_of(turn.campaign.no):
            return False
        if turn.was_crowded and not turn.is_crowded:
            turn.was_crowded = False
            return False
        return now < turn.look_at

    def _pause_after(self, spent: float) -> float:
        """Look rarely where looking takes long: a pass reads all rows of a campaign."""
        return min(max(self._look, 10 * spent), _LONGEST_LOOK)
