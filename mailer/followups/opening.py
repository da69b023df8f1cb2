"""Opening cases: one by one as people say something, many at once as time goes by."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from mailer.followups import hours, store
from mailer.followups.model import (
    DUE_WITHIN,
    RANKS,
    CaseKind,
    CaseState,
    FollowUp,
    FollowUpStep,
    Rank,
    StepKind,
)
from mailer.kit.errors import Invalid
from mailer.kit.ids import new_uid
from mailer.kit.texts import lines
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber

LONGEST_WORDS = 2000
LATEST = timedelta(days=366)


class DayOutOfRange(Invalid):
    """Choose a day from today on, within a year."""


async def open_case(
    work: Work, subscriber: Subscriber, kind: CaseKind, *, subject_no: int = 0
) -> FollowUp:
    """Let somebody wait for an organiser; one who waits for the same already goes on waiting.

    It has an owner at once: who looks after another case of theirs, or their group, or has the
    fewest cases. Where nobody may look after them it waits for whoever comes to.
    """
    subscriber = await held(work, subscriber)
    standing = await store.standing(work, subscriber.no, kind, subject_no)
    if standing is not None:
        return await bring_forward(work, standing)
    carers = await store.carers(work, subscriber.no)
    owner_no = carers[0].no if carers else None
    [opened] = await store.add(work, [new_row(work, subscriber.no, kind, subject_no, owner_no)])
    return opened


async def bring_forward(work: Work, standing: FollowUp) -> FollowUp:
    """Let a case stand in the queue again, unless we said that we call before it would be due."""
    soon = work.now + DUE_WITHIN[standing.kind]
    is_promised_soon = standing.rank == Rank.CALL_BACK and standing.next_at <= soon
    if standing.next_at <= work.now or is_promised_soon:
        return standing
    return await store.change(
        work,
        standing,
        {
            "state": CaseState.NEW if standing.owner_no is None else CaseState.ASSIGNED,
            "next_at": work.now,
            "due_at": min(standing.due_at, soon),
        },
    )


async def open_many(work: Work, kind: CaseKind, about: Mapping[int, int]) -> int:
    """Let many wait for whoever comes to them: `about` gives what for by whom; count the new.

    Who may not be seen is left out, and who waits for the same already.
    """
    people = await subscribers.hold_nos(work, about)
    rows = [new_row(work, no, kind, about[no], None) for no in people]
    return len(await store.add(work, rows))


def new_row(
    work: Work, subscriber_no: int, kind: CaseKind, subject_no: int, owner_no: int | None
) -> dict[str, Any]:
    """Give what a case says when it is opened."""
    return {
        "uid": new_uid(),
        "subscriber_no": subscriber_no,
        "kind": kind,
        "subject_no": subject_no,
        "state": CaseState.NEW if owner_no is None else CaseState.ASSIGNED,
        "rank": RANKS[kind],
        "opened_at": work.now,
        "opened_by": work.account,
        "next_at": work.now,
        "due_at": work.now + DUE_WITHIN[kind],
        "owner_no": owner_no,
        "tries": 0,
    }


async def remember(
    work: Work, subscriber: Subscriber, *, words: str, day: date | None = None
) -> FollowUp:
    """Let an organiser remember somebody, from a day on, and why; it is theirs.

    Who is remembered already is so once: the words are added, and the day is the new one.
    """
    words = lines(words, longest=LONGEST_WORDS, field="words", needed=True)
    today = await hours.today(work)
    if day is not None and not today <= day <= today + LATEST:
        raise DayOutOfRange(field="day")
    subscriber = await held(work, subscriber)
    standing = await store.standing(work, subscriber.no, CaseKind.MANUAL, 0)
    if standing is None:
        row = new_row(work, subscriber.no, CaseKind.MANUAL, 0, work.account)
        [standing] = await store.add(work, [row])
    if day is not None:
        begins = max(await hours.morning_of(work, day), work.now)
        due_at = await _late_from(work, day)
        standing = await store.change(work, standing, {"next_at": begins, "due_at": due_at})
    if await is_news(work, standing, words):
        await note_step(work, standing, StepKind.NOTED, words=words)
    return standing


async def _late_from(work: Work, day: date) -> datetime:
    return await hours.morning_of(work, day + timedelta(days=1))


async def is_news(work: Work, standing: FollowUp, words: str) -> bool:
    """Say whether the newest note says something else: the same form sent twice is one note."""
    noted = [one for one in await store.steps_of(work, standing.no) if one.sealed]
    return not noted or store.words_of(work, noted[0]) != words


async def note_step(
    work: Work, found: FollowUp, kind: StepKind, *, words: str = "", **values: Any
) -> FollowUpStep:
    """Write down that something was done about a case, which is held."""
    step = FollowUpStep(
        case_no=found.no,
        subscriber_no=found.subscriber_no,
        kind=kind,
        sealed=store.sealed(work, words),
        at=work.now,
        door=work.door,
        account_no=work.account,
        **values,
    )
    work.session.add(step)
    await work.session.flush()
    return step
