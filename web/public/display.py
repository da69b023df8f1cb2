"""How pages look, in which language, in whose colour; and whether we are well."""

import dataclasses
import hashlib
import re

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from mailer.kit.i18n import LANGUAGES
from mailer.kit.work import Work
from mailer.organisation import store as organisation
from web.kit.forms import read_form
from web.kit.pages import Onward, redirect
from web.kit.security import public, safe_path
from web.kit.sessions import CONTRASTS, THEMES, Asked, choice_cookie, visit_of

# Absolute addresses: a url() in a custom property may be resolved against the file that uses it.
_BRAND = """\
:root {{
  --org-colour: {colour};
  --org-ink: {ink};
  --org-logo: url("/static/img/org-logo.svg");
  --org-name: "{name}";
}}
"""
_USUAL_COLOUR = "#ffc233"


class Display(Controller):
    """What every page leans on."""

    @post("/display", opt=public)
    async def display(self, request: Asked) -> Onward:
        """Remember the contrast or the theme somebody chose, and go back to the page."""
        form, visit = await read_form(request), visit_of(request)
        chosen = visit.display
        if form.raw("contrast") in CONTRASTS:
            chosen = dataclasses.replace(chosen, contrast=form.raw("contrast"))
        if form.raw("theme") in THEMES:
            chosen = dataclasses.replace(chosen, theme=form.raw("theme"))
        answer = redirect(safe_path(form.raw("back")) or "/")
        answer.set_cookie(choice_cookie(visit.house, "display", chosen.written()))
        return answer

    @post("/language", opt=public)
    async def language(self, request: Asked) -> Onward:
        """Remember the language somebody chose, and go back to the page."""
        form = await read_form(request)
        answer = redirect(safe_path(form.raw("back")) or "/")
        if form.raw("language") in LANGUAGES:
            chosen = choice_cookie(visit_of(request).house, "language", form.raw("language"))
            answer.set_cookie(chosen)
        return answer

    @get("/brand.css", opt=public)
    async def brand(self, request: Asked) -> Response[bytes]:
        """Give the organisation's colour and name as style: the only one that is not a file."""
        known = visit_of(request).organisation
        colour = known.colour if re.fullmatch("#[0-9a-fA-F]{6}", known.colour) else _USUAL_COLOUR
        style = _BRAND.format(colour=colour, ink=ink_on(colour), name=quoted(known.name)).encode()
        mark = f'"{hashlib.blake2b(style, digest_size=8).hexdigest()}"'
        same = request.headers.get("if-none-match") == mark
        return Response(
            b"" if same else style,
            status_code=304 if same else 200,
            media_type="text/css",
            headers={"etag": mark, "cache-control": "public, max-age=60"},
        )

    @get("/health", opt=public)
    async def health(self, work: NamedDependency[SkipValidation[Work]]) -> Response[str]:
        """Say that the database answers; a fault says that it does not."""
        await organisation.the_one(work)
        return Response("ok\n", media_type="text/plain")


def ink_on(colour: str) -> str:
    """Choose black or white, whichever has more contrast with a colour (WCAG 2.2, 1.4.3)."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else "#ffffff"


def quoted(words: str) -> str:
    """Write words for a string of CSS; what could end it is escaped (CSS Syntax 4.3.7)."""
    return re.sub(r"[^\w .,&-]", lambda found: f"\\{ord(found[0]):x} ", words)
