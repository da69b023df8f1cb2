"""Links in mails: `/l/TOKEN`. Opening one changes nothing; one of its named buttons does.

Mail scanners open every link, and some send the forms they find. So a page asks in one form, whose
first button says no; what is sent without the name of a button does nothing; and saying yes twice
is saying yes once. After a yes the browser is led to a page that shows what is so now, which may be
loaded again and again, and holds the undo.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import NamedTuple

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.types import ControllerRouterHandler

from mailer.kit.i18n import _
from mailer.kit.tokens import LinkUnknown, Purpose
from mailer.kit.work import Work
from web.kit.errors import status_of
from web.kit.forms import Tried, attempt, read_form
from web.kit.pages import redirect
from web.kit.security import member_link
from web.kit.sessions import Asked
from web.public import (
    about_me,
    addresses,
    asks,
    joining,
    leaving,
    pledges,
    preferences,
    reading,
    tiers,
)
from web.public.opening import Answer, Opened, at_the_door, unchanged


async def refused(link: Opened, tried: Tried) -> Answer:
    """Say why a button did nothing."""
    assert tried.refusal is not None
    return link.page(
        "public/links/refused.html", status=status_of(tried.refusal), refusal=tried.words
    )


class Leads(NamedTuple):
    """Where the links of one purpose lead: a page, and what its named buttons do.

    A button's act gives the path of the page that shows what is so after it; where it refuses,
    `refused` shows why. `noted` is the page after an answer that looks the same whatever it found.
    """

    show: Callable[[Opened], Awaitable[Answer]]
    acts: Mapping[str, Callable[[Opened], Awaitable[str]]] = {}
    refused: Callable[[Opened, Tried], Awaitable[Answer]] = refused
    noted: Callable[[Opened], Awaitable[Answer]] | None = None


LEADS: dict[Purpose, Leads] = {
    Purpose.CONFIRM: Leads(
        joining.show_confirmation, {"yes": joining.confirm, "decline": joining.decline}
    ),
    Purpose.TIER: Leads(tiers.show_step, {"yes": tiers.step, "withdraw": tiers.withdraw}),
    Purpose.STAY: Leads(tiers.show_stay, {"yes": tiers.stay}),
    Purpose.SUGGESTION: Leads(
        tiers.show_suggestion, {"yes": tiers.accept, "decline": tiers.dismiss}
    ),
    Purpose.UNDO_DISMISSING: Leads(tiers.show_dismissed, {"yes": tiers.take_back_no}),
    Purpose.UNDO_TIER: Leads(tiers.show_move, {"yes": tiers.undo}),
    Purpose.PAUSE: Leads(leaving.show_pause, {"yes": leaving.pause}),
    Purpose.UNDO_PAUSE: Leads(leaving.show_break, {"yes": leaving.resume}),
    Purpose.UNDO_LEAVING: Leads(
        leaving.show_left,
        {
            "yes": leaving.put_back,
            "pause": leaving.pause_instead,
            "lowest": leaving.fewer_instead,
            "urgent": leaving.urgent_instead,
        },
    ),
    Purpose.PREFERENCES: Leads(preferences.show_mailed),
    Purpose.PRIVATE: Leads(preferences.show_private),
    Purpose.ADDRESS: Leads(addresses.show_new_address, {"yes": addresses.confirm_address}),
    Purpose.ALSO_ME: Leads(about_me.show_question, {"yes": about_me.say_yes}),
    Purpose.UNDO_MERGING: Leads(about_me.show_merging, {"yes": about_me.undo_merging}),
    Purpose.UNDO_ADDRESS: Leads(addresses.show_old_address, {"yes": addresses.undo_address}),
    Purpose.ASK: Leads(asks.show_ask, {"yes": asks.say_yes}, asks.refused, asks.show_noted),
    Purpose.ASK_DONE: Leads(
        asks.show_done,
        {"yes": asks.say_done},
        partial(asks.refused, mend=asks.show_done),
        asks.show_noted,
    ),
    Purpose.ASK_HELP: Leads(
        asks.show_help,
        {"yes": asks.ask_for_help},
        partial(asks.refused, mend=asks.show_help),
        asks.show_noted,
    ),
    Purpose.ASK_DECLINE: Leads(
        asks.show_decline, {"yes": asks.decline}, asks.refused, asks.show_noted
    ),
    Purpose.REPORT: Leads(
        pledges.show_report,
        {
            "yes": pledges.report_done,
            "later": pledges.report_later,
            "help": pledges.report_help,
            "withdraw": pledges.take_back,
        },
        partial(asks.refused, mend=pledges.show_report),
        pledges.show_noted,
    ),
    Purpose.UNDO_PLEDGE: Leads(pledges.show_answer, {"yes": pledges.undo}, asks.refused),
    Purpose.READ: Leads(
        reading.show_alert,
        {"yes": reading.say_read, "back": reading.take_back},
        noted=reading.show_noted,
    ),
}


@get("/l/{token:str}", opt=member_link)
async def look(
    request: Asked,
    work: NamedDependency[SkipValidation[Work]],
    token: FromPath[str],
) -> Answer:
    """Show what the link would do."""
    return await at_the_door(request, work, token, _show, *LEADS)


@get("/l/{token:str}/noted", opt=member_link)
async def look_after(
    request: Asked,
    work: NamedDependency[SkipValidation[Work]],
    token: FromPath[str],
) -> Answer:
    """Thank for an answer; the page is the same whatever was answered before."""
    return await at_the_door(request, work, token, _show_noted, *LEADS)


@post("/l/{token:str}", opt=member_link, status_code=200)
async def answer(
    request: Asked,
    work: NamedDependency[SkipValidation[Work]],
    token: FromPath[str],
) -> Answer:
    """Do what the button says that was pressed; without one do nothing."""
    return await at_the_door(request, work, token, _answer, *LEADS)


async def _show(link: Opened) -> Answer:
    return await LEADS[link.claim.purpose].show(link)


async def _show_noted(link: Opened) -> Answer:
    noted = LEADS[link.claim.purpose].noted
    if noted is None:
        raise LinkUnknown
    return await noted(link)


async def _answer(link: Opened) -> Answer:
    chosen = (await read_form(link.request)).text("answer")
    leads = LEADS[link.claim.purpose]
    act = leads.acts.get(chosen)
    if act is None:
        return unchanged(await _show(link), pressed=chosen == "no")
    async with attempt(link.work) as tried:
        to = await act(link)
    if isinstance(tried.refusal, LinkUnknown):
        raise tried.refusal
    if tried.refusal is not None:
        return await leads.refused(link, tried)
    return redirect(to, notice=_("Done."))


HANDLERS: list[ControllerRouterHandler] = [
    look,
    look_after,
    answer,
]
