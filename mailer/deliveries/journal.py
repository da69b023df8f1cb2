"""The journal: what is to be written down at the next beat, and what we hold meanwhile."""

import asyncio
from collections import Counter

from mailer.deliveries.beating import Settled
from mailer.deliveries.model import Key
from mailer.deliveries.retrying import is_spent, wait_after
from mailer.deliveries.transport import Errand
from mailer.outbox.model import DeliveryState


class Journal:
    """What has been settled since the last beat."""

    def __init__(self) -> None:
        self.settled: list[Settled] = []
        self.wanted = asyncio.Event()  # a beat: somebody asked, or something was settled
        # Claimed and not yet settled: on SQLite a claim leaves no trace and would be found again.
        self._held: set[Key] = set()
        self._numbers: Counter[int] = Counter()  # of those, by campaign

    # What became of errands. ----------------------------------------------------------------------

    def note(
        self,
        errand: Errand,
        attempt: int,
        state: DeliveryState,
        code: int | None = None,
        reply: str | None = None,
        *,
        wait: float | None = None,
        counts: bool = False,
    ) -> None:
        """Note a state; the next beat writes it down."""
        self.settled.append(
            Settled(errand.key, attempt, state, code, reply, wait=wait, counts=counts)
        )
        self.wanted.set()

    def defer(
        self, errand: Errand, tries: int, code: int | None, reply: str | None, *, counts: bool
    ) -> None:
        """Try again later, or give up after five days. `counts`: no mark has counted this try."""
        attempt = tries - 1 if counts else tries
        state = DeliveryState.FAILED if is_spent(tries) else DeliveryState.DEFERRED
        wait = None if state is DeliveryState.FAILED else wait_after(tries)
        self.note(errand, attempt, state, code, reply, wait=wait, counts=counts)

    def release(self, errand: Errand) -> None:
        """Let somebody else claim it, or a later pass: nothing has begun."""
        self.note(errand, errand.attempt, DeliveryState.QUEUED)

    def take_all(self) -> list[Settled]:
        """Give what is to be written down."""
        settled, self.settled = self.settled, []
        return settled

    # What we hold. --------------------------------------------------------------------------------

    def hold(self, key: Key) -> None:
        """Remember that a row is in our hands."""
        if key not in self._held:
            self._held.add(key)
            self._numbers[key.campaign] += 1

    def let_go(self, key: Key) -> None:
        """Forget a row: it is written down what became of it."""
        if key in self._held:
            self._held.remove(key)
            self._numbers[key.campaign] -= 1

    def holds(self, key: Key) -> bool:
        """Say whether a row is in our hands."""
        return key in self._held

    def holds_any_of(self, campaign: int) -> bool:
        """Say whether any row of a campaign is in our hands."""
        return self._numbers[campaign] > 0

    def holds_nothing(self) -> bool:
        """Say whether our hands are empty."""
        return not self._held

    def letters(self) -> list[int]:
        """Give the numbers of the letters in our hands."""
        if not self._numbers[0]:
            return []
        return [key.number for key in self._held if key.is_letter]
