"""What is said when something in a newsletter needs mending: what it is, and where it stands."""

from typing_extensions import override

from mailer.kit.errors import Invalid
from mailer.kit.i18n import _


class Unfit(Invalid):
    """Something in this newsletter needs mending."""

    @override
    def said(self) -> str:
        refusal = super().said()
        if "where" not in self.facts:
            return refusal
        return _("%(refusal)s (%(where)s)") % {"refusal": refusal, "where": self.facts["where"]}


def excerpt(text: str, longest: int = 80) -> str:
    """Shorten what was typed to one line that fits into a sentence about it."""
    words = " ".join(text.split())
    return words if len(words) <= longest else f"{words[:longest]}…"
