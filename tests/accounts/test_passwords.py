"""Which passwords will do, and what is kept of them."""

import asyncio
import time

import pytest

from mailer.accounts.actions import hash_password
from mailer.accounts.passwords import (
    STANDARD,
    Hasher,
    PasswordCommon,
    PasswordTooLong,
    PasswordTooShort,
    check_choice,
)

CHEAP = Hasher(memory_kib=8, rounds=1, lanes=1)


async def test_what_is_kept_is_argon2id_at_the_price_we_name() -> None:
    kept = await hash_password("the river sings at noon", address="amina@example.org")

    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=2$")
    assert await STANDARD.is_right(kept, "the river sings at noon")
    assert not await STANDARD.is_right(kept, "the river sings at nooN")
    assert not STANDARD.is_outdated(kept)


async def test_the_price_can_rise() -> None:
    kept = await CHEAP.hash("the river sings at noon")

    assert STANDARD.is_outdated(kept)
    assert await STANDARD.is_right(kept, "the river sings at noon")


async def test_a_letter_is_the_same_from_every_keyboard() -> None:
    kept = await CHEAP.hash("caf\u00e9 at the corner")

    assert await CHEAP.is_right(kept, "cafe\u0301 at the corner")


@pytest.mark.parametrize("kept", [None, "", "nonsense", "$argon2id$v=19$m=8,t=1,p=1$x$y"])
async def test_nothing_kept_is_never_right(kept: str | None) -> None:
    assert not await CHEAP.is_right(kept, "")
    assert not await CHEAP.is_right(kept, "nobody has this password")


async def test_no_account_takes_as_much_work_as_a_wrong_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hasher = Hasher(memory_kib=64, rounds=2, lanes=1)
    worked: list[str] = []
    matches = hasher._matches

    def note(kept: str, given: str) -> bool:
        worked.append(kept)
        return matches(kept, given)

    monkeypatch.setattr(hasher, "_matches", note)

    await hasher.is_right(await hasher.hash("the river sings at noon"), "wrong")
    await hasher.is_right(None, "wrong")

    real, nobodys = (kept.split("$") for kept in worked)
    assert real[:4] == nobodys[:4] == ["", "argon2id", "v=19", "m=64,t=2,p=1"]
    assert [len(part) for part in real] == [len(part) for part in nobodys]


async def test_two_are_hashed_at_once_and_the_loop_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = most = 0

    def slow(_kept: str, _given: str) -> bool:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.02)
        running -= 1
        return True

    hasher = Hasher(memory_kib=8, rounds=1, lanes=1)
    monkeypatch.setattr(hasher, "_matches", slow)
    await asyncio.gather(*(hasher.is_right("x", "y") for _ in range(8)))

    assert most == 2


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "P@ssw0rd2026!",
        "Motdepasse2026",
        "123456789012",
        "0987654321098",
        "abcdefghijklmnop",
        "qwertyuiopas",
        "zzzzzzzzzzzzzzzz",
        "abababababababab",
        "solidarity2026",
        "Winter-2026-Union",
        "Rollcall-2026-x",
        "amina.k12345678",
        "letmeinletmein",
    ],
)
def test_the_first_that_are_tried_are_refused(password: str) -> None:
    with pytest.raises(PasswordCommon) as refused:
        check_choice(password, address="amina.k@example.org")
    assert refused.value.facts["field"] == "password"


@pytest.mark.parametrize(
    "password",
    ["the river sings at noon", "correct horse battery", "x9#Lq2!vTz8m", "ночной поезд домой"],
)
def test_words_that_nobody_expects_will_do(password: str) -> None:
    check_choice(password, address="amina.k@example.org")


def test_length_has_two_ends() -> None:
    with pytest.raises(PasswordTooShort) as refused:
        check_choice("x9#Lq2!vTz8")
    assert "12" in refused.value.said()
    with pytest.raises(PasswordTooLong):
        check_choice("x9#Lq2!vTz8m" * 20)
