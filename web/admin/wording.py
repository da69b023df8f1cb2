"""Fields for words that organisers write in each language: `name-fr`, or `name-3-fr` among many."""

from mailer.kit.i18n import LANGUAGES, _
from mailer.kit.orm import Localised
from web.admin.telling import language_name
from web.kit.forms import Form, Tried


def id_of(field: str, *, no: int | None = None, code: str = "") -> str:
    """Give the name of a field, which is also its id: of row `no`, in one language."""
    return "-".join(part for part in (field, "" if no is None else str(no), code) if part)


def written(form: Form, field: str, *, no: int | None = None) -> Localised:
    """Give what was typed in each language."""
    return {code: form.raw(id_of(field, no=no, code=code)) for code in LANGUAGES}


def filled(field: str, text: Localised, *, no: int | None = None) -> dict[str, str]:
    """Fill the fields with the words as they are kept."""
    return {id_of(field, no=no, code=code): text.get(code, "") for code in LANGUAGES}


def errors_of(tried: Tried, *localised: str, no: int | None = None) -> dict[str, str]:
    """Give what is wrong by field; a text that is in no language is asked for in the first."""
    if tried.refusal is None:
        return {}
    facts = tried.refusal.facts
    field, code = str(facts.get("field", "")), str(facts.get("language", ""))
    if field in localised:
        return {id_of(field, no=no, code=code or LANGUAGES[0]): tried.words}
    return {id_of(field, no=no): tried.words}


def tongues() -> list[tuple[str, str]]:
    """List the languages to write in, named in the reader's."""
    return [(code, language_name(code)) for code in LANGUAGES]


def labels(field: str, words: str, *, no: int | None = None) -> list[tuple[str, str]]:
    """Give the fields of one text with their labels, as the page shows them."""
    return [
        (
            id_of(field, no=no, code=code),
            _("%(field)s, in %(language)s") % {"field": words, "language": tongue},
        )
        for code, tongue in tongues()
    ]
