"""Rungs: a level more, and a level that is taken out once nobody stands on it."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.bulk import actions as bulk
from mailer.bulk.model import Deed
from mailer.kit.errors import Conflict, Refusal
from mailer.kit.i18n import _, in_language
from mailer.kit.work import Work
from mailer.segments import saving
from mailer.tiers import actions as tiers
from mailer.tiers import store
from mailer.tiers.actions import TierGone
from mailer.tiers.model import Tier
from web.admin.bulk import at as at_act
from web.admin.campaigns import Working
from web.admin.telling import people
from web.admin.wording import errors_of, filled, labels, tongues, written
from web.kit.forms import Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked


class LevelInUse(Conflict):
    """These segments ask for it: %(segments)s. Change them first."""


@get("/levels/new", opt=gated(Power.SEND))
async def show_new_level(request: Asked) -> Template:
    """Ask for the name of a level, and how often it is written to."""
    return _new_page(request, {**filled("name", {}), **filled("often", {})}, Tried())


@post("/levels/new", opt=gated(Power.SEND))
async def add_level(request: Asked, work: Working) -> Response[Any]:
    """Add a level at the top."""
    form = await read_form(request)
    name, often = written(form, "name"), written(form, "often")
    async with attempt(work) as tried:
        tier = await tiers.add_tier(work, name=name, often=often)
    if tried.refusal:
        return _new_page(request, {**filled("name", name), **filled("often", often)}, tried)
    return redirect(
        f"/admin/levels#{tier.slug}",
        notice=_("The level is there, at the top. Say what it promises, and move it down."),
    )


def _new_page(request: Asked, values: dict[str, str], tried: Tried) -> Template:
    errors = errors_of(tried, "name", "often")
    return page(
        request,
        "admin/levels/new.html",
        status=422 if tried.refusal else 200,
        values=values,
        tongues=tongues(),
        errors=errors,
        refusal=errors.get("", ""),
        summary=[
            (field, label, errors.get(field))
            for field, label in [*labels("name", _("Name")), *labels("often", _("How often"))]
        ],
    )


@get("/levels/{slug:str}/closing", opt=gated(Power.SEND))
async def show_closing(request: Asked, work: Working, slug: FromPath[str]) -> Template:
    """Ask whether to take a level out; where people stand on it, ask where they go and why."""
    return await _closing_page(request, work, await _level(work, slug), Tried())


@post("/levels/{slug:str}/closing", opt=gated(Power.SEND))
async def close_level(request: Asked, work: Working, slug: FromPath[str]) -> Response[Any]:
    """Take a level out, or count who would be moved from it first."""
    tier = await _level(work, slug)
    form = await read_form(request)
    match form.raw("do"):
        case "close":
            async with attempt(work) as tried:
                await _ask_for_segments(work, tier)
                await tiers.close_tier(work, tier)
            if tried.refusal:
                return await _closing_page(request, work, tier, tried)
            return redirect("/admin/levels", notice=_("The level is taken out."))
        case "move":
            async with attempt(work) as tried:
                act = await bulk.propose(
                    work,
                    Deed.TIER,
                    {"tier": form.whole("tier") or 0, "reason": form.text("reason", limit=300)},
                    tree={"all": [{"is": "tier", "how": "is", "tier": str(tier.no)}]},
                )
            if tried.refusal:
                return await _closing_page(
                    request, work, tier, tried, reason=form.raw("reason"), to=form.raw("tier")
                )
            return redirect(at_act(act))
        case _:
            return redirect("/admin/levels", notice=_("Nothing has changed."), kind="info")


async def _ask_for_segments(work: Work, tier: Tier) -> None:
    users = await saving.users_of(work, ("tier", tier.no))
    if users:
        raise LevelInUse(segments=", ".join(one.name for one in users))


async def _level(work: Work, slug: str) -> Tier:
    tier = await store.by_slug(work, slug)
    if tier is None or tier.closed_at is not None:
        raise TierGone
    return tier


async def _closing_page(
    request: Asked, work: Work, tier: Tier, tried: Tried, *, reason: str = "", to: str = ""
) -> Template:
    count = (await store.everybody_on(work))[tier.no]
    errors = tried.errors
    refusal: Refusal | None = tried.refusal
    about_field = bool(errors.keys() & {"tier", "reason"})
    return page(
        request,
        "admin/levels/closing.html",
        status=422 if refusal else 200,
        name=in_language(tier.name),
        here=f"/admin/levels/{tier.slug}/closing",
        count=count,
        people=people(count),
        others=[
            (str(one.no), in_language(one.name))
            for one in await store.ladder(work)
            if one.no != tier.no
        ],
        reason=reason,
        to=to,
        errors=errors,
        refusal="" if about_field else tried.words,
        summary=[
            ("tier", _("Move them to"), errors.get("tier")),
            ("reason", _("Why"), errors.get("reason")),
        ],
    )


HANDLERS = [show_new_level, add_level, show_closing, close_level]
