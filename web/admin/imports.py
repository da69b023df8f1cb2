"""Imports: a file is read, its lines are shown with their fates, and somebody says on what ground.

Reading takes its time and no lock: the file is cut into people in a thread, and only then does a
unit of work begin.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from mailer.accounts import store as accounts
from mailer.accounts.model import Power
from mailer.consent import store as consent
from mailer.imports import actions as imports
from mailer.imports import reading, store, writing
from mailer.imports.actions import ImportUnknown
from mailer.imports.model import STAYS_OFF, Basis, Fate, Import, ImportLine, ImportState
from mailer.imports.words import why
from mailer.kit.errors import Invalid, Refusal
from mailer.kit.i18n import _, in_language, ngettext
from mailer.kit.work import Door, Work
from mailer.subscribers import store as subscribers
from mailer.tiers import store as tiers
from web.admin.campaigns import Working
from web.admin.telling import number, shortly
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked, visit_of

LARGEST = 20_000_000  # octets; a quarter of a million people
SHOWN = 50


class FileNeeded(Invalid):
    """Please choose the file."""


class FileTooLarge(Invalid):
    """This file is larger than 20 MB. Import it with `rollcall import` on the server."""


async def import_at(work: Work, uid: str) -> Import:
    """Find the import that an address names."""
    imports.refuse_scoped(work)
    found = await store.by_uid(work, uid)
    if found is None:
        raise ImportUnknown
    return found


def at(import_: Import, more: str = "") -> str:
    """Give the address of an import, or of one of its parts."""
    return f"/admin/import/{import_.uid}{more}"


# --- a file -------------------------------------------------------------------------------------


@get("/import", opt=gated(Power.IMPORT))
async def show_imports(request: Asked, work: Working) -> Template:
    """Ask for a file, and show those that were read before."""
    return await _imports_page(request, work)


@post("/import", opt=gated(Power.IMPORT), request_max_body_size=LARGEST + 100_000)
async def read_file(request: Asked) -> Response[Any]:
    """Read a file and lead on to what would become of its lines. Nobody is imported yet."""
    form = await read_form(request)
    visit = visit_of(request)
    try:
        file_name, table = await _read(form)
        async with visit.house.work(
            scope=visit.scope, account=account_of(request).no, door=Door.ADMIN
        ) as work:
            rehearsed = await imports.rehearse(
                work, file_name=file_name, content=table, list_no=_number(form.raw("list"))
            )
            return redirect(at(rehearsed))
    except Invalid as refusal:
        async with visit.house.work(reading=True, scope=visit.scope) as work:
            return await _imports_page(request, work, form=form, refusal=refusal)


async def _read(form: Form) -> tuple[str, reading.Table]:
    upload = form.file("file")
    if upload is None:
        raise FileNeeded(field="file")
    content = await upload.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise FileTooLarge(field="file")
    return upload.filename, await asyncio.to_thread(reading.read, content)


def _number(typed: str) -> int:
    return int(typed) if typed.isdecimal() and len(typed) < 19 else 0


async def _imports_page(
    request: Asked, work: Work, *, form: Form | None = None, refusal: Refusal | None = None
) -> Template:
    lists = [(str(one.no), in_language(one.name)) for one in await consent.lists(work)]
    names = await accounts.names(work)
    return page(
        request,
        "admin/imports/list.html",
        status=422 if refusal else 200,
        lists=lists if len(lists) == 1 else [("", _("Choose a list")), *lists],
        chosen=form.raw("list") if form else "",
        levels=[in_language(one.name) for one in await tiers.ladder(work)],
        errors={str(refusal.facts.get("field")): refusal.said()} if refusal else {},
        imports=[
            {
                "uid": one.uid,
                "file": one.file_name,
                "state": _state(one),
                "when": shortly(one.made_at),
                "who": names.get(one.made_by or 0, ""),
                "lines": number(sum(one.counts.values())),
            }
            for one in await store.recent(work)
        ],
    )


def _state(import_: Import) -> tuple[str, str, str]:
    """Give kind, words and sign of how far an import has come."""
    match import_.state:
        case ImportState.REHEARSED:
            return "info", _("Waits for you"), "clock"
        case ImportState.APPLYING:
            return "info", _("Importing"), "upload"
        case ImportState.APPLIED:
            return "ok", _("Imported"), "check-check"
        case ImportState.CANCELLED:
            return "off", _("Stopped"), "x"


# --- what would happen, and what has ------------------------------------------------------------


@get("/import/{uid:str}", opt=gated(Power.IMPORT))
async def show_import(
    request: Asked,
    work: Working,
    uid: FromPath[str],
    show: FromQuery[str] = "",
    after: FromQuery[int] = 0,
) -> Template:
    """Show what becomes of each line, and ask on what ground; or how far the import has come."""
    import_ = await import_at(work, uid)
    return await _import_page(request, work, import_, show=show, after=after)


@post("/import/{uid:str}/basis", opt=gated(Power.IMPORT))
async def choose_basis(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Take down on what ground these people may be written to; the worker then imports them."""
    import_ = await import_at(work, uid)
    form = await read_form(request)
    chosen = form.raw("basis")
    async with attempt(work) as tried:
        await imports.choose_basis(
            work,
            import_,
            basis=Basis(chosen) if chosen in set(Basis) else None,
            evidence=form.raw("evidence"),
        )
    if isinstance(tried.refusal, Invalid):
        return await _import_page(request, work, import_, form=form, errors=tried.errors)
    if tried.refusal:
        return redirect(at(import_), notice=tried.words, kind="warn")
    return redirect(at(import_), notice=_("The import has begun."))


@post("/import/{uid:str}/stop", opt=gated(Power.IMPORT))
async def stop(work: Working, uid: FromPath[str]) -> Response[Any]:
    """Stop before the next lines. What was imported stays."""
    import_ = await import_at(work, uid)
    async with attempt(work) as tried:
        import_ = await imports.cancel(work, import_)
    if tried.refusal:
        return redirect(at(import_), notice=tried.words, kind="warn")
    done = int(import_.done.get("lines", 0))
    if not done:
        return redirect(at(import_), notice=_("Stopped. Nobody was imported."))
    told = ngettext(
        "Stopped. One line had been imported, and stays.",
        "Stopped. %(count)s lines had been imported, and stay.",
        done,
    )
    return redirect(at(import_), notice=told % {"count": number(done)})


@get("/import/{uid:str}/progress", opt=gated(Power.IMPORT, by_itself=True))
async def show_progress(request: Asked, work: Working, uid: FromPath[str]) -> Template:
    """Give the figures alone, for the page that asks every five seconds.

    When the import has ended the whole page is another: htmx is told so.
    """
    import_ = await import_at(work, uid)
    answer = page(request, "admin/imports/_progress.html", **_progress(import_))
    if import_.state is not ImportState.APPLYING:
        answer.headers["hx-refresh"] = "true"
    return answer


@get("/import/{uid:str}/refused.csv", opt=gated(Power.IMPORT))
async def download_refused(work: Working, uid: FromPath[str]) -> Response[str]:
    """Give the refused lines as a file, each with its reason, to mend and read again."""
    import_ = await import_at(work, uid)
    return Response(
        await writing.refused_lines(work, import_),
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="refused-{import_.no}.csv"'},
    )


async def _import_page(
    request: Asked,
    work: Work,
    import_: Import,
    *,
    show: str = "",
    after: int = 0,
    form: Form | None = None,
    errors: dict[str, str] | None = None,
) -> Template:
    counts = {fate: int(import_.counts.get(fate, 0)) for fate in Fate}
    fate = Fate(show) if show in set(Fate) else None
    found = await store.lines(work, import_, fate=fate, after=after, limit=SHOWN)
    reasons = await store.reasons(work, import_)
    stays_off = sum(count for code, count in reasons.items() if code in STAYS_OFF)
    refused = sum(reasons.values())
    mailing_list = await consent.list_by_no(work, import_.list_no)
    names = await accounts.names(work)
    assert mailing_list is not None
    return page(
        request,
        "admin/imports/show.html",
        status=422 if errors else 200,
        import_=import_,
        state=import_.state.value,
        here=at(import_),
        said=_said(import_),
        list_name=in_language(mailing_list.name),
        figures=[
            (_("Stay off"), number(stays_off), _("they have said no; a file cannot change that")),
            (_("New people"), number(counts[Fate.NEW]), _("you say how they agreed")),
            (_("Already here"), number(counts[Fate.KNOWN]), _("get what the file adds")),
            (_("Nothing new"), number(counts[Fate.UNCHANGED]), _("already here, as in the file")),
            (_("Can’t be used"), number(refused - stays_off), _("to mend, or to leave out")),
        ],
        refused=refused,
        tabs=_tabs(counts, refused),
        show=fate.value if fate else "all",
        lines=await _lines(work, import_, found.rows),
        next=f"?show={show}&after={found.next_after}" if found.next_after else "",
        before=f"?show={show}" if after else "",
        columns=_columns(import_),
        encoding=import_.found["encoding"],
        delimiter=_delimiters().get(import_.found["delimiter"], ""),
        new_groups=import_.found["new_groups"],
        basis=form.raw("basis") if form else "",
        evidence=form.raw("evidence") if form else import_.evidence,
        bases=_bases(counts[Fate.NEW]),
        go=ngettext("Import one person", "Import %(count)s people", import_.usable)
        % {"count": number(import_.usable)},
        who=names.get(import_.confirmed_by or 0, ""),
        errors=errors or {},
        **_progress(import_),
    )


def _said(import_: Import) -> str:
    lines = sum(import_.counts.values())
    count = ngettext("one line", "%(count)s lines", lines) % {"count": number(lines)}
    facts = {"file": import_.file_name, "lines": count}
    if import_.state is ImportState.REHEARSED:
        return _("%(file)s, %(lines)s. Nothing has changed yet.") % facts
    return _("%(file)s, %(lines)s.") % facts


def _bases(new: int) -> list[tuple[str, str, str]]:
    letters = ngettext(
        "One email to the new person. They are on the list when they say yes.",
        "One email to each of the %(count)s new people, never a second from this file. They are on"
        " the list when they say yes.",
        new,
    )
    return [
        (
            Basis.AGREED.value,
            _("They have agreed, and here is the evidence"),
            _("They are on the list at once, and nobody gets an email now."),
        ),
        (Basis.ASK.value, _("Ask them again"), letters % {"count": number(new)}),
    ]


def _tabs(counts: dict[Fate, int], refused: int) -> list[tuple[str, str, str]]:
    everything = number(sum(counts.values()))
    tabs = [
        ("all", _("All %(count)s") % {"count": everything}, "?"),
        (Fate.REFUSED.value, _("Refused %(count)s") % {"count": number(refused)}, "?show=refused"),
    ]
    words = {
        Fate.NEW: _("New %(count)s"),
        Fate.KNOWN: _("Here %(count)s"),
        Fate.UNCHANGED: _("Nothing new %(count)s"),
    }
    return tabs + [
        (fate.value, said % {"count": number(counts[fate])}, f"?show={fate.value}")
        for fate, said in words.items()
        if counts[fate]
    ]


def _delimiters() -> dict[str, str]:
    return {",": _("commas"), ";": _("semicolons"), "\t": _("tabs"), "|": _("upright bars")}


def _columns(import_: Import) -> list[tuple[str, str]]:
    """Give each heading of the file with what its column becomes."""
    words = {
        "address": _("Address"),
        "first_name": _("First name"),
        "last_name": _("Last name"),
        "name": _("First and last name"),
        "tier": _("Level, for new people"),
        "language": _("Language"),
        "group": _("Group"),
        "city": _("City"),
    }
    becomes = {column: words[field] for field, column in import_.columns.items()}
    return [
        (heading or _("(no heading)"), becomes.get(column, ""))
        for column, heading in enumerate(import_.found["headings"])
    ]


# --- lines --------------------------------------------------------------------------------------


async def _lines(work: Work, import_: Import, rows: Sequence[ImportLine]) -> list[dict[str, Any]]:
    people = await subscribers.by_nos(work, {row.subscriber_no or 0 for row in rows})
    levels = {tier.no: in_language(tier.name) for tier in await tiers.ladder(work)}
    lowest = next(iter(levels.values()), "")
    listed = []
    for row in rows:
        person = people.get(row.subscriber_no or 0)
        listed.append(
            {
                "line": row.line,
                "address": (person.address if person else "") or _address_in(import_, row),
                "href": f"/admin/people/{person.uid}" if person else "",
                "state": _fate(import_, row),
                "more": why(row) or _gains(row, levels, lowest),
            }
        )
    return listed


def _address_in(import_: Import, row: ImportLine) -> str:
    """Give the address as it stands in a line of the file."""
    if "address" in row.values:
        return str(row.values["address"])
    cells, column = row.values.get("cells", []), import_.columns["address"]
    return str(cells[column]) if column < len(cells) else ""


def _fate(import_: Import, row: ImportLine) -> tuple[str, str, str]:
    """Give kind, words and sign of what becomes of a line."""
    match row.fate:
        case Fate.NEW:
            is_done = row.line <= import_.cursor
            return "ok", _("Joined the roll") if is_done else _("Joins the roll"), "plus"
        case Fate.KNOWN:
            return "info", _("Already here"), "check"
        case Fate.UNCHANGED:
            return "off", _("Nothing changes"), "check"
        case Fate.REFUSED if row.why in STAYS_OFF:
            return "off", _("Stays off"), "log-out"
        case Fate.REFUSED:
            return "danger", _("Can’t be used"), "x"


def _gains(row: ImportLine, levels: dict[int, str], lowest: str) -> str:
    gains = []
    if row.fate is Fate.NEW or "tier" in row.facts:
        level = levels.get(int(row.facts.get("tier", 0)), lowest)
        gains.append(_("Level: %(level)s") % {"level": level})
    if "group" in row.facts:
        gains.append(_("Group: %(group)s") % {"group": row.facts["group"]})
    if row.fate is Fate.KNOWN and "list" in row.facts:
        gains.append(_("Goes on the list"))
    return " · ".join(gains)


# --- progress -----------------------------------------------------------------------------------


def _progress(import_: Import) -> dict[str, Any]:
    done = {name: int(count) for name, count in import_.done.items()}
    lines, usable = done.get("lines", 0), import_.usable
    figures = [
        (_("New people"), done.get("added", 0), _("on the roll")),
        (_("On the list"), done.get("confirmed", 0), _("they had agreed"))
        if import_.basis is Basis.AGREED
        else (_("Asked"), done.get("asked", 0), _("by an email of their own")),
        (_("In groups"), done.get("grouped", 0), _("that they were not in before")),
        (_("Left out"), done.get("refused", 0), _("said no since the file was read")),
    ]
    return {
        "bar": {
            "done": lines,
            "total": usable,
            "number": number(lines),
            "words": ngettext("of one line", "of %(total)s lines", usable)
            % {"total": number(usable)},
        },
        "results": [(term, number(count), words) for term, count, words in figures],
    }


HANDLERS = [
    show_imports,
    read_file,
    show_import,
    choose_basis,
    stop,
    show_progress,
    download_refused,
]
