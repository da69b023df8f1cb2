"""What the columns of a file become: proposed, shown with the first rows, and said by somebody."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template

from mailer.accounts.model import Power
from mailer.imports import actions as imports
from mailer.imports import receiving, store, words
from mailer.imports.decoding import ENCODINGS
from mailer.imports.model import Import, ImportState, Rule
from mailer.kit.errors import Invalid, Refusal
from mailer.kit.i18n import _
from mailer.kit.orm import Facts
from mailer.kit.work import Work
from mailer.tags import store as tags
from web.admin.campaigns import Working
from web.admin.imports import AT_ONCE, PATIENCE, at, begun, import_at, list_choices, steps
from web.kit.forms import Form, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked, visit_of

SAMPLES = 3
UNDERSTOOD_AGAIN = frozenset(
    {
        ImportState.RECEIVED,
        ImportState.READING,
        ImportState.UNREADABLE,
        ImportState.REHEARSED,
    }
)


@get("/import/{uid:str}/columns", opt=gated(Power.IMPORT))
async def show_columns(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Show what the columns of a file seem to be, to be put right."""
    import_ = await import_at(work, uid)
    if import_.state not in UNDERSTOOD_AGAIN:
        return redirect(at(import_))
    return await _columns_page(request, work, import_)


@post("/import/{uid:str}/columns", opt=gated(Power.IMPORT))
async def say_columns(request: Asked, uid: FromPath[str]) -> Response[Any]:
    """Take down what the columns are; every line is then read, and nothing else happens.

    The other button looks at the file again, cut in another way.
    """
    form = await read_form(request)
    try:
        async with begun(request) as work:
            import_ = await import_at(work, uid)
            if form.raw("do") == "look":
                await receiving.look_again(work, import_, format=_cut(form))
                return await _columns_page(request, work, import_, form=form)
            await _understand(work, import_, form)
    except Invalid as refusal:
        async with begun(request, reading=True) as work:
            import_ = await import_at(work, uid)
            return await _columns_page(request, work, import_, form=form, refusal=refusal)
    if import_.size <= AT_ONCE:
        await imports.drive(visit_of(request).house, uid, patience=PATIENCE)
    return redirect(at(import_))


async def _understand(work: Work, import_: Import, form: Form) -> None:
    rule = form.raw("rule")
    list_no = form.raw("list")
    await receiving.understand(
        work,
        import_,
        columns=[form.raw(f"column-{number}") for number in range(len(import_.columns))],
        format={
            "order": form.raw("order"),
            "parted_by": form.raw("parted_by"),
            "without_address": form.flag("without_address"),
        },
        rule=Rule(rule) if rule in set(Rule) else Rule.FILL,
        source=form.raw("source"),
        list_no=int(list_no) if list_no.isdecimal() and len(list_no) < 19 else 0,
        tag=form.raw("tag"),
    )


def _cut(form: Form) -> Facts:
    """Give how the file is said to be cut."""
    said = {name: form.raw(name) for name in ("encoding", "delimiter", "sheet")}
    said["delimiter"] = _MARKS.get(said["delimiter"], said["delimiter"])
    return {name: words for name, words in said.items() if words}


# In forms marks have names: a tab does not survive every browser.
_MARKS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
_NAMES = {mark: name for name, mark in _MARKS.items()}


async def _columns_page(
    request: Asked,
    work: Work,
    import_: Import,
    *,
    form: Form | None = None,
    refusal: Refusal | None = None,
) -> Template:
    errors = {str(refusal.facts.get("field", "")): refusal.said()} if refusal else {}
    how, found = import_.format, import_.found
    is_new_cut = form is not None and form.raw("do") == "look" and refusal is None
    typed = _typed(import_, form, columns_too=not is_new_cut)
    options = [
        (kind, await words.column(work, kind)) for kind in await receiving.kinds_of_columns(work)
    ]
    return page(
        request,
        "admin/imports/columns.html",
        status=422 if refusal else 200,
        import_=import_,
        here=at(import_),
        steps=steps(),
        columns=[
            {
                "id": f"column-{number}",
                "heading": heading or _("Column %(number)s") % {"number": number + 1},
                "rows": _samples(found["first_rows"], number),
                "becomes": typed[f"column-{number}"],
                "error": errors.get(f"column-{number}"),
            }
            for number, heading in enumerate(found["headings"])
        ],
        options=options,
        preset=receiving.preset_words(import_),
        before=found.get("source", ""),
        is_text=how["kind"] == "text",
        encodings=list(ENCODINGS.items()),
        delimiters=[(_NAMES[mark], said) for mark, said in delimiters().items()],
        delimiter=_NAMES.get(how.get("delimiter", ""), ""),
        how=how,
        sheets=found.get("sheets", []),
        orders=[
            ("", _("Like 2026-05-31 only")),
            ("dmy", _("Day first: 31/5/2026")),
            ("mdy", _("Month first: 5/31/2026")),
        ],
        marks=[(";", _("Semicolons")), (",", _("Commas")), ("|", _("Upright bars"))],
        rules=_rules(),
        typed=typed,
        lists=await list_choices(work),
        sources=[one.name for one in await store.sources(work)],
        tags=[tag.name for tag in await tags.open_tags(work)],
        errors=errors,
        summary=_summary(errors, found["headings"]),
    )


def _typed(import_: Import, form: Form | None, *, columns_too: bool) -> Mapping[str, Any]:
    """Give what stands in the form: what was typed, else what is proposed."""
    how = import_.format
    said: dict[str, Any] = {
        "rule": import_.rule.value,
        "source": import_.source or import_.found.get("source", ""),
        "list": str(import_.list_no),
        "tag": how.get("tag", ""),
        "order": how.get("order", ""),
        "parted_by": how.get("parted_by", ";"),
        "without_address": bool(how.get("without_address")),
    }
    said |= {f"column-{number}": becomes for number, becomes in enumerate(import_.columns)}
    if form is not None:
        kept = {
            name: value
            for name, value in form.values.items()
            if name in said and (columns_too or not name.startswith("column-"))
        }
        said |= {**kept, "without_address": form.flag("without_address")}
    return said


def _samples(rows: list[list[str]], column: int) -> str:
    """Give the first things that stand in a column, each once."""
    there = (row[column] for row in rows if column < len(row) and row[column])
    return " · ".join(list(dict.fromkeys(there))[:SAMPLES])


def delimiters() -> dict[str, str]:
    """Say what may stand between columns."""
    return {",": _("commas"), ";": _("semicolons"), "\t": _("tabs"), "|": _("upright bars")}


def _rules() -> list[tuple[str, str, str]]:
    return [
        (
            Rule.FILL.value,
            _("Fill in what is missing"),
            _("What you know of them stays, and the file adds to it."),
        ),
        (
            Rule.OVERWRITE.value,
            _("Believe the file"),
            _("What it says takes the place of what you have. What it leaves empty stays."),
        ),
        (
            Rule.LEAVE.value,
            _("Leave them as they are"),
            _("They get the list, groups and tags, and nothing else changes."),
        ),
    ]


def _summary(errors: Mapping[str, str], headings: list[str]) -> list[tuple[str, str, str]]:
    """Say what is wrong by the field that it is about."""
    named = {
        "columns": ("column-0", _("Columns")),
        "list": ("list", _("The list they join")),
        "source": ("source", _("Where the file comes from")),
        "tag": ("tag", _("A tag for everybody in it")),
        "encoding": ("encoding", _("Letters")),
        "delimiter": ("delimiter", _("Between the columns")),
        "sheet": ("sheet", _("Sheet")),
        "file": ("cut", _("The file")),
    }
    named |= {f"column-{number}": (f"column-{number}", one) for number, one in enumerate(headings)}
    return [(*named.get(field, ("columns", field)), said) for field, said in errors.items()]


HANDLERS = [show_columns, say_columns]
