"""Taking people onto the roll."""

import asyncio

import pytest

from mailer.activity import store as activity
from mailer.bootstrap import House
from mailer.consent.actions import state_of
from mailer.consent.model import SubscriberState
from mailer.groups import store as groups
from mailer.groups.actions import found
from mailer.kit.addresses import AddressIncomplete
from mailer.kit.texts import TextTooLong
from mailer.kit.work import Door, Work
from mailer.subscribers import store
from mailer.subscribers.actions import AddressTaken, GroupNeeded, NewPerson, add, add_many
from tests import makers as make
from tests.cast import Cast


async def test_somebody_new_is_on_the_roll_and_is_not_written_to(cast: Cast, work: Work) -> None:
    yasmin = await add(
        work, address=" Yasmin@Example.ORG", first_name="Yasmin", last_name="d’Arc", city="Lyon"
    )

    assert yasmin.address == "Yasmin@example.org"
    assert (yasmin.name_key, yasmin.called_key) == ("d’arc yasmin", "yasmin d’arc")
    assert yasmin.shown_name == "Yasmin d’Arc"
    assert yasmin.door is Door.PAGE
    assert await state_of(work, yasmin) is SubscriberState.PENDING
    assert await activity.kinds(work, yasmin.no) == ["joined"]
    assert await store.by_address(work, "YASMIN@example.org") == yasmin
    assert await store.by_uid(work, yasmin.uid) == yasmin
    assert await store.how_many(work) == 5
    assert repr(yasmin) == f"<Subscriber {yasmin.no}>"


@pytest.mark.parametrize("spelt", ["bo@example.org", "BO@example.ORG"])
async def test_an_address_stands_on_the_roll_once(cast: Cast, work: Work, spelt: str) -> None:
    with pytest.raises(AddressTaken):
        await add(work, address=spelt)


async def test_two_who_add_one_address_at_once_add_one_person(cast: Cast, house: House) -> None:
    async def one() -> None:
        async with house.work() as work:
            await add(work, address="new@example.org")
            await asyncio.sleep(0.05)

    done = await asyncio.gather(one(), one(), return_exceptions=True)

    assert sorted(type(end).__name__ for end in done) == ["AddressTaken", "NoneType"]


async def test_somebody_may_have_no_address(cast: Cast, work: Work) -> None:
    first = await add(work, address=None, first_name="Ola")
    second = await add(work, address=None, first_name="Per")
    assert (first.address, first.mark, second.address_key) == (None, None, None)


async def test_what_is_no_address_is_refused(work: Work) -> None:
    with pytest.raises(AddressIncomplete):
        await add(work, address="yasmin")


async def test_a_name_that_fills_a_page_is_refused(work: Work) -> None:
    with pytest.raises(TextTooLong) as refused:
        await add(work, address="a@example.org", last_name="x" * 121)
    assert refused.value.facts == {"field": "last_name", "longest": 120}


async def test_a_language_that_is_none_becomes_english(work: Work) -> None:
    assert (await add(work, address="a@example.org", language="pt-BR")).language == "pt-BR"
    assert (await add(work, address="b@example.org", language="<script>")).language == "en"


async def test_a_group_organiser_adds_people_to_their_own_group(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour)

    added = await add(farids, address="new@example.org")

    assert [group.no for group in await groups.of(farids, added.no)] == [cast.harbour.no]
    assert await store.by_no(farids, added.no) == added


async def test_who_looks_after_several_groups_must_choose_one_of_them(
    cast: Cast, work: Work
) -> None:
    other = await found(work, name="Other")
    both = make.seen_by(work, cast.harbour, other)
    with pytest.raises(GroupNeeded):
        await add(both, address="new@example.org")
    with pytest.raises(GroupNeeded):
        await add(both, address="new@example.org", groups=[cast.northgate.no])

    added = await add(both, address="new@example.org", groups=[other.no, cast.northgate.no])

    assert await groups.of(work, added.no) == [other]


async def test_many_are_added_at_once_and_who_is_known_is_left_out(cast: Cast, work: Work) -> None:
    people = [
        NewPerson(address=address, first_name=name)
        for address, name in [
            ("one@example.org", "One"),
            ("ONE@example.org", "Uno"),
            ("bo@example.org", "Bob"),
            ("two@example.org", "Two"),
        ]
    ]

    added = await add_many(work, people)

    assert {key: one.first_name for key, one in added.items()} == {
        "one@example.org": "One",
        "two@example.org": "Two",
    }
    assert cast.bo.first_name == "Bo"
    assert await activity.kinds(work, added["two@example.org"].no) == ["joined"]
    assert await add_many(work, people) == {}
