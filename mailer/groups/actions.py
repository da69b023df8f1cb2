"""Founding groups, and belonging to them."""

from typing import Any

from mailer.activity import actions as activity
from mailer.audit import actions as audit
from mailer.groups import store
from mailer.groups.model import Group, GroupKind, name_key
from mailer.kit.errors import Conflict, Forbidden, Invalid
from mailer.kit.ids import new_uid
from mailer.kit.rows import add_missing
from mailer.kit.texts import one_line
from mailer.kit.work import Work
from mailer.subscribers.actions import held
from mailer.subscribers.model import GroupRole, Membership, Subscriber

MOST_PEOPLE = 100_000_000


class GroupExists(Conflict):
    """There is a group of this name already."""


class GroupOutOfReach(Forbidden):
    """You look after other groups than this one."""


class GroupClosed(Conflict):
    """This group is closed. Somebody who looks after all people can open it again."""


class NotInGroup(Conflict):
    """They do not belong to this group."""


class SizeOutOfRange(Invalid):
    """A group has from 0 to %(most)s people in it."""


class FoundingOutOfReach(Forbidden):
    """You look after some groups only. Founding and renaming are for those who look after all."""


def may_found(work: Work) -> bool:
    """Say whether the actor may found and rename groups: they are everybody's, like the ladder."""
    return work.scope is None


async def found(
    work: Work,
    *,
    name: str,
    place: str = "",
    kind: GroupKind | None = None,
    sector: str = "",
    size: int | None = None,
) -> Group:
    """Found a group. `size` is how many are in it by its own word: most are not on the roll."""
    described = _described(work, name=name, place=place, kind=kind, sector=sector, size=size)
    founded = await add_missing(work, Group, [{"uid": new_uid(), "made_at": work.now, **described}])
    if not founded:
        raise GroupExists(field="name")
    [group] = founded
    await audit.note(work, "group_founded", group=group.no)
    return group


async def describe(
    work: Work,
    group: Group,
    *,
    name: str,
    place: str = "",
    kind: GroupKind | None = None,
    sector: str = "",
    size: int | None = None,
) -> Group:
    """Change what is known of a group itself."""
    described = _described(work, name=name, place=place, kind=kind, sector=sector, size=size)
    group = await store.again(work, group)
    changed = [key for key, value in described.items() if getattr(group, key) != value]
    if not changed:
        return group
    if not await store.describe(work, group, described):
        raise GroupExists(field="name")
    await audit.note(work, "group_described", group=group.no)
    return group


async def close(work: Work, group: Group) -> Group:
    """Offer a group no longer; who is in it stays. Segments are asked before (`segments`)."""
    _reach_all(work)
    group = await store.again(work, group)
    if group.closed_at is None:
        group.closed_at = work.now
        await audit.note(work, "group_closed", group=group.no)
    return group


async def reopen(work: Work, group: Group) -> Group:
    """Offer a closed group again."""
    _reach_all(work)
    group = await store.again(work, group)
    if group.closed_at is not None:
        group.closed_at = None
        await audit.note(work, "group_reopened", group=group.no)
    return group


async def join(
    work: Work, subscriber: Subscriber, group: Group, *, role: GroupRole = GroupRole.MEMBER
) -> None:
    """Let somebody belong to a group; whoever does already stays what they are."""
    _reach(work, group)
    if group.closed_at is not None:
        raise GroupClosed(field="group")
    subscriber = await held(work, subscriber)
    row = {"subscriber_no": subscriber.no, "group_no": group.no, "since": work.now, "role": role}
    if await add_missing(work, Membership, [row]):
        await activity.record(work, subscriber.no, "group_joined", group=group.no, role=role.value)


async def change_role(work: Work, subscriber: Subscriber, group: Group, role: GroupRole) -> None:
    """Say what somebody is in a group that they belong to."""
    _reach(work, group)
    subscriber = await held(work, subscriber)
    there = await store.memberships_in(work, group.no, [subscriber.no])
    if subscriber.no not in there:
        raise NotInGroup(field="group")
    if there[subscriber.no].role is role:
        return
    await store.set_roles(work, group.no, [subscriber.no], role)
    await activity.record(work, subscriber.no, "group_role", group=group.no, role=role.value)


async def leave(work: Work, subscriber: Subscriber, group: Group) -> None:
    """End somebody's membership of a group, if they are a member."""
    _reach(work, group)
    subscriber = await held(work, subscriber)
    if await store.end(work, subscriber.no, group.no):
        await activity.record(work, subscriber.no, "group_left", group=group.no)


def _described(
    work: Work, *, name: str, place: str, kind: GroupKind | None, sector: str, size: int | None
) -> dict[str, Any]:
    _reach_all(work)
    name = one_line(name, longest=160, field="name", needed=True)
    if size is not None and not 0 <= size <= MOST_PEOPLE:
        raise SizeOutOfRange(field="size", most=MOST_PEOPLE)
    return {
        "name": name,
        "name_key": name_key(name),
        "place": one_line(place, longest=120, field="place"),
        "kind": kind,
        "sector": one_line(sector, longest=80, field="sector"),
        "size": size,
    }


def _reach_all(work: Work) -> None:
    if not may_found(work):
        raise FoundingOutOfReach


def _reach(work: Work, group: Group) -> None:
    # To put somebody into a group is to show them to its organisers.
    if work.scope is not None and group.no not in work.scope:
        raise GroupOutOfReach(field="group")
