"""Numbers, days and hours in the reader's language.

Hours are in UTC and say so: the organisation has no clock of its own yet, and an hour without its
zone has sent many a newsletter at night.
"""

from datetime import datetime, timedelta

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_decimal

from mailer.kit.errors import Refusal
from mailer.kit.i18n import _, language, ngettext


def number(of: int) -> str:
    """Write a whole number with the separators of the language."""
    return format_decimal(of, locale=language.get())


def people(count: int) -> str:
    """Write how many people."""
    return ngettext("%(count)s person", "%(count)s people", count) % {"count": number(count)}


def language_name(code: str) -> str:
    """Name a language in the reader's: French."""
    return Locale.parse(code, sep="-").get_display_name(language.get()) or code


def day(at: datetime) -> str:
    """Write a day with its weekday: Thursday 11 June 2026."""
    return format_date(at, "EEEE d MMMM y", locale=language.get())


def hour(at: datetime) -> str:
    """Write an hour: 10:04."""
    return format_time(at, "HH:mm", locale=language.get())


def moment(at: datetime) -> str:
    """Write a day and an hour in a sentence."""
    return _("%(day)s at %(time)s UTC") % {"day": day(at), "time": hour(at)}


def counted_at(at: datetime | None) -> str:
    """Say when something was counted; nothing where that is now."""
    return "" if at is None else _("Counted at %(time)s UTC.") % {"time": hour(at)}


def shortly(at: datetime) -> str:
    """Write a day and an hour in a table: 11 June, 10:04."""
    return _("%(day)s, %(time)s") % {
        "day": format_date(at, "d MMMM", locale=language.get()),
        "time": hour(at),
    }


def soon(at: datetime, now: datetime) -> str:
    """Write an hour, with its day if that is not today: 10:04, or 11 June, 10:04."""
    return hour(at) if at.date() == now.date() else shortly(at)


def dated(at: datetime) -> str:
    """Write a day and an hour where years matter: 11 June 2026, 10:04."""
    return _("%(day)s, %(time)s") % {
        "day": format_date(at, "d MMMM y", locale=language.get()),
        "time": hour(at),
    }


def said(refusal: Refusal) -> str:
    """Say a refusal with the line it is about, where there is one."""
    if "line" not in refusal.facts:
        return refusal.said()
    return _("Line %(line)s: %(refusal)s") % {
        "line": refusal.facts["line"],
        "refusal": refusal.said(),
    }


def duration(seconds: int) -> str:
    """Write how long: 5 minutes."""
    whole = seconds >= 60 and seconds % 60 == 0
    return format_timedelta(
        timedelta(seconds=seconds),
        granularity="minute" if whole else "second",
        threshold=90,
        locale=language.get(),
    )


def about(long: timedelta) -> str:
    """Write how long something takes, no more exactly than anybody knows: 12 minutes, 5 hours."""
    if long < timedelta(minutes=1):
        return _("less than a minute")
    return format_timedelta(long, granularity="minute", threshold=3, locale=language.get())
