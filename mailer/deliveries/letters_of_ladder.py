"""The facts of the letters of the ladder."""

from mailer.consent import store as consent
from mailer.consent.model import SubscriptionState
from mailer.deliveries import writing
from mailer.deliveries.letter_facts import (
    Find,
    Pointless,
    Recipient,
    Said,
    ask_for_reader,
    level_named,
    list_named,
)
from mailer.kit.i18n import in_language
from mailer.kit.links import Links
from mailer.kit.tokens import Purpose
from mailer.kit.work import Work
from mailer.outbox.model import Letter
from mailer.subscribers.pausing import PAUSE_DAYS
from mailer.tiers import store as tiers
from mailer.tiers.model import UNDO_FOR, Tier


async def _tier_changed(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    change = await tiers.change_by_no(work, letter.facts["change"])
    if change is None or change.undone_at is not None:
        raise Pointless
    before = await tiers.by_no(work, change.from_no) if change.from_no else None
    after = await tiers.by_no(work, change.to_no)
    if before is None or after is None:
        raise Pointless
    up = after.rank > before.rank
    return {
        "from_name": level_named(before, letter),
        "to_name": level_named(after, letter),
        "direction": "up" if up else "down",
        "undo_link": links.to(Purpose.UNDO_TIER, to.subscriber, subject=change.no),
        "undo_until": writing.said_date(change.made_at + UNDO_FOR, letter.language),
        "preferences_link": links.to(Purpose.PREFERENCES, to.subscriber),
        "asked_by": letter.facts["by"],
        "reason": change.reason,
        "goes_with": await _goes_with(work, letter, to, after) if up else "",
    }


async def _goes_with(work: Work, letter: Letter, to: Recipient, tier: Tier) -> str:
    """Name the lists that go with a level and that they do not get yet."""
    theirs = await _lists_of(work, to)
    found = [one for one in await tiers.lists_with(work, tier) if one.no not in theirs]
    return ", ".join([in_language(one.name, letter.language) for one in found])


async def _lists_of(work: Work, to: Recipient) -> list[int]:
    return [
        one.list_no
        for one in await consent.subscriptions_of(work, to.subscriber)
        if one.state is SubscriptionState.CONFIRMED
    ]


async def _tier_requested(work: Work, letter: Letter, _to: Recipient, _links: Links) -> Said:
    tier = await tiers.by_no(work, letter.facts["tier"])
    return {"tier_name": level_named(tier, letter)}


async def _tier_request_answered(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    request = await tiers.request_by_no(work, letter.facts["request"])
    if request is None or request.granted is None:
        raise Pointless
    tier = await tiers.by_no(work, request.tier_no)
    if tier is None:
        raise Pointless
    undo_link = goes_with = ""
    if request.granted:
        change = await tiers.newest_change(work, to.subscriber)
        if change is None or change.to_no != request.tier_no:
            raise Pointless  # they have moved again since
        undo_link = links.to(Purpose.UNDO_TIER, to.subscriber, subject=change.no)
        goes_with = await _goes_with(work, letter, to, tier)
    return {
        "tier_name": level_named(tier, letter),
        "granted": request.granted,
        "reason": request.reason,
        "goes_with": goes_with,
        "undo_link": undo_link,
        "preferences_link": links.to(Purpose.PREFERENCES, to.subscriber),
    }


async def _tier_request_expired(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    request = await tiers.request_by_no(work, letter.facts["request"])
    if request is None or request.expired_at is None:
        raise Pointless
    return {
        "tier_name": level_named(await tiers.by_no(work, request.tier_no), letter),
        "preferences_link": links.to(Purpose.PREFERENCES, to.subscriber),
    }


async def _tier_suggested(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    suggested = await tiers.suggested(work, to.subscriber)
    if suggested is None or suggested[0].no != letter.facts["suggestion"]:
        raise Pointless
    suggestion, tier = suggested
    await ask_for_reader(work, to)
    return {
        "from_name": level_named(await tiers.chosen(work, to.subscriber), letter),
        "tier_name": level_named(tier, letter),
        "promise_get": in_language(tier.you_get, letter.language),
        "promise_ask": in_language(tier.we_ask, letter.language),
        "suggestion_link": links.to(Purpose.SUGGESTION, to.subscriber, subject=suggestion.no),
    }


async def _still_with_us(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    question = await tiers.question_by_no(work, letter.facts["question"])
    tier = await tiers.chosen(work, to.subscriber)
    if question is None or question.ended_at is not None or tier is None:
        raise Pointless
    lower = [one for one in await tiers.ladder(work) if one.rank < tier.rank]
    if tier.no != question.tier_no or not lower:
        raise Pointless  # they have moved since
    await ask_for_reader(work, to)
    return {
        "again": question.again_at is not None,
        "level_name": level_named(tier, letter),
        "below_name": level_named(lower[-1], letter),
        "days": PAUSE_DAYS,
        "stay_link": links.to(Purpose.STAY, to.subscriber, subject=question.no),
        "down_link": links.to(Purpose.TIER, to.subscriber, subject=lower[-1].no),
        "pause_link": links.to(Purpose.PAUSE, to.subscriber),
        "preferences_link": links.to(Purpose.PREFERENCES, to.subscriber),
    }


async def _yearly(work: Work, letter: Letter, to: Recipient, links: Links) -> Said:
    tier = await tiers.chosen(work, to.subscriber)
    theirs = await _lists_of(work, to)
    await ask_for_reader(work, to)
    return {
        "level_name": level_named(tier, letter),
        "often": in_language(tier.often if tier else {}, letter.language),
        "list_names": ", ".join([await list_named(work, letter, no) for no in theirs]),
        "preferences_link": links.to(Purpose.PREFERENCES, to.subscriber),
        "leave_link": links.to(Purpose.UNSUBSCRIBE, to.subscriber),
    }


FACTS: dict[str, Find] = {
    "tier-changed": _tier_changed,
    "tier-requested": _tier_requested,
    "tier-request-answered": _tier_request_answered,
    "tier-request-expired": _tier_request_expired,
    "tier-suggested": _tier_suggested,
    "still-with-us": _still_with_us,
    "yearly": _yearly,
}
