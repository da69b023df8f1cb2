"""Hearing: what servers say of how fast we send, and how fast that was."""

import re

from mailer.deliveries.model import LONGEST_REPLY

_WINDOW = 10.0  # seconds over which the pace to a domain is observed, twice
# Domains beyond these in one window are too rare to be observed, and memory stays flat.
_MOST_OBSERVED = 20_000

_ENHANCED = re.compile(r"\b4\.(\d{1,3})\.\d{1,3}\b")
_ADDRESS = re.compile(r"\S+@\S+")
_ABOUT_US = frozenset({"3", "4", "7"})


def asks_to_slow_down(code: int, words: str) -> bool:
    """Say whether a deferral is about how fast we send, and not about one mailbox.

    421 closes the connection: the server is busy or has had enough (RFC 5321 3.8). Of the others
    the second figure of the enhanced status tells (RFC 3463 3): .3 the mail system, .4 the network
    and its congestion, .7 policy, where providers put their rates; but not .1 the address and .2
    the mailbox. Without one, 450 and 451 are what rates and greylisting are said by.
    """
    if code == 421:
        return True
    if not 400 <= code < 500:
        return False
    found = _ENHANCED.search(words)
    return found[1] in _ABOUT_US if found else code in {450, 451}


def without_addresses(words: str) -> str:
    """Give a server's words as they are kept: whose mailbox it was about is nobody's business."""
    return _ADDRESS.sub("…", words.replace("\0", ""))[:LONGEST_REPLY]


class Traffic:
    """How many messages went to each domain in this window of ten seconds and the one before."""

    def __init__(self, now: float) -> None:
        """Begin, by a clock in seconds."""
        self._now: dict[str, int] = {}
        self._before: dict[str, int] = {}
        self._began = self._before_began = now

    def note(self, domain: str) -> None:
        """Count a message; this is asked of every one of them."""
        try:
            self._now[domain] += 1
        except KeyError:
            if len(self._now) < _MOST_OBSERVED:
                self._now[domain] = 1

    def turn(self, now: float) -> None:
        """Begin the next window when it is time."""
        if now - self._began >= _WINDOW:
            self._before, self._now = self._now, {}
            self._before_began, self._began = self._began, now

    def pace(self, domain: str, now: float) -> float:
        """Give the pace to a domain, in messages a minute."""
        sent = self._now.get(domain, 0) + self._before.get(domain, 0)
        return 60 * sent / max(now - self._before_began, 1.0)
