"""Lint: sentences about a finished mail, in the organiser's language."""

import pytest

from mailer.content.lint import lint
from tests.content.samples import MEDIA, NOW, compiled, farida, html_of, mockup

GOOD = html_of(compiled(mockup()).fill(farida(), "en", NOW))


def test_the_newsletter_of_the_mockup_has_no_fault():
    assert lint(GOOD, MEDIA) == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "</h1>",
            '</h1><img src="https://evil.example/x.png" alt="x" />',
            "This is loaded from elsewhere: https://evil.example/x.png",
        ),
        (
            "</h1>",
            f'</h1><img src="{MEDIA}x.png" />',
            f"A picture has no alternative text: {MEDIA}x.png",
        ),
        ("</h1>", "</h1><h1>two</h1>", "There are 2 main headings; one is right."),
        ("<h1", "<h2", "There are 0 main headings; one is right."),
        (' dir="ltr"', "", "The language or the direction is missing."),
        (
            "</h1>",
            "</h1><table><tr><td>x</td></tr></table>",
            "A table for layout lacks role=presentation.",
        ),
        (
            "</h1>",
            '</h1><p style="color:#cccccc">pale</p>',
            "Too little contrast: #cccccc, #ffc233: pale",
        ),
        (
            "</h1>",
            '</h1><p style="background:#000;color:#333">pale</p>',
            "Too little contrast: #333333, #000000: pale",
        ),
        (
            "</head>",
            "<style>@import url(https://fonts.googleapis.com/css);</style></head>",
            "A style sheet loads from elsewhere.",
        ),
        (
            "</h1>",
            '</h1><p style="background:url(x)">x</p>',
            "A style loads something: background:url(x)",
        ),
        ("</h1>", "</h1><script>x</script>", "This does not belong in a mail: <script>"),
        ("</h1>", '</h1><p onclick="x">x</p>', "A script is attached: onclick"),
        (
            "</h1>",
            '</h1><a href="javascript:x">x</a>',
            "A link leads nowhere: javascript:x",
        ),
        ("</h1>", '</h1><a href="https://x.org/"> </a>', "A link has no words."),
        ("</h1>", "</h1>" + "x" * 103_000, "Gmail cuts a mail at 102 kB; this has 127."),
        ("<title>", "<title></title><p>", "The title is missing."),
    ],
    ids=range(16),
)
def test_each_fault_has_its_sentence(old: str, new: str, sentence: str):
    assert old in GOOD
    found = lint(GOOD.replace(old, new, 1), MEDIA)

    if sentence.startswith("Gmail"):
        assert [fault[:24] for fault in found] == [sentence[:24]]
    else:
        assert sentence in found


def test_a_table_with_headings_and_a_picture_in_a_link_are_no_faults():
    data = "<table><tr><th>a</th></tr></table>"
    data += "<p/>"
    picture = f'<a href="https://x.org/"><img src="{MEDIA}x.png" alt="Home" /></a>'

    assert lint(GOOD.replace("</h1>", f"</h1>{data}{picture}"), MEDIA) == []
