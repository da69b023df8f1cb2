"""Standing: where a confirmed campaign stands, how far it has come, and what keeps it."""

from datetime import timedelta
from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts import store as accounts
from mailer.accounts.model import Power
from mailer.asks.counting import store as answers
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState
from mailer.deliveries import store as deliveries
from mailer.deliveries.store import IN_TURN, Progress
from mailer.deliveries.watching import HeldBack, Look, Tally
from mailer.kit.i18n import _, ngettext
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.tiers import store as tiers
from web.admin import counting
from web.admin.campaigns import Working, at, campaign_at
from web.admin.corrected import first_of
from web.admin.telling import (
    day,
    hour,
    language_name,
    moment,
    number,
    people,
    shortly,
    soon,
)
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked

SOON = 3600
"""So many seconds before it begins, the page counts them down."""

SILENT = timedelta(minutes=1)
"""After so long without a sign of life nothing is being sent: a worker shows one every 15 s."""


@get("/campaigns/{uid:str}", opt=gated(Power.WRITE))
async def show_campaign(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Show a campaign as it stands: its words while it is a draft, else how far it has come."""
    campaign = await campaign_at(work, uid)
    may_send = account_of(request).may(Power.SEND)
    if campaign.is_editable:
        return redirect(at(campaign, "/write"))
    if campaign.state is CampaignState.FROZEN and may_send:
        return redirect(at(campaign, "/review"))
    look = await _tally(request).now(work, campaign)
    return page(
        request,
        "admin/campaigns/standing.html",
        campaign=campaign,
        told=await _told(work, campaign),
        acts=[
            *_acts(campaign, may_send=may_send),
            *_calls(campaign, may_call=account_of(request).may(Power.CHANGE_PEOPLE)),
        ],
        effects=_effects(campaign, look.progress) if may_send else [],
        who=await counting.who_gets_it(work, campaign),
        reasons=counting.by_reason(await _why_skipped(work, campaign, look.progress)),
        moves=await _moves(work, campaign),
        readings=await _readings(work, campaign),
        **await _live(work, campaign, look, by_name=may_send),
    )


@get("/campaigns/{uid:str}/progress", opt=gated(Power.WRITE, by_itself=True))
async def show_progress(
    request: Asked, work: Working, uid: FromPath[str], seen: FromQuery[str] = ""
) -> Template:
    """Give what changes alone, for the page that asks again and again.

    Where the campaign has gone on to another state, the whole page is another: htmx is told so.
    """
    campaign = await campaign_at(work, uid)
    look = await _tally(request).lately(work, campaign)
    by_name = account_of(request).may(Power.SEND)
    answer = page(
        request,
        "admin/campaigns/_live.html",
        campaign=campaign,
        **await _live(work, campaign, look, by_name=by_name),
    )
    if seen and seen != campaign.state.value:
        answer.headers["hx-refresh"] = "true"
    return answer


def _tally(request: Asked) -> Tally:
    """Give the one that looks for all who watch in this process."""
    tally = request.app.state.setdefault("tally", Tally())
    assert isinstance(tally, Tally)
    return tally


async def _why_skipped(work: Work, campaign: Campaign, progress: Progress) -> dict[str, int]:
    if not progress.of(DeliveryState.SKIPPED):
        return {}
    return await deliveries.why_skipped(work, campaign)


async def _told(work: Work, campaign: Campaign) -> str:
    named = (await accounts.names(work)).get(campaign.confirmed_by or 0)
    who = named or _("whoever runs the server")
    match campaign.state:
        case CampaignState.FROZEN:
            return _("The people are counted. Somebody who may send has to confirm it.")
        case CampaignState.CANCELLED:
            return _("Stopped for good. What had been handed over before cannot be taken back.")
        case _ if campaign.started_at is None:
            return _("Confirmed by %(who)s. Nothing has left yet.") % {"who": who}
        case CampaignState.SENT:
            told = _("Sent on %(when)s, confirmed by %(who)s.")
        case _:
            told = _(
                "Begun on %(when)s, confirmed by %(who)s. You can close this page: it goes on."
            )
    return told % {"when": moment(campaign.started_at), "who": who}


class Act(msgspec.Struct, frozen=True):
    """One button of a campaign's page: a form that posts, or a link to a question."""

    words: str
    path: str
    sign: str
    kind: str = ""
    posts: bool = True


def _acts(campaign: Campaign, *, may_send: bool) -> list[Act]:
    acts = _acts_of_sending(campaign) if may_send else []
    if campaign.started_at is None:
        return acts
    correct = Act(_("Send a correction"), "/correction", "megaphone", posts=False)
    return [*acts[:1], correct, *acts[1:]]  # stopping for good stays at the end


def _calls(campaign: Campaign, *, may_call: bool) -> list[Act]:
    """Offer to call who has not read an alert."""
    if not may_call or not campaign.is_urgent or campaign.started_at is None:
        return []
    return [Act(_("Call who has not read it"), "/unread", "phone", posts=False)]


def _acts_of_sending(campaign: Campaign) -> list[Act]:
    stop = Act(_("Stop for good"), "/cancel", "octagon-x", "danger", posts=False)
    match campaign.state:
        case CampaignState.SCHEDULED:
            return [Act(_("Undo, back to draft"), "/call-off", "undo-2", "go")]
        case CampaignState.SENDING:
            return [Act(_("Pause"), "/pause", "pause"), stop]
        case CampaignState.PAUSED:
            return [Act(_("Go on"), "/resume", "play", "go"), stop]
        case CampaignState.HELD:
            return [Act(_("Release it"), "/release", "play", "go"), stop]
        case _:
            return []


class Standstill(msgspec.Struct, frozen=True):
    """Why a campaign does not go on by itself, or not now."""

    kind: str
    title: str
    words: str


async def _standstill(work: Work, campaign: Campaign) -> Standstill | None:
    match campaign.state:
        case CampaignState.PAUSED:
            waits = _("Nobody else is written to until somebody lets it go on.")
            return Standstill("warn", _("Paused."), campaign.reason or waits)
        case CampaignState.HELD:
            return Standstill("danger", _("Held until you release it."), campaign.reason)
        case CampaignState.SCHEDULED | CampaignState.SENDING:
            return await _nobody_works(work) or _waits(campaign)
        case _:
            return None


async def _nobody_works(work: Work) -> Standstill | None:
    """Say that the process that sends is not there: from here nobody could tell otherwise."""
    seen_at = await deliveries.last_heartbeat(work)
    if seen_at is not None and work.now - seen_at < SILENT:
        return None
    words = _("The part of Rollcall that sends is not running. Tell whoever runs your server.")
    if seen_at is not None:
        seen = _("It was last seen on %(when)s UTC.") % {"when": shortly(seen_at)}
        words = f"{words} {seen}"
    return Standstill("danger", _("Nothing is sent at the moment."), words)


def _waits(campaign: Campaign) -> Standstill | None:
    if campaign.state is CampaignState.SENDING and campaign.reason:
        return Standstill("warn", _("It waits, and goes on by itself."), campaign.reason)
    return None


def _effects(campaign: Campaign, progress: Progress) -> list[str]:
    """Say what the buttons will do, with the number of people they do it to."""
    waiting = progress.waiting
    count = {"count": number(waiting)}
    stop = ngettext(
        "Stop for good leaves out the one person who waits. What has gone cannot be taken back.",
        "Stop for good leaves out the %(count)s who wait. What has gone cannot be taken back.",
        waiting,
    )
    match campaign.state:
        case CampaignState.SCHEDULED:
            return [_("Undo makes it a draft again. Who gets it is counted afresh the next time.")]
        case CampaignState.SENDING:
            act = ngettext(
                "Pause keeps one person waiting, and you can go on later.",
                "Pause keeps %(count)s people waiting, and you can go on later.",
                waiting,
            )
        case CampaignState.PAUSED:
            act = ngettext(
                "Go on writes to the one person who waits.",
                "Go on writes to the %(count)s people who wait.",
                waiting,
            )
        case CampaignState.HELD:
            act = ngettext(
                "Release lets it go to the one person who waits.",
                "Release lets it go to the %(count)s people who wait.",
                waiting,
            )
        case _:
            return []
    return [act % count, stop % count]


async def _moves(work: Work, campaign: Campaign) -> list[dict[str, Any]]:
    moved, answered = (
        await tiers.through(work, campaign.no),
        await answers.through(work, campaign.no),
    )
    counts = {
        _("Said yes to what it asks"): answered.pledged,
        _("Have done it"): answered.done,
        _("Need help with it"): answered.blocked,
        _("Said that it is not for them"): answered.declined,
        _("Stepped up"): moved.ups,
        _("Stepped down"): moved.downs,
        _("Asked for a level that somebody has to agree to"): moved.requests,
    }
    return counting.by_name(counts) if any(counts.values()) else []


async def _readings(work: Work, campaign: Campaign) -> list[tuple[str, str]]:
    """Give where it can be read: as it was sent in each language, and in the archive."""
    revision = await campaigns.newest_revision(work, campaign)
    written = [
        (_("The email in %(language)s") % {"language": language_name(code)}, code)
        for code, words in (revision.document if revision else {}).items()
        if words["markdown"]
    ]
    readings = [(words, at(campaign, f"/preview/{code}")) for words, code in written]
    if first := await first_of(work, campaign):
        readings.append((_("“%(name)s”, which it corrects") % {"name": first.name}, at(first)))
    readings += [
        (_("“%(name)s”, which corrects it") % {"name": one.name}, at(one))
        for one in await campaigns.corrections(work, campaign)
    ]
    if campaign.no in {one.no for one in await campaigns.archive(work)}:
        readings.append((_("Its page in the archive"), f"/n/{campaign.slug}"))
    return readings


# --- figures ------------------------------------------------------------------------------------


class Figure(msgspec.Struct, frozen=True):
    """A number with what it counts, and perhaps a link to whom."""

    term: str
    number: str
    words: str
    href: str = ""


async def _live(work: Work, campaign: Campaign, look: Look, *, by_name: bool) -> dict[str, Any]:
    """Give all that changes while it is sent."""
    progress = look.progress
    done = progress.total - progress.waiting
    is_over = campaign.state in {CampaignState.SENT, CampaignState.CANCELLED}
    standstill = await _standstill(work, campaign)
    return {
        "lives": not is_over or progress.waiting > 0,
        "standstill": standstill,
        "said": _said(work, campaign, progress, done, goes_on=standstill is None),
        "bar": {
            "done": done,
            "total": progress.total,
            "words": _("%(done)s of %(total)s done")
            % {"done": number(done), "total": number(progress.total)},
            "ticks": [number(progress.total * quarter // 4) for quarter in range(5)],
        },
        "figures": [
            Figure(
                figure.term, figure.number, figure.words, figure.href and at(campaign, figure.href)
            )
            if by_name
            else Figure(figure.term, figure.number, figure.words)
            for figure in [*_counts(progress), *_readers(campaign)]
        ],
        "held_back": [_held_back(one) for one in look.held_back],
    }


def _readers(campaign: Campaign) -> list[Figure]:
    """Tell how many said of an alert that they have read it."""
    if not campaign.is_urgent or campaign.started_at is None:
        return []
    return [Figure(_("Read"), number(campaign.readers), _("said so themselves"))]


class Slow(msgspec.Struct, frozen=True):
    """A domain that a campaign is slower for, in words."""

    domain: str
    waiting: str
    pace: str
    words: str


def _held_back(one: HeldBack) -> Slow:
    waiting = {"people": people(one.waiting)}
    pace = ngettext(
        "At most one message a minute",
        "At most %(count)s messages a minute",
        round(one.per_minute),
    ) % {"count": number(round(one.per_minute))}
    since = (
        _("Its servers asked for it on %(when)s UTC.") % {"when": shortly(one.slowed_at)}
        if one.slowed_at
        else _("Somebody here chose so.")
    )
    return Slow(
        domain=one.domain,
        waiting=(_("At least %(people)s wait") if one.or_more else _("%(people)s wait")) % waiting,
        pace=f"{pace}. {since}",
        words=_("“%(said)s”") % {"said": one.words} if one.words else "",
    )


def _counts(progress: Progress) -> list[Figure]:
    states = DeliveryState
    still = progress.of(*IN_TURN)
    figures = [
        (_("Accepted"), states.SENT, _("by their mail servers"), ""),
        (_("Trying again"), states.DEFERRED, _("their server is full or busy"), "again"),
        (_("Refused"), states.REFUSED, _("by their mail servers, for good"), "refused"),
        (_("Given up"), states.FAILED, _("after five days, or left by you"), "given-up"),
        (_("Can’t tell"), states.IN_DOUBT, _("no last word from the server"), ""),
        (_("Left out on the way"), states.SKIPPED, _("left or paused since the count"), "left-out"),
    ]
    counted = [Figure(_("Waiting"), number(still), _("for their turn"))] if still else []
    for term, state, words, fate in figures:
        count = progress.of(state)
        if not count and state is states.FAILED:
            continue
        if not count:
            href = ""
        elif state is states.IN_DOUBT:
            href = "/doubt"
        else:
            href = f"/people?fate={fate}" if fate else ""
        counted.append(Figure(term, number(count), words, href))
    return counted


class Said(msgspec.Struct, frozen=True):
    """The one large figure, and the sentence it begins."""

    number: str
    words: str


def _said(work: Work, campaign: Campaign, progress: Progress, done: int, *, goes_on: bool) -> Said:
    everybody = people(campaign.recipients or 0)
    if campaign.state is CampaignState.SCHEDULED and campaign.send_at:
        left = max(0, round((campaign.send_at - work.now).total_seconds()))
        if left <= SOON:
            words = _("to undo. Then it goes to %(people)s.")
            return Said(f"{left // 60}:{left % 60:02}", words % {"people": everybody})
        words = _("UTC on %(day)s is when it goes to %(people)s. Until then it can be called off.")
        return Said(
            hour(campaign.send_at), words % {"day": day(campaign.send_at), "people": everybody}
        )
    total = {"total": number(progress.total)}
    if progress.of(DeliveryState.SKIPPED):
        words = _("of %(total)s handed over, or left out on the way.") % total
    else:
        words = _("of %(total)s handed over.") % total
    return Said(
        number(done), " ".join([words, *(_outlook(work, campaign, progress) if goes_on else [])])
    )


def _outlook(work: Work, campaign: Campaign, progress: Progress) -> list[str]:
    """Say when it will be done, and what is left then."""
    if campaign.state is not CampaignState.SENDING:
        return []
    outlook = []
    if progress.finish_at:
        pace = {"time": soon(progress.finish_at, work.now), "rate": number(progress.rate)}
        outlook.append(_("Done at about %(time)s UTC, at %(rate)s a minute.") % pace)
    put_off = progress.of(DeliveryState.DEFERRED)
    if put_off and progress.next_try_at and not progress.of(*IN_TURN):
        told = ngettext(
            "One person’s server was busy: it is tried again at about %(time)s UTC.",
            "The servers of %(count)s people were busy: the next is tried again at about"
            " %(time)s UTC.",
            put_off,
        )
        outlook.append(
            told % {"count": number(put_off), "time": soon(progress.next_try_at, work.now)}
        )
    return outlook


HANDLERS = [show_campaign, show_progress]
