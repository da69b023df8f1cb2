"""How somebody is written to, in words: how often at most, and in which form."""

from mailer.consent.model import Pace
from mailer.consent.seldom import AS_THE_LEVEL_SAYS
from mailer.kit.i18n import N_, _
from mailer.subscribers.model import MailForm

Choice = tuple[str, str] | tuple[str, str, str]  # a value, its words and a hint

PACES = {
    Pace.WEEKLY: N_("At most one newsletter a week"),
    Pace.MONTHLY: N_("At most one newsletter a month"),
}
FORMS = {
    MailForm.USUAL: N_("As they are"),
    MailForm.LARGE: N_("In large text"),
    MailForm.PLAIN: N_("As plain text only"),
}
_HINTS = {
    MailForm.LARGE: N_("No words are smaller than 18 points."),
    MailForm.PLAIN: N_("Without pictures, colours and buttons, for any device."),
}


def paces(often: str) -> list[Choice]:
    """Give what may be chosen as how often at most; `often` is what the level promises."""
    as_promised = (AS_THE_LEVEL_SAYS, _("As the level says"), often)
    return [as_promised, *[(pace.value, _(words)) for pace, words in PACES.items()]]


def forms() -> list[Choice]:
    """Give the forms in which emails may be written."""
    return [
        (form.value, _(words), _(_HINTS[form])) if form in _HINTS else (form.value, _(words))
        for form, words in FORMS.items()
    ]
