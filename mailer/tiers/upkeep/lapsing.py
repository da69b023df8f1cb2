"""Lapse: asking whether somebody is still with us, twice, and one step down if nothing comes.

It counts what people do, never what they open. The lowest rung never lapses, and whoever takes a
break or is not written to is not asked.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from mailer.activity import actions as activity
from mailer.kit.errors import NotFound
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post_many
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber
from mailer.tiers import store as tiers
from mailer.tiers.changing import move, tell
from mailer.tiers.model import Source, Stayed, StillWithUs, Tier
from mailer.tiers.requesting import overtake_request
from mailer.tiers.upkeep import store
from mailer.tiers.upkeep.store import Stretch

AGAIN_AFTER = timedelta(days=14)
"""So long we wait after each letter."""

BATCH = 50


class QuestionUnknown(NotFound):
    """This question is over. You can choose a level anew."""


def may_lapse(ladder: Sequence[Tier]) -> list[Tier]:
    """Give the rungs that lapse: those with days of their own, and never the lowest."""
    return [tier for tier in ladder[1:] if tier.lapse_days is not None]


async def ask_the_quiet(work: Work, tier: Tier, *, after: int, most: int, limit: int) -> Stretch:
    """Ask the next people on a tier who were quiet for its days whether they are still with us."""
    assert tier.lapse_days is not None
    since = work.now - timedelta(days=tier.lapse_days)
    stretch = await store.quiet(work, tier, since, after=after, limit=limit, most=most)
    questions = await add_missing(
        work,
        StillWithUs,
        [
            {
                "subscriber_no": no,
                "tier_no": tier.no,
                "asked_at": work.now,
                "next_at": work.now + AGAIN_AFTER,
            }
            for no, _language in stretch.people
        ],
    )
    languages = dict(stretch.people)
    await post_many(work, [_letter(one, languages[one.subscriber_no]) for one in questions])
    return stretch


def _letter(question: StillWithUs, language: str) -> Post:
    time = 1 if question.again_at is None else 2
    return Post(
        kind="still-with-us",
        dedupe_key=f"still-with-us:{question.no}:{time}",
        language=language,
        facts={"question": question.no},
        subscriber=question.subscriber_no,
    )


async def go_on(work: Work, *, limit: int = BATCH) -> int:
    """Do what is due about the questions that were asked; count them.

    Whoever did something since, moved, or is not written to any more is asked no further. Who was
    silent is asked once more, and then stands one rung lower; they are told, and can undo it.
    """
    due = await store.due_questions(work, limit)
    nos = [one.subscriber_no for one in due]
    people = {one.no: one for one in await subscribers.hold_many(work, nos)}
    active, heard = (
        await store.active_of(work, nos),
        await store.heard_from(work, [one.no for one in due]),
    )
    stand, ladder = await tiers.chosen_of(work, nos), await tiers.ladder(work)
    lapsing = {tier.no for tier in may_lapse(ladder)}
    again = []
    for one in due:
        here = stand.get(one.subscriber_no)
        if one.no in heard:
            _end(work, one, Stayed.HEARD)
        elif (
            one.subscriber_no not in active
            or here is None
            or here.no != one.tier_no
            or here.no not in lapsing
        ):
            _end(work, one, Stayed.GONE_ON)
        elif one.again_at is None:
            one.again_at, one.next_at = work.now, work.now + AGAIN_AFTER
            again.append(_letter(one, people[one.subscriber_no].language))
        else:
            _end(work, one, Stayed.LAPSED)
            await _step_down(work, people[one.subscriber_no], here, ladder)
    await post_many(work, again)
    return len(due)


def _end(work: Work, question: StillWithUs, how: Stayed) -> None:
    question.ended_at, question.ended = work.now, how


async def _step_down(
    work: Work, subscriber: Subscriber, here: Tier, ladder: Sequence[Tier]
) -> None:
    below = [tier for tier in ladder if tier.rank < here.rank][-1]
    change = await move(work, subscriber, here, below, source=Source.LAPSED)
    await overtake_request(work, subscriber, below, up=False)
    await tell(work, subscriber, change, by="time")


async def stay(work: Work, subscriber: Subscriber, question_no: int) -> StillWithUs:
    """Say that one is still with us: everything stays as it is. Saying so twice is saying so once.

    A question that is over already is left as it ended.
    """
    subscriber = await held(work, subscriber)
    question = await of_theirs(work, subscriber, question_no)
    if question.ended_at is None:
        _end(work, question, Stayed.KEPT)
        await activity.record(work, subscriber.no, "still_with_us", tier=question.tier_no)
    return question


async def ask_on(work: Work, subscriber: Subscriber, question_no: int, *, since: datetime) -> None:
    """Take back a `stay` of a moment: the question stands again, with time left to answer it.

    One that ended otherwise, or since, is left as it is; and so is one beside which another stands.
    """
    subscriber = await held(work, subscriber)
    question = await of_theirs(work, subscriber, question_no)
    if question.ended is not Stayed.KEPT or question.ended_at != since:
        return
    if await store.is_asked(work, subscriber.no):
        return
    question.ended_at, question.ended = None, None
    question.next_at = max(question.next_at, work.now + AGAIN_AFTER)
    await work.session.flush()


async def of_theirs(work: Work, subscriber: Subscriber, question_no: int) -> StillWithUs:
    """Give a question, which must be this person's."""
    question = await tiers.question_by_no(work, question_no)
    if question is None or question.subscriber_no != subscriber.no:
        raise QuestionUnknown
    return question
