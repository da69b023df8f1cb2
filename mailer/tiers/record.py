"""What a timeline says of somebody's moves on the ladder."""

from datetime import datetime
from typing import TypeVar

from sqlalchemy import Select, delete, or_, select, update

from mailer.activity.model import Activity, Cause, Causes, Entry, Undo, Undoes
from mailer.activity.record import Told, entry_of, lines
from mailer.kit.i18n import N_, _, in_language
from mailer.kit.known import Part, Row, Said
from mailer.kit.orm import Facts
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.tiers import store
from mailer.tiers.model import (
    UNDO_FOR,
    ChosenTier,
    Sign,
    SignKind,
    Source,
    Stayed,
    StillWithUs,
    Tier,
    TierChange,
    TierHold,
    TierRequest,
    TierSuggestion,
    Yearly,
)

KINDS = (
    "tier_chosen",
    "tier_changed",
    "tier_requested",
    "tier_request_withdrawn",
    "tier_request_granted",
    "tier_request_refused",
    "tier_request_expired",
    "tier_request_reopened",
    "tier_suggested",
    "tier_suggestion_declined",
    "tier_suggestion_reopened",
    "still_with_us",
)

_HOW = {
    Source.SELF_LINK: N_("From a link in an email."),
    Source.SELF_FORM: N_("On a page."),
    Source.ASSIGNED: N_("Moved by an organiser, who said why."),
    Source.ACCEPTED: N_("As was asked for."),
    Source.LAPSED: N_("After a long silence, and two letters."),
    Source.HELD: N_(
        "An organiser checks this sign-up first. Until then it waits on the lowest level."
    ),
    Source.IMPORT: N_("From a file."),
    Source.API: N_("By another program."),
    Source.UNDO: N_("A move was undone."),
}
_FROM_CAMPAIGN = {
    Source.SELF_LINK: N_("From a link in “%(campaign)s”."),
    Source.ACCEPTED: N_("As was asked for, from a link in “%(campaign)s”."),
}

_SIGNS = {
    SignKind.CONFIRMED: N_("A yes to an email that asked for it"),
    SignKind.MOVED: N_("A step up"),
    SignKind.REPLIED: N_("A reply"),
    SignKind.PLEDGED: N_("A yes to an ask"),
    SignKind.CAME: N_("Coming to an event"),
    SignKind.DONE: N_("An ask that was done"),
    SignKind.BROUGHT: N_("Bringing somebody along"),
}
_ENDS = {
    Stayed.KEPT: N_("You said that you stay"),
    Stayed.HEARD: N_("We heard from you"),
    Stayed.GONE_ON: N_("It was no longer a question"),
    Stayed.LAPSED: N_("Nothing came, and you are one level lower"),
}


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell each move, with its undo while there is one, and what was asked and answered."""
    found = await lines(work, subscriber_no, KINDS)
    if not found:
        return []
    tiers = {tier.no: tier for tier in await store.every_tier(work)}
    changes = await store.changes_of(work, subscriber_no)
    newest = changes[0].no if changes else 0
    by_no = {change.no: change for change in changes}
    requests = {one.no: one for one in await store.requests_of(work, subscriber_no)}
    return [
        entry_of(line, _moved(work, by_no[line.facts["change"]], tiers, newest))
        if "change" in line.facts
        else entry_of(line, _asked(line, tiers, requests))
        for line in found
    ]


def _moved(work: Work, change: TierChange, tiers: dict[int, Tier], newest: int) -> Told:
    to = tiers[change.to_no]
    named = {"to": in_language(to.name)}
    if change.from_no is None:
        words = _("Joined as %(to)s") % named
    else:
        left = tiers[change.from_no]
        named["left"] = in_language(left.name)
        up = _("Stepped up from %(left)s to %(to)s")
        down = _("Stepped down from %(left)s to %(to)s")
        words = (up if to.rank > left.rank else down) % named
    undo = None
    if change.no == newest and change.is_open_to_undo(work.now):
        undo = Undo(what=Undoes.TIER, no=change.no, until=change.made_at + UNDO_FOR)
    return {
        "words": words,
        "details": _("Suggested after an answer to an ask, and accepted")
        if change.ask_no is not None
        else _(_HOW[change.source]),
        "said": change.reason,
        "cause": _why_moved(change),
        "undo": undo,
    }


def _why_moved(change: TierChange) -> Cause | None:
    if change.ask_no is not None:
        words = _("Suggested after an answer to “%(ask)s”, and accepted.")
        return Cause(what=Causes.ASK, no=change.ask_no, words=words)
    if change.campaign_no is not None and change.source in _FROM_CAMPAIGN:
        words = _(_FROM_CAMPAIGN[change.source])
        return Cause(what=Causes.CAMPAIGN, no=change.campaign_no, words=words)
    return None


def _asked(line: Activity, tiers: dict[int, Tier], requests: dict[int, TierRequest]) -> Told:
    named = {"tier": in_language(tiers[line.facts["tier"]].name)}
    request = requests.get(line.facts.get("request", 0))
    match line.kind:
        case "tier_requested":
            cause = _why_asked(request) if request else None
            return {"words": _("Asked to become %(tier)s") % named, "cause": cause}
        case "tier_request_withdrawn":
            return {"words": _("Took the request back: %(tier)s") % named}
        case "tier_request_expired":
            return {"words": _("The request waited for too long: %(tier)s") % named}
        case "tier_request_reopened":
            return {"words": _("The answer was taken back, the request waits: %(tier)s") % named}
        case "tier_suggested":
            return {"words": _("What was done lately suggests a step up to %(tier)s") % named}
        case "tier_suggestion_declined":
            return {"words": _("Said no to the step up to %(tier)s") % named}
        case "tier_suggestion_reopened":
            return {"words": _("Took back the no to the step up to %(tier)s") % named}
        case "still_with_us":
            return {"words": _("Still with us as %(tier)s: said so when asked") % named}
        case "tier_request_granted":
            words = _("The request was granted: %(tier)s") % named
        case _:
            words = _("The request was refused: %(tier)s") % named
    return {"words": words, "said": request.reason if request else ""}


def _why_asked(request: TierRequest) -> Cause | None:
    if request.ask_no is not None:
        words = _("Suggested after an answer to “%(ask)s”.")
        return Cause(what=Causes.ASK, no=request.ask_no, words=words)
    if request.campaign_no is not None:
        words = _("From a link in “%(campaign)s”.")
        return Cause(what=Causes.CAMPAIGN, no=request.campaign_no, words=words)
    return None


Kept = TypeVar("Kept", ChosenTier, Sign, StillWithUs, TierHold, TierSuggestion, Yearly)


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give where somebody stands on the ladder, how they came there, and what we asked them."""
    names = {one.no: in_language(one.name) for one in await work.session.scalars(select(Tier))}
    asked = await work.session.scalars(_of(StillWithUs, subscriber_no).order_by(StillWithUs.no))
    suggested = await work.session.scalars(
        _of(TierSuggestion, subscriber_no).order_by(TierSuggestion.no)
    )
    signs = await work.session.scalars(_of(Sign, subscriber_no).order_by(Sign.no))
    yearly = await work.session.scalars(_of(Yearly, subscriber_no))
    holds = await work.session.scalars(_of(TierHold, subscriber_no))
    chosen = await work.session.scalars(_of(ChosenTier, subscriber_no))
    return [
        Part(
            name="level",
            table="chosen_tier",
            words=_("Your level"),
            rows=[{"level": names[one.tier_no], "since": one.since} for one in chosen],
        ),
        Part(
            name="moves",
            table="tier_change",
            words=_("How you moved on the ladder"),
            rows=[
                _move(one, names) for one in reversed(await store.changes_of(work, subscriber_no))
            ],
        ),
        Part(
            name="wishes",
            table="tier_request",
            words=_("Levels that you asked for"),
            rows=[
                _wish(one, names) for one in reversed(await store.requests_of(work, subscriber_no))
            ],
        ),
        Part(
            name="holds",
            table="tier_hold",
            words=_("Where an organiser has you wait"),
            rows=[{"reason": one.reason, "at": one.held_at} for one in holds],
        ),
        Part(
            name="signs",
            table="sign",
            words=_("Signs of how far you go"),
            rows=[
                {"what": Said(one.kind.value, _(_SIGNS[one.kind])), "at": one.at} for one in signs
            ],
        ),
        Part(
            name="suggestions",
            table="tier_suggestion",
            words=_("Steps that we suggested"),
            rows=[
                {
                    "level": names[one.tier_no],
                    "at": one.made_at,
                    "ended_at": one.ended_at,
                    "accepted": one.accepted,
                }
                for one in suggested
            ],
        ),
        Part(
            name="still_with_us",
            table="still_with_us",
            words=_("Whether you are still with us"),
            rows=[_question(one, names) for one in asked],
        ),
        Part(
            name="yearly",
            table="yearly",
            words=_("When we last told you that you are on the roll"),
            rows=[{"at": one.at} for one in yearly],
        ),
    ]


def _of(kind: type[Kept], subscriber_no: int) -> Select[Kept]:
    return select(kind).where(kind.subscriber_no == subscriber_no)


def _move(one: TierChange, names: dict[int, str]) -> Row:
    return {
        "from_level": names[one.from_no] if one.from_no else None,
        "level": names[one.to_no],
        "how": Said(one.source.value, _(_HOW[one.source])),
        "door": one.door.value,
        "by_organiser": one.account_no is not None,
        "by_campaign": one.campaign_no is not None,
        "by_ask": one.ask_no is not None,
        "reason": one.reason,
        "at": one.made_at,
        "undone_at": one.undone_at,
    }


def _wish(one: TierRequest, names: dict[int, str]) -> Row:
    return {
        "level": names[one.tier_no],
        "at": one.made_at,
        "door": one.door.value,
        "by_campaign": one.campaign_no is not None,
        "by_ask": one.ask_no is not None,
        "withdrawn_at": one.withdrawn_at,
        "expired_at": one.expired_at,
        "answered_at": one.answered_at,
        "granted": one.granted,
        "reason": one.reason,
    }


def _question(one: StillWithUs, names: dict[int, str]) -> Row:
    return {
        "level": names[one.tier_no],
        "asked_at": one.asked_at,
        "asked_again_at": one.again_at,
        "due_at": one.next_at,
        "ended_at": one.ended_at,
        "how": Said(one.ended.value, _(_ENDS[one.ended])) if one.ended else None,
    }


async def forget(work: Work, subscriber_no: int) -> None:
    """Keep nothing of where somebody stood and how they moved."""
    for kind in (
        TierHold,  # it names the move that it made
        TierSuggestion,
        StillWithUs,
        Yearly,
        Sign,
        TierRequest,
        TierChange,
        ChosenTier,
    ):
        await work.session.execute(
            delete(kind)
            .where(kind.subscriber_no == subscriber_no)
            .execution_options(synchronize_session=False)
        )


async def repoint(work: Work, from_no: int, to_no: int) -> Facts:
    """Give one person the moves and requests of another; each keeps one level, the first theirs.

    Where the first has none yet, they are given the other's. Of two requests that wait, the
    other's own is left where it was.
    """
    had, stood = await _chosen(work, from_no), await _chosen(work, to_no)
    if had is not None and stood is None:
        await add_missing(work, ChosenTier, [{**_since(had), "subscriber_no": to_no}])
    await work.session.execute(
        delete(ChosenTier)
        .where(ChosenTier.subscriber_no == from_no)
        .execution_options(synchronize_session=False)
    )
    waits = await store.standing_request(work, to_no)
    requests = update(TierRequest).where(TierRequest.subscriber_no == from_no)
    if waits is not None:
        ended = (TierRequest.withdrawn_at, TierRequest.answered_at, TierRequest.expired_at)
        requests = requests.where(or_(*(one.is_not(None) for one in ended)))
    moved = {}
    for name, statement in (
        (
            "changes",
            update(TierChange).where(TierChange.subscriber_no == from_no).returning(TierChange.no),
        ),
        ("requests", requests.returning(TierRequest.no)),
    ):
        found = await work.session.scalars(
            statement.values(subscriber_no=to_no).execution_options(synchronize_session=False)
        )
        moved[name] = sorted(found)
    return {**moved, "had": had, "given": had is not None and stood is None}


async def restore(work: Work, from_no: int, to_no: int, moved: Facts) -> None:
    """Take a `repoint` back; a level that was chosen since stands."""
    for kind, nos in ((TierChange, moved["changes"]), (TierRequest, moved["requests"])):
        await work.session.execute(
            update(kind)
            .where(kind.no.in_(nos))
            .values(subscriber_no=from_no)
            .execution_options(synchronize_session=False)
        )
    if moved["had"] is None:
        return
    await add_missing(work, ChosenTier, [{**_since(moved["had"]), "subscriber_no": from_no}])
    if moved["given"] and await _chosen(work, to_no) == moved["had"]:
        await work.session.execute(
            delete(ChosenTier)
            .where(ChosenTier.subscriber_no == to_no)
            .execution_options(synchronize_session=False)
        )


async def _chosen(work: Work, subscriber_no: int) -> Facts | None:
    found = await work.session.get(ChosenTier, subscriber_no, populate_existing=True)
    return {"tier_no": found.tier_no, "since": found.since.isoformat()} if found else None


def _since(chosen: Facts) -> Facts:
    return {**chosen, "since": datetime.fromisoformat(chosen["since"])}
