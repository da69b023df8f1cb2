"""Counting answers to asks by the groups of those who gave them."""

from collections import defaultdict
from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import ColumnElement, func, select

from mailer.asks.model import STANDS, Pledge, PledgeState
from mailer.kit.work import Work
from mailer.subscribers.model import Membership

_Place = tuple[int, int]  # group and ask


class OfGroup(msgspec.Struct, frozen=True):
    """What became of an ask among the people of one group."""

    group_no: int
    ask_no: int
    pledged: int = 0  # said yes and did not take it back, whatever came of it
    blocked: int = 0  # of those: need help
    done: int = 0  # once at least
    declined: int = 0  # said that it is not for them


async def of_groups(work: Work, ask_nos: Collection[int]) -> list[OfGroup]:
    """Count each of these asks for each group that the actor looks after.

    Where nobody of a group answered an ask, there is no line. The most who said yes come first.
    """
    said: dict[_Place, dict[PledgeState, int]] = defaultdict(dict)
    answers = Pledge.state.in_((*STANDS, PledgeState.DECLINED))
    for group_no, ask_no, state, count in await _counted(work, ask_nos, answers):
        said[group_no, ask_no][state] = count
    done: dict[_Place, int] = defaultdict(int)
    for group_no, ask_no, _state, count in await _counted(
        work, ask_nos, Pledge.done_at.is_not(None)
    ):
        done[group_no, ask_no] += count
    found = [
        OfGroup(
            group_no=at[0],
            ask_no=at[1],
            pledged=sum(count for state, count in said[at].items() if state in STANDS),
            blocked=said[at].get(PledgeState.BLOCKED, 0),
            done=done[at],
            declined=said[at].get(PledgeState.DECLINED, 0),
        )
        for at in said.keys() | done.keys()
    ]
    return sorted(found, key=lambda one: (-one.pledged, -one.done, one.group_no, one.ask_no))


async def _counted(
    work: Work, ask_nos: Collection[int], which: ColumnElement[bool]
) -> Sequence[tuple[int, int, PledgeState, int]]:
    counted = (
        select(Membership.group_no, Pledge.ask_no, Pledge.state, func.count())
        .join(Membership, Membership.subscriber_no == Pledge.subscriber_no)
        .where(Pledge.ask_no.in_(ask_nos), which)
        .group_by(Membership.group_no, Pledge.ask_no, Pledge.state)
    )
    if work.scope is not None:
        counted = counted.where(Membership.group_no.in_(work.scope))
    found = await work.session.execute(counted)
    return [(group_no, ask_no, state, count) for group_no, ask_no, state, count in found]
