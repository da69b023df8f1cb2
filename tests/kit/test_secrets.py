"""What is derived from the root key, and the file it lives in."""

import stat
from pathlib import Path

import pytest

from mailer.kit.secrets import Keys, SealBroken, make_root, read_root

KEYS = Keys(b"k" * 32)


def test_what_was_sealed_is_unsealed() -> None:
    sealed = KEYS.seal("factor", "JBSWY3DPEHPK3PXP")
    assert b"JBSW" not in sealed
    assert KEYS.unseal("factor", sealed) == "JBSWY3DPEHPK3PXP"
    assert KEYS.seal("factor", "same") != KEYS.seal("factor", "same")


def test_a_seal_is_for_one_use_and_one_key() -> None:
    sealed = KEYS.seal("factor", "x")
    for keys, use, octets in [
        (KEYS, "other", sealed),
        (Keys(b"o" * 32), "factor", sealed),
        (KEYS, "factor", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (KEYS, "factor", b""),
    ]:
        with pytest.raises(SealBroken):
            keys.unseal(use, octets)


def test_a_mark_stands_for_a_text_and_tells_nothing() -> None:
    mark = KEYS.scramble("address", "bo@example.org")
    assert mark == KEYS.scramble("address", "bo@example.org")
    assert mark != KEYS.scramble("other", "bo@example.org")
    assert mark != Keys(b"o" * 32).scramble("address", "bo@example.org")
    assert len(mark) == 32


def test_a_short_root_is_no_root() -> None:
    with pytest.raises(ValueError, match="32 octets"):
        Keys(b"short")


def test_the_root_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "data" / "secret.key"
    root = make_root(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert make_root(file) == root == read_root(file)
