"""Questions about accounts, their sessions, and tries to sign in."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CursorResult, Update, delete, exists, func, select, update

from mailer.accounts.model import (
    Account,
    AccountScope,
    RecoveryCode,
    Role,
    Session,
    SignInTry,
)
from mailer.kit.addresses import key_of
from mailer.kit.work import Work


async def by_no(work: Work, no: int) -> Account | None:
    """Find an account by its number."""
    return await work.session.get(Account, no)


async def by_uid(work: Work, uid: str) -> Account | None:
    """Find an account by its name for the outside."""
    return await work.session.scalar(select(Account).where(Account.uid == uid))


async def by_address(work: Work, address: str) -> Account | None:
    """Find an account by its address, however it is spelled."""
    found = select(Account).where(Account.address_key == key_of(address))
    return await work.session.scalar(found)


async def all_accounts(work: Work) -> Sequence[Account]:
    """List all accounts, the oldest first."""
    return (await work.session.scalars(select(Account).order_by(Account.no))).all()


async def any_account(work: Work) -> bool:
    """Say whether anybody can sign in yet."""
    return bool(await work.session.scalar(select(exists(select(Account.no)))))


async def another_owner(work: Work, but: int) -> bool:
    """Say whether there is an owner besides this one who can sign in."""
    others = select(Account.no).where(
        Account.role == Role.OWNER, Account.no != but, Account.disabled_at.is_(None)
    )
    return bool(await work.session.scalar(select(exists(others))))


async def names(work: Work) -> dict[int, str]:
    """Give the names of all accounts by number."""
    rows = await work.session.execute(select(Account.no, Account.name))
    return {row.no: row.name for row in rows}


async def scope_of(work: Work, account: Account) -> frozenset[int] | None:
    """Give the groups whose people an account may see; None is everybody.

    A group organiser without groups sees nobody; any other role without groups sees all.
    """
    theirs = select(AccountScope.group_no).where(AccountScope.account_no == account.no)
    groups = frozenset((await work.session.scalars(theirs)).all())
    return groups if groups or account.role is Role.GROUP_ORGANISER else None


async def clear_scope(work: Work, account_no: int) -> None:
    """Forget which groups an account was limited to."""
    await work.session.execute(delete(AccountScope).where(AccountScope.account_no == account_no))


# --- sessions -----------------------------------------------------------------------------------


async def session_by_mark(work: Work, mark: str) -> tuple[Session, Account] | None:
    """Find a session, whether or not it still counts, and whose it is."""
    row = (
        await work.session.execute(
            select(Session, Account).join(Account).where(Session.mark == mark),
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


async def end_session(work: Work, session_no: int) -> bool:
    """Revoke one session; False if something else has ended it before."""
    return await _changed(
        work,
        update(Session)
        .where(Session.no == session_no, Session.revoked_at.is_(None))
        .values(revoked_at=work.now),
    )


async def end_sessions(work: Work, account_no: int) -> None:
    """Revoke every session of an account."""
    await work.session.execute(
        update(Session)
        .where(Session.account_no == account_no, Session.revoked_at.is_(None))
        .values(revoked_at=work.now),
    )


async def forget_sessions(work: Work, account_no: int, before: datetime) -> None:
    """Delete the rows of sessions that began long ago."""
    await work.session.execute(
        delete(Session).where(Session.account_no == account_no, Session.made_at < before),
    )


async def note_seen(work: Work, session_no: int) -> None:
    """Note that a session was used; one that was revoked meanwhile stays as it is."""
    await work.session.execute(
        update(Session)
        .where(Session.no == session_no, Session.revoked_at.is_(None), Session.seen_at < work.now)
        .values(seen_at=work.now),
    )


# --- the second factor --------------------------------------------------------------------------


async def take_step(work: Work, account_no: int, step: int) -> bool:
    """Let a code's time step count, once: True for exactly one of those who try it at a time."""
    return await _changed(
        work,
        update(Account)
        .where(Account.no == account_no, Account.last_step < step)
        .values(last_step=step),
    )


async def burn_code(work: Work, account_no: int, mark: str) -> bool:
    """Use a recovery code up: True for exactly one of those who try it at a time."""
    return await _changed(
        work,
        update(RecoveryCode)
        .where(
            RecoveryCode.account_no == account_no,
            RecoveryCode.mark == mark,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=work.now),
    )


async def unused_codes(work: Work, account_no: int) -> set[str]:
    """Give the marks of the recovery codes that are left."""
    left = select(RecoveryCode.mark).where(
        RecoveryCode.account_no == account_no,
        RecoveryCode.used_at.is_(None),
    )
    return set((await work.session.scalars(left)).all())


async def forget_codes(work: Work, account_no: int) -> None:
    """Delete all recovery codes of an account."""
    await work.session.execute(delete(RecoveryCode).where(RecoveryCode.account_no == account_no))


# --- tries --------------------------------------------------------------------------------------


async def wait_in_line(work: Work, mark: str) -> None:
    """Let tries under one mark be counted one after the other, until this unit of work ends.

    SQLite has one writer at a time anyway.
    """
    if work.session.get_bind().dialect.name == "postgresql":
        await work.session.execute(select(func.pg_advisory_xact_lock(int(mark[:15], 16))))


async def newest_tries(work: Work, mark: str, since: datetime, limit: int) -> Sequence[datetime]:
    """Give when the newest tries under a mark were, newest first."""
    tries = (
        select(SignInTry.at)
        .where(SignInTry.mark == mark, SignInTry.at > since)
        .order_by(SignInTry.at.desc())
        .limit(limit)
    )
    return (await work.session.scalars(tries)).all()


async def forget_newest_try(work: Work, mark: str) -> None:
    """Delete the newest try under a mark."""
    newest = (
        select(SignInTry.no).where(SignInTry.mark == mark).order_by(SignInTry.no.desc()).limit(1)
    )
    await work.session.execute(delete(SignInTry).where(SignInTry.no.in_(newest)))


async def forget_old_tries(work: Work, before: datetime) -> None:
    """Delete the tries that no limit looks at any more."""
    await work.session.execute(delete(SignInTry).where(SignInTry.at < before))


async def _changed(work: Work, statement: Update) -> bool:
    done = await work.session.execute(statement)
    assert isinstance(done, CursorResult)
    return done.rowcount == 1
