"""Words in the reader's language."""

import pytest

from mailer.kit.errors import Invalid, Refusal, every_refusal
from mailer.kit.i18n import direction, in_language, known, language, own_name, speaking


@pytest.mark.parametrize(
    ("text", "wanted", "said"),
    [
        ({"en": "Hello", "fr": "Bonjour"}, "fr", "Bonjour"),
        ({"en": "Hello", "fr": "Bonjour"}, "fr-CA", "Bonjour"),
        ({"en": "Hello", "fr": " "}, "fr", "Hello"),
        ({"de": "Hallo"}, "fr", "Hallo"),
        ({}, "fr", ""),
    ],
)
def test_text_of_people_is_read_with_a_fallback(
    text: dict[str, str], wanted: str, said: str
) -> None:
    assert in_language(text, wanted) == said


def test_speaking_ends_with_its_block() -> None:
    with speaking("fr"):
        assert language.get() == "fr"
    assert language.get() == "en"


@pytest.mark.parametrize(
    ("asked", "given"), [("fr", "fr"), ("FR_be", "fr"), ("de", "en"), (None, "en"), ("", "en")]
)
def test_we_speak_the_nearest_language(asked: str | None, given: str) -> None:
    assert known(asked) == given


def test_languages_are_named_in_themselves() -> None:
    assert [own_name(name) for name in ("en", "fr", "ar", "no-such")] == [
        "English",
        "Français",
        "العربية",
        "no-such",
    ]
    assert (direction("ar"), direction("fr")) == ("rtl", "ltr")


def test_a_refusal_says_its_facts() -> None:
    class TooLong(Invalid):
        """This has %(found)s letters; %(most)s are the most."""

    assert TooLong(found=7, most=5).said() == "This has 7 letters; 5 are the most."
    assert TooLong().code == "too_long"
    assert TooLong in set(every_refusal(Refusal))
