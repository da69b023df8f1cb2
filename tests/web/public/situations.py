"""What must be so before each kind of link can be opened, and what its yes brings about."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, NamedTuple

from mailer.asks import actions as asks
from mailer.asks import store as ask_store
from mailer.asks.model import Ask
from mailer.bootstrap import House
from mailer.campaigns import composing
from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.kit.tokens import Purpose
from mailer.kit.work import Door, Work
from mailer.subscribers import actions as subscribers
from mailer.subscribers import store as people
from mailer.subscribers.model import Subscriber
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.actions import Moved, Requested
from mailer.tiers.model import SignKind, Source, StillWithUs
from tests.cast import Cast

WORDING = "Yes, the network may email me."


class Situation(NamedTuple):
    """A link that can be opened."""

    who: Subscriber
    subject: int


async def _confirm(work: Work, cast: Cast) -> Situation:
    asked = await consent.ask(work, cast.dana, await bulletin(work), wording=WORDING, language="en")
    return Situation(cast.dana, asked.no)


async def _up(work: Work, cast: Cast) -> Situation:
    await step_to(work, cast.bo, "follower")
    return Situation(cast.bo, await tier_no(work, "supporter"))


async def _down(work: Work, cast: Cast) -> Situation:
    await step_to(work, cast.bo, "supporter")
    return Situation(cast.bo, await tier_no(work, "follower"))


async def _wish(work: Work, cast: Cast) -> Situation:
    return Situation(cast.bo, await tier_no(work, "activist"))


async def _undo_tier(work: Work, cast: Cast) -> Situation:
    await step_to(work, cast.bo, "supporter")
    outcome = await step_to(work, cast.bo, "follower")
    assert isinstance(outcome, Moved)
    return Situation(cast.bo, outcome.change.no)


async def _pause(_work: Work, cast: Cast) -> Situation:
    return Situation(cast.bo, 0)


async def _undo_pause(work: Work, cast: Cast) -> Situation:
    await subscribers.pause(work, cast.bo)
    return Situation(cast.bo, 0)


async def _undo_leaving(work: Work, cast: Cast) -> Situation:
    record = await consent.unsubscribe(work, cast.bo, list_no=None)
    assert record
    return Situation(cast.bo, record.no)


async def _address(work: Work, cast: Cast) -> Situation:
    change = await subscribers.ask_address_change(work, cast.bo, "bo.new@example.net")
    return Situation(cast.bo, change.no)


async def _undo_address(work: Work, cast: Cast) -> Situation:
    situation = await _address(work, cast)
    await subscribers.confirm_address_change(work, situation.subject)
    return situation


async def _stay(work: Work, cast: Cast) -> Situation:
    question = StillWithUs(
        subscriber_no=cast.bo.no,
        tier_no=cast.supporter.no,
        asked_at=work.now,
        next_at=work.now + timedelta(days=14),
    )
    work.session.add(question)
    await work.session.flush()
    return Situation(cast.bo, question.no)


async def _suggestion(work: Work, cast: Cast) -> Situation:
    await step_to(work, cast.bo, "follower")
    await tiers.note_sign(work, cast.bo.no, SignKind.DONE, work.now)
    suggested = await ladder.suggested(work, cast.bo.no)
    assert suggested
    return Situation(cast.bo, suggested[0].no)


async def _dismissed(work: Work, cast: Cast) -> Situation:
    suggested = await _suggestion(work, cast)
    await tiers.dismiss(work, cast.bo, suggested.subject)
    return suggested


async def _ask(work: Work, cast: Cast) -> Situation:
    return Situation(cast.bo, (await an_ask(work)).no)


async def _report(work: Work, cast: Cast) -> Situation:
    pledge = await asks.pledge(work, cast.bo, await an_ask(work))
    return Situation(cast.bo, pledge.no)


async def _undo_pledge(work: Work, cast: Cast) -> Situation:
    pledge = await asks.pledge(work, cast.bo, await an_ask(work))
    change = await ask_store.last_change(work, pledge.no)
    assert change
    return Situation(cast.bo, change.no)


async def _alert(work: Work, cast: Cast) -> Situation:
    alert = await composing.begin_alert(work, name="Tonight", why="It is tonight.")
    return Situation(cast.bo, alert.no)


class Kind(NamedTuple):
    """A kind of link, and how to come to have one."""

    purpose: Purpose
    prepare: Callable[[Work, Cast], Awaitable[Situation]]


KINDS = {
    "confirm": Kind(Purpose.CONFIRM, _confirm),
    "step up": Kind(Purpose.TIER, _up),
    "step down": Kind(Purpose.TIER, _down),
    "ask for a level": Kind(Purpose.TIER, _wish),
    "stay": Kind(Purpose.STAY, _stay),
    "a step that is suggested": Kind(Purpose.SUGGESTION, _suggestion),
    "take back a no to a step": Kind(Purpose.UNDO_DISMISSING, _dismissed),
    "undo a move": Kind(Purpose.UNDO_TIER, _undo_tier),
    "pause": Kind(Purpose.PAUSE, _pause),
    "end a pause": Kind(Purpose.UNDO_PAUSE, _undo_pause),
    "undo leaving": Kind(Purpose.UNDO_LEAVING, _undo_leaving),
    "confirm an address": Kind(Purpose.ADDRESS, _address),
    "undo an address": Kind(Purpose.UNDO_ADDRESS, _undo_address),
    "leave": Kind(Purpose.UNSUBSCRIBE, _pause),
    "say yes to an ask": Kind(Purpose.ASK, _ask),
    "did an ask": Kind(Purpose.ASK_DONE, _ask),
    "help with an ask": Kind(Purpose.ASK_HELP, _ask),
    "not this ask": Kind(Purpose.ASK_DECLINE, _ask),
    "how it went": Kind(Purpose.REPORT, _report),
    "undo an answer": Kind(Purpose.UNDO_PLEDGE, _undo_pledge),
    "I have read this": Kind(Purpose.READ, _alert),
}
"""The links that ask, and do something when they are answered with yes."""


OF_EVERYBODY = frozenset(
    {
        Purpose.TIER,
        Purpose.ASK,
        Purpose.ASK_DONE,
        Purpose.ASK_HELP,
        Purpose.ASK_DECLINE,
        Purpose.READ,
    }
)
"""Whose subject is nobody's own: a level, an ask, an alert."""


async def prepared(house: House, cast: Cast, kind: str) -> Situation:
    """Bring a situation about, committed."""
    async with house.work(door=Door.CLI) as work:
        return await KINDS[kind].prepare(work, cast)


async def bulletin(work: Work):
    found = await consents.list_by_slug(work, "bulletin")
    assert found
    return found


async def an_ask(work: Work, **said: Any) -> Ask:
    """Ask for something, in the open."""
    ask = await asks.draft(work, **{"title": {"en": "Bring a chair", "fr": "Une chaise"}, **said})
    return await asks.open_ask(work, ask)


async def tier_no(work: Work, slug: str) -> int:
    tier = await ladder.by_slug(work, slug)
    assert tier
    return tier.no


async def goes_with(work: Work, slug: str, *list_nos: int) -> None:
    """Let lists go with a level."""
    tier = await ladder.by_slug(work, slug)
    assert tier
    tier.list_nos = list(list_nos)


async def step_to(work: Work, who: Subscriber, slug: str):
    tier = await ladder.by_slug(work, slug)
    assert tier
    outcome = await tiers.step(work, who, tier, source=Source.SELF_FORM)
    assert not isinstance(outcome, Requested)
    return outcome


async def state_of(house: House, who: Subscriber) -> str:
    """Say where somebody stands."""
    async with house.work(reading=True) as work:
        return (await consent.state_of(work, who)).value


async def address_of(house: House, who: Subscriber) -> str:
    """Give the address that somebody is written to."""
    async with house.work(reading=True) as work:
        found = await people.by_no(work, who.no)
        return (found and found.address) or ""
