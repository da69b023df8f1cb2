"""Passwords: which will do, and how they are kept.

Hashing takes 64 MiB and a tenth of a second on purpose. It is done in threads, two at a time, and
before a unit of work begins to write. A password for an account that is not there costs the same.
"""

import asyncio
import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mailer.kit.errors import Invalid

Answer = TypeVar("Answer")

SHORTEST = 12
LONGEST = 200


class PasswordTooShort(Invalid):
    """A password needs at least %(shortest)s characters. A few words are easy to keep in mind."""


class PasswordTooLong(Invalid):
    """A password can have at most %(longest)s characters."""


class PasswordCommon(Invalid):
    """This is among the first passwords tried. Take words that nobody expects together."""


class Hasher:
    """Argon2id (RFC 9106), as dear as an installation of ours can pay."""

    def __init__(self, *, memory_kib: int = 65536, rounds: int = 3, lanes: int = 2) -> None:
        """Set the price. Tests take a cheaper one."""
        self._argon = PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=lanes)
        # Two at once: more would let a handful of sign-ins take all memory.
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
        # What is compared with when there is no account: nothing hashes to it.
        salt, digest = (b64encode(bytes(size)).rstrip(b"=").decode() for size in (16, 32))
        self._nobodys = f"$argon2id$v=19$m={memory_kib},t={rounds},p={lanes}${salt}${digest}"

    async def hash(self, password: str) -> str:
        """Give what is kept of a password."""
        return await self._in_thread(self._argon.hash, _normal(password))

    async def is_right(self, kept: str | None, password: str) -> bool:
        """Say whether this is the password. With nothing kept: no, after the same work."""
        matches = await self._in_thread(self._matches, kept or self._nobodys, _normal(password))
        return matches and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Say whether what is kept should be made anew at today's price."""
        return self._argon.check_needs_rehash(kept)

    def _matches(self, kept: str, password: str) -> bool:
        try:
            return self._argon.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[..., Answer], *given: str) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)


def check_choice(password: str, *, address: str = "") -> None:
    """Refuse a password that is short or among the first that a guesser tries."""
    if len(password) < SHORTEST:
        raise PasswordTooShort(field="password", shortest=SHORTEST)
    if len(password) > LONGEST:
        raise PasswordTooLong(field="password", longest=LONGEST)
    folded = _normal(password).casefold()
    local = address.partition("@")[0].casefold()
    if (
        len(set(folded)) < 5
        or "rollcall" in folded
        or (len(local) >= 4 and local in folded)
        or _is_row(folded)
        or _is_of_common_words(folded)
    ):
        raise PasswordCommon(field="password")


STANDARD = Hasher()


# What stands in every list of leaked passwords, and what people of a movement are tried with.
_COMMON = frozenset(
    "password passwort motdepasse passe pass word secret admin administrator login user guest"
    " test welcome bienvenue letmein changeme default master hello bonjour iloveyou jetaime"
    " love sunshine princess monkey dragon football baseball superman batman shadow"
    " freedom whatever trustno"
    " qwerty azerty qwertz asdf asdfgh zxcvbn abc abcd abcdef xyz summer winter spring autumn"
    " january february march april june july august september october november december"
    " monday friday solidarity solidarite union strike greve syndicat newsletter network"
    " organiser organizer organise organize comrade camarade mayday the and my i is".split(),
)
_ROWS = (
    "0123456789",
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "azertyuiop",
)
_LEET = str.maketrans("013457@$!", "oleastasi")


def _is_row(folded: str) -> bool:
    """Say whether it runs along a row of keys or digits, either way, however often."""
    return any(folded in way * 20 for row in _ROWS for way in (row, row[::-1]))


def _is_of_common_words(folded: str) -> bool:
    """Say whether nothing but common words is left when digits, signs and disguises are gone."""
    plain = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()
    for spelling in (plain, plain.translate(_LEET), plain.rstrip("0123456789!?.").translate(_LEET)):
        if _parts_into_common_words(re.sub(r"[^a-z]", "", spelling)):
            return True
    return False


def _parts_into_common_words(letters: str) -> bool:
    """Say whether letters can be cut into common words (dynamic programming over the ends)."""
    reached = {0}
    for end in range(1, len(letters) + 1):
        if any(letters[start:end] in _COMMON for start in reached):
            reached.add(end)
    return bool(letters) and len(letters) in reached


def _normal(password: str) -> str:
    """Spell a password one way, whichever keyboard it was typed on (RFC 8265 4.2)."""
    return unicodedata.normalize("NFC", password)
