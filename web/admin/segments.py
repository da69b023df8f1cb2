"""Segments: questions that are kept, with a name: who answers them, what goes by them, and why."""

from typing import Any

from babel.dates import format_date
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts import store as accounts
from mailer.accounts.model import Power
from mailer.campaigns import composing
from mailer.consent import store as lists
from mailer.kit import i18n
from mailer.kit.errors import Refusal
from mailer.kit.i18n import _
from mailer.kit.work import Work
from mailer.records import store as people
from mailer.segments import asking, saving, telling
from mailer.segments import store as segments
from mailer.segments.asking import Tree
from mailer.segments.model import Segment
from mailer.segments.saving import SegmentUnknown
from mailer.segments.telling import Part
from mailer.subscribers import store as subscribers
from web.admin import building
from web.admin.campaigns import Working
from web.admin.campaigns import at as campaign_at
from web.admin.people import at as person_at
from web.admin.people import called
from web.admin.telling import number
from web.admin.telling import people as so_many_people
from web.kit.errors import status_of
from web.kit.forms import Tried, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked

SAMPLE = 8
MOST_FOUND = 10


def at(segment: Segment, more: str = "") -> str:
    """Give the address of a segment's page, or of one of its forms."""
    return f"/admin/segments/{segment.uid}{more}"


async def segment_at(work: Work, uid: str) -> Segment:
    """Find a segment that is in use."""
    found = await segments.by_uid(work, uid)
    if found is None or found.closed_at is not None:
        raise SegmentUnknown
    return found


# --- all of them --------------------------------------------------------------------------------


@get("/segments", opt=gated(Power.SEE_PEOPLE))
async def show_segments(request: Asked, work: Working) -> Template:
    """Show what is asked again and again. How many answer is counted for each by itself."""
    names = await accounts.names(work)
    return page(
        request,
        "admin/segments/list.html",
        segments=[
            {
                "name": one.name,
                "href": at(one),
                "sentence": await telling.sentence(work, one.tree),
                "who": names.get(one.made_by or 0, ""),
                "used": len([use for use in await saving.usages(work, one) if not use.is_over]),
            }
            for one in await segments.all_segments(work)
        ],
        may_change=account_of(request).may(Power.CHANGE_PEOPLE),
    )


@get("/segments/{uid:str}/count", opt=gated(Power.SEE_PEOPLE))
async def show_count(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Count who answers just now: the part of a page that is asked for once it is shown."""
    segment = await segment_at(work, uid)
    return page(request, "admin/segments/_count.html", count=await _counted(work, segment.tree))


async def _counted(work: Work, tree: Tree) -> dict[str, str]:
    """Give how many answer to a question and how many of them get emails, or why nobody can say."""
    try:
        people_, without = await building.how_many(work, tree)
    except Refusal as refusal:
        return {"people": "", "unreachable": "", "problem": refusal.said()}
    return {
        "people": number(people_),
        "unreachable": building.unreachable(people_, without),
        "problem": "",
    }


# --- saving -------------------------------------------------------------------------------------


@get("/segments/new", opt=gated(Power.CHANGE_PEOPLE))
async def show_new_segment(
    request: Asked, work: Working, tree: FromQuery[str] = "", then: FromQuery[str] = ""
) -> Response[Any]:
    """Ask what a question is to be called."""
    asked = building.read_asked(tree)
    if asked is None:
        return redirect("/admin/people", notice=_("Say whom you are looking for."), kind="info")
    return await _new_page(request, work, asked, then=then, tried=Tried())


@post("/segments", opt=gated(Power.CHANGE_PEOPLE))
async def save_segment(request: Asked, work: Working) -> Response[Any]:
    """Keep a question under a name; go on to write to its people if that was wished."""
    form = await read_form(request)
    asked = building.read_asked(form.raw("tree")) or {}
    then = form.raw("then")
    async with attempt(work) as tried:
        segment = await saving.save(work, name=form.text("name"), tree=asked)
    if tried.refusal:
        return await _new_page(request, work, asked, then=then, name=form.raw("name"), tried=tried)
    if then == "write" and account_of(request).may(Power.WRITE):
        return await _begun(work, segment)
    return redirect(at(segment), notice=_("Saved as “%(name)s”.") % {"name": segment.name})


async def _new_page(
    request: Asked, work: Work, asked: Tree, *, then: str, tried: Tried, name: str = ""
) -> Template:
    return page(
        request,
        "admin/segments/new.html",
        status=status_of(tried.refusal) if tried.refusal else 200,
        tree=building.written(asked),
        back="/admin/people" + building.query(asked),
        sentence=await telling.sentence(work, asked),
        count=await _counted(work, asked),
        then="write" if then == "write" else "",
        name=name,
        errors=tried.errors,
    )


# --- one ----------------------------------------------------------------------------------------


@get("/segments/{uid:str}", opt=gated(Power.SEE_PEOPLE))
async def show_segment(
    request: Asked,
    work: Working,
    uid: FromPath[str],
    person: FromQuery[str] = "",
    q: FromQuery[str] = "",
) -> Template:
    """Show who answers, what goes by it, what it asked before, and why somebody is in or out."""
    segment = await segment_at(work, uid)
    return await _segment_page(request, work, segment, Tried(), person_uid=person, q=q[:200])


@post("/segments/{uid:str}/name", opt=gated(Power.CHANGE_PEOPLE))
async def rename_segment(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Call a segment something else."""
    segment = await segment_at(work, uid)
    form = await read_form(request)
    async with attempt(work) as tried:
        segment = await saving.rename(work, segment, name=form.text("name"))
    if tried.refusal:
        return await _segment_page(request, work, segment, tried, name=form.raw("name"))
    return redirect(at(segment), notice=_("Its name is “%(name)s” now.") % {"name": segment.name})


@post("/segments/{uid:str}/question", opt=gated(Power.CHANGE_PEOPLE))
async def revise_segment(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Let a segment ask something else from now on."""
    segment = await segment_at(work, uid)
    form = await read_form(request)
    asked = building.read_asked(form.raw("tree")) or {}
    async with attempt(work) as tried:
        await saving.revise(work, segment, tree=asked, version=form.whole("version") or 0)
    if tried.refusal:
        back = "/admin/people" + building.query(asked, segment=segment.uid)
        return redirect(back, notice=tried.words, kind="warn")
    return redirect(at(segment), notice=_("It asks this from now on."))


@get("/segments/{uid:str}/closing", opt=gated(Power.CHANGE_PEOPLE))
async def ask_to_close(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Ask whether a segment may go, and show what goes by it."""
    segment = await segment_at(work, uid)
    return page(
        request,
        "admin/segments/close.html",
        segment=segment,
        here=at(segment),
        usages=await saving.usages(work, segment),
        is_used=any(not one.is_over for one in await saving.usages(work, segment)),
    )


@post("/segments/{uid:str}/closing", opt=gated(Power.CHANGE_PEOPLE))
async def close_segment(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Take a segment out of use, after a yes."""
    segment = await segment_at(work, uid)
    if (await read_form(request)).raw("answer") != "yes":
        return redirect(at(segment), notice=_("Nothing has changed."))
    async with attempt(work) as tried:
        await saving.close(work, segment)
    if tried.refusal:
        return redirect(at(segment), notice=tried.words, kind="warn")
    told = _("“%(name)s” is gone. Nobody was changed.") % {"name": segment.name}
    return redirect("/admin/segments", notice=told)


@post("/segments/{uid:str}/campaign", opt=gated(Power.WRITE))
async def write_to_them(work: Working, uid: FromPath[str]) -> Response[Any]:
    """Begin a campaign to those who answer."""
    return await _begun(work, await segment_at(work, uid))


async def _begun(work: Work, segment: Segment) -> Response[Any]:
    campaign = await composing.begin(work, name=segment.name)
    open_lists = await lists.lists(work)
    await composing.choose_audience(
        work,
        campaign,
        list_no=open_lists[0].no if len(open_lists) == 1 else None,
        to_everybody=False,
        tier_nos=[],
        segment_no=segment.no,
    )
    return redirect(
        campaign_at(campaign, "/write"),
        notice=_("A draft to those of “%(name)s”.") % {"name": segment.name},
    )


async def _segment_page(
    request: Asked,
    work: Work,
    segment: Segment,
    tried: Tried,
    *,
    name: str | None = None,
    person_uid: str = "",
    q: str = "",
) -> Template:
    account = account_of(request)
    names = await accounts.names(work)
    may_change = account.may(Power.CHANGE_PEOPLE) and saving.may_change(work, segment)
    count = await _counted(work, segment.tree)
    told = await telling.parts(work, segment.tree)
    sample = [] if count["problem"] else await asking.sample(work, segment.tree, limit=SAMPLE)
    return page(
        request,
        "admin/segments/show.html",
        status=status_of(tried.refusal) if tried.refusal else 200,
        segment=segment,
        here=at(segment),
        sentence=await telling.sentence(work, segment.tree),
        wrong=[part for part in told.all_parts() if part.wrong],
        count=count,
        sample=[(called(one), person_at(one)) for one in sample],
        show_all="/admin/people" + building.query(segment.tree),
        change="/admin/people" + building.query(segment.tree, segment=segment.uid),
        export="/admin/export" + building.query(segment.tree),
        usages=await saving.usages(work, segment),
        versions=[
            {
                "number": one.version,
                "sentence": await telling.sentence(work, one.tree),
                "when": format_date(one.made_at, "d MMMM y", locale=i18n.language.get()),
                "who": names.get(one.made_by or 0, ""),
                "href": "/admin/people" + building.query(one.tree),
            }
            for one in await saving.versions(work, segment)
        ],
        made_by=names.get(segment.made_by or 0, ""),
        name=segment.name if name is None else name,
        errors=tried.errors,
        may_change=may_change,
        may_write=account.may(Power.WRITE),
        may_export=account.may(Power.EXPORT),
        q=q,
        **await _why(work, segment, person_uid, q),
    )


# --- why ----------------------------------------------------------------------------------------


async def _why(work: Work, segment: Segment, person_uid: str, q: str) -> dict[str, Any]:
    """Find whom somebody asks about, and say of each condition whether it is so for them."""
    nothing: dict[str, Any] = {"who": "", "why": None, "candidates": [], "how_many": ""}
    if person_uid:
        person = await subscribers.by_uid(work, person_uid)
        if person is None:
            return nothing
        told = await telling.why(work, segment.tree, person)
        return {**nothing, "who": called(person), "who_at": person_at(person), "why": _lines(told)}
    if not q:
        return nothing
    found = await people.begin_with(work, q, limit=MOST_FOUND)
    candidates = [
        (called(one), one.address or "", at(segment, f"?person={one.uid}#why")) for one in found
    ]
    return {**nothing, "candidates": candidates, "how_many": so_many_people(len(found))}


def _lines(part: Part) -> dict[str, Any]:
    return {
        "words": part.words,
        "wrong": part.wrong,
        "so": part.so,
        "is_nest": part.kind not in {telling.CONDITION, telling.EVERYBODY},
        "parts": [_lines(one) for one in part.parts],
    }


HANDLERS = [
    show_segments,
    show_new_segment,
    save_segment,
    show_segment,
    show_count,
    rename_segment,
    revise_segment,
    ask_to_close,
    close_segment,
    write_to_them,
]
