"""Levels: what each is called and promises, and who lets people in. Saved all at once.

In the code they are tiers; people, and so the addresses of pages, say levels. Who may write to
everybody says what each level promises, and how often it is written to.
"""

from typing import Any

from litestar import Response, get, post
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.consent import store as consents
from mailer.kit.errors import Invalid
from mailer.kit.i18n import _, in_language, ngettext
from mailer.kit.work import Work
from mailer.tiers import actions
from mailer.tiers import store as tiers
from mailer.tiers.census.counting import Census, census
from mailer.tiers.model import Tier
from web.admin.campaigns import Working
from web.admin.telling import counted_at, number, people
from web.admin.wording import errors_of, filled, id_of, labels, tongues, written
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked

IN_EACH = ("name", "often", "you_get", "we_ask")
PROMISED = ("most_mails", "most_in_days", "minutes")
LONGEST_NUMBER = 6  # digits that are read; what is longer is out of range however it is read


class LevelsToMend(Invalid):
    """Something in the levels needs mending. Nothing was saved."""


@get("/levels", opt=gated(Power.SEE_PEOPLE))
async def show_levels(request: Asked, work: Working) -> Template:
    """Show the levels, for changing to those who may."""
    values: dict[str, str] = {}
    for tier in await tiers.ladder(work):
        values |= _saved(tier)
    return await _levels_page(request, work, values, errors={})


@post("/levels", opt=gated(Power.SEND))
async def save_levels(request: Asked, work: Working) -> Response[Any]:
    """Describe every level, or none: what is wrong in any is shown beside what was typed.

    A button that moves a level saves them first, so that nothing that was typed is lost.
    """
    form = await read_form(request)
    values: dict[str, str] = {}
    errors: dict[str, str] = {}
    async with attempt(work):
        for tier in await tiers.ladder(work):
            values |= _typed(form, tier)
            async with attempt(work) as tried:
                await _describe(work, tier, form)
            errors |= errors_of(tried, *IN_EACH, no=tier.no)
        if errors:
            raise LevelsToMend
    if errors:
        return await _levels_page(request, work, values, errors=errors)
    way, _dash, number_ = form.raw("then").partition("-")
    moving = await tiers.by_no(work, int(number_)) if number_.isdecimal() else None
    if moving is not None and way in {"up", "down"}:
        async with attempt(work) as tried:
            await actions.move_tier(work, moving, up=way == "up")
        if tried.refusal:
            return redirect(
                f"/admin/levels#{moving.slug}",
                notice=_("The levels are saved. %(but)s") % {"but": tried.words},
                kind="warn",
            )
        return redirect(
            f"/admin/levels#{moving.slug}",
            notice=_("The levels are saved, and stand in another order. Nobody has moved."),
        )
    return redirect(
        "/admin/levels",
        notice=_("The levels are saved. Nobody has moved, and nobody gets an email."),
    )


async def _describe(work: Work, tier: Tier, form: Form) -> None:
    lapse = form.raw(id_of("lapse_days", no=tier.no)).strip()
    await actions.describe_tier(
        work,
        tier,
        name=written(form, "name", no=tier.no),
        often=written(form, "often", no=tier.no),
        you_get=written(form, "you_get", no=tier.no),
        we_ask=written(form, "we_ask", no=tier.no),
        most_mails=_whole(form.raw(id_of("most_mails", no=tier.no))),
        most_in_days=_whole(form.raw(id_of("most_in_days", no=tier.no))),
        needs_approval=form.raw(id_of("needs_approval", no=tier.no)) == "yes",
        minutes=_whole(form.raw(id_of("minutes", no=tier.no)), nothing=-1),
        lapse_days=_whole(lapse, nothing=-1) if lapse else None,
        never_lapses=not lapse,
        list_nos=[int(one) for one in form.many(id_of("lists", no=tier.no)) if one.isdecimal()],
    )


def _whole(typed: str, *, nothing: int = 0) -> int:
    """Read a number; what is none is `nothing`, which is out of its range."""
    typed = typed.strip()
    is_number = typed.isascii() and typed.isdecimal() and len(typed) <= LONGEST_NUMBER
    return int(typed) if is_number else nothing


def _saved(tier: Tier) -> dict[str, str]:
    values = {
        id_of("needs_approval", no=tier.no): "yes" if tier.needs_approval else "no",
        **{id_of(field, no=tier.no): str(getattr(tier, field)) for field in PROMISED},
        id_of("lapse_days", no=tier.no): "" if tier.lapse_days is None else str(tier.lapse_days),
        id_of("lists", no=tier.no): " ".join(str(no) for no in tier.list_nos),
    }
    for field in IN_EACH:
        values |= filled(field, getattr(tier, field), no=tier.no)
    return values


def _typed(form: Form, tier: Tier) -> dict[str, str]:
    plain = [id_of(field, no=tier.no) for field in (*PROMISED, "lapse_days", "needs_approval")]
    values = {field: form.raw(field) for field in plain}
    chosen = id_of("lists", no=tier.no)
    values[chosen] = " ".join(form.many(chosen))
    for field in IN_EACH:
        values |= filled(field, written(form, field, no=tier.no), no=tier.no)
    return values


def _counted(work: Work, found: Census) -> str:
    if work.scope is not None:
        return _("On the roll and among those you look after, today.")
    words = _("On the roll today. Who takes a break, or has left, is not counted.")
    return f"{words} {counted_at(found.at)}".strip()


async def _levels_page(
    request: Asked, work: Work, values: dict[str, str], *, errors: dict[str, str]
) -> Template:
    ladder = await tiers.ladder(work)
    found = await census(work)
    lists = {str(one.no): in_language(one.name) for one in await consents.lists(work)}
    may_change = account_of(request).may(Power.SEND)
    return page(
        request,
        "admin/levels/edit.html" if may_change else "admin/levels/show.html",
        status=422 if errors else 200,
        levels=[
            _shown(
                tier,
                people(found.people[tier.no]),
                is_lowest=tier is ladder[0],
                is_highest=tier is ladder[-1],
                lists=lists,
            )
            for tier in reversed(ladder)
        ],
        lists=list(lists.items()),
        counted=_counted(work, found),
        values=values,
        tongues=tongues(),
        promised=_promised(),
        shortest_lapse=actions.SHORTEST_LAPSE,
        longest_lapse=actions.LONGEST_LAPSE,
        doors=[("no", _("Nobody, it is open")), ("yes", _("An organiser approves"))],
        errors=errors,
        summary=[
            (field, _labelled(in_language(tier.name), label), errors.get(field))
            for tier in reversed(ladder)
            for field, label in _labels(tier)
        ],
    )


def _shown(
    tier: Tier, count: str, *, is_lowest: bool, is_highest: bool, lists: dict[str, str]
) -> dict[str, Any]:
    days = ngettext("in one day", "in %(count)s days", tier.most_in_days)
    return {
        "no": tier.no,
        "slug": tier.slug,
        "name": in_language(tier.name),
        "often": in_language(tier.often),
        "gives": in_language(tier.you_get),
        "asks": in_language(tier.we_ask),
        "most": ngettext(
            "One email at most %(days)s", "%(count)s emails at most %(days)s", tier.most_mails
        )
        % {
            "count": number(tier.most_mails),
            "days": days % {"count": number(tier.most_in_days)},
        },
        "door": _("An organiser approves") if tier.needs_approval else _("Nobody, it is open"),
        "people": count,
        "minutes": ngettext("%(count)s minute a month", "%(count)s minutes a month", tier.minutes)
        % {"count": number(tier.minutes)},
        "lapse": _("Never")
        if tier.lapse_days is None or is_lowest
        else ngettext(
            "After %(count)s day without a sign of them",
            "After %(count)s days without a sign of them",
            tier.lapse_days,
        )
        % {"count": number(tier.lapse_days)},
        "lists": ", ".join(lists[str(no)] for no in tier.list_nos if str(no) in lists),
        "is_lowest": is_lowest,
        "is_highest": is_highest,
    }


def _promised() -> list[tuple[str, str, int]]:
    """List the two numbers of a promise: field, label and the most that can be typed."""
    return [
        ("most_mails", _("Emails at most"), actions.MOST_MAILS),
        ("most_in_days", _("In how many days"), actions.MOST_DAYS),
        ("minutes", _("We ask for, in minutes a month"), actions.MOST_MINUTES),
    ]


def _labelled(level: str, label: str) -> str:
    return _("%(level)s: %(label)s") % {"level": level, "label": label}


def _labels(tier: Tier) -> list[tuple[str, str]]:
    return [
        *labels("name", _("Name"), no=tier.no),
        *labels("often", _("How often"), no=tier.no),
        *labels("you_get", _("You get"), no=tier.no),
        *labels("we_ask", _("We ask"), no=tier.no),
        *[(id_of(field, no=tier.no), words) for field, words, _most in _promised()],
        (id_of("lapse_days", no=tier.no), _("Ask whether they are still with us, after days")),
        (id_of("needs_approval", no=tier.no), _("Who lets people in")),
        (id_of("list_nos", no=tier.no), _("Lists that go with it")),
    ]


HANDLERS = [show_levels, save_levels]
