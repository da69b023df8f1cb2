"""When to try again, and when to give up.

The number of an attempt only ever grows: it is the fence by which outcomes are told apart. So when
somebody has a message tried again that was given up, its number goes up to the next round, and
what counts as tries is how far it has come in that round: the five days begin anew.
"""

from datetime import timedelta
from typing import overload

from sqlalchemy import ColumnElement, SQLColumnExpression

FIRST_WAIT = 300.0  # greylisting wants five minutes at least
LONGEST_WAIT = 3600.0
# 300 + 600 + 1200 + 2400 = 4500 s for the first four waits; (432,000 - 4,500) / 3600 = 118.75, so
# 119 waits of an hour make five days (RFC 5321 4.5.4.1: give up after four or five).
TRIES = 124

# A mark that came to nothing raises an attempt too and gives nothing up, so a round has room beyond
# its tries. A smallint ends at 32,767: 65 rounds.
ROUND = 500
LAST_ROUND = 32_767 // ROUND * ROUND

COPIES = 3
"""What may have arrived is said again at most so often, whatever a campaign has chosen."""


@overload
def tries_of(attempt: int) -> int: ...
@overload
def tries_of(attempt: SQLColumnExpression[int]) -> ColumnElement[int]: ...
def tries_of(attempt: int | SQLColumnExpression[int]) -> int | ColumnElement[int]:
    """Count the tries of the present round; of a column, in SQL."""
    return attempt % ROUND


@overload
def next_round(attempt: int) -> int: ...
@overload
def next_round(attempt: SQLColumnExpression[int]) -> ColumnElement[int]: ...
def next_round(attempt: int | SQLColumnExpression[int]) -> int | ColumnElement[int]:
    """Give the number at which trying begins anew; of a column, in SQL."""
    return attempt - attempt % ROUND + ROUND


def wait_after(attempt: int) -> float:
    """Give the seconds to wait after so many tries: five minutes, doubling to an hour."""
    return min(FIRST_WAIT * 2.0 ** min(max(tries_of(attempt), 1) - 1, 10), LONGEST_WAIT)


def is_spent(attempt: int) -> bool:
    """Say whether five days of trying are enough."""
    return tries_of(attempt) >= TRIES


def still_to_wait(attempt: int) -> timedelta:
    """Say how long after its next try a message is given up, if every try fails like the last."""
    left = range(tries_of(attempt) + 1, TRIES)
    return timedelta(seconds=sum(wait_after(number) for number in left))


def may_be_copied(attempt: int) -> bool:
    """Say whether a message that may have arrived may be said once more."""
    return tries_of(attempt) < COPIES
