"""Correcting: a draft for those who got a campaign that was wrong."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from mailer.accounts.model import Power
from mailer.campaigns import correcting
from mailer.campaigns.model import CampaignState
from mailer.deliveries import fates
from mailer.kit.i18n import _
from web.admin.campaigns import Working, at, campaign_at
from web.admin.corrected import still_going
from web.admin.telling import people
from web.kit.forms import attempt
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked


@get("/campaigns/{uid:str}/correction", opt=gated(Power.WRITE))
async def ask_to_correct(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Say what a correction is and who gets it, and ask."""
    first = await campaign_at(work, uid)
    if first.started_at is None:
        return redirect(at(first))
    have_it = await fates.how_many(work, first, fates.may_have_it())
    return page(
        request,
        "admin/campaigns/correct.html",
        campaign=first,
        effects=[
            _("It goes to those who got this campaign, and to nobody else. By now: %(people)s.")
            % {"people": people(have_it)},
            _("Those of whom we can’t tell whether it arrived get it too."),
            _("Whoever has left, paused or was taken off since is left out."),
            _(
                "It begins as a draft with the same words and “Correction:” before the subject."
                " You change it, review it and type the number as always."
            ),
        ],
        still=await still_going(work, first),
        may_stop=account_of(request).may(Power.SEND) and first.may_become(CampaignState.CANCELLED),
    )


@post("/campaigns/{uid:str}/correction", opt=gated(Power.WRITE))
async def begin_correction(work: Working, uid: FromPath[str]) -> Response[Any]:
    """Begin the draft, and lead on to its words."""
    first = await campaign_at(work, uid)
    async with attempt(work) as tried:
        correction = await correcting.correct(work, first)
    if tried.refusal:
        return redirect(at(first), notice=tried.words, kind="warn")
    told = _("A draft with the same words. Say in it what is right.")
    return redirect(at(correction, "/write"), notice=told)


HANDLERS = [ask_to_correct, begin_correction]
