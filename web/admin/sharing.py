"""Numbers that are shown to others: small ones are withheld, for they could point to somebody."""

from collections.abc import Callable, Sequence

from mailer.kit.i18n import _
from web.admin.telling import number

THRESHOLD = 5
"""Numbers below this are withheld where they are shared."""

NOT_TOLD = "–"
"""What stands for a sum that would tell a small number."""

Say = Callable[[int], str]
"""How numbers are written: all of them (`number`), or small ones withheld (`withholding`)."""


def withholding(count: int) -> str:
    """Write a number, or that it is a small one."""
    if count == 0 or count >= THRESHOLD:
        return number(count)
    return _("under %(threshold)s") % {"threshold": number(THRESHOLD)}


def rounding(count: int) -> str:
    """Write a number to the nearest five, or that it is a small one.

    For tables whose every row, column and sum is shown: exact ones beside a number that is withheld
    would tell it, and without the sums the table would say little.
    """
    return number(rounded(count)) if count >= THRESHOLD else withholding(count)


def rounded(count: int) -> int:
    """Give a number as it is told by `rounding`, for what is drawn or ordered by it: 0 is none."""
    return (count + 2) // 5 * 5 if count >= THRESHOLD else 0


def is_told(count: int, say: Say) -> bool:
    """Say whether a number is written as it is, so that sums with it may be too."""
    return say is number or count == 0 or count >= THRESHOLD


def total(of: Sequence[int], say: Say) -> str:
    """Write a sum; one of several numbers is withheld with any of them, for it would tell it."""
    if len(of) > 1 and not all(is_told(count, say) for count in of):
        return NOT_TOLD
    return say(sum(of))
