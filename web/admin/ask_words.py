"""How asks and answers to them are said in the admin area: for whom, how long, by when, how far."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta, tzinfo

from babel.dates import format_date, format_timedelta

from mailer.asks.model import AskFor, Demand, DemandState, Evidence, PledgeState, Turn
from mailer.kit.i18n import N_, _, in_language, language
from web.admin.telling import number

AUDIENCES: Mapping[AskFor, str] = {
    AskFor.MEMBER: N_("Members of a union, branch or chapter"),
    AskFor.REP: N_("Workplace reps"),
    AskFor.BRANCH: N_("Officers of branches and chapters"),
    AskFor.FEDERATION: N_("Officers of federations"),
    AskFor.ALLY: N_("Allies"),
}

TURNS: Mapping[Turn, tuple[str, str]] = {
    Turn.ONCE: (N_("Once"), N_("Done is done.")),
    Turn.REPEAT: (N_("It comes round again"), N_("Whoever has done it is asked anew.")),
    Turn.STANDING: (N_("A habit"), N_("Never done with: people tell us each time.")),
}

EVIDENCES: Mapping[Evidence, tuple[str, str]] = {
    Evidence.NONE: (N_("Take their word for it"), ""),
    Evidence.NOTE: (N_("Ask how it went"), N_("A few words, if they like.")),
    Evidence.LINK: (N_("Ask for a link"), N_("To a page or a picture that shows it.")),
    Evidence.VERIFIED: (
        N_("One of us confirms it"),
        N_("It counts as done at once; the confirming is ours."),
    ),
}

ANSWERS: Mapping[PledgeState, str] = {
    PledgeState.PLEDGED: N_("Said yes"),
    PledgeState.IN_PROGRESS: N_("Later"),
    PledgeState.BLOCKED: N_("Need help"),
    PledgeState.DONE: N_("Done"),
    PledgeState.VERIFIED: N_("Done and confirmed"),
    PledgeState.DECLINED: N_("Not for them"),
    PledgeState.WITHDRAWN: N_("Took it back"),
}
"""What people answered, in the order in which it is told."""

COUNTED: Mapping[PledgeState, str] = {**ANSWERS, PledgeState.PLEDGED: N_("Yes, not done yet")}
"""The same where they are counted, beside the number of all who said yes."""

SIGNS: Mapping[PledgeState, tuple[str, str]] = {
    PledgeState.PLEDGED: ("info", "hand"),
    PledgeState.IN_PROGRESS: ("info", "clock"),
    PledgeState.BLOCKED: ("danger", "life-buoy"),
    PledgeState.DONE: ("ok", "check"),
    PledgeState.VERIFIED: ("ok", "check-check"),
    PledgeState.DECLINED: ("off", "x"),
    PledgeState.WITHDRAWN: ("off", "undo-2"),
}

STANDINGS: Mapping[DemandState, str] = {
    DemandState.DRAFT: N_("A draft. Nobody sees it until it is opened."),
    DemandState.OPEN: N_("Open since %(day)s."),
    DemandState.WON: N_("Won on %(day)s."),
    DemandState.CLOSED: N_("Closed on %(day)s."),
}


def effort(minutes: int | None) -> str:
    """Write how long an ask takes: 15 minutes, 2 hours; empty where it is not said."""
    if minutes is None:
        return ""
    whole = minutes >= 60 and minutes % 60 == 0
    return format_timedelta(
        timedelta(minutes=minutes),
        granularity="hour" if whole else "minute",
        threshold=10_000,  # never days or weeks: a day of what, people would ask
        locale=language.get(),
    )


def by(deadline: datetime | None, now: datetime, zone: tzinfo) -> str:
    """Write until when an ask can be done: 28 June, with its year if that is not this one."""
    return _("Any time") if deadline is None else on(deadline, now, zone)


def on(at: datetime, now: datetime, zone: tzinfo) -> str:
    """Write a day as the organisation's clocks have it, with its year if that is not this one."""
    day, today = at.astimezone(zone).date(), now.astimezone(zone).date()
    form = "d MMMM" if day.year == today.year else "d MMMM y"
    return format_date(day, form, locale=language.get())


def for_whom(audience: Collection[str]) -> str:
    """Write to whom an ask is offered."""
    if not audience:
        return _("Everybody")
    return ", ".join(_(AUDIENCES[AskFor(one)]) for one in audience)


def amount(of: int, unit: Mapping[str, str]) -> str:
    """Write a number with what it counts: 12 people recruited."""
    said = in_language(unit)
    if not said:
        return number(of)
    return _("%(count)s %(unit)s") % {"count": number(of), "unit": said}


def lines_of(text: Mapping[str, str]) -> list[str]:
    """Give a text in the reader's language, line for line, without those that are empty."""
    return [line for line in in_language(text).splitlines() if line]


def standing(demand: Demand) -> str:
    """Say how a demand stands, and since when."""
    since = demand.opened_at if demand.state is DemandState.OPEN else demand.closed_at
    day = format_date(since or demand.made_at, "d MMMM y", locale=language.get())
    words = _(STANDINGS[demand.state])
    return words % {"day": day} if "%(" in words else words
