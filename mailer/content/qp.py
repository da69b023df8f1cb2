"""Quoted-printable pieces that can be put together in any order.

Every piece begins and ends at column 0 (with a soft break if need be), every line is at most 76
wide, and no line begins with a dot or with "From ". So pieces concatenate freely, and the same
bytes serve DATA, BDAT and DKIM.
"""

import re

_WIDTH = 75  # and one for the "=" of a soft break
_PLAIN_OCTETS = frozenset(range(32, 127)) - {ord("=")} | {ord("\t")}
_OCTETS = [chr(octet) if octet in _PLAIN_OCTETS else f"={octet:02X}" for octet in range(256)]

# What may pass as it is: no "=", no leading or trailing blank, nothing HTML would escape, no dot
# and no "From " at the beginning.
_INNER = r"A-Za-z0-9_\-/:@+,()?;!*%~#"
is_plain = re.compile(rf"(?!From )[{_INNER}](?:[{_INNER} .]{{0,73}}[{_INNER}.])?").fullmatch


def value(text: str) -> bytes:
    """Write what a slot holds: the usual short name or link without a detour."""
    return text.encode() + b"=\r\n" if is_plain(text) else piece(text)


def piece(text: str) -> bytes:
    """Write any text as a piece. Lone surrogates become "?"."""
    if not text:
        return b""
    *lines, last = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    encoded = [part for line in lines for part in (*_soft(_octets(line, hard=True)), "\r\n")]
    encoded += [*_soft(_octets(last, hard=False)), "=\r\n"] if last else []
    return "".join(encoded).encode("ascii")


def _octets(line: str, *, hard: bool) -> str:
    encoded = "".join(map(_OCTETS.__getitem__, line.encode("utf-8", "replace")))
    if hard and encoded[-1:] in {" ", "\t"}:  # before a hard break it would be stripped on the way
        encoded = encoded[:-1] + f"={ord(encoded[-1]):02X}"
    return encoded


def _soft(encoded: str) -> list[str]:
    """Cut a line at soft breaks, never inside =XX."""
    out: list[str] = []
    position, end = 0, len(encoded)
    while position < end:
        start = ""
        if encoded[position] == ".":
            start, position = "=2E", position + 1
        elif encoded.startswith("From ", position):
            start, position = "=46", position + 1
        stop = position + _WIDTH - len(start)
        if stop < end:
            if encoded[stop - 1] == "=":
                stop -= 1
            elif encoded[stop - 2] == "=":
                stop -= 2
        out.append(start + encoded[position:stop])
        position = stop
        if position < end:
            out.append("=\r\n")
    return out
