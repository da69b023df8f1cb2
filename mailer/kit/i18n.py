"""Languages. Catalogues are kept as text (.po) and compiled in memory when first asked for.

Words are chosen at the edge, in the language of whoever reads: `speaking("fr")` around the making
of a letter, the request's own context around the making of a page.
"""

import functools
import gettext
import io
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).parent.parent / "locale"
LANGUAGES = ("en", "fr")  # English is the source and needs no catalogue
RIGHT_TO_LEFT = frozenset("ar dv fa he ku ps sd ug ur yi".split())

language: ContextVar[str] = ContextVar("language", default="en")


@contextmanager
def speaking(name: str) -> Generator[None]:
    """Say everything inside in one language."""
    token = language.set(known(name))
    try:
        yield
    finally:
        language.reset(token)


def known(name: str | None, fallback: str = "en") -> str:
    """Give the language we speak that is nearest to the one asked for."""
    base = (name or "").replace("_", "-").split("-")[0].lower()
    return base if base in LANGUAGES else fallback


@functools.cache
def catalogue(name: str) -> gettext.NullTranslations:
    """Compile one language."""
    source = LOCALE / name / "messages.po"
    if not source.exists():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=name))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _(message: str) -> str:
    """Say a message in the reader's language."""
    return catalogue(language.get()).gettext(message)


def ngettext(one: str, many: str, number: int) -> str:
    """Say a message about a number of things."""
    return catalogue(language.get()).ngettext(one, many, number)


def N_(message: str) -> str:  # noqa: N802  # the name that extractors know
    """Mark a message that is said later."""
    return message


class Phrase(str):
    """Words of ours inside a fact, said in the reader's language when the fact is shown."""

    __slots__ = ()


def in_language(text: Mapping[str, str], wanted: str | None = None, fallback: str = "en") -> str:
    """Read text that people wrote in several languages: `Localised`.

    The wanted language (the reader's, unless said), else its base, else the fallback, else
    whatever there is; empty only when all are.
    """
    wanted = wanted or language.get()
    for name in (wanted, wanted.split("-", maxsplit=1)[0], fallback):
        if text.get(name, "").strip():
            return text[name]
    return next((words for words in text.values() if words.strip()), "")


def direction(name: str) -> str:
    """Say which way a language is written, for `dir`."""
    return "rtl" if name.split("-", maxsplit=1)[0] in RIGHT_TO_LEFT else "ltr"


@functools.cache
def own_name(name: str) -> str:
    """Say a language's name in itself: a reader looks for their own."""
    try:
        return (Locale.parse(name, sep="-").get_display_name(name) or name).capitalize()
    except (UnknownLocaleError, ValueError):
        return name
