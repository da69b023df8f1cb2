"""Finding anything by its name."""

from mailer.campaigns import composing
from mailer.kit.work import Work
from mailer.records.finding import MOST_OF_EACH, Found, Kind, find
from mailer.segments import saving
from mailer.tags import actions as tagging
from tests import makers as make
from tests.cast import Cast


def names(found: Found) -> list[tuple[str, str]]:
    people = [("person", one.shown_name) for one in found.people]
    return [*people, *((one.kind.value, one.name) for one in found.things)]


async def test_everything_with_a_name_is_found_people_first(cast: Cast, work: Work) -> None:
    await make.person(work, first_name="Nora")
    await tagging.make(work, name="From the north")
    await saving.save(work, name="North and south", tree={"everybody": True})
    await composing.begin(work, name="News from the NORTH")
    await make.mailing_list(work, "Northern lights")

    assert names(await find(work, "  nor ", campaigns_too=True)) == [
        ("person", "Nora"),
        ("segment", "North and south"),
        ("campaign", "News from the NORTH"),
        ("group", "Northgate Transport Branch"),
        ("tag", "From the north"),
        ("list", "Northern lights"),
    ]


async def test_what_begins_so_comes_first_and_not_too_many_of_it(cast: Cast, work: Work) -> None:
    for number in range(10):
        await tagging.make(work, name=f"a driver {number}")
    await tagging.make(work, name="Driver of buses")
    found = await find(work, "driver", campaigns_too=True)
    tags = [one.name for one in found.things if one.kind is Kind.TAG]
    assert len(tags) == MOST_OF_EACH
    assert tags[0] == "Driver of buses"


async def test_nothing_is_found_by_nothing(cast: Cast, work: Work) -> None:
    assert not (await find(work, "  ", campaigns_too=True)).is_anything
    assert not (await find(work, "xyzzy", campaigns_too=True)).is_anything
    assert not (await find(work, "%_\x00", campaigns_too=True)).is_anything


async def test_whoever_cares_for_some_groups_finds_those_and_their_people(
    cast: Cast, work: Work
) -> None:
    await composing.begin(work, name="Branches")
    farid = make.seen_by(work, cast.harbour)
    assert names(await find(farid, "gil", campaigns_too=False)) == [("person", "Gil")]
    assert names(await find(farid, "dana", campaigns_too=False)) == []
    assert names(await find(farid, "branch", campaigns_too=False)) == []
    assert names(await find(farid, "harbour", campaigns_too=False)) == [
        ("group", "Harbour Workers’ Centre")
    ]
