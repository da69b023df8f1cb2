"""What a timeline says of somebody's groups, and what becomes of them in a merge or an erasure."""

from datetime import datetime

from mailer.activity.model import Activity, Entry
from mailer.activity.record import Told, entry_of, lines
from mailer.groups import store
from mailer.groups.words import ROLES
from mailer.kit.i18n import _
from mailer.kit.known import Part, Said
from mailer.kit.orm import Facts
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.subscribers.model import GroupRole, Membership

KINDS = ("group_joined", "group_left", "group_role", "group_named")


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell which groups somebody joined and left, and what they became in them.

    Of a group outside its scope an account is told that there was one, and not which.
    """
    found = await lines(work, subscriber_no, KINDS)
    names = await store.names_of(work, {line.facts.get("group", 0) for line in found})
    if work.scope is not None:
        names = {no: name for no, name in names.items() if no in work.scope}
    return [entry_of(line, _told(line, names)) for line in found]


def _told(line: Activity, names: dict[int, str]) -> Told:
    if line.kind == "group_named":
        return {
            "words": _("Named a group that we do not know"),
            "said": str(line.facts["name"]),
        }
    name = names.get(line.facts["group"])
    group = {"group": name}
    role = GroupRole(line.facts.get("role", GroupRole.MEMBER))
    called = _(ROLES[role]) if name else ""
    match line.kind:
        case "group_left":
            return {"words": _("Left %(group)s") % group if name else _("Left another group")}
        case "group_role":
            other = _("Has another role in %(group)s") if name else _("Has a role in another group")
            return {"words": other % group, "details": called}
        case _:
            joined = _("Joined %(group)s") if name else _("Joined another group")
            is_plain = role is GroupRole.MEMBER
            return {"words": joined % group, "details": "" if is_plain else called}


async def repoint(work: Work, from_no: int, to_no: int) -> Facts:
    """Put one person into the groups of another; say where those were, and what was new.

    Where both are, the first keeps their role unless they are only a member.
    """
    had = await store.memberships_of(work, from_no)
    stood = {one.group_no: one.role for one in await store.memberships_of(work, to_no)}
    new = await add_missing(
        work, Membership, [_row(to_no, one.group_no, one.since, one.role) for one in had]
    )
    raised = [
        one.group_no
        for one in had
        if stood.get(one.group_no) is GroupRole.MEMBER and one.role is not GroupRole.MEMBER
    ]
    for one in had:
        if one.group_no in raised:
            await store.set_roles(work, one.group_no, [to_no], one.role)
    moved = {
        "had": [[one.group_no, one.since.isoformat(), one.role.value] for one in had],
        "new": [one.group_no for one in new],
        "raised": raised,
    }
    await forget(work, from_no)
    return moved


async def restore(work: Work, from_no: int, to_no: int, moved: Facts) -> None:
    """Take a `repoint` back; a role that was changed since stands."""
    had = {no: (datetime.fromisoformat(since), GroupRole(role)) for no, since, role in moved["had"]}
    await add_missing(
        work, Membership, [_row(from_no, no, since, role) for no, (since, role) in had.items()]
    )
    stands = {one.group_no: one.role for one in await store.memberships_of(work, to_no)}
    for no in moved["new"]:
        if stands.get(no) is had[no][1]:
            await store.end(work, to_no, no)
    for no in moved["raised"]:
        if stands.get(no) is had[no][1]:
            await store.set_roles(work, no, [to_no], GroupRole.MEMBER)


async def forget(work: Work, subscriber_no: int) -> None:
    """Let somebody belong nowhere."""
    for one in await store.memberships_of(work, subscriber_no):
        await store.end(work, subscriber_no, one.group_no)


def _row(subscriber_no: int, group_no: int, since: datetime, role: GroupRole) -> Facts:
    return {"subscriber_no": subscriber_no, "group_no": group_no, "since": since, "role": role}


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give the groups that somebody belongs to, and what they are in each."""
    had = await store.memberships_of(work, subscriber_no)
    names = await store.names_of(work, {one.group_no for one in had})
    return [
        Part(
            name="groups",
            table="membership",
            words=_("Groups"),
            rows=[
                {
                    "group": names.get(one.group_no),
                    "role": Said(one.role.value, _(ROLES[one.role])),
                    "since": one.since,
                }
                for one in had
            ],
        )
    ]
