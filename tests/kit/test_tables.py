"""Cells: no formula runs, and what was guarded is read back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.kit.tables import all_guarded, guarded, joined, parted, unguarded

FORMULAS = [
    "=1+1",
    "+1 555 0100",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =cmd|' /C calc'!A0",
    "'=1",
    '"=1"',
    "＝1+1",  # noqa: RUF001  # full-width, as East Asian spreadsheets take it
]
LETTERS = st.text(st.sampled_from("'\"=+-@\t\r\n \u00a0ａ＝a;,é0"), max_size=8)  # noqa: RUF001


@pytest.mark.parametrize("words", FORMULAS)
def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(words):
    assert guarded(words) == f"'{words}"


@pytest.mark.parametrize("words", ["Bo", "", "l’été", "D'Arcy", "'tis", "a=b", "0", "'"])
def test_other_words_stay_as_they_are(words):
    assert guarded(words) == words
    assert unguarded(words) == words


@given(LETTERS | st.text())
def test_what_was_guarded_is_read_back_as_it_was(words):
    assert unguarded(guarded(words)) == words


@given(st.lists(LETTERS | st.text()))
def test_many_are_guarded_as_each_would_be(cells):
    assert list(all_guarded(cells)) == [guarded(words) for words in cells]


@given(LETTERS | st.text())
def test_nothing_guarded_begins_like_a_formula(words):
    assert not guarded(words)[:1] or guarded(words)[0] not in "=+-@\t\r\n＝＋－＠"  # noqa: RUF001


@given(
    st.lists(st.text(st.sampled_from("a ;\"',\n=é"), min_size=1, max_size=6) | st.text(min_size=1))
)
def test_several_in_one_cell_are_read_back_as_they_were(items):
    assert parted(joined(items)) == items


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        ("", []),
        (";;", []),
        ("a", ["a"]),
        (" a ;b;; c ", ["a", "b", "c"]),
        ('"a; b"; c', ["a; b", "c"]),
        ('say "yes"; no', ['say "yes"', "no"]),
        ('"a" and more; b', ['"a" and more', "b"]),
        ('"open; b', ['"open', "b"]),
        ('""; a', ["a"]),
    ],
)
def test_several_are_read_as_people_write_them(cell, items):
    assert parted(cell) == items


def test_another_mark_may_part_them():
    assert parted("a, b; c", ",") == ["a", "b; c"]
