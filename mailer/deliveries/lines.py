"""Lines: the errands at hand, and whose turn it is.

Letters go first. Campaigns take turns, so that a small one is not behind a big one. A recipient
whose domain is slow just now steps aside; those behind them go on.
"""

from collections import deque
from collections.abc import Callable, Generator, Sequence

from mailer.deliveries.ledger import Running
from mailer.deliveries.pacing import Pacer
from mailer.deliveries.transport import Errand

MOST_ASIDE = 500
"""Errands of one slow domain that are kept; more go back, and a later pass finds them."""


class Turn:
    """How far the claims of one campaign have come, and what is at hand of it."""

    def __init__(self, campaign: Running) -> None:
        self.campaign = campaign
        self.line: deque[Errand] = deque()
        self.aside: dict[str, deque[Errand]] = {}  # by domain
        self.after = 0  # the key behind which the next claim looks
        self.found = False  # anything, on this pass over the rows
        self.is_over = False  # the pass
        self.waits_for_hands = False  # to be empty, and then looks at once
        self.was_crowded = False  # at the end of the last pass
        self.spent = 0.0  # seconds of claiming in this pass
        self.look_at = 0.0  # not before; monotonic

    @property
    def is_crowded(self) -> bool:
        """Say whether so many of a slow domain wait at hand that another pass would bring none."""
        return any(len(aside) > MOST_ASIDE // 2 for aside in self.aside.values())

    def everybody(self) -> Generator[Errand]:
        """Take all out, in the line and aside."""
        yield from self.line
        for aside in self.aside.values():
            yield from aside
        self.line.clear()
        self.aside.clear()


class Lines:
    """What is claimed and not yet under way."""

    def __init__(self, pacer: Pacer, hungry: Callable[[], None]) -> None:
        """Call `hungry` when few are left of a campaign that may have more rows to claim."""
        self.low = 0  # so few are few
        self._hungry = hungry
        self.letters: deque[Errand] = deque()
        self.turns: dict[int, Turn] = {}
        self.surplus: list[Errand] = []  # of slow domains: to be given back
        self._order: deque[int] = deque()
        self._pacer = pacer

    def take(self, relay: int) -> Errand | None:
        """Give what may go through a relay now."""
        if self.letters:
            errand = self.letters.popleft()
            self._pacer.take_letter(relay, errand.domain)
            errand.relay = relay
            return errand
        for _ in range(len(self._order)):
            self._order.rotate(-1)
            turn = self.turns[self._order[-1]]
            if turn.line and self._pacer.allows(relay, turn.campaign.kind):
                taken = self._take_of(turn, relay)
                if taken is not None:
                    return taken
            if not turn.is_over:
                self._hungry()
        return None

    def _take_of(self, turn: Turn, relay: int) -> Errand | None:
        while turn.line:
            errand = turn.line.popleft()
            if self._pacer.take(relay, errand.domain):
                errand.relay = relay
                if len(turn.line) < self.low and not turn.is_over:
                    self._hungry()
                return errand
            if not self._pacer.allows(relay, turn.campaign.kind):  # no permit is left at all
                turn.line.appendleft(errand)
                return None
            aside = turn.aside.setdefault(errand.domain, deque())
            if len(aside) < MOST_ASIDE:
                aside.append(errand)
            else:
                self.surplus.append(errand)
        return None

    def put_back(self, errand: Errand) -> bool:
        """Put an errand at the head of its line; False if that is no more."""
        if errand.key.is_letter:
            self.letters.appendleft(errand)
            return True
        turn = self.turns.get(errand.key.campaign)
        if turn is None:
            return False
        turn.line.appendleft(errand)
        return True

    def ask_again(self) -> None:
        """Let those who stepped aside come back, in front: permits may have come."""
        for turn in self.turns.values():
            for aside in turn.aside.values():
                turn.line.extendleft(reversed(aside))
            turn.aside.clear()

    def at_hand(self) -> int:
        """Count what could go if nothing were limited."""
        return len(self.letters) + sum([len(turn.line) for turn in self.turns.values()])

    def waiting(self, relay: int) -> int:
        """Count what a relay may take now."""
        return len(self.letters) + sum(
            [
                len(turn.line)
                for turn in self.turns.values()
                if turn.line and self._pacer.allows(relay, turn.campaign.kind)
            ]
        )

    def attend(self, running: Sequence[Running]) -> list[Turn]:
        """Begin turns for campaigns that have begun; give those that ended."""
        numbers = {campaign.no for campaign in running}
        ended = [turn for no, turn in self.turns.items() if no not in numbers]
        for turn in ended:
            del self.turns[turn.campaign.no]
            self._order.remove(turn.campaign.no)
        for campaign in running:
            if campaign.no not in self.turns:
                self.turns[campaign.no] = Turn(campaign)
                self._order.append(campaign.no)
        return ended

    def clear(self) -> None:
        """Take nobody new."""
        self.letters.clear()
        for turn in self.turns.values():
            turn.line.clear()
            turn.aside.clear()
