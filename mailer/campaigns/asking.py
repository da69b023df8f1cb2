"""What a campaign asks of its readers: nothing, one ask for all, or each reader's own best one.

It stands below the text, with its buttons. How it reads is kept when the campaign is frozen, so
that every mail of it says the same, whatever is edited afterwards.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from babel.dates import format_skeleton

from mailer import content
from mailer.asks import choosing
from mailer.asks import store as asks
from mailer.asks.model import Ask
from mailer.campaigns.model import Campaign, CampaignState
from mailer.content import merge
from mailer.content.markdown import literal
from mailer.kit.errors import Invalid
from mailer.kit.i18n import _, in_language, ngettext, speaking
from mailer.kit.orm import Localised
from mailer.kit.work import Work
from mailer.relays import store as sending_rules

_UNFROZEN = (CampaignState.DRAFT, CampaignState.IN_REVIEW, CampaignState.FREEZING)


class AskMissing(Invalid):
    """Choose one of the asks that are open."""


async def open_ask(work: Work, ask_no: int) -> Ask:
    """Give an ask to which a yes counts; refuses one that is closed, or still a draft."""
    ask = await asks.by_no(work, ask_no)
    if ask is None or not ask.is_open(work.now):
        raise AskMissing(field="ask")
    return ask


async def asked(work: Work, campaign: Campaign) -> Sequence[Ask]:
    """Give the asks that a draft offers, as they stand now: one, those to choose among, or none.

    Refuses one for all that is not open any more: nobody is asked what they cannot answer.
    """
    if campaign.best_ask:
        return await choosing.candidates(work)
    if campaign.ask_no is not None:
        return [await open_ask(work, campaign.ask_no)]
    return []


# --- as a block -----------------------------------------------------------------------------------


async def block_of(
    work: Work,
    campaign: Campaign,
    languages: Sequence[str],
    offered: Sequence[Ask] | None = None,
) -> content.BestAsk | None:
    """Give what stands below the text of a campaign, in these languages; the first is fallback.

    Each reader sees the ask that is offered to them: of one for all, whoever may be offered it.
    `offered` are the asks of a draft, where they were read already.
    """
    if campaign.state in _UNFROZEN:
        found = await asked(work, campaign) if offered is None else offered
        blocks = await blocks_of(work, found, languages)
    else:
        blocks = msgspec.convert(campaign.asked, type=list[content.Ask])
    return content.BestAsk(asks=tuple(blocks)) if blocks else None


async def blocks_of(
    work: Work, found: Sequence[Ask], languages: Sequence[str]
) -> list[content.Ask]:
    """Write asks as blocks."""
    zone = await sending_rules.zone(work)
    return [_block(ask, languages, zone) for ask in found]


def _block(ask: Ask, languages: Sequence[str], zone: ZoneInfo) -> content.Ask:
    buttons: dict[str, Localised] = {"pledge": {}, "done": {}, "decline": {}}
    effort: Localised = {}
    title: Localised = {}
    text: Localised = {}
    for language in languages:
        with speaking(language):
            effort[language] = _effort(ask, language, zone)
            buttons["pledge"][language] = _("I’ll do it")
            buttons["done"][language] = _("I have done it")
            buttons["decline"][language] = _("Not for me")
        title[language] = _without_fields(in_language(ask.title, language, languages[0]))
        said = (in_language(words, language, languages[0]) for words in (ask.why, ask.text))
        text[language] = "\n\n".join(literal(words) for words in said if words)
    return content.Ask(
        ask=ask.no,
        effort=effort,
        title=title,
        markdown=text if any(text.values()) else {},
        answers=(
            content.AskAnswer("pledge", buttons["pledge"]),
            content.AskAnswer("done", buttons["done"]),
            content.AskAnswer("decline", buttons["decline"]),
        ),
    )


def _effort(ask: Ask, language: str, zone: ZoneInfo) -> str:
    """Say what it takes, in one line: "The ask: 10 minutes, by 18 June"."""
    facts = {"minutes": ask.minutes, "day": _day(ask.deadline, language, zone)}
    if ask.minutes is None:
        return _("The ask: by %(day)s") % facts if ask.deadline else _("The ask")
    if ask.deadline is None:
        words = ngettext("The ask: %(minutes)s minute", "The ask: %(minutes)s minutes", ask.minutes)
    else:
        words = ngettext(
            "The ask: %(minutes)s minute, by %(day)s",
            "The ask: %(minutes)s minutes, by %(day)s",
            ask.minutes,
        )
    return words % facts


def _day(deadline: datetime | None, language: str, zone: ZoneInfo) -> str:
    if deadline is None:
        return ""
    return format_skeleton("MMMMd", deadline.astimezone(zone), locale=language.replace("-", "_"))


_BRACES = re.compile(r"(?<=\{)(?=\{)|(?<=\})(?=\})")


def _without_fields(title: str) -> str:
    """Keep braces in a title from being read as a merge field, however many stand together.

    What vanishes when a mail is compiled vanishes first, so that it cannot stand between two.
    """
    return _BRACES.sub(" ", merge.clean(title))
