"""A break from what is sent, and stopping for good without a word."""

from datetime import datetime, timedelta

from mailer.activity import actions as activity
from mailer.audit import actions as audit
from mailer.kit.errors import Invalid
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post
from mailer.subscribers import store
from mailer.subscribers.holding import held
from mailer.subscribers.model import Subscriber

PAUSE_DAYS = 30
LONGEST_PAUSE = 365


class PauseOutOfRange(Invalid):
    """A pause lasts from 1 to %(most)s days."""


async def pause(work: Work, subscriber: Subscriber, *, days: int = PAUSE_DAYS) -> datetime:
    """Stop writing to somebody for some days; give the moment when it begins again by itself.

    Asking again on the same day changes nothing; later it makes the pause longer.
    """
    if not 1 <= days <= LONGEST_PAUSE:
        raise PauseOutOfRange(field="days", most=LONGEST_PAUSE)
    subscriber = await held(work, subscriber)
    until = work.now + timedelta(days=days)
    standing = subscriber.paused_until
    if standing is not None and standing > until - timedelta(days=1):
        return standing
    await store.change(work, subscriber, {"paused_until": until})
    await activity.record(work, subscriber.no, "paused", until=until.isoformat())
    await post(
        work,
        Post(
            kind="paused",
            dedupe_key=f"paused:{subscriber.no}:{until.date()}",
            language=subscriber.language,
            facts={"until": until.isoformat()},
            subscriber=subscriber.no,
        ),
    )
    return until


async def resume(work: Work, subscriber: Subscriber) -> Subscriber:
    """End a pause before its time."""
    subscriber = await held(work, subscriber)
    if not subscriber.is_paused(work.now):
        return subscriber
    await activity.record(work, subscriber.no, "resumed")
    return await store.change(work, subscriber, {"paused_until": None})


async def stop_silently(work: Work, subscriber: Subscriber) -> Subscriber:
    """Never write to somebody again and tell nobody: they have died, or must not be found out."""
    subscriber = await held(work, subscriber)
    if subscriber.stopped_at is not None:
        return subscriber
    await activity.record(work, subscriber.no, "stopped")
    await audit.note(work, "subscriber_stopped", subscriber=subscriber.no)
    return await store.change(work, subscriber, {"stopped_at": work.now})


async def start_again(work: Work, subscriber: Subscriber) -> Subscriber:
    """Take back that somebody was stopped silently."""
    subscriber = await held(work, subscriber)
    if subscriber.stopped_at is None:
        return subscriber
    await activity.record(work, subscriber.no, "started_again")
    await audit.note(work, "subscriber_started_again", subscriber=subscriber.no)
    return await store.change(work, subscriber, {"stopped_at": None})
