"""Counting answers to asks by the groups of those who gave them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import msgspec
from sqlalchemy import ColumnElement, func, select

from mailer.asks.model import STANDS, Pledge, PledgeState
from mailer.kit.work import Work
from mailer.subscribers.model import Membership


class Answers(msgspec.Struct, frozen=True):
    """What some people made of some asks; whoever answered two of them counts twice."""

    pledged: int = 0  # said yes and did not take it back, whatever came of it
    blocked: int = 0  # of those: need help
    done: int = 0  # once at least
    declined: int = 0  # said that it is not for them


def added(of: Iterable[Answers]) -> Answers:
    """Add up what several groups made of it."""
    every = list(of)
    return Answers(
        pledged=sum(one.pledged for one in every),
        blocked=sum(one.blocked for one in every),
        done=sum(one.done for one in every),
        declined=sum(one.declined for one in every),
    )


async def of_groups(work: Work, ask_nos: Collection[int]) -> dict[int, Answers]:
    """Count the answers to these asks for each group, by number, that the actor looks after.

    A group of whom nobody answered is left out.
    """
    said: dict[int, dict[PledgeState, int]] = defaultdict(dict)
    answers = Pledge.state.in_((*STANDS, PledgeState.DECLINED))
    for group_no, state, count in await _counted(work, ask_nos, answers):
        said[group_no][state] = count
    done: dict[int, int] = defaultdict(int)
    for group_no, _state, count in await _counted(work, ask_nos, Pledge.done_at.is_not(None)):
        done[group_no] += count
    return {
        no: Answers(
            pledged=sum(count for state, count in said[no].items() if state in STANDS),
            blocked=said[no].get(PledgeState.BLOCKED, 0),
            done=done[no],
            declined=said[no].get(PledgeState.DECLINED, 0),
        )
        for no in said.keys() | done.keys()
    }


async def _counted(
    work: Work, ask_nos: Collection[int], which: ColumnElement[bool]
) -> Sequence[tuple[int, PledgeState, int]]:
    counted = (
        select(Membership.group_no, Pledge.state, func.count())
        .join(Membership, Membership.subscriber_no == Pledge.subscriber_no)
        .where(Pledge.ask_no.in_(ask_nos), which)
        .group_by(Membership.group_no, Pledge.state)
    )
    if work.scope is not None:
        counted = counted.where(Membership.group_no.in_(work.scope))
    found = await work.session.execute(counted)
    return [(group_no, state, count) for group_no, state, count in found]
