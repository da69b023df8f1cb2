"""Large text: every word of a mail grows, and nothing but its size changes."""

import re
from html.parser import HTMLParser

import msgspec
import pytest
from typing_extensions import override

from mailer.content import KINDS
from mailer.content.larger import SMALLEST, larger
from mailer.content.lint import lint
from mailer.subscribers.model import MailForm
from tests.content.samples import (
    MEDIA,
    NOW,
    compiled,
    farida,
    html_of,
    mockup,
    parse,
    text_of,
    with_block,
)
from tests.content.test_letters import letter

GAP = 10


class _Words(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(re.sub(r"<style\b.*?</style>", "", html, flags=re.DOTALL))

    @override
    def handle_data(self, data: str) -> None:
        self.found += data.split()


def words_of(html: str) -> list[str]:
    return _Words(html).found


def sizes_of(html: str) -> set[int]:
    return {int(size) for size in re.findall(r"font-size:\s*(\d+)px", html)}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_words_of_a_letter_are_small(kind: str) -> None:
    usual = letter(kind).html
    large = larger(usual)
    assert min(sizes_of(large)) >= SMALLEST
    assert words_of(large) == words_of(usual)


def test_no_words_of_a_newsletter_are_small_and_none_is_changed() -> None:
    campaign = compiled(mockup())
    reader = msgspec.structs.replace(farida(), form=MailForm.LARGE)
    usual, large = (campaign.fill(one, "en", NOW) for one in (farida(), reader))
    assert {size for size in sizes_of(html_of(large)) if size > GAP} >= {24, 50}
    assert min(size for size in sizes_of(html_of(large)) if size > GAP) >= SMALLEST
    assert words_of(html_of(large)) == words_of(html_of(usual))
    assert text_of(large) == text_of(usual)
    assert lint(html_of(large), MEDIA) == []


def test_a_plain_newsletter_is_the_text_part_alone() -> None:
    campaign = compiled(mockup())
    reader = msgspec.structs.replace(farida(), form=MailForm.PLAIN)
    plain, usual = campaign.fill(reader, "en", NOW), campaign.fill(farida(), "en", NOW)
    parsed = parse(plain)
    assert parsed.keys() == campaign.header_names(MailForm.PLAIN)
    assert parsed.get_content_type() == "text/plain"
    assert text_of(plain).rstrip() == text_of(usual).rstrip()
    assert len(plain) < len(usual) / 3


def test_what_is_written_about_sizes_stays_as_it_is_written() -> None:
    said = 'Set style="font-size:12px", then font-size: 13px.'
    block = with_block(kind="text", markdown={"en": said})
    campaign = compiled(block)
    reader = msgspec.structs.replace(farida(), form=MailForm.LARGE)
    html = html_of(campaign.fill(reader, "en", NOW))
    assert "font-size:12px" in " ".join(words_of(html))
    assert "font-size: 13px" in " ".join(words_of(html))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("font-size:17px", "font-size:24px"),
        ("font-size:14px", "font-size:24px"),
        ("font-size:20px", "font-size:27px"),
        ("font-size:28px", "font-size:32px"),  # 35 would be more than a headline has
        ("font-size:50px", "font-size:50px"),
        ("font-size:10px", "font-size:10px"),  # a gap between two buttons
        ("line-height:26px", "line-height:36px"),
        ("line-height:49px", "line-height:49px"),
        ("line-height:1.5", "line-height:1.5"),
        ("padding:17px", "padding:17px"),
    ],
)
def test_each_size_has_its_larger_one(before: str, after: str) -> None:
    assert larger(f'<p style="{before}">x</p>') == f'<p style="{after}">x</p>'
    assert larger(f"<style>p {{ {before} }}</style>") == f"<style>p {{ {after} }}</style>"
    assert larger(f'<p title="{before}">{before}</p>') == f'<p title="{before}">{before}</p>'
