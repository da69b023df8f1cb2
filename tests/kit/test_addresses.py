"""What is an address, and when two are one."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mailer.kit.addresses import (
    AddressIncomplete,
    AddressNeedsUtf8,
    AddressUnwritable,
    key_of,
    masked,
    read_address,
)
from mailer.kit.errors import Invalid

CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "addresses" / "isemail-tests.xml"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("bo@example.org", "bo@example.org"),
        ("  Bo@Example.ORG ", "Bo@example.org"),
        ("<bo@example.org>", "bo@example.org"),
        ("mailto:bo@example.org", "bo@example.org"),
        ("o'hara+roll@example.org", "o'hara+roll@example.org"),
        ("zoe@XN--W-UGA1V8H.pl", "zoe@żółw.pl"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ],
)
def test_an_address_is_kept_as_its_owner_writes_it(typed: str, kept: str) -> None:
    assert read_address(typed) == kept


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("", AddressIncomplete),
        ("bo", AddressIncomplete),
        ("bo@", AddressIncomplete),
        ("@example.org", AddressIncomplete),
        ("bo@example", AddressUnwritable),
        ("bo..bo@example.org", AddressUnwritable),
        ('"bo bo"@example.org', AddressUnwritable),
        ("bo@[127.0.0.1]", AddressUnwritable),
        ("a" * 65 + "@example.org", AddressUnwritable),
        ("bo@exam\r\nBcc: x@example.org", AddressUnwritable),
        ("bo@localhost", AddressUnwritable),
        ("=?utf-8?q?bo?=@example.org", AddressUnwritable),
        ("żółw@example.pl", AddressNeedsUtf8),
    ],
)
def test_what_no_relay_would_take_is_refused_in_words(typed: str, refusal: type[Invalid]) -> None:
    with pytest.raises(refusal) as refused:
        read_address(typed)
    assert refused.value.facts["field"] == "address"
    assert refused.value.said().endswith(".")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bo@example.org", "bo@EXAMPLE.org"),
        ("zoe@żółw.pl", "zoe@xn--w-uga1v8h.pl"),
        ("e\u0301a@example.org", "éa@example.org"),
    ],
)
def test_two_spellings_are_one_key(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


def test_different_people_have_different_keys() -> None:
    # Dots and plus-tags are part of a name nearly everywhere.
    keys = {key_of(f"{name}@example.org") for name in ("bo", "b.o", "bo+roll", "b0")}
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("address", "shown"),
    [("farida@gmail.com", "f…@gmail.com"), ("farida@small-union.example.org", "f…@s….example.org")],
)
def test_a_masked_address_names_nobody(address: str, shown: str) -> None:
    assert masked(address) == shown


def test_the_corpus_of_addresses_breaks_nothing() -> None:
    """Whatever is accepted must be a plain addr-spec in ASCII once its domain has A-labels."""
    cases = _cases()
    taken = refused = 0
    for case in cases:
        try:
            kept = read_address(case)
        except Invalid:
            refused += 1
            continue
        taken += 1
        assert re.fullmatch(r"[!#-'*+\-/-9=?A-Z^-~.]+@[a-z0-9.-]+", key_of(kept)), case
    assert taken + refused == len(cases)
    print(f"addresses: {len(cases)} cases, {taken} taken, {refused} refused")
    assert taken > 0 < refused


def _cases() -> list[str]:
    if not CORPUS.exists():
        return ["test@example.org", "test", "a@b@c.org", '"x y"@example.org', "test@io"]
    tests = ET.parse(CORPUS).getroot().iter("test")
    return [test.findtext("address") or "" for test in tests]
