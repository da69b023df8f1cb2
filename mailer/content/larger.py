"""Large text: the same HTML with larger words, for who asked for it.

It is made of the finished HTML, so that whatever stands in a newsletter grows alike: what our
templates say, what MJML adds, and what an organiser wrote by hand. Only style sheets and `style`
attributes are touched, never words, so every slot and region stays where it was.
"""

import re

SMALLEST = 24
"""Pixels: 18 points, from where WCAG 2.2 calls text large. No words are smaller."""

_LARGE_ALREADY = 32  # pixels: a headline, which on a telephone has no room to grow
_GROWS = 7
_LINE_GROWS = 10
_GAP = 10  # pixels: cells that small keep buttons apart, and hold no words

# A long word may break: 24 px and 320 px of a telephone must go together (WCAG 1.4.10).
_BREAKS = "<style>body { word-break: break-word; overflow-wrap: anywhere; }</style>"

_STYLES = re.compile(
    r"""(?P<comment><!--.*?-->)"""
    r"""|(?P<sheet><style\b.*?</style>)"""
    r"""|(?P<tag><[a-zA-Z](?:"[^"]*"|[^">])*>)""",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""(?<=\sstyle=")[^"]*""")
_SIZE = re.compile(r"\b(font-size|line-height)(:\s*)(\d+)px")


def larger(html: str) -> str:
    """Write finished HTML with larger words; slots and regions are where they were."""
    return _STYLES.sub(_with_larger_styles, html).replace("</head>", f"{_BREAKS}</head>", 1)


def _with_larger_styles(found: re.Match[str]) -> str:
    if found["sheet"]:
        return _SIZE.sub(_grown, found[0])
    return _ATTRIBUTE.sub(lambda style: _SIZE.sub(_grown, style[0]), found[0])


def _grown(found: re.Match[str]) -> str:
    what, colon, pixels = found[1], found[2], int(found[3])
    if _GAP < pixels <= _LARGE_ALREADY and what == "line-height":
        pixels += _LINE_GROWS
    elif _GAP < pixels < _LARGE_ALREADY and what == "font-size":
        pixels = min(max(pixels + _GROWS, SMALLEST), _LARGE_ALREADY)
    return f"{what}{colon}{pixels}px"
