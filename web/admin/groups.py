"""Groups: unions, branches and circles; founding one, changing it, and closing it."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.groups import actions
from mailer.groups import store as groups
from mailer.groups.model import Group, GroupKind
from mailer.groups.words import KINDS
from mailer.kit.errors import Forbidden, NotFound
from mailer.kit.i18n import _
from mailer.kit.work import Work
from mailer.segments import guarding, saving
from web.admin.campaigns import Working
from web.admin.telling import number
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked


class GroupUnknown(NotFound):
    """There is no such group."""


async def group_at(work: Work, uid: str) -> Group:
    """Find the group that an address names, for somebody who may change it."""
    if not actions.may_found(work):
        raise actions.FoundingOutOfReach
    found = await groups.by_uid(work, uid)
    if found is None:
        raise GroupUnknown
    return found


@get("/groups", opt=gated(Power.SEE_PEOPLE))
async def show_groups(request: Asked, work: Working) -> Template:
    """Show the groups with the number of their members."""
    return await _groups_page(request, work, dict.fromkeys(ASKED, ""), errors={})


@post("/groups", opt=gated(Power.CHANGE_PEOPLE))
async def found_group(request: Asked, work: Working) -> Response[Any]:
    """Found a group."""
    form = await read_form(request)
    async with attempt(work) as tried:
        founded = await actions.found(work, **_said(form))
    if isinstance(tried.refusal, Forbidden):
        raise tried.refusal
    if tried.refusal:
        return await _groups_page(request, work, _typed(form), errors=tried.errors)
    told = _("%(group)s is founded. Nobody is in it yet.") % {"group": founded.name}
    return redirect("/admin/groups", notice=told)


@get("/groups/{uid:str}", opt=gated(Power.CHANGE_PEOPLE))
async def show_group(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Show what is known of a group itself, for changing."""
    group = await group_at(work, uid)
    known = {
        "name": group.name,
        "place": group.place,
        "kind": group.kind.value if group.kind else "",
        "sector": group.sector,
        "size": "" if group.size is None else str(group.size),
    }
    return await _group_page(request, work, group, known, errors={})


@post("/groups/{uid:str}", opt=gated(Power.CHANGE_PEOPLE))
async def save_group(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Rename a group, or say where it is and what sort of group it is."""
    group = await group_at(work, uid)
    form = await read_form(request)
    async with attempt(work) as tried:
        group = await actions.describe(work, group, **_said(form))
    if tried.refusal:
        return await _group_page(request, work, group, _typed(form), errors=tried.errors)
    return redirect("/admin/groups", notice=_("%(group)s is saved.") % {"group": group.name})


@post("/groups/{uid:str}/closing", opt=gated(Power.CHANGE_PEOPLE))
async def close_group(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Close a group, unless a segment asks for it, or open it again."""
    group = await group_at(work, uid)
    named = {"group": group.name}
    if (await read_form(request)).raw("open"):
        await actions.reopen(work, group)
        return redirect(_at(group), notice=_("%(group)s is open again.") % named)
    async with attempt(work) as tried:
        await guarding.refuse_while_used(work, ("group", group.no))
        await actions.close(work, group)
    if tried.refusal:
        return redirect(_at(group), notice=tried.words, kind="warn")
    told = _("%(group)s is closed. Who is in it stays in it.") % named
    return redirect("/admin/groups", notice=told)


ASKED = ("name", "place", "kind", "sector", "size")


def _said(form: Form) -> dict[str, Any]:
    kind = form.text("kind")
    return {
        "name": form.raw("name"),
        "place": form.raw("place"),
        "kind": GroupKind(kind) if kind in set(GroupKind) else None,
        "sector": form.raw("sector"),
        "size": form.whole("size"),
    }


def _typed(form: Form) -> dict[str, str]:
    return {name: form.raw(name) for name in ASKED}


def _at(group: Group) -> str:
    return f"/admin/groups/{group.uid}"


def _kinds() -> list[tuple[str, str]]:
    return [("", _("Not said")), *((kind.value, _(words)) for kind, words in KINDS.items())]


async def _groups_page(
    request: Asked, work: Work, typed: dict[str, str], *, errors: dict[str, str]
) -> Template:
    may_found = account_of(request).may(Power.CHANGE_PEOPLE) and actions.may_found(work)
    return page(
        request,
        "admin/groups/list.html",
        status=422 if errors else 200,
        groups=[
            {
                "uid": group.uid,
                "name": group.name,
                "kind": _(KINDS[group.kind]) if group.kind else "",
                "place": group.place,
                "members": number(members),
            }
            for group, members in await groups.all_groups(work)
        ],
        closed=[(one.uid, one.name) for one in await groups.closed_groups(work)]
        if may_found
        else [],
        kinds=_kinds(),
        may_found=may_found,
        is_scoped=work.scope is not None,
        typed=typed,
        errors=errors,
        summary=_summary(errors),
    )


async def _group_page(
    request: Asked, work: Work, group: Group, typed: dict[str, str], *, errors: dict[str, str]
) -> Template:
    return page(
        request,
        "admin/groups/edit.html",
        status=422 if errors else 200,
        name=group.name,
        uid=group.uid,
        closed=group.closed_at is not None,
        kinds=_kinds(),
        segments=[
            (one.name, f"/admin/segments/{one.uid}")
            for one in await saving.users_of(work, ("group", group.no))
        ],
        typed=typed,
        errors=errors,
        summary=_summary(errors),
    )


def _summary(errors: dict[str, str]) -> list[tuple[str, str, str | None]]:
    labels = {
        "name": _("Name"),
        "place": _("Place"),
        "sector": _("Sector"),
        "size": _("People in it"),
    }
    return [(field, words, errors.get(field)) for field, words in labels.items()]


HANDLERS = [show_groups, found_group, show_group, save_group, close_group]
