"""Imports: a file is taken, it is said what its columns are, its lines are shown with their fates.

Here the file: uploaded or pasted, and kept in parts, each in a unit of work of its own, so that
half a gigabyte is never in memory and nobody waits for it. What follows is in `import_columns`,
`import_lines` and `import_undo`.
"""

import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.exceptions import HTTPException
from litestar.response import Template

from mailer.accounts import store as accounts
from mailer.accounts.model import Power
from mailer.consent import store as consent
from mailer.imports import actions as imports
from mailer.imports import receiving, store
from mailer.imports.model import Import, ImportState
from mailer.imports.receiving import LARGEST, LARGEST_PART, FileTooLarge
from mailer.imports.refusing import ImportUnknown, refuse_scoped
from mailer.kit.errors import Invalid, Refusal
from mailer.kit.i18n import N_, _, in_language
from mailer.kit.texts import TextTooLong
from mailer.kit.work import Door, Work
from mailer.tiers import store as tiers
from web.admin.campaigns import Working
from web.admin.telling import number, shortly
from web.kit.errors import answer_http
from web.kit.forms import Form, read_form
from web.kit.pages import page, redirect
from web.kit.security import account_of, gated
from web.kit.sessions import Asked, visit_of

AROUND = 100_000  # octets of a form around its file
LONGEST_PASTED = 1_000_000  # characters
AT_ONCE = 262_144
"""Octets of a file that is small: its steps are done while the page is made. Others wait."""

PATIENCE = 5.0  # seconds that somebody waits for a page; what is left then is the worker’s

STEPS = (N_("File"), N_("Columns"), N_("What will happen"), N_("Import"))


class FileNeeded(Invalid):
    """Please choose the file, or paste the lines."""


async def import_at(work: Work, uid: str) -> Import:
    """Find the import that an address names."""
    refuse_scoped(work)
    found = await store.by_uid(work, uid)
    if found is None:
        raise ImportUnknown
    return found


def at(import_: Import, more: str = "") -> str:
    """Give the address of an import, or of one of its parts."""
    return f"/admin/import/{import_.uid}{more}"


def done_by(import_: Import) -> Counter[str]:
    """Give what an import has done so far, in numbers; what it has not done is 0."""
    return Counter({name: n for name, n in import_.done.items() if isinstance(n, int)})


def steps() -> list[str]:
    """Name the steps of an import."""
    return [_(step) for step in STEPS]


class State(msgspec.Struct, frozen=True):
    """How far an import has come, as a badge says it, and on which step that is."""

    kind: str
    words: str
    sign: str
    step: int

    @property
    def badge(self) -> tuple[str, str, str]:
        """Give it without its step."""
        return self.kind, _(self.words), self.sign


STATES: Mapping[ImportState, State] = {
    ImportState.RECEIVED: State("info", N_("Waits for its columns"), "clock", 1),
    ImportState.READING: State("info", N_("Being read"), "text", 2),
    ImportState.UNREADABLE: State("danger", N_("Could not be read"), "x", 1),
    ImportState.REHEARSED: State("info", N_("Waits for you"), "clock", 2),
    ImportState.APPLYING: State("info", N_("Importing"), "upload", 3),
    ImportState.APPLIED: State("ok", N_("Imported"), "check-check", 4),
    ImportState.CANCELLED: State("off", N_("Stopped"), "x", 3),
    ImportState.UNDOING: State("info", N_("Being undone"), "undo-2", 4),
    ImportState.UNDONE: State("off", N_("Undone"), "undo-2", 4),
}


def begun(request: Asked, *, reading: bool = False) -> contextlib.AbstractAsyncContextManager[Work]:
    """Begin a unit of work of one's own, where a request needs several, one after another."""
    visit = visit_of(request)
    return visit.house.work(
        reading=reading, scope=visit.scope, account=account_of(request).no, door=Door.ADMIN
    )


@get("/import", opt=gated(Power.IMPORT))
async def show_imports(request: Asked, work: Working) -> Template:
    """Ask for a file, and show those that came before."""
    refuse_scoped(work)
    return await _imports_page(request, work)


def _too_large(request: Asked, error: HTTPException) -> Response[Any]:
    """Say what to do with a file of which not even the beginning was taken."""
    if error.status_code != 413:
        return answer_http(request, error)
    return page(
        request,
        "errors/refusal.html",
        status=413,
        words=FileTooLarge().said(),
        back="/admin/import",
    )


@post(
    "/import",
    opt=gated(Power.IMPORT),
    request_max_body_size=LARGEST + AROUND,
    exception_handlers={HTTPException: _too_large},
)
async def receive_file(request: Asked) -> Response[Any]:
    """Take a file and lead on to its columns. Nobody is imported yet."""
    form = await read_form(request)
    try:
        return await _receive(request, form)
    finally:
        if upload := form.file("file"):
            await upload.close()


async def _receive(request: Asked, form: Form) -> Response[Any]:
    import_: Import | None = None
    try:
        file_name = _name_of(form)
        async with begun(request) as work:
            import_ = await receiving.receive(
                work, file_name=file_name, list_no=_number(form.raw("list"))
            )
        part = 0
        async for piece in _pieces(form):
            async with begun(request) as work:
                await receiving.keep_part(work, import_, part, piece)
            part += 1
        async with begun(request) as work:
            await receiving.received(work, await import_at(work, import_.uid))
    except Invalid as refusal:
        if import_ is not None:
            async with begun(request) as work:
                await imports.cancel(work, await import_at(work, import_.uid))
        async with begun(request, reading=True) as work:
            return await _imports_page(request, work, form=form, refusal=refusal)
    return redirect(at(import_, "/columns"))


def _name_of(form: Form) -> str:
    upload = form.file("file")
    if upload is not None:
        return upload.filename
    if not form.raw("pasted").strip():
        raise FileNeeded(field="file")
    if len(form.raw("pasted")) > LONGEST_PASTED:
        raise TextTooLong(field="pasted", longest=LONGEST_PASTED)
    return _("Pasted lines")


async def _pieces(form: Form) -> AsyncGenerator[bytes]:
    """Give what was sent in pieces that can be kept; an uploaded file lies on the disk."""
    upload = form.file("file")
    if upload is None:
        pasted = form.raw("pasted").encode()
        for begin in range(0, len(pasted), LARGEST_PART):
            yield pasted[begin : begin + LARGEST_PART]
        return
    while piece := await upload.read(LARGEST_PART):
        yield piece


def _number(typed: str) -> int:
    return int(typed) if typed.isdecimal() and len(typed) < 19 else 0


async def _imports_page(
    request: Asked, work: Work, *, form: Form | None = None, refusal: Refusal | None = None
) -> Template:
    names = await accounts.names(work)
    return page(
        request,
        "admin/imports/list.html",
        status=422 if refusal else 200,
        steps=steps(),
        lists=await list_choices(work),
        chosen=form.raw("list") if form else "",
        pasted=form.raw("pasted")[:LONGEST_PASTED] if form else "",
        levels=[in_language(one.name) for one in await tiers.ladder(work)],
        errors={str(refusal.facts.get("field")): refusal.said()} if refusal else {},
        imports=[
            {
                "uid": one.uid,
                "file": one.file_name,
                "state": STATES[one.state].badge,
                "when": shortly(one.made_at),
                "who": names.get(one.made_by or 0, ""),
                "lines": number(sum(int(count) for count in one.counts.values())),
            }
            for one in await store.recent(work)
            if one.found  # not of what turned out to be no list of people
        ],
    )


async def list_choices(work: Work) -> list[tuple[str, str]]:
    """Offer the open lists; the only one there is stands chosen."""
    lists = [(str(one.no), in_language(one.name)) for one in await consent.lists(work)]
    return lists if len(lists) == 1 else [("", _("Choose a list")), *lists]


HANDLERS = [show_imports, receive_file]
