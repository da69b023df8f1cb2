"""Confirming, by the link or by the six digits."""

import asyncio

import pytest

from mailer.activity import store as activity
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.consent import store
from mailer.consent.model import Confirmation, SubscriberState
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.subscribers.actions import change_address
from tests import makers as make
from tests.cast import Cast


async def danas(work: Work, cast: Cast) -> Confirmation:
    asked = await store.asked_since_a_click(work, [str(cast.dana.mark)])
    return asked[str(cast.dana.mark)][-1]


async def test_confirming_keeps_the_words_that_were_shown(cast: Cast, work: Work) -> None:
    confirmation = await consent.confirm(work, (await danas(work, cast)).no)

    assert confirmation.confirmed_at == work.now
    assert await consent.state_of(work, cast.dana) is SubscriberState.ACTIVE
    [record] = await store.records_of(work, cast.dana.no)
    assert record.given
    assert record.wording == cast.wording
    assert "Workers Against Racism may email me" in record.wording
    assert (record.purpose, record.controller, record.channel, record.language) == (
        "bulletin",
        "Workers Against Racism",
        "email",
        "en",
    )
    assert (await activity.kinds(work, cast.dana.no))[-1] == "confirmed"
    letters = [letter.kind for letter in await outbox.letters_to(work, cast.dana.no)]
    assert letters == ["welcome", "confirm"]


async def test_confirming_twice_is_confirming_once(cast: Cast, work: Work) -> None:
    no = (await danas(work, cast)).no
    await consent.confirm(work, no)
    again = await consent.confirm(make.later(work, days=1), no)

    assert again.confirmed_at == work.now
    assert len(await store.records_of(work, cast.dana.no)) == 1
    assert len(await outbox.letters_to(work, cast.dana.no)) == 2


async def test_confirming_at_the_same_time_is_confirming_once(cast: Cast, house: House) -> None:
    async with house.work() as work:
        no = (await danas(work, cast)).no

    async def one() -> None:
        async with house.work() as work:
            await consent.confirm(work, no)
            await asyncio.sleep(0.05)

    await asyncio.gather(one(), one(), one())

    async with house.work() as work:
        assert len(await store.records_of(work, cast.dana.no)) == 1


async def test_a_second_letter_for_the_same_list_welcomes_nobody_twice(
    cast: Cast, work: Work
) -> None:
    first = await danas(work, cast)
    second = await consent.ask(
        make.later(work, days=2), cast.dana, cast.bulletin, wording="Yes.", language="en"
    )
    await consent.confirm(work, first.no)
    await consent.confirm(work, second.no)
    assert len(await store.records_of(work, cast.dana.no)) == 1
    kinds = [letter.kind for letter in await outbox.letters_to(work, cast.dana.no)]
    assert kinds.count("welcome") == 1


async def test_a_letter_to_an_address_from_before_confirms_nothing(cast: Cast, work: Work) -> None:
    confirmation = await danas(work, cast)
    await change_address(work, cast.dana, "dana@new.example")
    with pytest.raises(consent.ConfirmationUnknown):
        await consent.confirm(work, confirmation.no)


async def test_a_sign_up_that_never_was_is_refused(work: Work) -> None:
    with pytest.raises(consent.ConfirmationUnknown):
        await consent.confirm(work, 404)
    with pytest.raises(consent.ConfirmationUnknown):
        await consent.confirm_by_code(work, "no-such-uid", "123456")


async def test_the_six_digits_from_the_letter_do_the_same(cast: Cast, work: Work) -> None:
    confirmation = await danas(work, cast)
    code = consent.code_of(work, confirmation)
    assert len(code) == 6

    confirmed = await consent.confirm_by_code(work, confirmation.uid, f" {code[:3]} {code[3:]}")

    assert confirmed.confirmed_at is not None
    assert await consent.state_of(work, cast.dana) is SubscriberState.ACTIVE
    await consent.confirm_by_code(work, confirmation.uid, code)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


async def test_there_are_five_tries_and_then_not_even_the_right_code_counts(
    cast: Cast, work: Work
) -> None:
    confirmation = await danas(work, cast)
    code = consent.code_of(work, confirmation)
    for _ in range(5):
        with pytest.raises(consent.CodeWrong) as refused:
            await consent.confirm_by_code(work, confirmation.uid, wrong(code))
        assert refused.value.facts["field"] == "code"
    with pytest.raises(consent.CodeSpent):
        await consent.confirm_by_code(work, confirmation.uid, code)


async def test_five_tries_at_the_same_time_are_five_tries(cast: Cast, house: House) -> None:
    async with house.work() as work:
        confirmation = await danas(work, cast)
        code = wrong(consent.code_of(work, confirmation))

    async def one() -> str:
        async with house.work() as work:
            try:
                await consent.confirm_by_code(work, confirmation.uid, code)
            except (consent.CodeWrong, consent.CodeSpent) as refusal:
                return refusal.code
        return "confirmed"

    told = await asyncio.gather(*[one() for _ in range(8)])

    assert sorted(told) == ["code_spent"] * 3 + ["code_wrong"] * 5


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "１２３４５６"])  # noqa: RUF001
async def test_what_is_no_code_costs_no_try(cast: Cast, work: Work, typed: str) -> None:
    confirmation = await danas(work, cast)
    with pytest.raises(consent.CodeWrong):
        await consent.confirm_by_code(work, confirmation.uid, typed)
    assert confirmation.tries == 0


async def test_a_code_lives_for_two_days(cast: Cast, work: Work) -> None:
    confirmation = await danas(work, cast)
    code = consent.code_of(work, confirmation)
    with pytest.raises(consent.CodeSpent):
        await consent.confirm_by_code(make.later(work, hours=49), confirmation.uid, code)


async def test_the_name_of_a_confirmed_sign_up_proves_nothing(cast: Cast, work: Work) -> None:
    confirmation = await danas(work, cast)
    await consent.confirm(work, confirmation.no)
    with pytest.raises(consent.CodeWrong):
        code = wrong(consent.code_of(work, confirmation))
        await consent.confirm_by_code(work, confirmation.uid, code)


async def test_a_blind_sign_up_behaves_like_any_other_and_never_confirms(
    cast: Cast, work: Work
) -> None:
    work = make.later(work, days=3)  # Bo's own sign-up has a page no longer
    blind = await consent.blind_confirmation(
        work, cast.bulletin, mark=str(cast.bo.mark), wording="Yes.", language="en"
    )
    code = consent.code_of(work, blind)
    for typed in (wrong(code), code, code, code, code):
        with pytest.raises(consent.CodeWrong):
            await consent.confirm_by_code(work, blind.uid, typed)
    with pytest.raises(consent.CodeSpent):
        await consent.confirm_by_code(work, blind.uid, code)
