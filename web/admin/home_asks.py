"""What the first page tells of asks: those under way, and what the last campaign moved."""

from typing import Any

from mailer.asks import store as asks
from mailer.asks.counting import store as counting
from mailer.kit.i18n import _, in_language, ngettext
from mailer.kit.work import Work
from mailer.relays import store as sending_rules
from web.admin import ask_words
from web.admin.asks import at, shares
from web.admin.telling import number

MOST = 5
"""Asks that are shown, the nearest deadlines first."""


async def under_way(work: Work) -> list[dict[str, Any]]:
    """Give the asks to which people can say yes, as bars: done, and pledged beside it."""
    found = (await asks.open_asks(work))[:MOST]
    counts = await counting.counts(work, [ask.no for ask in found])
    zone = await sending_rules.zone(work)
    bars = []
    for ask in found:
        counted = counts[ask.no]
        share, share_to_do = shares(ask, counted, has_goal=work.scope is None)
        bars.append(
            {
                "words": in_language(ask.title),
                "href": at(ask),
                "why": _("by %(day)s") % {"day": ask_words.by(ask.deadline, work.now, zone)}
                if ask.deadline
                else _("Any time"),
                "share": share,
                "kind": "brand",
                "share2": share_to_do,
                "shown": _("%(done)s / %(pledged)s")
                % {"done": number(counted.done), "pledged": number(counted.pledged)},
            }
        )
    return bars


async def moved(work: Work, campaign_no: int) -> list[str]:
    """Say in sentences what people answered to the asks of a campaign; nothing where none did."""
    through = await counting.through(work, campaign_no)
    told = {
        ngettext("One said yes to its ask.", "%(count)s said yes to its ask.", through.pledged): (
            through.pledged
        ),
        ngettext("One has done it.", "%(count)s have done it.", through.done): through.done,
        ngettext("One needs help.", "%(count)s need help.", through.blocked): through.blocked,
    }
    return [words % {"count": number(count)} for words, count in told.items() if count]
