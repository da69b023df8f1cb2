"""Changing an address: by the person with a letter, by an organiser at once, and back."""

import asyncio

import pytest
from sqlalchemy import select

from mailer.activity import store as activity
from mailer.bootstrap import House
from mailer.consent import actions as consent
from mailer.consent.model import SubscriberState
from mailer.kit.work import Work
from mailer.outbox.model import Letter
from mailer.subscribers import store
from mailer.subscribers.actions import (
    AddressChangeUndone,
    AddressChangeUnknown,
    AddressSinceChanged,
    AddressTaken,
    AddressUndoTooLate,
    NoFormerAddress,
    SameAddress,
    TooManyChanges,
    add,
    ask_address_change,
    change_address,
    confirm_address_change,
    undo_address_change,
)
from mailer.subscribers.model import Subscriber, SuppressionReason
from tests import makers as make
from tests.cast import Cast


async def letters(work: Work, kind: str) -> list[tuple[str | None, dict[str, int]]]:
    found = await work.session.scalars(
        select(Letter).where(Letter.kind == kind).order_by(Letter.no)
    )
    return [(letter.address, letter.facts) for letter in found]


async def test_a_new_address_is_asked_and_then_the_old_one_is_told(cast: Cast, work: Work) -> None:
    change = await ask_address_change(work, cast.bo, "Bo@new.example")
    assert cast.bo.address == "bo@example.org"
    asked = ("Bo@new.example", {"change": change.no})
    assert await letters(work, "address-change-confirm") == [asked]

    moved = await confirm_address_change(work, change.no)

    assert moved.address == "Bo@new.example"
    assert await store.by_address(work, "bo@new.example") == moved
    assert await store.by_address(work, "bo@example.org") is None
    assert await letters(work, "address-changed") == [("bo@example.org", {"change": change.no})]
    assert await consent.state_of(work, moved) is SubscriberState.ACTIVE
    kinds = await activity.kinds(work, moved.no)
    assert kinds[-2:] == ["address_change_asked", "address_changed"]


async def test_confirming_twice_changes_nothing_more(cast: Cast, work: Work) -> None:
    change = await ask_address_change(work, cast.bo, "bo@new.example")
    await confirm_address_change(work, change.no)
    await confirm_address_change(make.later(work, hours=1), change.no)
    assert len(await letters(work, "address-changed")) == 1


async def test_the_same_wish_within_a_day_sends_one_letter(cast: Cast, work: Work) -> None:
    first = await ask_address_change(work, cast.bo, "bo@new.example")
    again = await ask_address_change(make.later(work, hours=23), cast.bo, "BO@new.example")
    assert first == again
    assert len(await letters(work, "address-change-confirm")) == 1


async def test_three_new_addresses_a_day_are_enough(cast: Cast, work: Work) -> None:
    for number in range(3):
        await ask_address_change(work, cast.bo, f"bo{number}@new.example")
    with pytest.raises(TooManyChanges):
        await ask_address_change(work, cast.bo, "bo4@new.example")
    await ask_address_change(make.later(work, days=1, seconds=1), cast.bo, "bo4@new.example")


async def test_asking_for_the_same_address_is_refused(cast: Cast, work: Work) -> None:
    with pytest.raises(SameAddress):
        await ask_address_change(work, cast.bo, "BO@example.org")


async def test_asking_tells_nobody_who_is_on_the_roll(cast: Cast, work: Work) -> None:
    change = await ask_address_change(work, cast.bo, "gil@example.org")
    with pytest.raises(AddressTaken):
        await confirm_address_change(work, change.no)
    assert len(await letters(work, "address-change-confirm")) == 1


async def test_no_letter_goes_to_an_address_that_is_never_written_to(
    cast: Cast, work: Work
) -> None:
    await consent.suppress_many(work, ["bo@new.example"], SuppressionReason.IMPORTED)
    await ask_address_change(work, cast.bo, "bo@new.example")
    assert await letters(work, "address-change-confirm") == []


async def test_a_change_that_never_was_is_refused(cast: Cast, work: Work) -> None:
    with pytest.raises(AddressChangeUnknown):
        await confirm_address_change(work, 404)
    change = await ask_address_change(work, cast.bo, "bo@new.example")
    with pytest.raises(AddressChangeUnknown):
        await undo_address_change(work, change.no)


async def test_an_organiser_changes_an_address_at_once(cast: Cast, work: Work) -> None:
    moved = await change_address(work, cast.bo, "bo@new.example")
    assert moved.address == "bo@new.example"
    assert len(await letters(work, "address-changed")) == 1
    await change_address(work, moved, "bo@new.example")
    assert len(await letters(work, "address-changed")) == 1


async def test_an_address_of_another_person_is_refused(cast: Cast, work: Work) -> None:
    with pytest.raises(AddressTaken):
        await change_address(work, cast.bo, "Gil@example.org")
    found = await store.by_address(work, "bo@example.org")
    assert found is not None
    assert found.no == cast.bo.no


async def test_another_spelling_of_ones_own_address_is_no_clash(cast: Cast, work: Work) -> None:
    assert (await change_address(work, cast.bo, "Bo@example.org")).address == "Bo@example.org"


async def test_an_undo_goes_back_for_thirty_days(cast: Cast, work: Work) -> None:
    await change_address(work, cast.bo, "bo@new.example")
    [change] = await store.address_changes_of(work, cast.bo.no)

    with pytest.raises(AddressUndoTooLate):
        await undo_address_change(make.later(work, days=31), change.no)
    back = await undo_address_change(make.later(work, days=30), change.no)
    again = await undo_address_change(make.later(work, days=32), change.no)

    assert back.address == again.address == "bo@example.org"
    assert (await activity.kinds(work, back.no)).count("address_change_undone") == 1
    with pytest.raises(AddressChangeUndone):
        await confirm_address_change(work, change.no)


async def test_only_the_newest_change_is_undone(cast: Cast, work: Work) -> None:
    await change_address(work, cast.bo, "bo@new.example")
    [first] = await store.address_changes_of(work, cast.bo.no)
    await change_address(work, cast.bo, "bo@newest.example")
    with pytest.raises(AddressSinceChanged):
        await undo_address_change(work, first.no)


async def test_there_is_no_way_back_to_no_address(cast: Cast, work: Work) -> None:
    ola = await add(work, address=None, first_name="Ola")
    await change_address(work, ola, "ola@example.org")
    [change] = await store.address_changes_of(work, ola.no)
    assert await letters(work, "address-changed") == []
    with pytest.raises(NoFormerAddress):
        await undo_address_change(work, change.no)


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (SuppressionReason.ASKED, SubscriberState.SUPPRESSED),
        (SuppressionReason.COMPLAINT, SubscriberState.SUPPRESSED),
        (SuppressionReason.BOUNCE, SubscriberState.ACTIVE),
    ],
)
async def test_the_wish_not_to_be_written_to_moves_along_and_a_bounce_does_not(
    cast: Cast, work: Work, reason: SuppressionReason, state: SubscriberState
) -> None:
    await consent.take_off(work, cast.bo, reason=reason)

    moved = await change_address(work, cast.bo, "bo@new.example")

    assert await consent.state_of(work, moved) is state
    # The old address stays on the list: a file that has it brings nobody back.
    again = await add(work, address="bo@example.org")
    assert await consent.state_of(work, again) is SubscriberState.SUPPRESSED


async def test_an_undone_change_leaves_the_other_address_free(cast: Cast, work: Work) -> None:
    await consent.take_off(work, cast.bo)
    await change_address(work, cast.bo, "typo@example.org")
    [change] = await store.address_changes_of(work, cast.bo.no)

    back = await undo_address_change(work, change.no)

    assert await consent.state_of(work, back) is SubscriberState.SUPPRESSED
    stranger = await add(work, address="typo@example.org")
    assert await consent.state_of(work, stranger) is SubscriberState.PENDING


async def test_two_who_move_to_one_address_at_once_are_not_merged(cast: Cast, house: House) -> None:
    """The second finds the address free when it looks, and taken when it writes."""

    async def one(person: Subscriber) -> None:
        async with house.work() as work:
            await change_address(work, person, "free@example.org")
            await asyncio.sleep(0.1)

    done = await asyncio.gather(one(cast.bo), one(cast.gil), return_exceptions=True)

    assert sorted(type(end).__name__ for end in done) == ["AddressTaken", "NoneType"]
    async with house.work() as work:
        assert await store.by_address(work, "free@example.org") is not None
        assert len(await letters(work, "address-changed")) == 1
