"""Lint: what every finished mail must meet, measured on the filled HTML.

Gives sentences, not refusals: the composer shows them beside the preview, and review demands that
there are none.
"""

import re
from html.parser import HTMLParser

import msgspec
from typing_extensions import override

from mailer.content.blocks import LEAST_CONTRAST, contrast
from mailer.content.marks import VOID
from mailer.kit.i18n import _

GMAIL_CLIPS = 102_000
_LOADS = frozenset(
    "src srcset background poster data action formaction xlink:href manifest".split()
)
_FOREIGN = frozenset("script iframe object embed form input base link svg math video audio".split())
_WITHOUT_INK = frozenset(("", "html", "head", "title", "style", "script", "noscript"))


def lint(html: str, own: str) -> list[str]:
    """Say what is wrong with a filled mail; `own` is where its pictures may come from."""
    looker = _Looker(own)
    looker.feed(html)
    looker.close()
    found = looker.found
    if looker.h1s != 1:
        found.append(
            _("There are %(number)s main headings; one is right.") % {"number": looker.h1s}
        )
    if not looker.titled:
        found.append(_("The title is missing."))
    size = len(html.encode("utf-8", "replace"))
    if size > GMAIL_CLIPS:
        found.append(_("Gmail cuts a mail at 102 kB; this has %(size)s.") % {"size": size // 1000})
    return list(dict.fromkeys(found))


class _Element(msgspec.Struct, frozen=True):
    tag: str
    ink: str
    paper: str


class _Looker(HTMLParser):
    def __init__(self, own: str) -> None:
        super().__init__()
        self.own = own
        self.found: list[str] = []
        self.h1s = 0
        self.titled = False
        self.open = [_Element("", "#000000", "#ffffff")]
        self.link: list[str] | None = None
        self.tables: list[bool] = []  # is it a layout that says so, or has it headings?

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        had = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.open.append(_painted(tag, had, inside=self.open[-1]))
        self.h1s += tag == "h1"
        if tag == "a":
            self.link = []
        if tag == "img" and self.link is not None:
            self.link.append(had.get("alt", ""))
        if tag == "table":
            self.tables.append(had.get("role") == "presentation")
        if tag == "th" and self.tables:
            self.tables[-1] = True  # a table of data
        self._look_at_element(tag, had)
        for name, value in had.items():
            self._look_at_attribute(name, value)

    def _look_at_element(self, tag: str, had: dict[str, str]) -> None:
        if tag == "html" and not (had.get("lang") and had.get("dir") in {"ltr", "rtl"}):
            self.found.append(_("The language or the direction is missing."))
        if tag == "img" and "alt" not in had:
            self._say(_("A picture has no alternative text: %(what)s"), had.get("src", ""))
        if tag in _FOREIGN:
            self._say(_("This does not belong in a mail: %(what)s"), f"<{tag}>")

    def _look_at_attribute(self, name: str, value: str) -> None:
        if name.startswith("on"):
            self._say(_("A script is attached: %(what)s"), name)
        if name in _LOADS and not value.startswith(self.own):
            self._say(_("This is loaded from elsewhere: %(what)s"), value)
        if name == "href" and not re.match(r"https?://|mailto:|tel:", value):
            self._say(_("A link leads nowhere: %(what)s"), value)
        if name == "style" and ("url(" in value or "expression" in value):
            self._say(_("A style loads something: %(what)s"), value)

    @override
    def handle_endtag(self, tag: str) -> None:
        if self.open[-1].tag == tag:
            self.open.pop()
        if tag == "table" and self.tables and not self.tables.pop():
            self.found.append(_("A table for layout lacks role=presentation."))
        if tag == "a" and self.link is not None:
            if not "".join(self.link).strip():
                self.found.append(_("A link has no words."))
            self.link = None

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    @override
    def handle_data(self, data: str) -> None:
        element = self.open[-1]
        if self.link is not None:
            self.link.append(data)
        if element.tag == "title":
            self.titled = self.titled or bool(data.strip())
        if element.tag == "style" and re.search(r"url\(|@import", data):
            self.found.append(_("A style sheet loads from elsewhere."))
        if not data.strip() or element.tag in _WITHOUT_INK:
            return
        if contrast(element.ink, element.paper) < LEAST_CONTRAST:
            what = f"{element.ink}, {element.paper}: {data.strip()[:40]}"
            self._say(_("Too little contrast: %(what)s"), what)

    def _say(self, sentence: str, what: str) -> None:
        self.found.append(sentence % {"what": what[:80]})


def _painted(tag: str, had: dict[str, str], *, inside: _Element) -> _Element:
    style = had.get("style", "")
    bgcolor = had.get("bgcolor", "")
    return _Element(
        tag=tag,
        ink=_colour(r"(?<![-a-z])color:\s*(#[0-9a-fA-F]{3,6})", style) or inside.ink,
        paper=_colour(r"background(?:-color)?:\s*(#[0-9a-fA-F]{3,6})", style)
        or (bgcolor if re.fullmatch(r"#[0-9a-f]{6}", bgcolor) else inside.paper),
    )


def _colour(pattern: str, style: str) -> str | None:
    found = re.findall(pattern, style)
    if not found:
        return None
    last = str(found[-1]).lower()
    return last if len(last) == 7 else "#" + "".join(2 * digit for digit in last[1:4])
