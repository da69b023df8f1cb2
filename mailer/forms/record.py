"""What a timeline says of the forms that somebody filled in."""

from mailer.activity.model import Entry
from mailer.activity.record import entry_of, lines
from mailer.forms import store
from mailer.kit.i18n import _, in_language
from mailer.kit.work import Work


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell by which forms somebody told us something about themselves."""
    found = await lines(work, subscriber_no, ("form_answered",))
    forms = await store.by_nos(work, {line.facts["form"] for line in found})
    names = {no: in_language(form.title) for no, form in forms.items()}

    def words(form_no: int) -> str:
        return _("Answered the form “%(form)s”") % {"form": names.get(form_no, "–")}

    return [entry_of(line, {"words": words(line.facts["form"])}) for line in found]
