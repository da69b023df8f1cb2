"""Follow-ups as pages show them: who waits, why, for how long, and what was done about it."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from babel.dates import format_date, format_time, get_timezone

from mailer.accounts import store as accounts
from mailer.accounts.model import Account
from mailer.asks.model import Ask, Pledge, PledgeState
from mailer.followups import caring, hours, naming, numbers
from mailer.followups import store as followups
from mailer.followups.helping import help_of
from mailer.followups.model import CaseKind, FollowUp, FollowUpStep, Outcome, StepKind
from mailer.followups.queue.store import Waiting
from mailer.followups.subjects import store as subjects
from mailer.followups.words import KINDS, OUTCOMES, RESOLUTIONS, STEPS
from mailer.groups import store as groups
from mailer.kit import i18n
from mailer.kit.i18n import _, in_language
from mailer.kit.work import Work
from mailer.phones import store as phones
from mailer.phones.reading import shown_number
from mailer.subscribers.model import Subscriber
from mailer.tiers import store as tiers
from web.admin import ask_words
from web.admin.followup_places import Place
from web.admin.people import at as at_person
from web.admin.people import called
from web.admin.telling import about, day, number

SIGNS = {
    CaseKind.BLOCKED: "life-buoy",
    CaseKind.SUPPORT: "life-buoy",
    CaseKind.PAST_DUE: "clock",
    CaseKind.READY: "ladder",
    CaseKind.QUIET: "moon",
    CaseKind.ALERT: "megaphone",
    CaseKind.MANUAL: "bookmark",
}
OUTCOME_SIGNS = {
    Outcome.REACHED: "check",
    Outcome.CALL_BACK: "calendar",
    Outcome.NO_ANSWER: "clock",
    Outcome.LEFT_MESSAGE: "mail",
    Outcome.NOT_NOW: "arrow-right",
    Outcome.WRONG_NUMBER: "x",
    Outcome.NEVER_CALL: "user-x",
}
STEP_SIGNS = {
    StepKind.ASSIGNED: "user",
    StepKind.NOTED: "notebook-pen",
    StepKind.WROTE: "send",
    StepKind.ENDED: "check-check",
    StepKind.DATED: "calendar",
}


def at(case: FollowUp, more: str = "") -> str:
    """Give the address of a case's page, or of one of its forms."""
    return f"/admin/followups/{case.uid}{more}"


# --- a list ---------------------------------------------------------------------------------------


async def listed(
    work: Work, account: Account, waiting: Sequence[Waiting], place: Place
) -> list[dict[str, Any]]:
    """Say of each who waits, why, and for how long."""
    subjects = await naming.subjects_of(work, [row.case for row in waiting])
    names = await accounts.names(work)
    return [
        {
            "href": place.case(row.case),
            "name": called(row.person),
            "why": _(KINDS[row.case.kind]),
            "about": subjects.get(row.case.no, ""),
            "sign": SIGNS[row.case.kind],
            "long": about(work.now - row.case.opened_at),
            "is_late": row.case.is_overdue(work.now),
            "with": names.get(row.case.holder(work.now) or 0, ""),
            "owner": _owner(row.case, account, names),
        }
        for row in waiting
    ]


def _remembered(work: Work, case: FollowUp, steps: Sequence[FollowUpStep]) -> str:
    """Give why an organiser wants to remember somebody, as the last one said it."""
    if case.kind is not CaseKind.MANUAL:
        return ""
    noted = [one for one in steps if one.kind is StepKind.NOTED]
    return followups.words_of(work, noted[0]) if noted else ""


def _owner(case: FollowUp, account: Account, names: dict[int, str]) -> str:
    if case.owner_no is None:
        return _("Nobody yet")
    return _("You") if case.owner_no == account.no else names.get(case.owner_no, "")


# --- one, whole -----------------------------------------------------------------------------------


async def whole(
    work: Work, account: Account, case: FollowUp, person: Subscriber, place: Place
) -> dict[str, Any]:
    """Say all that whoever calls somebody has to know, and what they may do."""
    zone, theirs = await hours.zone_of_ours(work), await hours.zone_of(work, person)
    names = await accounts.names(work)
    holder = case.holder(work.now)
    steps = await followups.steps_of(work, case.no)
    answered = await _answered(work, case)
    subject = (await naming.subjects_of(work, [case])).get(case.no, "")
    level = await tiers.chosen(work, person.no)
    others = [one for one in await followups.open_of(work, person.no) if one.no != case.no]
    about_others = await naming.subjects_of(work, others)
    carers = await followups.carers(work, person.no)
    return {
        "here": at(case),
        "name": called(person),
        "first_name": person.first_name or called(person),
        "href": at_person(person),
        "why": _(KINDS[case.kind]),
        "sign": SIGNS[case.kind],
        "asks_to_read": case.kind is CaseKind.ALERT,
        "long": about(work.now - case.opened_at),
        "is_open": case.is_open,
        "is_late": case.is_overdue(work.now),
        "ended": _(RESOLUTIONS[case.resolution]) if case.resolution else "",
        "comes_back": _there(case.next_at, zone, theirs)
        if case.is_open and case.next_at > work.now
        else "",
        "due": _there(case.due_at, zone, theirs),
        "clocks": _("By their clocks: %(zone)s.") % {"zone": person.time_zone}
        if person.time_zone
        else _("By the organisation’s clocks: where they live is not known."),
        "tries": case.tries,
        **await _call_for_help(work, case, answered),
        "why_remembered": _remembered(work, case, steps),
        "subject": subject,
        "ask": _asked(work, person, *answered, zone) if answered else {},
        "level": in_language(level.name) if level else "",
        "groups": ", ".join(group.name for group in await groups.of(work, person.no)),
        "language": i18n.own_name(person.language),
        "their_hour": _their_hour(work, person),
        "last": _last(case, zone),
        "owner": _owner(case, account, names),
        "with": names.get(holder, "") if holder and holder != account.no else "",
        "is_mine_now": holder == account.no,
        "until": when(case.held_until, zone) if holder == account.no and case.held_until else "",
        "phone": await _phone(work, person, is_shown=holder == account.no),
        "may_write": await caring.may_write(work, case, person),
        "carers": [
            ("", _("Whoever comes to it")),
            *((one.uid, one.name) for one in carers),
        ],
        "owner_uid": _uid_of(case, carers),
        "outcomes": [(one.value, _(words), OUTCOME_SIGNS[one]) for one, words in OUTCOMES.items()],
        "steps": [_step(work, one, case, names, zone, newest=_newest(steps)) for one in steps],
        "others": [
            (place.case(one), _(KINDS[one.kind]), about_others.get(one.no, "")) for one in others
        ],
    }


async def just_done(
    work: Work, account: Account, case: FollowUp, person: Subscriber, place: Place
) -> dict[str, Any] | None:
    """Say what an account did about a case last, where it can still take that back."""
    steps = await followups.steps_of(work, case.no)
    newest = next((one for one in steps if one.no == _newest(steps)), None)
    if newest is None or newest.account_no != account.no or not _may_undo(work, newest, case):
        return None
    return {
        "name": called(person),
        "what": _done(newest, await accounts.names(work)),
        "href": place.case(case),
        "undo_at": at(case, "/undo"),
        "undo": {**place.fields, "step": str(newest.no)},
    }


async def _call_for_help(
    work: Work, case: FollowUp, answered: tuple[Pledge, Ask] | None
) -> dict[str, str]:
    """Give what somebody wrote who asked for help, and what was answered since by a link."""
    if answered is None or case.kind is not CaseKind.BLOCKED:
        return {"said": "", "otherwise": ""}
    pledge, _ask = answered
    call = await help_of(work, pledge)
    is_otherwise = case.is_open and pledge.state is not PledgeState.BLOCKED
    return {
        "said": call.words if call is not None else "",
        "otherwise": _(ask_words.ANSWERS[pledge.state]) if is_otherwise else "",
    }


def _there(moment: datetime, zone: tzinfo, theirs: tzinfo) -> str:
    """Write an hour by our clocks, and by theirs where those show another one."""
    here, there = when(moment, zone), when(moment, theirs)
    if here == there:
        return here
    return _("%(here)s, where they live %(there)s") % {"here": here, "there": there}


async def _answered(work: Work, case: FollowUp) -> tuple[Pledge, Ask] | None:
    """Give the pledge that a case is about, and its ask; never somebody else's."""
    return (await subjects.pledges_about(work, [case])).get(case.no)


def _asked(
    work: Work, person: Subscriber, pledge: Pledge, ask: Ask, zone: tzinfo
) -> dict[str, str]:
    due = pledge.due(ask)
    return {
        "title": in_language(ask.title),
        "state": _(ask_words.ANSWERS[pledge.state]),
        "due": ask_words.by(due, work.now, zone) if due else "",
        "contact": ask.support_contact,
        "href": at_person(person, f"/asks/{ask.uid}"),
    }


async def _phone(work: Work, person: Subscriber, *, is_shown: bool) -> dict[str, Any]:
    """Say how somebody is called; the number is opened for who holds the case, and nobody else."""
    phone = await phones.of(work, person.no)
    is_known = phone is not None and phone.sealed is not None
    never = phone is not None and phone.never_call
    digits = phones.opened(work, phone) if phone and is_known and is_shown and not never else ""
    return {
        "is_known": is_known,
        "never": never,
        "digits": digits,
        "shown": shown_number(digits) if digits else "",
        "best_time": phone.best_time if phone else "",
        "wrong": told_wrong(await numbers.wrong_since(work, person.no)) if is_known else "",
    }


def told_wrong(since: datetime | None) -> str:
    """Say when a number was found to be wrong; empty where it was not."""
    return (
        "" if since is None else _("This number was found wrong on %(day)s") % {"day": day(since)}
    )


def _uid_of(case: FollowUp, carers: Sequence[Account]) -> str:
    return next((one.uid for one in carers if one.no == case.owner_no), "")


def _their_hour(work: Work, person: Subscriber) -> str:
    if not person.time_zone:
        return ""
    zone = get_timezone(person.time_zone)
    return format_time(work.now, "short", tzinfo=zone, locale=i18n.language.get())


def _last(case: FollowUp, zone: tzinfo) -> str:
    if case.last_at is None:
        return _("None yet")
    if case.last_outcome is None:
        return when(case.last_at, zone)
    return _("%(when)s: %(what)s") % {
        "when": when(case.last_at, zone),
        "what": _(OUTCOMES[case.last_outcome]),
    }


def _newest(steps: Sequence[FollowUpStep]) -> int | None:
    """Give the step that can be taken back: the newest, notes aside."""
    done = [one.no for one in steps if one.undone_at is None and one.kind is not StepKind.NOTED]
    return done[0] if done else None


def _step(
    work: Work,
    step: FollowUpStep,
    case: FollowUp,
    names: dict[int, str],
    zone: tzinfo,
    *,
    newest: int | None,
) -> dict[str, Any]:
    by = names.get(step.account_no or 0, "")
    may_undo = step.no == newest and _may_undo(work, step, case)
    details = [_("By %(name)s.") % {"name": by} if by else ""]
    if step.undone_at is not None:
        details.append(_("Taken back."))
    return {
        "when": when(step.at, zone),
        "iso": step.at.date().isoformat(),
        "sign": OUTCOME_SIGNS[step.outcome] if step.outcome else STEP_SIGNS[step.kind],
        "title": _done(step, names),
        "words": " ".join(part for part in details if part),
        "said": followups.words_of(work, step),
        "undo": {"step": str(step.no)} if may_undo else {},
        "case": at(case),
    }


def _may_undo(work: Work, step: FollowUpStep, case: FollowUp) -> bool:
    return step.is_open_to_undo(work.now) and not case.ended_otherwise(step)


def _done(step: FollowUpStep, names: dict[int, str]) -> str:
    if step.outcome is not None:
        return _(OUTCOMES[step.outcome])
    match step.kind:
        case StepKind.ASSIGNED if step.to_no is not None:
            return _("Passed on to %(name)s") % {"name": names.get(step.to_no, "")}
        case StepKind.ASSIGNED:
            return _("Left to whoever comes to it")
        case _:
            return _(STEPS[step.kind])


# --- hours ----------------------------------------------------------------------------------------


def when(moment: datetime, zone: tzinfo) -> str:
    """Write a day and an hour by the organisation's clocks: 11 June, 10:04."""
    here = moment.astimezone(zone)
    return _("%(day)s, %(time)s") % {
        "day": format_date(here, "d MMMM", locale=i18n.language.get()),
        "time": format_time(here.time(), "HH:mm", locale=i18n.language.get()),
    }


def counted(count: int) -> str:
    """Write how many wait."""
    return i18n.ngettext("One person waits.", "%(count)s people wait.", count) % {
        "count": number(count)
    }
