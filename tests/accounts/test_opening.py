"""Accounts are opened, changed, and closed from the server's shell or by an owner."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select

from mailer.accounts import actions, signing_in, store
from mailer.accounts.actions import AccountExists, LastOwner, NameMissing
from mailer.accounts.model import POWERS, Account, Power, RecoveryCode, Role, Session, Stage
from mailer.audit.model import AuditLine
from mailer.bootstrap import House
from mailer.groups.actions import found
from mailer.kit.addresses import AddressIncomplete
from mailer.kit.work import Work
from mailer.outbox.model import Letter
from tests.cast import Cast


async def opened(work: Work, address: str = "gul@example.org", role: Role = Role.OWNER) -> Account:
    return await actions.open_account(
        work, address=address, name=" Gul ", role=role, password_hash="kept"
    )


async def acts(work: Work) -> list[str]:
    return list((await work.session.scalars(select(AuditLine.act).order_by(AuditLine.no))).all())


async def test_opening_an_account_lets_somebody_sign_in_who_has_no_factor_yet(work: Work) -> None:
    assert not await store.any_account(work)
    gul = await opened(work)

    assert await store.any_account(work)
    assert (gul.name, gul.has_factor, gul.disabled_at) == ("Gul", False, None)
    assert await store.by_address(work, "GUL@Example.ORG") is gul
    assert await store.by_uid(work, gul.uid) is gul
    assert await store.names(work) == {gul.no: "Gul"}
    assert await store.all_accounts(work) == [gul]
    assert await acts(work) == ["account_opened"]
    assert repr(gul) == f"<Account {gul.no}>"


async def test_one_address_is_one_account(work: Work) -> None:
    await opened(work)
    with pytest.raises(AccountExists):
        await opened(work, "Gul@EXAMPLE.org")


async def test_an_account_needs_a_name_and_an_address(work: Work) -> None:
    with pytest.raises(AddressIncomplete):
        await opened(work, "gul")
    with pytest.raises(NameMissing):
        await actions.open_account(
            work, address="gul@example.org", name=" ", role=Role.OWNER, password_hash="kept"
        )


async def test_a_role_says_what_one_may(work: Work) -> None:
    owner, viewer = await opened(work), await opened(work, "v@example.org", Role.VIEWER)

    assert POWERS[Role.OWNER] == set(Power)
    assert owner.may(Power.SETTINGS)
    assert viewer.may(Power.SEE_PEOPLE)
    assert not viewer.may(Power.CHANGE_PEOPLE)
    owner.disabled_at = work.now
    assert not owner.may(Power.SETTINGS)


async def test_a_scope_is_groups_and_a_group_organiser_without_any_sees_nobody(work: Work) -> None:
    group = await found(work, name="Leeds")
    owner = await opened(work)
    farid = await opened(work, "farid@example.org", Role.GROUP_ORGANISER)

    assert await store.scope_of(work, owner) is None
    assert await store.scope_of(work, farid) == frozenset()
    await actions.limit_to(work, farid, [group.no, group.no])
    await actions.limit_to(work, owner, [group.no])
    assert await store.scope_of(work, farid) == frozenset({group.no})
    assert await store.scope_of(work, owner) == frozenset({group.no})
    await actions.limit_to(work, owner, [])
    assert await store.scope_of(work, owner) is None


async def test_a_new_password_signs_everybody_out(work: Work) -> None:
    gul = await opened(work)
    cookie = await signing_in.begin_session(work, gul)
    await actions.set_password(work, gul, "another")

    assert gul.password_hash == "another"
    assert await signing_in.recognise(work, cookie) is None
    assert "password_changed" in await acts(work)


async def test_a_disabled_account_is_out_at_once_and_can_come_back(work: Work) -> None:
    await opened(work)
    other = await opened(work, "other@example.org")
    cookie = await signing_in.begin_session(work, other)

    await actions.disable(work, other)
    await actions.disable(work, other)
    assert await signing_in.recognise(work, cookie) is None
    with pytest.raises(signing_in.SignInWrong):
        await signing_in.check_password(other, "whatever it is")

    await actions.enable(work, other)
    await actions.enable(work, other)
    assert other.disabled_at is None
    assert (await acts(work))[-2:] == ["account_disabled", "account_enabled"]


async def test_the_last_owner_cannot_be_disabled(work: Work) -> None:
    gul = await opened(work)
    await opened(work, "v@example.org", Role.VIEWER)
    with pytest.raises(LastOwner):
        await actions.disable(work, gul)


async def test_resetting_the_factor_starts_over_signs_out_and_tells_the_owner(work: Work) -> None:
    gul = await opened(work)
    cookie = await signing_in.begin_session(work, gul)
    seed = signing_in.seed_of(work, gul)
    await signing_in.confirm_factor(work, gul, pyotp.TOTP(seed).at(work.now))

    await actions.reset_factor(work, gul)

    assert not gul.has_factor
    assert await signing_in.recognise(work, cookie) is None
    assert await store.unused_codes(work, gul.no) == set()
    assert "factor_reset" in await acts(work)
    letter = (await work.session.scalars(select(Letter))).one()
    assert (letter.kind, letter.account_no) == ("factor-reset", gul.no)
    await signing_in.begin_session(work, gul)
    assert signing_in.seed_of(work, gul) != seed


async def test_a_thief_of_the_database_finds_no_seed_no_code_and_no_session(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        amina = await work.session.get_one(Account, cast.amina.no)
        seed = signing_in.seed_of(work, amina)
        cookie = await signing_in.begin_session(work, amina)
        codes = await signing_in.new_recovery_codes(work, amina)
        found = await signing_in.recognise(work, cookie)
        assert found is not None
        kept = [amina.factor_sealed, found[0].mark]
        kept += (await work.session.scalars(select(RecoveryCode.mark))).all()

    for secret in [seed, cookie, *codes]:
        assert all(secret.encode() not in str(part).encode() for part in kept)


async def test_a_session_ends_when_idle_and_when_old(work: Work) -> None:
    gul = await opened(work)
    await signing_in.begin_session(work, gul)
    found = (await work.session.scalars(select(Session))).one()
    now = work.now

    assert found.is_open(now + timedelta(minutes=9))
    assert not found.is_open(now + timedelta(minutes=10))  # half way
    found.stage = Stage.FULL
    assert found.is_open(now + timedelta(minutes=29))
    assert not found.is_open(now + timedelta(minutes=30))
    found.seen_at = now + timedelta(hours=11, minutes=50)
    assert found.is_open(now + timedelta(hours=11, minutes=59))
    assert not found.is_open(now + timedelta(hours=12))
    found.revoked_at = now
    assert not found.is_open(now)
