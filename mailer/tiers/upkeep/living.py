"""Signs of life: what says that somebody is still there. Opening a mail is none.

What people do themselves is a line of their timeline by a door of theirs. What they say to an
organiser is known to the rooms above, which tell us once, when a process puts itself together.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_
from sqlalchemy.orm import InstrumentedAttribute

from mailer.activity.model import DECLARED, Activity

Whose = InstrumentedAttribute[int]
"""Where the number of a person stands, in a statement about many."""

Since = datetime | InstrumentedAttribute[datetime]

Sign = Callable[[Whose, Since], ColumnElement[bool]]
"""Says whether somebody gave a sign of life since a moment."""

_SIGNS: list[Sign] = []


def is_told_by(*signs: Sign) -> None:
    """Let these count from now on; each once, however often it is said."""
    _SIGNS.extend(sign for sign in signs if sign not in _SIGNS)


def gave_a_sign(whose: Whose, since: Since) -> ColumnElement[bool]:
    """Say whether somebody did something since a moment, or told an organiser of it."""
    return or_(_did_something(whose, since), *[sign(whose, since) for sign in _SIGNS])


def _did_something(whose: Whose, since: Since) -> ColumnElement[bool]:
    return exists().where(
        Activity.subscriber_no == whose, Activity.door.in_(DECLARED), Activity.at > since
    )
