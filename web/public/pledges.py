"""How a yes went, and what holds after an answer: from the letters about it.

The question is answered by four buttons: done, not yet, help, or not for me after all. Each answer
leads to the page of that one step, which holds its undo, what could be next, and the step up that
somebody's deeds suggest.
"""

from datetime import date, timedelta
from typing import Any

from mailer.asks import choosing, pledging, reporting, store, undoing
from mailer.asks.model import UNDO_FOR, Ask, Pledge, PledgeState, Turn
from mailer.kit.errors import Invalid
from mailer.kit.i18n import in_language
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
    """Ask how it went: done, not yet, help needed, or not for them after all."""
    pledge, ask = await _pledge(link)
    change = await store.last_change(link.work, pledge.no)
    may_undo = change is not None and change.is_open_to_undo(link.work.now)
    told: dict[str, Any] = {
        "ask": await asks.shown(link, ask),
        "page_of_ask": link.link(Purpose.ASK, ask.no),
        "undo": link.link(Purpose.UNDO_PLEDGE, change.no) if change and may_undo else "",
        "said_on": day(pledge.made_at),
        "done_on": day(pledge.done_at) if pledge.done_at else "",
    }
    if not pledge.stands or (pledge.is_done and ask.turn is not Turn.STANDING):
        return link.page(
            "public/asks/reported.html",
            is_done=pledge.is_done,
            is_open=ask.is_open(link.work.now),
            **told,
        )
    today = link.work.now.date()
    return link.page(
        "public/asks/report.html",
        status=422 if errors else 200,
        state=pledge.state.value,
        is_done=pledge.is_done,
        least=today.isoformat(),
        most=(today + reporting.LATEST).isoformat(),
        typed={"until": (today + LATER).isoformat(), **(typed.values if typed else {})},
        errors=errors or {},
        **told,
    )


async def report_done(link: Opened) -> str:
    """Report a pledge as done."""
    return await asks.tell_done(link, (await _pledge(link))[1])


async def report_later(link: Opened) -> str:
    """Say that it is not done yet, and until when it will be."""
    _one, ask = await _pledge(link)
    until = _day_in(await read_form(link.request), "until")
    zone = await sending_rules.zone(link.work)
    pledge = await reporting.not_yet(link.work, link.subscriber, ask, until=until, zone=zone)
    return await asks.after(link, pledge, PledgeState.IN_PROGRESS)


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
    return await asks.after(link, pledge, PledgeState.WITHDRAWN)


# --- after an answer ------------------------------------------------------------------------------


async def show_answer(link: Opened) -> Answer:
    """Show what was answered, with its undo, the step that it suggests, and what could be next."""
    work, person = link.work, link.subscriber
    change = await store.change_by_no(work, link.claim.subject)
    if change is None or change.subscriber_no != person.no or change.door is Door.SYSTEM:
        raise LinkUnknown
    pledge = await store.pledge_by_no(work, change.pledge_no)
    ask = await store.by_no(work, pledge.ask_no) if pledge else None
    if pledge is None or ask is None:
        raise LinkUnknown
    newest = await store.last_change(work, pledge.no)
    is_newest = newest is not None and newest.no == change.no
    suggested = await ladder.suggested(work, person.no)
    following = await choosing.best_for(work, person.no)
    zone = await sending_rules.zone(work)
    due = pledge.due(ask)
    return link.page(
        "public/asks/answered.html",
        ask=await asks.shown(link, ask),
        state=pledge.state.value,
        undone=change.undone_at is not None,
        may_undo=is_newest and change.is_open_to_undo(work.now),
        undo_until=day(change.at + UNDO_FOR),
        due=day(due.astimezone(zone)) if due else "",
        report=link.link(Purpose.REPORT, pledge.no),
        page_of_ask=link.link(Purpose.ASK, ask.no),
        level=level_of(suggested[1]) if suggested else None,
        suggestion=link.link(Purpose.SUGGESTION, suggested[0].no) if suggested else "",
        following=in_language(following.title) if following else "",
        following_takes=asks.takes(following.minutes) if following else "",
        following_link=link.link(Purpose.ASK, following.no) if following else "",
    )


async def undo(link: Opened) -> str:
    """Take the answer back."""
    await undoing.undo(link.work, link.claim.subject, subscriber=link.subscriber)
    return link.here
