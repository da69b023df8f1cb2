"""What can be asked about the groups somebody belongs to."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import aliased
from sqlalchemy.orm.util import AliasedClass

from mailer.groups import store
from mailer.groups.model import Group, GroupKind
from mailer.kit.facets import (
    Args,
    Facet,
    Option,
    Parameter,
    Takes,
    choice,
    in_order,
    number_of,
    only_if,
    repeats,
    uses_the,
)
from mailer.kit.i18n import N_, _
from mailer.kit.work import Work
from mailer.subscribers.model import GroupRole, Membership

ANY = "any"

KINDS = {
    GroupKind.UNION.value: N_("a union"),
    GroupKind.BRANCH.value: N_("a branch"),
    GroupKind.CHAPTER.value: N_("a chapter"),
    GroupKind.COMMUNITY.value: N_("a community organisation"),
    GroupKind.FEDERATION.value: N_("a federation"),
}
ROLES = {
    GroupRole.MEMBER.value: N_("a member"),
    GroupRole.REP.value: N_("a rep"),
    GroupRole.OFFICER.value: N_("an officer"),
    GroupRole.CONTACT.value: N_("its contact"),
}


async def _open_groups(work: Work) -> Sequence[Group]:
    """Give the groups that somebody may ask about: of those whose people they see."""
    found = select(Group).where(Group.closed_at.is_(None)).order_by(Group.name_key)
    if work.scope is not None:
        found = found.where(Group.no.in_(work.scope))
    return (await work.session.scalars(found)).all()


async def _groups(work: Work, _args: Args) -> list[Option]:
    named = [Option(str(group.no), group.name) for group in await _open_groups(work)]
    return [Option(ANY, N_("any group")), *named]


async def _sectors(work: Work, _args: Args) -> list[Option]:
    found = {group.sector for group in await _open_groups(work) if group.sector}
    return [Option(sector, sector) for sector in sorted(found)]


async def _members(work: Work, args: Args) -> Select[int]:
    members = select(Membership.subscriber_no).where(*_as(args, Membership))
    group = number_of(args, "group")
    if group is not None:
        return in_order(members.where(Membership.group_no == group))
    return repeats(
        members.where(Membership.group_no.in_(select(Group.no).where(*_kind(work, args))))
    )


def _is_member(work: Work, args: Args, no: ColumnElement[int]) -> ColumnElement[bool] | None:
    """Look at the few groups of one person, and not at all groups for each."""
    if number_of(args, "group") is not None:
        return None
    of_that_kind = exists().where(Group.no == _THEIRS.group_no, *_kind(work, args))
    return exists().where(_THEIRS.subscriber_no == no, *_as(args, _THEIRS), of_that_kind)


_THEIRS = aliased(Membership)


def _as(
    args: Args, members: type[Membership] | AliasedClass[Membership]
) -> list[ColumnElement[bool]]:
    return [members.role == GroupRole(args["role"])] if "role" in args else []


def _kind(work: Work, args: Args) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Group.closed_at.is_(None)]
    if work.scope is not None:  # that somebody is elsewhere too is not theirs to know
        conditions.append(Group.no.in_(work.scope))
    if "kind" in args:
        conditions.append(Group.kind == GroupKind(args["kind"]))
    if "sector" in args:
        conditions.append(Group.sector == args["sector"])
    return conditions


async def _said(work: Work, args: Args, *, holds: bool) -> str:
    group = number_of(args, "group")
    if group is not None:
        what = (await store.names_of(work, [group])).get(group, "")
    else:
        what = _(KINDS[args["kind"]]) if "kind" in args else _("any group")
        if "sector" in args:
            what = _("%(what)s in the sector %(sector)s") % {
                "what": what,
                "sector": args["sector"],
            }
    if "role" in args:
        words = _("are %(role)s in %(what)s") if holds else _("are not %(role)s in %(what)s")
        return words % {"role": _(ROLES[args["role"]]), "what": what}
    return (_("belong to %(what)s") if holds else _("do not belong to %(what)s")) % {"what": what}


FACETS = (
    Facet(
        name="group",
        group=N_("Where they belong"),
        words=N_("belong to"),
        negated=N_("do not belong to"),
        parameters=(
            Parameter(name="group", takes=Takes.ONE, words=N_("Group"), options=_groups),
            Parameter(
                name="kind",
                takes=Takes.ONE,
                words=N_("Kind of group"),
                needed=False,
                options=choice(**KINDS),
                fits=only_if("group", ANY),
            ),
            Parameter(
                name="sector",
                takes=Takes.ONE,
                words=N_("Sector"),
                needed=False,
                options=_sectors,
                fits=only_if("group", ANY),
            ),
            Parameter(
                name="role",
                takes=Takes.ONE,
                words=N_("As"),
                needed=False,
                options=choice(**ROLES),
            ),
        ),
        numbers=_members,
        holds=_is_member,
        sentence=_said,
        uses=uses_the("group", "group"),
    ),
)
