"""Filling: what a reader gets is what plain Jinja would have rendered for them alone."""

import re
from html import unescape
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import html5lib
import jinja2
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings

from mailer.content import (
    Facts,
    MalformedField,
    Newsletter,
    Reader,
    UnsafeLink,
    compile_campaign,
    message,
)
from mailer.content import compiler as chain
from mailer.content.lint import lint
from mailer.content.marks import as_outlook_reads
from mailer.content.proof import read_back
from mailer.content.textpart import columns
from tests.content.corpora import EXAMPLES
from tests.content.documents import FACTS, NEWSLETTER, VALUES
from tests.content.samples import (
    ENVELOPE,
    MEDIA,
    MOCKUP,
    NOW,
    compiled,
    farida,
    html_of,
    links,
    mockup,
    parse,
    part_of,
    text_of,
)

# --- the oracle ---------------------------------------------------------------------------------


def straight(newsletter: Newsletter, language: str, reader: Reader) -> str:
    """Settle values and conditions first: MJML and css-inline see the mail of one reader."""
    composer = chain.Composer(newsletter, language)
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    source = environment.from_string(as_jinja(composer)).render(
        slots=[slot.value(reader.values.get(slot.field.name, "")) for slot in composer.slots.slots],
        holds=[condition.holds(reader.facts, language) for condition in composer.conditions],
        part=lambda value: quote(value, safe=""),
    )
    source = source.replace("\ue000", "{").replace("\ue001", "}")
    return chain.to_html(source, chain.painted(chain._INLINED, newsletter))


def as_jinja(composer: chain.Composer) -> str:
    """Write marks as a plain Jinja template: slots as expressions, regions as ifs."""
    source = composer.mjml()
    digest = composer.digest

    def expression(found: re.Match[str]) -> str:
        slot = f"slots[{int(found[2])}]"
        if found[1]:  # what precedes inside an href: a piece of a URL
            return f"{found[1]}{{{{ part({slot}) }}}}"
        return f"{{{{ {slot} }}}}"

    def edge(letter: str) -> str:
        mark = rf"<!--rc{digest}{letter}(\d{{4}})z-->"
        return f"<mj-raw>{mark}</mj-raw>|{mark}"

    source = source.replace("{", "\ue000").replace("}", "\ue001")  # what organisers typed
    source = re.sub(rf'(href="[^"]+?)?rc{digest}s(\d{{4}})z', expression, source)
    source = re.sub(
        edge("b"), lambda found: f"{{% if holds[{int(found[1] or found[2])}] %}}", source
    )
    return re.sub(edge("e"), "{% endif %}", source)


def tree(html: str) -> list[Any]:
    """Read as a browser does. Comments (Outlook) are compared as text with entities resolved.

    Style sheets are left out: MJML writes a class for each column width in use, so a block that
    this reader does not see may leave its class behind.
    """
    html = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)
    walker = html5lib.getTreeWalker("etree")(html5lib.parse(html, namespaceHTMLElements=False))
    tokens: list[Any] = []
    for token in walker:
        kind = token["type"]
        if kind in {"Characters", "SpaceCharacters"}:
            if tokens and tokens[-1][0] == "text":
                tokens[-1] = ("text", tokens[-1][1] + token["data"])
            else:
                tokens.append(("text", token["data"]))
        elif kind == "Comment":
            tokens.append((kind, unescape(token["data"])))
        else:
            data = sorted((token.get("data") or {}).items())
            tokens.append((kind, token.get("name"), data))
    return [
        ("text", " ".join(token[1].split())) if token[0] == "text" else token
        for token in tokens
        if token[0] != "text" or token[1].strip()
    ]


SERIOUS = {
    "unexpected-end-tag",
    "end-tag-too-early",
    "expected-closing-tag-but-got-eof",
    "unexpected-implied-end-tag-in-table-view",
    "foster-parenting-character",
    "unexpected-start-tag-implies-table-voodoo",
    "unexpected-end-tag-implies-table-voodoo",
    "unexpected-cell-end-tag",
    "eof-in-comment",
    "duplicate-attribute",
    "unexpected-character-in-attribute-name",
    "unexpected-cell-in-table-body",
}


def serious_faults(html: str) -> list[Any]:
    """Parse as everybody and as Outlook does; the settings in the head are XML, and left out."""
    head, body = html.split("<body", 1)
    outlook = re.sub("<!--.*?-->", "", head, flags=re.DOTALL) + "<body" + as_outlook_reads(body)
    found = []
    for view in (html, outlook):
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        parser.parse(view)
        found += [error for error in parser.errors if error[1] in SERIOUS]
    return found


# --- the chain ----------------------------------------------------------------------------------

tally = {"newsletters": 0, "mails": 0}


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(NEWSLETTER, VALUES, FACTS)
@example(MOCKUP, {"first_name": "Farida"}, Facts(tier="supporter"))
def fill_one(document: dict[str, Any], values: dict[str, str], facts: Facts):
    newsletter = msgspec.convert(document, Newsletter)
    try:
        campaign = compiled(newsletter)
    except (UnsafeLink, MalformedField):  # Hypothesis wrote a Markdown link by chance
        return
    tally["newsletters"] += 1
    reader = msgspec.structs.replace(farida(facts=facts), values={**links(), **values})
    for language in newsletter.languages:
        html = part_of(read_back(campaign, reader, language), "html")
        ours, theirs = tree(html), tree(straight(newsletter, language, reader))
        differing = [pair for pair in zip(ours, theirs, strict=False) if pair[0] != pair[1]][:1]
        assert ours == theirs, ascii(differing)[:1200]
        assert not re.search(r"rc[0-9a-f]{8}[sbe]\d{4}z", html.replace("rc00000000s0000z", ""))
        assert serious_faults(html) == []
        # Among the words of Hypothesis are invisible ones.
        assert set(lint(html, MEDIA)) <= {"A link has no words.", "The title is missing."}
        tally["mails"] += 1


def test_a_filled_newsletter_is_what_plain_jinja_would_have_rendered():
    fill_one()
    print(tally)
    assert tally["newsletters"] >= EXAMPLES * 0.8


def test_compiling_twice_gives_the_same_bytes():
    one, two = (compiled(mockup()).fill(farida(), "en", NOW) for _ in range(2))

    assert one == two


def test_each_tier_sees_its_own_rung_and_who_has_done_an_ask_does_not_see_it():
    campaign = compiled(mockup())
    for tier, here in [("follower", "Follower"), ("supporter", "Supporter")]:
        wire = campaign.fill(farida(facts=Facts(tier=tier, asks={12: "done"})), "en", NOW)
        for said in (html_of(wire), text_of(wire)):
            assert said.count("You are here") == 1
            assert f"You are here: {here}" in said
            assert "Ask to step up to Activist" in said
            assert "Write to your representative" not in said


def test_lines_of_the_text_part_are_at_most_72_wide():
    for language in ("en", "fr", "ar"):
        text = text_of(compiled(mockup()).fill(farida(), language, NOW))
        assert [line for line in text.splitlines() if columns(line) > 72] == []


def test_who_reads_a_language_that_is_not_written_gets_its_base_or_the_first():
    campaign = compiled(mockup())

    assert "Le droit au travail" in html_of(campaign.fill(farida(), "fr-CA", NOW))
    assert "The right to work" in html_of(campaign.fill(farida(), "pl", NOW))


def test_a_language_that_is_written_from_the_right_stands_on_the_right():
    html = html_of(compiled(mockup()).fill(farida(), "ar", NOW))

    assert 'lang="ar" dir="rtl"' in html
    assert "text-align:right" in html
    assert lint(html, MEDIA) == []


def test_the_newsletter_of_the_mockup_is_proven_and_within_its_size():
    wire = compile_campaign(ENVELOPE, mockup()).fill(farida(), "en", NOW)

    assert parse(wire)["Subject"] == "Farida, 968 letters. Here is what they moved"
    assert len(wire) < 40_000
    assert "fonts.googleapis.com" not in html_of(wire)


def test_a_reader_of_whom_nothing_is_known_is_spoken_to_all_the_same():
    nobody = msgspec.structs.replace(farida(), values={})
    text = text_of(compiled(mockup()).fill(nobody, "en", NOW))

    assert "Dear friend," in text
    assert "joined on the day you joined" in " ".join(text.split())


def test_many_combinations_of_conditions_are_filled_though_not_all_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(message, "_MOST_SKELETONS", 1)
    campaign = compiled(mockup())
    tiers = ("follower", "supporter", "activist")
    once, twice = (
        [campaign.fill(farida(facts=Facts(tier=tier)), "en", NOW) for tier in tiers]
        for _ in range(2)
    )

    assert once == twice
    assert len(set(once)) == 3


def test_marks_that_the_text_happens_to_contain_are_not_used(monkeypatch: pytest.MonkeyPatch):
    digests = iter(["decafbad", "0badcafe"])
    monkeypatch.setattr(
        "hashlib.blake2b", lambda *_, **__: SimpleNamespace(hexdigest=lambda: next(digests))
    )
    composer = chain.Composer(mockup(issue={"en": "rcdecafbads0000z"}), "en")

    assert composer.digest == "0badcafe"


def test_a_campaign_knows_which_links_have_to_be_made():
    assert compiled(mockup()).fields == {
        *("first_name", "tier", "tier_promise", "joined"),
        *(f"link.{name}" for name in ("web", "pause", "preferences", "forward", "unsubscribe")),
        *(f"link.tier.{tier}" for tier in ("follower", "supporter", "activist")),
        *(f"link.ask.12.{answer}" for answer in ("pledge", "done", "help")),
        *(f"link.event.7.{answer}" for answer in ("yes", "online")),
    }
