"""The ask under the text of a newsletter, as the page of a draft offers it: none, one, or the best.

In the form it is one control: nothing, `best`, or the number of an ask.
"""

from typing import Any, Protocol

from mailer.asks import store as asks
from mailer.kit.i18n import _, in_language
from mailer.kit.work import Work
from web.kit.forms import Form

BEST = "best"


class Offered(Protocol):
    """What of a draft says which ask it carries."""

    @property
    def ask_no(self) -> int | None: ...  # noqa: D102
    @property
    def best_ask(self) -> bool: ...  # noqa: D102


def typed(form: Form) -> dict[str, Any]:
    """Read which ask was chosen."""
    said = form.raw("ask")
    is_number = said.isascii() and said.isdecimal() and len(said) < 19
    return {"ask_no": int(said) or None if is_number else None, "best_ask": said == BEST}


async def choices(work: Work, offered: Offered) -> dict[str, Any]:
    """Give the asks that can be chosen, and which one is; also one that was closed since."""
    open_ones = list(await asks.open_asks(work))
    if offered.ask_no is not None and offered.ask_no not in {ask.no for ask in open_ones}:
        open_ones.extend((await asks.by_nos(work, [offered.ask_no])).values())
    named = [
        (
            str(ask.no),
            in_language(ask.title)
            if ask.is_open(work.now)
            else _("%(ask)s (closed)") % {"ask": in_language(ask.title)},
        )
        for ask in open_ones
    ]
    return {
        "asks": [
            ("", _("None")),
            *([(BEST, _("The best for each person"))] if named else []),
            *named,
        ],
        "ask_chosen": BEST if offered.best_ask else str(offered.ask_no or ""),
        "asks_are_open": any(ask.is_open(work.now) for ask in open_ones),
    }
