"""The second factor: codes by the hour (RFC 6238), and the arithmetic of when one counts.

SHA-1, six digits, thirty seconds: what every authenticator app can do. A code counts in its own
step and in the one before and after. Each step counts once, and steps only rise: a code that was
seen over a shoulder is worth nothing, nor is the one before it.
"""

import hmac
import re
import secrets
from datetime import datetime

import pyotp

STEP = 30
_EITHER_SIDE = 1
_CLOCK_IS_OFF = 10  # steps: five minutes

HOW_MANY_CODES = 10
_CODE_OCTETS = 10  # 80 bits
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def new_seed() -> str:
    """Make a seed: 160 bits in base32, as authenticator apps take it."""
    return pyotp.random_base32()


def for_the_app(seed: str, *, account: str, issuer: str) -> str:
    """Write a seed as the address that a QR code carries to the app."""
    return pyotp.TOTP(seed).provisioning_uri(name=account, issuer_name=issuer)


def in_groups(seed: str) -> str:
    """Write a seed for typing: in groups of four."""
    return " ".join(re.findall("....", seed))


def read_code(typed: str) -> str | None:
    """Read six digits; blanks between them do not matter. Digits of other scripts are no code."""
    code = re.sub(r"\s", "", typed)
    return code if re.fullmatch("[0-9]{6}", code) else None


def step_of(seed: str, code: str, now: datetime) -> int | None:
    """Find the step that a code belongs to, if it may count now."""
    return _find(seed, code, now, _EITHER_SIDE)


def is_clock_off(seed: str, code: str, now: datetime) -> bool:
    """Say whether a code would be right by a clock that is a few minutes fast or slow."""
    return _find(seed, code, now, _CLOCK_IS_OFF) is not None


def _find(seed: str, code: str, now: datetime, either_side: int) -> int | None:
    app = pyotp.TOTP(seed)
    here = int(now.timestamp()) // STEP
    found = None
    for step in range(here - either_side, here + either_side + 1):
        if hmac.compare_digest(app.generate_otp(step), code):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Make ten codes of 80 bits, in groups of four for writing down."""
    return [_new_recovery_code() for _ in range(HOW_MANY_CODES)]


def _new_recovery_code() -> str:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_OCTETS * 8 // 5))
    return "-".join(re.findall("....", letters))


def read_recovery_code(typed: str) -> str:
    """Spell a recovery code as it was made, however it was typed."""
    letters = re.sub(r"[^a-z2-7]", "", typed.lower().replace("0", "o").replace("1", "l"))
    return "-".join(re.findall("..?.?.?", letters))
