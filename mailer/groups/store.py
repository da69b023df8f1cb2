"""Every question about groups."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from mailer.groups.model import Group, name_key
from mailer.kit.work import Work
from mailer.subscribers.model import GroupRole, Membership, Subscriber, visible


async def all_groups(work: Work) -> Sequence[tuple[Group, int]]:
    """Give the open groups by name, each with the number of its members.

    An account with a scope is given its own groups, for it sees the people of no other.
    """
    members = (
        select(Membership.group_no, func.count(Membership.subscriber_no).label("number"))
        .join(Subscriber, Subscriber.no == Membership.subscriber_no)
        .where(visible(work), Subscriber.erased_at.is_(None))
        .group_by(Membership.group_no)
        .subquery("members")
    )
    groups = (
        select(Group, func.coalesce(members.c.number, 0))
        .outerjoin(members, members.c.group_no == Group.no)
        .where(Group.closed_at.is_(None))
        .order_by(Group.name_key)
    )
    if work.scope is not None:
        groups = groups.where(Group.no.in_(work.scope))
    found = await work.session.execute(groups)
    return [(group, number) for group, number in found]


async def open_groups(work: Work) -> Sequence[Group]:
    """Give the open groups by name, for a form that offers them: nobody is counted.

    An account with a scope is given its own.
    """
    groups = select(Group).where(Group.closed_at.is_(None)).order_by(Group.name_key)
    if work.scope is not None:
        groups = groups.where(Group.no.in_(work.scope))
    return (await work.session.scalars(groups)).all()


async def closed_groups(work: Work) -> Sequence[Group]:
    """Give the groups that nobody can be put into any more."""
    found = await work.session.scalars(
        select(Group).where(Group.closed_at.is_not(None)).order_by(Group.name_key)
    )
    return found.all()


async def names(work: Work) -> Sequence[str]:
    """Give the names of the open groups, for a form that offers them."""
    found = await work.session.scalars(
        select(Group.name).where(Group.closed_at.is_(None)).order_by(Group.name_key),
    )
    return found.all()


async def names_of(work: Work, nos: Collection[int]) -> dict[int, str]:
    """Give the names of some groups by number."""
    found = await work.session.execute(select(Group.no, Group.name).where(Group.no.in_(nos)))
    return dict(found.all())


async def by_no(work: Work, no: int) -> Group | None:
    """Find one by number."""
    return await work.session.get(Group, no)


async def again(work: Work, group: Group) -> Group:
    """Read a group anew, for changing it."""
    return await work.session.get_one(Group, group.no, populate_existing=True)


async def by_uid(work: Work, uid: str) -> Group | None:
    """Find one by the name that the outside knows."""
    return await work.session.scalar(select(Group).where(Group.uid == uid))


async def by_nos(work: Work, nos: Collection[int]) -> dict[int, Group]:
    """Find several by number."""
    found = await work.session.scalars(select(Group).where(Group.no.in_(nos)))
    return {group.no: group for group in found}


async def by_name(work: Work, name: str) -> Group | None:
    """Find one by its name, in capitals or not."""
    return await work.session.scalar(select(Group).where(Group.name_key == name_key(name)))


async def by_names(work: Work, names: Collection[str]) -> dict[str, Group]:
    """Find several by name; give each under its `name_key`."""
    keys = {name_key(name) for name in names}
    found = await work.session.scalars(select(Group).where(Group.name_key.in_(keys)))
    return {group.name_key: group for group in found}


async def of(work: Work, subscriber_no: int) -> list[Group]:
    """Give the groups that somebody belongs to."""
    return (await of_many(work, [subscriber_no])).get(subscriber_no, [])


async def of_many(work: Work, subscriber_nos: Collection[int]) -> dict[int, list[Group]]:
    """Give the groups of several people whom the actor may see; who has none is not in it.

    An account with a scope is told of its own groups alone: where else somebody belongs is not
    theirs to know.
    """
    theirs: dict[int, list[Group]] = {}
    for group, one in await _belonging(work, subscriber_nos):
        theirs.setdefault(one.subscriber_no, []).append(group)
    return theirs


async def belonging(work: Work, subscriber_no: int) -> Sequence[tuple[Group, Membership]]:
    """Give the groups of somebody with what they are in each, as `of` would."""
    return await _belonging(work, [subscriber_no])


async def _belonging(
    work: Work, subscriber_nos: Collection[int]
) -> Sequence[tuple[Group, Membership]]:
    found = (
        select(Group, Membership)
        .join(Membership, Membership.group_no == Group.no)
        .join(Subscriber, Subscriber.no == Membership.subscriber_no)
        .where(Membership.subscriber_no.in_(subscriber_nos), visible(work))
        .order_by(Membership.subscriber_no, Group.name_key)
        .execution_options(populate_existing=True)
    )
    if work.scope is not None:
        found = found.where(Group.no.in_(work.scope))
    return [(group, one) for group, one in await work.session.execute(found)]


async def memberships_of(work: Work, subscriber_no: int) -> Sequence[Membership]:
    """Give all memberships of somebody, whoever asks: for a merge, which leaves none behind."""
    found = await work.session.scalars(
        select(Membership)
        .where(Membership.subscriber_no == subscriber_no)
        .order_by(Membership.group_no)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def members_of(work: Work, group: Group) -> Sequence[Subscriber]:
    """Give the people of a group whom the actor may see, in order of joining the roll."""
    found = await work.session.scalars(
        select(Subscriber)
        .join(Membership, Membership.subscriber_no == Subscriber.no)
        .where(Membership.group_no == group.no, visible(work))
        .order_by(Subscriber.no),
    )
    return found.all()


async def describe(work: Work, group: Group, values: Mapping[str, Any]) -> bool:
    """Write what is known of a group itself; False when another group has the name."""
    try:
        async with work.session.begin_nested():
            for name, value in values.items():
                setattr(group, name, value)
            await work.session.flush()
    except IntegrityError:
        await work.session.refresh(group)
        if await by_name(work, values["name"]) not in {None, group}:
            return False
        raise
    return True


async def end(work: Work, subscriber_no: int, group_no: int) -> bool:
    """End a membership; False when there was none."""
    ended = await work.session.scalars(
        delete(Membership)
        .where(Membership.subscriber_no == subscriber_no, Membership.group_no == group_no)
        .returning(Membership.group_no)
        .execution_options(synchronize_session=False),
    )
    return ended.first() is not None


# --- many at once -------------------------------------------------------------------------------


async def memberships_in(
    work: Work, group_no: int, subscriber_nos: Collection[int]
) -> dict[int, Membership]:
    """Give the memberships of several people in one group. The caller holds them."""
    found = await work.session.scalars(
        select(Membership)
        .where(Membership.group_no == group_no, Membership.subscriber_no.in_(subscriber_nos))
        .execution_options(populate_existing=True)
    )
    return {one.subscriber_no: one for one in found}


async def set_roles(
    work: Work, group_no: int, subscriber_nos: Collection[int], role: GroupRole
) -> None:
    """Say what several people are in a group that they belong to."""
    await work.session.execute(
        update(Membership)
        .where(Membership.group_no == group_no, Membership.subscriber_no.in_(subscriber_nos))
        .values(role=role)
        .execution_options(synchronize_session=False)
    )


async def end_many(work: Work, group_no: int, subscriber_nos: Collection[int]) -> None:
    """End the memberships of several people in one group."""
    await work.session.execute(
        delete(Membership)
        .where(Membership.group_no == group_no, Membership.subscriber_no.in_(subscriber_nos))
        .execution_options(synchronize_session=False)
    )
