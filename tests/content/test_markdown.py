"""Markdown: the same words as HTML and as lines."""

import pytest

from mailer.content.compiler import to_html as mjml_to_html
from mailer.content.markdown import to_html, to_text
from mailer.content.markup import UnsafeMarkup
from mailer.content.textpart import columns, wrapper

WRAP = wrapper()


@pytest.mark.parametrize(
    ("source", "html", "text"),
    [
        ("a *b* **c** `d`", "<p>a <em>b</em> <strong>c</strong> <code>d</code></p>", "a b c d"),
        ("a\nb", "<p>a\nb</p>", "a b"),
        ("a\\\nb", "<p>a<br />\nb</p>", "a\nb"),
        ("a\n\nb", "<p>a</p>\n<p>b</p>", "a\n\nb"),
        ("# One\n\n#### Four", "<h2>One</h2>\n<h4>Four</h4>", "One\n\nFour"),
        (
            "[a](https://x.org/)",
            '<p><a href="https://x.org/">a</a></p>',
            "a <https://x.org/>",
        ),
        (
            "<https://x.org/>",
            '<p><a href="https://x.org/">https://x.org/</a></p>',
            "https://x.org/",
        ),
        (
            "- a\n- b\n\nc",
            "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<p>c</p>",
            "- a\n- b\n\nc",
        ),
        (
            "3. a\n4. b",
            '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>',
            "3. a\n4. b",
        ),
        (
            "- a\n\n- b",
            "<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>",
            "- a\n\n- b",
        ),
        (
            "- a\n  - b",
            "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>",
            "- a\n  - b",
        ),
        ("> a\n> b", "<blockquote>\n<p>a\nb</p>\n</blockquote>", "> a b"),
        ("a\n\n---\n\nb", "<p>a</p>\n<hr />\n<p>b</p>", "a\n\n" + "-" * 20 + "\n\nb"),
        ("<b>a</b>", "<p>&lt;b&gt;a&lt;/b&gt;</p>", "<b>a</b>"),
        ("![a](https://x.org/a.png)", None, "!a <https://x.org/a.png>"),
        ("", "", ""),
    ],
    ids=range(16),
)
def test_both_say_the_same(source: str, html: str | None, text: str):
    if html is not None:
        assert to_html(source) == html
    assert "<img" not in to_html(source)
    assert to_text(source, WRAP) == text


def test_lines_break_at_72_columns_and_items_hang():
    text = to_text("- " + "word " * 30 + "\n\n> " + "word " * 30, WRAP)

    assert [columns(line) <= 72 for line in text.splitlines()] == [True] * len(text.splitlines())
    assert {line[:2] for line in text.splitlines()} == {"- ", "  ", "", "> "}


def test_wide_letters_take_two_columns_and_marks_none():
    assert columns("団結") == 4
    assert columns("e\u0301") == 1
    assert WRAP("団結 " * 40).splitlines()[0] == " ".join(["団結"] * 14)


def test_mjml_that_includes_a_file_is_refused():
    for inside in ('<mj-body><mj-include path="/etc/hostname" /></mj-body>', "<mj-body>"):
        with pytest.raises(UnsafeMarkup):
            mjml_to_html(f"<mjml>{inside}</mjml>", "")
