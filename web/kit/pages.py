"""Pages: a template and what every template may count on.

Besides what the handler gives, a page knows: `organisation`, `display`, `path`, `account` (None for
anybody), `csrf`, XX
Global names: `language()`, `direction()`, `languages`, `icon`, `bar`, `key`, `climb`, `qr`,
`static()`, `role_name()`, `listed()`.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from babel.lists import format_list
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.exceptions import HTTPException
from litestar.response import Redirect, Template
from litestar.response.base import ASGIResponse
from typing_extensions import override

from mailer.accounts.model import ROLE_NAMES, Role
from mailer.kit import i18n
from web.kit import svg
from web.kit.sessions import Asked, Notice, notice_cookie, visit_of
from web.kit.statics import static

TEMPLATES = Path(__file__).parent.parent.parent / "templates"


def page(request: Asked, template: str, *, status: int = 200, **context: Any) -> Template:
    """Answer with a page, or with the part of one that htmx asked for."""
    visit = visit_of(request)
    visit.notice_was_shown = visit.notice is not None
    known = {
        "organisation": visit.organisation,
        "display": visit.display,
        "path": _path_back(request),
        "account": visit.account if visit.is_inside else None,
        "csrf": visit.csrf,
        "at": "",
        "waiting": visit.waiting,
        "care": visit.care,
        "notice": visit.notice,
    }
    return Template(template, context={**known, **context}, status_code=status)


def _path_back(request: Asked) -> str:
    """Give the path of this page, or of the first one if nobody can come back to it by a GET."""
    path: str = request.scope["path"]
    try:
        request.app.asgi_router.handle_routing(path=path, method="GET")
    except HTTPException:
        return "/admin" if visit_of(request).is_inside else "/"
    return path


class Onward(Redirect):
    """A redirect to a page that will say what was done."""

    def __init__(self, to: str, notice: Notice | None) -> None:
        """Lead on with a GET (303), whatever this request was."""
        super().__init__(to, status_code=303)
        self.notice = notice

    @override
    def to_asgi_response(self, app: Any, request: Asked, **more: Any) -> ASGIResponse:
        if self.notice is not None:
            self.set_cookie(notice_cookie(visit_of(request).house, self.notice))
        return super().to_asgi_response(app, request, **more)


def redirect(to: str, *, notice: str = "", kind: str = "ok") -> Onward:
    """Answer a form: lead on to a page, which says the notice once.

    `kind` is "ok", "info", "warn" or "danger".
    """
    return Onward(to, Notice(notice, kind) if notice else None)


@functools.cache
def templates() -> Environment:
    """Read our own templates; a name they do not get is an error."""
    pages = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        i18n._,
        i18n.ngettext,
        newstyle=True,  # its conventional name
    )
    pages.globals.update(
        language=i18n.language.get,
        direction=lambda: i18n.direction(i18n.language.get()),
        languages=[(name, i18n.own_name(name)) for name in i18n.LANGUAGES],
        in_language=i18n.in_language,
        own_name=i18n.own_name,
        icon=svg.icon,
        bar=svg.bar,
        key=svg.key,
        climb=svg.climb,
        qr=svg.qr,
        static=static,
        role_name=role_name,
        listed=listed,
    )
    return pages


def listed(names: Sequence[str], most: int) -> str:
    """Say names as one says them: “A, B and C”; of more than `most`, how many others there are."""
    shown = list(names[:most])
    if left := len(names) - len(shown):
        others = i18n.ngettext("%(count)s other group", "%(count)s other groups", left)
        shown.append(others % {"count": left})
    return format_list(shown, locale=i18n.language.get())


def role_name(role: Role) -> str:
    """Say a role in the reader's language."""
    return i18n._(ROLE_NAMES[role])
