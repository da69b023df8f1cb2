"""Every question about consent, and the conditions that decide who may be written to.

The conditions are about rows of `Subscriber`, or of an alias of it, in the statement around them:
each looks up one key per person, so a statement for one person costs as much as it should, and one
for a million is a single pass.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, not_, or_, select, update
from sqlalchemy.orm.util import AliasedClass

from mailer.consent.model import (
    Confirmation,
    ConsentRecord,
    MailingList,
    SubscriberState,
    Subscription,
    SubscriptionState,
)
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber, Suppression, visible

People = type[Subscriber] | AliasedClass[Subscriber]


# --- conditions ------------------------------------------------------------------------------


def may_mail(list_no: int, now: datetime, people: People = Subscriber) -> ColumnElement[bool]:
    """Give the one condition of every audience: they agreed, and nothing forbids it."""
    return and_(
        is_confirmed_on(list_no, people),
        has_address(people),
        not_(is_erased(people)),
        not_(is_stopped(people)),
        not_(is_suppressed_sql(people)),
        not_(is_paused_at(now, people)),
    )


def is_confirmed_on(list_no: int, people: People = Subscriber) -> ColumnElement[bool]:
    """Their subscription to this list is confirmed."""
    return _subscribed(people, Subscription.list_no == list_no, _CONFIRMED)


def is_suppressed_sql(people: People = Subscriber) -> ColumnElement[bool]:
    """Their address is on the suppression list."""
    return exists().where(Suppression.mark == people.mark).correlate(people)


def is_paused_at(now: datetime, people: People = Subscriber) -> ColumnElement[bool]:
    """They asked for a break that still lasts. Never NULL, so that it may be negated."""
    return and_(people.paused_until.is_not(None), people.paused_until > now)


def is_stopped(people: People = Subscriber) -> ColumnElement[bool]:
    """They were stopped silently."""
    return people.stopped_at.is_not(None)


def is_erased(people: People = Subscriber) -> ColumnElement[bool]:
    """They were erased."""
    return people.erased_at.is_not(None)


def has_address(people: People = Subscriber) -> ColumnElement[bool]:
    """There is an address to write to."""
    return people.address.is_not(None)


def is_active(now: datetime, people: People = Subscriber) -> ColumnElement[bool]:
    """Their derived state is `active`."""
    return and_(
        not_(is_erased(people)),
        not_(is_stopped(people)),
        not_(is_paused_at(now, people)),
        not_(is_suppressed_sql(people)),
        _subscribed(people, _CONFIRMED),
    )


def state_now(now: datetime, people: People = Subscriber) -> ColumnElement[str]:
    """Derive the state in SQL, as `model.state_from` derives it."""
    return case(
        (is_erased(people), literal(SubscriberState.ERASED.value)),
        (is_stopped(people), literal(SubscriberState.STOPPED.value)),
        (is_suppressed_sql(people), literal(SubscriberState.SUPPRESSED.value)),
        (
            _subscribed(people, _CONFIRMED),
            case(
                (is_paused_at(now, people), literal(SubscriberState.PAUSED.value)),
                else_=literal(SubscriberState.ACTIVE.value),
            ),
        ),
        (
            or_(_subscribed(people, _UNCONFIRMED), not_(_subscribed(people))),
            literal(SubscriberState.PENDING.value),
        ),
        else_=literal(SubscriberState.UNSUBSCRIBED.value),
    )


_CONFIRMED = Subscription.state == SubscriptionState.CONFIRMED
_UNCONFIRMED = Subscription.state == SubscriptionState.UNCONFIRMED


def _subscribed(people: People, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Subscription.subscriber_no == people.no, *conditions).correlate(people)


# --- lists ---------------------------------------------------------------------------------------


async def lists(work: Work, *, public_only: bool = False) -> Sequence[MailingList]:
    """Give the open lists, oldest first; for strangers, those they may choose."""
    found = select(MailingList).where(MailingList.closed_at.is_(None)).order_by(MailingList.no)
    if public_only:
        found = found.where(MailingList.is_public)
    return (await work.session.scalars(found)).all()


async def all_lists(work: Work) -> Sequence[MailingList]:
    """Give every list there ever was."""
    return (await work.session.scalars(select(MailingList).order_by(MailingList.no))).all()


async def any_list(work: Work) -> bool:
    """Say whether there ever was a list."""
    return bool(await work.session.scalar(select(exists().where(MailingList.no > 0))))


async def list_by_no(work: Work, no: int) -> MailingList | None:
    """Find a list by number."""
    return await work.session.get(MailingList, no)


async def list_again(work: Work, mailing_list: MailingList) -> MailingList:
    """Read a list anew, for changing it."""
    return await work.session.get_one(MailingList, mailing_list.no, populate_existing=True)


async def list_by_slug(work: Work, slug: str) -> MailingList | None:
    """Find a list by its slug."""
    return await work.session.scalar(select(MailingList).where(MailingList.slug == slug))


async def counts_by_list(work: Work) -> dict[int, dict[SubscriptionState, int]]:
    """Count the people whom the actor may see on each list, by how far they have come."""
    counted = await work.session.execute(
        select(Subscription.list_no, Subscription.state, func.count())
        .join(Subscriber, Subscriber.no == Subscription.subscriber_no)
        .where(visible(work), not_(is_erased()))
        .group_by(Subscription.list_no, Subscription.state),
    )
    counts: dict[int, dict[SubscriptionState, int]] = {}
    for list_no, state, number in counted:
        counts.setdefault(list_no, dict.fromkeys(SubscriptionState, 0))[state] = number
    return counts


# --- subscriptions -------------------------------------------------------------------------------


async def subscription(work: Work, subscriber_no: int, list_no: int) -> Subscription | None:
    """Find somebody's subscription to a list. The caller has asked whether they may."""
    return await work.session.get(Subscription, (subscriber_no, list_no), populate_existing=True)


async def subscriptions_of(work: Work, subscriber_no: int) -> Sequence[Subscription]:
    """Give somebody's subscriptions. The caller has asked whether they may."""
    found = await work.session.scalars(
        select(Subscription)
        .where(Subscription.subscriber_no == subscriber_no)
        .order_by(Subscription.list_no)
        .execution_options(populate_existing=True),
    )
    return found.all()


async def subscriptions_on(
    work: Work, list_no: int, subscriber_nos: Collection[int]
) -> dict[int, Subscription]:
    """Give the subscriptions of several people to one list."""
    found = await work.session.scalars(
        select(Subscription)
        .where(Subscription.list_no == list_no, Subscription.subscriber_no.in_(subscriber_nos))
        .execution_options(populate_existing=True),
    )
    return {one.subscriber_no: one for one in found}


async def set_subscriptions(
    work: Work, list_no: int, subscriber_nos: Collection[int], values: Mapping[str, Any]
) -> None:
    """Write the same into the subscriptions of several people to one list."""
    await work.session.execute(
        update(Subscription)
        .where(Subscription.list_no == list_no, Subscription.subscriber_no.in_(subscriber_nos))
        .values(**values)
        .execution_options(synchronize_session=False),
    )


# --- states --------------------------------------------------------------------------------------


async def states(work: Work, subscriber_nos: Collection[int]) -> dict[int, SubscriberState]:
    """Derive the states of several people whom the actor may see."""
    found = await work.session.execute(
        select(Subscriber.no, state_now(work.now)).where(
            Subscriber.no.in_(subscriber_nos), visible(work)
        ),
    )
    return {no: SubscriberState(state) for no, state in found}


async def counts_by_state(work: Work) -> dict[SubscriberState, int]:
    """Count the people whom the actor may see in each state."""
    state = state_now(work.now).label("state")
    counted = await work.session.execute(
        select(state, func.count()).where(visible(work)).group_by(state),
    )
    counts = dict.fromkeys(SubscriberState, 0)
    counts.update({SubscriberState(word): number for word, number in counted})
    return counts


async def is_suppressed(work: Work, subscriber: Subscriber) -> bool:
    """Say whether somebody is never written to."""
    if subscriber.mark is None:
        return False
    found = await work.session.scalar(select(exists().where(Suppression.mark == subscriber.mark)))
    return bool(found)


# --- confirmations and records -------------------------------------------------------------------


async def confirmation_by_no(work: Work, no: int) -> Confirmation | None:
    """Find a confirmation by the number that stands in its link."""
    return await work.session.get(Confirmation, no, populate_existing=True)


async def confirmation_by_uid(work: Work, uid: str) -> Confirmation | None:
    """Find a confirmation by the name in the address of its page."""
    return await work.session.scalar(
        select(Confirmation)
        .where(Confirmation.uid == uid)
        .execution_options(populate_existing=True)
    )


async def asked_since_a_click(work: Work, marks: Collection[str]) -> dict[str, list[Confirmation]]:
    """Give the sign-ups of addresses, oldest first, since each last confirmed one."""
    found = await work.session.scalars(
        select(Confirmation).where(Confirmation.mark.in_(marks)).order_by(Confirmation.no),
    )
    asked: dict[str, list[Confirmation]] = {}
    for confirmation in found:
        if confirmation.confirmed_at is None:
            asked.setdefault(confirmation.mark, []).append(confirmation)
        else:
            asked[confirmation.mark] = []
    return asked


async def count_try(work: Work, confirmation: Confirmation, most: int) -> bool:
    """Count one try at a code; False when all were used, also by somebody at the same moment."""
    counted = await work.session.scalars(
        update(Confirmation)
        .where(Confirmation.no == confirmation.no, Confirmation.tries < most)
        .values(tries=Confirmation.tries + 1)
        .returning(Confirmation)
        .execution_options(synchronize_session=False, populate_existing=True),
    )
    return counted.first() is not None


async def records_of(work: Work, subscriber_no: int) -> Sequence[ConsentRecord]:
    """Give somebody's consent records, oldest first. The caller has asked whether they may."""
    found = await work.session.scalars(
        select(ConsentRecord)
        .where(ConsentRecord.subscriber_no == subscriber_no)
        .order_by(ConsentRecord.no),
    )
    return found.all()


async def leaving(work: Work, subscriber_no: int, record_no: int) -> Sequence[ConsentRecord]:
    """Give the records of one leaving, by the number of its first; empty if that is not theirs.

    A leaving is what was taken back at one moment.
    """
    first = await work.session.get(ConsentRecord, record_no)
    if first is None or first.subscriber_no != subscriber_no or first.given:
        return []
    found = await work.session.scalars(
        select(ConsentRecord)
        .where(
            ConsentRecord.subscriber_no == subscriber_no,
            ConsentRecord.no >= record_no,
            ConsentRecord.at == first.at,
            ConsentRecord.given.is_(False),
        )
        .order_by(ConsentRecord.no),
    )
    return found.all()


async def last_wording(work: Work, subscriber_no: int, list_no: int) -> str:
    """Give the words that somebody agreed to when they last joined a list."""
    wording = await work.session.scalar(
        select(ConsentRecord.wording)
        .where(
            ConsentRecord.subscriber_no == subscriber_no,
            ConsentRecord.list_no == list_no,
            ConsentRecord.given,
        )
        .order_by(ConsentRecord.no.desc())
        .limit(1),
    )
    return wording or ""
