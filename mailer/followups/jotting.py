"""Writing down what nobody waited for: a call somebody made of themselves, or a note."""

from mailer.followups import store
from mailer.followups.model import CaseKind, CaseState, FollowUp, Outcome, Resolution, StepKind
from mailer.followups.opening import LONGEST_WORDS, is_news, new_row, note_step
from mailer.followups.settling import SAID_TWICE, settle
from mailer.kit.texts import lines
from mailer.kit.work import Work
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber


async def jot_call(
    work: Work, subscriber: Subscriber, outcome: Outcome, *, words: str = ""
) -> FollowUp:
    """Write down a call to somebody and what came of it, also where they waited for none.

    It is a call about them as an organiser remembers them: what is not settled by it stays in the
    queue. The same sent twice is once.
    """
    words = lines(words, longest=LONGEST_WORDS, field="words")
    subscriber = await held(work, subscriber)
    said = await _said_just_now(work, subscriber.no, outcome)
    return said or await settle(work, await _remembered(work, subscriber.no), outcome, words=words)


async def _said_just_now(work: Work, subscriber_no: int, outcome: Outcome) -> FollowUp | None:
    """Give the case of a call that this account wrote down a moment ago, with this outcome."""
    for step in await store.steps_with(work, subscriber_no):
        is_the_same = step.outcome is outcome and step.account_no == work.account
        if is_the_same and step.undone_at is None and work.now - step.at < SAID_TWICE:
            return await store.by_no(work, step.case_no)
    return None


async def _remembered(work: Work, subscriber_no: int) -> FollowUp:
    standing = await store.standing(work, subscriber_no, CaseKind.MANUAL, 0)
    if standing is not None:
        return standing
    row = new_row(work, subscriber_no, CaseKind.MANUAL, 0, work.account)
    [opened] = await store.add(work, [row])
    return opened


async def jot_note(work: Work, subscriber: Subscriber, *, words: str) -> FollowUp:
    """Note something about somebody for whoever calls them next; nobody waits because of it.

    It stands with what they wait for, or by itself. The same words again are no news.
    """
    words = lines(words, longest=LONGEST_WORDS, field="words", needed=True)
    subscriber = await held(work, subscriber)
    cases = await store.cases_of(work, subscriber.no)
    here = next((one for one in reversed(cases) if one.is_open), cases[-1] if cases else None)
    if here is not None:
        if await is_news(work, here, words):
            await note_step(work, here, StepKind.NOTED, words=words)
        return here
    here = await _remembered(work, subscriber.no)
    await note_step(work, here, StepKind.NOTED, words=words)
    return await store.change(
        work,
        here,
        {
            "state": CaseState.RESOLVED,
            "resolved_at": work.now,
            "resolution": Resolution.NOTED,
        },
    )
