"""Days that are typed into a form."""

from datetime import date

from mailer.kit.errors import Invalid
from web.kit.forms import Form


class NotADay(Invalid):
    """This is no day. Write it like 2026-06-28."""


def day_of(form: Form, field: str) -> date | None:
    """Read a day, None where none was typed; refuses what is none, at its field."""
    typed = form.text(field)
    if not typed:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise NotADay(field=field) from None
