"""Reading what is typed of somebody: their name, where they live, their language and hours."""

import functools
import re
import zoneinfo
from collections.abc import Mapping
from typing import TypedDict

from babel import Locale

from mailer.kit.errors import Invalid
from mailer.kit.i18n import known, language
from mailer.kit.texts import one_line
from mailer.subscribers.model import Subscriber

LONGEST = {
    "first_name": 120,
    "last_name": 120,
    "city": 120,
    "postcode": 20,
    "region": 80,
    "source": 80,
}

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")
_COUNTRY = re.compile(r"[A-Z]{2}")
# Codes that CLDR has words for and that are no country: unions, outlying islands, tests, unknown.
_NO_COUNTRIES = frozenset("EU EZ UN QO XA XB ZZ".split())


class Details(TypedDict, total=False):
    """What may be said of somebody, as it was typed."""

    first_name: str
    last_name: str
    city: str
    postcode: str
    region: str
    country: str
    time_zone: str
    language: str
    source: str


class CountryUnknown(Invalid):
    """This is not a country that we know."""


class TimeZoneUnknown(Invalid):
    """This is not a time zone that we know, like Europe/Paris."""


def read_details(typed: Details) -> dict[str, str | None]:
    """Give the columns for what was typed, by the same names; what is not said is not in it.

    Refuses at the column what is too long, no country or no time zone. A language that is none is
    English.
    """
    said: dict[str, str | None] = {
        name: one_line(str(words), longest=LONGEST[name], field=name)
        for name, words in typed.items()
        if name in LONGEST
    }
    if "language" in typed:
        said["language"] = typed["language"] if _LANGUAGE.fullmatch(typed["language"]) else "en"
    if "country" in typed:
        said["country"] = read_country(typed["country"])
    if "time_zone" in typed:
        said["time_zone"] = read_time_zone(typed["time_zone"])
    return said


def with_keys(
    said: Mapping[str, str | None], subscriber: Subscriber | None = None
) -> dict[str, str | None]:
    """Add the columns by which a name is found, where the name is among what was said."""
    if not {"first_name", "last_name"} & set(said):
        return dict(said)
    before = subscriber or Subscriber(first_name="", last_name="")
    first = said.get("first_name", before.first_name) or ""
    last = said.get("last_name", before.last_name) or ""
    return {**said, **Subscriber.keys_of(first, last)}


def read_country(typed: str) -> str:
    """Give the two letters of ISO 3166-1; blank is none."""
    code = typed.strip().upper()
    if code and code not in _codes():
        raise CountryUnknown(field="country")
    return code


def read_time_zone(typed: str) -> str:
    """Give the name of a time zone of the IANA's data base; blank is none."""
    name = typed.strip()
    if name and name not in time_zones():
        raise TimeZoneUnknown(field="time_zone")
    return name


@functools.cache
def _codes() -> frozenset[str]:
    every = (str(code) for code in Locale("en").territories)
    return frozenset(code for code in every if _COUNTRY.fullmatch(code)) - _NO_COUNTRIES


@functools.cache
def time_zones() -> frozenset[str]:
    """Give the names of all time zones by place: what is left are older names for the same."""
    return frozenset(
        one for one in zoneinfo.available_timezones() if "/" in one and not one.startswith("Etc/")
    )


def countries() -> list[tuple[str, str]]:
    """Give the countries, code and name, by name in the reader's language."""
    names, english = Locale(known(language.get())).territories, Locale("en").territories
    found = [(code, names.get(code) or english[code]) for code in _codes()]
    return sorted(found, key=lambda one: one[1].casefold())
