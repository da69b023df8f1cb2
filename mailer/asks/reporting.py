"""Telling what became of a yes: it is done, not yet, or help is needed; and confirming it.

What people write is sealed as telephone numbers are: it may say who is in trouble at work.
"""

import re
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from mailer.asks import days, plain, store
from mailer.asks.model import IS_DONE, STANDS, Ask, Pledge, PledgeState, Turn
from mailer.asks.pledging import let_in
from mailer.asks.stepping import NotPledged, ask_for_to_do, take, to_do, was_just_said
from mailer.kit.errors import Conflict, Invalid
from mailer.kit.texts import lines, one_line
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import SubscriberUnknown, held
from mailer.subscribers.model import Subscriber

SEAL = "pledge"
LONGEST_NOTE = 2000
LONGEST_LINK = 500
MOST = 1_000_000  # of a unit, at a time
LATEST = timedelta(days=366)

_is_a_link = re.compile(r"https?://[^\s/]+\.[^\s/]+(/\S*)?").fullmatch


class AmountOutOfRange(Invalid):
    """Give a whole number from 1 to 1,000,000, or leave it empty."""


class LinkWrong(Invalid):
    """Give the whole address of a page, as in https://example.org/photo."""


class DateOutOfRange(Invalid):
    """Choose a day from today on, within a year."""


class NotDone(Conflict):
    """This was not reported as done."""


def note_of(work: Work, pledge: Pledge) -> str:
    """Open what somebody wrote beside their pledge. The caller has asked whether they may."""
    return opened(work, pledge.note)


def link_of(work: Work, pledge: Pledge) -> str:
    """Open the link to what shows that it was done. The caller has asked whether they may."""
    return opened(work, pledge.link)


def opened(work: Work, sealed: bytes | None) -> str:
    """Open what somebody wrote, or what is kept of it for an undo."""
    return work.keys.unseal(SEAL, sealed) if sealed else ""


# --- done -----------------------------------------------------------------------------------------


async def report_done(
    work: Work,
    subscriber: Subscriber,
    ask: Ask,
    *,
    amount: int | None = None,
    note: str = "",
    link: str = "",
    campaign_no: int | None = None,
) -> Pledge:
    """Record that somebody has done what an ask asks; the first date stands.

    Also after the ask was closed: it was done. Who did it while it is open, without having said
    yes, has said yes by doing it, also where there was no place or their level is too low: it is
    done. A habit is counted again on another day of the organisation's. Repeated with something
    that was not said yet (how many, a note, a link), that is added.
    """
    ask = await store.again(work, ask)
    told = _told(work, ask, amount=amount, note=note, link=link)
    subscriber = await held(work, subscriber)
    standing = await store.pledge_of(work, subscriber.no, ask.no)
    counts = standing is None or await _counts_anew(work, ask, standing)
    if standing is None or standing.state not in STANDS:
        if not ask.is_open(work.now):
            raise NotPledged
    elif standing.state in IS_DONE and not counts:
        return await _say_more(work, subscriber, ask, standing, told)
    deed: dict[str, Any] = {}
    if counts:
        times, had = (standing.times, standing.amount) if standing is not None else (0, None)
        deed = {"done_at": work.now, "times": times + 1, "amount": _sum(had, told.get("amount"))}
    elif standing is not None and "amount" in told:  # a habit, taken up again within the day
        deed = {"amount": _sum(await _amount_before(work, standing), told["amount"])}
    return await take(
        work,
        subscriber,
        ask,
        standing,
        PledgeState.DONE,
        "pledge_done",
        campaign_no=campaign_no,
        **deed,
        note=told.get("note"),
        link=told.get("link"),
        due_at=None,
        is_our_day=False,
        verified_at=None,
        verified_by=None,
    )


def _told(
    work: Work, ask: Ask, *, amount: int | None, note: str, link: str
) -> dict[str, int | bytes]:
    """Read what is said beside "done"; what is not said is not in it."""
    said: dict[str, int | bytes] = {}
    if amount is not None and ask.is_counted:
        if not 1 <= amount <= MOST:
            raise AmountOutOfRange(field="amount")
        said["amount"] = amount
    if words := lines(note, longest=LONGEST_NOTE, field="note"):
        said["note"] = work.keys.seal(SEAL, words)
    if page := one_line(link, longest=LONGEST_LINK, field="link"):
        if not _is_a_link(page):
            raise LinkWrong(field="link")
        said["link"] = work.keys.seal(SEAL, page)
    return said


async def _counts_anew(work: Work, ask: Ask, standing: Pledge) -> bool:
    """Say whether "done" is one more time: a habit counts once a day, all else until it is done."""
    if ask.turn is not Turn.STANDING or standing.done_at is None:
        return standing.state not in IS_DONE
    return await days.day_of(work, work.now) > await days.day_of(work, standing.done_at)


async def _say_more(
    work: Work,
    subscriber: Subscriber,
    ask: Ask,
    standing: Pledge,
    told: dict[str, int | bytes],
) -> Pledge:
    """Add what was not said yet to what is done; what an organiser confirmed stays as it is."""
    more: dict[str, Any] = {}
    if "amount" in told:
        amount = _sum(await _amount_before(work, standing), told["amount"])
        if amount != standing.amount:
            more["amount"] = amount
    for name in plain.WORDS:
        if name in told and opened(work, getattr(standing, name)) != _words(work, told[name]):
            more[name] = told[name]
    if not more or standing.state is PledgeState.VERIFIED:
        return standing
    return await take(work, subscriber, ask, standing, PledgeState.DONE, "pledge_told", **more)


def _words(work: Work, sealed: object) -> str:
    assert isinstance(sealed, bytes)
    return opened(work, sealed)


async def _amount_before(work: Work, standing: Pledge) -> int | None:
    """Give what had been delivered before it was done the last time."""
    change = await store.last_deed(work, standing.no)
    if change is None or "amount" not in change.before:
        return None
    before: int | None = plain.read(change.before)["amount"]
    return before


def _sum(had: int | None, more: object) -> int | None:
    return (had or 0) + more if isinstance(more, int) else had


# --- not yet, and help ----------------------------------------------------------------------------


async def not_yet(
    work: Work,
    subscriber: Subscriber,
    ask: Ask,
    *,
    until: date | None,
    zone: tzinfo | None = None,
) -> Pledge:
    """Record that somebody is at it, and until when; without a day the ask's deadline counts.

    Where that has gone by, or there is none, we ask again in a week. They are reminded anew of a
    new date. It ends with the day, as the `zone` has it: the organisation's, unless it is given.
    """
    due_at = None
    if until is not None:
        zone = zone or await days.zone_of_ours(work)
        today = work.now.astimezone(zone).date()
        if not today <= until <= today + LATEST:
            raise DateOutOfRange(field="until")
        due_at = days.end_of(until, zone)
    subscriber = await held(work, subscriber)
    ask = await store.again(work, ask)
    standing = await to_do(work, subscriber.no, ask)
    if standing.state is PledgeState.IN_PROGRESS and await _is_said(
        work, ask, standing, due_at=due_at
    ):
        return standing
    is_our_day = due_at is None and not _is_to_come(ask, work.now)
    return await take(
        work,
        subscriber,
        ask,
        standing,
        PledgeState.IN_PROGRESS,
        "pledge_later",
        due_at=await days.a_day_of_ours(work, days.A_WEEK_ON) if is_our_day else due_at,
        is_our_day=is_our_day,
        note=None,
        reminded_at=None,
        reminders=0,
        asked_at=None,
        verified_at=None,
        verified_by=None,
    )


def _is_to_come(ask: Ask, now: datetime) -> bool:
    return ask.deadline is not None and now <= ask.deadline


async def _is_said(work: Work, ask: Ask, standing: Pledge, *, due_at: datetime | None) -> bool:
    """Say whether "not yet" is nothing new: the same day as before, or none, and none is over."""
    if due_at is not None or _is_to_come(ask, work.now):
        return standing.due_at == due_at and not standing.is_our_day
    return standing.is_our_day and await was_just_said(work, standing, PledgeState.IN_PROGRESS)


async def need_help(
    work: Work,
    subscriber: Subscriber,
    ask: Ask,
    *,
    words: str,
    campaign_no: int | None = None,
) -> Pledge:
    """Record that somebody needs help, in their words; an organiser's follow-up is opened by it.

    Who asks for help with an open ask before saying yes says yes to it with help, as far as they
    may say yes. Who asks again after a while, also in the same words or none, needs it still, or
    anew; words that stand are kept until others are said.
    """
    said = lines(words, longest=LONGEST_NOTE, field="words")
    subscriber = await held(work, subscriber)
    ask = await store.again(work, ask)
    standing = await store.pledge_of(work, subscriber.no, ask.no)
    first: dict[str, Any] = {}
    if standing is None or standing.state not in STANDS:
        if not ask.is_open(work.now):
            raise NotPledged
        ask = await let_in(work, subscriber, ask, standing)
        first = await days.first_day(work, ask)
        first |= {"reminded_at": None, "reminders": 0, "asked_at": None, "link": None}
    else:
        ask_for_to_do(ask, standing)
    is_blocked = standing is not None and standing.state is PledgeState.BLOCKED
    if standing is not None and is_blocked:
        is_news = said not in {"", note_of(work, standing)}
        if not is_news and await was_just_said(work, standing, PledgeState.BLOCKED):
            return standing
    if said or not is_blocked:
        first["note"] = work.keys.seal(SEAL, said) if said else None
    if not is_blocked:
        first |= {"verified_at": None, "verified_by": None}
    return await take(
        work,
        subscriber,
        ask,
        standing,
        PledgeState.BLOCKED,
        "pledge_blocked",
        campaign_no=campaign_no,
        **first,
    )


# --- confirmed ------------------------------------------------------------------------------------


async def verify(work: Work, pledge: Pledge) -> Pledge:
    """Confirm, as an organiser, that what somebody reported is done. Twice is once."""
    subscriber = await subscribers.by_no(work, pledge.subscriber_no)
    if subscriber is None:
        raise SubscriberUnknown
    subscriber = await held(work, subscriber)
    standing = await store.pledge_of(work, subscriber.no, pledge.ask_no)
    if standing is None or standing.state not in IS_DONE:
        raise NotDone
    if standing.state is PledgeState.VERIFIED:
        return standing
    ask = await store.by_no(work, pledge.ask_no)
    assert ask is not None
    return await take(
        work,
        subscriber,
        ask,
        standing,
        PledgeState.VERIFIED,
        "pledge_verified",
        verified_at=work.now,
        verified_by=work.account,
    )
