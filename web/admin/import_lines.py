"""One import: what will happen to each line, what is happening, what has happened."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Stream, Template

from mailer.accounts import store as accounts
from mailer.accounts.model import Power
from mailer.consent import store as consent
from mailer.fields import store as fields
from mailer.imports import actions as imports
from mailer.imports import store, words, writing
from mailer.imports.decoding import ENCODINGS
from mailer.imports.model import (
    STAYS_OFF,
    Basis,
    Fate,
    Gives,
    Import,
    ImportItem,
    ImportLine,
    ImportState,
)
from mailer.kit.i18n import _, in_language, ngettext
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.tiers import store as tiers
from web.admin.campaigns import Working
from web.admin.import_columns import UNDERSTOOD_AGAIN, delimiters
from web.admin.import_undo import way_back
from web.admin.imports import AT_ONCE, PATIENCE, STATES, at, begun, done_by, import_at, steps
from web.admin.telling import about, number
from web.kit.forms import Form, attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked, visit_of

SHOWN = 50
GOING_ON = frozenset({ImportState.READING, ImportState.APPLYING, ImportState.UNDOING})
HAPPENED = frozenset({ImportState.APPLIED, ImportState.UNDOING, ImportState.UNDONE})


@get("/import/{uid:str}", opt=gated(Power.IMPORT))
async def show_import(
    request: Asked,
    work: Working,
    uid: FromPath[str],
    show: FromQuery[str] = "",
    after: FromQuery[int] = 0,
) -> Response[Any]:
    """Show what becomes of each line, and ask on what ground; or how far the import has come."""
    import_ = await import_at(work, uid)
    if import_.state is ImportState.RECEIVED:
        return redirect(at(import_, "/columns"))
    return await _import_page(request, work, import_, show=show, after=max(after, 0))


@post("/import/{uid:str}/basis", opt=gated(Power.IMPORT))
async def choose_basis(request: Asked, uid: FromPath[str]) -> Response[Any]:
    """Take down on what ground these people may be written to; then they are imported."""
    form = await read_form(request)
    chosen = form.raw("basis")
    async with begun(request) as work:
        import_ = await import_at(work, uid)
        async with attempt(work) as tried:
            await imports.choose_basis(
                work,
                import_,
                basis=Basis(chosen) if chosen in set(Basis) else None,
                evidence=form.raw("evidence"),
            )
        if tried.errors and "" not in tried.errors:
            return await _import_page(request, work, import_, form=form, errors=tried.errors)
    if tried.refusal:
        return redirect(at(import_), notice=tried.words, kind="warn")
    if import_.size <= AT_ONCE:
        await imports.drive(visit_of(request).house, uid, patience=PATIENCE)
        return redirect(at(import_))
    return redirect(at(import_), notice=_("The import has begun."))


@post("/import/{uid:str}/stop", opt=gated(Power.IMPORT))
async def stop(work: Working, uid: FromPath[str]) -> Response[Any]:
    """Stop before the next lines. What was imported stays, until somebody undoes it."""
    import_ = await import_at(work, uid)
    async with attempt(work) as tried:
        import_ = await imports.cancel(work, import_)
    if tried.refusal:
        return redirect(at(import_), notice=tried.words, kind="warn")
    done = done_by(import_)["lines"]
    if not done:
        return redirect("/admin/import", notice=_("Stopped. Nobody was imported."))
    told = ngettext(
        "Stopped. One line had been imported, and stays.",
        "Stopped. %(count)s lines had been imported, and stay.",
        done,
    )
    return redirect(at(import_), notice=told % {"count": number(done)})


@get("/import/{uid:str}/progress", opt=gated(Power.IMPORT, by_itself=True))
async def show_progress(
    request: Asked, work: Working, uid: FromPath[str], was: FromQuery[str] = ""
) -> Template:
    """Give the figures alone, for the page that asks every two seconds.

    When it goes on to something else the whole page is another: htmx is told so.
    """
    import_ = await import_at(work, uid)
    answer = page(request, "admin/imports/_progress.html", **_progress(work, import_))
    if import_.state not in GOING_ON or (was and import_.state.value != was):
        answer.headers["hx-refresh"] = "true"
    return answer


@get("/import/{uid:str}/refused.csv", opt=gated(Power.IMPORT))
async def download_refused(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Give the refused lines as a file, each with its reason, to mend and read again."""
    import_ = await import_at(work, uid)
    pieces = writing.refused_lines(visit_of(request).house, import_)
    return Stream(pieces, media_type="text/csv", headers=_named(f"refused-{import_.no}.csv"))


@get("/import/{uid:str}/lines.csv", opt=gated(Power.IMPORT))
async def download_lines(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Give every line with its fate as a file."""
    import_ = await import_at(work, uid)
    pieces = writing.every_line(visit_of(request).house, import_)
    return Stream(pieces, media_type="text/csv", headers=_named(f"lines-{import_.no}.csv"))


def _named(file_name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{file_name}"'}


# --- the page -----------------------------------------------------------------------------------


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
    tabs = _tabs(counts)
    show = show if show in {slug for slug, _words, _href in tabs} else tabs[0][0]
    fate = Fate(show) if show in set(Fate) else None
    found = await store.lines(work, import_, fate=fate, after=after, limit=SHOWN)
    reasons = await store.reasons(work, import_)
    stays_off = sum(count for code, count in reasons.items() if code in STAYS_OFF)
    mailing_list = await consent.list_by_no(work, import_.list_no)
    names = await accounts.names(work)
    assert mailing_list is not None
    return page(
        request,
        "admin/imports/show.html",
        status=422 if errors else 200,
        import_=import_,
        state=import_.state.value,
        badge=STATES[import_.state].badge,
        step=STATES[import_.state].step,
        steps=steps(),
        here=at(import_),
        said=_said(import_),
        unreadable=words.unreadable(import_),
        may_change_columns=import_.state in UNDERSTOOD_AGAIN,
        list_name=in_language(mailing_list.name),
        figures=_figures(counts, stays_off),
        refused=counts[Fate.REFUSED],
        has_lines=bool(sum(counts.values())),
        tabs=tabs,
        show=show,
        lines=await _lines(work, import_, found.rows),
        next=f"?show={show}&after={found.next_after}" if found.next_after else "",
        before=f"?show={show}" if after else "",
        columns=await _columns(work, import_),
        cut=_cut(import_),
        is_guessed=import_.format.get("encoding", "utf-8") == "cp1252",
        made=_made(import_),
        basis=form.raw("basis") if form else "",
        evidence=form.raw("evidence") if form else import_.evidence,
        bases=_bases(counts[Fate.NEW]),
        go=ngettext("Import one line", "Import %(count)s lines", import_.usable)
        % {"count": number(import_.usable)},
        who=names.get(import_.confirmed_by or 0, ""),
        undo=way_back(work, import_),
        errors=errors or {},
        **_progress(work, import_),
    )


def _said(import_: Import) -> str:
    lines = sum(int(count) for count in import_.counts.values())
    count = ngettext("one line", "%(count)s lines", lines) % {"count": number(lines)}
    facts = {"file": import_.file_name, "lines": count}
    match import_.state:
        case ImportState.READING | ImportState.UNREADABLE | ImportState.RECEIVED:
            return _("%(file)s. Nothing has changed yet.") % facts
        case ImportState.REHEARSED:
            return _("%(file)s, %(lines)s. Nothing has changed yet.") % facts
        case _:
            return _("%(file)s, %(lines)s.") % facts


def _figures(counts: Mapping[Fate, int], stays_off: int) -> list[tuple[str, str, str]]:
    here = counts[Fate.KNOWN] + counts[Fate.CHANGED]
    return [
        (
            _("Stay off"),
            number(stays_off + counts[Fate.OPTS_OUT]),
            _("they have said no; those of the file come first"),
        ),
        (_("New people"), number(counts[Fate.NEW]), _("you say how they agreed")),
        (_("Already here"), number(here), _("get what the file adds")),
        (_("Nothing new"), number(counts[Fate.UNCHANGED]), _("already here, as in the file")),
        (_("Can’t be used"), number(counts[Fate.REFUSED] - stays_off), _("mend them, or not")),
    ]


def _tabs(counts: Mapping[Fate, int]) -> list[tuple[str, str, str]]:
    """Offer a view of each fate that there is; who wants no emails stands first."""
    said = {
        Fate.OPTS_OUT: _("Taken off %(count)s"),
        Fate.NEW: _("New %(count)s"),
        Fate.CHANGED: _("Changed %(count)s"),
        Fate.KNOWN: _("Here %(count)s"),
        Fate.UNCHANGED: _("Nothing new %(count)s"),
        Fate.REFUSED: _("Refused %(count)s"),
    }
    tabs = [
        (fate.value, label % {"count": number(counts[fate])}, f"?show={fate.value}")
        for fate, label in said.items()
        if counts[fate]
    ]
    everything = _("All %(count)s") % {"count": number(sum(counts.values()))}
    first = 1 if counts[Fate.OPTS_OUT] else 0
    return [*tabs[:first], ("all", everything, "?show=all"), *tabs[first:]]


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


async def _columns(work: Work, import_: Import) -> list[tuple[str, str]]:
    """Give each heading of the file with what its column becomes."""
    headings = import_.found.get("headings", [])
    return [
        (
            heading or _("Column %(number)s") % {"number": place + 1},
            await words.column(work, becomes) if becomes else "",
        )
        for place, (heading, becomes) in enumerate(zip(headings, import_.columns, strict=False))
    ]


def _cut(import_: Import) -> str:
    """Say how the file was cut."""
    how = import_.format
    if how.get("kind") == "workbook":
        return _("Sheet “%(sheet)s”") % {"sheet": how.get("sheet", "")}
    return _("%(encoding)s, with %(delimiters)s") % {
        "encoding": ENCODINGS.get(how.get("encoding", ""), ""),
        "delimiters": delimiters().get(how.get("delimiter", ""), ""),
    }


def _made(import_: Import) -> list[str]:
    """Say which groups and tags are new with this file."""
    told = []
    if groups := import_.found.get("new_groups"):
        told.append(
            ngettext(
                "A group is founded: %(names)s.",
                "%(count)s groups are founded: %(names)s.",
                len(groups),
            )
            % {"count": number(len(groups)), "names": _some(groups)}
        )
    if tags := import_.found.get("new_tags"):
        told.append(
            ngettext("A tag is made: %(names)s.", "%(count)s tags are made: %(names)s.", len(tags))
            % {"count": number(len(tags)), "names": _some(tags)}
        )
    return told


def _some(names: Sequence[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


# --- lines --------------------------------------------------------------------------------------


class Shown(msgspec.Struct, frozen=True):
    """One line as the page shows it."""

    line: int
    address: str
    href: str
    state: tuple[str, str, str]
    more: str


async def _lines(work: Work, import_: Import, rows: Sequence[ImportLine]) -> list[Shown]:
    people = await subscribers.by_nos(work, {row.subscriber_no or 0 for row in rows})
    items = await store.items_of(work, import_, [row.line for row in rows])
    levels = {tier.no: in_language(tier.name) for tier in await tiers.ladder(work)}
    called = {field.no: in_language(field.name) for field in await fields.all_fields(work)}
    shown = []
    for row in rows:
        person = people.get(row.subscriber_no or 0)
        gives = _gives(row, items.get(row.line, []), levels, called)
        shown.append(
            Shown(
                line=row.line,
                address=row.address
                or (person.address if person else None)
                or _address_in(import_, row)
                or (person.shown_name if person else ""),
                href=f"/admin/people/{person.uid}" if person else "",
                state=_fate(import_, row),
                more=words.why(row) or " · ".join(gives),
            )
        )
    return shown


def _address_in(import_: Import, row: ImportLine) -> str:
    """Give the address as it stands in a refused line of the file, or the name."""
    if row.cells and "address" in import_.columns:
        column = import_.columns.index("address")
        return row.cells[column] if column < len(row.cells) else ""
    return " ".join(filter(None, [row.first_name, row.last_name]))


def _fate(import_: Import, row: ImportLine) -> tuple[str, str, str]:
    """Give kind, words and sign of what becomes of a line, or has become of it."""
    is_done = import_.state in HAPPENED
    match row.fate:
        case Fate.NEW:
            return "ok", _("Joined the roll") if is_done else _("Joins the roll"), "plus"
        case Fate.KNOWN:
            return "info", _("Already here"), "check"
        case Fate.CHANGED:
            return "info", _("Was changed") if is_done else _("Is changed"), "pen-line"
        case Fate.OPTS_OUT:
            return "off", _("Was taken off") if is_done else _("Is taken off"), "log-out"
        case Fate.REFUSED if row.why in STAYS_OFF:
            return "off", _("Stays off"), "log-out"
        case Fate.REFUSED:
            return "danger", _("Can’t be used"), "x"
        case _:
            return "off", _("Nothing changes"), "check"


def _gives(
    row: ImportLine,
    items: Sequence[tuple[ImportItem, str]],
    levels: Mapping[int, str],
    called: Mapping[int, str],
) -> list[str]:
    """Say what a line gives to its person."""
    if row.fate is Fate.OPTS_OUT:
        return [_("Your file says that they want no emails.")]
    said = []
    if row.fate is Fate.NEW:
        lowest = next(iter(levels.values()), "")
        level = levels.get(row.tier_no or 0, lowest)
        said.append(_("Level: %(level)s") % {"level": level})
    for item, name in items:
        match item.gives:
            case Gives.TAG:
                said.append(_("Tag: %(tag)s") % {"tag": name})
            case Gives.GROUP:
                said.append(_("Group: %(group)s") % {"group": name})
            case Gives.FIELD:
                said.append(f"{called.get(item.ref, '')}: {item.value}")
            case _:
                pass  # what stood before
    return said


# --- progress -----------------------------------------------------------------------------------


def _progress(work: Work, import_: Import) -> dict[str, Any]:
    done = done_by(import_)
    if import_.state is ImportState.READING:
        lines = int(import_.read_to.get("lines", 0))
        bar = {
            "done": int(import_.read_to.get("octet", 0)),
            "total": max(import_.size, 1),
            "number": number(lines),
            "words": ngettext("line is read.", "lines are read.", lines),
        }
        return {"bar": bar, "results": [], "left": ""}
    if import_.state is ImportState.UNDOING:
        lines, last = done["undone_to"], int(import_.found.get("last_line", 0))
        bar = {
            "done": lines,
            "total": max(last, 1),
            "number": number(lines),
            "words": ngettext("of one line", "of %(total)s lines", last) % {"total": number(last)},
        }
        return {"bar": bar, "results": [], "left": ""}
    lines, usable = done["lines"], import_.usable
    figures = [
        (_("New people"), done["added"], _("on the roll")),
        (_("On the list"), done["confirmed"], _("they had agreed"))
        if import_.basis is Basis.AGREED
        else (_("Asked"), done["asked"], _("by an email of their own")),
        (_("Taken off"), done["opted_out"], _("the file says they want no emails")),
        (_("Changed"), done["changed"], _("were here already")),
        (_("Left out"), done["refused"], _("said no since the file was read")),
    ]
    return {
        "bar": {
            "done": lines,
            "total": max(usable, 1),
            "number": number(lines),
            "words": ngettext("of one line", "of %(total)s lines", usable)
            % {"total": number(usable)},
        },
        "results": [(term, number(count), meaning) for term, count, meaning in figures],
        "left": _left(work, import_, lines),
    }


def _left(work: Work, import_: Import, lines: int) -> str:
    """Say how long the rest takes, when enough is done to tell."""
    if import_.state is not ImportState.APPLYING or import_.confirmed_at is None or lines < 100:
        return ""
    took = work.now - import_.confirmed_at
    rest = took * ((import_.usable - lines) / lines)
    return _("About %(time)s left.") % {"time": about(max(rest, timedelta()))}


HANDLERS = [
    show_import,
    choose_basis,
    stop,
    show_progress,
    download_refused,
    download_lines,
]
