"""Asks of which each reader sees the one that was chosen for them."""

import msgspec
import pytest

from mailer.content import (
    Ask,
    AskAnswer,
    BestAsk,
    Brand,
    Facts,
    MalformedField,
    Newsletter,
    compile_campaign,
    newsletter_of,
    web_copy,
)
from mailer.content.blocks import Layout
from tests.content.samples import ENVELOPE, MEDIA, NOW, farida, html_of, text_of

NUMBERS = (3, 5, 8)


def an_ask(number: int, **said: object) -> Ask:
    shown = {
        "ask": number,
        "effort": {"en": "The ask: 10 minutes"},
        "title": {"en": f"Deed {number}"},
        "markdown": {"en": f"How to do it, {number}."},
        "answers": (
            AskAnswer("pledge", {"en": "I’ll do it"}),
            AskAnswer("decline", {"en": "Not for me"}),
        ),
        **said,
    }
    return Ask(**shown)  # type: ignore[arg-type]


def asking(
    *asks: Ask, markdown: str = "Dear {{ first_name|friend }}.", layout: Layout = "poster"
) -> Newsletter:
    return newsletter_of(
        subject={"en": "What we did"},
        headline={"en": "What we did"},
        markdown={"en": markdown},
        brand=Brand(name={"en": "Network"}, address={"en": "14 Mill Lane"}, media=MEDIA),
        asking=BestAsk(asks=asks or tuple(map(an_ask, NUMBERS))),
        layout=layout,
    )


@pytest.mark.parametrize("layout", ["poster", "letter"])
@pytest.mark.parametrize("chosen", [0, 4, *NUMBERS])
def test_each_reader_sees_the_ask_that_was_chosen_for_them_and_no_other(
    chosen: int, layout: Layout
) -> None:
    campaign = compile_campaign(ENVELOPE, asking(layout=layout))
    wire = campaign.fill(farida(facts=Facts(tier="supporter", best_ask=chosen)), "en", NOW)
    for said in (html_of(wire), text_of(wire)):
        for number in NUMBERS:
            assert (f"Deed {number}" in said) == (number == chosen)
            assert (f"How to do it, {number}." in said) == (number == chosen)


def test_two_readers_of_one_level_are_not_taken_for_one() -> None:
    campaign = compile_campaign(ENVELOPE, asking())
    said = [
        text_of(campaign.fill(farida(facts=Facts(tier="supporter", best_ask=no)), "en", NOW))
        for no in (3, 5, 3)
    ]
    assert said[0] == said[2] != said[1]


def test_the_fields_that_only_they_see_are_told_by_ask() -> None:
    newsletter = asking(markdown="[Now]({{ link.ask.3.pledge }})")
    campaign = compile_campaign(ENVELOPE, newsletter)
    assert campaign.fields_of_best_asks == {
        3: frozenset({"link.ask.3.decline"}),  # everybody has the other one
        5: frozenset({"link.ask.5.pledge", "link.ask.5.decline"}),
        8: frozenset({"link.ask.8.pledge", "link.ask.8.decline"}),
    }
    plain = msgspec.structs.replace(newsletter, blocks=newsletter.blocks[:1])
    assert compile_campaign(ENVELOPE, plain).fields_of_best_asks == {}


def test_the_copy_for_everybody_has_none_of_them() -> None:
    said = web_copy(asking(), "en")
    assert "Deed" not in said


def test_an_ask_without_a_text_is_its_title_and_its_buttons() -> None:
    campaign = compile_campaign(ENVELOPE, asking(an_ask(3, markdown={})))
    wire = campaign.fill(farida(facts=Facts(tier="supporter", best_ask=3)), "en", NOW)
    assert "Deed 3\n\nI’ll do it:\n" in text_of(wire)
    assert "How to do it" not in html_of(wire)


def test_what_is_wrong_with_an_ask_names_the_ask() -> None:
    with pytest.raises(MalformedField) as refused:
        compile_campaign(ENVELOPE, asking(an_ask(3), an_ask(5, markdown={"en": "{{ what"})))
    assert "(in the ask “Deed 5”)" in refused.value.said()
