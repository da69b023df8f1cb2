"""Counting answers to an ask by the groups of those who gave them."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, func, select

from mailer.asks.model import STANDS, Pledge, PledgeState
from mailer.kit.work import Work
from mailer.subscribers.model import Membership


class OfGroup(msgspec.Struct, frozen=True):
    """What became of an ask among the people of one group."""

    group_no: int
    pledged: int = 0  # said yes and did not take it back, whatever came of it
    blocked: int = 0  # of those: need help
    done: int = 0  # once at least
    declined: int = 0  # said that it is not for them


async def of_groups(work: Work, ask_no: int) -> list[OfGroup]:
    """Count for each group that the actor looks after, most who said yes first."""
    said: dict[int, dict[PledgeState, int]] = defaultdict(dict)
    answers = Pledge.state.in_((*STANDS, PledgeState.DECLINED))
    for group_no, state, count in await _counted(work, ask_no, answers):
        said[group_no][state] = count
    done: dict[int, int] = defaultdict(int)
    for group_no, _state, count in await _counted(work, ask_no, Pledge.done_at.is_not(None)):
        done[group_no] += count
    found = [
        OfGroup(
            group_no=no,
            pledged=sum(count for state, count in said[no].items() if state in STANDS),
            blocked=said[no].get(PledgeState.BLOCKED, 0),
            done=done[no],
            declined=said[no].get(PledgeState.DECLINED, 0),
        )
        for no in said.keys() | done.keys()
    ]
    return sorted(found, key=lambda one: (-one.pledged, -one.done, one.group_no))


async def _counted(
    work: Work, ask_no: int, which: ColumnElement[bool]
) -> Sequence[tuple[int, PledgeState, int]]:
    counted = (
        select(Membership.group_no, Pledge.state, func.count())
        .join(Membership, Membership.subscriber_no == Pledge.subscriber_no)
        .where(Pledge.ask_no == ask_no, which)
        .group_by(Membership.group_no, Pledge.state)
    )
    if work.scope is not None:
        counted = counted.where(Membership.group_no.in_(work.scope))
    found = await work.session.execute(counted)
    return [(group_no, state, count) for group_no, state, count in found]
