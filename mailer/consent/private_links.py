"""Private links: sent on request, to the address on the roll and nowhere else.

Anybody may ask for one in somebody else's name, so what is sent is bounded, and only to those who
have once said that they want to hear from us.
"""

from datetime import timedelta

from mailer.consent import store
from mailer.consent.model import SubscriberState
from mailer.kit.orm import Facts
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.outbox.actions import Post, post
from mailer.outbox.model import Lane, Needs
from mailer.subscribers.model import Subscriber

KIND = "private-link"
EVERY = 600  # seconds in which one is sent, however often it is asked for
MOST_A_DAY = 10

# Whoever has left may still look at what we hold, and come back.
_WHO_MAY = frozenset({SubscriberState.ACTIVE, SubscriberState.PAUSED, SubscriberState.UNSUBSCRIBED})


async def send(work: Work, subscriber: Subscriber) -> None:
    """Owe somebody a private link. Who asks cannot tell whether anything was sent."""
    await send_bounded(work, subscriber, KIND)


async def send_bounded(
    work: Work, subscriber: Subscriber, kind: str, *, about: str = "", facts: Facts | None = None
) -> None:
    """Owe a letter that anybody may ask for, as often as is bearable; `about` tells one link's."""
    states = await store.states(work, [subscriber.no])
    if states.get(subscriber.no) not in _WHO_MAY or subscriber.address is None:
        return
    since = work.now - timedelta(days=1)
    sent = await outbox.posted_since(work, subscriber=subscriber.no, kinds=[kind], since=since)
    if sent >= MOST_A_DAY:
        return
    await post(
        work,
        Post(
            kind=kind,
            dedupe_key=f"{kind}:{subscriber.no}{about}:{int(work.now.timestamp()) // EVERY}",
            language=subscriber.language,
            facts=facts or {},
            subscriber=subscriber.no,
            lane=Lane.URGENT,
            needs=Needs.NOTHING,
        ),
    )
