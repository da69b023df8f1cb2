"""Previews: as one reader will get it, and as everybody may read it on the web."""

import re

import msgspec
import pytest

from mailer.content import Facts, Unfit, newsletter_of, preview, web_copy
from mailer.content.lint import lint
from mailer.content.webtext import web_line, web_text
from tests.content.samples import (
    BRAND,
    MEDIA,
    MOCKUP,
    NOW,
    TEXT,
    TOKEN,
    compiled,
    farida,
    html_of,
    mockup,
    text_of,
    with_block,
)


def test_a_preview_is_what_will_be_sent():
    wire = compiled(mockup()).fill(farida(), "fr", NOW)
    seen = preview(mockup(), "fr", farida())

    assert seen.subject == "Farida, 968 lettres : voilà ce qu’elles ont changé"
    assert seen.html == html_of(wire)
    assert seen.text == text_of(wire)
    assert seen.faults == ()


def test_a_preview_for_nobody_has_links_that_work_nowhere():
    nobody = msgspec.structs.replace(farida(), values={})
    seen = preview(mockup(), "pl", nobody)

    assert "Dear friend," in seen.html
    assert "https://preview.invalid/link.unsubscribe" in seen.text
    assert TOKEN not in seen.html
    assert seen.faults == ()


def test_a_preview_tells_what_would_not_be_right():
    table = TEXT.format("<table><tr><td>a</td></tr></table>")
    seen = preview(with_block(kind="raw", mjml={"en": table}, text={"en": "a"}), "en", farida())

    assert seen.faults == ("A table for layout lacks role=presentation.",)


def test_a_web_copy_has_no_token_and_no_name():
    html = web_copy(mockup(), "en")

    assert "/l/" not in html
    assert "/u/" not in html
    assert not re.search(r'href="[^"]*(#|invalid)', html)
    assert "href" not in html.replace("xmlns", "")
    assert "Dear friend," in html
    assert "I’ll be there" not in html
    assert lint(html, MEDIA) == []


def test_a_web_copy_has_neither_ladder_nor_links_of_the_reader():
    html = web_copy(mockup(), "en")

    for words in (
        "Your level",
        "You are here",
        "Unsubscribe",
        "Pause",
        "read on the web",
        "joined",
    ):
        assert words not in html
    assert "14 Mill Lane, Northgate" in html


def test_links_of_a_web_copy_lead_to_neutral_pages_where_there_are_some():
    newsletter = newsletter_of(
        subject={"en": "Hello"},
        headline={"en": "Hello"},
        markdown={
            "en": "[Your page]({{ link.preferences }}), [leave]({{ link.unsubscribe }})"
            ", [more](https://example.org/?a={{ first_name|b }})"
        },
        brand=BRAND,
    )
    html = web_copy(newsletter, "en", {"link.preferences": "https://roll.example.org/preferences"})

    assert re.findall(r'href="([^"]*)"', html) == [
        "https://roll.example.org/preferences",
        "https://example.org/?a=b",
    ]
    assert ", leave, " in html


def test_buttons_of_a_web_copy_are_those_that_lead_somewhere():
    page = "https://roll.example.org/events/7"
    picture = {"kind": "image", "src": MEDIA + "a.png", "alt": {"en": "A"}}
    newsletter = mockup(
        blocks=[
            *MOCKUP["blocks"],
            {"kind": "button", "label": {"en": "Stop"}, "url": "{{ link.pause }}"},
            {"kind": "button", "label": {"en": "Read"}, "url": "https://x.org/read"},
            picture | {"url": "{{ link.forward }}"},
            picture | {"url": "https://x.org/picture"},
        ]
    )
    html = web_copy(newsletter, "en", {"link.event.7.yes": page})

    assert re.findall(r'href="([^"]*)"', html) == [
        page,
        "https://x.org/read",
        "https://x.org/picture",
    ]
    assert "I’ll be there" in html
    for words in ("I’ll join online", "I’ll do it", "Stop"):
        assert words not in html
    assert lint(html, MEDIA) == []


def test_what_is_for_some_readers_only_is_not_on_the_web():
    newsletter = mockup(
        blocks=[
            {"kind": "text", "markdown": {"en": "For all."}},
            {
                "kind": "text",
                "markdown": {"en": "The meeting point is a secret."},
                "shown_to": {"tiers": ["activist"]},
            },
        ]
    )

    assert "For all." in web_copy(newsletter, "en")
    assert "secret" not in web_copy(newsletter, "en")
    reader = farida(facts=Facts(tier="activist"))
    assert "secret" in preview(newsletter, "en", reader).html


def test_a_web_copy_is_in_the_language_asked_for_or_the_first():
    assert 'dir="rtl"' in web_copy(mockup(), "ar")
    assert 'lang="en" dir="ltr"' in web_copy(mockup(), "pl")


def test_a_field_that_everybody_has_is_said_neutrally_on_the_web():
    newsletter = mockup(headline={"en": "{{ tier }}: {{ tier_promise }}"})

    assert "your level: what you chose" in web_copy(newsletter, "en")


def test_an_organisers_text_stands_on_a_page_of_ours_without_a_reader():
    written = web_text(
        "Dear {{ first_name|<friend> }}, [leave]({{ link.unsubscribe }}) or"
        " [read](https://x.org/?a={{ city|b }}).",
        "en",
    )

    assert written == (
        '<p>Dear &lt;friend&gt;, leave or <a href="https://x.org/?a=b">read</a>.</p>'
    )
    assert web_line("{{ first_name|Friend }} & {{ tier }}", "en") == "Friend & your level"


@pytest.mark.parametrize(
    "markdown",
    [
        "[x]({{ first_name|javascript:alert(1) }})",
        "[x](javascript:alert(1))",
        "[x](https://{{ city|evil }}.example/)",
    ],
)
def test_no_fallback_becomes_a_script_on_a_page_of_ours(markdown: str):
    with pytest.raises(Unfit):
        web_text(markdown, "en")
