"""Merge fields: the closed set of things about a reader that a newsletter may say.

Organisers write ``{{ first_name|friend }}``. Before anything else reads the text, each field
becomes a *mark*: a word of lower-case letters and digits such as ``rc5d0c1f9es0003z``. Markdown,
MJML, css-inline and a URL parser all leave such a word alone; braces they do not. (markdown-it
percent-encodes ``{`` in links, css-inline escapes ``"``.) The word carries a digest of the
newsletter itself, so nobody can write one: the text would have to contain its own hash.

What a value must be escaped *for* is not declared anywhere. It is read off the finished HTML (see
marks.py).
"""

import enum
import re
from collections.abc import Callable, Mapping
from html import escape as html_escape
from urllib.parse import quote

import msgspec

from mailer.content import qp
from mailer.content.refusals import Unfit, excerpt


class UnknownField(Unfit):
    """There is no merge field %(name)s. These may be used: %(known)s."""


class MalformedField(Unfit):
    """This is not a merge field: %(text)s. One looks like {{ first_name|friend }}."""


class FallbackNeeded(Unfit):
    """Not everybody has a %(name)s. Say what else to write: {{ %(name)s|friend }}."""


class Kind(enum.Enum):
    """What a field holds."""

    TEXT = "text"  # words: anything the member or an import wrote, hence hostile
    LINK = "link"  # a whole URL that we made ourselves


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be merged."""

    name: str
    kind: Kind = Kind.TEXT
    everybody: bool = False  # has a value for every reader, so that no fallback is asked for
    width: int = 8  # expected columns, for wrapping the text part
    longest: int = 60  # a longer value is no name but an attack or an accident: not used


_TEXTS = [
    Field(name="first_name"),
    Field(name="last_name"),
    Field(name="city"),
    Field(name="group", width=20, longest=120),
    Field(name="tier", everybody=True),
    Field(name="tier_promise", everybody=True, width=20, longest=160),
    Field(name="joined", everybody=True, width=13),
    Field(name="list", everybody=True, longest=120),
]
FIELDS = {field.name: field for field in _TEXTS}

# Links are made per reader with a token that can do one thing, so they are named by what they do.
_LINK = re.compile(
    r"link\.(unsubscribe|preferences|pause|read|web|forward|tier\.[a-z0-9-]{1,40}"
    r"|ask\.\d{1,18}\.(pledge|done|help|decline)|event\.\d{1,18}\.(yes|online|no))"
)


def field_named(name: str) -> Field:
    """Find a field of the closed set."""
    if name in FIELDS:
        return FIELDS[name]
    if _LINK.fullmatch(name):
        return Field(name=name, kind=Kind.LINK, everybody=True, width=40, longest=900)
    raise UnknownField(
        name=name, known=", ".join([*FIELDS, "link.unsubscribe", "link.preferences"])
    )


class Slot(msgspec.Struct, frozen=True):
    """One merge field with its fallback, wherever it stands."""

    field: Field
    fallback: str

    def value(self, given: str) -> str:
        """Say what this reader sees: clean and short; empty only if the fallback is."""
        if self.field.kind is Kind.LINK:
            return given if len(given) <= self.field.longest and is_our_url(given) else NOWHERE
        if given.isascii() and given.isprintable() and len(given) <= self.field.longest:
            found = given.strip()
        elif len(given) > 40 * self.field.longest:  # do not even look at a megabyte
            return self.fallback
        else:
            found = clean(given)
        if not found or len(found) > self.field.longest or _is_like_a_link(found):
            return self.fallback
        return found


NOWHERE = "#"

# Without TLS a token could be read on the way; a demonstration on this machine has no way.
is_our_url = re.compile(
    r"(https://[A-Za-z0-9][A-Za-z0-9.-]{0,252}|http://(127\.0\.0\.1|localhost))(:\d{1,5})?"
    r"([/?#][A-Za-z0-9._~:/?#@!$&()*+,;=%-]*)?"
).fullmatch

# The usual link of ours, of which nothing is escaped and no line gets too long.
is_plain_url = re.compile(
    r"(?=.{10,75}\Z)https://[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{1,5})?/[A-Za-z0-9/_-]*"
).fullmatch

# Mail clients turn these into links by themselves: a "first name" such as evil.example/win must
# not become one.
_is_like_a_link = re.compile(r"://|www\.|@|[^\s.]\.[a-z]{2,}(/|$|\s)", re.IGNORECASE).search

# Controls, line and paragraph separators become spaces. Embeddings, overrides and isolates vanish:
# they reorder the text that follows. The marks LRM, RLM and ALM and the joiners stay: Arabic,
# Persian and emoji need them. Lone surrogates cannot be encoded; "tag" characters are invisible.
_VANISHING = [
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    *range(0xFDD0, 0xFDF0),
    *range(0xFFF9, 0xFFFC),
    *(0xFEFF, 0xFFFE, 0xFFFF),
    *range(0xE0000, 0xE0080),
]
_CLEAN = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " "),
    **dict.fromkeys(_VANISHING, ""),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}
_CLEAN_LINES = {code: to for code, to in _CLEAN.items() if code not in {0x09, 0x0A}}


def clean(value: str) -> str:
    """Make one line of text, without anything that acts on its neighbours."""
    return " ".join(value.translate(_CLEAN).split())


def clean_lines(text: str) -> str:
    """Do the same for what an organiser wrote, which may have lines.

    MJML refuses a document with a control character in it.
    """
    return text.replace("\r\n", "\n").translate(_CLEAN_LINES)


class Slots:
    """The marks of one newsletter in one language."""

    def __init__(self, digest: str, neutral: Mapping[str, str]) -> None:
        """Keep `neutral` words: what stands for a field that everybody has, when one does not."""
        self.digest = digest
        self.slots: list[Slot] = []
        self.mark = re.compile(rf"rc{digest}s(\d{{4}})z")
        self._neutral = neutral

    def place(self, name: str, fallback: str = "") -> str:
        """Give the mark of a field."""
        field = field_named(name)
        if not field.everybody and not fallback:
            raise FallbackNeeded(name=name)
        slot = Slot(field, clean(fallback or self._neutral.get(name, "")))
        if slot not in self.slots:
            self.slots.append(slot)
        return f"rc{self.digest}s{self.slots.index(slot):04}z"

    def place_all(self, text: str) -> str:
        """Replace each ``{{ field|fallback }}`` by its mark."""
        marked = _FIELD.sub(self._placed, clean_lines(text))
        if "{{" in marked or "}}" in marked:
            raise MalformedField(text=excerpt(marked[max(0, marked.find("{{")) :], 40))
        return marked

    def _placed(self, found: re.Match[str]) -> str:
        return self.place(found[1], (found[2] or "").strip())

    def as_wide_as_usual(self, text: str) -> str:
        """Make each mark as wide as the value usually is: for wrapping."""
        return self.mark.sub(lambda found: "x" * self.slots[int(found[1])].field.width, text)

    def as_typed(self, text: str) -> str:
        """Turn marks back into the fields they came from: for saying what is wrong."""
        return self.mark.sub(
            lambda found: f"{{{{ {self.slots[int(found[1])].field.name} }}}}", text
        )


_FIELD = re.compile(r"\{\{ *([a-z0-9_.-]{1,80}) *(?:\| *([^{}|\r\n]{0,80}?) *)?\}\}")


def named_in(text: str) -> list[tuple[str, int]]:
    """Give the names of the fields in a text, each with the line in which it stands, from 1."""
    text = clean_lines(text)
    return [(found[1], text.count("\n", 0, found.start()) + 1) for found in _FIELD.finditer(text)]


# Encoders: text in, wire bytes out. Each is total: there is no str it does not take.

Encoder = Callable[[str], bytes]


def for_html(value: str) -> bytes:
    """Write text or a quoted attribute; ``>`` too, so that nothing ends an Outlook comment."""
    if qp.is_plain(value):  # nothing in it that HTML would escape either
        return value.encode() + b"=\r\n"
    return qp.piece(html_escape(value, quote=True))


def for_url_part(value: str) -> bytes:
    """Write a piece of a query or path: everything but unreserved characters as %XX."""
    return qp.value(quote(value, safe="", errors="replace"))


def for_text(value: str) -> bytes:
    """Write words of the text part."""
    return qp.value(value)


PLAIN_ALIKE = frozenset({for_html, for_text})
"""Encoders that write a plain value in the same way."""
