"""Words that several public pages say: levels, days, and what somebody agrees to."""

from datetime import datetime

from babel.dates import format_date

from mailer.kit import i18n
from web.kit.agreements import LOCALES, Level, agreement, level_of, levels_of, listed, mark_of

__all__ = ["Level", "agreement", "day", "level_of", "levels_of", "listed", "mark_of"]


def day(moment: datetime) -> str:
    """Say a day in words."""
    spoken = i18n.language.get()
    return format_date(moment, "long", locale=LOCALES.get(spoken, spoken))
