"""What an organiser is told when something needs mending: what it is, and where it stands."""

from typing import Any

import msgspec
import pytest

from mailer import content
from mailer.content import (
    Brand,
    EmptyCondition,
    FallbackNeeded,
    ForeignPicture,
    LowContrast,
    MalformedField,
    RegionUnbalanced,
    SlotMisplaced,
    TextMissing,
    UnknownField,
    UnsafeLink,
    UnsafeMarkup,
)
from mailer.content.marks import parts_of_html, parts_of_text
from mailer.content.merge import Slots
from mailer.kit.errors import Refusal
from mailer.kit.i18n import speaking
from tests.content.samples import MEDIA, compiled, mockup, with_block

BUTTON = {"kind": "button", "label": {"en": "x"}}
PICTURE = {"kind": "image", "alt": {}}


@pytest.mark.parametrize(
    ("block", "refusal", "said"),
    [
        (
            {"kind": "heading", "text": {"en": "{{ password|x }}"}},
            UnknownField,
            "There is no merge field password. These may be used: first_name, ",
        ),
        (
            {"kind": "heading", "text": {"en": "{{ first_name }}"}},
            FallbackNeeded,
            "Not everybody has a first_name. Say what else to write: {{ first_name|friend }}.",
        ),
        (
            {"kind": "heading", "text": {"en": "{{ first_name|x|y }}"}},
            MalformedField,
            "This is not a merge field: {{ first_name|x|y }}.",
        ),
        (
            {"kind": "heading", "text": {"en": "a {{ 7*7 }}"}},
            MalformedField,
            "This is not a merge field: {{ 7*7 }}.",
        ),
        ({"kind": "heading", "text": {"en": " "}}, TextMissing, "This text is empty"),
        (
            BUTTON | {"url": "javascript:alert(1)"},
            UnsafeLink,
            "A link goes to javascript:alert(1).",
        ),
        (BUTTON | {"url": "{{ first_name|x }}"}, SlotMisplaced, "here: {{ first_name }}."),
        (
            BUTTON | {"url": "https://{{ city|x }}.example.org/"},
            SlotMisplaced,
            "here: https://{{ city }}.example.org/.",
        ),
        (
            BUTTON | {"url": "https://x.org/{{ link.web }}"},
            SlotMisplaced,
            "here: https://x.org/{{ link.web }}.",
        ),
        (
            PICTURE | {"src": "https://evil.example/x.png"},
            ForeignPicture,
            "The picture https://evil.example/x.png is not one of ours.",
        ),
        (
            PICTURE | {"src": MEDIA + "{{ city|x }}.png"},
            SlotMisplaced,
            f"here: {MEDIA}{{{{ city }}}}.png.",
        ),
        (
            {"kind": "text", "markdown": {"en": "[x](javascript:alert(1))"}},
            UnsafeLink,
            "A link goes to javascript:alert(1).",
        ),
        ({"kind": "text", "markdown": {"en": "[x](/here)"}}, UnsafeLink, "goes to /here."),
        (
            {
                "kind": "columns",
                "left": [{"kind": "heading", "text": {"en": "{{ x }}"}}],
                "right": [],
            },
            UnknownField,
            "There is no merge field x.",
        ),
        (
            {"kind": "raw", "text": {"en": "x"}, "mjml": {"en": "<mj-hero></mj-hero>"}},
            UnsafeMarkup,
            "This is not allowed in a newsletter: <mj-hero>.",
        ),
    ],
    ids=range(15),
)
def test_what_is_refused_says_what_and_where(
    block: dict[str, Any], refusal: type[Refusal], said: str
):
    with pytest.raises(refusal) as refused:
        compiled(with_block(**block))

    assert said in refused.value.said()
    assert refused.value.facts["field"] == "markdown"
    assert refused.value.facts["language"] == "en"
    if refusal is not SlotMisplaced:  # found on the finished page, where there are no blocks
        assert refused.value.said().endswith("(in the text)")


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"subject": {"en": "{{ x }}"}}, "subject", "(in the subject, English)"),
        ({"headline": {}}, "headline", "(in the headline, English)"),
        ({"preheader": {"fr": "{{ x }}"}}, "preheader", "(in the preview line, English)"),
        ({"issue": {"en": "1", "fr": "{{"}}, "issue", "(in the issue, Français)"),
        (
            {"brand": {"name": {}, "address": {"en": "x"}, "media": MEDIA}},
            "brand",
            "(in the name of the network, English)",
        ),
        (
            {"brand": {"name": {"en": "x"}, "address": {}, "media": MEDIA}},
            "brand",
            "(in the postal address of the network, English)",
        ),
        (
            {
                "blocks": [
                    {"kind": "divider"},
                    {"kind": "text", "markdown": {"en": "a", "fr": "{{ x }}"}},
                ]
            },
            "markdown",
            "(in block 2, Français)",
        ),
    ],
    ids=range(7),
)
def test_the_place_is_named_with_its_language(changes: dict[str, Any], field: str, said: str):
    with pytest.raises(Refusal) as refused:
        compiled(mockup(languages=["en", "fr"], **changes))

    assert refused.value.said().endswith(said)
    assert refused.value.facts["field"] == field


@pytest.mark.parametrize(
    "condition",
    [{}, {"unless": True}, {"ask": 3}, {"ask_states": ["none"]}, {"tiers": ["a"], "ask": 3}],
    ids=range(5),
)
def test_a_condition_has_a_clause(condition: dict[str, Any]):
    with pytest.raises(EmptyCondition):
        with_block(kind="divider", shown_to=condition)


def test_colours_can_be_read():
    with pytest.raises(LowContrast) as refused:
        Brand(name={}, address={}, media="", accent="#333333")

    assert refused.value.said().startswith("Text in #141b22 on #333333 is hard to read.")


@pytest.mark.parametrize(
    "html",
    [
        "<p><!--rcaaaaaaaab0000z--></p><!--rcaaaaaaaae0000z-->",
        "<p></div>",
        "<p>",
        "<!--rcaaaaaaaab0000z-->",
        "<!--rcaaaaaaaae0000z-->",
        "<!-- rcaaaaaaaab0000z -->",
        "<!--rcaaaaaaaab0000z--></p>",
        "<p><!--rcaaaaaaaab0000z--><i></i></p><p><!--rcaaaaaaaae0000z--></p>",
        "<!--[if mso]><p><!--rcaaaaaaaab0000z--></p><![endif]-->",
        "<!--[endif-->",
    ],
    ids=range(10),
)
def test_a_part_for_some_readers_ends_where_it_began(html: str):
    with pytest.raises(RegionUnbalanced) as refused:
        parts_of_html(html, Slots("aaaaaaaa", {}))

    assert refused.value.said()


@pytest.mark.parametrize("edges", ["b0000z\n", "e0000z\n", "b0000z\nrcaaaaaaaae0001z\n"])
def test_a_part_of_the_text_does_so_too(edges: str):
    with pytest.raises(RegionUnbalanced):
        parts_of_text(f"rcaaaaaaaa{edges}", Slots("aaaaaaaa", {}))


@pytest.mark.parametrize(
    "html",
    [
        "<style>{}</style>",
        "<!-- {} -->",
        "<!DOCTYPE {}>",
        '<p class="{}">',
        "<p {}>",
        "<noembed>{}</noembed>",
        "<{}>",
        '<a href="https://{}/">',
        '<a href="mailto:{}">',
        '<a href="{}">',
        "<!--[if mso]><p class={}></p><![endif]-->",
    ],
    ids=range(11),
)
def test_a_field_stands_only_where_it_can_be_written_safely(html: str):
    slots = Slots("aaaaaaaa", {})
    html = html.format(slots.place("city", "here"))
    html += (
        ""
        if html.startswith(("<style", "<!", "<noembed"))
        else f"</{html[1:].split()[0].strip('>')}>"
    )
    with pytest.raises(SlotMisplaced) as refused:
        parts_of_html(html, slots)

    assert "{{ city }}" in refused.value.said() or "rcaaaaaaaa" not in refused.value.said()


def test_a_field_may_stand_at_the_very_end():
    slots = Slots("aaaaaaaa", {})

    assert len(parts_of_html("<p></p>" + slots.place("city", "here"), slots)) == 2


def test_refusals_speak_the_organisers_language():
    with pytest.raises(TextMissing) as refused, speaking("fr"):
        compiled(mockup(headline={}))

    with speaking("fr"):
        assert refused.value.said()


def test_each_refusal_of_the_slice_has_a_message():
    kinds = [kind for kind in vars(content).values() if isinstance(kind, type)]
    refusals = [kind for kind in kinds if issubclass(kind, Refusal)]

    assert len(refusals) >= 15
    for kind in refusals:
        assert kind.__doc__
        assert len(kind.__doc__) > 20


def test_a_language_is_a_language():
    with pytest.raises(msgspec.ValidationError):
        mockup(languages=["<script>"])
    with pytest.raises(msgspec.ValidationError):
        mockup(languages=[])
