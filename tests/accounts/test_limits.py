"""Who guesses is slowed down; nobody is locked out."""

import asyncio
import dataclasses
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from mailer.accounts import signing_in
from mailer.accounts.model import Account, Role, SignInTry
from mailer.accounts.signing_in import (
    CODE_LIMITS,
    PASSWORD_LIMITS,
    CodeWrong,
    TooManyTries,
    note_try,
    password_marks,
)
from mailer.bootstrap import House
from mailer.kit.i18n import speaking
from mailer.kit.work import Work
from tests.makers import later


async def test_ten_tries_at_a_password_in_five_minutes(work: Work) -> None:
    marks = password_marks(work.keys, "amina@example.org", "192.0.2.0/24")
    for second in range(10):
        assert await note_try(later(work, seconds=second), marks, PASSWORD_LIMITS) is None

    wait = await note_try(later(work, seconds=10), marks, PASSWORD_LIMITS)

    assert wait == timedelta(minutes=5) - timedelta(seconds=10)


async def test_waiting_as_long_as_was_said_is_enough(work: Work) -> None:
    marks = password_marks(work.keys, "amina@example.org", "192.0.2.0/24")
    for second in range(10):
        await note_try(later(work, seconds=second), marks, PASSWORD_LIMITS)
    for second in range(10, 200):  # hammering on does not make it longer
        assert await note_try(later(work, seconds=second), marks, PASSWORD_LIMITS)

    assert await note_try(later(work, seconds=299), marks, PASSWORD_LIMITS) == timedelta(seconds=1)
    assert await note_try(later(work, seconds=300), marks, PASSWORD_LIMITS) is None


async def test_guessing_at_one_account_leaves_the_next_alone(work: Work) -> None:
    for _ in range(10):
        await note_try(work, password_marks(work.keys, "amina@example.org", "a"), PASSWORD_LIMITS)

    amina = password_marks(work.keys, "Amina@EXAMPLE.org", "b")
    esra = password_marks(work.keys, "esra@example.org", "b")
    assert await note_try(work, amina, PASSWORD_LIMITS)
    assert await note_try(work, esra, PASSWORD_LIMITS) is None


async def test_a_network_that_tries_one_account_after_the_other_is_slowed_down(work: Work) -> None:
    for number in range(10):
        marks = password_marks(work.keys, f"{number}@example.org", "192.0.2.0/24")
        await note_try(work, marks, PASSWORD_LIMITS)

    assert await note_try(
        work, password_marks(work.keys, "new@example.org", "192.0.2.0/24"), PASSWORD_LIMITS
    )


async def test_a_known_device_has_tries_of_its_own(work: Work) -> None:
    for _ in range(1000):
        strangers = password_marks(work.keys, "amina@example.org", "192.0.2.0/24")
        await note_try(work, strangers, PASSWORD_LIMITS)

    owners = password_marks(work.keys, "amina@example.org", "192.0.2.0/24", device="d")
    assert await note_try(work, owners, PASSWORD_LIMITS) is None


async def test_codes_have_three_limits(work: Work) -> None:
    marks = [signing_in.code_mark(work.keys, 1)]
    at, tries = work, 0
    waited = []
    while at.now < work.now + timedelta(days=1):
        wait = await note_try(at, marks, CODE_LIMITS)
        if wait is None:
            tries += 1
        else:
            waited.append(wait)
            at = dataclasses.replace(at, now=at.now + wait)

    assert tries == 50
    assert max(waited) > timedelta(hours=12)
    assert min(waited) <= timedelta(minutes=5)


async def test_a_try_that_was_right_is_no_guess(work: Work) -> None:
    marks = password_marks(work.keys, "amina@example.org", "an office")
    for _ in range(30):
        assert await note_try(work, marks, PASSWORD_LIMITS) is None
        await signing_in.forgive(work, marks)


async def test_old_tries_are_forgotten(work: Work) -> None:
    await note_try(work, ["a"], PASSWORD_LIMITS)
    await note_try(later(work, days=1, seconds=1), ["b"], PASSWORD_LIMITS)

    assert (await work.session.scalars(select(SignInTry.mark))).all() == ["b"]


async def test_those_who_try_at_once_are_counted_one_after_the_other(house: House) -> None:
    marks = password_marks(house.keys, "amina@example.org", "192.0.2.0/24")

    async def try_once() -> bool:
        async with house.work() as work:
            return await note_try(work, marks, PASSWORD_LIMITS) is None

    let_through = await asyncio.gather(*(try_once() for _ in range(30)))

    assert sum(let_through) == 10
    async with house.work(reading=True) as work:
        assert await work.session.scalar(select(func.count(SignInTry.no))) == 20  # two marks each


async def test_marks_tell_neither_address_nor_network(work: Work) -> None:
    for mark in password_marks(work.keys, "amina@example.org", "192.0.2.0/24"):
        assert len(mark) == 32
        assert "amina" not in mark
        assert "192" not in mark


async def test_a_fresh_code_waits_like_any_other(work: Work) -> None:
    amina = Account(
        uid="a",
        address="a@example.org",
        address_key="a@example.org",
        name="Amina",
        role=Role.OWNER,
        password_hash="",
        made_at=work.now,
    )
    work.session.add(amina)
    await work.session.flush()
    await signing_in.begin_factor(work, amina)
    for _ in range(5):
        with pytest.raises(CodeWrong) as refused:
            await signing_in.fresh_code(work, amina, "nonsense")
        await signing_in.note_guess(work, refused.value)

    with pytest.raises(TooManyTries) as refused_later:
        await signing_in.fresh_code(work, amina, "nonsense")
    assert refused_later.value.said() == "Too many tries. Please wait 5 minutes, then try again."


def test_a_wait_is_said_in_minutes_or_hours() -> None:
    with speaking("en"):
        assert "1 minute," in signing_in.too_many(timedelta(seconds=3)).said()
        assert "89 minutes" in signing_in.too_many(timedelta(minutes=89)).said()
        assert "2 hours" in signing_in.too_many(timedelta(minutes=90)).said()
