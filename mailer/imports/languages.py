"""Languages and countries as people write them in files: by code, or by name."""

import functools
import re

from babel import Locale

from mailer.imports.columns import plain
from mailer.kit.i18n import LANGUAGES, own_name

# Names of languages in themselves cost 5 ms each to look up: these are those of the movements
# whose files we have seen. The others are known by their code and their English or French name.
_OWN_NAMES = (
    "am ar bg bn cs da de el en es eu fa fi fr ga he hi hr hu it ku lt nl pa pl ps pt ro ru sk so"
    " sq sr sv sw ta ti tr uk ur vi zh"
).split()

_ALSO = {"uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "usa": "US"}


def language_code(said: str) -> str | None:
    """Know a language by its code or its name in English, French or itself; None if unknown."""
    words = said.strip().casefold().replace("_", "-")
    base = words.split("-", maxsplit=1)[0]
    if re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", words) and base in _names_of_languages("en"):
        return base
    return _codes_of_languages().get(plain(said))


def country_code(said: str) -> str | None:
    """Know a country by its code (ISO 3166-1) or its name in English or French."""
    word = plain(said)
    if len(word) == 2 and word.upper() in _countries("en") and word not in _ALSO:
        return word.upper()
    return _codes_of_countries().get(word)


@functools.cache
def _names_of_languages(reader: str) -> dict[str, str]:
    return {
        code: name
        for code, name in Locale.parse(reader).languages.items()
        if re.fullmatch("[a-z]{2,3}", code) and code not in {"mul", "und", "zxx", "mis"}
    }


@functools.cache
def _codes_of_languages() -> dict[str, str]:
    codes = {plain(own_name(code)): code for code in _OWN_NAMES}
    for reader in LANGUAGES:
        codes.update({plain(name): code for code, name in _names_of_languages(reader).items()})
    return codes


@functools.cache
def _countries(reader: str) -> dict[str, str]:
    return {
        code: name
        for code, name in Locale.parse(reader).territories.items()
        if re.fullmatch("[A-Z]{2}", code) and code not in {"EU", "EZ", "UN", "XA", "XB", "ZZ"}
    }


@functools.cache
def _codes_of_countries() -> dict[str, str]:
    codes = dict(_ALSO)
    for reader in LANGUAGES:
        codes.update({plain(name): code for code, name in _countries(reader).items()})
    return codes
