"""Undelivered: who did not get a campaign and why, who may have, and what is done about it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.campaigns.model import Campaign, CampaignState
from mailer.deliveries import doubt, fates, trying_again
from mailer.deliveries import store as deliveries
from mailer.deliveries.fates import Fate
from mailer.deliveries.model import last_word
from mailer.kit.i18n import _, ngettext
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from web.admin.campaigns import Working, at, campaign_at
from web.admin.telling import number, people, shortly
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked

# --- who did not get it -------------------------------------------------------------------------

FATES = {
    "refused": DeliveryState.REFUSED,
    "given-up": DeliveryState.FAILED,
    "again": DeliveryState.DEFERRED,
    "left-out": DeliveryState.SKIPPED,
}
"""The views of the page of names, as they stand in its address."""

Verb = Callable[[Work, Campaign, Sequence[int] | None], Awaitable[int]]

VERBS: dict[str, Verb] = {
    "refused": trying_again.try_refused,
    "given-up": trying_again.try_failed,
}
"""What can be tried again, by view."""


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
    found = await fates.fates(work, campaign, [FATES[fate]], after=after)
    progress = await deliveries.progress(work, campaign)
    can_try = fate in VERBS and campaign.state is not CampaignState.CANCELLED
    all_of_them = await _how_many(work, campaign, fate) if can_try else 0
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
        people=[_waiting(one) if fate == "again" else _person(one) for one in found.rows],
        advice=_advice(fate) if found.rows and (can_try or fate == "again") else "",
        can_try=can_try,
        several=all_of_them > 1,
        again_all=_("Try all %(count)s again") % {"count": number(all_of_them)},
        next=f"?fate={fate}&after={found.next_after}" if found.next_after else "",
        before=f"?fate={fate}" if after else "",
    )


async def _how_many(work: Work, campaign: Campaign, fate: str) -> int:
    """Count whom the button for all is about."""
    refused = fate == "refused"
    which = fates.is_refused() if refused else fates.is_failed(or_left_in_doubt=False)
    return await fates.how_many(work, campaign, which)


def _advice(fate: str) -> str:
    match fate:
        case "refused":
            return _(
                "Most of these addresses do not exist any more. Mail servers think less of those"
                " who try such addresses often. Try again where you know that it was a mistake."
            )
        case "given-up":
            return _(
                "Their mail servers could not take it for five days. Try again, and it is tried for"
                " five days more. Doubts that somebody decided to leave are tried again one by one"
                " only."
            )
        case "again":
            return _("Nothing has to be done. Each is tried again by itself, and then given up.")
        case _:
            return ""


def _person(fate: Fate) -> dict[str, Any]:
    seen = fate.subscriber
    if seen is not None and seen.erased_at is not None:
        seen = None
    return {
        "no": fate.subscriber_no,
        "name": (seen.shown_name or seen.address if seen else "") or _("Somebody without a name"),
        "href": f"/admin/people/{seen.uid}" if seen else "",
        "when": shortly(fate.at) if fate.at else "",
        "state": fate.state.name.lower(),
        "word": last_word(fate.reply),
        "why": "",
    }


def _waiting(fate: Fate) -> dict[str, Any]:
    if fate.due_at is None or fate.until is None:
        return _person(fate)
    told = _("Next try on %(next)s UTC; given up on %(last)s UTC.")
    return {
        **_person(fate),
        "why": told % {"next": shortly(fate.due_at), "last": shortly(fate.until)},
    }


@post("/campaigns/{uid:str}/people", opt=gated(Power.SEND))
async def try_again(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Try again whom it did not reach: one person, those who are ticked, or all of a view."""
    campaign = await campaign_at(work, uid)
    form = await read_form(request)
    fate = form.raw("fate") if form.raw("fate") in VERBS else "refused"
    here = at(campaign, f"/people?fate={fate}")
    answer, numbers = _chosen(form, "again")
    if answer != "again" or numbers == []:
        told = _("Nobody was ticked, so nothing has changed.")
        return redirect(here, notice=told, kind="info")
    count = 0
    async with attempt(work) as tried:
        count = await VERBS[fate](work, campaign, numbers)
    if tried.refusal:
        return redirect(here, notice=tried.words, kind="warn")
    done = ngettext("One is tried again.", "%(count)s are tried again.", count)
    return redirect(at(campaign), notice=done % {"count": number(count)})


def _chosen(form: Form, *singles: str) -> tuple[str, list[int] | None]:
    """Give what is to be done with whom: a person's own button, those who are ticked, or all."""
    answer, chosen = form.raw("answer"), form.many("person")
    for single in singles:
        if form.raw(single):
            answer, chosen = single, [form.raw(single)]
    if answer.endswith("-all"):
        return answer.removesuffix("-all"), None
    return answer, [int(one) for one in chosen if one.isdecimal()]


# --- doubt --------------------------------------------------------------------------------------


@get("/campaigns/{uid:str}/doubt", opt=gated(Power.SEND))
async def show_doubt(
    request: Asked, work: Working, uid: FromPath[str], after: FromQuery[int] = 0
) -> Template:
    """Name those of whom nobody can tell whether it arrived."""
    campaign = await campaign_at(work, uid)
    found = await fates.doubts(work, campaign, after=after)
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
    answer, numbers = _chosen(await read_form(request), "leave", "again")
    if numbers == [] or answer not in {"leave", "again"}:
        told = _("Nobody was ticked, so nothing has changed.")
        return redirect(at(campaign, "/doubt"), notice=told, kind="info")
    decided = ""
    async with attempt(work) as tried:
        decided = await _decide(work, campaign, numbers, again=answer == "again")
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


HANDLERS = [show_people, try_again, show_doubt, decide]
