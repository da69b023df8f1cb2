"""How a yes went, and the page of one step: from the letters about it.

The question is answered by four buttons: done, not yet, help, or not for me after all. Each answer
leads to the page of the step that it wrote, which holds its undo. Straight after it, and never from
a letter, stand there what could be next, and the step up that somebody's deeds suggest.
"""

from datetime import date, datetime, time, timedelta
from typing import Any

from mailer.asks import pledging, reporting, store, undoing
from mailer.asks.model import UNDO_FOR, Ask, Pledge
from mailer.kit.errors import Invalid
from mailer.kit.tokens import LinkUnknown, Purpose
from mailer.kit.work import Door
from mailer.relays import store as sending_rules
from mailer.tiers import store as ladder
from web.kit.forms import Form, read_form
from web.public import asks
from web.public.opening import Answer, Opened
from web.public.words import day, level_of

LATER = timedelta(days=7)
"""What "not yet" suggests, until somebody chooses another day."""


class DayUnread(Invalid):
    """Give a day, as in 2026-06-28, or leave it empty."""


async def _pledge(link: Opened) -> tuple[Pledge, Ask]:
    pledge = await store.pledge_by_no(link.work, link.claim.subject)
    ask = await store.by_no(link.work, pledge.ask_no) if pledge else None
    if pledge is None or ask is None or pledge.subscriber_no != link.subscriber.no:
        raise LinkUnknown
    return pledge, ask


async def show_report(
    link: Opened, *, typed: Form | None = None, errors: dict[str, str] | None = None
) -> Answer:
    """Ask how it went: done, not yet, help needed, or not for them after all.

    The question is the same whatever was answered before: the letter may have been passed on.
    """
    _one, ask = await _pledge(link)
    today = link.work.now.astimezone(await sending_rules.zone(link.work)).date()
    suggested = (today + LATER).isoformat()
    return link.page(
        "public/asks/report.html",
        status=422 if errors else 200,
        ask=await asks.shown(link, ask),
        page_of_ask=link.link(Purpose.ASK, ask.no),
        least=today.isoformat(),
        most=(today + reporting.LATEST).isoformat(),
        suggested=suggested,
        suggested_day=day(datetime.combine(today + LATER, time())),
        typed={"until": suggested, **(typed.values if typed else {})},
        errors=errors or {},
    )


async def show_noted(link: Opened) -> Answer:
    """Thank for an answer: the same page whatever it found."""
    return asks.thanks(link, (await _pledge(link))[1])


async def report_done(link: Opened) -> str:
    """Report a pledge as done."""
    return await asks.tell_done(link, (await _pledge(link))[1])


async def report_later(link: Opened) -> str:
    """Say that it is not done yet, and until when it will be."""
    _one, ask = await _pledge(link)
    until = _day_in(await read_form(link.request), "until")
    zone = await sending_rules.zone(link.work)
    pledge = await reporting.not_yet(link.work, link.subscriber, ask, until=until, zone=zone)
    return await asks.after(link, pledge)


def _day_in(form: Form, name: str) -> date | None:
    typed = form.text(name)
    if not typed:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError as fault:
        raise DayUnread(field=name) from fault


async def report_help(link: Opened) -> str:
    """Ask for help with a pledge."""
    return await asks.tell_help(link, (await _pledge(link))[1])


async def take_back(link: Opened) -> str:
    """Take the yes back."""
    _one, ask = await _pledge(link)
    pledge = await pledging.withdraw(link.work, link.subscriber, ask)
    return await asks.after(link, pledge)


# --- after an answer ------------------------------------------------------------------------------


async def show_answer(link: Opened) -> Answer:
    """Show one step, with its undo; that there is a newer answer, where there is.

    Its letter may be passed on like any other: what was answered before or since, and a link to
    answer anew, are not on it. What could be next is, for as long as it takes to read the page
    after one's answer.
    """
    work = link.work
    change = await store.change_by_no(work, link.claim.subject)
    if change is None or change.subscriber_no != link.subscriber.no or change.door is Door.SYSTEM:
        raise LinkUnknown
    pledge = await store.pledge_by_no(work, change.pledge_no)
    ask = await store.by_no(work, pledge.ask_no) if pledge else None
    if pledge is None or ask is None:
        raise LinkUnknown
    newest = await store.last_change(work, pledge.no)
    is_newest = newest is not None and newest.no == change.no
    due = pledge.due(ask) if is_newest else None
    zone = await sending_rules.zone(work)
    return link.page(
        "public/asks/answered.html",
        ask=await asks.shown(link, ask),
        state=change.to_state.value,
        undone=change.undone_at is not None,
        is_newest=is_newest,
        may_undo=is_newest and change.is_open_to_undo(work.now),
        undo_until=day(change.at + UNDO_FOR),
        due=day(due.astimezone(zone)) if due else "",
        **(await _what_next(link) if is_newest and link.is_just_now(change.at) else _NOTHING),
    )


_NOTHING: dict[str, Any] = {"level": None, "following": None}


async def _what_next(link: Opened) -> dict[str, Any]:
    """Give the step that somebody's deeds suggest, and what else they could do."""
    suggested = await ladder.suggested(link.work, link.subscriber.no)
    return {
        "level": level_of(suggested[1]) if suggested else None,
        "suggestion": link.link(Purpose.SUGGESTION, suggested[0].no) if suggested else "",
        "following": await asks.following(link),
    }


async def undo(link: Opened) -> str:
    """Take the answer back."""
    await undoing.undo(link.work, link.claim.subject, subscriber=link.subscriber)
    return link.here
