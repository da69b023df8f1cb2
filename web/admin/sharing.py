"""Numbers that are shown to others: small ones are withheld, for they could point to somebody."""

from collections.abc import Callable

from mailer.kit.i18n import _
from web.admin.telling import number

THRESHOLD = 5
"""Numbers below this are withheld where they are shared."""

Say = Callable[[int], str]
"""How numbers are written: all of them (`number`), or small ones withheld (`withholding`)."""


def withholding(count: int) -> str:
    """Write a number, or that it is a small one."""
    return number(count) if count == 0 or count >= THRESHOLD else _("under 5")


def is_told(count: int, say: Say) -> bool:
    """Say whether a number is written as it is, so that sums with it may be too."""
    return say is number or count == 0 or count >= THRESHOLD
