"""Exporting: people who leave in a file. Who, which columns, why, and a fresh code.

Looking at the page takes nobody out; the file is the answer to a form. It is written down before
its first octet leaves.
"""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromQuery
from litestar.response import Stream, Template

from mailer.accounts import signing_in
from mailer.accounts.model import Power
from mailer.consent import store as consent
from mailer.exports import columns, exporting
from mailer.exports.files import MEDIA, Format
from mailer.groups import store as groups
from mailer.kit.errors import Conflict, Invalid, Refusal
from mailer.kit.i18n import _, in_language
from mailer.kit.work import Door, Work
from mailer.segments import asking, telling
from mailer.segments import store as segments
from web.admin import building
from web.admin.campaigns import Working
from web.admin.telling import number, people
from web.kit.errors import status_of
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import page
from web.kit.security import account_of, gated
from web.kit.sessions import Asked, visit_of


class WhomNeeded(Invalid):
    """Please choose who is to be in the file."""


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the form. The code never comes back."""

    whom: str = ""
    tree: str = ""
    columns: tuple[str, ...] | None = None  # None: as usual
    format: Format = Format.CSV
    reason: str = ""

    @classmethod
    def read(cls, form: Form) -> "Typed":
        """Take it from what was sent."""
        kind = form.raw("format")
        return cls(
            whom=form.raw("whom")[:200],
            tree=form.raw("tree")[: building.LONGEST + 1],
            columns=tuple(form.many("columns")),
            format=Format(kind) if kind in set(Format) else Format.CSV,
            reason=form.raw("reason")[: 2 * exporting.LONGEST_REASON],
        )


@get("/export", opt=gated(Power.EXPORT))
async def show_export(
    request: Asked, work: Working, whom: FromQuery[str] = "", tree: FromQuery[str] = ""
) -> Template:
    """Ask who is to leave in a file, in which columns, and why."""
    return await _export_page(
        request, work, Typed(whom=whom[:200], tree=tree[: building.LONGEST + 1]), None
    )


@post("/export", opt=gated(Power.EXPORT))
async def export(request: Asked) -> Response[Any]:
    """Write the act down, and answer with the file."""
    visit, account = visit_of(request), account_of(request)
    form = await read_form(request)
    typed = Typed.read(form)
    try:
        async with visit.house.work(reading=True, scope=visit.scope, account=account.no) as work:
            wanted = await columns.chosen(work, typed.columns or ())
            reason = exporting.read_reason(typed.reason)
            nos = await exporting.gather(work, await _tree_of(work, typed))
            today = work.now.date()
    except (Invalid, Conflict) as refusal:
        return await _again(request, typed, refusal)
    async with (
        visit.house.work(scope=visit.scope, account=account.no, door=Door.ADMIN) as work,
        attempt(work) as tried,
    ):
        await signing_in.fresh_code(work, account, form.text("code", limit=40))
        await exporting.note(work, nos, wanted, typed.format, reason)
    if tried.refusal:
        return await _again(request, typed, tried.refusal)
    file_name = f"people-{today.isoformat()}.{typed.format.value}"
    return Stream(
        exporting.written(visit.house, nos, wanted, typed.format, scope=visit.scope),
        status_code=200,
        media_type=MEDIA[typed.format],
        headers={"content-disposition": f'attachment; filename="{file_name}"'},
    )


async def _again(request: Asked, typed: Typed, refusal: Refusal) -> Template:
    visit = visit_of(request)
    async with visit.house.work(reading=True, scope=visit.scope) as work:
        return await _export_page(request, work, typed, refusal)


async def _tree_of(work: Work, typed: Typed) -> asking.Tree:
    """Give the question that says who: everybody, a list, a segment, or one that came along."""
    kind, _dot, name = typed.whom.partition(".")
    if kind == "everybody":
        return asking.EVERYBODY
    if kind == "these" and (asked := building.read_asked(typed.tree)):
        return await asking.read(work, asked)
    if kind == "list":
        mailing_list = await consent.list_by_slug(work, name)
        if mailing_list is not None:
            return {"is": "list", "list": str(mailing_list.no), "state": "confirmed"}
    if kind == "segment":
        segment = await segments.by_uid(work, name)
        if segment is not None:
            return segment.tree
    raise WhomNeeded(field="whom")


async def _export_page(
    request: Asked, work: Work, typed: Typed, refusal: Refusal | None
) -> Template:
    if typed.tree and not typed.whom:
        is_everybody = typed.tree == building.written(asking.EVERYBODY)
        typed = (
            msgspec.structs.replace(typed, whom="everybody", tree="")
            if is_everybody
            else msgspec.structs.replace(typed, whom="these")
        )
    every = await columns.columns(work)
    picked = {one.name for one in every if one.is_usual}
    if typed.columns is not None:
        picked = set(typed.columns)
    choices = await _choices(work, typed)
    who = count = words = ""
    errors = {}
    if refusal is not None:
        field = str(refusal.facts.get("field", ""))
        errors = {"whom" if field == "tree" else field: refusal.said()}
    if typed.whom:
        try:
            tree = await _tree_of(work, typed)
            words = await telling.sentence(work, tree)
            found = await asking.count(work, tree)
            who, count = people(found), number(found)
        except (Invalid, Conflict) as unclear:
            errors.setdefault("whom", unclear.said())
    return page(
        request,
        "admin/exports/show.html",
        status=status_of(refusal) if refusal else 200,
        choices=choices,
        typed=typed,
        who=who,
        count=count,
        words=words,
        columns=[(one.name, one.words) for one in every],
        picked=[one.name for one in every if one.name in picked],
        formats=_formats(),
        errors=errors,
        groups=await _groups_of(work),
    )


async def _choices(work: Work, typed: Typed) -> list[tuple[str, str]]:
    choices = [("", _("Choose who")), ("everybody", _("Everybody on the roll"))]
    if work.scope is not None:
        choices[1] = ("everybody", _("Everybody in your care"))
    if typed.tree:
        choices.append(("these", _("Those you were looking at")))
    choices += [
        (f"list.{one.slug}", _("On the list “%(list)s”") % {"list": in_language(one.name)})
        for one in await consent.lists(work)
    ]
    return choices + [
        (f"segment.{one.uid}", _("The segment “%(segment)s”") % {"segment": one.name})
        for one in await segments.all_segments(work)
    ]


def _formats() -> list[tuple[str, str, str]]:
    return [
        (Format.CSV.value, _("CSV"), _("For every spreadsheet, and to be read in again.")),
        (Format.XLSX.value, _("Workbook"), _("For Excel and LibreOffice. Every cell is text.")),
        (Format.JSONL.value, _("JSON Lines"), _("For programs: one person a line.")),
    ]


async def _groups_of(work: Work) -> list[str]:
    """Name the groups of an account with a scope: the file holds their people alone."""
    if work.scope is None:
        return []
    return sorted((await groups.names_of(work, work.scope)).values(), key=str.casefold)


HANDLERS = [show_export, export]
