"""Accounts that may look and not touch."""

import pyotp

from mailer.accounts import signing_in
from mailer.accounts.actions import open_account
from mailer.accounts.model import Account, Role
from mailer.bootstrap import House
from mailer.kit.work import Door
from tests.cast import PASSWORD_HASH


async def viewer(house: House) -> Account:
    """Open an account that sees everybody and changes nothing."""
    async with house.work(door=Door.CLI) as work:
        account = await open_account(
            work,
            address="vera@war.example.org",
            name="Vera",
            role=Role.VIEWER,
            password_hash=PASSWORD_HASH,
        )
        seed = await signing_in.begin_factor(work, account)
        await signing_in.confirm_factor(work, account, pyotp.TOTP(seed).at(work.now))
    return account
