"""Telling what became of a yes: it is done, not yet, or help is needed; and confirming it.

What people write is sealed as telephone numbers are: it may say who is in trouble at work.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from mailer.asks import plain, store
from mailer.asks.model import IS_DONE, STANDS, Ask, Pledge, PledgeState, Turn
from mailer.asks.stepping import DoneAlready, NotPledged, take, to_do
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
    return work.keys.unseal(SEAL, pledge.note) if pledge.note else ""


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
    yes, has said yes by doing it. A habit is counted again on another day. Repeated with something
    that was not said yet (how many, a note, a link), that is added.
    """
    ask = await store.again(work, ask)
    told = _told(work, ask, amount=amount, note=note, link=link)
    subscriber = await held(work, subscriber)
    standing = await store.pledge_of(work, subscriber.no, ask.no)
    if standing is None or standing.state not in STANDS:
        if not ask.is_open(work.now):
            raise NotPledged
    elif standing.state in IS_DONE and not _is_another_day(work, ask, standing):
        return await _say_more(work, ask, standing, told)
    had = standing.amount if standing is not None else None
    return await take(
        work,
        subscriber.no,
        ask,
        standing,
        PledgeState.DONE,
        "pledge_done",
        campaign_no=campaign_no,
        done_at=work.now,
        times=(standing.times if standing is not None else 0) + 1,
        amount=_sum(had, told.get("amount")),
        note=told.get("note"),
        link=told.get("link", ""),
        due_at=None,
        verified_at=None,
        verified_by=None,
    )


def _told(
    work: Work, ask: Ask, *, amount: int | None, note: str, link: str
) -> dict[str, int | bytes | str]:
    """Read what is said beside "done"; what is not said is not in it."""
    said: dict[str, int | bytes | str] = {}
    if amount is not None and ask.is_counted:
        if not 1 <= amount <= MOST:
            raise AmountOutOfRange(field="amount")
        said["amount"] = amount
    if words := lines(note, longest=LONGEST_NOTE, field="note"):
        said["note"] = work.keys.seal(SEAL, words)
    if page := one_line(link, longest=LONGEST_LINK, field="link"):
        if not _is_a_link(page):
            raise LinkWrong(field="link")
        said["link"] = page
    return said


def _is_another_day(work: Work, ask: Ask, standing: Pledge) -> bool:
    """Say whether a habit may be counted again."""
    return (
        ask.turn is Turn.STANDING
        and standing.done_at is not None
        and work.now.astimezone(UTC).date() > standing.done_at.astimezone(UTC).date()
    )


async def _say_more(
    work: Work, ask: Ask, standing: Pledge, told: dict[str, int | bytes | str]
) -> Pledge:
    """Add what was not said yet to what is done; what an organiser confirmed stays as it is."""
    more: dict[str, Any] = {}
    if "amount" in told:
        more["amount"] = _sum(await _amount_before(work, standing), told["amount"])
    if "note" in told and note_of(work, standing) != work.keys.unseal(SEAL, _octets(told["note"])):
        more["note"] = told["note"]
    if "link" in told:
        more["link"] = told["link"]
    more = {name: value for name, value in more.items() if getattr(standing, name) != value}
    if not more or standing.state is PledgeState.VERIFIED:
        return standing
    return await take(
        work, standing.subscriber_no, ask, standing, PledgeState.DONE, "pledge_told", **more
    )


async def _amount_before(work: Work, standing: Pledge) -> int | None:
    """Give what had been delivered before it was done the last time."""
    change = await store.last_deed(work, standing.no)
    if change is None or "amount" not in change.before:
        return None
    before: int | None = plain.read(change.before)["amount"]
    return before


def _sum(had: int | None, more: object) -> int | None:
    return (had or 0) + more if isinstance(more, int) else had


def _octets(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value


# --- not yet, and help ----------------------------------------------------------------------------


async def not_yet(
    work: Work, subscriber: Subscriber, ask: Ask, *, until: date | None, zone: tzinfo = UTC
) -> Pledge:
    """Record that somebody is at it, and until when; without a day the ask's deadline counts.

    They are reminded anew of the new date. It ends with the day, as the `zone` of the organisation
    has it.
    """
    due_at = None
    if until is not None:
        today = work.now.astimezone(zone).date()
        if not today <= until <= today + LATEST:
            raise DateOutOfRange(field="until")
        due_at = datetime.combine(until, time(23, 59, 59), zone)
    subscriber = await held(work, subscriber)
    standing = await to_do(work, subscriber.no, ask)
    if standing.state is PledgeState.IN_PROGRESS and standing.due_at == due_at:
        return standing
    return await take(
        work,
        subscriber.no,
        ask,
        standing,
        PledgeState.IN_PROGRESS,
        "pledge_later",
        due_at=due_at,
        note=None,
        reminded_at=None,
        asked_at=None,
    )


async def need_help(
    work: Work,
    subscriber: Subscriber,
    ask: Ask,
    *,
    words: str,
    campaign_no: int | None = None,
) -> Pledge:
    """Record that somebody needs help, in their words; an organiser's follow-up is opened by it.

    Who asks for help with an open ask before saying yes says yes to it with help.
    """
    said = lines(words, longest=LONGEST_NOTE, field="words")
    subscriber = await held(work, subscriber)
    ask = await store.again(work, ask)
    standing = await store.pledge_of(work, subscriber.no, ask.no)
    if standing is None or standing.state not in STANDS:
        if not ask.is_open(work.now):
            raise NotPledged
    elif standing.state in IS_DONE:
        raise DoneAlready
    elif standing.state is PledgeState.BLOCKED and note_of(work, standing) == said:
        return standing
    return await take(
        work,
        subscriber.no,
        ask,
        standing,
        PledgeState.BLOCKED,
        "pledge_blocked",
        campaign_no=campaign_no,
        note=work.keys.seal(SEAL, said) if said else None,
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
        subscriber.no,
        ask,
        standing,
        PledgeState.VERIFIED,
        "pledge_verified",
        verified_at=work.now,
        verified_by=work.account,
    )
