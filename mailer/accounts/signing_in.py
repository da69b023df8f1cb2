"""Signing in: the password, a code, and the session that they open.

The order of things, with a unit of work for each step, since a try must be noted even when it comes
to nothing and a password is never hashed while the database waits:

    wait = await note_try(work, password_marks(…), PASSWORD_LIMITS)      refuse if it must wait
    await check_password(account, password)                              outside any unit of work
    cookie = await begin_session(work, account)                          half way
    wait = await note_try(work, code_marks(…), CODE_LIMITS)
    cookie = await enter_code(work, session, account, code)              fully signed in

A session is known by an opaque name in a cookie, of which only the mark is kept. The name is new
after the password and new again after the code, and a name that is not ours is never taken up.
"""

import hmac
import math
import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta

import msgspec

from mailer.accounts import factor, store
from mailer.accounts.actions import give_recovery_codes, recovery_mark
from mailer.accounts.model import Account, Session, SignInTry, Stage
from mailer.accounts.passwords import STANDARD, Hasher
from mailer.audit import actions as audit
from mailer.kit.addresses import key_of
from mailer.kit.errors import Conflict, Invalid
from mailer.kit.i18n import _, ngettext, speaking
from mailer.kit.secrets import Keys
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post
from mailer.outbox.model import Lane, Needs

_FORGET_SESSIONS = timedelta(days=30)


class SignInWrong(Invalid):
    """Email address or password is wrong."""


class SignInOver(Conflict):
    """This sign-in has ended meanwhile. Please sign in again."""


class FactorStands(Conflict):
    """Two-factor sign-in is set up already."""


class Guess(Invalid):
    """This is not the right code."""

    def __init__(self, account_no: int) -> None:
        """Note whose code was guessed at."""
        super().__init__(field="code")
        self.account_no = account_no


class CodeWrong(Guess):
    """This is not the code that your app shows now. Look again: it changes every 30 seconds."""


class CodeReplayed(Guess):
    """This code has been used. Wait until your app shows the next one."""


class ClockOff(Guess):
    """Your telephone’s clock is some minutes off. Let it set itself by the network."""


class RecoveryCodeWrong(Guess):
    """This is not one of your recovery codes, or it has been used."""


class TooManyTries(Conflict):
    """Too many tries. Please wait %(wait)s, then try again."""


# --- limits -------------------------------------------------------------------------------------


class Limit(msgspec.Struct, frozen=True):
    """So many tries in so long a time."""

    tries: int
    span: timedelta


PASSWORD_LIMITS = (Limit(10, timedelta(minutes=5)),)
CODE_LIMITS = (
    Limit(5, timedelta(minutes=5)),
    Limit(20, timedelta(hours=1)),
    Limit(50, timedelta(days=1)),
)
_LONGEST_SPAN = timedelta(days=1)


def password_marks(keys: Keys, address: str, network: str, *, device: str = "") -> list[str]:
    """Say under which marks a try at a password counts.

    Whoever guesses at an account uses up the tries of strangers. A device that has signed in before
    has tries of its own, so that nobody can keep an account's owner out by guessing.
    """
    if device:
        return [_try_mark(keys, f"password:{key_of(address)}:{device}")]
    return [
        _try_mark(keys, f"password:{key_of(address)}"),
        _try_mark(keys, f"network:{network}"),
    ]


def code_mark(keys: Keys, account_no: int) -> str:
    """Say under which mark a try at a code counts. Who tries has the password, so it is one."""
    return _try_mark(keys, f"code:{account_no}")


async def note_try(work: Work, marks: Sequence[str], limits: Sequence[Limit]) -> timedelta | None:
    """Note a try, or say how long to wait before one is let through again.

    What must wait is not noted, so that waiting as long as was said is enough.
    """
    await store.forget_old_tries(work, work.now - _LONGEST_SPAN)
    for mark in sorted(marks):  # sorted: two tries that wait for each other's marks would be stuck
        await store.wait_in_line(work, mark)
    wait = await _must_wait(work, marks, limits)
    if wait is None:
        work.session.add_all(SignInTry(mark=mark, at=work.now) for mark in marks)
        await work.session.flush()
    return wait


async def forgive(work: Work, marks: Iterable[str]) -> None:
    """Take a try back that was right, and so was no guess: an office may sign in all at once."""
    for mark in marks:
        await store.forget_newest_try(work, mark)


async def note_guess(work: Work, guess: Guess) -> None:
    """Note a code that was wrong, after all else that was tried with it was undone."""
    work.session.add(SignInTry(mark=code_mark(work.keys, guess.account_no), at=work.now))
    await work.session.flush()


def too_many(wait: timedelta) -> TooManyTries:
    """Refuse in words: in minutes, or in hours when it is long."""
    minutes = math.ceil(wait.total_seconds() / 60)
    if minutes < 90:
        said = ngettext("%(num)s minute", "%(num)s minutes", minutes)
        return TooManyTries(wait=said % {"num": minutes})
    hours = math.ceil(minutes / 60)
    return TooManyTries(wait=ngettext("%(num)s hour", "%(num)s hours", hours) % {"num": hours})


async def _must_wait(work: Work, marks: Iterable[str], limits: Iterable[Limit]) -> timedelta | None:
    waits = [
        tries[-1] + limit.span - work.now
        for limit in limits
        for mark in marks
        if len(tries := await store.newest_tries(work, mark, work.now - limit.span, limit.tries))
        == limit.tries
    ]
    return max(waits, default=None)


def _try_mark(keys: Keys, who: str) -> str:
    return keys.scramble("tries", who)


# --- the password -------------------------------------------------------------------------------


async def check_password(
    account: Account | None, password: str, *, hasher: Hasher = STANDARD
) -> str | None:
    """Refuse a wrong password, an account that is not there, and one that is disabled, all alike.

    Gives what should be kept of the password from now on, if the price of hashing has risen.
    """
    kept = account.password_hash if account and account.disabled_at is None else None
    if not await hasher.is_right(kept, password) or kept is None:
        raise SignInWrong
    return await hasher.hash(password) if hasher.is_outdated(kept) else None


async def begin_session(work: Work, account: Account, *, rehashed: str | None = None) -> str:
    """Begin to sign in: the password was right. Gives the value of the session's cookie.

    Without a second factor there is now a seed to set one up with, which no other session gets to
    see: another one that was as far is ended.
    """
    if rehashed is not None:
        account.password_hash = rehashed
    if not account.has_factor:
        await store.end_sessions(work, account.no)
        await begin_factor(work, account)
    await store.forget_sessions(work, account.no, work.now - _FORGET_SESSIONS)
    return await _open(work, account, Stage.PASSWORD)


async def _open(work: Work, account: Account, stage: Stage) -> str:
    cookie = secrets.token_urlsafe(32)
    work.session.add(
        Session(
            mark=_mark(work.keys, cookie),
            account_no=account.no,
            stage=stage,
            made_at=work.now,
            seen_at=work.now,
        ),
    )
    await work.session.flush()
    return cookie


def _mark(keys: Keys, cookie: str) -> str:
    return keys.scramble("session", cookie)


# --- the code -----------------------------------------------------------------------------------


async def enter_code(work: Work, session: Session, account: Account, code: str) -> str:
    """Finish signing in with a code from the app. Gives the value of the new session's cookie."""
    await spend_code(work, account, code)
    return await _sign_in_fully(work, session, account)


async def use_recovery_code(work: Work, session: Session, account: Account, code: str) -> str:
    """Finish signing in with a recovery code, which is used up. The owner is told."""
    mark = recovery_mark(work, account, factor.read_recovery_code(code))
    if not await store.burn_code(work, account.no, mark):
        raise RecoveryCodeWrong(account.no)
    await audit.note(work, "recovery_code_used", account=account.no)
    return await _sign_in_fully(work, session, account)


async def fresh_code(work: Work, account: Account, code: str) -> None:
    """Ask once more, before what matters most: refuse unless this is a code that counts now."""
    mark = code_mark(work.keys, account.no)
    await store.wait_in_line(work, mark)
    wait = await _must_wait(work, [mark], CODE_LIMITS)
    if wait is not None:
        raise too_many(wait)
    await spend_code(work, account, code)


async def spend_code(work: Work, account: Account, typed: str) -> None:
    """Let a code from the app count, once; refuse any that does not, and say why."""
    seed = seed_of(work, account)
    code = factor.read_code(typed)
    step = factor.step_of(seed, code, work.now) if code else None
    if code is None or step is None:
        if code is not None and factor.is_clock_off(seed, code, work.now):
            raise ClockOff(account.no)
        raise CodeWrong(account.no)
    if not await store.take_step(work, account.no, step):
        raise CodeReplayed(account.no)


async def _sign_in_fully(work: Work, session: Session, account: Account) -> str:
    """Trade a half-way session for a full one; its old name is worth nothing any more."""
    if not await store.end_session(work, session.no):
        raise SignInOver
    await forgive(work, [code_mark(work.keys, account.no)])
    await audit.note(work, "signed_in", account=account.no)
    return await _open(work, account, Stage.FULL)


# --- setting the second factor up ---------------------------------------------------------------


async def begin_factor(work: Work, account: Account) -> str:
    """Make a seed, to be confirmed by a code. Gives the seed."""
    if account.has_factor:
        raise FactorStands
    seed = factor.new_seed()
    account.factor_sealed = work.keys.seal("factor", seed)
    await work.session.flush()
    return seed


def seed_of(work: Work, account: Account) -> str:
    """Unseal the seed: to show it while it is being set up, and to check codes."""
    if account.factor_sealed is None:
        raise SignInOver
    return work.keys.unseal("factor", account.factor_sealed)


async def confirm_factor(work: Work, account: Account, code: str) -> list[str]:
    """Turn the second factor on: the app shows the right code. Gives ten recovery codes, once."""
    if account.has_factor:
        raise FactorStands
    await spend_code(work, account, code)
    account.factor_confirmed_at = work.now
    await audit.note(work, "factor_confirmed", account=account.no)
    return await new_recovery_codes(work, account)


async def new_recovery_codes(work: Work, account: Account) -> list[str]:
    """Make ten recovery codes and give them, once; those from before are worth nothing now."""
    codes = factor.new_recovery_codes()
    await give_recovery_codes(work, account, codes)
    return codes


async def finish_setting_up(
    work: Work, session: Session, account: Account, codes: Sequence[str]
) -> str:
    """Sign in fully who has just been shown all recovery codes, and so has the app as well."""
    if not codes or await store.unused_codes(work, account.no) != {
        recovery_mark(work, account, code) for code in codes
    }:
        raise SignInOver
    return await _sign_in_fully(work, session, account)


# --- sessions -----------------------------------------------------------------------------------


async def recognise(work: Work, cookie: str) -> tuple[Session, Account] | None:
    """Find out whose session a cookie names, if it still counts and the account does."""
    found = await store.session_by_mark(work, _mark(work.keys, cookie))
    if found is None:
        return None
    session, account = found
    return found if session.is_open(work.now) and account.disabled_at is None else None


async def note_seen(work: Work, session: Session) -> None:
    """Note that a session is in use: an observation, not a fact."""
    await store.note_seen(work, session.no)


async def sign_out(work: Work, session: Session) -> None:
    """End a session."""
    await store.end_session(work, session.no)


async def revoke_all(work: Work, account: Account) -> None:
    """End every session of an account, wherever it is signed in."""
    await store.end_sessions(work, account.no)
    await audit.note(work, "sessions_revoked", account=account.no)


# --- devices ------------------------------------------------------------------------------------


def known_device(keys: Keys, account_no: int, cookie: str) -> str:
    """Give the name of a device that this account has signed in from before; else nothing."""
    name, _, mark = cookie.partition(".")
    ours = hmac.compare_digest(mark.encode(), _device_mark(keys, account_no, name).encode())
    return name if name and ours else ""


def name_device(keys: Keys, account_no: int) -> str:
    """Name a device, signed: the value of a cookie that lives long."""
    name = secrets.token_urlsafe(12)
    return f"{name}.{_device_mark(keys, account_no, name)}"


def _device_mark(keys: Keys, account_no: int, name: str) -> str:
    return keys.scramble("device", f"{account_no}:{name}")


async def tell_of_sign_in(
    work: Work, account: Account, device: str, *, with_recovery_code: bool = False
) -> None:
    """Write to an account's owner that somebody, hopefully they, signed in."""
    if with_recovery_code:
        with speaking(account.language):
            device = _("%(device)s, with a recovery code") % {"device": device}
    await post(
        work,
        Post(
            kind="sign-in-notice",
            dedupe_key=f"sign-in-notice:{account.no}:{work.now.isoformat()}",
            language=account.language,
            account=account.no,
            facts={"at": work.now.isoformat(), "device": device},
            lane=Lane.URGENT,
            needs=Needs.NOTHING,
        ),
    )
