"""Levels: the question of a step, the page after it, its undo; staying, and what is suggested."""

from typing import Any, assert_never

from mailer.kit.i18n import in_language
from mailer.kit.tokens import LinkUnknown, Purpose
from mailer.tiers import actions as tiers
from mailer.tiers import store
from mailer.tiers.actions import Moved, Requested, Unchanged
from mailer.tiers.model import UNDO_FOR, Source, Stayed, StillWithUs
from mailer.tiers.upkeep import lapsing
from web.public.opening import PAUSE_DAYS, Answer, Opened
from web.public.words import Level, day, listed


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
            return link.undo(Purpose.UNDO_TIER, change.no)
        case Unchanged():
            return await _after_the_first_yes(link)
        case Requested():
            return link.here
        case _:
            assert_never(outcome)


async def _after_the_first_yes(link: Opened) -> str:
    """Lead a second tap where the first one led; a yes of another day shows what is so.

    Its undo is nobody's to whom the mail was passed on since.
    """
    newest = await store.newest_change(link.work, link.subscriber.no)
    if (
        newest is None
        or newest.to_no != link.claim.subject
        or newest.undoes_no is not None
        or not link.is_just_now(newest.made_at)
    ):
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
        **await _goes_with(link, here),
    )


async def newest_move(link: Opened) -> dict[str, str] | None:
    """Tell, on their own page, the newest step that can be taken back, and the way to do so."""
    change = await store.newest_change(link.work, link.subscriber.no)
    if change is None or not change.is_open_to_undo(link.work.now):
        return None
    return {
        "when": day(change.made_at),
        "until": day(change.made_at + UNDO_FOR),
        "undo": link.link(Purpose.UNDO_TIER, change.no),
    }


async def _goes_with(link: Opened, level: Level) -> dict[str, Any]:
    """Name the lists that go with a level; not which they are on, because mails get passed on."""
    tier = await store.by_no(link.work, level.no)
    found = await store.lists_with(link.work, tier) if tier else []
    named = [(in_language(one.name), in_language(one.about)) for one in found]
    return {
        "goes_with": listed([name for name, _about in named]),
        "lists": [(name, about) for name, about in named if about],
    }


async def undo(link: Opened) -> str:
    """Go back to the level from before a move."""
    await tiers.undo(link.work, link.subscriber, link.claim.subject)
    return link.here


# --- still with us? -------------------------------------------------------------------------------


async def show_stay(link: Opened) -> Answer:
    """Ask whether to stay on a level; say how it ended where it has."""
    question = await _question(link)
    levels, here = await link.ladder()
    level = _numbered(levels, question.tier_no)
    if level is None or here is None:
        raise LinkUnknown
    rungs = [one.name for one in levels]
    if question.ended_at is not None or level != here:
        kept = question.ended is Stayed.KEPT and level == here
        return link.page("public/links/stayed.html", level=here, rungs=rungs, kept=kept)
    below = levels[levels.index(level) - 1] if levels.index(level) else None
    return link.page(
        "public/links/stay.html",
        level=level,
        below=below,
        down=link.link(Purpose.TIER, below.no) if below else "",
        pause=link.link(Purpose.PAUSE),
        days=PAUSE_DAYS,
        rungs=rungs,
    )


async def stay(link: Opened) -> str:
    """Say that one is still with us."""
    await lapsing.stay(link.work, link.subscriber, (await _question(link)).no)
    return link.here


async def _question(link: Opened) -> StillWithUs:
    question = await store.question_by_no(link.work, link.claim.subject)
    if question is None or question.subscriber_no != link.subscriber.no:
        raise LinkUnknown
    return question


# --- a step that is suggested ---------------------------------------------------------------------


async def show_suggestion(link: Opened) -> Answer:
    """Ask whether to take the step that is suggested; the plain state once it is over."""
    suggestion = await store.suggestion_by_no(link.work, link.claim.subject)
    levels, here = await link.ladder()
    if suggestion is None or suggestion.subscriber_no != link.subscriber.no or here is None:
        raise LinkUnknown
    level = _numbered(levels, suggestion.tier_no)
    rungs = [one.name for one in levels]
    over = level is None or levels.index(level) <= levels.index(here)
    if level is None or over or suggestion.ended_at is not None:
        return link.page("public/links/there.html", level=here, rungs=rungs)
    return link.page(
        "public/links/suggested.html",
        level=level,
        here=here,
        rungs=rungs,
        way=way_to(level, here, levels),
    )


async def accept(link: Opened) -> str:
    """Take the step that is suggested."""
    outcome = await tiers.accept(link.work, link.subscriber, link.claim.subject)
    match outcome:
        case Moved(change=change):
            return link.undo(Purpose.UNDO_TIER, change.no)
        case Requested(request=request):
            return link.link(Purpose.TIER, request.tier_no)
        case Unchanged():
            return link.here
        case _:
            assert_never(outcome)


async def dismiss(link: Opened) -> str:
    """Say no to the step, and be left alone about it.

    The page after it, with the undo, is for whoever said no just now: not for whom the mail was
    passed on to since.
    """
    said = await tiers.dismiss(link.work, link.subscriber, link.claim.subject)
    if said.accepted is not False or said.ended_at is None or not link.is_just_now(said.ended_at):
        return link.here
    make = link.undo if said.ended_at == link.work.now else link.link
    return make(Purpose.UNDO_DISMISSING, said.no)


async def show_dismissed(link: Opened) -> Answer:
    """Show the no to a step, and its undo; once it is taken back, what holds instead."""
    suggestion = await store.suggestion_by_no(link.work, link.claim.subject)
    levels, here = await link.ladder()
    if suggestion is None or suggestion.subscriber_no != link.subscriber.no or here is None:
        raise LinkUnknown
    rungs = [one.name for one in levels]
    if suggestion.accepted:
        return link.page("public/links/there.html", level=here, rungs=rungs)
    level = _numbered(levels, suggestion.tier_no)
    return link.page(
        "public/links/dismissed.html",
        here=here,
        level=level,
        rungs=rungs,
        is_no=suggestion.accepted is False,
        stands=level is not None and suggestion.ended_at is None,
    )


async def take_back_no(link: Opened) -> str:
    """Take back the no to a step."""
    await tiers.take_back_no(link.work, link.subscriber, link.claim.subject)
    return link.here


def _numbered(levels: list[Level], no: int | None) -> Level | None:
    return next((one for one in levels if one.no == no), None)
