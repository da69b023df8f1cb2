"""Signed links: what a token in a mail may do, for whom, and until when.

A token is the only credential of a subscriber, and mails get forwarded. So each token can do one
thing (its *purpose*), names one subscriber, and tells a reader nothing. The purpose is under the
MAC: a token for pausing is no token for leaving.

The octets, before base64url without padding:

    version and key (1) | purpose (1) | subscriber, subject, cause (varints) | expiry (4) | MAC (10)

Expiry is in minutes since 1970 and is missing where a token never ends: where its purpose does not,
and it was not made on the page of another that does. 80 bits of MAC suffice
for a check that only this server can make: guessing one at 1,000 a second takes 10^13 years.
`<https://host/u/TOKEN>` stays within 76 characters (mail-standards 3.4, security F2) for a host
of up to 37 characters, because a token that never ends is at most 30 characters long.
"""

import base64
import binascii
import enum
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from mailer.kit.errors import NotFound
from mailer.kit.secrets import Keys

_VERSION = 1
_MAC = 10
_LONGEST = 120


class Purpose(enum.IntEnum):
    """The one thing that a token may do. Numbers are in mails that live for years: never reuse."""

    UNSUBSCRIBE = 1
    PREFERENCES = 2
    CONFIRM = 3
    TIER = 4
    PAUSE = 5
    PRIVATE = 6
    UNDO_TIER = 7
    UNDO_LEAVING = 8
    UNDO_PAUSE = 9
    ADDRESS = 10
    UNDO_ADDRESS = 11
    CODE = 12
    WEB = 13
    STAY = 14
    SUGGESTION = 15
    ALSO_ME = 16
    UNDO_MERGING = 17
    ASK = 18  # say yes to an ask; its subject, and that of the other three of an ask, is the ask
    REPORT = 19  # tell what became of a pledge
    UNDO_PLEDGE = 20  # the subject is one step of a pledge
    READ = 21  # say that one has read an alert
    ASK_DONE = 22
    ASK_HELP = 23
    ASK_DECLINE = 24
    UNDO_DISMISSING = 25  # take back the no to a step that was suggested; the subject is that


# How long each lives. None: as long as the mail that carries it.
LIVES: dict[Purpose, timedelta | None] = {
    Purpose.UNSUBSCRIBE: None,
    Purpose.PREFERENCES: None,
    Purpose.CONFIRM: timedelta(days=7),
    Purpose.TIER: timedelta(days=60),
    Purpose.PAUSE: timedelta(days=60),
    Purpose.PRIVATE: timedelta(minutes=30),
    Purpose.UNDO_TIER: timedelta(days=30),
    Purpose.UNDO_LEAVING: timedelta(days=30),
    Purpose.UNDO_PAUSE: timedelta(days=30),
    Purpose.ADDRESS: timedelta(days=1),
    Purpose.UNDO_ADDRESS: timedelta(days=30),
    Purpose.CODE: timedelta(hours=24),
    Purpose.WEB: None,
    Purpose.STAY: timedelta(days=60),
    Purpose.SUGGESTION: timedelta(days=60),
    Purpose.ALSO_ME: timedelta(days=1),
    Purpose.UNDO_MERGING: timedelta(days=30),
    Purpose.ASK: timedelta(days=60),
    Purpose.REPORT: timedelta(days=60),
    Purpose.UNDO_PLEDGE: timedelta(days=30),
    Purpose.READ: timedelta(days=60),
    Purpose.ASK_DONE: timedelta(days=60),
    Purpose.ASK_HELP: timedelta(days=60),
    Purpose.ASK_DECLINE: timedelta(days=60),
    Purpose.UNDO_DISMISSING: timedelta(days=30),
}


class LinkUnknown(NotFound):
    """This link is not one of ours, or part of it was lost. Please copy the whole link."""


class LinkExpired(NotFound):
    """This link has run out. We can send a fresh one."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says, once its MAC was checked.

    `subject` is what it is about (a list, a tier, a change), `cause` the campaign it came in.
    """

    purpose: Purpose
    subscriber: int
    subject: int = 0
    cause: int = 0
    expires_at: datetime | None = None


class Signer:
    """Makes and reads tokens with the key of this installation."""

    def __init__(self, keys: Keys) -> None:
        """Derive the key; it is never retired, for unsubscribe links never die."""
        self._keyed = hashlib.blake2b(digest_size=_MAC, key=keys.derive("links"))

    def token(
        self,
        purpose: Purpose,
        subscriber: int,
        *,
        now: datetime,
        subject: int = 0,
        cause: int = 0,
        until: datetime | None = None,
    ) -> str:
        """Make the token for one purpose and one subscriber.

        It lives from now as long as it may, and not longer than `until`.
        """
        return self.minter(purpose, now=now, subject=subject, cause=cause, until=until)(
            varint(subscriber)
        ).decode()

    def minter(
        self,
        purpose: Purpose,
        *,
        now: datetime,
        subject: int = 0,
        cause: int = 0,
        until: datetime | None = None,
    ) -> Callable[[bytes], bytes]:
        """Give what makes the tokens of one purpose for many people: it takes `varint(subscriber)`.

        A newsletter has half a dozen links, and what is the same for everybody is written once.
        """
        head = bytes([_VERSION << 4, purpose])
        tail = varint(subject) + varint(cause)
        life = LIVES[purpose]
        ends = [end for end in (now + life if life else None, until) if end is not None]
        if ends:
            tail += int(min(ends).timestamp() // 60).to_bytes(4, "big")
        keyed = self._keyed.copy

        def mint(subscriber: bytes) -> bytes:
            said = head + subscriber + tail
            mac = keyed()
            mac.update(said)
            written = binascii.b2a_base64(said + mac.digest(), newline=False)
            return written.translate(_URL_SAFE).rstrip(b"=")

        return mint

    def read(self, token: str, *purposes: Purpose, now: datetime) -> Claim:
        """Read a token, if it is ours, for one of these purposes, and has not run out.

        Refuses with `LinkUnknown` or `LinkExpired`; the latter keeps the claim in its facts, so
        that the page can offer a fresh link.
        """
        claim = self._authentic(token)
        if claim is None or claim.purpose not in purposes:
            raise LinkUnknown
        if claim.expires_at is not None and claim.expires_at <= now:
            raise LinkExpired(claim=claim)
        return claim

    def _authentic(self, token: str) -> Claim | None:
        if len(token) > _LONGEST:
            return None
        try:
            octets = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        said, mac = octets[:-_MAC], octets[-_MAC:]
        if len(said) < 5 or not hmac.compare_digest(mac, self._mac(said)):
            return None
        if base64.urlsafe_b64encode(octets).rstrip(b"=").decode() != token:
            return None  # base64 has spare bits in its last character: one token, one spelling
        purpose = Purpose(said[1])
        subscriber, at = _read_varint(said, 2)
        subject, at = _read_varint(said, at)
        cause, at = _read_varint(said, at)
        expires_at = None
        if at < len(said):
            expires_at = datetime.fromtimestamp(int.from_bytes(said[at : at + 4], "big") * 60, UTC)
        return Claim(
            purpose=purpose,
            subscriber=subscriber,
            subject=subject,
            cause=cause,
            expires_at=expires_at,
        )

    def _mac(self, said: bytes) -> bytes:
        mac = self._keyed.copy()
        mac.update(said)
        return mac.digest()


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def varint(number: int) -> bytes:
    """Write a number in as few octets as it needs."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varint(octets: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        octet = octets[at]
        number |= (octet & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if octet < 0x80:
            return number, at
