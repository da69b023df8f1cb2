"""Markup by hand: MJML that an organiser with the right to do so typed.

It is parsed as strict XML and rebuilt from an allow-list, so what MJML sees is ours: no mj-include,
no mj-raw, no mj-wrapper (our comments would break Outlook's in it), no social icons or accordions
(they fetch pictures from imgur). MJML writes attribute values unchecked into style="…", so each
value has a shape. HTML inside goes through nh3.
"""

import re
from collections.abc import Callable
from html.entities import html5
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

import nh3

from mailer.content.markdown import is_safe_link, safe_link
from mailer.content.refusals import Unfit, excerpt


class UnsafeMarkup(Unfit):
    """This is not allowed in a newsletter: %(found)s. Take it out."""


OwnPicture = Callable[[str], str]

_CHILDREN = {
    "mjml-fragment": {"mj-section"},
    "mj-section": {"mj-column", "mj-group"},
    "mj-group": {"mj-column"},
    "mj-column": {"mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer", "mj-table"},
}
_HTML_INSIDE = {"mj-text", "mj-button", "mj-table"}
_LENGTH = r"\d{1,3}(\.\d{1,2})?(px|%)?"
_SHAPES = {
    r"(?i)#[0-9a-f]{3}([0-9a-f]{3})?|transparent": (
        "color background-color container-background-color inner-background-color border-color"
    ),
    rf"{_LENGTH}( {_LENGTH}){{0,3}}": (
        "padding padding-top padding-bottom padding-left padding-right inner-padding width height"
        " font-size line-height border-radius border-width cellpadding cellspacing"
    ),
    r"none|\d{1,2}px (solid|dashed|dotted) #[0-9a-fA-F]{6}": (
        "border border-top border-bottom border-left border-right inner-border"
    ),
    r"left|right|center|justify|top|middle|bottom": "align text-align vertical-align",
    r"ltr|rtl": "direction",
    r"normal|bold|[1-9]00|italic|underline|none": "font-weight font-style text-decoration",
    r"(?s).{0,300}": "alt title",
}
_SHAPE = {name: re.compile(shape) for shape, names in _SHAPES.items() for name in names.split()}

_TAGS = (
    "p br hr h2 h3 h4 strong b em i u s sub sup small ul ol li blockquote a span"
    " table thead tbody tr th td caption"
)
_TAGS_WITH_CONTENT_TO_DROP = (
    "script style iframe object embed svg math noscript template textarea title xmp"
)


def _kept(_tag: str, name: str, value: str) -> str | None:
    """Drop a link that goes nowhere good. nh3 swallows what is raised in here."""
    return value if name != "href" or is_safe_link(value) else None


_CLEANER = nh3.Cleaner(
    tags=set(_TAGS.split()),
    clean_content_tags=set(_TAGS_WITH_CONTENT_TO_DROP.split()),
    attributes={
        "a": {"href", "title"},
        "td": {"colspan", "rowspan", "align"},
        "th": {"colspan", "rowspan", "align", "scope"},
        "*": {"lang", "dir"},
    },
    url_schemes={"http", "https", "mailto", "tel"},
    attribute_filter=_kept,
    link_rel=None,
    strip_comments=True,
)


def clean_html(html: str) -> str:
    """Keep what is allowed in a mail and nothing else. Void elements are closed, for MJML."""
    return re.sub(r"<(br|hr)>", r"<\1 />", _CLEANER.clean(html))


def clean_mjml(source: str, own_picture: OwnPicture) -> str:
    """Rebuild the MJML from what is allowed; refuse the rest with its name."""
    if unwanted := re.search(r"<[!?].*", source):  # comments, DOCTYPE, entities, CDATA, Outlook's
        raise UnsafeMarkup(found=excerpt(unwanted[0]))
    try:
        # Without a DOCTYPE there are no entities, so nothing to expand or to fetch.
        root = ET.fromstring(f"<mjml-fragment>{_numeric(source)}</mjml-fragment>")  # noqa: S314
    except ET.ParseError as error:
        raise UnsafeMarkup(found=str(error)) from error
    return "".join(_rebuild(child, "mjml-fragment", own_picture) for child in root)


def _numeric(source: str) -> str:
    """Write &nbsp; and its like as the characters they are: XML knows five names only."""
    return re.sub(
        r"&(?!amp;|lt;|gt;|quot;|apos;)([A-Za-z][A-Za-z0-9]*;)",
        lambda found: html5.get(found[1], found[0]),
        source,
    )


def _rebuild(element: ET.Element, parent: str, own_picture: OwnPicture) -> str:
    tag = element.tag
    if tag not in _CHILDREN[parent]:
        raise UnsafeMarkup(found=f"<{tag}>")
    inside = _inside(element, own_picture)
    if tag == "mj-table":  # MJML gives its table no role, whatever one asks for
        role = "" if "<th" in inside.replace("<thead", "") else ' role="presentation"'
        head = f'<table width="100%" cellpadding="0" cellspacing="0"{role}>'
        return f"<mj-text>{head}{inside}</table></mj-text>"
    attributes = "".join(
        f" {name}={quoteattr(_checked(tag, name, value, own_picture))}"
        for name, value in element.items()
    )
    return f"<{tag}{attributes}>{inside}</{tag}>"


def _inside(element: ET.Element, own_picture: OwnPicture) -> str:
    if element.tag in _HTML_INSIDE:
        for href in filter(None, (anchor.get("href") for anchor in element.iter("a"))):
            safe_link(href)
        written = escape(element.text or "") + "".join(map(_serialised, element))
        return _clean_rows(written) if element.tag == "mj-table" else clean_html(written)
    if element.tag in _CHILDREN:
        return "".join(_rebuild(child, element.tag, own_picture) for child in element)
    return ""


def _clean_rows(html: str) -> str:
    """Clean the inside of an mj-table. Outside a table a parser drops ``<tr>`` and ``<td>``."""
    return clean_html(f"<table>{html}</table>").removeprefix("<table>").removesuffix("</table>")


def _serialised(element: ET.Element) -> str:
    closed = element.tag in {"br", "hr"}
    return ET.tostring(element, encoding="unicode", short_empty_elements=closed)


def _checked(tag: str, name: str, value: str, own_picture: OwnPicture) -> str:
    if name == "href" and tag in {"mj-button", "mj-image"}:
        return safe_link(value)
    if name == "src" and tag == "mj-image":
        return own_picture(value)
    if name not in _SHAPE or not _SHAPE[name].fullmatch(value):
        raise UnsafeMarkup(found=excerpt(f'{name}="{value}"'))
    return value
