"""Leaving and taking a break. It is as easy as joining, and never argued with.

`/u/TOKEN` stands in the header of every newsletter and works as long as the mail exists, also for
somebody whom we no longer know. A POST of `List-Unsubscribe=One-Click` acts at once (RFC 8058):
that is a mail provider, whose user has just pressed its button. Everybody else is asked.
"""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import FromPath, SkipValidation
from litestar.response import Template
from litestar.types import ControllerRouterHandler

from mailer.consent import actions as consent
from mailer.consent import store as consents
from mailer.consent import urgency
from mailer.consent.model import ConsentRecord, SubscriptionState
from mailer.kit.i18n import _, in_language
from mailer.kit.tokens import LinkExpired, LinkUnknown, Purpose
from mailer.kit.work import Work
from mailer.subscribers import actions as subscribers
from mailer.tiers import actions as tiers
from mailer.tiers import store as ladder
from mailer.tiers.actions import Moved
from mailer.tiers.model import Source
from web.kit.forms import read_form
from web.kit.pages import page, redirect
from web.kit.security import one_click
from web.kit.sessions import Asked
from web.public.opening import (
    PAUSE_DAYS,
    Answer,
    LinkOfATest,
    Opened,
    OwnerGone,
    at_the_door,
    opened,
    unchanged,
)
from web.public.words import day, level_of

ONE_CLICK = [("List-Unsubscribe", "One-Click")]


@get("/u/{token:str}", opt=one_click)
async def look(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Ask whether to leave."""
    return await at_the_door(request, work, token, _ask, Purpose.UNSUBSCRIBE, gone=_gone)


@post("/u/{token:str}", opt=one_click, status_code=200)
async def leave(
    request: Asked, work: NamedDependency[SkipValidation[Work]], token: FromPath[str]
) -> Answer:
    """Leave: at once if a mail provider says so, by a named button if a person does."""
    if list((await request.form()).multi_items()) == ONE_CLICK:
        return await _leave_at_once(request, work, token)
    return await at_the_door(request, work, token, _answer, Purpose.UNSUBSCRIBE, gone=_gone)


async def _leave_at_once(request: Asked, work: Work, token: str) -> Response[str]:
    """Leave the list of the link. No cookie, no redirect, and the same answer every time."""
    try:
        link = await opened(request, work, token, Purpose.UNSUBSCRIBE)
    except (OwnerGone, LinkOfATest):
        return _said(_("You get no more of these emails."))
    except (LinkUnknown, LinkExpired) as refusal:
        return _said(refusal.said(), status=404)
    await _unsubscribe(link, everything=False)
    # 200 also where nothing was left to leave: a provider retries every other answer for days.
    return _said(_("You get no more of these emails."))


def _said(words: str, *, status: int = 200) -> Response[str]:
    return Response(words, status_code=status, media_type=MediaType.TEXT)


def _gone(request: Asked) -> Template:
    """Say to somebody whom we do not know any more that there is nothing to leave."""
    return page(request, "public/leaving/gone.html")


async def _unsubscribe(link: Opened, *, everything: bool) -> ConsentRecord | None:
    list_no = None if everything else link.claim.subject or None
    return await consent.unsubscribe(
        link.work, link.subscriber, list_no=list_no, campaign_no=link.claim.cause
    )


async def _ask(link: Opened) -> Answer:
    """Ask whether to leave the list of the link, or all; who has left already is told so."""
    on = {
        one.list_no
        for one in await consents.subscriptions_of(link.work, link.subscriber.no)
        if one.state != SubscriptionState.UNSUBSCRIBED
    }
    if not on:
        return await _already_off(link)
    its_own = await consents.list_by_no(link.work, link.claim.subject)
    is_one_of_several = its_own is not None and its_own.no in on and len(on) > 1
    lowest = (await ladder.ladder(link.work))[:1]
    return link.page(
        "public/leaving/leave.html",
        list_name=in_language(its_own.name) if its_own and is_one_of_several else "",
        days=PAUSE_DAYS,
        pause=link.link(Purpose.PAUSE),
        lowest=level_of(lowest[0]) if lowest else None,
        lowest_link=link.link(Purpose.TIER, lowest[0].no) if lowest else "",
    )


async def _answer(link: Opened) -> Answer:
    chosen = (await read_form(link.request)).text("answer")
    if chosen not in {"yes", "all"}:
        return unchanged(await _ask(link), pressed=chosen == "no")
    record = await _unsubscribe(link, everything=chosen == "all")
    if record is None:
        return redirect(f"/u/{link.token}")
    return redirect(link.undo(Purpose.UNDO_LEAVING, record.no), notice=_("Done."))


async def _already_off(link: Opened) -> Answer:
    """Show that they are off; without a leaving there never was anything to leave.

    The undo stands on the page after the leaving and in the letter about it, and not here: whoever
    was passed an old mail could otherwise put somebody back who has left.
    """
    taken_back = [
        one for one in await consents.records_of(link.work, link.subscriber.no) if not one.given
    ]
    if not taken_back:
        return _gone(link.request)
    newest = [one for one in taken_back if one.at == taken_back[-1].at]
    return await _show(link, newest, may_undo=False)


# --- after leaving -------------------------------------------------------------------------------


async def show_left(link: Opened) -> Answer:
    """Show that somebody is off, or back, with what can be done about it."""
    records = await consents.leaving(link.work, link.subscriber.no, link.claim.subject)
    if not records:
        raise LinkUnknown
    return await _show(link, list(records), may_undo=True)


async def _show(link: Opened, left: list[ConsentRecord], *, may_undo: bool) -> Answer:
    standing = {
        one.list_no: one.state
        for one in await consents.subscriptions_of(link.work, link.subscriber.no)
    }
    nos = [one.list_no for one in left if one.list_no is not None]
    is_back = any(standing.get(no) == SubscriptionState.CONFIRMED for no in nos)
    urgent = {one.list_no for one in await consents.only_urgent_of(link.work, link.subscriber.no)}
    is_off_all = SubscriptionState.CONFIRMED not in standing.values()
    only = await consents.list_by_no(link.work, nos[0]) if len(nos) == 1 else None
    lowest = (await ladder.ladder(link.work))[:1]
    return link.page(
        "public/leaving/left.html",
        back=is_back,
        only_urgent=not urgent.isdisjoint(nos),
        may_undo=may_undo,
        list_name=in_language(only.name) if only and not is_off_all else "",
        days=PAUSE_DAYS,
        back_on=day(link.pause_ends),
        lowest=level_of(lowest[0]) if lowest else None,
    )


async def put_back(link: Opened) -> str:
    """Undo the leaving."""
    await consent.undo_unsubscribe(link.work, link.subscriber, link.claim.subject)
    return link.here


async def pause_instead(link: Opened) -> str:
    """Undo the leaving, and take a break."""
    await put_back(link)
    return await pause(link)


async def fewer_instead(link: Opened) -> str:
    """Undo the leaving, and step down to where the fewest emails come; the step has an undo too."""
    await put_back(link)
    [lowest, *_higher] = await ladder.ladder(link.work)
    outcome = await tiers.step(
        link.work, link.subscriber, lowest, source=Source.SELF_LINK, campaign_no=link.cause
    )
    return (
        link.undo(Purpose.UNDO_TIER, outcome.change.no) if isinstance(outcome, Moved) else link.here
    )


async def urgent_instead(link: Opened) -> str:
    """Undo the leaving, and hear only what is urgent of the lists that were left."""
    left = await consents.leaving(link.work, link.subscriber.no, link.claim.subject)
    await put_back(link)
    for record in left:
        chosen = await consents.list_by_no(link.work, record.list_no or 0)
        if chosen is not None:
            await urgency.hear_only_urgent(link.work, link.subscriber, chosen)
    return link.here


# --- a pause ------------------------------------------------------------------------------------


async def show_pause(link: Opened) -> Answer:
    """Ask whether to take a break; during one, show it."""
    if link.subscriber.is_paused(link.work.now):
        return _show_break(link, action=link.link(Purpose.UNDO_PAUSE))
    return link.page("public/leaving/pause.html", days=PAUSE_DAYS, back_on=day(link.pause_ends))


async def pause(link: Opened) -> str:
    """Take a break."""
    await subscribers.pause(link.work, link.subscriber, days=PAUSE_DAYS)
    return link.undo(Purpose.UNDO_PAUSE)


async def show_break(link: Opened) -> Answer:
    """Show the break, or that it is over."""
    return _show_break(link, action="")


def _show_break(link: Opened, *, action: str) -> Answer:
    until = link.subscriber.paused_until
    is_on = until is not None and link.subscriber.is_paused(link.work.now)
    return link.page(
        "public/leaving/paused.html",
        action=action,
        back_on=day(until) if until is not None and is_on else None,
    )


async def resume(link: Opened) -> str:
    """End the break."""
    await subscribers.resume(link.work, link.subscriber)
    return link.here


HANDLERS: list[ControllerRouterHandler] = [
    look,
    leave,
]
