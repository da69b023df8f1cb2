"""The observed tier: how far somebody goes, told from what they did. A pure rule.

What people do counts for half a year, more when it costs more, and each further rung asks for more
than the one before. It moves nobody: it is what a suggestion says.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from mailer.tiers.model import SignKind, Tier

COUNTS_FOR = timedelta(days=180)
"""How long a sign counts."""

POINTS = {
    SignKind.CONFIRMED: 1,
    SignKind.MOVED: 1,
    SignKind.REPLIED: 1,
    SignKind.PLEDGED: 2,
    SignKind.CAME: 4,
    SignKind.DONE: 4,
    SignKind.BROUGHT: 6,
}
"""What a sign is worth: a yes is less than a thing done, and bringing somebody is the most."""


def observed(
    signs: Iterable[tuple[SignKind, datetime]], ladder: Sequence[Tier], now: datetime
) -> Tier:
    """Give the rung that somebody's signs reach; `ladder` is lowest first and not empty."""
    points = sum(POINTS[kind] for kind, at in signs if now - COUNTS_FOR < at <= now)
    reached = [tier for steps, tier in enumerate(ladder) if points >= points_for(steps)]
    return reached[-1]


def points_for(steps: int) -> int:
    """Give the points that so many steps above the lowest rung need: 0, 3, 8, 15, 24."""
    return steps * (steps + 2)
