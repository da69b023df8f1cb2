"""DKIM (RFC 6376) in bytes: what proves to a mail server who sent a mail, and that it is unchanged.

Canonicalisation is relaxed/relaxed, algorithms are rsa-sha256 with 2048 bits and ed25519-sha256
(RFC 8463); there is no ``l=``, so nothing can be added below. Every field that we cover is named
once more in ``h=`` than it occurs ("oversigning", RFC 6376 8.15): a second Subject, or an
unsubscribe header where there was none, breaks the signature.

Mails go in as they are on the wire, with CRLF.
"""

import base64
import enum
import functools
import hashlib
import re
from typing import TypeAlias

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

PrivateKey: TypeAlias = RSAPrivateKey | Ed25519PrivateKey

RSA_BITS = 2048  # RFC 8301 3.2; more does not fit every DNS panel, and doubles the work

COVERED = (
    b"From",
    b"To",
    b"Cc",
    b"Subject",
    b"Date",
    b"Message-ID",
    b"Reply-To",
    b"MIME-Version",
    b"Content-Type",
    b"List-Id",
    b"List-Unsubscribe",  # RFC 8058 4: it and the next must be covered for one click to count
    b"List-Unsubscribe-Post",
    b"Feedback-ID",  # Google counts complaints by it only where it is covered
)

_LINE = 72
_TXT = 255  # octets of one character-string, RFC 1035 3.3.14


class Algorithm(enum.StrEnum):
    """With what a key signs. Every receiver reads RSA; Ed25519 is short, and not yet for all."""

    RSA = "rsa"
    ED25519 = "ed25519"


class Digest(msgspec.Struct, frozen=True):
    """What all signatures of one mail have in common."""

    names: bytes  # the value of h=, folded
    fields: bytes  # the covered header fields, canonical, each with its CRLF
    body: bytes  # the hash of the canonical body, in base64


class Signature:
    """One key of ours, ready to sign."""

    def __init__(self, domain: str, selector: str, key: PrivateKey) -> None:
        """Take the domain (A-labels, lower case), where in it the key is published, and the key."""
        self.algorithm = algorithm_of(key)
        self._key = key
        self._begin = [
            b"v=1; a=%s-sha256; c=relaxed/relaxed;" % self.algorithm.encode(),
            b"d=%s;" % domain.encode(),
        ]
        self._selector = selector.encode()

    def sign(self, message: bytes, now: float) -> bytes:
        """Give the header field to be put before a mail, with its CRLF. `now` is in seconds."""
        return self.sign_digest(digest(message), now)

    def sign_digest(self, of: Digest, now: float) -> bytes:
        """Do the same for a mail that has been hashed already."""
        lines = [
            *self._begin,
            b"s=%s; t=%d;" % (self._selector, now),
            b"h=" + of.names + b";",
            b"bh=" + of.body + b";",
            b"b=",
        ]
        # RFC 6376 3.7: our own field comes last, its b= empty, without a CRLF.
        own = b"dkim-signature:" + _unfolded(b" ".join(lines))
        signature = base64.b64encode(self.signed(of.fields + own))
        lines[-1] += signature[:_LINE]
        lines += [signature[at : at + _LINE] for at in range(_LINE, len(signature), _LINE)]
        return b"DKIM-Signature: " + b"\r\n ".join(lines) + b"\r\n"

    def signed(self, data: bytes) -> bytes:
        """Sign octets. Ed25519 signs their hash, not them (RFC 8463 3)."""
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(data, PKCS1v15(), hashes.SHA256())
        return self._key.sign(hashlib.sha256(data).digest())


class Signatures(tuple[Signature, ...]):
    """All keys that sign now; without any, a mail goes out as it is."""

    __slots__ = ()

    def sign(self, message: bytes, now: float) -> bytes:
        """Give the header fields to be put before a mail; none is no octet. `now` is in seconds."""
        if not self:
            return b""
        of = digest(message)  # once for all of them
        return b"".join([one.sign_digest(of, now) for one in self])


# --- canonical (RFC 6376 3.4) ---------------------------------------------------------------------


def digest(message: bytes) -> Digest:
    """Hash a mail."""
    head, _, body = message.partition(b"\r\n\r\n")
    found: dict[bytes, list[bytes]] = {}
    for line in _unfolded(head).split(b"\r\n"):
        name, _, value = line.partition(b":")
        found.setdefault(name.rstrip(b" \t").lower(), []).append(_narrow(value))
    names, fields = [], []
    for covered in COVERED:
        name = covered.lower()
        # RFC 6376 5.4.2: of several with one name the lowest counts first.
        fields += [name + b":" + value + b"\r\n" for value in reversed(found.get(name, ()))]
        names += [covered] * (len(found.get(name, ())) + 1)
    return Digest(
        names=_folded(tuple(names)),
        fields=b"".join(fields),
        body=base64.b64encode(hashlib.sha256(relaxed(body)).digest()),
    )


def relaxed(body: bytes) -> bytes:
    """Make a body canonical: blanks count as one, none at the end of a line, no empty last lines.

    Bytes methods only: of 30 kB that takes a fifth of an RSA signature; a regular expression takes
    more than all the rest. To look first whether there is anything to do costs as much as doing it,
    and there always is: the style sheets that MJML writes have double blanks.
    """
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    first, *rest = body.split(b"  ")
    if rest:
        body = b" ".join([first, *filter(None, [part.lstrip(b" ") for part in rest])])
    body = body.replace(b" \r\n", b"\r\n").removesuffix(b" ")
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end] + b"\r\n" if end else b""


def _unfolded(head: bytes) -> bytes:
    return head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")


def _narrow(value: bytes) -> bytes:
    return b" ".join(filter(None, value.replace(b"\t", b" ").split(b" ")))


@functools.lru_cache(maxsize=64)  # our mails have few kinds of heads
def _folded(names: tuple[bytes, ...]) -> bytes:
    lines, line = [], b"h="
    for at, name in enumerate(names):
        word = name + (b":" if at + 1 < len(names) else b"")
        if len(line) + len(word) > _LINE:
            lines.append(line)
            line = b""
        line += word
    return b"\r\n ".join([*lines, line]).removeprefix(b"h=")


# --- keys -----------------------------------------------------------------------------------------


def new_key(algorithm: Algorithm) -> PrivateKey:
    """Make a key. RSA takes a tenth of a second or more: in a thread, and in no transaction."""
    if algorithm is Algorithm.RSA:
        return generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    return Ed25519PrivateKey.generate()


def algorithm_of(key: PrivateKey) -> Algorithm:
    """Say with what a key signs."""
    return Algorithm.RSA if isinstance(key, RSAPrivateKey) else Algorithm.ED25519


def written(key: PrivateKey) -> str:
    """Write a key as text, to be sealed."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def read(text: str) -> PrivateKey:
    """Read what `written` wrote."""
    key = serialization.load_pem_private_key(text.encode(), password=None)
    assert isinstance(key, RSAPrivateKey | Ed25519PrivateKey)
    return key


def public_half(key: PrivateKey) -> str:
    """Give what the world may know, as ``p=`` has it (RFC 6376 3.6.1, RFC 8463 4.2)."""
    if isinstance(key, Ed25519PrivateKey):
        octets = key.public_key().public_bytes_raw()
    else:
        octets = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    return base64.b64encode(octets).decode()


# --- what stands in DNS ---------------------------------------------------------------------------


def record_name(domain: str, selector: str) -> str:
    """Name the place of a key in DNS (RFC 6376 3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def record(algorithm: Algorithm, public: str) -> str:
    """Give the TXT record in one piece, as most panels take it."""
    return f"v=DKIM1; k={algorithm}; p={public}"


def in_strings(text: str) -> str:
    """Give it as a zone file has it: in quoted strings of at most 255 octets."""
    return " ".join(f'"{chunk}"' for chunk in re.findall(f".{{1,{_TXT}}}", text))
