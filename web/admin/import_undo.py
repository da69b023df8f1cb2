"""Undoing a whole import: what it would do, asked once more, and how it came out."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from mailer.accounts.model import Power
from mailer.imports import actions as imports
from mailer.imports.actions import UNDO_FOR, AlreadyMailed, UndoTooLate
from mailer.imports.model import Import, ImportState
from mailer.imports.undoing import was_mailed
from mailer.kit.errors import Refusal
from mailer.kit.i18n import _, ngettext
from mailer.kit.work import Work
from web.admin.campaigns import Working
from web.admin.imports import AT_ONCE, PATIENCE, at, begun, done_by, import_at
from web.admin.telling import dated, number, people
from web.kit.forms import attempt, read_form
from web.kit.pages import page, redirect
from web.kit.security import gated
from web.kit.sessions import Asked, visit_of


class Way(msgspec.Struct, frozen=True):
    """Whether an import can be undone, and until when, or how that came out."""

    words: str
    is_open: bool = False


def way_back(work: Work, import_: Import) -> Way | None:
    """Say whether an import can be undone; None where nothing was imported.

    Whether its people were written to is asked on the page that undoes it: that looks at each.
    """
    done = done_by(import_)
    if import_.state is ImportState.UNDONE:
        told = _("It was undone for %(people)s.") % {"people": people(done["undone"])}
        if done["kept"]:
            told += " " + _("%(people)s had done something since and stay as they are.") % {
                "people": people(done["kept"])
            }
        return Way(told)
    if _ended(import_) is None:
        return None
    until = _until(import_)
    if work.now > until:
        return Way(UndoTooLate().said())
    told = _("Until %(moment)s, as long as none of its people has been written to.")
    return Way(told % {"moment": dated(until)}, is_open=True)


def _ended(import_: Import) -> datetime | None:
    """Give when an import that did something came to its end; None for any other."""
    is_over = import_.state in {ImportState.APPLIED, ImportState.CANCELLED}
    return import_.ended_at if is_over and done_by(import_)["lines"] else None


def _until(import_: Import) -> datetime:
    ended = _ended(import_)
    assert ended is not None
    return ended + UNDO_FOR


@get("/import/{uid:str}/undo", opt=gated(Power.IMPORT))
async def show_undo(request: Asked, work: Working, uid: FromPath[str]) -> Response[Any]:
    """Say what undoing would do, and ask once more."""
    import_ = await import_at(work, uid)
    way = way_back(work, import_)
    if way is None or not way.is_open:
        return redirect(at(import_))
    if await was_mailed(work, import_):
        return _refused(import_, AlreadyMailed())
    return page(
        request,
        "admin/imports/undo.html",
        import_=import_,
        here=at(import_),
        undone=_told(import_),
        until=way.words,
    )


@post("/import/{uid:str}/undo", opt=gated(Power.IMPORT))
async def undo(request: Asked, uid: FromPath[str]) -> Response[Any]:
    """Take the whole import back, or leave it as it is."""
    form = await read_form(request)
    async with begun(request) as work:
        import_ = await import_at(work, uid)
        if form.raw("answer") != "yes":
            return redirect(at(import_))
        async with attempt(work) as tried:
            await imports.undo(work, import_)
    if tried.refusal:
        return _refused(import_, tried.refusal)
    if import_.size <= AT_ONCE:
        await imports.drive(visit_of(request).house, uid, patience=PATIENCE)
        return redirect(at(import_))
    return redirect(at(import_), notice=_("The import is being undone."))


def _refused(import_: Import, refusal: Refusal) -> Response[Any]:
    return redirect(at(import_), notice=refusal.said(), kind="warn")


def _told(import_: Import) -> list[str]:
    """Say what undoing would do, in numbers."""
    done = done_by(import_)
    told = []
    if new := done["added"]:
        told.append(
            ngettext(
                "One new person goes from the roll, with all that the file said of them.",
                "%(count)s new people go from the roll, with all that the file said of them.",
                new,
            )
            % {"count": number(new)}
        )
    if here := done["lines"] - new - done["opted_out"]:
        told.append(
            ngettext(
                "One person who was here before is again as before the file.",
                "%(count)s people who were here before are again as before the file.",
                here,
            )
            % {"count": number(here)}
        )
    if off := done["opted_out"]:
        told.append(
            ngettext(
                "One address that the file took off all emails may be written to again.",
                "%(count)s addresses that the file took off all emails may be written to again.",
                off,
            )
            % {"count": number(off)}
        )
    return told


HANDLERS = [show_undo, undo]
