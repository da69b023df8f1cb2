"""The stamp of a form: that it is a page of ours, and how long ago it was opened.

Stateless: a moment and its MAC. Programs that fill in forms send them at once, or send what they
saved long ago; what comes from another site has no stamp. None of them is refused: each is shown
our own page, with what was typed on it.
"""

import hmac
from datetime import UTC, datetime, timedelta

from mailer.forms.model import SignUpForm
from mailer.kit.work import Work

SOONEST = timedelta(seconds=2)
LATEST = timedelta(hours=12)


def stamp(work: Work, form: SignUpForm) -> str:
    """Stamp a form that is shown now."""
    at = str(int(work.now.timestamp()))
    return f"{at}.{_mac(work, form, at)}"


def is_fresh(work: Work, form: SignUpForm, stamped: str) -> bool:
    """Say whether this form was opened long enough ago to be filled in, and not too long."""
    at, _, mac = stamped.partition(".")
    if not hmac.compare_digest(mac.encode(), _mac(work, form, at).encode()):
        return False
    opened = datetime.fromtimestamp(int(at), UTC)
    return opened + SOONEST <= work.now <= opened + LATEST


def _mac(work: Work, form: SignUpForm, at: str) -> str:
    return work.keys.scramble("form", f"{form.slug}:{at}")
