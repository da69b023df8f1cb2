"""What servers say of our pace, and how fast that was."""

import pytest

from mailer.deliveries.hearing import Traffic, asks_to_slow_down, without_addresses


@pytest.mark.parametrize(
    ("code", "words", "is_slow"),
    [
        (421, "4.2.1 mailbox busy", True),  # whatever it says, it closes the connection
        (421, "", True),
        (450, "4.7.1 greylisted", True),
        (451, "4.7.500 server busy", True),
        (452, "4.3.1 insufficient storage", True),
        (454, "4.4.5 congestion", True),
        (450, "try again later", True),
        (451, "", True),
        (450, "4.2.1 the user receives mail too fast", False),
        (452, "4.2.2 mailbox full", False),
        (450, "4.1.8 sender address", False),
        (452, "too many recipients", False),
        (550, "5.7.1 no", False),
        (250, "2.0.0 ok", False),
    ],
)
def test_a_deferral_is_about_our_pace_or_about_one_mailbox(
    code: int, words: str, is_slow: bool
) -> None:
    assert asks_to_slow_down(code, words) is is_slow


def test_only_so_many_domains_are_observed() -> None:
    traffic = Traffic(0.0)
    for no in range(20_001):
        traffic.note(f"d{no}.example")
    traffic.note("d0.example")

    assert traffic.pace("d0.example", 1.0) == 120
    assert traffic.pace("d20000.example", 1.0) == 0
    traffic.turn(10.0)
    traffic.turn(20.0)
    assert traffic.pace("d0.example", 20.0) == 0


def test_words_are_kept_without_addresses() -> None:
    said = "4.7.1 <bo@example.org>: later\0, " + "x" * 300

    assert without_addresses(said) == ("4.7.1 … later, " + "x" * 300)[:200]
