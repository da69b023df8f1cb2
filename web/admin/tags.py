"""Tags: making them, renaming them, and closing those that nobody needs."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.kit.errors import Forbidden, NotFound
from mailer.kit.i18n import _
from mailer.kit.work import Work
from mailer.segments import guarding, saving
from mailer.tags import actions
from mailer.tags import store as tags
from mailer.tags.model import Tag
from web.admin.campaigns import Working
from web.admin.telling import people
from web.kit.forms import attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked


class TagUnknown(NotFound):
    """There is no such tag."""


async def tag_at(work: Work, uid: str) -> Tag:
    """Find the tag that an address names, for somebody who may change it."""
    if not actions.may_make(work):
        raise actions.TagsOutOfReach
    found = await tags.by_uid(work, uid)
    if found is None:
        raise TagUnknown
    return found


@get("/tags", opt=gated(Power.SEE_PEOPLE))
async def show_tags(request: Asked, work: Working) -> Template:
    """Show the tags with how many people have each; closed ones by name."""
    return await _tags_page(request, work)


@post("/tags", opt=gated(Power.CHANGE_PEOPLE))
async def make_tag(request: Asked, work: Working) -> Response[Any]:
    """Make a tag."""
    typed = (await read_form(request)).raw("name")
    async with attempt(work) as tried:
        tag = await actions.make(work, name=typed)
    if isinstance(tried.refusal, Forbidden):
        raise tried.refusal
    if tried.refusal:
        return await _tags_page(request, work, typed=typed, errors=tried.errors)
    told = _("There is a tag “%(tag)s”. Put it on people from their page, or on many at once.")
    return redirect("/admin/tags", notice=told % {"tag": tag.name})


@get("/tags/{uid:str}", opt=gated(Power.CHANGE_PEOPLE))
async def show_tag(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Show a tag's name for changing, who has it, and which segments ask for it."""
    tag = await tag_at(work, uid)
    return await _tag_page(request, work, tag, tag.name, errors={})


@post("/tags/{uid:str}", opt=gated(Power.CHANGE_PEOPLE))
async def rename_tag(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Give a tag another name."""
    tag = await tag_at(work, uid)
    typed = (await read_form(request)).raw("name")
    async with attempt(work) as tried:
        tag = await actions.rename(work, tag, name=typed)
    if tried.refusal:
        return await _tag_page(request, work, tag, typed, errors=tried.errors)
    return redirect("/admin/tags", notice=_("The tag is called “%(tag)s”.") % {"tag": tag.name})


@post("/tags/{uid:str}/closing", opt=gated(Power.CHANGE_PEOPLE))
async def close_tag(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Close a tag, unless a segment asks for it, or open it again."""
    tag = await tag_at(work, uid)
    named = {"tag": tag.name}
    if (await read_form(request)).raw("open"):
        await actions.reopen(work, tag)
        return redirect(_at(tag), notice=_("The tag “%(tag)s” is open again.") % named)
    async with attempt(work) as tried:
        await guarding.close_tag(work, tag)
    if tried.refusal:
        return redirect(_at(tag), notice=tried.words, kind="warn")
    told = _("The tag “%(tag)s” is closed. Who has it keeps it.") % named
    return redirect("/admin/tags", notice=told)


def _at(tag: Tag) -> str:
    return f"/admin/tags/{tag.uid}"


async def _tags_page(
    request: Asked, work: Work, *, typed: str = "", errors: dict[str, str] | None = None
) -> Template:
    wrong = errors or {}
    return page(
        request,
        "admin/tags/list.html",
        status=422 if wrong else 200,
        tags=[
            {"uid": tag.uid, "name": tag.name, "people": people(number)}
            for tag, number in await tags.all_tags(work)
        ],
        closed=[(tag.uid, tag.name) for tag in await tags.closed_tags(work)],
        may_make=account_of(request).may(Power.CHANGE_PEOPLE) and actions.may_make(work),
        is_scoped=work.scope is not None,
        typed=typed,
        errors=wrong,
        summary=[("name", _("Name"), wrong.get("name"))],
    )


async def _tag_page(
    request: Asked, work: Work, tag: Tag, typed: str, *, errors: dict[str, str]
) -> Template:
    having = (await tags.how_many_have(work, tag.no)).get(tag.no, 0)
    return page(
        request,
        "admin/tags/edit.html",
        status=422 if errors else 200,
        name=tag.name,
        here=_at(tag),
        closed=tag.closed_at is not None,
        people=people(having),
        segments=[
            (one.name, f"/admin/segments/{one.uid}")
            for one in await saving.users_of(work, ("tag", tag.no))
        ],
        typed=typed,
        errors=errors,
        summary=[("name", _("Name"), errors.get("name"))],
    )


HANDLERS = [show_tags, make_tag, show_tag, rename_tag, close_tag]
