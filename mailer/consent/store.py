"""Every question about consent, and the conditions that decide who may be written to.

The conditions are about rows of `Subscriber`, or of an alias of it, in the statement around them:
each looks up one key per person, so a statement for one person costs as much as it should, and one
for a million is a single pass.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm.util import AliasedClass

from mailer.consent.model import (
    AtMost,
    Confirmation,
    ConsentRecord,
    ConsentText,
    MailingList,
    OnlyUrgent,
    Pace,
    SignUpTally,
    SubscriberState,
    Subscription,
    SubscriptionState,
)
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.subscribers.model import Subscriber, Suppression, SuppressionReason, visible

People = type[Subscriber] | AliasedClass[Subscriber]


# --- conditions ------------------------------------------------------------------------------


def may_mail(
    list_no: int,
    now: datetime,
    people: People = Subscriber,
    *,
    is_urgent: bool | ColumnElement[bool] = False,
) -> ColumnElement[bool]:
    """Give the one condition of every audience: they agreed, and nothing forbids it.

    `is_urgent`: it is an alert, which also reaches those who hear of the list only that.
    """
    return and_(
        is_confirmed_on(list_no, people),
        hears_of_it(list_no, people, is_urgent=is_urgent),
        has_address(people),
        not_(is_erased(people)),
        not_(is_stopped(people)),
        not_(is_suppressed_sql(people)),
        not_(is_paused_at(now, people)),
    )


def is_confirmed_on(list_no: int, people: People = Subscriber) -> ColumnElement[bool]:
    """Their subscription to this list is confirmed."""
    return _subscribed(people, Subscription.list_no == list_no, _CONFIRMED)


def hears_of_it(
    list_no: int, people: People = Subscriber, *, is_urgent: bool | ColumnElement[bool]
) -> ColumnElement[bool]:
    """They hear all of this list, or it is urgent."""
    if is_urgent is True:
        return true()
    only = (
        exists()
        .where(OnlyUrgent.list_no == list_no, OnlyUrgent.subscriber_no == people.no)
        .correlate(people)
    )
    return not_(only) if is_urgent is False else not_(and_(only, not_(is_urgent)))


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
    """Read a list anew and hold it, for changing it: two who change it are served in turn."""
    return await work.session.get_one(
        MailingList, mailing_list.no, populate_existing=True, with_for_update={"key_share": True}
    )


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


async def only_urgent_of(work: Work, subscriber_no: int) -> Sequence[OnlyUrgent]:
    """Give the lists of which somebody hears only what is urgent."""
    found = await work.session.scalars(
        select(OnlyUrgent)
        .where(OnlyUrgent.subscriber_no == subscriber_no)
        .order_by(OnlyUrgent.list_no)
    )
    return found.all()


async def hear_only_urgent(work: Work, subscriber_no: int, list_no: int) -> bool:
    """Write down that somebody hears of a list only what is urgent; say whether that is new."""
    row = {"subscriber_no": subscriber_no, "list_no": list_no, "since": work.now}
    return bool(await add_missing(work, OnlyUrgent, [row]))


async def hear_all(work: Work, subscriber_no: int, list_nos: Collection[int]) -> bool:
    """Take that back for these lists; say whether it was so of any."""
    gone = await work.session.scalars(
        delete(OnlyUrgent)
        .where(OnlyUrgent.subscriber_no == subscriber_no, OnlyUrgent.list_no.in_(list_nos))
        .returning(OnlyUrgent.list_no)
        .execution_options(synchronize_session=False)
    )
    return gone.first() is not None


async def at_most_of(work: Work, subscriber_no: int) -> AtMost | None:
    """Give how often at most somebody wants to hear from us; None as their level says."""
    return await work.session.get(AtMost, subscriber_no, populate_existing=True)


async def hear_at_most(work: Work, subscriber_no: int, pace: Pace) -> bool:
    """Write down how often at most somebody, who is held, hears from us; say whether it is new."""
    standing = await at_most_of(work, subscriber_no)
    if standing is not None and standing.pace is pace:
        return False
    if standing is None:
        work.session.add(AtMost(subscriber_no=subscriber_no, pace=pace, since=work.now))
    else:
        standing.pace, standing.since = pace, work.now
    await work.session.flush()
    return True


async def hear_as_promised(work: Work, subscriber_no: int) -> Pace | None:
    """Take that back; give what it was."""
    gone = await work.session.scalars(
        delete(AtMost)
        .where(AtMost.subscriber_no == subscriber_no)
        .returning(AtMost.pace)
        .execution_options(synchronize_session="fetch")
    )
    return gone.first()


async def paces(work: Work) -> Sequence[Pace]:
    """Give the paces that anybody asked for."""
    asked = select(*[exists().where(AtMost.pace == one) for one in Pace])
    found = (await work.session.execute(asked)).one()
    return [pace for pace, is_asked_for in zip(Pace, found, strict=True) if is_asked_for]


# --- states --------------------------------------------------------------------------------------


async def states(work: Work, subscriber_nos: Collection[int]) -> dict[int, SubscriberState]:
    """Derive the states of several people whom the actor may see."""
    found = await work.session.execute(
        select(Subscriber.no, state_now(work.now)).where(
            Subscriber.no.in_(subscriber_nos), visible(work)
        ),
    )
    return {no: SubscriberState(state) for no, state in found}


async def how_many_paused(work: Work) -> int:
    """Count the people whom the actor may see who are on a break; told from those alone."""
    paused = select(func.count(Subscriber.no)).where(
        Subscriber.paused_until.is_not(None),
        Subscriber.paused_until > work.now,
        state_now(work.now) == SubscriberState.PAUSED.value,
        visible(work),
    )
    return await work.session.scalar(paused) or 0


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


async def asked(work: Work, marks: Collection[str]) -> dict[str, list[Confirmation]]:
    """Give all sign-ups of addresses, oldest first."""
    found = await work.session.scalars(
        select(Confirmation).where(Confirmation.mark.in_(marks)).order_by(Confirmation.no),
    )
    all_of: dict[str, list[Confirmation]] = {}
    for confirmation in found:
        all_of.setdefault(confirmation.mark, []).append(confirmation)
    return all_of


async def asked_since_a_click(work: Work, marks: Collection[str]) -> dict[str, list[Confirmation]]:
    """Give the sign-ups of addresses, oldest first, since each last confirmed one."""
    since: dict[str, list[Confirmation]] = {}
    for mark, confirmations in (await asked(work, marks)).items():
        clicks = [at for at, one in enumerate(confirmations) if one.confirmed_at is not None]
        since[mark] = confirmations[clicks[-1] + 1 :] if clicks else confirmations
    return since


async def claim_reminders(work: Work, limit: int) -> Sequence[Confirmation]:
    """Take the sign-ups whose reminder is due, oldest first, and write down that it was.

    Two who take at the same time take different ones.
    """
    due = (
        select(Confirmation.no)
        .where(Confirmation.remind_at <= work.now, Confirmation.reminded_at.is_(None))
        .order_by(Confirmation.remind_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    taken = await work.session.scalars(
        update(Confirmation)
        .where(Confirmation.no.in_(select(due.c.no)))
        .values(reminded_at=work.now)
        .returning(Confirmation)
        .execution_options(synchronize_session=False, populate_existing=True),
    )
    return sorted(taken, key=lambda one: one.no)


async def is_a_reminder_due(work: Work) -> bool:
    """Say whether any is; a question that locks nothing."""
    due = exists().where(Confirmation.remind_at <= work.now, Confirmation.reminded_at.is_(None))
    return bool(await work.session.scalar(select(due)))


async def take_answers(work: Work, confirmation: Confirmation) -> bool:
    """Take the answers that wait with a sign-up; False when they were taken or forgotten before."""
    taken = await work.session.scalars(
        update(Confirmation)
        .where(Confirmation.no == confirmation.no, Confirmation.answers_wait)
        .values(answers_wait=False)
        .returning(Confirmation.no)
        .execution_options(synchronize_session=False),
    )
    return taken.first() is not None


async def do_answers_wait(work: Work, before: datetime) -> bool:
    """Say whether any have waited since before; a question that locks nothing."""
    waiting = exists().where(Confirmation.answers_wait, Confirmation.made_at < before)
    return bool(await work.session.scalar(select(waiting)))


async def forget_answers(work: Work, before: datetime) -> int:
    """Forget the answers that have waited since before; say how many."""
    forgotten = await work.session.scalars(
        update(Confirmation)
        .where(Confirmation.answers_wait, Confirmation.made_at < before)
        .values(answers_wait=False, answers={})
        .returning(Confirmation.no)
        .execution_options(synchronize_session=False),
    )
    return len(forgotten.all())


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


async def last_given(work: Work, subscriber_no: int, list_no: int) -> ConsentRecord | None:
    """Give what somebody agreed to when they last joined a list."""
    return await work.session.scalar(
        select(ConsentRecord)
        .where(
            ConsentRecord.subscriber_no == subscriber_no,
            ConsentRecord.list_no == list_no,
            ConsentRecord.given,
        )
        .order_by(ConsentRecord.no.desc())
        .limit(1),
    )


async def last_records(
    work: Work, list_no: int, subscriber_nos: Collection[int]
) -> dict[int, ConsentRecord]:
    """Give the newest record of each of several people about one list."""
    newest = (
        select(func.max(ConsentRecord.no))
        .where(ConsentRecord.list_no == list_no, ConsentRecord.subscriber_no.in_(subscriber_nos))
        .group_by(ConsentRecord.subscriber_no)
    )
    found = await work.session.scalars(select(ConsentRecord).where(ConsentRecord.no.in_(newest)))
    return {one.subscriber_no: one for one in found}


async def lift_asked(work: Work, marks: Collection[str]) -> list[str]:
    """Take off the suppression list those of these marks whose owners asked to be on it."""
    lifted = await work.session.scalars(
        delete(Suppression)
        .where(Suppression.mark.in_(marks), Suppression.reason == SuppressionReason.ASKED)
        .returning(Suppression.mark)
        .execution_options(synchronize_session=False),
    )
    return list(lifted)


# --- the words of a list over time ----------------------------------------------------------------


async def consent_texts(work: Work, list_no: int) -> Sequence[ConsentText]:
    """Give what a list asked people to agree to, newest first."""
    found = await work.session.scalars(
        select(ConsentText)
        .where(ConsentText.list_no == list_no)
        .order_by(ConsentText.version.desc()),
    )
    return found.all()


async def agreed_by_version(work: Work, list_no: int) -> dict[int, int]:
    """Count the people whom the actor may see who agreed to each version of a list's words.

    Somebody who agreed to two counts for both; who came by a file agreed to the words of its
    evidence and counts for none.
    """
    counted = await work.session.execute(
        select(ConsentRecord.version, func.count(ConsentRecord.subscriber_no.distinct()))
        .join(Subscriber, Subscriber.no == ConsentRecord.subscriber_no)
        .where(
            ConsentRecord.list_no == list_no,
            ConsentRecord.version.is_not(None),
            visible(work),
            not_(is_erased()),
        )
        .group_by(ConsentRecord.version),
    )
    return {version: number for version, number in counted if version is not None}


# --- how many come from one network --------------------------------------------------------------


async def are_tallies_old(work: Work, hour: datetime) -> bool:
    """Say whether tallies of earlier hours are left; a question that locks nothing."""
    return bool(await work.session.scalar(select(exists().where(SignUpTally.hour < hour))))


async def forget_tallies(work: Work, hour: datetime) -> None:
    """Forget how many came in the hours before this one."""
    await work.session.execute(
        delete(SignUpTally)
        .where(SignUpTally.hour < hour)
        .execution_options(synchronize_session=False)
    )


async def count_sign_up(work: Work, network: str, hour: datetime) -> int:
    """Count one sign-up from a network and say how many it is in this hour."""
    first = {"network": network, "hour": hour, "number": 1}
    if await add_missing(work, SignUpTally, [first]):
        return 1
    counted = await work.session.scalars(
        update(SignUpTally)
        .where(SignUpTally.network == network, SignUpTally.hour == hour)
        .values(number=SignUpTally.number + 1)
        .returning(SignUpTally.number)
        .execution_options(synchronize_session=False),
    )
    return counted.one()


# --- asking taken back --------------------------------------------------------------------------


async def waiting_confirmations(
    work: Work, list_no: int, subscriber_nos: Collection[int]
) -> Sequence[Confirmation]:
    """Give the sign-ups of several people for a list that nobody has confirmed."""
    found = await work.session.scalars(
        select(Confirmation).where(
            Confirmation.subscriber_no.in_(subscriber_nos),
            Confirmation.list_no == list_no,
            Confirmation.confirmed_at.is_(None),
        )
    )
    return found.all()


async def forget_confirmations(work: Work, nos: Collection[int]) -> None:
    """Forget sign-ups whose letter was never sent."""
    await work.session.execute(
        delete(Confirmation)
        .where(Confirmation.no.in_(nos))
        .execution_options(synchronize_session=False)
    )


async def forget_unconfirmed(
    work: Work, list_no: int, subscriber_nos: Collection[int]
) -> list[int]:
    """Forget the subscriptions of several people that still wait for a yes; give whose."""
    gone = await work.session.scalars(
        delete(Subscription)
        .where(
            Subscription.list_no == list_no,
            Subscription.subscriber_no.in_(subscriber_nos),
            Subscription.state == SubscriptionState.UNCONFIRMED,
        )
        .returning(Subscription.subscriber_no)
        .execution_options(synchronize_session=False)
    )
    return list(gone)
