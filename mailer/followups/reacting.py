"""What follows from lines of timelines: cases are opened and end as people answer.

Bootstrap names this for the kinds of lines in `FOLLOWED`; the worker hands it the lines. A line
says who answered which ask. What is so is read anew, so that any order and any repetition of lines
leads to the same: whoever has a reason to wait waits, once, and nobody else.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from mailer.activity.model import Activity
from mailer.activity.signals.reactions import LineMoved, Reaction
from mailer.asks.model import TO_DO, Ask, Pledge
from mailer.asks.reminding.model import WAITS
from mailer.followups import store
from mailer.followups.helping import help_of, may_end_it
from mailer.followups.model import OF_A_PLEDGE, CaseKind, CaseState, FollowUp, Resolution
from mailer.followups.opening import open_case
from mailer.followups.subjects import store as subjects
from mailer.kit.work import Door, Work
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber

BLOCKED = "pledge_blocked"


class _Answered(msgspec.Struct, frozen=True):
    """Somebody, who is held, and what they say to an ask now."""

    person: Subscriber
    pledge: Pledge
    ask: Ask


async def on_answer(work: Work, line: Activity) -> None:
    """Let somebody wait who has a reason to since they answered, and nobody who has none."""
    said = await _answered(work, line)
    if said is None:
        return
    reasons = await _reasons(work, said, line)
    cases = await store.about(work, OF_A_PLEDGE, said.pledge.no, said.person.no)
    standing = {one.kind for one in cases if one.is_open}
    for one in cases:
        if one.is_open and one.kind not in reasons and await _ends(work, one, line):
            await store.end_by_itself(work, one)
    if said.person.erased_at is not None or said.person.stopped_at is not None:
        return
    for kind, since in reasons.items():
        if kind not in standing:
            await _begin(work, said, kind, since, [one for one in cases if one.kind is kind])
        elif kind is CaseKind.BLOCKED and line.kind == BLOCKED:
            # They ask again: it comes forward.
            await open_case(work, said.person, kind, subject_no=said.pledge.no)


async def look_again(work: Work, pledge_no: int) -> None:
    """Let somebody wait whose pledge is a call for help that no case is about any more."""
    found = (await subjects.pledges(work, [pledge_no])).get(pledge_no)
    call = await help_of(work, found[0]) if found is not None else None
    if found is None or call is None:
        return
    person = await subscribers.by_no(work, found[0].subscriber_no)
    if person is None or person.stopped_at is not None:
        return
    cases = await store.about(work, [CaseKind.BLOCKED], pledge_no, person.no)
    if not any(one.is_open for one in cases):
        await _begin(work, _Answered(person, *found), CaseKind.BLOCKED, call.at, cases)


FOLLOWED: Mapping[str, Reaction] = dict.fromkeys(
    (
        "pledged",
        BLOCKED,
        "pledge_done",
        "pledge_later",
        "pledge_declined",
        "pledge_withdrawn",
        "pledge_undone",
    ),
    on_answer,
)
"""The lines that are followed, each with what follows from it."""


async def _answered(work: Work, line: Activity) -> _Answered | None:
    """Give what a line is about, as it is now; the person is held.

    By who and which ask, not by the pledge: two entries that were made one have one pledge of two.
    """
    person = await subscribers.hold(work, line.subscriber_no)
    if person is None:
        return None
    await work.session.refresh(line)
    if line.subscriber_no != person.no:
        raise LineMoved
    found = await subjects.answer_of(work, person.no, line.facts["ask"])
    return None if found is None else _Answered(person, *found)


async def _reasons(work: Work, said: _Answered, line: Activity) -> dict[CaseKind, datetime]:
    """Say for what somebody waits who answered, and since when."""
    pledge, ask = said.pledge, said.ask
    reasons: dict[CaseKind, datetime] = {}
    call = await help_of(work, pledge)
    if call is not None:
        reasons[CaseKind.BLOCKED] = max(call.at, line.at) if line.kind == BLOCKED else call.at
    if ask.needs_support and pledge.state in TO_DO:
        reasons[CaseKind.SUPPORT] = pledge.made_at
    due = pledge.due(ask)
    if due is not None and due < work.now and pledge.state in WAITS:
        answers = await subjects.answers_of(work, pledge.no)
        if not any(one.at > due for one in answers if one.door is not Door.SYSTEM):
            reasons[CaseKind.PAST_DUE] = due
    return reasons


async def _ends(work: Work, case: FollowUp, line: Activity) -> bool:
    """Say whether a case whose reason is gone ends by this line."""
    if case.kind is not CaseKind.BLOCKED:
        return True
    return await may_end_it(work, line.kind, line.door, line.facts.get("change"))


async def _begin(
    work: Work, said: _Answered, kind: CaseKind, since: datetime, cases: Sequence[FollowUp]
) -> None:
    """Let somebody wait for what no open case of theirs is about.

    A case that ended by itself although its reason stands goes on: the answer was taken back. What
    an organiser has settled since it began is settled. Dates that went by are looked for by time.
    """
    ended = [(one.resolved_at, one) for one in cases if one.resolution is not Resolution.MERGED]
    lately = [pair for pair in ended if pair[0] is not None and pair[0] >= since]
    newest = max(lately, key=lambda pair: (pair[0], pair[1].no), default=None)
    if newest is not None:
        if newest[1].resolution is Resolution.ANSWERED:
            await _go_on(work, newest[1])
    elif kind is not CaseKind.PAST_DUE:
        await open_case(work, said.person, kind, subject_no=said.pledge.no)


async def _go_on(work: Work, found: FollowUp) -> None:
    state = CaseState.NEW if found.owner_no is None else CaseState.ASSIGNED
    await store.change(
        work,
        found,
        {"state": state, "resolved_at": None, "resolution": None, "next_at": work.now},
    )
