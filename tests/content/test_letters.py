"""Letters: each kind in words, and as exactly the bytes it should be."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.content import (
    KINDS,
    BadHeader,
    LetterBrand,
    RenderedLetter,
    UnknownLetter,
    Unmailable,
    UnsafeLink,
    WrongFacts,
    headers,
    letter_bytes,
    render_letter,
)
from mailer.content.letters import TEMPLATES
from mailer.content.lint import lint
from mailer.content.proof import faults_of_bytes, structure
from mailer.content.textpart import columns
from mailer.kit.i18n import LANGUAGES
from tests.content.corpora import EXAMPLES, HOSTILE, OURS
from tests.content.samples import NOW, parse, part_of

BRAND = LetterBrand(name="Solidarity Network", address="14 Mill Lane, Northgate")
FACTS: dict[str, Any] = {
    "code": "493027",
    "link": "https://roll.example.org/c/AAA",
    "list_name": "Bulletin",
    "level_name": "Supporter",
    "hours": 48,
    "days": 7,
    "own_subject": "",
    "own_words": "",
    "private_link": "https://roll.example.org/me/AAA",
    "promise_get": "two emails a month",
    "promise_ask": "one thing to do",
    "often": "twice a month",
    "preferences_link": "https://roll.example.org/p/AAA",
    "from_name": "Follower",
    "to_name": "Supporter",
    "direction": "up",
    "undo_link": "https://roll.example.org/undo/AAA",
    "share_link": "https://roll.example.org/demands/1",
    "undo_until": "12 March 2026",
    "asked_by": "you",
    "reason": "",
    "tier_name": "Organiser",
    "granted": True,
    "list_names": "Bulletin, Action alerts",
    "goes_with": "Action alerts, Strike news",
    "until": "12 April 2026",
    "minutes": 30,
    "at": "12 March 2026, 14:05 UTC",
    "device": "Firefox on Linux",
    "again": False,
    "below_name": "Follower",
    "stay_link": "https://roll.example.org/l/AAA",
    "down_link": "https://roll.example.org/l/BBB",
    "pause_link": "https://roll.example.org/l/CCC",
    "leave_link": "https://roll.example.org/u/AAA",
    "suggestion_link": "https://roll.example.org/l/DDD",
    "ask_title": "Put anti-racism on your branch agenda",
    "by_date": "28 June 2026",
    "ask_on": "29 June 2026",
    "rights": "You may do it in your own time.",
    "answer": "done",
    "done_on": "28 May 2026",
    "done_link": "https://roll.example.org/l/GGG",
    "decline_link": "https://roll.example.org/l/HHH",
    "support_contact": "The office, 020 7946 0000",
    "report_link": "https://roll.example.org/l/EEE",
    "ask_link": "https://roll.example.org/l/FFF",
    "admin_link": "https://roll.example.org/admin/account",
    "by_name": "Amara",
    "about": "Pass the model motion",
    "late_count": 13,
    "alert_count": 1,
    "today_count": 14,
    "free_count": 15,
    "queue_link": "https://roll.example.org/admin/followups",
}
NAMES = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]
MIME = ["MIME-Version", "Content-Type"]


def facts_of(kind: str, **changes: Any) -> dict[str, Any]:
    return {name: FACTS[name] for name in KINDS[kind]} | changes


def letter(kind: str, language: str = "en", **changes: Any) -> RenderedLetter:
    return render_letter(kind, language=language, facts=facts_of(kind, **changes), brand=BRAND)


def bytes_of(rendered: RenderedLetter, **changes: Any) -> bytes:
    return letter_bytes(
        rendered,
        **{
            "from_name": "Solidarity Network",
            "from_address": "hello@letters.example.org",
            "to": "farida@example.net",
            "message_id": "l1.AAAA",
            "domain": "letters.example.org",
            "now": NOW,
            **changes,
        },
    )


# --- in words -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_letter_is_whole(kind: str, language: str):
    rendered = letter(kind, language)

    assert lint(rendered.html, "no pictures") == []
    assert f'<html lang="{language}" dir="ltr">' in rendered.html
    assert "src=" not in rendered.html
    assert 5 < len(rendered.subject) < 70
    assert "\n" not in rendered.subject
    assert [line for line in rendered.text.splitlines() if columns(line) > 72] == []
    for said in (rendered.subject, rendered.text, rendered.html.split("<body")[1]):
        assert "!" not in said.replace("!important", "")
        assert "%(" not in said
    for said in (rendered.text, rendered.html):
        assert "Solidarity Network" in said
        assert "14 Mill Lane, Northgate" in said


@pytest.mark.parametrize("kind", KINDS)
def test_both_parts_of_a_letter_say_the_same_facts(kind: str):
    rendered = letter(kind)
    hidden = {"direction", "asked_by", "granted", "again", "answer"}
    for name, fact in facts_of(kind).items():
        if name not in hidden:
            assert str(fact) in " ".join(rendered.text.split()), name
            assert str(fact) in rendered.html, name


@pytest.mark.parametrize("kind", KINDS)
def test_a_subject_tells_a_stranger_over_the_shoulder_nothing(kind: str):
    subject = letter(kind).subject

    for fact in facts_of(kind).values():
        assert not isinstance(fact, str) or not fact or fact not in subject
    assert "Network" not in subject


def test_buttons_are_large_enough_for_a_thumb():
    button = re.search(r'<a href="[^"]+" style="([^"]+)"', letter("confirm").html)

    assert button
    assert "padding:10px 20px" in button[1]  # and 24 of line, and a border of 2: 48
    assert "line-height:24px" in button[1]


def test_opening_a_confirmation_link_is_said_to_change_nothing():
    assert "Opening it alone changes nothing." in " ".join(letter("confirm").text.split())


def test_a_welcome_says_in_both_parts_what_organisers_wrote_for_its_list():
    words = "Hello **there**.\n\n- One\n- [Two](https://war.example.org/two)\n\n<b>&</b>"
    rendered = letter("welcome", own_subject="Glad you came", own_words=words)

    assert rendered.subject == "Glad you came"
    assert "<strong>there</strong>" in rendered.html
    assert '<a href="https://war.example.org/two">Two</a>' in rendered.html
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in rendered.html
    assert "Hello there.\n\n- One\n- Two <https://war.example.org/two>\n\n<b>&</b>" in rendered.text
    assert "twice a month" in rendered.text


def test_a_welcome_with_a_dangerous_link_is_refused():
    with pytest.raises(UnsafeLink):
        letter("welcome", own_words="[Two](javascript:alert)")


def test_numbers_are_said_in_words_of_their_own():
    assert "for 1 hour." in letter("confirm", hours=1).text
    assert "for 48 hours." in letter("confirm").text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "You stepped up from Follower to Supporter. Thank you."),
        ({"direction": "down"}, "You stepped down from Follower to Supporter. It counts from now."),
        ({"asked_by": "organiser"}, "An organiser moved you from Follower to Supporter."),
        ({"reason": "You run the stall"}, "The reason given: You run the stall"),
        (
            {"asked_by": "time", "direction": "down"},
            "We had not heard from you for long and asked you twice.",
        ),
    ],
    ids=["up", "down", "assigned", "reason", "lapsed"],
)
def test_a_receipt_says_who_moved_whom(changes: dict[str, Any], sentence: str):
    rendered = letter("tier-changed", **changes)

    assert sentence in " ".join(rendered.text.split())
    assert sentence in rendered.html


def test_a_receipt_of_a_yes_says_what_to_do_and_until_when():
    words = "1. Find the date.\n2. Send the **model wording**."
    rendered = letter("pledge-receipt", own_words=words)
    undated = letter("pledge-receipt", by_date="", support_contact="")

    for part in (" ".join(rendered.text.split()), rendered.html):
        assert "Please do it by 28 June 2026." in part
        assert "If anybody makes trouble for you: The office, 020 7946 0000" in part
    assert "<strong>model wording</strong>" in rendered.html
    assert "2. Send the model wording." in rendered.text
    assert "It has no date." in undated.text
    for one in (rendered, undated):
        assert "on 29 June 2026 we ask once how it went" in " ".join(one.text.split())
    assert "trouble" not in undated.text + undated.html


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("done", "is done. Thank you."),
        ("told", "You told us more about having done"),
        ("later", "is not done yet. That is fine."),
        ("help", "An organiser reads it and gets in touch with you."),
        ("declined", "We ask you no more about it."),
        ("withdrawn", "You took back your yes to"),
    ],
)
def test_a_receipt_of_an_answer_says_which_it_was(answer: str, sentence: str):
    rendered = letter("answer-receipt", answer=answer, ask_on="", support_contact="")

    for part in (" ".join(rendered.text.split()), rendered.html):
        assert sentence in part
        assert "If it is urgent" not in part
        assert "we ask once" not in part


def test_an_organisers_words_stand_under_their_name():
    rendered = letter("follow-up", own_words="Use **rule 14**, please.\n\nSee you there.")

    assert "A word from Amara" in rendered.text
    assert "This is about “Pass the model motion”." in " ".join(rendered.text.split())
    assert "<strong>rule 14</strong>" in rendered.html
    assert "about" not in letter("follow-up", own_words="Hello.", about="").text.split("---")[1]


def test_the_letter_of_the_day_says_what_is_so_and_names_nobody():
    rendered = letter("digest", late_count=1, today_count=0, free_count=20, alert_count=2)

    assert "1 person has waited for you longer than they should." in rendered.text
    assert "today." not in rendered.text
    assert "20 people wait for whoever comes to them." in rendered.text
    said = " ".join(rendered.text.split())
    assert "2 alerts went out more than a day ago, and nobody calls those who" in said
    assert "alert" not in letter("digest", late_count=1, alert_count=0).text
    with pytest.raises(WrongFacts):
        letter("digest", late_count=-1)


def test_an_answer_is_a_yes_with_an_undo_or_a_plain_no():
    yes = letter("tier-request-answered")
    no = letter("tier-request-answered", granted=False, undo_link="", reason="Not this year")

    assert "Your level is now Organiser" in yes.text
    assert "Undo it:" in yes.text
    assert "Your level stays as it is" in no.text
    assert "Not this year" in no.html
    assert "Undo" not in no.text + no.html


@pytest.mark.parametrize("kind", ["tier-changed", "tier-request-answered"])
def test_a_step_up_leads_to_the_lists_that_go_with_the_level_and_nothing_where_there_are_none(
    kind: str,
):
    some = letter(kind, goes_with="Action alerts")
    none = letter(kind, goes_with="")

    for part in (" ".join(some.text.split()), some.html):
        assert "This goes well with your level: Action alerts. You get it only if" in part
        assert FACTS["preferences_link"] + "#private" in part
    for part in (none.text, none.html):
        assert "goes well" not in part
        assert "#private" not in part


def test_a_language_we_do_not_speak_is_answered_in_english():
    assert letter("confirm", "ar") == letter("confirm", "en")


# --- facts --------------------------------------------------------------------------------------


def test_there_is_a_folder_for_each_kind_and_no_other():
    folders = {path.name for path in (TEMPLATES / "mail").iterdir() if path.is_dir()}

    assert folders == set(KINDS)


def test_a_kind_that_does_not_exist_is_refused():
    with pytest.raises(UnknownLetter) as refused:
        render_letter("../confirm", language="en", facts={}, brand=BRAND)

    assert "../confirm" in refused.value.said()


@pytest.mark.parametrize("kind", KINDS)
def test_facts_are_a_closed_set(kind: str):
    whole = facts_of(kind)
    fewer = [dict(list(whole.items())[1:]), {}] if whole else []
    for facts in (whole | {"first_name": "BUY NOW"}, *fewer):
        with pytest.raises(WrongFacts) as refused:
            render_letter(kind, language="en", facts=facts, brand=BRAND)
        assert kind in refused.value.said()


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("confirm", {"link": "javascript:alert(1)"}),
        ("confirm", {"link": "http://roll.example.org/c/A"}),
        ("confirm", {"link": ""}),
        ("confirm", {"hours": 0}),
        ("confirm", {"hours": "48"}),
        ("confirm", {"code": 493027}),
        ("confirm", {"list_name": " "}),
        ("tier-changed", {"direction": "sideways"}),
        ("tier-changed", {"asked_by": "nobody"}),
        ("tier-changed", {"undo_link": ""}),
        ("tier-request-answered", {"granted": "perhaps"}),
        ("tier-request-answered", {"granted": True, "undo_link": ""}),
    ],
    ids=range(12),
)
def test_a_fact_is_what_it_should_be(kind: str, changes: dict[str, Any]):
    with pytest.raises(WrongFacts) as refused:
        letter(kind, **changes)

    assert next(iter(changes.keys() - {"granted"}), "granted") in refused.value.said()


def test_confirmation_letters_have_no_place_for_what_a_stranger_typed():
    for kind in ("confirm", "already-on-the-roll", "address-change-confirm", "private-link"):
        assert not KINDS[kind] & {"name", "first_name", "reason", "message", "address"}


def test_facts_cannot_change_the_structure_of_a_letter():
    tame = structure(letter("tier-changed", reason="because").html)
    for value in HOSTILE:
        hostile = dict.fromkeys(("from_name", "to_name", "undo_until", "reason"), f"a {value}")
        rendered = letter("tier-changed", **hostile)
        assert structure(rendered.html) == tame, value
        assert not faults_of_bytes(bytes_of(rendered)), value


# --- as bytes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_reads_back_as_it_was_written(kind: str):
    rendered = letter(kind)
    wire = bytes_of(rendered)
    parsed = parse(wire)

    assert parsed.keys() == [*NAMES, *MIME]
    assert parsed["From"] == "Solidarity Network <hello@letters.example.org>"
    assert parsed["To"] == "farida@example.net"
    assert parsed["Subject"] == rendered.subject
    assert parsed["Message-ID"] == "<l1.AAAA@letters.example.org>"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in parsed.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert part_of(parsed, "plain") == rendered.text
    assert part_of(parsed, "html") == rendered.html
    assert not any(part.defects for part in parsed.walk())
    assert faults_of_bytes(wire) == []


def test_a_letter_to_a_list_may_be_left_with_one_tap():
    wire = bytes_of(
        letter("welcome"),
        list_unsubscribe="https://roll.example.org/u/AAA",
        list_id="bulletin.roll.example.org",
        list_name="Bulletin",
        reply_to="office@roll.example.org",
    )

    assert parse(wire).keys() == [
        "From",
        "Reply-To",
        *NAMES[1:],
        "List-Id",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        *MIME,
    ]
    assert b"\r\nList-Unsubscribe: <https://roll.example.org/u/AAA>\r\n" in wire


def test_a_letter_that_a_person_caused_is_not_marked_as_automatic():
    parsed = parse(bytes_of(letter("paused"), auto_submitted=False))

    assert "Auto-Submitted" not in parsed


def test_the_same_letter_is_the_same_bytes():
    assert bytes_of(letter("confirm")) == bytes_of(letter("confirm"))


@settings(max_examples=4 * EXAMPLES, deadline=None)
@given(
    st.one_of(st.sampled_from(OURS), st.text(max_size=200)),
    st.one_of(st.sampled_from(OURS), st.text(max_size=200)),
)
def test_no_subject_and_no_name_adds_a_line_to_the_head(subject: str, name: str):
    rendered = RenderedLetter(subject=subject, text=subject, html=subject)
    wire = bytes_of(rendered, from_name=name)
    parsed = parse(wire)

    assert parsed.keys() == [*NAMES, *MIME]
    assert parsed["Subject"] == headers.subject_read(subject)
    assert [a.addr_spec for a in parsed["From"].addresses] == ["hello@letters.example.org"]
    assert faults_of_bytes(wire) in ([], ["the last line does not end"])


def test_what_cannot_be_written_is_refused():
    for changes, refusal in [
        ({"to": "ża neta@good.example"}, Unmailable),
        ({"to": "a@example.org\r\nBcc: b@example.org"}, Unmailable),
        ({"list_unsubscribe": "http://roll.example.org/u/A"}, BadHeader),
        ({"message_id": "a b"}, BadHeader),
    ]:
        with pytest.raises(refusal):
            bytes_of(letter("paused"), **changes)
