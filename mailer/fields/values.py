"""What a person, a form or a file says of a field, and how it is kept, shown and written again.

No session and no clock. A value is kept as text: what was typed, the number, the ISO date, the slug
of a choice, `yes` or `no`. What `written` gives `read_value` reads back without loss.
"""

import contextlib
import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from babel.dates import format_date
from babel.numbers import format_decimal

from mailer.fields.model import LONGEST, Field, FieldKind
from mailer.kit.errors import Invalid
from mailer.kit.i18n import _, in_language, known, speaking
from mailer.kit.texts import one_line

Value = tuple[str, float | None]
"""One row to keep: the value as text, and the number where it is one."""

DateOrder = Literal["dmy", "mdy"]

PARTED_BY = ";"

_LONGEST_NUMBER = 24
_MOST_DIGITS = 15  # what a float, by which numbers are compared, tells apart


class FieldWrong(Invalid):
    """This is not what the field takes."""


class NumberWrong(FieldWrong):
    """This must be a number, like 12 or 2.5, with 15 digits at most."""


class NumberUnclear(FieldWrong):
    """This number can be read in two ways: please write it without the mark for thousands."""


class DateWrong(FieldWrong):
    """This must be a date, written like 2026-05-31."""


class ChoiceUnknown(FieldWrong):
    """“%(typed)s” is not among the choices: %(choices)s."""


class OneChoiceOnly(FieldWrong):
    """This takes one answer only."""


class YesOrNo(FieldWrong):
    """This must be yes or no."""


def read_value(field: Field, typed: str, *, order: DateOrder | None = None) -> list[Value]:
    """Read what somebody wrote, and give the rows to keep; none when it is blank.

    Choices are known by their slug and by their name in any language, several are parted by `;`.
    `order` says what 3/4/2026 means in a file; without it such dates are refused. A refusal names
    the field by its slug.
    """
    text = one_line(
        typed, longest=LONGEST * (20 if field.kind is _SEVERAL else 1), field=field.slug
    )
    if not text:
        return []
    match field.kind:
        case FieldKind.TEXT:
            return [(text, None)]
        case FieldKind.NUMBER:
            return [_number(field, text)]
        case FieldKind.DATE:
            return [(_date(field, text, order).isoformat(), None)]
        case FieldKind.CHOICE | FieldKind.CHOICES:
            return [(slug, None) for slug in _chosen(field, text)]
        case FieldKind.YES_NO:
            return [(_yes_or_no(field, text), None)]


def shown(field: Field, values: Sequence[str], language: str) -> str:
    """Say values as a reader of a language would; empty where there are none."""
    if not values:
        return ""
    match field.kind:
        case FieldKind.TEXT:
            return values[0]
        case FieldKind.NUMBER:
            return format_decimal(
                Decimal(values[0]), locale=known(language), decimal_quantization=False
            )
        case FieldKind.DATE:
            return format_date(date.fromisoformat(values[0]), format="long", locale=known(language))
        case FieldKind.CHOICE | FieldKind.CHOICES:
            names = {one["slug"]: in_language(one["name"], language) for one in field.choices}
            return ", ".join(names.get(slug, slug) for slug in in_order(field, values))
        case FieldKind.YES_NO:
            with speaking(language):
                return _("Yes") if values[0] == "yes" else _("No")


def written(values: Sequence[str]) -> str:
    """Write values as a file has them: `read_value` gives the same again."""
    return PARTED_BY.join(values)


def in_order(field: Field, values: Sequence[str]) -> list[str]:
    """Sort the slugs of choices as the field has them."""
    place = {one["slug"]: number for number, one in enumerate(field.choices)}
    return sorted(values, key=lambda slug: (place.get(slug, len(place)), slug))


_SEVERAL = FieldKind.CHOICES

# --- numbers -------------------------------------------------------------------------------------

# What stands between thousands, besides a dot or a comma: any space (one_line has made each the
# plain one, but for the two that do not break), an apostrophe.
_THOUSANDS = re.compile("[ \u00a0\u202f'’]")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}([.,])[0-9]{3}(\1[0-9]{3})+")
_MIXED = re.compile(r"([+-]?[0-9]{1,3}(?:([.,])[0-9]{3})(?:\2[0-9]{3})*)((?!\2)[.,])([0-9]+)")
_TWO_WAYS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")


def _number(field: Field, text: str) -> Value:
    text = "".join(_digit(letter) for letter in text).replace("\u2212", "-")
    text = _THOUSANDS.sub("", text)
    if _TWO_WAYS.fullmatch(text):
        raise NumberUnclear(field=field.slug)  # 1,000 is one here and a thousand there
    if _GROUPED.fullmatch(text):
        text = re.sub("[.,]", "", text)
    elif found := _MIXED.fullmatch(text):
        text = f"{re.sub('[.,]', '', found[1])}.{found[4]}"
    text = text.replace(",", ".")
    if not _PLAIN.fullmatch(text) or len(text) > _LONGEST_NUMBER:
        raise NumberWrong(field=field.slug)
    number = Decimal(text).normalize()
    if len(number.as_tuple().digits) > _MOST_DIGITS:
        raise NumberWrong(field=field.slug)
    return f"{number + 0:f}", float(number)  # + 0: there is no -0


def _digit(letter: str) -> str:
    # Digits of other scripts (Arabic-Indic, Devanagari…) are digits.
    return letter if letter.isascii() else str(unicodedata.decimal(letter, letter))


# --- dates ---------------------------------------------------------------------------------------

_ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[T ][0-9:.+Z-]*)?")
_SHORT = re.compile(r"([0-9]{1,2})([-/. ]{1,2})([0-9]{1,2})\2([0-9]{4})(?: [0-9:. ]*)?")


def _date(field: Field, text: str, order: DateOrder | None) -> date:
    text = "".join(_digit(letter) for letter in text)
    with contextlib.suppress(ValueError):
        if found := _ISO.fullmatch(text):
            return date(*(int(part) for part in found.groups()))
        # With dots the day stands first wherever dates are written with dots.
        if (found := _SHORT.fullmatch(text)) and (order or found[2].startswith(".")):
            one, other, year = int(found[1]), int(found[3]), int(found[4])
            return date(year, one, other) if order == "mdy" else date(year, other, one)
    raise DateWrong(field=field.slug)


# --- choices -------------------------------------------------------------------------------------


def choice_key(words: str) -> str:
    """Give the key under which two spellings of a choice are one."""
    return " ".join(unicodedata.normalize("NFKC", words).split()).casefold()


def _chosen(field: Field, text: str) -> list[str]:
    known_as = _spellings(field.choices)
    parts = [part for part in (part.strip() for part in text.split(PARTED_BY)) if part]
    chosen: dict[str, None] = {}
    for part in parts:
        slug = known_as.get(choice_key(part))
        if slug is None:
            names = [in_language(one["name"]) for one in field.choices if not one.get("closed")]
            raise ChoiceUnknown(field=field.slug, typed=part[:80], choices=", ".join(names))
        chosen[slug] = None
    if field.kind is FieldKind.CHOICE and len(chosen) > 1:
        raise OneChoiceOnly(field=field.slug)
    return in_order(field, list(chosen))


def _spellings(choices: Sequence[Any]) -> dict[str, str]:
    """Give what each choice may be called. A slug wins over a name that looks like it.

    Closed choices are known too: who has one keeps it, through a file and back.
    """
    spelt: dict[str, str] = {}
    for one in choices:
        for name in one["name"].values():
            spelt.setdefault(choice_key(name), one["slug"])
    return {**spelt, **{one["slug"]: one["slug"] for one in choices}}


# --- yes and no ----------------------------------------------------------------------------------

# In the languages of the house, and as other programs write them.
_YES = frozenset("yes y true t 1 x on ✓ ✔ oui o vrai ja si sí sim".split())
_NO = frozenset("no n false f 0 off - ✗ non faux nein não nao".split())


def _yes_or_no(field: Field, text: str) -> str:
    key = text.casefold()
    if key in _YES:
        return "yes"
    if key in _NO:
        return "no"
    raise YesOrNo(field=field.slug)
