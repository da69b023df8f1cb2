"""Keeping one person's row while a verb decides about them."""

from mailer.kit.errors import NotFound
from mailer.kit.work import Work
from mailer.subscribers import store
from mailer.subscribers.model import Subscriber


class SubscriberUnknown(NotFound):
    """There is nobody like this on the roll."""


async def held(work: Work, subscriber: Subscriber) -> Subscriber:
    """Keep somebody's row until this unit of work ends, and give it as it now is.

    Every verb that decides by what is so begins with this: two who say yes at the same time are
    then served one after the other. Refuses when the actor may not see them, and when they were
    erased a moment ago: nothing is written into a row that names nobody.
    """
    found = await store.hold(work, subscriber.no)
    if found is None or found.erased_at is not None:
        raise SubscriberUnknown
    return found
