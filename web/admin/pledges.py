"""What one person said yes to, as their page shows it, and what they can still be asked."""

from datetime import tzinfo
from typing import Any

from mailer.asks import store as asks
from mailer.asks.model import Ask, Pledge, PledgeState
from mailer.kit.i18n import _, in_language
from mailer.kit.work import Work
from mailer.relays import store as sending_rules
from mailer.subscribers.model import Subscriber
from web.admin import ask_words


async def theirs(work: Work, subscriber: Subscriber) -> dict[str, Any]:
    """Give somebody's answers, newest first, and the open asks that they have not said yes to."""
    answered = await asks.pledges_of(work, subscriber.no)
    titles = await asks.by_nos(work, {one.ask_no for one in answered})
    zone = await sending_rules.zone(work)
    promised = {one.ask_no for one in answered if one.stands}
    return {
        "pledges": [
            shown(work, one, titles[one.ask_no], zone)
            for one in answered
            if one.state is not PledgeState.WITHDRAWN
        ],
        "open_asks": [
            (ask.uid, in_language(ask.title))
            for ask in await asks.open_asks(work)
            if ask.no not in promised
        ],
    }


def shown(work: Work, pledge: Pledge, ask: Ask, zone: tzinfo) -> dict[str, Any]:
    """Say what somebody answered to an ask, and by when it is to be done."""
    sign, icon = ask_words.SIGNS[pledge.state]
    return {
        "ask": ask.uid,
        "title": in_language(ask.title),
        "words": _(ask_words.ANSWERS[pledge.state]),
        "sign": sign,
        "icon": icon,
        "when": _when(work, pledge, ask, zone),
    }


def _when(work: Work, pledge: Pledge, ask: Ask, zone: tzinfo) -> str:
    if pledge.done_at is not None and pledge.is_done:
        return _("on %(day)s") % {"day": ask_words.on(pledge.done_at, work.now, zone)}
    due = pledge.due(ask)
    if not pledge.stands or due is None:
        return ""
    if pledge.is_overdue(ask, work.now):
        return _("was due on %(day)s") % {"day": ask_words.on(due, work.now, zone)}
    return _("by %(day)s") % {"day": ask_words.on(due, work.now, zone)}
