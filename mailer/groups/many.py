"""Putting many into a group and taking them out, and saying who was really changed."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec

from mailer.activity import actions as activity
from mailer.groups import store
from mailer.groups.actions import GroupOutOfReach
from mailer.groups.model import Group
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import GroupRole, Membership


class Stood(msgspec.Struct, frozen=True):
    """How somebody stood in a group: as what, and since when; both None: they did not."""

    role: GroupRole | None = None
    since: datetime | None = None


async def put_in(
    work: Work, subscriber_nos: Collection[int], group: Group, role: GroupRole
) -> dict[int, Stood]:
    """Let these be this in a group; give how each stood who was not, by subscriber."""
    _reach(work, group)
    held = await subscribers.hold_nos(work, subscriber_nos)
    there = await store.memberships_in(work, group.no, held)
    other = {no: one for no, one in there.items() if one.role is not role}
    before = {no: Stood(one.role, one.since) for no, one in other.items()}
    await store.set_roles(work, group.no, list(other), role)
    await activity.record_many(work, list(other), "group_role", group=group.no, role=role.value)
    joined = await _join(work, group, {no: Stood(role) for no in held if no not in there})
    return before | {no: Stood() for no in joined}


async def take_out(work: Work, subscriber_nos: Collection[int], group: Group) -> dict[int, Stood]:
    """End the memberships of these; give how each stood who was a member, by subscriber."""
    _reach(work, group)
    held = await subscribers.hold_nos(work, subscriber_nos)
    there = await store.memberships_in(work, group.no, held)
    before = {no: Stood(one.role, one.since) for no, one in there.items()}
    await store.end_many(work, group.no, list(before))
    await activity.record_many(work, list(before), "group_left", group=group.no)
    return before


async def put_back(
    work: Work, group: Group, before: Mapping[int, Stood], *, role: GroupRole | None
) -> list[int]:
    """Let these stand in a group as they did; give who does again.

    `role` is what they were made, None if they were taken out. Who is something else by now has
    changed since, and is left alone.
    """
    _reach(work, group)
    held = await subscribers.hold_nos(work, before)
    there = await store.memberships_in(work, group.no, held)
    if role is None:
        return await _join(work, group, {no: before[no] for no in held if no not in there})
    same = [no for no in held if no in there and there[no].role is role]
    new = [no for no in same if before[no].role is None]
    await store.end_many(work, group.no, new)
    await activity.record_many(work, new, "group_left", group=group.no)
    roles: dict[GroupRole, list[int]] = defaultdict(list)
    for no in same:
        if (was := before[no].role) is not None:
            roles[was].append(no)
    for was, nos in roles.items():
        await store.set_roles(work, group.no, nos, was)
        await activity.record_many(work, nos, "group_role", group=group.no, role=was.value)
    return same


def _reach(work: Work, group: Group) -> None:
    if work.scope is not None and group.no not in work.scope:
        raise GroupOutOfReach(field="group")


async def _join(work: Work, group: Group, stood: Mapping[int, Stood]) -> list[int]:
    joined = await add_missing(
        work,
        Membership,
        [
            {
                "subscriber_no": no,
                "group_no": group.no,
                "since": one.since or work.now,
                "role": one.role or GroupRole.MEMBER,
            }
            for no, one in stood.items()
        ],
    )
    nos = [one.subscriber_no for one in joined]
    await activity.record_many(work, nos, "group_joined", group=group.no)
    return nos
