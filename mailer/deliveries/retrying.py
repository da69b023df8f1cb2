"""When to try again, and when to give up."""

FIRST_WAIT = 300.0  # greylisting wants five minutes at least
LONGEST_WAIT = 3600.0
# 300 + 600 + 1200 + 2400 = 4500 s for the first four waits; (432,000 - 4,500) / 3600 = 118.75, so
# 119 waits of an hour make five days (RFC 5321 4.5.4.1: give up after four or five).
TRIES = 124

COPIES = 3
"""What may have arrived is said again at most so often, whatever a campaign has chosen."""


def wait_after(attempt: int) -> float:
    """Give the seconds to wait after so many tries: five minutes, doubling to an hour."""
    return min(FIRST_WAIT * 2.0 ** (max(attempt, 1) - 1), LONGEST_WAIT)


def is_spent(attempt: int) -> bool:
    """Say whether five days of trying are enough."""
    return attempt >= TRIES


def may_be_copied(attempt: int) -> bool:
    """Say whether a message that may have arrived may be said once more."""
    return attempt < COPIES
