"""Telling somebody by letter what was answered in their name, with the step that undoes it.

Mails get passed on, and whoever presses a button in one may be somebody else: its owner hears of
each answer. Of how many a day is bounded, or a script that presses two buttons in turn would fill
their inbox.
"""

from datetime import timedelta

from mailer.asks.model import STANDS, TO_DO, Ask, PledgeChange
from mailer.consent import store as consent
from mailer.consent.model import SubscriberState
from mailer.kit.work import Door, Work
from mailer.outbox import store as outbox
from mailer.outbox.actions import Post, post_many
from mailer.subscribers.model import Subscriber

YES, ANSWER, SUPPORT = "pledge-receipt", "answer-receipt", "support-is-coming"
RECEIPTS = (YES, ANSWER, SUPPORT)

MOST_A_DAY = 6
"""Letters about answers to one person within a day, all asks together."""

HEAR = frozenset({SubscriberState.ACTIVE, SubscriberState.PAUSED, SubscriberState.UNSUBSCRIBED})
"""Who hears of their own pledges: also who has left the lists. Not who never confirmed that the
address is theirs."""

ANSWERS = {
    "pledged": "yes",
    "pledge_done": "done",
    "pledge_told": "told",
    "pledge_later": "later",
    "pledge_blocked": "help",
    "pledge_declined": "declined",
    "pledge_withdrawn": "withdrawn",
}
"""What the letter calls an answer, by the line that it is in the timeline."""

_UNTOLD = (Door.IMPORT, Door.SYSTEM)
"""By these doors nobody said anything just now, and there is nothing to be thanked for."""


async def tell(
    work: Work, subscriber: Subscriber, ask: Ask, change: PledgeChange, kind: str
) -> None:
    """Owe the letters about an answer; `kind` is its line in the timeline."""
    letters = _owed(work, ask, change, kind)
    if not letters or subscriber.address is None or not await may_hear(work, subscriber.no):
        return
    since = work.now - timedelta(days=1)
    sent = await outbox.posted_since(work, subscriber=subscriber.no, kinds=RECEIPTS, since=since)
    await post_many(
        work,
        [
            Post(
                kind=letter,
                dedupe_key=f"{letter}:{change.no}",
                language=subscriber.language,
                facts={
                    "pledge": change.pledge_no,
                    "change": change.no,
                    **({"answer": ANSWERS[kind]} if letter == ANSWER else {}),
                },
                subscriber=subscriber.no,
            )
            for letter in letters[: max(MOST_A_DAY - sent, 0)]
        ],
    )


def _owed(work: Work, ask: Ask, change: PledgeChange, kind: str) -> list[str]:
    if work.door in _UNTOLD or kind not in ANSWERS:
        return []
    is_yes = ANSWERS[kind] == "yes"
    is_first = change.to_state in STANDS and change.from_state not in STANDS
    letters = []
    if is_yes:
        letters.append(YES)
    elif is_first or work.door is Door.EMAIL:
        letters.append(ANSWER)
    if ask.needs_support and (is_yes or is_first) and change.to_state in TO_DO:
        letters.append(SUPPORT)
    return letters


async def may_hear(work: Work, subscriber_no: int) -> bool:
    """Say whether somebody may be written to about what they said yes to."""
    return (await consent.states(work, [subscriber_no])).get(subscriber_no) in HEAR
