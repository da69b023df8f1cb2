"""Names for the outside: uuid7, which sort by time and tell nothing else (RFC 9562 5.7)."""

import os
import re
import time
import unicodedata
import uuid


def new_uid() -> str:
    """Make a name that nobody can guess: 48 bits of milliseconds, 74 bits of chance."""
    octets = bytearray((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10))
    octets[6] = 0x70 | octets[6] & 0x0F
    octets[8] = 0x80 | octets[8] & 0x3F
    return str(uuid.UUID(bytes=bytes(octets)))


def slug(words: str, *, longest: int = 60) -> str:
    """Make words fit for a URL: lower-case letters, digits, hyphens; `x` if none are left."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:longest].strip("-") or "x"
