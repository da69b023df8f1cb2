"""Groups, and belonging to them."""

import asyncio

import pytest

from mailer.activity import store as activity
from mailer.bootstrap import House
from mailer.groups import actions as groups
from mailer.groups import record, store
from mailer.groups.many import put_in
from mailer.groups.model import Group, GroupKind
from mailer.kit.i18n import speaking
from mailer.kit.texts import TextMissing
from mailer.kit.work import Work
from mailer.subscribers.actions import SubscriberUnknown
from mailer.subscribers.model import GroupRole
from tests import makers as make
from tests.cast import Cast


async def test_a_group_is_founded_once_however_it_is_spelt(cast: Cast, work: Work) -> None:
    with pytest.raises(groups.GroupExists):
        await groups.found(work, name="northgate  transport BRANCH")
    with pytest.raises(TextMissing):
        await groups.found(work, name=" ")

    founded = await groups.found(work, name="Care Staff", place="Lyon")

    assert await store.by_name(work, "CARE staff") == founded
    assert await store.by_uid(work, founded.uid) == founded
    assert await store.by_no(work, founded.no) == founded
    assert list(await store.by_names(work, ["care staff", "none"])) == ["care staff"]
    assert "Care Staff" in await store.names(work)


async def test_two_who_found_one_group_at_once_found_one(house: House) -> None:
    async def one() -> None:
        async with house.work() as work:
            await groups.found(work, name="Care Staff")
            await asyncio.sleep(0.05)

    done = await asyncio.gather(one(), one(), return_exceptions=True)
    assert sorted(type(end).__name__ for end in done) == ["GroupExists", "NoneType"]


async def test_a_group_is_described_anew(cast: Cast, work: Work) -> None:
    group = await groups.describe(work, cast.northgate, name="Northgate", place="North")
    assert (group.name, group.name_key, group.place) == ("Northgate", "northgate", "North")
    assert await groups.describe(work, group, name="Northgate", place="North") == group

    with pytest.raises(groups.GroupExists):
        await groups.describe(work, group, name="harbour workers’ centre")
    assert (await store.names_of(work, [group.no])) == {group.no: "Northgate"}


async def test_joining_twice_is_joining_once(cast: Cast, work: Work) -> None:
    await groups.join(work, cast.bo, cast.harbour)
    await groups.join(work, cast.bo, cast.harbour)

    theirs = [group.no for group in await store.of(work, cast.bo.no)]
    assert theirs == [cast.harbour.no, cast.northgate.no]
    assert (await activity.kinds(work, cast.bo.no)).count("group_joined") == 2
    counted = {group.name: number for group, number in await store.all_groups(work)}
    assert counted == {cast.harbour.name: 2, cast.northgate.name: 2}
    members = [one.no for one in await store.members_of(work, cast.harbour)]
    assert members == [cast.bo.no, cast.gil.no]


async def test_leaving_twice_is_leaving_once(cast: Cast, work: Work) -> None:
    await groups.leave(work, cast.bo, cast.northgate)
    await groups.leave(work, cast.bo, cast.northgate)

    assert await store.of(work, cast.bo.no) == []
    assert (await activity.kinds(work, cast.bo.no)).count("group_left") == 1


async def test_a_group_organiser_reaches_their_own_group_only(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour)

    assert [(g.no, n) for g, n in await store.all_groups(farids)] == [(cast.harbour.no, 1)]
    with pytest.raises(groups.GroupOutOfReach):
        await groups.join(farids, cast.gil, cast.northgate)
    with pytest.raises(SubscriberUnknown):
        await groups.join(farids, cast.bo, cast.harbour)
    assert await store.members_of(farids, cast.northgate) == []


async def test_many_join_at_once_and_only_who_may_be_seen(cast: Cast, work: Work) -> None:
    other = await groups.found(work, name="Other")
    nos = [cast.bo.no, cast.gil.no]
    farids = make.seen_by(work, cast.harbour, other)

    assert list(await put_in(farids, nos, other, GroupRole.MEMBER)) == [cast.gil.no]
    assert list(await put_in(work, nos, other, GroupRole.MEMBER)) == [cast.bo.no]
    assert await put_in(work, nos, other, GroupRole.MEMBER) == {}
    assert [one.no for one in await store.members_of(work, other)] == nos


async def test_who_looks_after_some_groups_founds_and_renames_none(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour, account=cast.farid.no)

    with pytest.raises(groups.FoundingOutOfReach):
        await groups.found(farids, name="Care Staff")
    with pytest.raises(groups.FoundingOutOfReach):
        await groups.describe(farids, cast.harbour, name="Ours")

    assert not groups.may_found(farids)
    assert groups.may_found(work)
    assert "Care Staff" not in await store.names(work)


async def test_two_groups_renamed_alike_at_once_are_not_one(cast: Cast, house: House) -> None:
    async def one(group: Group) -> None:
        async with house.work() as work:
            await groups.describe(work, group, name="United")
            await asyncio.sleep(0.1)

    done = await asyncio.gather(one(cast.northgate), one(cast.harbour), return_exceptions=True)

    assert sorted(type(end).__name__ for end in done) == ["GroupExists", "NoneType"]


async def test_only_who_looks_after_everybody_founds_and_renames(cast: Cast, work: Work) -> None:
    farids = make.seen_by(work, cast.harbour)
    with pytest.raises(groups.FoundingOutOfReach):
        await groups.found(farids, name="Mine")
    with pytest.raises(groups.FoundingOutOfReach):
        await groups.describe(farids, cast.harbour, name="Mine")


async def test_groups_are_read_by_number_in_one_go(cast: Cast, work: Work) -> None:
    found = await store.by_nos(work, [cast.northgate.no, 404])
    assert {no: group.name for no, group in found.items()} == {
        cast.northgate.no: cast.northgate.name
    }


# --- what a group is, and what people are in it -----------------------------------------------


async def test_a_group_has_a_kind_a_sector_and_a_size(cast: Cast, work: Work) -> None:
    rail = await groups.found(
        work, name="Rail", kind=GroupKind.UNION, sector=" Railways ", size=4000
    )
    assert (rail.kind, rail.sector, rail.size) == (GroupKind.UNION, "Railways", 4000)

    rail = await groups.describe(work, rail, name="Rail", kind=GroupKind.FEDERATION)
    assert (rail.kind, rail.sector, rail.size) == (GroupKind.FEDERATION, "", None)
    with pytest.raises(groups.SizeOutOfRange):
        await groups.describe(work, rail, name="Rail", size=-1)


async def test_somebody_is_something_else_in_a_group(cast: Cast, work: Work) -> None:
    await groups.change_role(work, cast.bo, cast.northgate, GroupRole.OFFICER)
    await groups.change_role(work, cast.bo, cast.northgate, GroupRole.OFFICER)
    await groups.join(work, cast.bo, cast.northgate, role=GroupRole.REP)  # they belong already

    [(group, one)] = await store.belonging(work, cast.bo.no)
    assert (group.no, one.role) == (cast.northgate.no, GroupRole.OFFICER)
    assert (await activity.kinds(work, cast.bo.no)).count("group_role") == 1
    with pytest.raises(groups.NotInGroup):
        await groups.change_role(work, cast.bo, cast.harbour, GroupRole.REP)


async def test_nobody_joins_a_closed_group_until_it_is_open_again(cast: Cast, work: Work) -> None:
    closed = await groups.close(work, await groups.close(work, cast.harbour))
    assert await store.closed_groups(work) == [closed]
    with pytest.raises(groups.GroupClosed):
        await groups.join(work, cast.bo, closed)
    assert [group.no for group in await store.of(work, cast.gil.no)] == [closed.no]

    again = await groups.reopen(work, await groups.reopen(work, closed))
    await groups.join(work, cast.bo, again)

    farids = make.seen_by(work, cast.harbour)
    assert [group.no for group in await store.of(farids, cast.bo.no)] == [cast.harbour.no]
    with pytest.raises(groups.FoundingOutOfReach):
        await groups.close(farids, again)


async def test_a_timeline_names_no_group_of_others(cast: Cast, work: Work) -> None:
    await groups.join(work, cast.gil, cast.northgate, role=GroupRole.REP)
    await groups.change_role(work, cast.gil, cast.northgate, GroupRole.OFFICER)
    await groups.leave(work, cast.gil, cast.northgate)
    farids = make.seen_by(work, cast.harbour)

    with speaking("en"):
        mine = [(one.words, one.details) for one in await record.entries(work, cast.gil.no)]
        his = [(one.words, one.details) for one in await record.entries(farids, cast.gil.no)]

    assert mine == [
        ("Left Northgate Transport Branch", ""),
        ("Has another role in Northgate Transport Branch", "Officer"),
        ("Joined Northgate Transport Branch", "Rep of a workplace"),
        ("Joined Harbour Workers’ Centre", ""),
    ]
    assert his == [
        ("Left another group", ""),
        ("Has a role in another group", ""),
        ("Joined another group", ""),
        ("Joined Harbour Workers’ Centre", ""),
    ]


async def test_a_merge_keeps_the_higher_role_and_can_be_taken_back(cast: Cast, work: Work) -> None:
    await groups.join(work, cast.gil, cast.northgate)
    await groups.change_role(work, cast.bo, cast.northgate, GroupRole.OFFICER)

    moved = await record.repoint(work, cast.bo.no, cast.gil.no)
    roles = {group.no: one.role for group, one in await store.belonging(work, cast.gil.no)}
    assert roles == {
        cast.northgate.no: GroupRole.OFFICER,
        cast.harbour.no: GroupRole.MEMBER,
    }
    assert await store.of(work, cast.bo.no) == []

    await record.restore(work, cast.bo.no, cast.gil.no, moved)
    [(_group, one)] = await store.belonging(work, cast.bo.no)
    assert one.role is GroupRole.OFFICER
    roles = {group.no: one.role for group, one in await store.belonging(work, cast.gil.no)}
    assert roles[cast.northgate.no] is GroupRole.MEMBER
