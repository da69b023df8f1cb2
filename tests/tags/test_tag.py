"""Tags, and who has them."""

import pytest

from mailer.activity import store as activity
from mailer.kit.errors import Forbidden
from mailer.kit.i18n import speaking
from mailer.kit.texts import TextMissing, TextTooLong
from mailer.kit.work import Work
from mailer.tags import actions as tags
from mailer.tags import record, store
from tests import makers as make
from tests.cast import Cast


async def test_a_tag_is_made_once_however_it_is_spelt(work: Work) -> None:
    driver = await tags.make(work, name="  Night   driver ")

    assert driver.name == "Night driver"
    assert await tags.make(work, name="NIGHT DRIVER") == driver
    assert await store.by_uid(work, driver.uid) == driver
    assert await store.by_no(work, driver.no) == driver
    assert await store.by_names(work, ["night driver", "none"]) == {"night driver": driver}
    assert await store.all_tags(work) == [(driver, 0)]


@pytest.mark.any_database
async def test_a_name_that_files_would_read_as_two_is_refused(work: Work) -> None:
    for typed, refusal in {
        "": TextMissing,
        "x" * 81: TextTooLong,
        "bus, train": tags.TagHasSeparator,
        "bus;train": tags.TagHasSeparator,
    }.items():
        with pytest.raises(refusal):
            await tags.make(work, name=typed)


async def test_people_are_tagged_once_and_the_verb_says_who_is_new(cast: Cast, work: Work) -> None:
    driver = await tags.make(work, name="Driver")
    both = [cast.bo.no, cast.gil.no]

    assert await tags.tag_many(work, [cast.bo.no], driver) == [cast.bo.no]
    assert await tags.tag_many(work, [*both, 999_999], driver) == [cast.gil.no]
    assert await store.of(work, cast.bo.no) == [driver]
    assert await store.all_tags(work) == [(driver, 2)]

    assert await tags.untag_many(work, both, driver) == both
    assert await tags.untag_many(work, both, driver) == []
    assert await store.of(work, cast.bo.no) == []
    assert (await activity.kinds(work, cast.bo.no))[-2:] == ["tagged", "untagged"]


async def test_a_timeline_tells_of_tags_by_their_name_of_today(cast: Cast, work: Work) -> None:
    driver = await tags.make(work, name="Driver")
    await tags.tag_many(work, [cast.bo.no], driver)
    await tags.untag_many(work, [cast.bo.no], driver)
    await tags.rename(work, driver, name="Night driver")

    with speaking("en"):
        told = [one.words for one in await record.entries(work, cast.bo.no)]

    assert told == ["Is no longer tagged “Night driver”", "Was tagged “Night driver”"]


async def test_a_tag_has_a_name_of_its_own(work: Work) -> None:
    driver, nurse = await tags.make(work, name="Driver"), await tags.make(work, name="Nurse")

    with pytest.raises(tags.TagExists):
        await tags.rename(work, driver, name="nurse")
    assert (await tags.rename(work, nurse, name="NURSE")).name == "NURSE"
    assert (await tags.rename(work, nurse, name="NURSE")).name == "NURSE"


async def test_a_closed_tag_stays_with_people_and_can_be_opened_again(
    cast: Cast, work: Work
) -> None:
    driver = await tags.make(work, name="Driver")
    await tags.tag_many(work, [cast.bo.no], driver)

    await tags.close(work, await tags.close(work, driver))

    assert await store.all_tags(work) == []
    assert await store.closed_tags(work) == [driver]
    assert await store.of(work, cast.bo.no) == [driver]
    with pytest.raises(tags.TagClosed):
        await tags.tag_many(work, [cast.gil.no], driver)
    assert (await tags.make(work, name="driver")).closed_at is None
    assert await store.all_tags(work) == [(driver, 1)]


async def test_who_looks_after_some_tags_those_alone_and_makes_none(cast: Cast, work: Work) -> None:
    driver = await tags.make(work, name="Driver")
    await tags.tag_many(work, [cast.bo.no], driver)
    farids = make.seen_by(work, cast.harbour)

    assert await tags.tag_many(farids, [cast.bo.no, cast.gil.no], driver) == [cast.gil.no]
    assert await tags.untag_many(farids, [cast.bo.no], driver) == []
    assert await tags.make(farids, name="driver") == driver
    assert await store.all_tags(farids) == [(driver, 1)]
    assert await store.all_tags(work) == [(driver, 2)]
    for refused in (
        tags.make(farids, name="Nurse"),
        tags.rename(farids, driver, name="Nurse"),
        tags.close(farids, driver),
        tags.reopen(farids, driver),
    ):
        with pytest.raises(Forbidden):
            await refused


async def test_a_merge_gives_the_tags_on_and_can_be_taken_back(cast: Cast, work: Work) -> None:
    driver, nurse = await tags.make(work, name="Driver"), await tags.make(work, name="Nurse")
    await tags.tag_many(work, [cast.bo.no], driver)
    await tags.tag_many(work, [cast.bo.no, cast.gil.no], nurse)

    moved = await record.repoint(work, cast.bo.no, cast.gil.no)
    assert await store.of(work, cast.bo.no) == []
    assert await store.of(work, cast.gil.no) == [driver, nurse]

    await record.restore(work, cast.bo.no, cast.gil.no, moved)
    assert await store.of(work, cast.bo.no) == [driver, nurse]
    assert await store.of(work, cast.gil.no) == [nurse]
