"""What hostile organisers and members write, and what becomes of it."""

import re

import html5lib
import pytest

from mailer.content import (
    BadHeader,
    CompiledCampaign,
    Newsletter,
    NotProven,
    compile_campaign,
    headers,
    message,
    proof,
    qp,
)
from mailer.content.lint import lint
from mailer.content.markdown import to_html, to_text
from mailer.content.markup import clean_html
from mailer.content.proof import read_back, structure
from mailer.content.textpart import wrapper
from mailer.kit.errors import Refusal
from tests.content.corpora import HOSTILE, OURS
from tests.content.samples import (
    COLUMN,
    ENVELOPE,
    FARIDA,
    MEDIA,
    NOW,
    TEXT,
    compiled,
    farida,
    html_of,
    mockup,
    part_of,
    with_block,
)

RUNNING = {"script", "iframe", "object", "embed", "svg", "form", "math", "meta", "link", "base"}
FIELDS = [name for name in FARIDA if not name.startswith("link.")]


def elements(html: str) -> list[tuple[str, tuple[str, ...]]]:
    parsed = html5lib.parse(html, namespaceHTMLElements=False)
    return [(e.tag, tuple(sorted(e.attrib))) for e in parsed.iter() if isinstance(e.tag, str)]


def text_block(*sources: str) -> Newsletter:
    return mockup(
        languages=["en"],
        blocks=[{"kind": "text", "markdown": {"en": f"{source} x"}} for source in sources],
    )


def test_no_value_changes_the_structure_of_a_mail():
    campaign = compiled(mockup())
    expected = structure(html_of(campaign.fill(farida(), "en", NOW)))
    for value in HOSTILE:
        parsed = read_back(campaign, farida(dict.fromkeys(FIELDS, value)), "en")
        assert structure(part_of(parsed, "html")) == expected, value
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x7f]", parsed.as_string())
    print(len(HOSTILE), "hostile values")


def test_no_value_changes_the_tree_that_a_browser_builds():
    campaign = compiled(mockup())
    expected = elements(html_of(campaign.fill(farida(), "en", NOW)))
    for value in OURS:
        wire = campaign.fill(farida(dict.fromkeys(FIELDS, value)), "en", NOW)
        assert elements(html_of(wire)) == expected, value


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://x y",
        'https://x"onclick=',
        "//evil.example",
        "data:text/html,x",
        "http://roll.example.org/l/A",
        "http://127.0.0.1.evil.example/l/A",
        "http://localhost@evil.example/l/A",
        "http://localhost:80@evil.example/",
        "https://roll.example.org@evil.example/",
        "https://x/" + "a" * 900,
        "",
    ],
)
def test_a_hostile_link_value_goes_nowhere(url: str):
    html = html_of(compiled(mockup()).fill(farida({"link.unsubscribe": url}), "en", NOW))

    assert lint(html, MEDIA) == ["A link leads nowhere: #"]


@pytest.mark.parametrize("host", ["https://x.example", "http://127.0.0.1:8000", "http://localhost"])
def test_links_are_https_but_for_a_demonstration_on_this_machine(host: str):
    html = html_of(compiled(mockup()).fill(farida({"link.unsubscribe": f"{host}/l/A"}), "en", NOW))

    assert f'href="{host}/l/A"' in html


def test_no_markdown_becomes_script():
    campaign_of: list[str] = []
    refused = 0
    for source in HOSTILE:
        if "{{" in source or "}}" in source or "\ud800" in source:
            continue
        try:
            to_html(f"{source} x")
        except Refusal:
            refused += 1
            continue
        to_text(f"{source} x", wrapper())
        campaign_of.append(source)
    for at in range(0, len(campaign_of), 40):
        html = html_of(compiled(text_block(*campaign_of[at : at + 40])).fill(farida(), "en", NOW))
        faults = lint(html, MEDIA)
        assert [f for f in faults if "no words" not in f and "102 kB" not in f] == []
        assert not {tag for tag, _ in elements(html)} & (RUNNING - {"meta"} | {"img"})
    print(len(campaign_of), "passed,", refused, "refused")


def test_html_by_hand_loses_what_does_not_belong_in_a_mail():
    for source in HOSTILE:
        cleaned = clean_html(source.encode("utf-8", "replace").decode())
        found = elements(f"<body>{cleaned}")
        assert not {tag for tag, _ in found} & (RUNNING | {"style", "img"}), source
        names = {name for _, names in found for name in names}
        assert not {name for name in names if name.startswith("on")}, source
        assert not names & {"style", "src"}, source
        assert not re.search(r'href="(?!https?:|mailto:|tel:)', cleaned), source
    print(len(HOSTILE), "cleaned")


@pytest.mark.parametrize(
    "source",
    [
        '<mj-include path="/etc/passwd" />',
        "<mj-raw><script>alert(1)</script></mj-raw>",
        "<mj-style>x</mj-style>",
        "<mj-head></mj-head>",
        "<mj-wrapper></mj-wrapper>",
        "<mj-social></mj-social>",
        '<mj-section background-url="https://evil.example/x.png"></mj-section>',
        '<mj-section css-class="x"></mj-section>',
        COLUMN.format('<mj-image src="https://evil.example/x.png" />'),
        COLUMN.format('<mj-button href="javascript:alert(1)">x</mj-button>'),
        COLUMN.format('<mj-text color="red;background:url(//evil.example)">x</mj-text>'),
        TEXT.format("x<!--[if mso]>y<![endif]-->"),
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><mj-section>&a;</mj-section>',
        "</mjml-fragment><mj-raw/>",
        TEXT.format("<p>open"),
        TEXT.format('<a href="javascript:alert(1)">x</a>'),
    ],
)
def test_mjml_by_hand_that_is_refused(source: str):
    with pytest.raises(Refusal) as refused:
        compiled(with_block(kind="raw", mjml={"en": source}, text={"en": "x"}))

    assert "in the text" in refused.value.said()


def test_mjml_by_hand_loses_scripts_and_handlers():
    source = TEXT.format(
        '<p onclick="x()" style="position:fixed">a<script>alert(1)</script>'
        '<img src="https://evil.example/a.png" /></p>'
    )
    newsletter = with_block(kind="raw", text={"en": "x"}, mjml={"en": source})
    html = html_of(compiled(newsletter).fill(farida(), "en", NOW))

    for unwanted in ("<script", "onclick", "evil.example", "position:fixed"):
        assert unwanted not in html


def test_mjml_by_hand_keeps_what_is_allowed():
    source = (
        '<mj-section background-color="#eeeeee"><mj-column><mj-text>One &amp; &eacute;</mj-text>'
        f'<mj-image src="{MEDIA}a.png" alt="A" href="https://example.org/" />'
        "<mj-table><tr><th>a</th></tr><tr><td>b<br/></td></tr></mj-table>"
        "</mj-column></mj-section>"
    )
    newsletter = with_block(kind="raw", text={"en": "One"}, mjml={"en": source})
    html = html_of(compile_campaign(ENVELOPE, newsletter).fill(farida(), "en", NOW))

    assert "One &amp; é" in html
    assert f'src="{MEDIA}a.png"' in html
    assert lint(html, MEDIA) == []


# --- the proof at compile time ------------------------------------------------------------------


def test_the_proof_notices_a_field_that_is_written_without_escaping(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("mailer.content.marks.for_html", qp.value)

    with pytest.raises(NotProven) as refused:
        compile_campaign(ENVELOPE, mockup())

    assert refused.value.facts["wrong"] == "structure"


def test_the_proof_notices_a_body_that_is_not_encoded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "mailer.content.marks.for_text", lambda value: value.encode("utf-8", "replace")
    )

    with pytest.raises(NotProven) as refused:
        compile_campaign(ENVELOPE, mockup())

    assert "bytes" in refused.value.said()


def test_the_proof_notices_a_head_with_one_line_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        headers, "subject", lambda text: b"Subject: " + text.encode("ascii", "replace")
    )

    with pytest.raises(NotProven) as refused:
        compile_campaign(ENVELOPE, mockup(subject={"en": "{{ first_name|you }}\u2028"}))

    assert "Subject" in refused.value.said()


def test_the_proof_fills_each_language_for_hostile_readers(monkeypatch: pytest.MonkeyPatch):
    filled: list[str] = []
    fill = CompiledCampaign.fill

    def counting(
        self: CompiledCampaign, reader: message.Reader, language: str, now: float
    ) -> bytes:
        filled.append(language)
        return fill(self, reader, language, now)

    monkeypatch.setattr(CompiledCampaign, "fill", counting)
    compile_campaign(ENVELOPE, mockup())

    # Once as most people get it, and once in large text or as plain text.
    assert {language: filled.count(language) for language in ("en", "fr", "ar")} == dict.fromkeys(
        ("en", "fr", "ar"), 2 * len(proof.HOSTILE_VALUES)
    )


def test_bytes_that_must_not_be_on_the_wire_are_named():
    good = compiled(mockup()).fill(farida(), "en", NOW)
    assert proof.faults_of_bytes(good) == []
    for old, new in [
        (b"Subject: Farida", "Subject: Ünal".encode()),
        (b"\r\nTo:", b"\nTo:"),
        (b"\r\n--=_", b"\r\n.\r\n--=_"),
        (b"Subject: Farida", b"Subject: " + b"x" * 80),
        (b"charset=utf-8\r\n", b"charset=utf-8\r\n" + b"x" * 999 + b"\r\n"),
    ]:
        assert old in good
        assert proof.faults_of_bytes(good.replace(old, new)), new
    assert proof.faults_of_bytes(good[:-2]) == ["the last line does not end"]


def test_a_sender_whose_address_cannot_be_written_is_named():
    for envelope in (
        message.Envelope(**{**as_dict(ENVELOPE), "from_address": "news at example"}),
        message.Envelope(**{**as_dict(ENVELOPE), "reply_to": "a@b@c\r\n"}),
    ):
        with pytest.raises(BadHeader) as refused:
            compile_campaign(envelope, mockup())
        assert "cannot be written" in refused.value.said()


def as_dict(envelope: message.Envelope) -> dict[str, str]:
    return {name: getattr(envelope, name) for name in envelope.__struct_fields__}
