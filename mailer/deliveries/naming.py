"""Message-IDs: the key of a message, signed, and the same in every attempt.

Hexadecimal, because some servers on the way change the case of an identifier. The MAC lets us tell
our own messages in reports that come back, and nobody else make one up.
"""

import functools
import hashlib
import hmac

from mailer.deliveries.model import Key
from mailer.kit.secrets import Keys

_MAC = 8
_PARTS = 3


class Namer:
    """Names messages with the key of this installation."""

    def __init__(self, keys: Keys) -> None:
        self._keyed = hashlib.blake2b(digest_size=_MAC, key=keys.derive("message-id"))

    def name(self, key: Key) -> str:
        """Give the local part of the Message-ID: some forty digits and letters."""
        said = _campaign(key.campaign, key.run) + _with_length(key.number)
        return (said + self._mac(said)).hex()

    def read(self, name: str) -> Key | None:
        """Say which message has this name; None if we did not give it."""
        try:
            octets = bytes.fromhex(name)
        except ValueError:
            return None
        said, mac = octets[:-_MAC], octets[-_MAC:]
        if not hmac.compare_digest(mac, self._mac(said)):
            return None
        numbers, at = [], 0
        for _part in range(_PARTS):
            length = said[at]
            numbers.append(int.from_bytes(said[at + 1 : at + 1 + length], "big"))
            at += 1 + length
        return Key(*numbers)

    def _mac(self, said: bytes) -> bytes:
        mac = self._keyed.copy()
        mac.update(said)
        return mac.digest()


@functools.lru_cache(maxsize=64)
def _campaign(no: int, run: int) -> bytes:
    return _with_length(no) + _with_length(run)


def _with_length(part: int) -> bytes:
    length = (part.bit_length() + 7) // 8
    return bytes([length]) + part.to_bytes(length, "big")
