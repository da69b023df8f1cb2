"""What can be done to many: each deed checked before, done to a batch, and taken back from one.

Doing gives those who were really changed, each with what there is to go back to. Taking back is
given exactly that, and gives those who stand as they did before; who has changed since is left
alone.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from mailer.bulk.model import BulkAct, Deed
from mailer.consent import actions as consent
from mailer.consent import store as lists
from mailer.consent import unasking
from mailer.consent.model import MailingList
from mailer.groups import many as memberships
from mailer.groups import store as groups
from mailer.groups.actions import GroupOutOfReach
from mailer.groups.many import Stood
from mailer.groups.model import Group
from mailer.kit.errors import Conflict, Invalid
from mailer.kit.orm import Facts
from mailer.kit.work import Work
from mailer.subscribers import pausing_many
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import GroupRole
from mailer.tags import actions as tagging
from mailer.tags import store as tags
from mailer.tags.model import Tag
from mailer.tiers import many as moving
from mailer.tiers import store as ladder
from mailer.tiers.model import Tier

Nos = Sequence[int]
Changed = dict[int, Facts]


class TagNeeded(Invalid):
    """Please choose a tag."""


class LevelChoiceNeeded(Invalid):
    """Please choose a level."""


class ListChoiceNeeded(Invalid):
    """Please choose a list."""


class GroupChoiceNeeded(Invalid):
    """Please choose a group."""


class ThingIsGone(Conflict):
    """What this needs is not here any more."""


class Way(msgspec.Struct, frozen=True):
    """How one deed is checked, done and taken back."""

    check: Callable[[Work, Facts], Awaitable[Facts]]
    do: Callable[[Work, BulkAct, Nos], Awaitable[Changed]]
    undo: Callable[[Work, BulkAct, Changed], Awaitable[list[int]]]


# --- tags ---------------------------------------------------------------------------------------


async def _check_tag(work: Work, facts: Facts) -> Facts:
    tag = await tags.by_no(work, int(facts.get("tag") or 0))
    if tag is None or tag.closed_at is not None:
        raise TagNeeded(field="tag")
    return {"tag": tag.no}


async def _tag(work: Work, act: BulkAct, nos: Nos) -> Changed:
    changed = await tagging.tag_many(work, nos, await _the_tag(work, act))
    return {no: {"at": work.now.isoformat()} for no in changed}


async def _untag_again(work: Work, act: BulkAct, changed: Changed) -> list[int]:
    tag = await _the_tag(work, act)
    since = await tags.since(work, list(changed), tag.no)
    ours = [no for no, before in changed.items() if since.get(no) == _moment(before["at"])]
    return await tagging.untag_many(work, ours, tag)


async def _untag(work: Work, act: BulkAct, nos: Nos) -> Changed:
    return {no: {} for no in await tagging.untag_many(work, nos, await _the_tag(work, act))}


async def _tag_again(work: Work, act: BulkAct, changed: Changed) -> list[int]:
    return await tagging.tag_many(work, list(changed), await _the_tag(work, act))


async def _the_tag(work: Work, act: BulkAct) -> Tag:
    tag = await tags.by_no(work, act.facts["tag"])
    if tag is None:
        raise ThingIsGone
    return tag


# --- levels -------------------------------------------------------------------------------------


async def _check_tier(work: Work, facts: Facts) -> Facts:
    tier = await ladder.by_no(work, int(facts.get("tier") or 0))
    if tier is None:
        raise LevelChoiceNeeded(field="tier")
    return {"tier": tier.no, "reason": moving.read_reason(str(facts.get("reason") or ""))}


async def _assign(work: Work, act: BulkAct, nos: Nos) -> Changed:
    moves = await moving.assign_many(
        work, nos, await _the_tier(work, act), reason=act.facts["reason"]
    )
    return {no: {"change": change} for no, change in moves.items()}


async def _move_back(work: Work, _act: BulkAct, changed: Changed) -> list[int]:
    return await moving.undo_many(
        work, {no: int(before["change"]) for no, before in changed.items()}
    )


async def _the_tier(work: Work, act: BulkAct) -> Tier:
    tier = await ladder.by_no(work, act.facts["tier"])
    if tier is None:
        raise ThingIsGone
    return tier


# --- lists --------------------------------------------------------------------------------------


async def _check_list(work: Work, facts: Facts) -> Facts:
    mailing_list = await lists.list_by_no(work, int(facts.get("list") or 0))
    if mailing_list is None or mailing_list.closed_at is not None:
        raise ListChoiceNeeded(field="list")
    return {"list": mailing_list.no}


async def _ask(work: Work, act: BulkAct, nos: Nos) -> Changed:
    """Ask each in their own language; nobody who has left the list is asked again."""
    mailing_list = await _the_list(work, act)
    known = await lists.subscriptions_on(work, mailing_list.no, nos)
    by_language: dict[str, list[int]] = defaultdict(list)
    for one in (await subscribers.by_nos(work, nos)).values():
        if one.erased_at is None:
            by_language[one.language].append(one.no)
    asked: list[int] = []
    for language, theirs in by_language.items():
        wording = await consent.wording_of(work, mailing_list, language)
        asked += await consent.ask_many(
            work, theirs, mailing_list, wording=wording, language=language
        )
    now = await lists.subscriptions_on(work, mailing_list.no, nos)
    return {no: {"fresh": no not in known} for no in sorted({*asked, *(set(now) - set(known))})}


async def _unask(work: Work, act: BulkAct, changed: Changed) -> list[int]:
    fresh = [no for no, before in changed.items() if before["fresh"]]
    return await unasking.unask_many(work, list(changed), act.facts["list"], fresh=fresh)


async def _leave_list(work: Work, act: BulkAct, nos: Nos) -> Changed:
    left = await consent.unsubscribe_many(work, nos, await _the_list(work, act))
    return {no: {"at": work.now.isoformat()} for no in left}


async def _join_list_again(work: Work, act: BulkAct, changed: Changed) -> list[int]:
    mailing_list = await _the_list(work, act)
    standing = await lists.subscriptions_on(work, mailing_list.no, list(changed))
    ours = [
        no
        for no, before in changed.items()
        if no in standing and standing[no].ended_at == _moment(before["at"])
    ]
    return await consent.undo_unsubscribe_many(work, ours, mailing_list)


async def _the_list(work: Work, act: BulkAct) -> MailingList:
    mailing_list = await lists.list_by_no(work, act.facts["list"])
    if mailing_list is None or mailing_list.closed_at is not None:
        raise ThingIsGone
    return mailing_list


# --- groups -------------------------------------------------------------------------------------


async def _check_group(work: Work, facts: Facts) -> Facts:
    group = await groups.by_no(work, int(facts.get("group") or 0))
    if group is None or group.closed_at is not None:
        raise GroupChoiceNeeded(field="group")
    if work.scope is not None and group.no not in work.scope:
        raise GroupOutOfReach(field="group")
    role = facts.get("role")
    known = role in {one.value for one in GroupRole}
    return {"group": group.no, "role": role if known else GroupRole.MEMBER.value}


async def _put_in(work: Work, act: BulkAct, nos: Nos) -> Changed:
    role = GroupRole(act.facts["role"])
    return _as_facts(await memberships.put_in(work, nos, await _the_group(work, act), role))


async def _take_out_again(work: Work, act: BulkAct, changed: Changed) -> list[int]:
    return await memberships.put_back(
        work,
        await _the_group(work, act),
        _from_facts(changed),
        role=GroupRole(act.facts["role"]),
    )


async def _take_out(work: Work, act: BulkAct, nos: Nos) -> Changed:
    return _as_facts(await memberships.take_out(work, nos, await _the_group(work, act)))


async def _put_in_again(work: Work, act: BulkAct, changed: Changed) -> list[int]:
    group = await _the_group(work, act)
    if work.scope is not None and group.no not in work.scope:
        raise GroupOutOfReach(field="group")
    # They are out of the sight of who took them out of their last group. That they were in it is
    # given back to them, and nothing else.
    whole = dataclasses.replace(work, scope=None)
    return await memberships.put_back(whole, group, _from_facts(changed), role=None)


async def _the_group(work: Work, act: BulkAct) -> Group:
    group = await groups.by_no(work, act.facts["group"])
    if group is None or group.closed_at is not None:
        raise ThingIsGone
    return group


def _as_facts(stood: Mapping[int, Stood]) -> Changed:
    return {
        no: {
            "role": one.role.value if one.role else None,
            "since": one.since.isoformat() if one.since else None,
        }
        for no, one in stood.items()
    }


def _from_facts(changed: Changed) -> dict[int, Stood]:
    return {
        no: Stood(
            GroupRole(before["role"]) if before["role"] else None,
            _moment(before["since"]) if before["since"] else None,
        )
        for no, before in changed.items()
    }


# --- emails -------------------------------------------------------------------------------------


async def _check_days(_work: Work, facts: Facts) -> Facts:
    return {"days": pausing_many.check_days(facts.get("days"))}


async def _pause(work: Work, act: BulkAct, nos: Nos) -> Changed:
    before = await pausing_many.pause_many(work, nos, until=_until(act))
    return {no: {"until": end.isoformat() if end else None} for no, end in before.items()}


async def _unpause(work: Work, act: BulkAct, changed: Changed) -> list[int]:
    before = {no: _moment(was["until"]) if was["until"] else None for no, was in changed.items()}
    return await pausing_many.unpause_many(work, before, until=_until(act))


def _until(act: BulkAct) -> datetime:
    """Give the end of a pause: one moment for all, however long the worker takes."""
    assert act.confirmed_at is not None  # the worker takes nothing else in hand
    end: datetime = act.confirmed_at + timedelta(days=act.facts["days"])
    return end


async def _check_nothing(_work: Work, _facts: Facts) -> Facts:
    return {}


async def _take_off(work: Work, _act: BulkAct, nos: Nos) -> Changed:
    return {no: {} for no in await consent.take_off_many(work, nos)}


async def _put_back(work: Work, _act: BulkAct, changed: Changed) -> list[int]:
    return await consent.put_back_many(work, list(changed))


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


WAYS: Mapping[Deed, Way] = {
    Deed.TAG: Way(_check_tag, _tag, _untag_again),
    Deed.UNTAG: Way(_check_tag, _untag, _tag_again),
    Deed.TIER: Way(_check_tier, _assign, _move_back),
    Deed.LIST: Way(_check_list, _ask, _unask),
    Deed.LEAVE_LIST: Way(_check_list, _leave_list, _join_list_again),
    Deed.GROUP: Way(_check_group, _put_in, _take_out_again),
    Deed.LEAVE_GROUP: Way(_check_group, _take_out, _put_in_again),
    Deed.PAUSE: Way(_check_days, _pause, _unpause),
    Deed.TAKE_OFF: Way(_check_nothing, _take_off, _put_back),
}
"""Every deed and its way."""
