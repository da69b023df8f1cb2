"""Markdown: organisers' text, as HTML for the one part and as lines for the other.

Both come from the same tokens, so they say the same. Raw HTML is off: it is shown as the characters
it is. Pictures have a block of their own. Headings begin at h2, because the layout has the one h1.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mailer.content.refusals import Unfit, excerpt
from mailer.content.textpart import Wrap


class UnsafeLink(Unfit):
    """A link goes to %(url)s. It must begin with https:, http:, mailto: or tel:."""


_allowed_scheme = re.compile(r"https?://[^\s/]|mailto:[^\s@]+@|tel:\+?[0-9]", re.IGNORECASE).match
_cannot_be_in_a_url = re.compile(r"[\x00-\x20\x7f\\<>\"]").search
_is_mark = re.compile(r"rc[0-9a-f]+s\d{4}z").fullmatch


def _parser() -> MarkdownIt:
    options = {"html": False, "linkify": False, "typographer": False, "maxNesting": 8}
    parser = MarkdownIt("commonmark", options)
    parser.disable(["image", "html_block", "html_inline", "code", "fence", "reference"])
    # safe_link refuses with a reason; markdown-it would print the source.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005
    return parser


_PARSER = _parser()


def safe_link(url: str) -> str:
    """Let through a URL with an allowed scheme, or one that is a merge field whole."""
    if not is_safe_link(url):
        raise UnsafeLink(url=excerpt(url))
    return url


def is_safe_link(url: str) -> bool:
    """Decide without a refusal."""
    if _is_mark(url):
        return True
    return _allowed_scheme(url) is not None and not _cannot_be_in_a_url(url)


def to_html(source: str) -> str:
    """Write well-formed HTML: paragraphs, headings from h2, lists, quotes, emphasis, links."""
    return str(_PARSER.renderer.render(_tokens(source), _PARSER.options, {})).strip()


_SIGNS = re.compile(r"([!-/:-@\[-`{-~])")  # ASCII punctuation (CommonMark 2.4)


def literal(words: str) -> str:
    """Write plain words as Markdown that says just them, line for line; fields mean nothing."""
    return re.sub(r"(?<!\n)\n(?!\n)", "\\\\\n", _SIGNS.sub(r"\\\1", words))


def _tokens(source: str) -> list[Token]:
    tokens = _PARSER.parse(source)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 1, 4)}"
        for inline in token.children or ():
            if inline.type == "link_open":
                inline.attrs = {"href": safe_link(str(inline.attrs["href"]))}
    return tokens


def to_text(source: str, wrap: Wrap) -> str:
    """Write paragraphs with a blank line between, in lines."""
    lines = _Lines(wrap)
    for token in _tokens(source):
        lines.take(token)
    return lines.written.strip("\n")


class _Lines:
    """The text so far, and where in lists and quotations it stands."""

    def __init__(self, wrap: Wrap) -> None:
        self.written = ""
        self._wrap = wrap
        self._indents: list[str] = []
        self._numbers: list[int | None] = []  # of each open list; None: bullets
        self._bullet = ""  # of an item that has not said anything yet
        self._in_tight_list = False  # whose items follow each other without a blank line
        self._gap = "\n\n"

    def take(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self._numbers.append(None)
            case "ordered_list_open":
                self._numbers.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self._numbers.pop()
                self._in_tight_list = False
            case "list_item_open":
                self._begin_item()
            case "blockquote_open":
                self._indents.append("> ")
            case "list_item_close" | "blockquote_close":
                self._indents.pop()
            case "hr":
                self.written += "\n\n" + "-" * 20
            case "paragraph_open":
                follows = token.hidden and self._bullet and self._in_tight_list
                self._gap = "\n" if follows else "\n\n"
                self._in_tight_list = token.hidden
            case "heading_open":
                self._gap = "\n\n"
            case "inline":
                self._write(token)
            case _:  # what ends without leaving anything behind
                pass

    def _begin_item(self) -> None:
        number = self._numbers[-1]
        self._bullet = "- "
        if number is not None:
            self._bullet = f"{number}. "
            self._numbers[-1] = number + 1
        self._indents.append(" " * len(self._bullet))

    def _write(self, inline: Token) -> None:
        indent = "".join(self._indents)
        first = indent[: len(indent) - len(self._bullet)] + self._bullet
        self._bullet = ""
        lines = []
        for line in _words(inline).split("\n"):
            lines.append(self._wrap(line, first, indent))
            first = indent
        self.written += self._gap + "\n".join(lines)


def _words(inline: Token) -> str:
    """Say the inline text; a link is followed by where it goes."""
    said: list[str] = []
    starts: list[tuple[int, str]] = []
    for token in inline.children or ():
        match token.type:
            case "text" | "code_inline":
                said.append(token.content)
            case "softbreak":
                said.append(" ")
            case "hardbreak":
                said.append("\n")
            case "link_open":
                starts.append((len(said), str(token.attrs["href"])))
            case "link_close":
                start, url = starts.pop()
                if "".join(said[start:]).strip() != url:
                    said.append(f" <{url}>")
            case _:  # emphasis: a plain text has none
                pass
    return "".join(said)
