"""Signing in, step by step: the session that each step opens, and what a code is worth."""

import asyncio

import pyotp
import pytest
from sqlalchemy import func, select

from mailer.accounts import factor, signing_in, store
from mailer.accounts.model import Account, Session, SignInTry, Stage
from mailer.accounts.signing_in import (
    ClockOff,
    CodeReplayed,
    CodeWrong,
    FactorStands,
    Guess,
    RecoveryCodeWrong,
    SignInOver,
)
from mailer.audit.model import AuditLine
from mailer.bootstrap import House
from mailer.kit.errors import Refusal
from mailer.kit.work import Work
from mailer.outbox.model import Letter
from tests.cast import Cast
from tests.makers import later


@pytest.fixture
async def amina(cast: Cast, work: Work) -> Account:
    """Give Amina in this unit of work, no code of hers used lately."""
    amina = await work.session.get_one(Account, cast.amina.no)
    amina.last_step = 0
    await work.session.flush()
    return amina


def code(work: Work, account: Account, *, off: int = 0) -> str:
    app = pyotp.TOTP(signing_in.seed_of(work, account))
    return app.generate_otp(int(work.now.timestamp()) // factor.STEP + off)


async def half_way(work: Work, account: Account) -> Session:
    cookie = await signing_in.begin_session(work, account)
    found = await signing_in.recognise(work, cookie)
    assert found is not None
    return found[0]


# --- sessions -----------------------------------------------------------------------------------


async def test_the_code_trades_a_half_way_session_for_a_full_one(
    amina: Account, work: Work
) -> None:
    first = await signing_in.begin_session(work, amina)
    session, account = await signing_in.recognise(work, first) or pytest.fail("unknown")
    assert (session.stage, account) == (Stage.PASSWORD, amina)

    second = await signing_in.enter_code(work, session, amina, code(work, amina))

    assert second != first
    assert await signing_in.recognise(work, first) is None
    full, _account = await signing_in.recognise(work, second) or pytest.fail("unknown")
    assert full.stage is Stage.FULL
    acts = (await work.session.scalars(select(AuditLine.act))).all()
    assert "signed_in" in acts


async def test_a_name_is_256_bits_and_only_its_mark_is_kept(amina: Account, work: Work) -> None:
    cookie = await signing_in.begin_session(work, amina)

    assert len(cookie) == 43  # 32 octets in base64url
    kept = (await work.session.scalars(select(Session.mark))).all()
    assert cookie not in kept
    assert work.keys.scramble("session", cookie) in kept


async def test_a_name_that_is_not_ours_is_nothing(amina: Account, work: Work) -> None:
    assert await signing_in.recognise(work, "attackerchosen") is None
    assert await signing_in.recognise(work, "") is None


async def test_a_session_counts_until_it_is_ended_idle_or_old(amina: Account, work: Work) -> None:
    cookie = await signing_in.begin_session(work, amina)
    assert await signing_in.recognise(later(work, minutes=9), cookie)
    assert await signing_in.recognise(later(work, minutes=10), cookie) is None

    session = await half_way(work, amina)
    cookie = await signing_in.enter_code(work, session, amina, code(work, amina))
    assert await signing_in.recognise(later(work, minutes=29), cookie)
    assert await signing_in.recognise(later(work, minutes=30), cookie) is None

    full, _ = await signing_in.recognise(work, cookie) or pytest.fail("unknown")
    await signing_in.note_seen(later(work, minutes=20), full)
    await work.session.refresh(full)
    assert await signing_in.recognise(later(work, minutes=49), cookie)

    await signing_in.sign_out(work, full)
    await signing_in.sign_out(work, full)
    assert await signing_in.recognise(work, cookie) is None


async def test_noting_that_it_was_seen_does_not_wake_a_session_that_has_ended(
    amina: Account, work: Work
) -> None:
    session = await half_way(work, amina)
    before = session.seen_at
    await signing_in.sign_out(work, session)
    await signing_in.note_seen(later(work, minutes=5), session)
    await work.session.refresh(session)

    assert (session.revoked_at, session.seen_at) == (work.now, before)


async def test_all_sessions_can_be_ended_at_once(amina: Account, work: Work) -> None:
    cookies = [await signing_in.begin_session(work, amina) for _ in range(3)]
    await signing_in.revoke_all(work, amina)

    assert [await signing_in.recognise(work, cookie) for cookie in cookies] == [None] * 3


async def test_sessions_of_long_ago_are_deleted(amina: Account, work: Work) -> None:
    await signing_in.begin_session(work, amina)
    await signing_in.begin_session(later(work, days=31), amina)

    assert await work.session.scalar(select(func.count(Session.no))) == 1


async def test_a_sign_in_that_was_ended_meanwhile_does_not_go_on(
    amina: Account, work: Work
) -> None:
    session = await half_way(work, amina)
    await signing_in.sign_out(work, session)
    with pytest.raises(SignInOver):
        await signing_in.enter_code(work, session, amina, code(work, amina))


# --- codes --------------------------------------------------------------------------------------


async def test_a_code_counts_once(amina: Account, work: Work) -> None:
    await signing_in.fresh_code(work, amina, code(work, amina))
    with pytest.raises(CodeReplayed):
        await signing_in.fresh_code(work, amina, code(work, amina))


async def test_n_then_n_plus_one_then_n_is_refused(amina: Account, work: Work) -> None:
    await signing_in.fresh_code(work, amina, code(work, amina))
    await signing_in.fresh_code(work, amina, code(work, amina, off=1))
    with pytest.raises(CodeReplayed):
        await signing_in.fresh_code(work, amina, code(work, amina))
    with pytest.raises(CodeReplayed):
        await signing_in.fresh_code(work, amina, code(work, amina, off=-1))


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("", CodeWrong),
        ("abcdef", CodeWrong),
        ("１２３４５６", CodeWrong),  # noqa: RUF001
    ],
)
async def test_what_is_no_code_is_wrong(
    amina: Account, work: Work, typed: str, refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        await signing_in.fresh_code(work, amina, typed)


async def test_full_width_digits_of_the_right_code_are_refused(amina: Account, work: Work) -> None:
    wide = "".join(chr(ord(digit) - ord("0") + 0xFF10) for digit in code(work, amina))
    with pytest.raises(CodeWrong):
        await signing_in.fresh_code(work, amina, wide)
    await signing_in.fresh_code(work, amina, code(work, amina))


@pytest.mark.parametrize("off", [-10, -2, 2, 10])
async def test_a_clock_that_is_off_is_said_and_counts_as_a_guess(
    amina: Account, work: Work, off: int
) -> None:
    with pytest.raises(ClockOff) as refused:
        await signing_in.fresh_code(work, amina, code(work, amina, off=off))
    assert isinstance(refused.value, Guess)


async def test_of_fifty_who_post_one_code_at_once_exactly_one_gets_in(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        amina = await work.session.get_one(Account, cast.amina.no)
        amina.last_step = 0
        typed = code(work, amina)
        sessions = [await half_way(work, amina) for _ in range(50)]

    async def post(session: Session) -> str | type[Refusal]:
        try:
            async with house.work() as work:
                return await signing_in.enter_code(work, session, amina, typed)
        except Refusal as refusal:
            return type(refusal)

    answers = await asyncio.gather(*(post(session) for session in sessions))

    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert answers.count(CodeReplayed) == 49
    async with house.work(reading=True) as work:
        full = select(func.count(Session.no)).where(Session.stage == Stage.FULL)
        assert await work.session.scalar(full) == 1


# --- setting up ---------------------------------------------------------------------------------


async def newcomer(amina: Account, work: Work) -> Account:
    amina.factor_sealed = amina.factor_confirmed_at = None
    await work.session.flush()
    return amina


def stands(account: Account) -> bool:
    return account.has_factor


async def test_the_factor_stands_once_a_code_was_right(amina: Account, work: Work) -> None:
    account = await newcomer(amina, work)
    await signing_in.begin_session(work, account)
    assert not stands(account)
    with pytest.raises(CodeWrong):
        await signing_in.confirm_factor(work, account, "000000x")
    assert not stands(account)

    codes = await signing_in.confirm_factor(work, account, code(work, account))

    assert stands(account)
    assert len(codes) == 10
    assert len(await store.unused_codes(work, account.no)) == 10
    with pytest.raises(FactorStands):
        await signing_in.confirm_factor(work, account, code(work, account, off=1))
    with pytest.raises(FactorStands):
        await signing_in.begin_factor(work, account)


async def test_a_seed_is_shown_to_the_newest_session_alone(amina: Account, work: Work) -> None:
    account = await newcomer(amina, work)
    first = await signing_in.begin_session(work, account)
    seen_by_first = signing_in.seed_of(work, account)
    await signing_in.begin_session(work, account)

    assert await signing_in.recognise(work, first) is None
    assert signing_in.seed_of(work, account) != seen_by_first


async def test_without_a_seed_there_is_nothing_to_check(amina: Account, work: Work) -> None:
    account = await newcomer(amina, work)
    with pytest.raises(SignInOver):
        await signing_in.confirm_factor(work, account, "123456")


async def test_who_holds_all_recovery_codes_goes_in(amina: Account, work: Work) -> None:
    account = await newcomer(amina, work)
    session = await half_way(work, account)
    codes = await signing_in.confirm_factor(work, account, code(work, account))

    for wrong in ([], codes[:9], [*codes[:9], "abcd-efgh-ijkl-2345"]):
        with pytest.raises(SignInOver):
            await signing_in.finish_setting_up(work, session, account, wrong)
    cookie = await signing_in.finish_setting_up(work, session, account, codes)

    full, _ = await signing_in.recognise(work, cookie) or pytest.fail("unknown")
    assert full.stage is Stage.FULL


# --- recovery codes -----------------------------------------------------------------------------


async def test_a_recovery_code_gets_in_once(amina: Account, work: Work) -> None:
    codes = await signing_in.new_recovery_codes(work, amina)
    session = await half_way(work, amina)
    typed = codes[3].upper().replace("-", " ")

    cookie = await signing_in.use_recovery_code(work, session, amina, typed)

    assert await signing_in.recognise(work, cookie)
    assert len(await store.unused_codes(work, amina.no)) == 9
    with pytest.raises(RecoveryCodeWrong):
        await signing_in.use_recovery_code(work, await half_way(work, amina), amina, codes[3])


async def test_new_recovery_codes_make_the_old_ones_worthless(amina: Account, work: Work) -> None:
    old = await signing_in.new_recovery_codes(work, amina)
    new = await signing_in.new_recovery_codes(work, amina)
    session = await half_way(work, amina)

    with pytest.raises(RecoveryCodeWrong):
        await signing_in.use_recovery_code(work, session, amina, old[0])
    await signing_in.use_recovery_code(work, session, amina, new[0])


async def test_a_recovery_code_is_one_account_s_alone(
    amina: Account, work: Work, cast: Cast
) -> None:
    codes = await signing_in.new_recovery_codes(work, amina)
    esra = await work.session.get_one(Account, cast.esra.no)
    with pytest.raises(RecoveryCodeWrong):
        await signing_in.use_recovery_code(work, await half_way(work, esra), esra, codes[0])


async def test_of_twenty_who_use_one_recovery_code_at_once_exactly_one_gets_in(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        amina = await work.session.get_one(Account, cast.amina.no)
        codes = await signing_in.new_recovery_codes(work, amina)
        sessions = [await half_way(work, amina) for _ in range(20)]

    async def use(session: Session) -> bool:
        try:
            async with house.work() as work:
                await signing_in.use_recovery_code(work, session, amina, codes[0])
        except RecoveryCodeWrong:
            return False
        return True

    assert sum(await asyncio.gather(*(use(session) for session in sessions))) == 1


# --- devices and notices ------------------------------------------------------------------------


async def test_a_device_is_known_to_the_account_that_signed_in_from_it(work: Work) -> None:
    cookie = signing_in.name_device(work.keys, 1)

    assert signing_in.known_device(work.keys, 1, cookie) == cookie.split(".")[0]
    assert signing_in.known_device(work.keys, 2, cookie) == ""
    for forged in ("", ".", "x", "x.y", cookie[:-1], "." + cookie, cookie.upper(), "ü.ü"):
        assert signing_in.known_device(work.keys, 1, forged) == ""


async def test_the_owner_is_told_of_a_sign_in(amina: Account, work: Work) -> None:
    await signing_in.tell_of_sign_in(work, amina, "Firefox on Linux")
    await signing_in.tell_of_sign_in(
        later(work, minutes=1), amina, "Firefox on Linux", with_recovery_code=True
    )

    notices = select(Letter).where(Letter.account_no == amina.no).order_by(Letter.no)
    told = (await work.session.scalars(notices)).all()
    assert [letter.kind for letter in told] == ["sign-in-notice"] * 2
    assert told[0].facts == {"at": work.now.isoformat(), "device": "Firefox on Linux"}
    assert told[1].facts["device"] == "Firefox on Linux, with a recovery code"


async def test_a_guess_is_noted_under_the_mark_of_the_account(amina: Account, work: Work) -> None:
    await signing_in.note_guess(work, CodeWrong(amina.no))

    mark = await work.session.scalar(select(SignInTry.mark))
    assert mark == signing_in.code_mark(work.keys, amina.no)
    assert str(amina.no) != mark
