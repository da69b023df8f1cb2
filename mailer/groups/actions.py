"""Founding groups, and belonging to them."""

from collections.abc import Collection

from mailer.activity import actions as activity
from mailer.audit import actions as audit
from mailer.groups import store
from mailer.groups.model import Group, name_key
from mailer.kit.errors import Conflict, Forbidden
from mailer.kit.ids import new_uid
from mailer.kit.rows import add_missing
from mailer.kit.texts import one_line
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import held
from mailer.subscribers.model import Membership, Subscriber


class GroupExists(Conflict):
    """There is a group of this name already."""


class GroupOutOfReach(Forbidden):
    """You look after other groups than this one."""


class FoundingOutOfReach(Forbidden):
    """You look after some groups only. Founding and renaming are for those who look after all."""


def may_found(work: Work) -> bool:
    """Say whether the actor may found and rename groups: they are everybody's, like the ladder."""
    return work.scope is None


async def found(work: Work, *, name: str, place: str = "") -> Group:
    """Found a group."""
    if not may_found(work):
        raise FoundingOutOfReach
    name = one_line(name, longest=160, field="name", needed=True)
    place = one_line(place, longest=120, field="place")
    row = {
        "uid": new_uid(),
        "name": name,
        "name_key": name_key(name),
        "place": place,
        "made_at": work.now,
    }
    founded = await add_missing(work, Group, [row])
    if not founded:
        raise GroupExists(field="name")
    [group] = founded
    await audit.note(work, "group_founded", group=group.no)
    return group


async def describe(work: Work, group: Group, *, name: str, place: str = "") -> Group:
    """Change a group's name or place."""
    if not may_found(work):
        raise FoundingOutOfReach
    name = one_line(name, longest=160, field="name", needed=True)
    place = one_line(place, longest=120, field="place")
    group = await store.again(work, group)
    if (name, place) == (group.name, group.place):
        return group
    if not await store.rename(work, group, name=name, place=place):
        raise GroupExists(field="name")
    await audit.note(work, "group_described", group=group.no)
    return group


async def join(work: Work, subscriber: Subscriber, group: Group) -> None:
    """Make somebody a member of a group; whoever is one stays one."""
    _reach(work, group)
    subscriber = await held(work, subscriber)
    row = {"subscriber_no": subscriber.no, "group_no": group.no, "since": work.now}
    if await add_missing(work, Membership, [row]):
        await activity.record(work, subscriber.no, "group_joined", group=group.no)


async def leave(work: Work, subscriber: Subscriber, group: Group) -> None:
    """End somebody's membership of a group, if they are a member."""
    _reach(work, group)
    subscriber = await held(work, subscriber)
    if await store.end(work, subscriber.no, group.no):
        await activity.record(work, subscriber.no, "group_left", group=group.no)


async def join_many(work: Work, pairs: Collection[tuple[int, int]]) -> int:
    """Make members of many, given as (subscriber, group) numbers; give how many are new ones.

    Pairs with somebody whom the actor may not see are left out.
    """
    seen = await subscribers.by_nos(work, {no for no, _ in pairs})
    rows = [
        {"subscriber_no": no, "group_no": group, "since": work.now}
        for no, group in pairs
        if no in seen and (work.scope is None or group in work.scope)
    ]
    joined = await add_missing(work, Membership, rows)
    for membership in joined:
        await activity.record(
            work, membership.subscriber_no, "group_joined", group=membership.group_no
        )
    return len(joined)


def _reach(work: Work, group: Group) -> None:
    # To put somebody into a group is to show them to its organisers.
    if work.scope is not None and group.no not in work.scope:
        raise GroupOutOfReach(field="group")
