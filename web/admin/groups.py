"""Groups: unions, branches and circles; founding one, and renaming it."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.groups import actions
from mailer.groups import store as groups
from mailer.groups.model import Group
from mailer.kit.errors import Forbidden, NotFound
from mailer.kit.i18n import _
from mailer.kit.work import Work
from web.admin.campaigns import Working
from web.admin.telling import number
from web.kit.forms import attempt, read_form
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
    if found is None or found.closed_at is not None:
        raise GroupUnknown
    return found


@get("/groups", opt=gated(Power.SEE_PEOPLE))
async def show_groups(request: Asked, work: Working) -> Template:
    """Show the groups with the number of their members."""
    return await _groups_page(request, work, {"name": "", "place": ""}, errors={})


@post("/groups", opt=gated(Power.CHANGE_PEOPLE))
async def found_group(request: Asked, work: Working) -> Response[Any]:
    """Found a group."""
    form = await read_form(request)
    typed = {"name": form.raw("name"), "place": form.raw("place")}
    async with attempt(work) as tried:
        founded = await actions.found(work, **typed)
    if isinstance(tried.refusal, Forbidden):
        raise tried.refusal
    if tried.refusal:
        return await _groups_page(request, work, typed, errors=tried.errors)
    told = _("%(group)s is founded. Nobody is in it yet.") % {"group": founded.name}
    return redirect("/admin/groups", notice=told)


@get("/groups/{uid:str}", opt=gated(Power.CHANGE_PEOPLE))
async def show_group(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Show a group's name and place for changing."""
    group = await group_at(work, uid)
    return _group_page(request, group, {"name": group.name, "place": group.place}, errors={})


@post("/groups/{uid:str}", opt=gated(Power.CHANGE_PEOPLE))
async def save_group(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Rename a group, or say where it is."""
    group = await group_at(work, uid)
    form = await read_form(request)
    typed = {"name": form.raw("name"), "place": form.raw("place")}
    async with attempt(work) as tried:
        group = await actions.describe(work, group, **typed)
    if tried.refusal:
        return _group_page(request, group, typed, errors=tried.errors)
    return redirect("/admin/groups", notice=_("%(group)s is saved.") % {"group": group.name})


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
                "place": group.place,
                "members": number(members),
            }
            for group, members in await groups.all_groups(work)
        ],
        may_found=may_found,
        is_scoped=work.scope is not None,
        typed=typed,
        errors=errors,
        summary=_summary(errors),
    )


def _group_page(
    request: Asked, group: Group, typed: dict[str, str], *, errors: dict[str, str]
) -> Template:
    return page(
        request,
        "admin/groups/edit.html",
        status=422 if errors else 200,
        name=group.name,
        uid=group.uid,
        typed=typed,
        errors=errors,
        summary=_summary(errors),
    )


def _summary(errors: dict[str, str]) -> list[tuple[str, str, str | None]]:
    labels = {"name": _("Name"), "place": _("Place")}
    return [(field, words, errors.get(field)) for field, words in labels.items()]


HANDLERS = [show_groups, found_group, show_group, save_group]
