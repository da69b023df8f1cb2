"""The facts of the letters about being on the roll: joining, leaving, a break, another address."""

from datetime import datetime

from mailer.consent import store as consent
from mailer.consent.actions import code_of
from mailer.consent.model import CODE_LIVES, Confirmation
from mailer.deliveries import writing
from mailer.deliveries.letter_facts import (
    Find,
    Pointless,
    Recipient,
    Said,
    level_named,
    life_of,
    list_named,
    undone_until,
)
from mailer.kit.i18n import in_language
from mailer.kit.links import Links
from mailer.kit.tokens import Purpose
from mailer.kit.work import Work
from mailer.outbox.model import Letter
from mailer.subscribers import store as subscribers
from mailer.tiers import store as tiers

ERASED = "erased"
"""The one letter to somebody who is not on the roll any more: that it is done."""


async def _confirm(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    confirmation = await _waiting(work, letter)
    tier_no = letter.facts.get("tier")
    tier = await tiers.by_no(work, tier_no) if tier_no else None
    tier = tier or await tiers.chosen(work, to.subscriber)
    return {
        "code": code_of(work, confirmation),
        "link": links.to(Purpose.CONFIRM, to.subscriber, subject=confirmation.no),
        "list_name": await list_named(work, letter, confirmation.list_no),
        "level_name": level_named(tier, letter),
        "hours": int(CODE_LIVES.total_seconds() // 3600),  # the link lives longer
    }


async def _reminder(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    confirmation = await _waiting(work, letter)
    return {
        "code": code_of(work, confirmation),
        "link": links.to(Purpose.CONFIRM, to.subscriber, subject=confirmation.no),
        "list_name": await list_named(work, letter, confirmation.list_no),
        "days": life_of(Purpose.CONFIRM).days,
    }


async def _waiting(work: Work, letter: Letter) -> Confirmation:
    """Give the sign-up that a letter asks about, if its owner has not answered yet."""
    confirmation = await consent.confirmation_by_no(work, letter.facts["confirmation"])
    if confirmation is None or confirmation.confirmed_at or confirmation.declined_at:
        raise Pointless
    return confirmation


async def _already_on_the_roll(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    return {
        "private_link": links.to(Purpose.PRIVATE, to.subscriber),
        "list_name": await list_named(work, letter, letter.facts["list"]),
    }


async def _welcome(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    tier = await tiers.chosen(work, to.subscriber)
    joined = await consent.list_by_no(work, letter.facts["list"])
    if tier is None or joined is None:
        raise Pointless
    return {
        "own_subject": in_language(joined.welcome_subject, letter.language),
        "own_words": in_language(joined.welcome, letter.language),
        "list_name": in_language(joined.name, letter.language),
        "level_name": level_named(tier, letter),
        "promise_get": in_language(tier.you_get, letter.language),
        "promise_ask": in_language(tier.we_ask, letter.language),
        "often": in_language(tier.often, letter.language),
        "preferences_link": links.to(Purpose.PREFERENCES, to.subscriber),
    }


async def _unsubscribed(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    names = [await list_named(work, letter, no) for no in letter.facts["lists"]]
    if not names:
        raise Pointless
    return {
        "list_names": ", ".join(names),
        "undo_link": links.to(Purpose.UNDO_LEAVING, to.subscriber, subject=letter.facts["record"]),
        "undo_until": undone_until(Purpose.UNDO_LEAVING, work, letter),
    }


async def _paused(_work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    until = datetime.fromisoformat(letter.facts["until"])
    return {
        "until": writing.said_date(until, letter.language),
        "undo_link": links.to(Purpose.UNDO_PAUSE, to.subscriber),
    }


async def _private_link(_work: Work, _letter: Letter, to: Recipient, links: Links) -> Said:
    return {
        "link": links.to(Purpose.PRIVATE, to.subscriber),
        "minutes": int(life_of(Purpose.PRIVATE).total_seconds() // 60),
    }


async def _address_change_confirm(work: Work, letter: Letter, _to: Recipient, links: Links) -> Said:
    change = await subscribers.address_change(work, letter.facts["change"])
    if change is None or change.confirmed_at is not None:
        raise Pointless
    return {
        "link": links.to(Purpose.ADDRESS, change.subscriber_no, subject=change.no),
        "hours": int(life_of(Purpose.ADDRESS).total_seconds() // 3600),
    }


async def _address_changed(work: Work, letter: Letter, _to: Recipient, links: Links) -> Said:
    change = await subscribers.address_change(work, letter.facts["change"])
    if change is None or change.undone_at is not None:
        raise Pointless
    return {
        "undo_link": links.to(Purpose.UNDO_ADDRESS, change.subscriber_no, subject=change.no),
        "undo_until": undone_until(Purpose.UNDO_ADDRESS, work, letter),
    }


async def _also_me(_work: Work, letter: Letter, _to: Recipient, links: Links) -> Said:
    whose, wish = letter.facts["subscriber"], letter.facts["wish"]
    return {
        "link": links.to(Purpose.ALSO_ME, whose, subject=wish),
        "hours": int(life_of(Purpose.ALSO_ME).total_seconds() // 3600),
    }


async def _also_me_done(work: Work, letter: Letter, _to: Recipient, links: Links) -> Said:
    whose, merging = letter.facts["subscriber"], letter.facts["merging"]
    return {
        "undo_link": links.to(Purpose.UNDO_MERGING, whose, subject=merging),
        "undo_until": undone_until(Purpose.UNDO_MERGING, work, letter),
    }


async def _erased(_work: Work, _letter: Letter, _to: Recipient, _links: Links) -> Said:
    return {}


FACTS: dict[str, Find] = {
    "confirm": _confirm,
    "reminder": _reminder,
    "already-on-the-roll": _already_on_the_roll,
    "welcome": _welcome,
    "unsubscribed": _unsubscribed,
    "paused": _paused,
    "private-link": _private_link,
    "address-change-confirm": _address_change_confirm,
    "address-changed": _address_changed,
    "also-me": _also_me,
    "also-me-done": _also_me_done,
    ERASED: _erased,
}
