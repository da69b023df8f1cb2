"""Drawings: icons and charts as inline SVG.

HTML is written in templates; this is the one place where markup is put together in Python, because
a drawing is arithmetic. No drawing carries a `style` attribute (the content security policy forbids
it): looks come from classes. What is drawn is also said in words beside it, so all but a labelled
icon, the ladder and the QR code are hidden from screen readers.

Hatching fills with `url(#hatch)`, a pattern that `layouts/base.html` defines once. So a page that
htmx swaps parts of never holds the same id twice.
"""

import functools
import io
import re
from collections.abc import Sequence
from pathlib import Path

import segno
from markupsafe import Markup

ICONS = Path(__file__).parent.parent / "static" / "icons"

# What points the way of reading is mirrored where reading goes from right to left. Up and down,
# check marks and clocks are not.
READING_WAY = frozenset(
    {
        "arrow-left",
        "arrow-right",
        "external-link",
        "list",
        "log-in",
        "log-out",
        "megaphone",
        "quote",
        "reply",
        "send",
        "text",
        "undo-2",
    }
)

RUNG = 76  # from one rung of the ladder to the next, in the units of the drawing


def icon(name: str, cls: str = "", label: str | None = None) -> Markup:
    """Draw one of `static/icons`, hidden from screen readers unless it has a label."""
    classes = " ".join(["icon", *(["icon--turns"] if name in READING_WAY else []), *cls.split()])
    said = (
        Markup('aria-hidden="true" focusable="false"')
        if label is None
        else Markup('role="img" aria-label="{}"').format(label)
    )
    return Markup('<svg class="{}" viewBox="0 0 24 24" {}>{}</svg>').format(
        classes, said, _strokes(name)
    )


@functools.cache
def _strokes(name: str) -> Markup:
    """Read what is inside the svg element of a file, on one line."""
    source = (ICONS / f"{name}.svg").read_text(encoding="utf-8")
    inside = source.partition("<svg")[2].partition(">")[2].rpartition("</svg>")[0]
    return Markup(re.sub(r"\s*(/?>)\s*", r"\1", " ".join(inside.split())))  # noqa: S704  # our own file


def bar(
    share: float,
    kind: str = "ink",
    share2: float = 0,
    kind2: str = "hatch",
    *,
    track: bool = False,
) -> Markup:
    """Draw a bar of one or two parts, each a share in 100 of the width.

    Kinds are `ink`, `brand`, `hatch` and `off`. There is no viewBox, so nothing is stretched.
    """
    parts = [(0.0, share, kind), (share, share2, kind2)]
    return Markup('<svg aria-hidden="true" focusable="false"{}>{}</svg>').format(
        Markup(' class="track"') if track else "",
        Markup().join(
            Markup('<rect {} x="{:.2f}%" y="1" width="{:.2f}%" height="90%"/>').format(
                _filled(of), start, max(0.0, min(width, 100 - start))
            )
            for start, width, of in parts
            if width > 0
        ),
    )


def key(kind: str) -> Markup:
    """Draw the swatch that stands before the words of a key."""
    return Markup(
        '<svg aria-hidden="true" focusable="false">'
        '<rect {} x="1" y="1" width="26" height="13"/></svg>'
    ).format(_filled(kind))


def _filled(kind: str) -> Markup:
    """Say how a part is filled; a pattern has to be named in the page, not in a style sheet."""
    pattern = Markup(' fill="url(#hatch)"') if kind == "hatch" else ""
    return Markup('class="c-{}"{}').format(kind, pattern)


def climb(
    ladder: Sequence[str],
    here: int | None = None,
    target: int | None = None,
    *,
    label: str,
    remarks: Sequence[str] = (),
    done: bool = False,
) -> Markup:
    """Draw the ladder, lowest rung first, with the rung one stands on and the rung one moves to.

    `here` and `target` count from 0. The rung moved to is dashed until the move is `done`, then
    solid. A remark is the second line beside the rung of the same number.
    """
    height = RUNG * len(ladder) + 26
    drawn = [Markup('<path d="M20 0h16v{0}H20zM144 0h16v{0}h-16z"/>').format(height)]
    for no, name in enumerate(ladder):
        middle = RUNG * (len(ladder) - no) - 17
        if no != target:
            drawn.append(Markup('<path d="M36 {}h108v14H36z"/>').format(middle - 7))
        elif done:
            drawn.append(Markup('<path d="M6 {}h168v42H6z"/>').format(middle - 21))
        else:
            drawn.append(
                Markup('<path class="climb__maybe" d="M8 {}h164v38H8z"/>').format(middle - 19)
            )
        remark = remarks[no] if no < len(remarks) else ""
        drawn.append(_caption(name, remark, middle, was=no == here and no != target))
    return Markup(
        '<svg class="climb" viewBox="0 0 380 {}" role="img" aria-label="{}">{}</svg>'
    ).format(height, label, Markup().join(drawn))


def _caption(name: str, remark: str, middle: int, *, was: bool) -> Markup:
    """Write the name of a rung, and the remark below it, to the right of the ladder."""
    # 190 units are left; 30 of a condensed face fill them with about 20 letters.
    classes = " ".join(
        [*(["climb__was"] if was else []), *(["climb__long"] if len(name) > 18 else [])]
    )
    words = Markup('<text class="{}" x="190" y="{}">{}</text>').format(
        classes, middle + (2 if remark else 10), name
    )
    if not remark:
        return words
    return words + Markup('<text class="climb__remark" x="190" y="{}">{}</text>').format(
        middle + 25, remark
    )


def qr(data: str, label: str) -> Markup:
    """Draw a QR code, dark on light in every theme since cameras want it so."""
    drawn = io.BytesIO()
    segno.make(data, error="m", micro=False).save(
        drawn,
        kind="svg",
        xmldecl=False,
        svgns=False,
        omitsize=True,
        border=0,
        dark="#000",
        light="#fff",
    )
    opened = Markup('<svg role="img" aria-label="{}" ').format(label)
    return Markup(drawn.getvalue().decode().strip().replace("<svg ", opened, 1))  # noqa: S704  # segno's own
