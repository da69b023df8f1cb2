"""The facts of the letters about one pledge: that it is noted, its date, and how it went.

Whoever pledged agreed to these letters and to no others, also after leaving the lists. Who never
confirmed that the address is theirs gets none. What waits for a date is not sent once the pledge is
done or taken back, nor to somebody on a break.
"""

from mailer.asks import store as asks
from mailer.asks.fresh_links import KIND
from mailer.asks.model import UNDO_FOR, Ask, DemandState, Pledge, PledgeChange
from mailer.asks.reminding.model import ASKING, REMINDING, WAITS, Occasion
from mailer.asks.telling import ANSWER, HEAR, SUPPORT, YES
from mailer.asks.upkeep import AGAIN
from mailer.consent import store as consent
from mailer.consent.model import SubscriberState
from mailer.content.markdown import literal
from mailer.deliveries import writing
from mailer.deliveries.letter_facts import (
    Find,
    Pointless,
    Recipient,
    Said,
    ask_for_reader,
    life_of,
)
from mailer.kit.i18n import in_language
from mailer.kit.links import Links
from mailer.kit.tokens import Purpose
from mailer.kit.work import Work
from mailer.outbox.model import Letter
from mailer.relays import store as sending_rules


async def _receipt(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    change, pledge, ask = await _answered(work, letter, to)
    if not pledge.stands:
        raise Pointless
    return {
        **await _all(work, letter, to, links, pledge, ask),
        "rights": literal(in_language(ask.rights, letter.language)),
        "ask_on": await _ask_on(work, letter, pledge, ask),
        "share_link": await _to_pass_on(work, ask, links),
        **_undo(change, letter, to, links),
    }


async def _answer(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    change, pledge, ask = await _answered(work, letter, to)
    answer = letter.facts["answer"]
    return {
        "answer": answer,
        "ask_title": in_language(ask.title, letter.language),
        "ask_on": await _ask_on(work, letter, pledge, ask) if pledge.state in WAITS else "",
        "support_contact": ask.support_contact if answer == "help" else "",
        "report_link": links.to(Purpose.REPORT, to.subscriber, subject=pledge.no),
        "share_link": await _to_pass_on(work, ask, links) if answer == "done" else "",
        **_undo(change, letter, to, links),
    }


async def _answered(work: Work, letter: Letter, to: Recipient) -> tuple[PledgeChange, Pledge, Ask]:
    """Give the answer that a letter is about, unless it was undone."""
    change = await asks.change_by_no(work, letter.facts["change"])
    if change is None or change.undone_at is not None:
        raise Pointless
    await _ask_for(work, to, HEAR)
    return change, *await _about(work, change.pledge_no)


async def _to_pass_on(work: Work, ask: Ask, links: Links) -> str:
    """Give what to pass on in place of a letter: the page of the demand, if everybody may read it.

    The letter holds links that act for its reader, and this page holds none.
    """
    demand = await asks.demand_by_no(work, ask.demand_no) if ask.demand_no else None
    if demand is None or demand.state not in {DemandState.OPEN, DemandState.WON}:
        return ""
    return links.page(f"/demands/{demand.uid}")


def _undo(change: PledgeChange, letter: Letter, to: Recipient, links: Links) -> Said:
    return {
        "undo_link": links.to(Purpose.UNDO_PLEDGE, to.subscriber, subject=change.no),
        "undo_until": writing.said_date(change.at + UNDO_FOR, letter.language),
    }


async def _support(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    said = await _receipt(work, letter, to, links)
    return {name: said[name] for name in ("ask_title", "support_contact", "report_link")}


async def _due(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    pledge, ask = await _of_date(work, letter, to, REMINDING)
    return await _all(work, letter, to, links, pledge, ask)


async def _did_you_do_it(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    pledge, ask = await _of_date(work, letter, to, ASKING)
    said = await _all(work, letter, to, links, pledge, ask)
    return {name: said[name] for name in ("ask_title", "support_contact", "report_link")}


async def _of_date(
    work: Work, letter: Letter, to: Recipient, occasion: Occasion
) -> tuple[Pledge, Ask]:
    """Give the pledge whose date a letter is about, if it still waits for that date."""
    pledge, ask = await _about(work, letter.facts["pledge"])
    ends = pledge.ends(ask)
    if pledge.state not in WAITS or ends is None or int(ends.timestamp()) != letter.facts["due"]:
        raise Pointless
    if occasion.is_reminder and (pledge.is_our_day or not ask.is_open(work.now)):
        raise Pointless
    await _ask_for(work, to, HEAR - {SubscriberState.PAUSED})
    return pledge, ask


async def _again(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    pledge, ask = await _about(work, letter.facts["pledge"])
    if pledge.is_answered or pledge.done_at is None or not ask.is_open(work.now):
        raise Pointless
    await ask_for_reader(work, to)
    zone = await sending_rules.zone(work)
    return {
        "ask_title": in_language(ask.title, letter.language),
        "own_words": literal(in_language(ask.text, letter.language)),
        "done_on": writing.said_date(pledge.done_at.astimezone(zone), letter.language),
        "ask_link": links.to(Purpose.ASK, to.subscriber, subject=ask.no),
        "done_link": links.to(Purpose.ASK_DONE, to.subscriber, subject=ask.no),
        "decline_link": links.to(Purpose.ASK_DECLINE, to.subscriber, subject=ask.no),
    }


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


async def _ask_for(work: Work, to: Recipient, among: frozenset[SubscriberState]) -> None:
    if (await consent.states(work, [to.subscriber])).get(to.subscriber) not in among:
        raise Pointless


async def _about(work: Work, pledge_no: int) -> tuple[Pledge, Ask]:
    pledge = await asks.pledge_by_no(work, pledge_no)
    ask = await asks.by_no(work, pledge.ask_no) if pledge else None
    if pledge is None or ask is None:
        raise Pointless
    return pledge, ask


async def _ask_on(work: Work, letter: Letter, pledge: Pledge, ask: Ask) -> str:
    """Say on which day we ask how it went; nothing where we do not ask."""
    ends = pledge.ends(ask)
    if ends is None:
        return ""
    zone = await sending_rules.zone(work)
    return writing.said_date((ends + ASKING.begins).astimezone(zone), letter.language)


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
    YES: _receipt,
    ANSWER: _answer,
    SUPPORT: _support,
    REMINDING.letter: _due,
    ASKING.letter: _did_you_do_it,
    AGAIN: _again,
    KIND: _fresh,
}
