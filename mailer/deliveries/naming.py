"""Message-IDs: the key of a message, signed, and the same in every attempt.

Base32 in lower case, because some servers on the way change the case of an identifier. The MAC lets
us tell our own messages in reports that come back, and nobody else make one up.
"""

import base64
import binascii
import hashlib
import hmac

from mailer.deliveries.model import Key
from mailer.kit.secrets import Keys

_MAC = 8
_PARTS = 3


class Namer:
    """Names messages with the key of this installation."""

    def __init__(self, keys: Keys) -> None:
        self._key = keys.derive("message-id")

    def name(self, key: Key) -> str:
        """Give the local part of the Message-ID: at most 64 letters and digits."""
        said = b"".join(
            bytes([len(octets)]) + octets
            for octets in (part.to_bytes((part.bit_length() + 7) // 8, "big") for part in key)
        )
        return base64.b32encode(said + self._mac(said)).rstrip(b"=").decode().lower()

    def read(self, name: str) -> Key | None:
        """Say which message has this name; None if we did not give it."""
        try:
            octets = base64.b32decode(name.upper() + "=" * (-len(name) % 8))
        except (binascii.Error, ValueError):
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
        return hashlib.blake2b(said, digest_size=_MAC, key=self._key).digest()
