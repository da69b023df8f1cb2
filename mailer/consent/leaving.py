"""Leaving a list, or all of them: at once, whatever else is true, and with an undo."""

from collections.abc import Collection

from mailer.activity import actions as activity
from mailer.consent import store
from mailer.consent.agreeing import Said, keep_given, keep_taken_back, writable
from mailer.consent.model import (
    UNDO_FOR,
    ConsentRecord,
    MailingList,
    Subscription,
    SubscriptionState,
)
from mailer.kit.errors import Conflict, NotFound
from mailer.kit.work import Door, Work
from mailer.outbox.actions import Post, post
from mailer.outbox.model import Needs
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber

_BY_THEMSELVES = frozenset({Door.EMAIL, Door.PAGE})


class LeavingUnknown(NotFound):
    """There is nothing here that could be undone."""


class LeavingTooOld(Conflict):
    """This can no longer be undone: 30 days have gone by. Please join again."""


class StillSuppressed(Conflict):
    """This address asked never to be written to. Please talk to an organiser."""


async def unsubscribe(
    work: Work, subscriber: Subscriber, *, list_no: int | None, campaign_no: int = 0
) -> ConsentRecord | None:
    """Take somebody off a list, or off all (None). At once, whatever else is true.

    One notice goes to their address with an undo, so that nobody is left out by a forwarded mail
    without knowing. None when there was nothing left to leave.
    """
    subscriber = await held(work, subscriber)
    leaving = [
        one
        for one in await store.subscriptions_of(work, subscriber.no)
        if one.state is not SubscriptionState.UNSUBSCRIBED and list_no in {None, one.list_no}
    ]
    if not leaving:
        return None
    records: list[ConsentRecord] = []
    for one in leaving:
        was_confirmed = one.state is SubscriptionState.CONFIRMED
        one.state, one.ended_at = SubscriptionState.UNSUBSCRIBED, work.now
        one.confirmed_at = one.confirmed_at if was_confirmed else None
        records += await keep_taken_back(
            work, [subscriber.no], await _list(work, one), language=subscriber.language
        )
    first, lists = records[0], [one.list_no for one in leaving]
    facts = {"campaign": campaign_no} if campaign_no else {}
    await activity.record(
        work, subscriber.no, "unsubscribed", record=first.no, lists=lists, **facts
    )
    if any(one.confirmed_at is not None for one in leaving):
        # Whoever never confirmed has shown no wish to be written to: not even this.
        await post(
            work,
            Post(
                kind="unsubscribed",
                dedupe_key=f"unsubscribed:{first.no}",
                language=subscriber.language,
                facts={"record": first.no, "lists": lists},
                subscriber=subscriber.no,
                needs=Needs.NOTHING,
            ),
        )
    return first


async def undo_unsubscribe(work: Work, subscriber: Subscriber, record_no: int) -> list[int]:
    """Restore exactly what one leaving ended; give the lists that they are on again because of it.

    Within 30 days, and not for an address that is never written to since.
    """
    subscriber = await held(work, subscriber)
    records = await store.leaving(work, subscriber.no, record_no)
    if not records:
        raise LeavingUnknown
    if work.now > records[0].at + UNDO_FOR:
        raise LeavingTooOld
    if await store.is_suppressed(work, subscriber):
        raise StillSuppressed
    standing = {one.list_no: one for one in await store.subscriptions_of(work, subscriber.no)}
    ended = [standing[record.list_no] for record in records if record.list_no in standing]
    restored = [
        one
        for one in ended
        if one.state is SubscriptionState.UNSUBSCRIBED and one.ended_at == records[0].at
    ]
    for one in restored:
        await _restore(work, subscriber, one)
    if restored:
        await activity.record(
            work,
            subscriber.no,
            "came_back",
            record=record_no,
            lists=[one.list_no for one in restored],
        )
    return [one.list_no for one in ended if one.state is not SubscriptionState.UNSUBSCRIBED]


async def unsubscribe_many(
    work: Work, subscriber_nos: Collection[int], mailing_list: MailingList
) -> list[int]:
    """Take many off a list, as an organiser does; give who was on it, or asked to be.

    Nobody gets a letter about it. Each of them can be put back from their timeline, or all by
    `undo_unsubscribe_many`.
    """
    people = {one.no: one for one in await subscribers.hold_many(work, subscriber_nos)}
    standing = await store.subscriptions_on(work, mailing_list.no, list(people))
    on = {no: one for no, one in standing.items() if one.state is not _UNSUBSCRIBED}
    for state, more in ((SubscriptionState.CONFIRMED, {}), (_UNCONFIRMED, {"confirmed_at": None})):
        nos = [no for no, one in on.items() if one.state is state]
        ended = {"state": _UNSUBSCRIBED, "ended_at": work.now, **more}
        await store.set_subscriptions(work, mailing_list.no, nos, ended)
    for language in {people[no].language for no in on}:
        nos = sorted(no for no in on if people[no].language == language)
        for record in await keep_taken_back(work, nos, mailing_list, language=language):
            await activity.record(
                work,
                record.subscriber_no,
                "unsubscribed",
                record=record.no,
                lists=[mailing_list.no],
            )
    return sorted(on)


async def undo_unsubscribe_many(
    work: Work, subscriber_nos: Collection[int], mailing_list: MailingList
) -> list[int]:
    """Put many back on a list that an organiser took them off; give who is on it again.

    Within 30 days. Who has left by themselves stays gone, and so does who is not to be written to.
    """
    people = {one.no: one for one in await writable(work, subscriber_nos)}
    last = await store.last_records(work, mailing_list.no, list(people))
    standing = await store.subscriptions_on(work, mailing_list.no, list(people))
    restored = []
    for no, record in sorted(last.items()):
        one = standing.get(no)
        taken_off = not record.given and record.door not in _BY_THEMSELVES
        if one is None or one.state is not _UNSUBSCRIBED or not taken_off:
            continue
        if work.now > record.at + UNDO_FOR:
            continue
        await _restore(work, people[no], one)
        await activity.record(work, no, "came_back", record=record.no, lists=[mailing_list.no])
        restored.append(no)
    return restored


_UNSUBSCRIBED = SubscriptionState.UNSUBSCRIBED
_UNCONFIRMED = SubscriptionState.UNCONFIRMED


async def _restore(work: Work, subscriber: Subscriber, one: Subscription) -> None:
    """Let a subscription that was ended stand where it stood; a yes is kept in its old words."""
    one.ended_at = None
    one.state = SubscriptionState.UNCONFIRMED
    if one.confirmed_at is None:
        return
    one.state = SubscriptionState.CONFIRMED
    before = await store.last_given(work, subscriber.no, one.list_no)
    said = Said(
        wording=before.wording if before else "",
        language=before.language if before else subscriber.language,
        version=before.version if before else None,
    )
    await keep_given(work, [subscriber.no], await _list(work, one), said)


async def _list(work: Work, one: Subscription) -> MailingList:
    mailing_list = await store.list_by_no(work, one.list_no)
    assert mailing_list is not None
    return mailing_list
