"""What people and files write into fields, and how it is kept, shown and written again."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.fields import values
from mailer.fields.model import Field, FieldKind
from mailer.fields.values import read_value, shown, written
from mailer.kit.i18n import speaking
from mailer.kit.texts import TextTooLong

CHOICES = [
    {"slug": "rail", "name": {"en": "Railways", "fr": "Chemins de fer"}},
    {"slug": "care", "name": {"en": "Care, at home", "fr": "Soins"}},
    {"slug": "docks", "name": {"en": "Docks"}, "closed": True},
]


def a(kind: FieldKind) -> Field:
    return Field(slug="it", kind=kind, name={"en": "It"}, choices=CHOICES)


def kept(kind: FieldKind, typed: str, **how: str) -> list[str]:
    return [value for value, _number in read_value(a(kind), typed, **how)]  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", FieldKind)
def test_blank_is_nothing(kind: FieldKind) -> None:
    assert read_value(a(kind), " \n ") == []
    assert shown(a(kind), [], "en") == ""
    assert written([]) == ""


def test_text_is_one_line_without_tricks() -> None:
    assert kept(FieldKind.TEXT, " Line\n  2; \u202enight ") == ["Line 2; night"]
    with pytest.raises(TextTooLong):
        read_value(a(FieldKind.TEXT), "x" * 401)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("12", "12"),
        ("+12", "12"),
        ("-0", "0"),
        ("012.50", "12.5"),
        ("2,5", "2.5"),
        ("0,125", "0.125"),
        ("1.125", "1.125"),  # a dot alone parts the fraction, as we write it ourselves
        ("1 234,5", "1234.5"),
        ("1\u202f234,5", "1234.5"),
        ("1'234.5", "1234.5"),
        ("1,234.5", "1234.5"),
        ("1.234,5", "1234.5"),
        ("1.234.567", "1234567"),
        ("1,234,567.25", "1234567.25"),
        ("\u2212" + "3", "-3"),
        ("١٢", "12"),
        ("100", "100"),
    ],
)
def test_numbers_are_read_as_people_write_them(typed: str, value: str) -> None:
    assert read_value(a(FieldKind.NUMBER), typed) == [(value, float(value))]


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("twelve", values.NumberWrong),
        ("1e5", values.NumberWrong),
        ("1,2,3", values.NumberWrong),
        ("1,23.5", values.NumberWrong),
        ("1234567890123456", values.NumberWrong),  # 16 digits
        ("9" * 30, values.NumberWrong),
        ("nan", values.NumberWrong),
        ("1,234", values.NumberUnclear),
        ("-12,000", values.NumberUnclear),
    ],
)
def test_what_is_no_number_or_two_is_refused(typed: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal) as refused:
        read_value(a(FieldKind.NUMBER), typed)
    assert refused.value.facts["field"] == "it"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("typed", "order", "value"),
    [
        ("2026-05-31", None, "2026-05-31"),
        ("2026/5/3", None, "2026-05-03"),
        ("2026-05-31 00:00:00", None, "2026-05-31"),
        ("2026-05-31T22:00:00Z", None, "2026-05-31"),
        ("31.5.2026", None, "2026-05-31"),
        ("31. 5. 2026", None, "2026-05-31"),
        ("3/4/2026", "dmy", "2026-04-03"),
        ("3/4/2026", "mdy", "2026-03-04"),
        ("31-12-1999", "dmy", "1999-12-31"),
    ],
)
def test_dates_are_read_in_the_order_that_is_said(
    typed: str, order: str | None, value: str
) -> None:
    how = {"order": order} if order else {}
    assert kept(FieldKind.DATE, typed, **how) == [value]


@pytest.mark.parametrize("typed", ["3/4/2026", "2026-02-30", "31.13.2026", "May 2026", "1/2/26"])
def test_a_date_that_is_none_or_two_is_refused(typed: str) -> None:
    with pytest.raises(values.DateWrong):
        read_value(a(FieldKind.DATE), typed)


def test_choices_are_known_by_slug_and_by_name_in_any_language() -> None:
    for typed in ("rail", "RAILWAYS", " chemins  de fer "):
        assert kept(FieldKind.CHOICE, typed) == ["rail"]
    assert kept(FieldKind.CHOICE, "care, at home") == ["care"]
    assert kept(FieldKind.CHOICES, "Soins; rail;; rail") == ["rail", "care"]
    assert kept(FieldKind.CHOICE, "docks") == ["docks"]  # closed: who has it keeps it


def test_what_is_among_no_choices_is_refused_with_those_there_are() -> None:
    with pytest.raises(values.ChoiceUnknown) as refused, speaking("en"):
        read_value(a(FieldKind.CHOICES), "rail;mines")
    assert refused.value.said() == ("“mines” is not among the choices: Railways, Care, at home.")
    with pytest.raises(values.OneChoiceOnly):
        read_value(a(FieldKind.CHOICE), "rail;care")


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("Yes", "yes"),
        ("OUI", "yes"),
        ("1", "yes"),
        ("on", "yes"),
        ("non", "no"),
        ("FALSE", "no"),
        ("0", "no"),
    ],
)
def test_yes_and_no_are_known_in_our_languages(typed: str, value: str) -> None:
    assert kept(FieldKind.YES_NO, typed) == [value]


def test_maybe_is_neither_yes_nor_no() -> None:
    with pytest.raises(values.YesOrNo):
        read_value(a(FieldKind.YES_NO), "maybe")


@pytest.mark.parametrize(
    ("kind", "stored", "english", "french"),
    [
        (FieldKind.TEXT, ["Line 2"], "Line 2", "Line 2"),
        (FieldKind.NUMBER, ["1234.5"], "1,234.5", "1\u202f234,5"),
        (FieldKind.DATE, ["2026-05-31"], "May 31, 2026", "31 mai 2026"),
        (FieldKind.CHOICE, ["rail"], "Railways", "Chemins de fer"),
        (FieldKind.CHOICES, ["care", "docks", "rail"], "Railways, Care, at home, Docks", None),
        (FieldKind.YES_NO, ["yes"], "Yes", None),
    ],
)
def test_values_are_said_in_the_language_of_the_reader(
    kind: FieldKind, stored: list[str], english: str, french: str | None
) -> None:
    assert shown(a(kind), stored, "en") == english
    if french is not None:
        assert shown(a(kind), stored, "fr") == french


@given(st.text(max_size=400))
def test_text_is_read_back_from_what_was_written(typed: str) -> None:
    stored = kept(FieldKind.TEXT, typed)

    assert kept(FieldKind.TEXT, written(stored)) == stored


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4))
def test_numbers_are_read_back_from_what_was_written(number: Decimal) -> None:
    stored = kept(FieldKind.NUMBER, f"{number:f}")

    assert Decimal(stored[0]) == number
    assert kept(FieldKind.NUMBER, written(stored)) == stored


@given(st.sets(st.sampled_from(["rail", "care", "docks"])))
def test_choices_are_read_back_from_what_was_written(chosen: set[str]) -> None:
    assert set(kept(FieldKind.CHOICES, written(sorted(chosen)))) == chosen


@given(st.dates())
def test_dates_are_read_back_from_what_was_written(day: object) -> None:
    assert kept(FieldKind.DATE, written(kept(FieldKind.DATE, str(day)))) == [str(day)]
