"""Opening accounts, and what is done to them: by an owner, or from the server's shell."""

from collections.abc import Iterable

from mailer.accounts import passwords, store
from mailer.accounts.model import Account, AccountScope, RecoveryCode, Role
from mailer.accounts.passwords import STANDARD, Hasher
from mailer.audit import actions as audit
from mailer.kit.addresses import key_of, read_address
from mailer.kit.errors import Conflict, Invalid, NotFound
from mailer.kit.ids import new_uid
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post
from mailer.outbox.model import Lane, Needs


class AccountUnknown(NotFound):
    """There is no account with this address."""


class AccountExists(Conflict):
    """There is an account with this address already."""


class NameMissing(Invalid):
    """An account needs a name: it stands beside what the account did."""


class LastOwner(Conflict):
    """This is the only owner left. Make somebody else an owner first."""


async def hash_password(password: str, *, address: str = "", hasher: Hasher = STANDARD) -> str:
    """Give what is kept of a password; refuse one that is easy to guess. Before any writing."""
    passwords.check_choice(password, address=address)
    return await hasher.hash(password)


async def open_account(
    work: Work,
    *,
    address: str,
    name: str,
    role: Role,
    password_hash: str,
    language: str = "en",
    groups: Iterable[int] = (),
) -> Account:
    """Let somebody sign in. They set up their second factor when they first do."""
    address = read_address(address)
    if not name.strip():
        raise NameMissing(field="name")
    if await store.by_address(work, address) is not None:
        raise AccountExists(field="address")
    account = Account(
        uid=new_uid(),
        address=address,
        address_key=key_of(address),
        name=name.strip(),
        role=role,
        language=language,
        password_hash=password_hash,
        made_at=work.now,
    )
    work.session.add(account)
    await work.session.flush()
    await limit_to(work, account, groups)
    await audit.note(work, "account_opened", account=account.no, role=role.value)
    return account


async def limit_to(work: Work, account: Account, groups: Iterable[int]) -> None:
    """Say whose people an account may see; without groups everybody, but for a group organiser."""
    await store.clear_scope(work, account.no)
    work.session.add_all(
        AccountScope(account_no=account.no, group_no=group) for group in sorted(set(groups))
    )
    await work.session.flush()


async def set_password(work: Work, account: Account, password_hash: str) -> None:
    """Change the password. Whoever is signed in with the old one is signed out."""
    account.password_hash = password_hash
    await store.end_sessions(work, account.no)
    await audit.note(work, "password_changed", account=account.no)


async def disable(work: Work, account: Account) -> None:
    """Let an account sign in no more, and end what it has open. Its past acts keep its name."""
    if account.disabled_at is not None:
        return
    if account.role is Role.OWNER and not await store.another_owner(work, account.no):
        raise LastOwner
    account.disabled_at = work.now
    await store.end_sessions(work, account.no)
    await audit.note(work, "account_disabled", account=account.no)


async def enable(work: Work, account: Account) -> None:
    """Let a disabled account sign in again."""
    if account.disabled_at is None:
        return
    account.disabled_at = None
    await audit.note(work, "account_enabled", account=account.no)


async def reset_factor(work: Work, account: Account) -> None:
    """Take the second factor away, from the server's shell, when telephone and codes are lost.

    Whoever is signed in is signed out; the next sign-in sets up a new factor; the owner is told.
    """
    account.factor_sealed = None
    account.factor_confirmed_at = None
    await store.forget_codes(work, account.no)
    await store.end_sessions(work, account.no)
    await audit.note(work, "factor_reset", account=account.no)
    await post(
        work,
        Post(
            kind="factor-reset",
            dedupe_key=f"factor-reset:{account.no}:{work.now.isoformat()}",
            language=account.language,
            account=account.no,
            facts={"at": work.now.isoformat()},
            lane=Lane.URGENT,
            needs=Needs.NOTHING,
        ),
    )


async def give_recovery_codes(work: Work, account: Account, codes: Iterable[str]) -> None:
    """Keep the marks of new recovery codes; the old ones are worth nothing from now on."""
    await store.forget_codes(work, account.no)
    work.session.add_all(
        RecoveryCode(account_no=account.no, mark=recovery_mark(work, account, code))
        for code in codes
    )
    await work.session.flush()


def recovery_mark(work: Work, account: Account, code: str) -> str:
    """Give what is kept of a recovery code."""
    return work.keys.scramble("recovery", f"{account.no}:{code}")
