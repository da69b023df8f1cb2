"""Reading a million addresses: `read_address` with a memory.

`read_address` takes 60 µs, and nearly all of it is spent on the part after the @, of which a file
has few. So each domain is read once; the part before it is checked here where it is of the plain
kind that needs no thought (RFC 5322 3.2.3, dot-atom in ASCII), and by `read_address` where not.
"""

import re
from typing import NamedTuple

from mailer.kit.addresses import key_of, read_address
from mailer.kit.errors import Invalid

_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_LONGEST_LOCAL = 64  # octets, RFC 5321 4.5.3.1.1
_LONGEST = 254  # octets, RFC 5321 4.5.3.1.3 without its angle brackets
_MOST_DOMAINS = 100_000  # that are remembered at a time

_NONE: tuple[str, str] = ("", "")


class Read(NamedTuple):
    """An address as it is kept, and its key."""

    address: str
    key: str


class Addresses:
    """Reads the addresses of one file."""

    def __init__(self) -> None:
        """Begin with no domain known."""
        self._domains: dict[str, tuple[str, str]] = {}

    def read(self, typed: str) -> Read:
        """Give what `read_address` and `key_of` give, or refuse as they do."""
        local, at, domain = typed.partition("@")
        if at and len(local) <= _LONGEST_LOCAL and _PLAIN_LOCAL.fullmatch(local):
            kept, key = self._domains.get(domain) or self._look_at(domain)
            if kept and len(local) + len(key) < _LONGEST and len(local) + len(kept) < _LONGEST:
                return Read(f"{local}@{kept}", f"{local.lower()}@{key}")
        address = read_address(typed)
        return Read(address, key_of(address))

    def _look_at(self, domain: str) -> tuple[str, str]:
        if len(self._domains) >= _MOST_DOMAINS:
            self._domains.clear()
        try:
            kept = read_address(f"a@{domain}")
        except Invalid:
            found = _NONE
        else:
            # What is cut off at the end (`>`, blanks) or decoded is left to the careful way.
            found = (kept[2:], key_of(kept)[2:]) if kept[:2] == "a@" else _NONE
        if domain.strip() != domain or "=?" in domain or ">" in domain or "<" in domain:
            found = _NONE
        self._domains[domain] = found
        return found
