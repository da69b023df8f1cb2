"""Blocks: what a newsletter is made of, as stored in JSON.

Text is `Localised`: language to words, with the newsletter's first language as fallback. A block
may carry a condition: who sees it. The structs hold rules and no I/O; how a block looks is in
templates/newsletters/blocks/.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from mailer.content.refusals import Unfit, excerpt
from mailer.kit.orm import Localised

Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Colour = Annotated[str, msgspec.Meta(pattern=r"^#[0-9a-f]{6}$")]
Layout = Literal["poster", "letter"]

LEAST_CONTRAST = 4.5  # WCAG 2, level AA, for text


class EmptyCondition(Unfit):
    """A condition without a clause would show this to nobody. Choose somebody, or everybody."""


class LowContrast(Unfit):
    """Text in %(ink)s on %(paper)s is hard to read. Choose colours further apart (4.5 to 1)."""


class ForeignPicture(Unfit):
    """The picture %(src)s is not one of ours.

    A foreign picture tells a stranger who has read the mail: upload it here and use that one.
    """


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What conditions may ask of a reader."""

    tier: str
    lists: frozenset[str] = frozenset()
    groups: frozenset[int] = frozenset()
    asks: Mapping[int, str] = {}  # ask number to the state of their pledge; absent: no pledge
    best_ask: int = 0  # the number of the one that was chosen for them; 0: none was


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who sees a block: those for whom every clause holds. `unless` turns the whole round."""

    tiers: tuple[str, ...] = ()
    languages: tuple[Language, ...] = ()
    lists: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    ask: int | None = None
    ask_states: tuple[str, ...] = ()  # "none" is a state too: has not answered
    best_ask: int | None = None  # this ask was chosen for them
    unless: bool = False

    def __post_init__(self) -> None:
        if bool(self.ask_states) != (self.ask is not None):
            raise EmptyCondition
        if not (self.languages or self.asks_the_reader):
            raise EmptyCondition

    def holds(self, facts: Facts, language: str) -> bool:
        """Decide for one reader."""
        return self.unless != (
            (not self.tiers or facts.tier in self.tiers)
            and (not self.languages or language in self.languages)
            and (not self.lists or not facts.lists.isdisjoint(self.lists))
            and (not self.groups or not facts.groups.isdisjoint(self.groups))
            and (self.ask is None or facts.asks.get(self.ask, "none") in self.ask_states)
            and (self.best_ask is None or facts.best_ask == self.best_ask)
        )

    @property
    def asks_the_reader(self) -> bool:
        """False where the language alone decides: then compiling decides."""
        return bool(
            self.tiers or self.lists or self.groups or self.ask_states or self.best_ask is not None
        )


class _Block(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"
):
    shown_to: Condition | None = None  # None: everybody


class Heading(_Block, frozen=True, tag="heading"):
    """A heading below the headline."""

    text: Localised


class Text(_Block, frozen=True, tag="text"):
    """Paragraphs, lists and links in Markdown."""

    markdown: Localised


class Button(_Block, frozen=True, tag="button"):
    """One link, large."""

    label: Localised
    url: str  # https://…, or {{ link.… }}


class Image(_Block, frozen=True, tag="image"):
    """A picture of ours."""

    src: str
    alt: Localised  # an empty mapping is a decision: decoration, nothing to say
    width: Annotated[int, msgspec.Meta(ge=1, le=600)] = 528
    url: str | None = None


class Quote(_Block, frozen=True, tag="quote"):
    """What somebody said."""

    text: Localised
    by: Localised


class Divider(_Block, frozen=True, tag="divider"):
    """A rule across the sheet."""


class AskAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One button of an ask."""

    means: Literal["pledge", "done", "help", "decline"]
    label: Localised


class Ask(_Block, frozen=True, tag="ask"):
    """An ask with its answers."""

    ask: int
    effort: Localised  # "The ask: 10 minutes, by 18 June"
    title: Localised
    markdown: Localised
    answers: Annotated[tuple[AskAnswer, ...], msgspec.Meta(min_length=1, max_length=3)]


class BestAsk(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="kind",
    tag="best_ask",
):
    """Asks of which each reader sees the one that was chosen for them, or none."""

    asks: tuple[Ask, ...]


class EventAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One button of an event."""

    means: Literal["yes", "online", "no"]
    label: Localised


class Event(_Block, frozen=True, tag="event"):
    """An invitation with its answers."""

    event: int
    title: Localised
    markdown: Localised
    answers: Annotated[tuple[EventAnswer, ...], msgspec.Meta(min_length=1, max_length=3)]


class Raw(_Block, frozen=True, tag="raw"):
    """MJML by hand, for those who may. Parsed and rebuilt from an allow-list (markup.py)."""

    mjml: Localised
    text: Localised  # the same words for the text part


class Columns(_Block, frozen=True, tag="columns"):
    """Two columns, one above the other on a telephone."""

    left: tuple[Heading | Text | Button | Image, ...]
    right: tuple[Heading | Text | Button | Image, ...]


Block = Heading | Text | Button | Image | Quote | Divider | Ask | BestAsk | Event | Raw | Columns


class Brand(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the network looks, and where it lives."""

    name: Localised
    address: Localised  # postal: the law of most countries asks for it
    media: str  # where pictures come from: https://host/path/
    accent: Colour = "#ffc233"
    ink: Colour = "#141b22"
    logo: str | None = None

    def __post_init__(self) -> None:
        for paper in (self.accent, "#ffffff"):
            if contrast(self.ink, paper) < LEAST_CONTRAST:
                raise LowContrast(ink=self.ink, paper=paper)

    def own_picture(self, src: str) -> str:
        """Let through what lies at our own address."""
        if not src.startswith(self.media):
            raise ForeignPicture(src=excerpt(src))
        return src


class Rung(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tier of the ladder as a newsletter shows it."""

    tier: str  # its slug, which is in the link too
    name: Localised
    promise: Localised
    on_request: bool = False  # stepping up to it needs approval, and the mail says so


class Newsletter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an organiser composed, with what we add to it: the ladder and the brand."""

    subject: Localised
    headline: Localised
    languages: Annotated[tuple[Language, ...], msgspec.Meta(min_length=1)]  # the first: fallback
    brand: Brand
    blocks: tuple[Block, ...]
    preheader: Localised = {}  # what an inbox shows beside the subject
    issue: Localised = {}  # "No. 42"
    ladder: tuple[Rung, ...] = ()  # lowest rung first
    layout: Layout = "poster"

    @property
    def first_best_ask(self) -> int:
        """Give the first ask of which one is chosen for each reader: for looking at it; 0: none."""
        of_each = (block.asks for block in self.blocks if isinstance(block, BestAsk))
        return next((ask.ask for asks in of_each for ask in asks), 0)


def newsletter_of(
    *,
    subject: Localised,
    headline: Localised,
    markdown: Localised,
    brand: Brand,
    preheader: Localised | None = None,
    issue: Localised | None = None,
    asking: Ask | BestAsk | None = None,
    ladder: tuple[Rung, ...] = (),
    layout: Layout = "poster",
) -> Newsletter:
    """Make the simplest newsletter: one text, written in one language or several.

    Below it stands what it asks, if it asks for something.

    The languages are those of the text, in their order; the first is what everybody else reads.
    """
    written = _said(markdown)
    return Newsletter(
        subject=_said(subject),
        headline=_said(headline),
        preheader=_said(preheader or {}),
        issue=_said(issue or {}),
        languages=tuple(written) or ("en",),
        brand=brand,
        blocks=(Text(markdown=written), *([asking] if asking else [])),
        ladder=ladder,
        layout=layout,
    )


def _said(text: Localised) -> Localised:
    """Leave out languages with nothing to say, and what UTF-8 cannot hold."""
    return {
        language: words.encode("utf-8", "replace").decode()
        for language, words in text.items()
        if words.strip()
    }


def nearest(wanted: str, languages: Sequence[str]) -> str:
    """Choose for a reader: their language, its base, or the first there is."""
    base = wanted.split("-", maxsplit=1)[0]
    return next((name for name in (wanted, base) if name in languages), languages[0])


def contrast(one: str, other: str) -> float:
    """Compute the WCAG 2 contrast ratio of two #rrggbb colours."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
