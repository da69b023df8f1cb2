"""Signing in as a person does: the password, then a code from the app."""

import re
from collections.abc import Mapping

import httpx
import pyotp

from mailer.accounts.model import Account
from mailer.bootstrap import House
from mailer.kit.work import Door
from tests.cast import PASSWORD

CSRF = re.compile(r'name="csrf" value="([^"]+)"')


async def signed_in(client: httpx.AsyncClient, house: House, account: Account) -> None:
    """Sign an account in through the pages, its second factor already proven."""
    seed = await rested(house, account)
    await client.post("/admin/sign-in", data={"address": account.address, "password": PASSWORD})
    answer = await post(client, "/admin/code", {"code": pyotp.TOTP(seed).now()})
    assert answer.status_code == 303, answer.text


async def rested(house: House, account: Account) -> str:
    """Let it be long since an account's last code, as it is for people; give its seed.

    Tests sign in again within one step of thirty seconds, and each step counts once.
    """
    async with house.work(door=Door.CLI) as work:
        fresh = await work.session.get_one(Account, account.no)
        fresh.last_step = 0
        return work.keys.unseal("factor", fresh.factor_sealed or b"")


async def seed_of(house: House, account: Account) -> str:
    """Read an account's seed, which only these tests and its app may."""
    async with house.work(reading=True) as work:
        fresh = await work.session.get_one(Account, account.no)
        return work.keys.unseal("factor", fresh.factor_sealed or b"")


async def post(
    client: httpx.AsyncClient,
    path: str,
    data: Mapping[str, str | list[str]] | None = None,
    *,
    page: str | None = None,
) -> httpx.Response:
    """Post a form of an admin page as the page would: with the CSRF token that stands in it."""
    shown = await client.get(page or path)
    found = CSRF.search(shown.text)
    assert found, f"no form on {page or path}"
    return await client.post(path, data={**(data or {}), "csrf": found[1]})
