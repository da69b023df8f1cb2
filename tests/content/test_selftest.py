"""The self-test: it is silent about our writer, and speaks when a writer can be tricked."""

import pytest

from mailer.content import headers, headers_hold


def test_our_headers_hold():
    assert headers_hold() == []


def broken_subject(text: str) -> bytes:
    """What CPython 3.11.7 writes for an encoded word with a line break in it."""
    return (
        b"Subject: x\r\nBcc: a@evil.example"
        if "Bcc" in text
        else headers.unstructured(text, used=9)
    )


@pytest.mark.parametrize(
    ("name", "broken", "sentence"),
    [
        ("subject", broken_subject, "can add a line to the head"),
        ("subject", lambda _text: b"Subject: x", "A subject arrives changed."),
        (
            "from_",
            lambda name, address: (
                b"From: " + name[:60].split("\r")[0].encode() + b" <%b>" % address.encode()
            ),
            "A name can add an address",
        ),
        (
            "list_url",
            lambda name, _url: name.encode() + b": =?utf-8?q?=3Chttps=3A//roll=2Eexample=2Eorg?=",
            "leaving with one tap arrives broken",
        ),
        ("to", lambda _address: b"To: =?utf-8?q?=C5=BC?=@x.example", "foreign letters"),
        ("to", lambda _address: b"To: a@xn--bcher-kva.example", "foreign letters"),
        ("address_in_utf8", lambda address: address.encode(), "foreign letters"),
    ],
    ids=["bcc", "changed", "two addresses", "folded link", "encoded to", "not refused", "raw"],
)
def test_a_writer_that_can_be_tricked_is_noticed(
    monkeypatch: pytest.MonkeyPatch, name: str, broken: object, sentence: str
):
    monkeypatch.setattr(headers, name, broken)

    assert any(sentence in found for found in headers_hold())
