"""What a timeline says of somebody's consent: asked, given, taken back, and never again."""

import json
from datetime import datetime

from sqlalchemy import delete, or_, select, update

from mailer.activity.model import Activity, Entry, Undo, Undoes
from mailer.activity.record import Told, entry_of, lines
from mailer.consent import store
from mailer.consent.model import (
    UNDO_FOR,
    AtMost,
    Confirmation,
    ConsentRecord,
    OnlyUrgent,
    Pace,
    Subscription,
    SubscriptionState,
)
from mailer.kit.i18n import N_, _, in_language
from mailer.kit.known import Part, Row, Said
from mailer.kit.orm import Facts
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.subscribers import record as subscribers
from mailer.subscribers import store as people
from mailer.subscribers.model import SuppressionReason

KINDS = (
    "asked",
    "unasked",
    "declined",
    "confirmed",
    "agreed",
    "unsubscribed",
    "came_back",
    "only_urgent",
    "all_of_it",
    "at_most",
    "taken_off",
    "put_back",
)

_AT_MOST = {
    Pace.WEEKLY.value: N_("Wants at most one newsletter a week"),
    Pace.MONTHLY.value: N_("Wants at most one newsletter a month"),
    "level": N_("Wants as many newsletters as the level says again"),
}
_WHY = {
    SuppressionReason.ASKED: N_("It was asked for."),
    SuppressionReason.COMPLAINT: N_("The mail provider was told that our mail is unwanted."),
    SuppressionReason.BOUNCE: N_("The mail server says that there is no such address."),
    SuppressionReason.IMPORTED: N_("It had been asked for in the tool that was used before."),
    SuppressionReason.ERASED: N_("All that was known was erased."),
}


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell what somebody agreed to and took back, in the words that were shown to them."""
    found = await lines(work, subscriber_no, KINDS)
    if not found:
        return []
    names = {one.no: in_language(one.name) for one in await store.all_lists(work)}
    records = {one.no: one for one in await store.records_of(work, subscriber_no)}
    undone = {line.facts["record"] for line in found if line.kind == "came_back"}
    return [entry_of(line, _told(work, line, names, records, undone)) for line in found]


def _told(
    work: Work,
    line: Activity,
    names: dict[int, str],
    records: dict[int, ConsentRecord],
    undone: set[int],
) -> Told:
    lists = line.facts.get("lists", [line.facts.get("list", 0)])
    named = {"list": "”, “".join(names.get(no, "–") for no in lists)}
    record = records.get(line.facts.get("record", 0))
    match line.kind:
        case "asked":
            return {"words": _("Was asked to confirm “%(list)s”") % named}
        case "unasked":
            return {"words": _("Was not asked about “%(list)s” after all") % named}
        case "declined":
            return {"words": _("Said that somebody else had asked for “%(list)s”") % named}
        case "confirmed":
            return {"words": _("Said yes to “%(list)s”") % named, **_evidence(record)}
        case "agreed":
            return {"words": _("Agreed to “%(list)s”") % named, **_evidence(record)}
        case "unsubscribed":
            return {"words": _("Left “%(list)s”") % named, "undo": _undo(work, line, undone)}
        case "came_back":
            return {"words": _("Came back to “%(list)s”") % named}
        case "only_urgent":
            return {"words": _("Wants only what is urgent of “%(list)s”") % named}
        case "all_of_it":
            return {"words": _("Wants all of “%(list)s” again") % named}
        case "at_most":
            pace = line.facts["pace"]
            return {"words": _(_AT_MOST[pace])}
        case "taken_off":
            return {
                "words": _("Taken off all emails"),
                "details": _(_WHY[SuppressionReason(line.facts["reason"])]),
            }
        case _:
            return {"words": _("May be written to again")}


def _evidence(record: ConsentRecord | None) -> Told:
    return {"said": record.wording} if record is not None else {}


def _undo(work: Work, line: Activity, undone: set[int]) -> Undo | None:
    no, until = line.facts["record"], line.at + UNDO_FOR
    if no in undone or work.now > until:
        return None
    return Undo(what=Undoes.LEAVING, no=no, until=until)


_PACES = {
    Pace.WEEKLY: N_("One newsletter a week"),
    Pace.MONTHLY: N_("One newsletter a month"),
}
_STATES = {
    SubscriptionState.UNCONFIRMED: N_("Waits for your yes"),
    SubscriptionState.CONFIRMED: N_("You said yes"),
    SubscriptionState.UNSUBSCRIBED: N_("You left it"),
}


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give somebody's lists, what they agreed to in which words, and whether we never write."""
    names = {one.no: in_language(one.name) for one in await store.all_lists(work)}
    marks = await subscribers.marks_of(work, subscriber_no)
    asked = await work.session.scalars(
        select(Confirmation)
        .where(or_(Confirmation.subscriber_no == subscriber_no, Confirmation.mark.in_(marks)))
        .order_by(Confirmation.no)
    )
    seldom = await store.at_most_of(work, subscriber_no)
    never = [await people.suppression(work, mark) for mark in sorted(marks)]
    return [
        Part(
            name="lists",
            table="subscription",
            words=_("Lists"),
            rows=[
                {
                    "list": names.get(one.list_no),
                    "state": Said(one.state.value, _(_STATES[one.state])),
                    "asked_at": one.asked_at,
                    "confirmed_at": one.confirmed_at,
                    "ended_at": one.ended_at,
                }
                for one in await store.subscriptions_of(work, subscriber_no)
            ],
        ),
        Part(
            name="only_urgent",
            table="only_urgent",
            words=_("Lists of which you hear only what is urgent"),
            rows=[
                {"list": names.get(one.list_no), "since": one.since}
                for one in await store.only_urgent_of(work, subscriber_no)
            ],
        ),
        Part(
            name="at_most",
            table="at_most",
            words=_("How often at most we may write to you"),
            rows=[
                {"pace": Said(one.pace.value, _(_PACES[one.pace])), "since": one.since}
                for one in [seldom]
                if one is not None
            ],
        ),
        Part(
            name="consent",
            table="consent_record",
            words=_("What you agreed to and took back"),
            rows=[_agreed(one, names) for one in await store.records_of(work, subscriber_no)],
        ),
        Part(
            name="sign_ups",
            table="confirmation",
            words=_("Sign-ups with your address"),
            rows=[_signed_up(one, names) for one in asked],
        ),
        Part(
            name="never_written_to",
            table="suppression",
            words=_("Why we never write to an address of yours"),
            rows=[
                {
                    "reason": Said(one.reason.value, _(_WHY[one.reason])),
                    "at": one.at,
                    "door": one.door.value,
                    "by_organiser": one.account_no is not None,
                }
                for one in never
                if one is not None
            ],
        ),
    ]


def _agreed(one: ConsentRecord, names: dict[int, str]) -> Row:
    return {
        "given": one.given,
        "purpose": one.purpose,
        "list": names.get(one.list_no) if one.list_no is not None else None,
        "to_whom": one.controller,
        "channel": one.channel,
        "wording": one.wording,
        "version": one.version,
        "language": one.language,
        "door": one.door.value,
        "by_organiser": one.account_no is not None,
        "from_file": one.import_no is not None,
        "at": one.at,
    }


def _signed_up(one: Confirmation, names: dict[int, str]) -> Row:
    return {
        "list": names.get(one.list_no),
        "at": one.made_at,
        "wording": one.wording,
        "version": one.version,
        "language": one.language,
        "answers": json.dumps(one.answers, ensure_ascii=False) if one.answers else "",
        "wrong_codes": one.tries,
        "reminded_at": one.reminded_at,
        "confirmed_at": one.confirmed_at,
        "declined_at": one.declined_at,
    }


async def forget(work: Work, subscriber_no: int) -> None:
    """Keep no subscription, no sign-up and no evidence of somebody.

    A mark on the suppression list is not theirs alone to say: `records.erasing` asks what remains.
    """
    marks = await subscribers.marks_of(work, subscriber_no)
    for kind, whose in (
        (OnlyUrgent, OnlyUrgent.subscriber_no == subscriber_no),
        (AtMost, AtMost.subscriber_no == subscriber_no),
        (Subscription, Subscription.subscriber_no == subscriber_no),
        (
            Confirmation,
            or_(Confirmation.subscriber_no == subscriber_no, Confirmation.mark.in_(marks)),
        ),
        (ConsentRecord, ConsentRecord.subscriber_no == subscriber_no),
    ):
        await work.session.execute(
            delete(kind).where(whose).execution_options(synchronize_session=False)
        )


# --- two that were one ----------------------------------------------------------------------------

_FURTHEST = (
    SubscriptionState.UNSUBSCRIBED,  # whoever has left by one address has left
    SubscriptionState.CONFIRMED,
    SubscriptionState.UNCONFIRMED,
)
_DATES = ("asked_at", "confirmed_at", "ended_at")


async def repoint(work: Work, from_no: int, to_no: int) -> Facts:
    """Give one person what another agreed to, with the evidence. Having left either way wins."""
    had, stood = await _lists_of(work, from_no), await _lists_of(work, to_no)
    for list_no, theirs in had.items():
        ours = stood.get(list_no)
        if ours is None or _further(theirs) < _further(ours):
            await _write(work, to_no, list_no, theirs)
    await _drop(work, from_no, list(had))
    urgent = [one.list_no for one in await store.only_urgent_of(work, from_no)]
    new = [no for no in urgent if await store.hear_only_urgent(work, to_no, no)]
    await store.hear_all(work, from_no, urgent)
    seldom = await _seldom(work, from_no, to_no)
    records = await work.session.scalars(
        update(ConsentRecord)
        .where(ConsentRecord.subscriber_no == from_no)
        .values(subscriber_no=to_no)
        .returning(ConsentRecord.no)
        .execution_options(synchronize_session=False)
    )
    return {
        "had": _named(had),
        "stood": _named(stood),
        "given": _named(await _lists_of(work, to_no)),
        "records": sorted(records),
        "only_urgent": {"had": urgent, "new": new},
        "at_most": seldom,
    }


async def _seldom(work: Work, from_no: int, to_no: int) -> Facts:
    """Write to the one person as seldom as either asked for; say what each had, and has now."""
    stood, had = await store.at_most_of(work, to_no), await store.hear_as_promised(work, from_no)
    before = stood.pace if stood is not None else None
    given = max((one for one in (before, had) if one), key=lambda one: one.days, default=None)
    if given is not None:
        await store.hear_at_most(work, to_no, given)
    return {"had": had, "stood": before, "given": given}


async def restore(work: Work, from_no: int, to_no: int, moved: Facts) -> None:
    """Take a `repoint` back; what they have said about a list since then stands for both."""
    had, stood, given = (_numbered(moved[name]) for name in ("had", "stood", "given"))
    now = await _lists_of(work, to_no)
    for list_no, theirs in had.items():
        is_as_given = now.get(list_no) == given.get(list_no)
        before = theirs if is_as_given else now.get(list_no, theirs)
        await _write(work, from_no, list_no, before)
        if not is_as_given:
            continue
        if list_no in stood:
            await _write(work, to_no, list_no, stood[list_no])
        else:
            await _drop(work, to_no, [list_no])
    await store.hear_all(work, to_no, moved["only_urgent"]["new"])
    for list_no in moved["only_urgent"]["had"]:
        await store.hear_only_urgent(work, from_no, list_no)
    await _restore_pace(work, from_no, to_no, moved["at_most"])
    await work.session.execute(
        update(ConsentRecord)
        .where(ConsentRecord.no.in_(moved["records"]))
        .values(subscriber_no=from_no)
        .execution_options(synchronize_session=False)
    )


async def _restore_pace(work: Work, from_no: int, to_no: int, moved: Facts) -> None:
    if moved["had"] is not None:
        await store.hear_at_most(work, from_no, Pace(moved["had"]))
    now = await store.at_most_of(work, to_no)
    if now is None or now.pace != moved["given"]:
        return
    if moved["stood"] is None:
        await store.hear_as_promised(work, to_no)
    else:
        await store.hear_at_most(work, to_no, Pace(moved["stood"]))


def _further(one: Facts) -> int:
    return _FURTHEST.index(SubscriptionState(one["state"]))


async def _lists_of(work: Work, subscriber_no: int) -> dict[int, Facts]:
    return {
        one.list_no: {
            "state": one.state.value,
            **{name: _iso(getattr(one, name)) for name in _DATES},
        }
        for one in await store.subscriptions_of(work, subscriber_no)
    }


async def _write(work: Work, subscriber_no: int, list_no: int, one: Facts) -> None:
    values = {
        "state": SubscriptionState(one["state"]),
        **{name: one[name] and datetime.fromisoformat(one[name]) for name in _DATES},
    }
    row = {"subscriber_no": subscriber_no, "list_no": list_no, **values}
    if not await add_missing(work, Subscription, [row]):
        await store.set_subscriptions(work, list_no, [subscriber_no], values)


async def _drop(work: Work, subscriber_no: int, list_nos: list[int]) -> None:
    await work.session.execute(
        delete(Subscription)
        .where(Subscription.subscriber_no == subscriber_no, Subscription.list_no.in_(list_nos))
        .execution_options(synchronize_session=False)
    )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _named(lists: dict[int, Facts]) -> list[Facts]:
    return [{"list": list_no, **one} for list_no, one in lists.items()]


def _numbered(lists: list[Facts]) -> dict[int, Facts]:
    return {one["list"]: {name: one[name] for name in ("state", *_DATES)} for one in lists}
