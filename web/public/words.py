"""Words that several public pages say: levels, days, and what somebody agrees to."""

from datetime import datetime

import nh3
from babel.dates import format_date
from markupsafe import Markup

from mailer.content.webtext import web_text
from mailer.kit import i18n
from web.kit.agreements import LOCALES, Level, agreement, level_of, levels_of, listed, mark_of

__all__ = ["Level", "agreement", "day", "level_of", "levels_of", "listed", "mark_of", "prose"]

_TAGS = {*"p h2 h3 h4 ul ol li blockquote em strong code hr br a".split()}


def day(moment: datetime) -> str:
    """Say a day in words."""
    spoken = i18n.language.get()
    return format_date(moment, "long", locale=LOCALES.get(spoken, spoken))


def prose(markdown: str, language: str) -> Markup:
    """Give what an organiser wrote as a part of a page, with no token in it."""
    # Our own renderer lets no HTML of the writer through; this is the second lock on that door.
    html = nh3.clean(web_text(markdown, language), tags=_TAGS, attributes={"a": {"href"}})
    return Markup(html)  # noqa: S704
