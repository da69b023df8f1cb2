"""Levels: the question of a step, the page after it, and its undo."""

from typing import Any, assert_never

from mailer.kit.tokens import LinkUnknown, Purpose
from mailer.tiers import actions as tiers
from mailer.tiers import store
from mailer.tiers.actions import Moved, Requested, Unchanged
from mailer.tiers.model import UNDO_FOR, Source
from web.public.opening import Answer, Opened
from web.public.words import Level, day


async def show_step(link: Opened) -> Answer:
    """Ask whether to step to a level; say so where it holds already, or waits for an answer."""
    levels, here = await link.ladder()
    level = _numbered(levels, link.claim.subject)
    if level is None:
        raise LinkUnknown
    shown: dict[str, Any] = {"level": level, "here": here, "rungs": [one.name for one in levels]}
    if level == here:
        return link.page("public/links/there.html", **shown)
    wish = await store.standing_request(link.work, link.subscriber.no)
    if wish is not None and wish.tier_no == level.no:
        return link.page("public/links/requested.html", **shown)
    return link.page("public/links/step.html", way=way_to(level, here, levels), **shown)


def way_to(level: Level, here: Level | None, levels: list[Level]) -> str:
    """Say which way a step goes: "down", "up", or "ask" where an organiser says yes first."""
    if here is not None and levels.index(level) < levels.index(here):
        return "down"
    return "ask" if level.needs_approval else "up"


async def step(link: Opened) -> str:
    """Step to the level that the link names."""
    tier = await store.by_no(link.work, link.claim.subject)
    if tier is None:
        return link.here
    outcome = await tiers.step(
        link.work, link.subscriber, tier, source=Source.SELF_LINK, campaign_no=link.cause
    )
    match outcome:
        case Moved(change=change):
            return link.link(Purpose.UNDO_TIER, change.no)
        case Unchanged():
            return await _after_the_first_yes(link)
        case Requested():
            return link.here
        case _:
            assert_never(outcome)


async def _after_the_first_yes(link: Opened) -> str:
    """Lead a second yes where the first one led, as long as that move is the newest."""
    newest = await store.newest_change(link.work, link.subscriber.no)
    if newest is None or newest.to_no != link.claim.subject or newest.undoes_no is not None:
        return link.here
    return link.link(Purpose.UNDO_TIER, newest.no)


async def withdraw(link: Opened) -> str:
    """Take back the wish for the level that the link names."""
    wish = await store.standing_request(link.work, link.subscriber.no)
    if wish is not None and wish.tier_no == link.claim.subject:
        await tiers.withdraw_request(link.work, wish)
    return link.here


async def show_move(link: Opened) -> Answer:
    """Show what a move changed, and its undo; the plain state once somebody has moved on."""
    change = await store.change_by_no(link.work, link.claim.subject)
    levels, here = await link.ladder()
    if change is None or change.subscriber_no != link.subscriber.no or here is None:
        raise LinkUnknown
    rungs = [one.name for one in levels]
    undone = change.undone_at is not None
    if here.no != (change.from_no if undone else change.to_no):
        return link.page("public/links/there.html", level=here, rungs=rungs)
    before = _numbered(levels, change.to_no if undone else change.from_no)
    last_day = change.made_at + UNDO_FOR
    return link.page(
        "public/links/moved.html",
        level=here,
        before=before,
        way="up" if before is None or levels.index(before) < levels.index(here) else "down",
        undone=undone,
        may_undo=change.is_open_to_undo(link.work.now),
        until=day(last_day),
        rungs=rungs,
    )


async def undo(link: Opened) -> str:
    """Go back to the level from before a move."""
    await tiers.undo(link.work, link.subscriber, link.claim.subject)
    return link.here


def _numbered(levels: list[Level], no: int | None) -> Level | None:
    return next((one for one in levels if one.no == no), None)
