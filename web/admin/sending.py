"""Sending: how far a campaign has come, how it is stopped, and who did not get it."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts import store as accounts
from mailer.accounts.model import Power
from mailer.campaigns import sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState
from mailer.deliveries import doubt, freezing
from mailer.deliveries import store as deliveries
from mailer.deliveries.model import last_word
from mailer.deliveries.store import Fate, Progress
from mailer.kit.i18n import _, ngettext
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.tiers import store as tiers
from web.admin import counting
from web.admin.campaigns import Working, at, campaign_at
from web.admin.telling import day, hour, language_name, moment, number, people, shortly
from web.kit.forms import attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked, visit_of

SOON = 3600
"""So many seconds before it begins, the page counts them down."""


@get("/campaigns/{uid:str}", opt=gated(Power.WRITE))
async def show_campaign(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Show a campaign as it stands: its words while it is a draft, else how far it has come."""
    campaign = await campaign_at(work, uid)
    may_send = account_of(request).may(Power.SEND)
    if campaign.is_editable:
        return redirect(at(campaign, "/write"))
    if campaign.state is CampaignState.FROZEN and may_send:
        return redirect(at(campaign, "/review"))
    progress = await deliveries.progress(work, campaign)
    return page(
        request,
        "admin/campaigns/standing.html",
        campaign=campaign,
        told=await _told(work, campaign),
        acts=_acts(campaign) if may_send else [],
        standstill=_standstill(campaign),
        effects=_effects(campaign, progress) if may_send else [],
        who=counting.who_gets_it(campaign),
        reasons=counting.by_reason(await deliveries.why_skipped(work, campaign)),
        moves=await _moves(work, campaign),
        readings=await _readings(work, campaign),
        **_figures(work, campaign, progress, by_name=may_send),
    )


@get("/campaigns/{uid:str}/progress", opt=gated(Power.WRITE))
async def show_progress(
    request: Asked, work: Working, uid: FromPath[str], seen: FromQuery[str] = ""
) -> Template:
    """Give the figures alone, for the page that asks again and again.

    Where the campaign has gone on to another state, the whole page is another: htmx is told so.
    """
    campaign = await campaign_at(work, uid)
    progress = await deliveries.progress(work, campaign)
    by_name = account_of(request).may(Power.SEND)
    answer = page(
        request,
        "admin/campaigns/_live.html",
        **_figures(work, campaign, progress, by_name=by_name),
    )
    if seen and seen != campaign.state.value:
        answer.headers["hx-refresh"] = "true"
    return answer


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


def _acts(campaign: Campaign) -> list[Act]:
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
    """Why a campaign does not go on by itself."""

    kind: str
    title: str
    words: str


def _standstill(campaign: Campaign) -> Standstill | None:
    match campaign.state:
        case CampaignState.PAUSED:
            waits = _("Nobody else is written to until somebody lets it go on.")
            return Standstill("warn", _("Paused."), campaign.reason or waits)
        case CampaignState.HELD:
            return Standstill("danger", _("Held until you release it."), campaign.reason)
        case _:
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
    moved = await tiers.through(work, campaign.no)
    counts = {
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


def _figures(
    work: Work, campaign: Campaign, progress: Progress, *, by_name: bool
) -> dict[str, Any]:
    done = progress.total - progress.waiting
    is_over = campaign.state in {CampaignState.SENT, CampaignState.CANCELLED}
    return {
        "lives": not is_over or progress.waiting > 0,
        "said": _said(work, campaign, progress, done),
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
            for figure in _counts(progress)
        ],
    }


def _counts(progress: Progress) -> list[Figure]:
    states = DeliveryState
    still = progress.of(states.QUEUED, states.CLAIMED, states.SENDING)
    figures = [
        (_("Accepted"), states.SENT, _("by their mail servers"), ""),
        (_("Trying again"), states.DEFERRED, _("their server is full or busy"), "again"),
        (_("Refused"), states.REFUSED, _("by their mail servers, for good"), "refused"),
        (_("Given up"), states.FAILED, _("after many tries, or left by you"), "given-up"),
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


def _said(work: Work, campaign: Campaign, progress: Progress, done: int) -> Said:
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
    if campaign.state is CampaignState.SENDING and progress.finish_at:
        pace = {"time": hour(progress.finish_at), "rate": number(progress.rate)}
        words += " " + _("Done at about %(time)s UTC, at %(rate)s a minute.") % pace
    return Said(number(done), words)


# --- stopping and going on ----------------------------------------------------------------------


@post("/campaigns/{uid:str}/call-off", opt=gated(Power.SEND))
async def call_off(work: Working, uid: FromPath[str]) -> Response[Any]:
    """Undo the confirmation: a draft again, and nothing has left."""
    campaign = await campaign_at(work, uid)
    return await _done(
        work,
        campaign,
        lambda: freezing.unfreeze(work, campaign),
        _("Called off. It is a draft again, and nothing has left."),
    )


@post("/campaigns/{uid:str}/pause", opt=gated(Power.SEND))
async def pause(work: Working, uid: FromPath[str]) -> Response[Any]:
    """Hold back those who wait."""
    campaign = await campaign_at(work, uid)
    return await _done(
        work,
        campaign,
        lambda: sending.pause(work, campaign),
        _("Paused. What is being handed over at this moment still arrives."),
    )


@post("/campaigns/{uid:str}/resume", opt=gated(Power.SEND))
async def resume(work: Working, uid: FromPath[str]) -> Response[Any]:
    """Go on with those who wait."""
    campaign = await campaign_at(work, uid)
    return await _done(work, campaign, lambda: sending.resume(work, campaign), _("It goes on."))


@post("/campaigns/{uid:str}/release", opt=gated(Power.SEND))
async def release(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Let a held campaign go; if it had not begun, there is time to undo again."""
    campaign = await campaign_at(work, uid)
    undo_seconds = visit_of(request).house.settings.undo_seconds
    return await _done(
        work,
        campaign,
        lambda: sending.release(work, campaign, undo_seconds=undo_seconds),
        _("Released."),
    )


@get("/campaigns/{uid:str}/cancel", opt=gated(Power.SEND))
async def ask_to_cancel(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Say what stopping for good would do, and ask."""
    campaign = await campaign_at(work, uid)
    if not campaign.may_become(CampaignState.CANCELLED):
        return redirect(at(campaign))
    progress = await deliveries.progress(work, campaign)
    gone = progress.of(DeliveryState.SENT, DeliveryState.REFUSED, DeliveryState.IN_DOUBT)
    return page(
        request,
        "admin/campaigns/stop.html",
        campaign=campaign,
        effects=[
            ngettext(
                "One person who waits will never get it.",
                "%(count)s people who wait will never get it.",
                progress.waiting,
            )
            % {"count": number(progress.waiting)},
            ngettext(
                "To one person it has been handed over; that cannot be taken back.",
                "To %(count)s people it has been handed over; that cannot be taken back.",
                gone,
            )
            % {"count": number(gone)},
            _("It cannot be taken up again. If you are not sure, pause it instead."),
        ],
    )


@post("/campaigns/{uid:str}/cancel", opt=gated(Power.SEND))
async def cancel(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Stop for good, if that is the answer."""
    campaign = await campaign_at(work, uid)
    if (await read_form(request)).raw("answer") != "yes":
        return redirect(at(campaign), notice=_("Nothing has changed."), kind="info")
    return await _done(
        work,
        campaign,
        lambda: sending.cancel(work, campaign),
        _("Stopped for good. Those who waited will not get it."),
    )


async def _done(
    work: Work, campaign: Campaign, verb: Callable[[], Awaitable[object]], notice: str
) -> Response[Any]:
    """Do it, and lead back to the campaign, which says what was done or why it was not.

    Somebody else or the worker may have been faster; then the page shows what is so now.
    """
    async with attempt(work) as tried:
        await verb()
    if tried.refusal:
        return redirect(at(campaign), notice=tried.words, kind="warn")
    return redirect(at(campaign), notice=notice)


# --- who did not get it -------------------------------------------------------------------------

FATES = {
    "refused": DeliveryState.REFUSED,
    "given-up": DeliveryState.FAILED,
    "again": DeliveryState.DEFERRED,
    "left-out": DeliveryState.SKIPPED,
}
"""The views of the page of names, as they stand in its address."""


@get("/campaigns/{uid:str}/people", opt=gated(Power.SEND))
async def show_people(
    request: Asked,
    work: Working,
    uid: FromPath[str],
    fate: FromQuery[str] = "refused",
    after: FromQuery[int] = 0,
) -> Template:
    """Name those who did not get it, and why."""
    campaign = await campaign_at(work, uid)
    fate = fate if fate in FATES else "refused"
    found = await deliveries.fates(work, campaign, [FATES[fate]], after=after)
    progress = await deliveries.progress(work, campaign)
    titles = {
        "refused": _("Refused"),
        "given-up": _("Given up"),
        "again": _("Trying again"),
        "left-out": _("Left out on the way"),
    }
    return page(
        request,
        "admin/campaigns/people.html",
        campaign=campaign,
        told=_("Of %(people)s who were counted.") % {"people": people(progress.total)},
        fate=fate,
        fates=[
            (slug, f"{title} {number(progress.of(FATES[slug]))}", f"?fate={slug}")
            for slug, title in titles.items()
        ],
        people=[_person(one) for one in found.rows],
        next=f"?fate={fate}&after={found.next_after}" if found.next_after else "",
        before=f"?fate={fate}" if after else "",
    )


def _person(fate: Fate) -> dict[str, Any]:
    seen = fate.subscriber
    return {
        "no": fate.subscriber_no,
        "name": (seen.shown_name or seen.address if seen else "") or _("Somebody without a name"),
        "href": f"/admin/people/{seen.uid}" if seen else "",
        "when": shortly(fate.at) if fate.at else "",
        "state": fate.state.name.lower(),
        "word": last_word(fate.reply),
    }


# --- doubt --------------------------------------------------------------------------------------


@get("/campaigns/{uid:str}/doubt", opt=gated(Power.SEND))
async def show_doubt(
    request: Asked, work: Working, uid: FromPath[str], after: FromQuery[int] = 0
) -> Template:
    """Name those of whom nobody can tell whether it arrived."""
    campaign = await campaign_at(work, uid)
    found = await deliveries.doubts(work, campaign, after=after)
    progress = await deliveries.progress(work, campaign)
    count = progress.of(DeliveryState.IN_DOUBT)
    told = _("%(count)s of %(people)s. The line broke before their mail server gave its last word.")
    everyone = {"count": number(count)}
    return page(
        request,
        "admin/campaigns/doubt.html",
        campaign=campaign,
        told=told % {"count": number(count), "people": people(progress.total)} if count else "",
        people=[{**_person(one), **_doubtful(one)} for one in found.rows],
        several=count > 1,
        leave_all=_("Leave all %(count)s") % everyone,
        again_all=_("Send again to all %(count)s") % everyone,
        next=f"?after={found.next_after}" if found.next_after else "",
        before=at(campaign, "/doubt") if after else "",
    )


def _doubtful(fate: Fate) -> dict[str, str]:
    """Say the server's last word, and what we know from experience about such an end."""
    if not fate.reply:
        return {
            "word": _("None after the text was handed over"),
            "why": _("The line broke. Most of these arrive."),
        }
    said = last_word(fate.reply)
    if said != fate.reply:
        return {"word": said, "why": _("We had begun to send, and lost the note of its end.")}
    return {"word": _("“%(said)s”") % {"said": said}, "why": ""}


@post("/campaigns/{uid:str}/doubt", opt=gated(Power.SEND))
async def decide(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Send again or leave: one person, those who are ticked, or all."""
    campaign = await campaign_at(work, uid)
    form = await read_form(request)
    answer, chosen = form.raw("answer"), form.many("person")
    for single in ("leave", "again"):
        if form.raw(single):
            answer, chosen = single, [form.raw(single)]
    everyone = answer.endswith("-all")
    numbers = None if everyone else [int(one) for one in chosen if one.isdecimal()]
    if numbers == [] or answer.removesuffix("-all") not in {"leave", "again"}:
        told = _("Nobody was ticked, so nothing has changed.")
        return redirect(at(campaign, "/doubt"), notice=told, kind="info")
    decided = ""
    async with attempt(work) as tried:
        decided = await _decide(work, campaign, numbers, again=answer.startswith("again"))
    return redirect(
        at(campaign, "/doubt"),
        notice=decided or tried.words,
        kind="warn" if tried.refusal else "ok",
    )


async def _decide(work: Work, campaign: Campaign, numbers: list[int] | None, *, again: bool) -> str:
    if again:
        count = await doubt.send_again(work, campaign, numbers)
        told = ngettext("One is sent again.", "%(count)s are sent again.", count)
    else:
        count = await doubt.dismiss(work, campaign, numbers)
        told = ngettext("One is left as it is.", "%(count)s are left as they are.", count)
    return told % {"count": number(count)}


HANDLERS = [
    show_campaign,
    show_progress,
    call_off,
    pause,
    resume,
    release,
    ask_to_cancel,
    cancel,
    show_people,
    show_doubt,
    decide,
]
