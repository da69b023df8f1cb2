"""What follows from lines of timelines: cases are opened and end as people answer.

Bootstrap names these for the kinds of lines in `FOLLOWED`; the worker hands them the lines.
"""

from collections.abc import Mapping

from mailer.activity.model import Activity
from mailer.activity.signals.reactions import Reaction
from mailer.asks.model import TO_DO, Ask, Pledge, PledgeState
from mailer.followups import store
from mailer.followups.model import OF_A_PLEDGE, UNDO_FOR, CaseKind, CaseState, FollowUp, Resolution
from mailer.followups.opening import open_case
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers


async def on_blocked(work: Work, line: Activity) -> None:
    """Open a case where somebody needs help; unless they have answered otherwise since."""
    found = await _pledge(work, line)
    if found is not None and _is_so(CaseKind.BLOCKED, *found, work):
        await _open(work, found[0], CaseKind.BLOCKED)
    await on_answer(work, line)


async def on_pledged(work: Work, line: Activity) -> None:
    """Open a case where somebody said yes to an ask that comes with support."""
    found = await _pledge(work, line)
    if found is not None and _is_so(CaseKind.SUPPORT, *found, work):
        await _open(work, found[0], CaseKind.SUPPORT)


async def on_answer(work: Work, line: Activity) -> None:
    """End the cases about a pledge that are settled by what was said of it."""
    found = await _pledge(work, line)
    if found is None:
        return
    for one in await store.about(work, OF_A_PLEDGE, found[0].no, found[0].subscriber_no):
        if one.is_open and not _is_so(one.kind, *found, work):
            await store.end_by_itself(work, one)


async def on_undone(work: Work, line: Activity) -> None:
    """Let cases go on that had ended with an answer which was taken back; end the others."""
    found = await _pledge(work, line)
    if found is None:
        return
    open_kinds: set[CaseKind] = set()
    for one in await store.about(work, OF_A_PLEDGE, found[0].no, found[0].subscriber_no):
        is_so = _is_so(one.kind, *found, work)
        if one.is_open:
            open_kinds.add(one.kind)
            if not is_so:
                await store.end_by_itself(work, one)
        elif is_so and one.kind not in open_kinds and _ended_by_itself(work, one):
            open_kinds.add(one.kind)
            await _go_on(work, one)


FOLLOWED: Mapping[str, Reaction] = {
    "pledged": on_pledged,
    "pledge_blocked": on_blocked,
    "pledge_done": on_answer,
    "pledge_later": on_answer,
    "pledge_declined": on_answer,
    "pledge_withdrawn": on_answer,
    "pledge_undone": on_undone,
}
"""The lines that are followed, each with what follows from it."""


async def _pledge(work: Work, line: Activity) -> tuple[Pledge, Ask] | None:
    """Give the pledge that a line is about, as it is now; the person is held."""
    if await subscribers.hold(work, line.subscriber_no) is None:
        return None
    return (await store.pledges(work, [line.facts["pledge"]])).get(line.facts["pledge"])


async def _open(work: Work, pledge: Pledge, kind: CaseKind) -> None:
    person = await subscribers.by_no(work, pledge.subscriber_no)
    if person is not None and person.erased_at is None and person.stopped_at is None:
        await open_case(work, person, kind, subject_no=pledge.no)


def _is_so(kind: CaseKind, pledge: Pledge, ask: Ask, work: Work) -> bool:
    """Say whether what a case is about is so."""
    match kind:
        case CaseKind.BLOCKED:
            return pledge.state is PledgeState.BLOCKED
        case CaseKind.SUPPORT:
            return ask.needs_support and pledge.state in TO_DO
        case _:
            return pledge.state is not PledgeState.BLOCKED and pledge.is_overdue(ask, work.now)


def _ended_by_itself(work: Work, found: FollowUp) -> bool:
    return (
        found.resolution is Resolution.ANSWERED
        and found.resolved_at is not None
        and work.now - found.resolved_at <= UNDO_FOR
    )


async def _go_on(work: Work, found: FollowUp) -> None:
    state = CaseState.NEW if found.owner_no is None else CaseState.ASSIGNED
    await store.change(
        work,
        found,
        {"state": state, "resolved_at": None, "resolution": None, "next_at": work.now},
    )
