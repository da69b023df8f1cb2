"""Reviewing: who exactly gets a campaign, what was checked, and the confirmation that sends it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts import signing_in
from mailer.accounts.model import Power
from mailer.asks import store as asks
from mailer.asks.offers import store as offers
from mailer.campaigns import sending
from mailer.campaigns import store as campaigns
from mailer.campaigns.model import Campaign, CampaignState, Kind, OnDoubt, Revision
from mailer.consent import store as consent
from mailer.deliveries import forecast, freezing, watching
from mailer.deliveries import store as deliveries
from mailer.kit.errors import Invalid, Refusal
from mailer.kit.i18n import _, in_language, ngettext
from mailer.kit.work import Work
from mailer.organisation import store as organisations
from mailer.segments import store as segments
from mailer.tiers import store as tiers
from web.admin import counting, previewing
from web.admin.campaigns import (
    Working,
    at,
    base_of,
    campaign_at,
    is_writing,
    keep,
    mending_page,
)
from web.admin.corrected import first_of, still_going
from web.admin.telling import about, duration, hour, language_name, number, people, soon
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked, visit_of


class TimeUnclear(Invalid):
    """Choose a day and a time, or send it now."""


@post("/campaigns/{uid:str}/review", opt=gated(Power.SEND))
async def freeze(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Save what was typed, and fix who gets it."""
    campaign = await campaign_at(work, uid)
    form = await read_form(request)
    async with attempt(work) as tried:
        if is_writing(form):
            await keep(work, campaign, form)
        await freezing.review(work, campaign, base=base_of(request))
    if tried.refusal and is_writing(form):
        return await mending_page(request, work, campaign, form, tried.refusal)
    if tried.refusal:
        raise tried.refusal
    return redirect(at(campaign, "/review"))


@get("/campaigns/{uid:str}/review", opt=gated(Power.SEND))
async def show_review(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Show who gets it, why others do not, what was checked, and how to confirm."""
    campaign = await campaign_at(work, uid)
    if campaign.state is not CampaignState.FROZEN:
        return redirect(at(campaign))
    return await _review_page(request, work, campaign, Typed())


@post("/campaigns/{uid:str}/draft", opt=gated(Power.SEND))
async def go_back(work: Working, uid: FromPath[str]) -> Response[Any]:
    """Bring a reviewed campaign back to draft; who gets it is counted afresh at the next review."""
    campaign = await campaign_at(work, uid)
    if not campaign.is_editable:
        await freezing.unfreeze(work, campaign)
    return redirect(at(campaign, "/write"), notice=_("It is a draft again. Nothing has left."))


@post("/campaigns/{uid:str}/schedule", opt=gated(Power.SEND))
async def schedule(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Confirm by the exact number and a fresh code. The same form twice confirms once."""
    campaign = await campaign_at(work, uid)
    if campaign.state in {CampaignState.SCHEDULED, CampaignState.SENDING, CampaignState.SENT}:
        return redirect(at(campaign))
    form = await read_form(request)
    typed = Typed.read(form)
    async with attempt(work) as tried:
        # The number first: a slip in it must not use up the code.
        await sending.schedule(
            work,
            campaign,
            typed=typed.count,
            undo_seconds=visit_of(request).house.settings.undo_seconds,
            send_at=typed.moment(),
        )
        await signing_in.fresh_code(work, account_of(request), form.text("code", limit=40))
    if tried.refusal:
        return await _review_page(request, work, campaign, typed, tried.refusal)
    return redirect(at(campaign))


class Typed(msgspec.Struct, frozen=True):
    """What stands in the form that confirms. The code never comes back."""

    when: str = "now"
    day: str = ""
    hour: str = ""
    count: str = ""

    @classmethod
    def read(cls, form: Form) -> "Typed":
        """Take it from what was sent."""
        when = "later" if form.raw("when") == "later" else "now"
        return cls(when, *(form.raw(name)[:40] for name in ("day", "hour", "count")))

    def moment(self) -> datetime | None:
        """Give when it was asked to begin; None is now."""
        if self.when == "now":
            return None
        try:
            return datetime.fromisoformat(f"{self.day}T{self.hour}").replace(tzinfo=UTC)
        except ValueError as unclear:
            raise TimeUnclear(field="send_at") from unclear


async def _review_page(
    request: Asked, work: Work, campaign: Campaign, typed: Typed, refusal: Refusal | None = None
) -> Template:
    settings = visit_of(request).house.settings
    recipients = campaign.recipients or 0
    first = await first_of(work, campaign)
    field = str(refusal.facts.get("field", "")) if refusal else ""
    words = refusal.said() if refusal else ""
    undo = {"long": duration(settings.undo_seconds)}
    return page(
        request,
        "admin/campaigns/review.html",
        status=422 if refusal else 200,
        campaign=campaign,
        undo_words=_("Nothing has left yet. You have %(long)s to undo after you confirm.") % undo
        if settings.undo_seconds
        else _("Nothing has left yet. It begins as soon as you confirm."),
        undo_hint=_("It begins after %(long)s, in which it can be called off.") % undo
        if settings.undo_seconds
        else _("It begins at once."),
        people=number(recipients),
        audience=await _audience(work, campaign),
        who=await counting.who_gets_it(work, campaign),
        takes=await _takes(work, campaign, settings.undo_seconds),
        first=first,
        still=await still_going(work, first),
        by_language=await _by_language(work, campaign),
        by_tier=await _by_tier(work, campaign),
        found=await _checks(request, work, campaign),
        confirm=ngettext(
            "Schedule for %(count)s person", "Schedule for %(count)s people", recipients
        )
        % {"count": number(recipients)},
        typed=typed,
        today=f"{work.now:%Y-%m-%d}",
        now=hour(work.now),
        errors={field: words} if field in {"count", "code", "send_at"} else {},
        refusal="" if field in {"count", "code", "send_at"} else words,
    )


async def _takes(work: Work, campaign: Campaign, undo_seconds: int) -> str:
    """Say how long it will take, and until when if it is confirmed now."""
    urgent = campaign.kind is Kind.ALERT
    takes = await forecast.how_long(work, campaign.recipients or 0, is_urgent=urgent)
    if takes is None:
        return _("How long it takes can be told once a larger campaign has been sent.")
    done_at = work.now + timedelta(seconds=undo_seconds) + takes
    told = _("It takes about %(long)s: confirmed now, it is done by about %(time)s UTC.")
    return told % {"long": about(takes), "time": soon(done_at, work.now)}


async def _audience(work: Work, campaign: Campaign) -> str:
    if first := await first_of(work, campaign):
        return _("people: those who got “%(name)s”.") % {"name": first.name}
    mailing_list = await consent.list_by_no(work, campaign.list_no) if campaign.list_no else None
    name = in_language(mailing_list.name) if mailing_list else ""
    if campaign.to_everybody:
        return _("people: everybody on %(list)s, whatever their level.") % {"list": name}
    if campaign.segment_no is not None:
        segment = await segments.by_no(work, campaign.segment_no)
        named = {"segment": segment.name if segment else "", "list": name}
        return _("people: those of “%(segment)s” on %(list)s.") % named
    chosen = [tier for tier in await tiers.ladder(work) if tier.no in campaign.tier_nos]
    levels = ", ".join(in_language(tier.name) for tier in chosen)
    return _("people: %(levels)s on %(list)s.") % {"levels": levels, "list": name}


async def _by_language(work: Work, campaign: Campaign) -> str:
    counts = await deliveries.by_language(work, campaign)
    if len(counts) < 2:
        return ""
    told = [
        _("%(count)s in %(language)s") % {"count": number(count), "language": language_name(code)}
        for code, count in sorted(counts.items(), key=lambda one: -one[1])
    ]
    return ", ".join(told) + "."


async def _by_tier(work: Work, campaign: Campaign) -> list[dict[str, Any]]:
    counts = await deliveries.by_tier(work, campaign)
    named = {
        in_language(tier.name): counts[tier.no]
        for tier in reversed(await tiers.ladder(work))
        if tier.no in counts
    }
    without = (campaign.recipients or 0) - sum(counts.values())
    if without > 0:
        named[_("No level chosen")] = without
    return counting.by_name(named) if len(named) > 1 else []


# --- checks -------------------------------------------------------------------------------------


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at before it goes."""

    kind: str
    title: str
    words: str = ""
    href: str = ""
    link: str = ""


async def _checks(request: Asked, work: Work, campaign: Campaign) -> list[Check]:
    revision = await campaigns.newest_revision(work, campaign)
    assert revision is not None  # nothing without words is frozen
    return [
        await _sender(request, work),
        *await _languages(work, campaign, revision),
        *await _faults(request, work, campaign, revision),
        *await _slow(work, campaign),
        *await _asked(work, campaign),
        Check("ok", _("The ways to pause, to change and to leave are in it")),
        Check("ok", _("Nobody gets it twice"), _("Each person has one row, whatever they are on.")),
        _doubt(campaign),
        Check(
            "ok" if campaign.in_archive else "off",
            _("A copy goes into the archive") if campaign.in_archive else _("Not in the archive"),
        ),
    ]


async def _asked(work: Work, campaign: Campaign) -> list[Check]:
    """Say what it asks of whom; of each person's best, how many are asked which, and none."""
    offered = await offers.offers_by(work, campaign.no)
    found = await asks.by_nos(work, offered)
    without = (campaign.recipients or 0) - sum(offered.values())
    if campaign.ask_no is not None:
        chosen = found.get(campaign.ask_no) or await asks.by_no(work, campaign.ask_no)
        assert chosen is not None  # an ask that was open is never thrown away
        return [
            Check(
                "ok" if offered else "warn",
                _("It asks: %(ask)s") % {"ask": in_language(chosen.title)},
                _not_asked(without) if without else "",
            )
        ]
    if not campaign.best_ask:
        return []
    told = [
        _("%(ask)s: %(people)s") % {"ask": in_language(found[no].title), "people": people(count)}
        for no, count in sorted(offered.items(), key=lambda one: -one[1])
    ]
    if without:
        told.append(_("no ask: %(people)s") % {"people": people(without)})
    return [
        Check(
            "ok" if offered else "warn", _("Each is asked what is best for them"), "; ".join(told)
        )
    ]


def _not_asked(count: int) -> str:
    """Say how many get the newsletter without its ask, and why."""
    told = ngettext(
        "%(count)s person gets the newsletter without it: they have answered it, "
        "it is not meant for them, or their level is too low.",
        "%(count)s people get the newsletter without it: they have answered it, "
        "it is not meant for them, or their level is too low.",
        count,
    )
    return told % {"count": number(count)}


async def _sender(request: Asked, work: Work) -> Check:
    organisation = await organisations.the_one(work)
    if organisation.may_send:
        sender = f"{organisation.sender_name or organisation.name} <{organisation.sender_address}>"
        return Check("ok", _("The sender and the postal address are set"), sender)
    may_mend = account_of(request).may(Power.SETTINGS)
    return Check(
        "danger",
        _("The sender or the postal address is missing"),
        _("Nothing is sent without them."),
        href="/admin/organisation" if may_mend else "",
        link=_("Say who you are"),
    )


async def _languages(work: Work, campaign: Campaign, revision: Revision) -> list[Check]:
    written = [code for code, words in revision.document.items() if words["markdown"]]
    counts = await deliveries.by_language(work, campaign)
    lacking = {
        code: count
        for code, count in counts.items()
        if code.split("-", maxsplit=1)[0] not in written
    }
    if not lacking:
        return [Check("ok", _("Everybody gets it in their own language"))]
    first = language_name(written[0])
    return [
        Check(
            "warn",
            _("It is not written in %(language)s") % {"language": language_name(code)},
            ngettext(
                "%(count)s person gets it in %(language)s.",
                "%(count)s people get it in %(language)s.",
                count,
            )
            % {"count": number(count), "language": first},
        )
        for code, count in lacking.items()
    ]


async def _faults(
    request: Asked, work: Work, campaign: Campaign, revision: Revision
) -> list[Check]:
    reader = await previewing.sample(work, tier="", name="known")
    found = []
    for code, words in revision.document.items():
        if words["markdown"]:
            seen = await previewing.see(
                work, campaign, revision, code, reader, base=base_of(request)
            )
            found += [Check("warn", fault, language_name(code)) for fault in seen.preview.faults]
    return found or [Check("ok", _("The email reads well, also without pictures"))]


async def _slow(work: Work, campaign: Campaign) -> list[Check]:
    """Tell of the domains whose people get it later than that."""
    return [
        Check(
            "warn",
            _("Slower to %(domain)s: %(people)s")
            % {"domain": one.domain, "people": people(one.waiting)},
            _("“%(said)s”") % {"said": one.words} if one.words else _("Somebody here chose so."),
        )
        for one in await watching.held_back(work, campaign)
    ]


def _doubt(campaign: Campaign) -> Check:
    if campaign.on_doubt is OnDoubt.RESEND:
        return Check(
            "ok",
            _("If we can’t tell whether it arrived, it is sent again"),
            _("A few may get it twice."),
        )
    return Check(
        "ok", _("If we can’t tell whether it arrived, we ask you"), _("Nobody gets it twice.")
    )


HANDLERS = [freeze, show_review, go_back, schedule]
