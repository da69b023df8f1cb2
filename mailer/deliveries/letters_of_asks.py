"""The facts of the letters about one pledge: that it is noted, its date, and how it went.

Whoever pledged agreed to these letters and to no others. What waits for a date is not sent once the
pledge is done or taken back, nor to somebody on a break, or who has left since.
"""

from mailer.asks import store as asks
from mailer.asks.fresh_links import KIND
from mailer.asks.model import UNDO_FOR, Ask, Pledge
from mailer.asks.reminding.model import WAITS
from mailer.consent import store as consent
from mailer.consent.model import SubscriberState
from mailer.content.markdown import literal
from mailer.deliveries import writing
from mailer.deliveries.letter_facts import Find, Pointless, Recipient, Said, life_of
from mailer.kit.i18n import in_language
from mailer.kit.links import Links
from mailer.kit.tokens import Purpose
from mailer.kit.work import Work
from mailer.outbox.model import Letter
from mailer.relays import store as sending_rules

_LEFT_ALONE = frozenset({SubscriberState.PAUSED, SubscriberState.UNSUBSCRIBED})


async def _receipt(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    change = await asks.change_by_no(work, letter.facts["change"])
    if change is None or change.undone_at is not None:
        raise Pointless
    pledge, ask = await _about(work, change.pledge_no)
    if not pledge.stands:
        raise Pointless
    return {
        **await _all(work, letter, to, links, pledge, ask),
        "undo_link": links.to(Purpose.UNDO_PLEDGE, to.subscriber, subject=change.no),
        "undo_until": writing.said_date(change.at + UNDO_FOR, letter.language),
    }


async def _support(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    said = await _receipt(work, letter, to, links)
    return {name: said[name] for name in ("ask_title", "support_contact", "report_link")}


async def _due(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    pledge, ask = await _about(work, letter.facts["pledge"])
    due = pledge.due(ask)
    if pledge.state not in WAITS or due is None or int(due.timestamp()) != letter.facts["due"]:
        raise Pointless
    if (await consent.states(work, [to.subscriber])).get(to.subscriber) in _LEFT_ALONE:
        raise Pointless
    return await _all(work, letter, to, links, pledge, ask)


async def _did_you_do_it(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    said = await _due(work, letter, to, links)
    return {name: said[name] for name in ("ask_title", "support_contact", "report_link")}


async def _fresh(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    purpose, subject = Purpose(letter.facts["purpose"]), letter.facts["subject"]
    ask = (
        (await _about(work, subject))[1]
        if purpose is Purpose.REPORT
        else await asks.by_no(work, subject)
    )
    if ask is None:
        raise Pointless
    return {
        "ask_title": in_language(ask.title, letter.language),
        "link": links.to(purpose, to.subscriber, subject=subject),
        "days": life_of(purpose).days,
    }


async def _about(work: Work, pledge_no: int) -> tuple[Pledge, Ask]:
    pledge = await asks.pledge_by_no(work, pledge_no)
    ask = await asks.by_no(work, pledge.ask_no) if pledge else None
    if pledge is None or ask is None:
        raise Pointless
    return pledge, ask


async def _all(
    work: Work, letter: Letter, to: Recipient, links: Links, pledge: Pledge, ask: Ask
) -> Said:
    due = pledge.due(ask)
    zone = await sending_rules.zone(work)
    return {
        "ask_title": in_language(ask.title, letter.language),
        "own_words": literal(in_language(ask.text, letter.language)),
        "by_date": writing.said_date(due.astimezone(zone), letter.language) if due else "",
        "support_contact": ask.support_contact,
        "report_link": links.to(Purpose.REPORT, to.subscriber, subject=pledge.no),
        "ask_link": links.to(Purpose.ASK, to.subscriber, subject=ask.no),
    }


FACTS: dict[str, Find] = {
    "pledge-receipt": _receipt,
    "support-is-coming": _support,
    "pledge-due": _due,
    "did-you-do-it": _did_you_do_it,
    KIND: _fresh,
}
