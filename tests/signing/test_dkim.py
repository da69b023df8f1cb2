"""Signatures: another's verifier believes them, and no longer once anything that counts changes."""

import base64
import functools
import re
from collections.abc import Mapping
from typing import Any

import dkim as verifier
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mailer.content import KINDS
from mailer.signing import dkim
from mailer.signing.dkim import COVERED, Algorithm, Signature, Signatures
from tests.content.corpora import EXAMPLES, OURS
from tests.content.documents import FACTS, NEWSLETTER, VALUES
from tests.content.samples import NOW, compiled, farida, mockup
from tests.content.test_letters import bytes_of, letter

DOMAIN = "news.war.example.org"


@functools.cache
def keys() -> dict[str, dkim.PrivateKey]:
    return {kind.value: dkim.new_key(kind) for kind in Algorithm}


@functools.cache
def signatures() -> Signatures:
    return Signatures(Signature(DOMAIN, kind, key) for kind, key in keys().items())


def published() -> dict[str, str]:
    """Say what stands in DNS, by name."""
    return {
        dkim.record_name(DOMAIN, kind): dkim.record(Algorithm(kind), dkim.public_half(key))
        for kind, key in keys().items()
    }


def believes(signed: bytes, records: Mapping[str, str] | None = None) -> list[bool]:
    """Ask dkimpy about each signature of a mail."""
    zone = published() if records is None else records

    def look_up(name: bytes, timeout: int = 5) -> bytes:
        return zone.get(name.decode().rstrip("."), "").encode()

    found = []
    for at in range(signed.count(b"DKIM-Signature:")):
        try:
            found.append(verifier.DKIM(signed).verify(at, dnsfunc=look_up))
        except verifier.DKIMException:
            found.append(False)
    return found


def signed(message: bytes) -> bytes:
    return signatures().sign(message, NOW) + message


def campaign_mail(language: str = "en") -> bytes:
    return compiled(mockup()).fill(farida(), language, NOW)


# --- what is believed -----------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_both_signatures_of_a_campaign_are_believed(language: str) -> None:
    assert believes(signed(campaign_mail(language))) == [True, True]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_both_signatures_of_a_letter_are_believed(kind: str) -> None:
    assert believes(signed(bytes_of(letter(kind)))) == [True, True]


@given(NEWSLETTER, VALUES, FACTS, st.sampled_from(["en", "ar"]))
@settings(
    max_examples=EXAMPLES // 2,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_written_and_whoever_reads_it(
    source: dict[str, Any], values: dict[str, str], facts: Any, language: str
) -> None:
    message = compiled(mockup(**source)).fill(farida(values, facts), language, NOW)
    assert believes(signed(message)) == [True, True]


@pytest.mark.parametrize("value", OURS)
def test_a_hostile_value_is_signed_like_any_other(value: str) -> None:
    fields = dict.fromkeys(["first_name", "last_name", "city", "group"], value)
    assert believes(signed(compiled(mockup()).fill(farida(fields), "en", NOW))) == [True, True]


BLANKS = st.text(" \t", max_size=3)
WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)
LINE = st.lists(st.tuples(BLANKS, WORD), max_size=5).flatmap(
    lambda words: BLANKS.map(lambda end: "".join(map("".join, words)) + end)
)
BODY = st.lists(LINE | st.sampled_from(["", " ", "\t "]), max_size=12).map(
    lambda lines: "".join(f"{line}\r\n" for line in lines)
)
FOLDED = st.lists(st.tuples(st.sampled_from([" ", "\r\n ", "\r\n\t", "  \r\n  "]), WORD)).map(
    lambda words: "".join(map("".join, words))
)
LONG = st.integers(1, 12).map(lambda times: " " + "x" * 80 * times)
HEADS = st.fixed_dictionaries(
    {"From": st.just(" a@news.war.example.org"), "Subject": FOLDED | LONG},
    optional={"to": FOLDED, "LIST-UNSUBSCRIBE": LONG, "List-Id": FOLDED, "X-Other": FOLDED},
)


@given(HEADS, BODY)
@settings(max_examples=EXAMPLES * 2, deadline=None, derandomize=True)
def test_blanks_folds_and_last_lines_are_read_as_the_verifier_reads_them(
    heads: dict[str, str], body: str
) -> None:
    message = "".join(f"{name}:{value}\r\n" for name, value in heads.items()) + "\r\n" + body
    assert believes(signed(message.encode())) == [True, True]


def test_a_field_of_which_there_are_several_is_signed_from_the_lowest_up() -> None:
    message = b"From: a@news.war.example.org\r\nTo: one\r\nX: y\r\nTo: two\r\n\r\nHello\r\n"
    assert b"to:two\r\nto:one\r\n" in dkim.digest(message).fields
    assert believes(signed(message)) == [True, True]


@pytest.mark.parametrize(
    ("sent", "arrived"),
    [
        (rb"Subject: ", b"SUBJECT:   "),
        (rb"\r\nList-Unsubscribe-Post: ", b"\r\nList-Unsubscribe-Post:\r\n\t"),
        (rb"\r\nFrom: ", b"\r\nReceived: by a relay\r\nFrom: "),
        (rb"quoted-printable\r\n", b"quoted-printable \t\r\n"),
        (rb"--\r\n\Z", b"--\r\n\r\n \r\n\r\n"),
    ],
)
def test_what_relays_do_on_the_way_does_no_harm(sent: bytes, arrived: bytes) -> None:
    mail = signed(campaign_mail())
    changed = re.sub(sent, arrived, mail)
    assert changed != mail
    assert believes(changed) == [True, True]


# --- what is not ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "arrived"),
    [
        (rb"List-Unsubscribe: <https://[^>]+>", b"List-Unsubscribe: <https://evil.example/u>"),
        (rb"List-Unsubscribe: [^\r]+\r\n", b""),
        (rb"List-Unsubscribe=One-Click", b"List-Unsubscribe=One-Klick"),
        (rb"List-Unsubscribe-Post: [^\r]+\r\n", b""),
        (rb"\r\nTo: [^\r]+", b"\r\nTo: bo@example.org"),
        (rb"\r\nDate: ", b"\r\nDate: Sun, "),
        (rb"\r\nFeedback-ID: ", b"\r\nFeedback-ID: 1"),
        (rb"letters", b"litters"),
        (rb"--\r\n\Z", b"--\r\nAnd one thing more.\r\n"),
        (rb"t=\d+", b"t=1"),
    ],
)
def test_a_mail_that_was_changed_is_not_believed(sent: bytes, arrived: bytes) -> None:
    mail = signed(campaign_mail())
    changed = re.sub(sent, arrived, mail)
    assert changed != mail
    assert believes(changed) == [False, False]


@pytest.mark.parametrize("name", COVERED)
@pytest.mark.parametrize("place", ["above", "below"])
def test_no_covered_field_can_be_added(name: bytes, place: str) -> None:
    """Neither a second one nor a first: a letter has no List-Unsubscribe, and gets none."""
    added = name + b": <https://evil.example/u>\r\n"
    for message in (campaign_mail(), bytes_of(letter("welcome"))):
        mail = signed(message)
        head, end, body = mail.partition(b"\r\n\r\n")
        changed = added + mail if place == "above" else head + b"\r\n" + added[:-2] + end + body
        assert believes(changed) == [False, False]


def test_a_key_that_is_not_published_is_not_believed() -> None:
    assert believes(signed(campaign_mail()), records={}) == [False, False]


# --- how it is written ----------------------------------------------------------------------------


def test_lines_are_short_and_say_what_and_when() -> None:
    mail = signed(campaign_mail())
    rsa, ed25519 = (part for part in mail.split(b"DKIM-Signature: ")[1:])
    assert max(map(len, mail.split(b"\r\n"))) <= 78
    assert rsa.startswith(b"v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n d=news.war.example.org;")
    assert ed25519.startswith(b"v=1; a=ed25519-sha256; c=relaxed/relaxed;")
    assert b" t=%d;" % NOW in rsa
    assert b" l=" not in rsa + ed25519


def test_without_a_key_nothing_is_put_before_a_mail() -> None:
    assert Signatures().sign(campaign_mail(), NOW) == b""


def test_one_signature_alone_says_the_same_as_among_others() -> None:
    message = campaign_mail()
    assert b"".join(one.sign(message, NOW) for one in signatures()) == signatures().sign(
        message, NOW
    )


def test_a_record_too_long_for_one_string_is_cut_into_several() -> None:
    record = published()[dkim.record_name(DOMAIN, "rsa")]
    strings = re.findall(r'"([^"]*)"', dkim.in_strings(record))
    assert "".join(strings) == record
    assert [len(one) for one in strings] == [255, len(record) - 255]


@pytest.mark.parametrize("kind", list(Algorithm))
def test_a_key_is_the_same_after_it_was_kept(kind: Algorithm) -> None:
    key = keys()[kind.value]
    again = dkim.read(dkim.written(key))
    assert dkim.public_half(again) == dkim.public_half(key)
    assert dkim.algorithm_of(again) is kind


# --- RFC 8463, appendix A -------------------------------------------------------------------------

SECRET = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
PUBLIC_RSA = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/"
    "J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLz"
    "BfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
)
EXAMPLE = (
    b"From: Joe SixPack <joe@football.example.com>\r\n"
    b"To: Suzie Q <suzie@shopping.example.net>\r\n"
    b"Subject: Is dinner ready?\r\n"
    b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    b"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\n"
    b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
)
BODY_HASH = b"2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="


def canonical(algorithm: str, selector: str, names: str) -> bytes:
    """Write what the example's signatures are made of, from our canonical fields."""
    ours = dict(re.findall(rb"([^:]+)(:[^\r]*\r\n)", dkim.digest(EXAMPLE).fields))
    chosen = ("from", "to", "subject", "date", "message-id")
    return (
        b"".join(name.encode() + ours[name.encode()] for name in chosen)
        + (
            f"dkim-signature:v=1; a={algorithm}-sha256; c=relaxed/relaxed; d=football.example.com;"
            f" i=@football.example.com; q=dns/txt; s={selector}; t=1528637909; h={names};"
            f" bh={BODY_HASH.decode()}; b="
        ).encode()
    )


def test_the_body_of_the_example_has_the_hash_of_the_example() -> None:
    assert dkim.digest(EXAMPLE).body == BODY_HASH


def test_ed25519_signs_as_the_example_does() -> None:
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(SECRET))
    assert dkim.public_half(key) == PUBLIC

    data = canonical(
        "ed25519",
        "brisbane",
        "from : to : subject : date : message-id : from : subject : date",
    )
    made = base64.b64encode(Signature("football.example.com", "brisbane", key).signed(data))
    assert made == (
        b"/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
    )


def test_the_rsa_signature_of_the_example_is_of_our_canonical_mail() -> None:
    key = load_der_public_key(base64.b64decode(PUBLIC_RSA))
    assert isinstance(key, RSAPublicKey)
    key.verify(
        base64.b64decode(
            b"F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3"
            b"DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"
            b"dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8="
        ),
        canonical("rsa", "test", "from : to : subject : date : message-id : from : subject : date"),
        PKCS1v15(),
        hashes.SHA256(),
    )
