"""Where somebody stands, in one word."""

from collections.abc import Collection

from mailer.consent import store
from mailer.consent.model import SubscriberState
from mailer.kit.work import Work
from mailer.subscribers.actions import SubscriberUnknown
from mailer.subscribers.model import Subscriber


async def state_of(work: Work, subscriber: Subscriber) -> SubscriberState:
    """Say where somebody stands."""
    states = await store.states(work, [subscriber.no])
    if subscriber.no not in states:
        raise SubscriberUnknown
    return states[subscriber.no]


async def states_of(work: Work, people: Collection[Subscriber]) -> dict[int, SubscriberState]:
    """Say where each of several people stands; who may not be seen is left out."""
    return await store.states(work, [one.no for one in people])
