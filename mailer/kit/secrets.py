"""Secrets: one root key outside the database, and what is derived from it.

A thief of the database alone can read no second factor, forge no link, and test no address
against the suppression list. The root is 32 octets in a file or an environment variable; each use
has a key of its own, so that no two uses can be played against each other.
"""

import hashlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ROOT_OCTETS = 32
_NONCE = 12


class SealBroken(Exception):
    """What was sealed was sealed with another key, or has been changed."""


class Keys:
    """Everything that is derived from the root key."""

    def __init__(self, root: bytes) -> None:
        """Take the root; shorter than 32 octets is a fault of the installation."""
        if len(root) < ROOT_OCTETS:
            raise ValueError(f"the root key needs {ROOT_OCTETS} octets")
        self._root = root

    def derive(self, use: str) -> bytes:
        """Give the 32 octets that belong to one use. `use` is at most 16 ASCII characters."""
        return hashlib.blake2b(self._root, digest_size=32, person=use.encode()).digest()

    def scramble(self, use: str, text: str) -> str:
        """Give a mark that stands for a text and cannot be turned back without the root key.

        32 hexadecimal digits (128 bits). The same text always has the same mark.
        """
        return hashlib.blake2b(text.encode(), digest_size=16, key=self.derive(use)).hexdigest()

    def seal(self, use: str, text: str) -> bytes:
        """Encrypt (AES-256-GCM, fresh nonce before the ciphertext)."""
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self.derive(use)).encrypt(nonce, text.encode(), None)

    def unseal(self, use: str, sealed: bytes) -> str:
        """Decrypt what `seal` made; raise `SealBroken` for anything else."""
        try:
            opened = AESGCM(self.derive(use)).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error
        return opened.decode()


def read_root(path: Path) -> bytes:
    """Read the root key from its file of hexadecimal digits."""
    return bytes.fromhex(path.read_text().strip())


def make_root(path: Path) -> bytes:
    """Make a root key in a file that only its owner can read. An existing file stands."""
    path.parent.mkdir(parents=True, exist_ok=True)
    root = secrets.token_bytes(ROOT_OCTETS)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_root(path)
    with os.fdopen(descriptor, "w") as file:
        file.write(root.hex() + "\n")
        file.flush()
        os.fsync(descriptor)
    return root
