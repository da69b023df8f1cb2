"""Short texts that people type: a name, a place, a subject line. One line, and nothing invisible.

What could play tricks where the text is shown later (line ends, control characters, marks that
turn the direction of writing) is dropped at the door and not at each place of showing.
"""

import re
import unicodedata

from mailer.kit.errors import Invalid


class TextMissing(Invalid):
    """Please fill this in."""


class TextTooLong(Invalid):
    """This is too long: %(longest)s characters at most."""


# Cc control, Cf format (bidi overrides, zero-width), Cs surrogates, Zl and Zp line ends. The two
# joiners stay: names in Persian and in Indic scripts are misspelt without them.
_DROPPED = {"Cf", "Cs"}
_SPACES = {"Cc", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"


def one_line(typed: str, *, longest: int, field: str, needed: bool = False) -> str:
    """Give a text as it is kept: composed (NFC), on one line, single spaces.

    Refuses one that is too long, or empty where it is needed; `field` is the field it came from.
    """
    text = " ".join(_visible(typed).split())
    return _measured(text, longest=longest, field=field, needed=needed)


def lines(typed: str, *, longest: int, field: str, needed: bool = False) -> str:
    """Give a text of several lines, each as `one_line` would; empty lines at the ends are cut."""
    kept = [" ".join(_visible(line).split()) for line in re.split(r"\r\n|\r|\n", typed)]
    return _measured("\n".join(kept).strip("\n"), longest=longest, field=field, needed=needed)


def in_languages(
    typed: dict[str, str], *, longest: int, field: str, needed: bool = False
) -> dict[str, str]:
    """Give `Localised` text, each language as `lines` would; needed means in one at least.

    What one language's text is refused for names that language beside the field.
    """
    kept = {}
    for code, words in typed.items():
        try:
            kept[code] = lines(words, longest=longest, field=field)
        except TextTooLong as refusal:
            refusal.facts["language"] = code
            raise
    kept = {code: text for code, text in kept.items() if text}
    if needed and not kept:
        raise TextMissing(field=field)
    return kept


def _visible(typed: str) -> str:
    return "".join(
        " " if kind in _SPACES else letter
        for letter in unicodedata.normalize("NFC", typed)
        if (kind := unicodedata.category(letter)) not in _DROPPED or letter in _JOINERS
    )


def _measured(text: str, *, longest: int, field: str, needed: bool) -> str:
    if needed and not text:
        raise TextMissing(field=field)
    if len(text) > longest:
        raise TextTooLong(field=field, longest=longest)
    return text
