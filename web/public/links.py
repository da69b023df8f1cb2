"""Links in mails: `/l/TOKEN`. Opening one changes nothing; one of its named buttons does.

Mail scanners open every link, and some send the forms they find. So a page asks in one form, whose
first button says no; what is sent without the name of a button does nothing; and saying yes twice
is saying yes once. After a yes the browser is led to a page that shows what is so now, which may be
loaded again and again, and holds the undo.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.types import ControllerRouterHandler

from mailer.kit.i18n import _
from mailer.kit.tokens import LinkUnknown, Purpose
from mailer.kit.work import Work
from web.kit.errors import status_of
from web.kit.forms import attempt, read_form
from web.kit.pages import redirect
from web.kit.security import member_link
from web.kit.sessions import Asked
from web.public import about_me, joining, leaving, preferences, tiers
from web.public.opening import Answer, Opened, at_the_door, unchanged


class Leads(NamedTuple):
    """Where the links of one purpose lead: a page, and what its named buttons do.

    A button's act gives the path of the page that shows what is so after it.
    """

    show: Callable[[Opened], Awaitable[Answer]]
    acts: Mapping[str, Callable[[Opened], Awaitable[str]]] = {}


LEADS: dict[Purpose, Leads] = {
    Purpose.CONFIRM: Leads(
        joining.show_confirmation, {"yes": joining.confirm, "decline": joining.decline}
    ),
    Purpose.TIER: Leads(tiers.show_step, {"yes": tiers.step, "withdraw": tiers.withdraw}),
    Purpose.STAY: Leads(tiers.show_stay, {"yes": tiers.stay}),
    Purpose.SUGGESTION: Leads(
        tiers.show_suggestion, {"yes": tiers.accept, "decline": tiers.dismiss}
    ),
    Purpose.UNDO_TIER: Leads(tiers.show_move, {"yes": tiers.undo}),
    Purpose.PAUSE: Leads(leaving.show_pause, {"yes": leaving.pause}),
    Purpose.UNDO_PAUSE: Leads(leaving.show_break, {"yes": leaving.resume}),
    Purpose.UNDO_LEAVING: Leads(
        leaving.show_left,
        {"yes": leaving.put_back, "pause": leaving.pause_instead, "lowest": leaving.fewer_instead},
    ),
    Purpose.PREFERENCES: Leads(preferences.show_mailed),
    Purpose.PRIVATE: Leads(preferences.show_private),
    Purpose.ADDRESS: Leads(preferences.show_new_address, {"yes": preferences.confirm_address}),
    Purpose.ALSO_ME: Leads(about_me.show_question, {"yes": about_me.say_yes}),
    Purpose.UNDO_MERGING: Leads(about_me.show_merging, {"yes": about_me.undo_merging}),
    Purpose.UNDO_ADDRESS: Leads(preferences.show_old_address, {"yes": preferences.undo_address}),
}


@get("/l/{token:str}", opt=member_link)
async def look(
    request: Asked,
    work: NamedDependency[SkipValidation[Work]],
    token: FromPath[str],
) -> Answer:
    """Show what the link would do."""
    return await at_the_door(request, work, token, _show, *LEADS)


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


async def _answer(link: Opened) -> Answer:
    chosen = (await read_form(link.request)).text("answer")
    act = LEADS[link.claim.purpose].acts.get(chosen)
    if act is None:
        return unchanged(await _show(link), pressed=chosen == "no")
    async with attempt(link.work) as tried:
        to = await act(link)
    if isinstance(tried.refusal, LinkUnknown):
        raise tried.refusal
    if tried.refusal is not None:
        status = status_of(tried.refusal)
        return link.page("public/links/refused.html", status=status, refusal=tried.words)
    return redirect(to, notice=_("Done."))


HANDLERS: list[ControllerRouterHandler] = [
    look,
    answer,
]
