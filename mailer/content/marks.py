"""Marks: how slots and regions survive the way through Markdown, MJML and css-inline.

A slot is a word (``rc<digest>s0003z``). A region, which only some readers see, lies between two
comments, ``<!--rc<digest>b0001z-->`` and ``<!--rc<digest>e0001z-->``. Comments, because a bare word
between table rows would be moved out of the table by the HTML parser in css-inline. Three places
are good for them, and only those:

* between sections of the body (``<mj-raw>`` there stays outside Outlook's comments),
* between the components of an ``mj-column`` (between ``<tr>``),
* inside HTML of ours within ``mj-text``.

Inside ``mj-wrapper`` and directly inside ``mj-section`` they would land *in* one of Outlook's
comments and end it early. So this is not believed but checked here, on the finished HTML, for every
newsletter, raw MJML included.
"""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import msgspec
from typing_extensions import override

from mailer.content.merge import (
    Encoder,
    Kind,
    Slots,
    for_html,
    for_text,
    for_url_part,
)
from mailer.content.refusals import Unfit, excerpt


class SlotMisplaced(Unfit):
    """A merge field cannot stand here: %(found)s. Use it among words, or a link field as a link."""


class RegionUnbalanced(Unfit):
    """A part that only some readers see does not end where it began, at %(found)s."""


class Constant(msgspec.Struct, frozen=True):
    """What every reader sees."""

    text: str


class Placed(msgspec.Struct, frozen=True):
    """A slot, and how its value must be written there."""

    slot: int
    encode: Encoder


class Region(msgspec.Struct, frozen=True):
    """What only those see for whom the condition holds."""

    condition: int
    parts: list["Part"]


Part = Constant | Placed | Region


def parts_of_html(html: str, slots: Slots) -> list[Part]:
    """Read the finished HTML as a tree of constants, slots and regions.

    Refuses what would be unsafe or unbalanced.
    """
    _check_regions(html, slots)
    encoders = _encoders(html, slots)
    comment = re.compile(rf"<!--rc{slots.digest}(?P<edge>[be])(?P<condition>\d{{4}})z-->")
    return _tree(html, comment, slots, encoders.__getitem__)


def parts_of_text(text: str, slots: Slots) -> list[Part]:
    """Read the text part likewise; there a region's edge is a line of its own."""
    line = re.compile(rf"rc{slots.digest}(?P<edge>[be])(?P<condition>\d{{4}})z\n")
    return _tree(text, line, slots, lambda _position: for_text)


def _tree(
    source: str, edge: re.Pattern[str], slots: Slots, encoder_at: Callable[[int], Encoder]
) -> list[Part]:
    slot = slots.mark.pattern.replace("(", "(?P<slot>", 1)
    stack: list[tuple[int, list[Part]]] = [(-1, [])]
    position = 0
    for found in re.finditer(f"{edge.pattern}|{slot}", source):
        if found.start() > position:
            stack[-1][1].append(Constant(source[position : found.start()]))
        position = found.end()
        if found["slot"]:
            stack[-1][1].append(Placed(int(found["slot"]), encoder_at(found.start())))
        elif found["edge"] == "b":
            stack.append((int(found["condition"]), []))
        else:
            condition, parts = stack.pop()
            if not stack or condition != int(found["condition"]):
                raise RegionUnbalanced(found=found[0])
            stack[-1][1].append(Region(condition, parts))
    if len(stack) != 1:
        raise RegionUnbalanced(found=stack[-1][0])
    if position < len(source):
        stack[0][1].append(Constant(source[position:]))
    return stack[0][1]


# Where does a slot stand?  css-inline writes every attribute in double quotes and leaves "<" in
# them as it is.

_TOKEN = re.compile(
    r"<!--(?P<comment>.*?)-->"
    r"|(?P<raw><(?P<name>style|script|xmp|noembed|noframes|plaintext)\b.*?(?:</(?P=name)|\Z))"
    r"""|(?P<tag></?[a-zA-Z](?:"[^"]*"|[^">])*>)"""
    r"|(?P<other><[!?][^>]*>)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([^\s"=<>/]+)\s*=\s*"([^"]*)\"""")
_WORDS = frozenset({"alt", "title", "aria-label", "summary"})
_ADDRESSES = frozenset({"href"})  # not src: a picture per reader is a way to watch the reader
_after_the_host = re.compile(r"(https?://[^/?#]+[/?#]|mailto:.*\?)").match


def _encoders(html: str, slots: Slots, offset: int = 0) -> dict[int, Encoder]:
    """Tell for the position of each mark how a value is written there."""
    found: dict[int, Encoder] = {}
    position = 0
    for token in _TOKEN.finditer(html):
        for mark in slots.mark.finditer(html, position, token.start()):
            found[offset + mark.start()] = for_html
        position = token.end()
        if not slots.mark.search(token[0]):
            continue
        if token["tag"]:
            found |= _in_tag(token[0], slots, offset + token.start())
        elif token["comment"] and token["comment"].startswith("[if"):  # HTML to Outlook
            found |= _encoders(token["comment"], slots, offset + token.start("comment"))
        else:
            raise SlotMisplaced(found=excerpt(slots.as_typed(token[0])))
    for mark in slots.mark.finditer(html, position):
        found[offset + mark.start()] = for_html
    return found


def _in_tag(tag: str, slots: Slots, offset: int) -> dict[int, Encoder]:
    found: dict[int, Encoder] = {}
    for attribute in _ATTRIBUTE.finditer(tag):
        for mark in slots.mark.finditer(attribute[2]):
            at = offset + attribute.start(2) + mark.start()
            found[at] = _in_attribute(attribute, mark, slots)
    if len(found) != len(slots.mark.findall(tag)):
        raise SlotMisplaced(found=excerpt(slots.as_typed(tag)))
    return found


def _in_attribute(attribute: re.Match[str], mark: re.Match[str], slots: Slots) -> Encoder:
    name, value = attribute[1].lower(), attribute[2]
    if slots.slots[int(mark[1])].field.kind is Kind.LINK:
        if name in _ADDRESSES and value == mark[0]:
            return for_html
    elif name in _WORDS:
        return for_html
    elif name in _ADDRESSES and _after_the_host(value[: mark.start()]):
        return for_url_part
    raise SlotMisplaced(found=excerpt(slots.as_typed(value)))


# Are regions balanced, for us and for Outlook?

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_about_outlook = re.compile(r"\[(if|endif)").search
_conditional = re.compile(
    r"\[if [^\]]+\]>.*<!\[endif\]|\[if !mso\]><!|<!\[endif\]", re.DOTALL
).fullmatch


class _Depths(HTMLParser):
    """Walks tags and remembers the chain of open elements at each region's edge."""

    def __init__(self, digest: str) -> None:
        super().__init__(convert_charrefs=False)
        self.edge = re.compile(rf"rc{digest}([be])(\d{{4}})z")
        self.open: list[str] = []
        self.begun: list[tuple[str, list[str]]] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    @override
    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise RegionUnbalanced(found=f"</{tag}>")
        if self.begun and len(self.open) < len(self.begun[-1][1]):
            raise RegionUnbalanced(found=f"</{tag}>")

    @override
    def handle_comment(self, data: str) -> None:
        if edge := self.edge.fullmatch(data):
            self._cross(edge)
        elif self.edge.search(data) or (_about_outlook(data) and not _conditional(data)):
            raise RegionUnbalanced(found=excerpt(data))

    def _cross(self, edge: re.Match[str]) -> None:
        if edge[1] == "b":
            self.begun.append((edge[2], list(self.open)))
        elif not self.begun or self.begun.pop() != (edge[2], self.open):
            raise RegionUnbalanced(found="/".join(self.open))


def _check_regions(html: str, slots: Slots) -> None:
    """Refuse a region whose edges are not siblings, as everybody or as Outlook reads it."""
    for view in (html, as_outlook_reads(html)):
        walker = _Depths(slots.digest)
        walker.feed(view)
        walker.close()
        if walker.open or walker.begun:
            raise RegionUnbalanced(found="/".join(walker.open))


def as_outlook_reads(html: str) -> str:
    """Show what hides from all but Outlook on Windows, and hide what is marked ``!mso``."""
    html = re.sub(r"<!--\[if !mso\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    return re.sub(
        r"<!--\[if (?!lte mso 11)[^\]]*\]>(.*?)<!\[endif\]-->", r"\1", html, flags=re.DOTALL
    )
