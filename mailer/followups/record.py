"""What a timeline says of follow-ups, and what becomes of them in a merge or an erasure.

The timeline tells that something was noted and not what: whoever may look at a person does not have
to know whom they are in trouble with. The person can read all of it.
"""

from mailer.activity.model import Entry
from mailer.followups import store
from mailer.followups.model import (
    CaseState,
    FollowUp,
    FollowUpStep,
    Outcome,
    Resolution,
    StepKind,
)
from mailer.followups.words import KINDS, OUTCOMES, RESOLUTIONS, STATES, STEPS
from mailer.kit.i18n import N_, _
from mailer.kit.known import Part, Said
from mailer.kit.orm import Facts
from mailer.kit.work import Work

_STEPS = {
    StepKind.ASSIGNED: N_("A follow-up was passed on"),
    StepKind.NOTED: N_("A note was made in a follow-up"),
    StepKind.WROTE: N_("An organiser wrote an email"),
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
    ended = [{"no": one.no, "state": one.state.value} for one in twice]
    for one in twice:
        await store.change(
            work,
            one,
            {
                "state": CaseState.RESOLVED,
                "resolved_at": work.now,
                "resolution": Resolution.MERGED,
                "held_by": None,
                "held_until": None,
            },
        )
    await store.hand_over(work, [one.no for one in had], to_no)
    return {"moved": [one.no for one in had], "ended": ended}


async def restore(work: Work, from_no: int, to_no: int, moved: Facts) -> None:
    """Take a `repoint` back; what ended by it goes on."""
    standing = {one.no for one in await store.cases_of(work, to_no)}
    await store.hand_over(work, standing.intersection(moved["moved"]), from_no)
    for kept in moved["ended"]:
        one = await store.by_no(work, kept["no"])
        if one is not None and one.resolution is Resolution.MERGED:
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
    return [
        Part(
            name="follow_ups",
            table="follow_up",
            words=_("When an organiser was to be in touch"),
            rows=[
                {
                    "what": Said(one.kind.value, _(KINDS[one.kind])),
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
