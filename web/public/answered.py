"""What somebody said yes to, as they see it of themselves from a private link."""

from collections.abc import Sequence
from typing import Any

import msgspec

from mailer.asks import store
from mailer.asks.model import TO_DO, Ask, Pledge, PledgeChange, PledgeState, Turn
from mailer.kit.i18n import _, in_language
from mailer.kit.tokens import Purpose
from mailer.relays import store as sending_rules
from web.public import asks
from web.public.opening import Opened
from web.public.words import day


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """An ask, what somebody answered to it, and what can be done about that."""

    title: str
    when: str
    page: str
    report: str  # where to say how it went; empty: there is nothing to say
    undo: str  # empty: it is too late for that


async def shown(link: Opened) -> dict[str, Any]:
    """Give what is still to do, what was done, what was left out, and what could be next."""
    work, person = link.work, link.subscriber
    pledges = await store.pledges_of(work, person.no)
    about = await store.by_nos(work, {one.ask_no for one in pledges})
    newest = _newest(await store.changes_of(work, person.no))
    told = [
        (one, await _shown(link, one, about[one.ask_no], newest.get(one.no))) for one in pledges
    ]
    return {
        "to_do": [words for one, words in told if one.state in TO_DO],
        "done": [words for one, words in told if one.is_done],
        "left_out": [words for one, words in told if _is_left_out(one, words)],
        "following": await asks.following(link),
    }


def _is_left_out(pledge: Pledge, words: Answered) -> bool:
    """Say whether it is not for them; what they took back stands there as long as its undo."""
    is_back = pledge.state is PledgeState.WITHDRAWN and bool(words.undo)
    return is_back or pledge.state is PledgeState.DECLINED


def _newest(changes: Sequence[PledgeChange]) -> dict[int, PledgeChange]:
    """Give the newest step of each pledge that was not undone; the newest come first."""
    found: dict[int, PledgeChange] = {}
    for one in changes:
        if one.undone_at is None:
            found.setdefault(one.pledge_no, one)
    return found


async def _shown(link: Opened, pledge: Pledge, ask: Ask, change: PledgeChange | None) -> Answered:
    may_undo = change is not None and change.is_open_to_undo(link.work.now)
    may_report = pledge.state in TO_DO or (pledge.is_done and ask.turn is Turn.STANDING)
    return Answered(
        title=in_language(ask.title),
        when=await _when(link, pledge, ask),
        page=link.link(Purpose.ASK, ask.no),
        report=link.link(Purpose.REPORT, pledge.no) if may_report else "",
        undo=link.link(Purpose.UNDO_PLEDGE, change.no) if change and may_undo else "",
    )


async def _when(link: Opened, pledge: Pledge, ask: Ask) -> str:
    """Say by when it is to be done, when it was, or that help is awaited."""
    zone = await sending_rules.zone(link.work)
    if pledge.is_done and pledge.done_at is not None:
        return _("Done on %(day)s") % {"day": day(pledge.done_at.astimezone(zone))}
    if pledge.state is PledgeState.DECLINED:
        return _("Not for you")
    if pledge.state is PledgeState.WITHDRAWN:
        return _("Taken back")
    if pledge.state is PledgeState.BLOCKED:
        return _("You asked for help. An organiser gets in touch with you.")
    due = pledge.due(ask)
    return _("By %(day)s") % {"day": day(due.astimezone(zone))} if due else _("In your time")
