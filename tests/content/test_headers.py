"""Header lines: what is written is what is read, or it is refused."""

import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.content import BadHeader, CompiledCampaign, Unmailable, compile_campaign, headers
from mailer.content.compiler import compile_newsletter
from mailer.content.message import HEADER_NAMES
from mailer.kit.errors import Refusal
from tests.content.corpora import EXAMPLES, HOSTILE, odd_addresses
from tests.content.samples import ENVELOPE, NOW, compiled, farida, mockup, parse

MANY = settings(max_examples=10 * EXAMPLES, deadline=None)
ENCODABLE = [hostile for hostile in HOSTILE if "\ud800" not in hostile]


def read(line: bytes):
    return parse(line + b"\r\n\r\n")


def read_by_another(words: str) -> str:
    return str(make_header(decode_header(words.replace("\r\n", ""))))


def check_words(line: bytes) -> None:
    assert line.isascii()
    assert b"?==?" not in line  # Yahoo refuses it
    for physical in line.split(b"\r\n"):
        assert len(physical) <= (76 if b"=?" in physical else 78), physical
        for word in re.findall(rb"=\?[^?]*\?[^?]*\?[^?]*\?=", physical):
            assert len(word) <= 75
            read_by_another(word.decode()).encode()  # whole characters


@MANY
@given(st.one_of(st.text(max_size=400), st.sampled_from(HOSTILE)))
def test_subjects_survive(text: str):
    line = headers.subject(text)
    parsed = read(line)

    assert parsed.keys() == ["Subject"]
    assert parsed["Subject"] == headers.subject_read(text)
    assert not parsed["Subject"].defects
    assert read_by_another(line.decode().removeprefix("Subject: ")) == headers.subject_read(text)
    check_words(line)


@MANY
@given(st.one_of(st.text(max_size=150), st.sampled_from(ENCODABLE)))
def test_display_names_survive_and_add_no_address(name: str):
    line = headers.from_(name, "news@roll.example.org")
    parsed = read(line)

    assert parsed.keys() == ["From"]
    (address,) = parsed["From"].addresses
    assert address.addr_spec == "news@roll.example.org"
    # The standard library puts a space between two encoded words of a phrase, against RFC 2047 6.2.
    assert "".join(address.display_name.split()) == "".join(headers.name_read(name).split())
    assert b"\r\n." not in line
    assert line.isascii()
    if b"=?utf-8?B?" in line:
        words = line.decode().removeprefix("From: ").rpartition("<")[0].strip()
        assert read_by_another(words) == headers.name_read(name)
        check_words(line)


def test_a_bcc_in_disguise_stays_a_subject():
    payload = "=?utf-8?q?x=0D=0ABcc:_a@evil.example?="

    for line in (headers.subject(payload), headers.from_(payload, "a@example.org")):
        assert len(read(line).keys()) == 1
        assert b"Bcc" not in line


def test_addresses_are_written_as_they_are_or_refused():
    written = refused = 0
    for address in odd_addresses():
        try:
            line = headers.to(address)
        except Unmailable:
            refused += 1
            continue
        written += 1
        local = address.rpartition("@")[0]
        if not local.isascii():  # for servers that offer SMTPUTF8 (RFC 6532)
            assert line.startswith(b"To: " + local.encode() + b"@")
            assert line.isascii() is False
            continue
        (found,) = read(line)["To"].addresses
        if address.isascii():
            assert found.addr_spec == address
        else:
            assert found.username == address.rpartition("@")[0]
            assert found.domain.encode().decode("idna") == found.domain or "xn--" in found.domain
    print(written, "written,", refused, "refused")


def test_a_foreign_domain_is_written_in_its_ascii_form():
    assert headers.to("a@bücher.example") == b"To: a@xn--bcher-kva.example"
    assert headers.to("żaneta@bücher.example") == "To: żaneta@xn--bcher-kva.example".encode()
    with pytest.raises(Unmailable) as refused:
        headers.to("ża\u202eneta@good.example")
    assert "farida@example.org" in refused.value.said()


def test_list_urls_are_never_folded_or_encoded():
    url = "https://newsletters.solidarity-network.example.org/u/" + "A" * 40

    assert headers.list_url("List-Unsubscribe", url) == f"List-Unsubscribe: <{url}>".encode()


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "127.0.0.1", "localhost:8000"])
def test_list_urls_may_be_without_tls_on_this_machine(host: str):
    line = headers.list_url("List-Unsubscribe", f"http://{host}/u/AAA")

    assert line == f"List-Unsubscribe: <http://{host}/u/AAA>".encode()


@pytest.mark.parametrize(
    "url",
    [
        "https://x.org/a b",
        "http://x.org/a",
        "http://127.0.0.1.evil.example/u/A",
        "http://127.0.0.1@evil.example/u/A",
        "http://localhost.evil.example/u/A",
        "http://localhost:1@evil.example/u/A",
        "https://x.org/a>\r\nBcc: a",
        "https://x.org/é",
        "https://x.org/a?b",
        "https://x.org",
        "mailto:a@x.org",
        "https://x.org/" + "a" * 1000,
    ],
)
def test_list_urls_that_are_refused(url: str):
    with pytest.raises(BadHeader):
        headers.list_url("List-Unsubscribe", url)


def test_other_headers_cannot_be_smuggled_in_as_a_list_header():
    with pytest.raises(BadHeader):
        headers.list_url("Bcc: a\r\nList-Help", "https://x.org/")


@pytest.mark.parametrize("local", ["", "a b", "a>", "a\r\nBcc: x", "a" * 65, ".a", "é"])
def test_a_message_id_is_a_plain_word(local: str):
    with pytest.raises(BadHeader):
        headers.message_id(local, "roll.example.org")


@pytest.mark.parametrize("domain", ["", "x", "a b.example", "-a.example", "a.example\r\n", "a.1"])
def test_a_domain_is_one(domain: str):
    with pytest.raises(Refusal):
        headers.message_id("a", domain)


@pytest.mark.parametrize("identifier", ["bulletin", "B.example", "a b.example", "é.example", ""])
def test_a_list_id_looks_like_a_domain(identifier: str):
    with pytest.raises(BadHeader):
        headers.list_id("Bulletin", identifier)


def test_a_list_id_may_have_a_name_of_any_length():
    assert headers.list_id("", "b.example.org") == b"List-Id: <b.example.org>"
    assert headers.list_id("Bulletin", "b.example.org") == b"List-Id: Bulletin <b.example.org>"
    for name in ("B, the" + " long one" * 8, "Réseau" * 9, "x" * 200):
        line = headers.list_id(name, "b.example.org")
        assert line.endswith(b"\r\n <b.example.org>")
        check_words(line)


def test_a_date_is_in_utc_and_in_english():
    assert headers.date(NOW) == b"Date: Tue, 14 Nov 2023 22:13:20 +0000"
    moment = datetime(2026, 6, 1, 8, 5, 9, tzinfo=UTC)
    assert parsedate_to_datetime(headers.date(moment).decode().removeprefix("Date: ")) == moment


def test_feedback_id_has_four_short_fields():
    line = headers.feedback_id(
        campaign="c42", kind="alert", list_name="bulletin é: x", sender="localhost"
    )

    assert line == b"Feedback-ID: c42:alert:bulletin-x:localhost"


def test_the_head_of_a_mail_is_exactly_what_is_allowed():
    parsed = parse(compiled(mockup()).fill(farida(), "en", NOW))

    assert parsed.keys() == [name for name in HEADER_NAMES if name != "Reply-To"]
    assert parsed["From"] == "Solidarity Network <news@roll.example.org>"
    assert parsed["To"] == "farida@example.net"
    assert parsed["Message-ID"] == "<d42.1.1001.k3JxQ9@roll.example.org>"
    assert parsed["List-Id"] == "Bulletin <bulletin.roll.example.org>"
    assert parsed["List-Unsubscribe"] == "<https://roll.example.org/u/AQAAAAEAAAAqZk9y>"
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parsed["Feedback-ID"] == "c42:newsletter:bulletin:roll-example-or"
    assert parsed["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000"
    assert [part.get_content_type() for part in parsed.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


def test_answers_go_where_the_envelope_says():
    envelope = msgspec.structs.replace(ENVELOPE, reply_to="office@roll.example.org")
    campaign = CompiledCampaign(envelope, compile_newsletter(mockup()))
    parsed = parse(campaign.fill(farida(), "en", NOW))

    assert parsed.keys() == list(HEADER_NAMES) == campaign.header_names()
    assert parsed["Reply-To"] == "office@roll.example.org"


def test_a_demonstration_may_send_from_this_machine():
    envelope = msgspec.structs.replace(
        ENVELOPE, from_address="news@localhost", domain="localhost", list_id="bulletin.localhost"
    )
    reader = msgspec.structs.replace(farida(), unsubscribe_url="http://127.0.0.1:8000/u/AAA")
    parsed = parse(CompiledCampaign(envelope, compile_newsletter(mockup())).fill(reader, "en", NOW))

    assert parsed["Feedback-ID"] == "c42:newsletter:bulletin:localhost"
    assert parsed["List-Unsubscribe"] == "<http://127.0.0.1:8000/u/AAA>"


def test_a_network_may_have_a_foreign_domain():
    envelope = msgspec.structs.replace(ENVELOPE, from_address="news@bücher.example")
    wire = compile_campaign(envelope, mockup(languages=["en"])).fill(farida(), "en", NOW)

    assert b"From: Solidarity Network <news@xn--bcher-kva.example>\r\n" in wire


def test_an_address_that_cannot_be_written_fails_alone():
    reader = msgspec.structs.replace(farida(), address="ża neta@good.example")

    with pytest.raises(Unmailable):
        compiled(mockup()).fill(reader, "en", NOW)


def test_the_same_delivery_is_the_same_mail_but_for_its_date():
    campaign = compiled(mockup())
    first = campaign.fill(farida(), "en", NOW)
    again = campaign.fill(farida(), "en", datetime.fromtimestamp(NOW + 3600, UTC))

    assert first.replace(b"22:13:20", b"23:13:20") == again
