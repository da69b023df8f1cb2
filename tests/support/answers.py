"""Asks that somebody has answered in every way, and an alert: what their links are about."""

from datetime import timedelta
from typing import Any

from mailer.asks import actions as asks
from mailer.asks import store
from mailer.asks.model import Ask, Evidence
from mailer.campaigns import composing
from mailer.kit.tokens import Purpose
from mailer.kit.work import Work
from tests.cast import Cast

PLAIN, PLEDGED = "plain", "pledged"
STATES = (PLAIN, PLEDGED, "later", "help", "done", "ended", "over", "full")


async def answers(work: Work, cast: Cast) -> dict[str, tuple[Purpose, int]]:
    """Ask Bo for something in every state; give the purpose and the subject of each link of his."""
    found: dict[str, tuple[Purpose, int]] = {}
    for state in STATES:
        ask = await _ask(work, cast, state)
        found[f"ask, {state}"] = Purpose.ASK, ask.no
        if state == PLAIN:
            found["ask, done?"] = Purpose.ASK_DONE, ask.no
            found["ask, help?"] = Purpose.ASK_HELP, ask.no
            found["ask, not for me?"] = Purpose.ASK_DECLINE, ask.no
            continue
        pledge = await asks.pledge(work, cast.bo, ask)
        await _answer(work, cast, ask, state)
        change = await store.last_change(work, pledge.no)
        assert change
        found[f"how it went, {state}"] = Purpose.REPORT, pledge.no
        found[f"after an answer, {state}"] = Purpose.UNDO_PLEDGE, change.no
    alert = await composing.begin_alert(work, name="Tonight", why="It is tonight.")
    return {**found, "I have read this": (Purpose.READ, alert.no)}


async def _answer(work: Work, cast: Cast, ask: Ask, state: str) -> None:
    if state == "later":
        until = (work.now + timedelta(days=5)).date()
        await asks.not_yet(work, cast.bo, ask, until=until)
    elif state == "help":
        await asks.need_help(work, cast.bo, ask, words="How do I begin?")
    elif state == "done":
        await asks.report_done(work, cast.bo, ask)
    elif state == "ended":
        await asks.withdraw(work, cast.bo, ask)
    elif state == "over":
        await asks.close_ask(work, ask)


async def _ask(work: Work, cast: Cast, state: str) -> Ask:
    """Ask for something: the first two have all that an ask can have."""
    title = {"en": f"Put anti-racism on your branch agenda ({state})"}
    more: dict[str, Any] = {"capacity": 1} if state == "full" else {}
    if state in {PLAIN, PLEDGED}:
        more = {
            "text": {"en": "1. Find the date of your meeting.\n2. Send the model wording."},
            "why": {"en": "So that it comes up every month, and nobody has to be brave each time."},
            "minutes": 15,
            "deadline": work.now + timedelta(days=20),
            "unit": {"en": "people who came"},
            "evidence": Evidence.VERIFIED,
            "risk": {"en": "This one happens at work."},
            "rights": {"en": "You may do it in your own time."},
            "support_contact": "The office, 020 7946 0000",
            "needs_support": True,
            "minimum_tier_no": cast.follower.no,
        }
    return await asks.open_ask(work, await asks.draft(work, title=title, **more))
