"""Numbers of people as bars: from the audience down to those who get it."""

from collections.abc import Mapping
from typing import Any

from mailer.campaigns.model import Campaign
from mailer.deliveries.model import last_word
from mailer.kit.i18n import _
from mailer.kit.work import Work
from web.admin.corrected import first_of
from web.admin.telling import number

MINUS = "\N{MINUS SIGN}"


async def who_gets_it(work: Work, campaign: Campaign) -> list[dict[str, Any]]:
    """Show everybody it is about, those who are left out by reason, and those who get it.

    That is everybody on the list; or, of a correction, those who got the first.
    """
    recipients = campaign.recipients or 0
    left_out: Mapping[str, int] = campaign.left_out
    everybody = recipients + sum(left_out.values())
    first = await first_of(work, campaign)
    all_of_them = _("Got “%(name)s”") % {"name": first.name} if first else _("On the list")
    rows = [_row(all_of_them, everybody, everybody, "ink")]
    rows += [
        _row(last_word(reason), count, everybody, "hatch", minus=True)
        for reason, count in _largest_first(left_out)
    ]
    return [*rows, _row(_("Get the email"), recipients, everybody, "brand")]


def by_reason(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Show how many were left out for each reason."""
    total = sum(counts.values())
    return [
        _row(last_word(reason), count, total, "hatch") for reason, count in _largest_first(counts)
    ]


def by_name(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Show how many people each name stands for, in the order given."""
    total = sum(counts.values())
    return [_row(name, count, total, "brand") for name, count in counts.items()]


def _largest_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(((why, count) for why, count in counts.items() if count), key=lambda one: -one[1])


def _row(words: str, count: int, of: int, kind: str, *, minus: bool = False) -> dict[str, Any]:
    return {
        "words": words,
        "share": 99 * count / of if of else 0,
        "kind": kind,
        "shown": f"{MINUS}{number(count)}" if minus else number(count),
    }
