"""What a timeline says of follow-ups, and what becomes of them in a merge or an erasure.

The timeline tells that something was noted and not what: whoever may look at a person does not have
to know whom they are in trouble with. The person can read all of it.
"""

from collections.abc import Sequence

from mailer.activity.model import Entry
from mailer.followups import naming, store
from mailer.followups.model import (
    OF_A_PLEDGE,
    CaseState,
    FollowUp,
    FollowUpStep,
    Outcome,
    Resolution,
    StepKind,
)
from mailer.followups.reacting import look_again
from mailer.followups.subjects import store as subjects
from mailer.followups.words import KINDS, OUTCOMES, RESOLUTIONS, STATES, STEPS
from mailer.kit.i18n import N_, _
from mailer.kit.known import Part, Said
from mailer.kit.orm import Facts
from mailer.kit.work import Work

_STEPS = {
    StepKind.ASSIGNED: N_("A follow-up was passed on"),
    StepKind.NOTED: N_("A note was made in a follow-up"),
    StepKind.WROTE: N_("An organiser wrote an email"),
    StepKind.ENDED: N_("An organiser has ended a follow-up"),
    StepKind.DATED: N_("A follow-up was put on another day"),
}


async def entries(work: Work, subscriber_no: int) -> list[Entry]:
    """Tell since when somebody waited for us and why, and what was done about it."""
    cases = await store.cases_of(work, subscriber_no)
    told = [_opened(one) for one in cases]
    told += [_ended(one) for one in cases if one.resolution is Resolution.ANSWERED]
    told += [_done(step) for step in await store.steps_with(work, subscriber_no)]
    return told


def _opened(case: FollowUp) -> Entry:
    return Entry(
        at=case.opened_at,
        order=case.no,
        kind="follow_up",
        words=_("A follow-up was opened"),
        details=_(KINDS[case.kind]),
        account_no=case.opened_by,
    )


def _ended(case: FollowUp) -> Entry:
    assert case.resolved_at is not None
    assert case.resolution is not None
    return Entry(
        at=case.resolved_at,
        order=case.no,
        kind="follow_up_ended",
        words=_("A follow-up has ended"),
        details=_(RESOLUTIONS[case.resolution]),
    )


def _done(step: FollowUpStep) -> Entry:
    if step.outcome is None:
        kind, words = "follow_up_step", _(_STEPS[step.kind])
    else:
        kind, words = f"call_{step.outcome.value}", _(OUTCOMES[step.outcome])
    return Entry(
        at=step.at,
        order=step.no,
        kind=kind,
        words=words,
        details=_("It was taken back") if step.undone_at else "",
        door=step.door,
        account_no=step.account_no,
    )


async def repoint(work: Work, from_no: int, to_no: int) -> Facts:
    """Let one person wait for what another waited for; who waited for the same twice does so once.

    The case that is then one too many ends, and what was done about it stays with it.
    """
    theirs = {(one.kind, one.subject_no) for one in await store.open_of(work, to_no)}
    had = await store.cases_of(work, from_no)
    twice = [one for one in had if one.is_open and (one.kind, one.subject_no) in theirs]
    ended = [await _end_twin(work, one) for one in twice]
    await store.hand_over(work, [one.no for one in had], to_no)
    return {"moved": [one.no for one in had], "ended": ended}


async def follow_pledges(work: Work, kept_no: int, of_asks: Facts) -> Facts:
    """Let the cases about a pledge that was one too many be about the one that is kept.

    `of_asks` is what a merge says of the answers: `became` names the kept pledge by the other. Of
    two open cases that are then about the same, the one that is first in the queue goes on.
    """
    became = {int(old): new for old, new in of_asks.get("became", {}).items()}
    renamed, ended = [], []
    for one in await store.cases_of(work, kept_no):
        if one.kind not in OF_A_PLEDGE or one.subject_no not in became:
            continue
        to = became[one.subject_no]
        twin = await store.standing(work, kept_no, one.kind, to) if one.is_open else None
        if twin is not None:
            last = max(one, twin, key=lambda case: (case.rank, case.next_at, case.no))
            ended.append(await _end_twin(work, last))
        renamed.append({"no": one.no, "subject_no": one.subject_no, "became": to})
        await store.change(work, one, {"subject_no": to})
    return {"renamed": renamed, "ended": ended}


async def _end_twin(work: Work, case: FollowUp) -> Facts:
    kept = {"no": case.no, "state": case.state.value}
    await store.change(
        work,
        case,
        {
            "state": CaseState.RESOLVED,
            "resolved_at": work.now,
            "resolution": Resolution.MERGED,
            "held_by": None,
            "held_until": None,
        },
    )
    return kept


async def restore(work: Work, from_no: int, to_no: int, moved: Facts) -> None:
    """Take a `repoint` back; what ended by it goes on."""
    standing = {one.no for one in await store.cases_of(work, to_no)}
    await store.hand_over(work, standing.intersection(moved["moved"]), from_no)
    await _let_go_on(work, moved["ended"])


async def go_home(work: Work, from_no: int, to_no: int, kept: Facts) -> None:
    """Take `follow_pledges` back, after the pledges went home, and let each case go with its own.

    Also those that were opened while the two were one.
    """
    for old in kept["renamed"]:
        one = await store.by_no(work, old["no"])
        if one is not None:
            await store.change(work, one, {"subject_no": old["subject_no"]})
    for here, there in ((from_no, to_no), (to_no, from_no)):
        strays = await subjects.whose_pledge_is_of(work, here, there)
        await store.hand_over(work, strays, there)
    await _let_go_on(work, kept["ended"])
    # One case stood for both: who asked for help while they were one has none of their own now.
    for pledge_no in sorted({old["became"] for old in kept["renamed"]}):
        await look_again(work, pledge_no)


async def _let_go_on(work: Work, ended: Sequence[Facts]) -> None:
    """Open cases again that a merge has ended, unless the person waits for the same by now."""
    for kept in ended:
        one = await store.by_no(work, kept["no"])
        if one is None or one.resolution is not Resolution.MERGED:
            continue
        if await store.standing(work, one.subscriber_no, one.kind, one.subject_no) is None:
            await store.change(
                work,
                one,
                {"state": CaseState(kept["state"]), "resolved_at": None, "resolution": None},
            )


async def forget(work: Work, subscriber_no: int) -> None:
    """Keep no case of somebody, nor what was done about it."""
    await store.drop(work, subscriber_no)


async def known(work: Work, subscriber_no: int) -> list[Part]:
    """Give what somebody waited for, and what was noted and written about it, opened for them."""
    cases = await store.cases_of(work, subscriber_no)
    steps = await store.steps_with(work, subscriber_no)
    subjects = await naming.subjects_of(work, cases)
    return [
        Part(
            name="follow_ups",
            table="follow_up",
            words=_("When an organiser was to be in touch"),
            rows=[
                {
                    "what": Said(one.kind.value, _(KINDS[one.kind])),
                    "about": subjects.get(one.no, ""),
                    "state": Said(one.state.value, _(STATES[one.state])),
                    "at": one.opened_at,
                    "waits_until": one.next_at,
                    "due_at": one.due_at,
                    "held_until": one.held_until,
                    "tries": one.tries,
                    "last_at": one.last_at,
                    "last_outcome": _outcome(one.last_outcome),
                    "ended_at": one.resolved_at,
                    "ended": Said(one.resolution.value, _(RESOLUTIONS[one.resolution]))
                    if one.resolution
                    else None,
                    "notes_forgotten_at": one.forgotten_at,
                }
                for one in cases
            ],
        ),
        Part(
            name="follow_up_steps",
            table="follow_up_step",
            words=_("What organisers noted and wrote"),
            rows=[
                {
                    "what": Said(step.kind.value, _(STEPS[step.kind])),
                    "outcome": _outcome(step.outcome),
                    "words": store.words_of(work, step),
                    "at": step.at,
                    "door": step.door.value,
                    "left_alone_until": step.rests_until,
                    "undone_at": step.undone_at,
                }
                for step in steps
            ],
        ),
    ]


def _outcome(outcome: Outcome | None) -> Said | None:
    return None if outcome is None else Said(outcome.value, _(OUTCOMES[outcome]))
