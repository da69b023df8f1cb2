"""A newsletter of one text, and what is added to every one of them."""

import re
from typing import Any

import msgspec
import pytest

from mailer.content import (
    Condition,
    Facts,
    Newsletter,
    Rung,
    compile_campaign,
    newsletter_of,
)
from mailer.content.compiler import TEMPLATES
from tests.content.samples import (
    BRAND,
    ENVELOPE,
    MEDIA,
    MOCKUP,
    NOW,
    TOKEN,
    compiled,
    farida,
    html_of,
    mockup,
    text_of,
)

LADDER = (
    Rung("follower", {"en": "Follower"}, {"en": "one email a month"}),
    Rung("supporter", {"en": "Supporter"}, {"en": "two emails a month"}),
    Rung("activist", {"en": "Activist"}, {"en": "one email a week"}, on_request=True),
)


def simple(markdown: dict[str, str] | None = None, **changes: Any) -> Newsletter:
    given: dict[str, Any] = {
        "subject": {"en": "What we did"},
        "headline": {"en": "What we did"},
        "markdown": markdown or {"en": "Dear {{ first_name|friend }},\n\nThank you."},
        "brand": BRAND,
        "ladder": LADDER,
    }
    return newsletter_of(**(given | changes))


def test_one_text_is_a_newsletter():
    wire = compile_campaign(ENVELOPE, simple()).fill(farida(), "en", NOW)

    for said in (html_of(wire), text_of(wire)):
        assert "Dear Farida," in said
        assert "Thank you." in said
        assert "What we did" in said


def test_its_languages_are_those_of_the_text():
    newsletter = simple({"fr": "Bonjour", "en": " ", "ar": "أهلا"})

    assert newsletter.languages == ("fr", "ar")
    campaign = compile_campaign(ENVELOPE, newsletter)
    assert "Bonjour" in text_of(campaign.fill(farida(), "en", NOW))


def test_what_cannot_be_encoded_is_replaced():
    assert simple({"en": "a\ud800b"}).blocks[0] == simple({"en": "a?b"}).blocks[0]


def test_a_newsletter_is_stored_as_json_and_comes_back():
    newsletter = msgspec.convert(MOCKUP, Newsletter)

    assert msgspec.json.decode(msgspec.json.encode(newsletter), type=Newsletter) == newsletter


@pytest.mark.parametrize(
    "layout", sorted(path.stem for path in TEMPLATES.glob("layouts/[!_]*.mjml"))
)
@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_every_layout_has_ladder_pause_preferences_leaving_and_address(layout: str, language: str):
    wire = compiled(mockup(layout=layout)).fill(farida(), language, NOW)

    for said in (html_of(wire), text_of(wire)):
        urls = re.findall(rf"https://roll\.example\.org/l/{TOKEN}(\d\d)", said)
        # unsubscribe, preferences, pause, web, forward, and the two other rungs of the ladder
        assert {"00", "01", "02", "03", "04", "05", "07"} <= set(urls)
        assert "06" not in urls  # where she stands
        assert "14 Mill Lane, Northgate" in " ".join(said.split())


def test_the_ladder_says_which_steps_need_an_answer_first():
    text = text_of(compiled(simple()).fill(farida(), "en", NOW))

    assert "Ask to step up to Activist, one email a week:" in text
    assert "* You are here: Supporter" in text
    assert "Step down to Follower, one email a month:" in text
    assert text.index("Activist") < text.index("You are here") < text.index("Step down")


def test_a_newsletter_without_a_ladder_or_a_preview_line_is_whole():
    newsletter = simple(ladder=(), layout="letter")
    html = html_of(compile_campaign(ENVELOPE, newsletter).fill(farida(), "en", NOW))

    assert "Your level" not in html
    assert "display:none;max-height:0" not in html


@pytest.mark.parametrize(
    ("condition", "facts", "holds"),
    [
        ({"tiers": ["a", "b"]}, {"tier": "b"}, True),
        ({"tiers": ["a"]}, {"tier": "b"}, False),
        ({"tiers": ["a"], "unless": True}, {"tier": "b"}, True),
        ({"lists": ["x"]}, {"tier": "b", "lists": frozenset({"x", "y"})}, True),
        ({"lists": ["x"]}, {"tier": "b"}, False),
        ({"groups": [1, 2]}, {"tier": "b", "groups": frozenset({2})}, True),
        ({"groups": [1, 2], "tiers": ["a"]}, {"tier": "b", "groups": frozenset({2})}, False),
        ({"ask": 3, "ask_states": ["none"]}, {"tier": "b"}, True),
        ({"ask": 3, "ask_states": ["none"]}, {"tier": "b", "asks": {3: "done"}}, False),
        ({"ask": 3, "ask_states": ["done"]}, {"tier": "b", "asks": {3: "done"}}, True),
        ({"languages": ["en"]}, {"tier": "b"}, True),
        ({"languages": ["fr"], "tiers": ["b"]}, {"tier": "b"}, False),
    ],
    ids=range(12),
)
def test_conditions(condition: dict[str, object], facts: dict[str, object], *, holds: bool):
    decided = msgspec.convert(condition, Condition).holds(msgspec.convert(facts, Facts), "en")

    assert decided is holds


def test_a_picture_without_words_is_decoration():
    picture = {"kind": "image", "src": MEDIA + "a.png", "alt": {}, "url": "https://x.org/"}
    wire = compiled(mockup(languages=["en"], blocks=[picture])).fill(farida(), "en", NOW)

    assert 'alt=""' in html_of(wire)
    assert "https://x.org/" in text_of(wire)
