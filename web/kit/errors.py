"""What is said when something is refused, is not there, or broke."""

import http
import traceback
from collections.abc import Generator
from pathlib import Path
from typing import Any

import structlog
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect, Template

from mailer.kit.db import NoRoom, is_no_room
from mailer.kit.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Unavailable
from mailer.kit.i18n import _
from mailer.kit.ids import new_uid
from web.kit.pages import page, templates
from web.kit.security import GateRefusal, NotSignedIn, way_in
from web.kit.sessions import Asked

log = structlog.get_logger()

TREE = f"{Path(__file__).parents[2]}/"

# The family decides the number.
STATUSES: dict[type[Refusal], http.HTTPStatus] = {
    Forbidden: http.HTTPStatus.FORBIDDEN,
    NotFound: http.HTTPStatus.NOT_FOUND,
    Conflict: http.HTTPStatus.CONFLICT,
    Invalid: http.HTTPStatus.UNPROCESSABLE_ENTITY,
    NoRoom: http.HTTPStatus.INSUFFICIENT_STORAGE,
    Unavailable: http.HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(refusal: Refusal) -> http.HTTPStatus:
    """Give the number of HTTP that goes with a refusal."""
    return next(
        (status for kind, status in STATUSES.items() if isinstance(refusal, kind)),
        http.HTTPStatus.CONFLICT,
    )


def answer_refusal(request: Asked, refusal: Refusal) -> Template:
    """Say no in the refusal's own words."""
    return page(
        request,
        "errors/refusal.html",
        status=status_of(refusal),
        words=refusal.said(),
        back="",
    )


def answer_gate(request: Asked, refusal: GateRefusal) -> Template:
    """Say that the way is closed."""
    return page(request, "errors/403.html", status=403, words=refusal.said())


def lead_to_sign_in(request: Asked, turned_away: NotSignedIn) -> Response[Any]:
    """Lead who asked for a page to the next step of signing in; whatever else they sent is lost."""
    if request.headers.get("hx-request"):
        # htmx would put the sign-in page into a corner of this one: it is told to leave it.
        return Response(b"", status_code=403, headers={"HX-Redirect": turned_away.to})
    if request.method == "GET":
        return Redirect(turned_away.to, status_code=303)
    return page(request, "errors/403.html", status=403)


def answer_http(request: Asked, error: HTTPException) -> Response[Any]:
    """Say what Litestar found wrong with a request before a handler saw it."""
    if error.status_code >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return answer_fault(request, error)
    match error.status_code:
        case 404 | 405:
            answer = page(request, "errors/404.html", status=error.status_code)
        case 413:
            answer = page(
                request,
                "errors/refusal.html",
                status=413,
                words=_("This is larger than we can take here."),
                back="",
            )
        case _:
            answer = page(
                request,
                "errors/refusal.html",
                status=error.status_code,
                words=_("We could not read what was sent."),
                back="",
            )
    for name, value in (error.headers or {}).items():
        answer.set_header(name, value)
    return answer


def answer_fault(request: Asked, fault: Exception) -> Response[Any]:
    """Say that something broke, with the number under which it is in the log."""
    if any(isinstance(one, NoRoom) or is_no_room(one) for one in _each(fault)):
        note_fault(fault, way_in(request.scope))
        return answer_refusal(request, NoRoom())
    return Response(
        note_fault(fault, way_in(request.scope)), status_code=500, media_type="text/html"
    )


def _each(fault: BaseException) -> Generator[BaseException]:
    """Walk a fault and, where Litestar has put several into a group, each of them."""
    yield fault
    if isinstance(fault, BaseExceptionGroup):
        for one in fault.exceptions:
            yield from _each(one)


def note_fault(fault: Exception, way: str) -> str:
    """Write a fault down, and give the page that says so; it asks for nothing that may be broken.

    The log has its kind and the places it passed, not its words: those of a database hold values.
    """
    reference = new_uid()
    log.error(
        "fault",
        reference=reference,
        fault=type(fault).__name__,
        way=way,
        places=[
            f"{place.filename.removeprefix(TREE).rpartition('site-packages/')[2]}:{place.lineno}"
            for place in traceback.extract_tb(fault.__traceback__)
        ][-12:],
    )
    return templates().get_template("errors/500.html").render(reference=reference)
