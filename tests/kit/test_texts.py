"""Short texts that people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.kit.texts import TextMissing, TextTooLong, in_languages, lines, one_line


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Bo   Diallo ", "Bo Diallo"),
        ("Zoe\u0308", "Zoë"),
        ("Bo\r\nBcc: evil@example.org", "Bo Bcc: evil@example.org"),
        ("Bo\x00\x1b[31m", "Bo [31m"),
        ("Bo\u2028\u2029\u0085Diallo", "Bo Diallo"),
        ("\u202eoB\u2066\ufeff", "oB"),
        ("\u0645\u06cc\u200c\u062e\u0648", "\u0645\u06cc\u200c\u062e\u0648"),
        ("👩\u200d🏭", "👩\u200d🏭"),
        ("\u200b \u00ad", ""),
    ],
)
def test_a_text_is_kept_on_one_line_with_nothing_invisible(typed: str, kept: str) -> None:
    assert one_line(typed, longest=100, field="name") == kept


@given(st.text())
def test_keeping_a_text_twice_changes_nothing_more(typed: str) -> None:
    kept = one_line(typed, longest=10_000, field="name")
    assert one_line(kept, longest=10_000, field="name") == kept
    assert kept.isprintable() or "\u200c" in kept or "\u200d" in kept or not kept.isascii()
    assert "\n" not in kept
    assert "\r" not in kept


def test_a_text_of_lines_keeps_its_lines() -> None:
    assert lines("\n Transport  House\r\n1 Road\r\rNorthgate\n\n", longest=100, field="a") == (
        "Transport House\n1 Road\n\nNorthgate"
    )


def test_what_is_needed_or_too_long_is_refused_by_its_field() -> None:
    with pytest.raises(TextMissing) as missing:
        one_line(" \n", longest=5, field="name", needed=True)
    with pytest.raises(TextTooLong) as long:
        lines("123456", longest=5, field="place")
    assert missing.value.facts == {"field": "name"}
    assert long.value.facts == {"field": "place", "longest": 5}
    assert long.value.said() == "This is too long: 5 characters at most."


def test_text_in_languages_keeps_those_that_say_something() -> None:
    assert in_languages({"en": " Hi ", "fr": "\n"}, longest=9, field="name") == {"en": "Hi"}
    with pytest.raises(TextMissing):
        in_languages({"en": ""}, longest=9, field="name", needed=True)


def test_what_is_too_long_in_one_language_is_refused_with_its_language() -> None:
    with pytest.raises(TextTooLong) as refused:
        in_languages({"en": "Join", "fr": "Rejoignez"}, longest=5, field="headline")
    assert refused.value.facts == {"field": "headline", "language": "fr", "longest": 5}
