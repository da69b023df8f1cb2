"""Signed links: one purpose, one subscriber, and not a bit otherwise."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.kit.links import Links
from mailer.kit.secrets import Keys
from mailer.kit.tokens import LIVES, Claim, LinkExpired, LinkUnknown, Purpose, Signer

NOW = datetime(2026, 6, 9, 10, 0, tzinfo=UTC)
SIGNER = Signer(Keys(b"k" * 32))
ANY = tuple(Purpose)


@given(
    st.sampled_from(Purpose),
    st.integers(0, 2**50),
    st.integers(0, 2**40),
    st.integers(0, 2**40),
)
def test_what_was_signed_is_read_back(purpose: Purpose, who: int, what: int, why: int) -> None:
    token = SIGNER.token(purpose, who, subject=what, cause=why, now=NOW)
    claim = SIGNER.read(token, purpose, now=NOW)
    assert (claim.purpose, claim.subscriber, claim.subject, claim.cause) == (
        purpose,
        who,
        what,
        why,
    )


def test_no_flipped_bit_is_read() -> None:
    token = SIGNER.token(Purpose.TIER, 7, subject=3, cause=12, now=NOW)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    tried = 0
    for place, letter in enumerate(token):
        for bit in range(6):
            other = alphabet[alphabet.index(letter) ^ 1 << bit]
            with pytest.raises(LinkUnknown):
                SIGNER.read(token[:place] + other + token[place + 1 :], *ANY, now=NOW)
            tried += 1
    assert tried == 6 * len(token)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_is_for_one_purpose(purpose: Purpose) -> None:
    token = SIGNER.token(purpose, 7, now=NOW)
    with pytest.raises(LinkUnknown):
        SIGNER.read(token, *(other for other in Purpose if other is not purpose), now=NOW)


@pytest.mark.parametrize(("purpose", "life"), LIVES.items())
def test_a_token_lives_as_long_as_it_may(purpose: Purpose, life: timedelta | None) -> None:
    token = SIGNER.token(purpose, 7, now=NOW)
    if life is None:
        assert SIGNER.read(token, purpose, now=NOW + timedelta(days=36500)).expires_at is None
        return
    assert isinstance(SIGNER.read(token, purpose, now=NOW + life - timedelta(minutes=2)), Claim)
    with pytest.raises(LinkExpired) as refused:
        SIGNER.read(token, purpose, now=NOW + life)
    claim = refused.value.facts["claim"]
    assert isinstance(claim, Claim)
    assert claim.subscriber == 7  # so that the page can offer a fresh link


@pytest.mark.parametrize(("purpose", "life"), LIVES.items())
def test_a_token_may_be_bounded_and_lives_no_longer_than_it_would(
    purpose: Purpose, life: timedelta | None
) -> None:
    soon, late = NOW + timedelta(minutes=5), NOW + timedelta(days=36500)
    for until in (soon, late):
        token = SIGNER.token(purpose, 7, subject=3, cause=12, now=NOW, until=until)
        claim = SIGNER.read(token, purpose, now=NOW)
        assert claim.expires_at == min(until, NOW + life if life else until)
        assert (claim.subject, claim.cause) == (3, 12)


@pytest.mark.parametrize("junk", ["", "x", "=", "é", "A" * 200, "a b", "../../etc", "\x00", "A=="])
def test_junk_is_unknown_and_breaks_nothing(junk: str) -> None:
    with pytest.raises(LinkUnknown):
        SIGNER.read(junk, *ANY, now=NOW)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_unknown(typed: str) -> None:
    with pytest.raises(LinkUnknown):
        SIGNER.read(typed, *ANY, now=NOW)


def test_another_installations_token_is_unknown() -> None:
    token = Signer(Keys(b"o" * 32)).token(Purpose.UNSUBSCRIBE, 7, now=NOW)
    with pytest.raises(LinkUnknown):
        SIGNER.read(token, *ANY, now=NOW)


@pytest.mark.parametrize("host", ["roll.example.org", "newsletters.a-long-union-name.example.org"])
def test_the_unsubscribe_link_fits_a_header_line(host: str) -> None:
    # Security F2: with its brackets at most 76 characters, for ten million people and lists.
    links = Links(f"https://{host}", SIGNER, NOW)
    link = links.to(Purpose.UNSUBSCRIBE, 10_000_000, subject=120, cause=16_000)
    assert len(f"<{link}>") <= 76 + max(0, len(host) - 37)
    assert link.startswith(f"https://{host}/u/")
