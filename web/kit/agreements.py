"""Words that pages say of levels, and what somebody agrees to when they join."""

from collections.abc import Iterable, Sequence

import msgspec
from babel.lists import format_list

from mailer.consent.model import MailingList
from mailer.kit import i18n
from mailer.kit.i18n import _, in_language
from mailer.kit.work import Work
from mailer.organisation.model import Organisation
from mailer.tiers.model import Tier

# English is written for people everywhere: the day comes before the month.
LOCALES = {"en": "en_GB"}


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """A tier in the reader's language; members read "level"."""

    no: int
    slug: str
    name: str
    often: str
    gives: str
    asks: str
    needs_approval: bool
    list_nos: Sequence[int]  # the lists that go well with it


def level_of(tier: Tier) -> Level:
    """Say a tier in the reader's language."""
    return Level(
        no=tier.no,
        slug=tier.slug,
        name=in_language(tier.name),
        often=in_language(tier.often).rstrip("."),
        gives=in_language(tier.you_get),
        asks=in_language(tier.we_ask),
        needs_approval=tier.needs_approval,
        list_nos=tier.list_nos,
    )


def levels_of(ladder: Iterable[Tier]) -> list[Level]:
    """Say the ladder, lowest first."""
    return [level_of(tier) for tier in ladder]


def listed(words: Sequence[str]) -> str:
    """Say several things in a row: one, two and three."""
    spoken = i18n.language.get()
    return format_list(words, locale=LOCALES.get(spoken, spoken))


def agreement(organisation: Organisation, one: MailingList, levels: Iterable[Level]) -> str:
    """Give the exact words that somebody agrees to, which are kept as they were shown.

    They name the organisation and promise how often, for each level: without script the page
    cannot know which one will be chosen.
    """
    asked = one.wording(i18n.language.get(), organisation.name)
    promises = listed([f"{level.name} ({level.often})" for level in levels if level.often])
    often = _("The levels are: %(levels)s.") % {"levels": promises}
    return f"{asked} {often}" if promises else asked


def mark_of(work: Work, words: str) -> str:
    """Mark the words that a form shows, so that it can tell us that these were the ones."""
    return work.keys.scramble("wording", words)
