"""Asking by letter whether somebody wants to be on a list, and not more often than is right.

Whoever asks by an open form is told nothing about who is on the roll. The page after a sign-up is
one for two days, and then another: by the clock alone, whatever its owner has done meanwhile.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec

from mailer.activity import actions as activity
from mailer.consent import store
from mailer.consent.agreeing import Said, confirm_many, unconfirmed, writable
from mailer.consent.model import (
    LETTER_EVERY,
    LETTERS_UNTIL_A_CLICK,
    PAGE_LIVES,
    REMIND_AFTER,
    Confirmation,
    MailingList,
    Subscription,
    SubscriptionState,
)
from mailer.consent.welcoming import welcome
from mailer.kit.errors import Conflict, NotFound
from mailer.kit.ids import new_uid
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post, post_many
from mailer.outbox.model import Lane, Needs
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber


class ConfirmationUnknown(NotFound):
    """There is no such sign-up, or it is long over. Please join again."""


class NoAddress(Conflict):
    """There is no address here that anybody could write to."""


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """By an open page: one reminder is owed, and what its form knows waits for their yes."""

    form_no: int | None = None
    answers: dict[str, Any] = {}


async def ask(
    work: Work,
    subscriber: Subscriber,
    mailing_list: MailingList,
    *,
    wording: str,
    language: str,
    tier_no: int | None = None,
    came: Came | None = None,
) -> Confirmation:
    """Ask somebody by letter whether they want to be on a list.

    One letter a day and three until a click, for each address: within those bounds a new
    confirmation comes with a letter, beyond them it is a blind one. Who never is written to gets
    none. Somebody who has left a list has left it until they confirm anew.
    """
    subscriber = await held(work, subscriber)
    if subscriber.mark is None:
        raise NoAddress(field="address")
    row = _row(
        work, mailing_list, mark=subscriber.mark, wording=wording, language=language, came=came
    )
    standing = await store.subscription(work, subscriber.no, mailing_list.no)
    if standing is not None and standing.state is SubscriptionState.CONFIRMED:
        row |= {"subscriber_no": subscriber.no, "confirmed_at": standing.confirmed_at}
        return await _make(work, row)
    if subscriber.stopped_at is not None or await store.is_suppressed(work, subscriber):
        return await _blind(work, row)
    if standing is None:
        await add_missing(work, Subscription, [unconfirmed(work, subscriber.no, mailing_list.no)])
        await activity.record(work, subscriber.no, "asked", list=mailing_list.no)
    asked = (await store.asked(work, [subscriber.mark])).get(subscriber.mark, [])
    letters = letters_since_a_click(asked)
    page = _page(asked, mailing_list.no, work.now)
    if len(letters) >= LETTERS_UNTIL_A_CLICK:
        return page or await _make(work, row)
    if page is not None and page.subscriber_no is not None and page.confirmed_at is None:
        return page
    row["subscriber_no"] = subscriber.no
    if page is None:
        confirmation = await _make(work, row)
    elif page.confirmed_at is None:
        # It was made while there was nothing to confirm (they were on the list): now there is.
        again = {**row, "uid": page.uid, "tries": 0, "reminded_at": None}
        confirmation = await _write(work, page, again)
    else:
        # They have left since they confirmed. Whoever looks at the page must not see that.
        shown, tries = page.uid, page.tries
        await _write(work, page, {"uid": new_uid()})
        confirmation = await _make(work, {**row, "uid": shown, "tries": tries})
    await post(work, _letter(confirmation, subscriber, _due(letters, work.now), tier_no))
    return confirmation


async def ask_many(
    work: Work,
    subscriber_nos: Collection[int],
    mailing_list: MailingList,
    *,
    wording: str,
    language: str | None = None,
) -> list[int]:
    """Ask many by letter, as `ask` does; give those who get one.

    A file asks nobody who has left the list, and reminds nobody. Letters wait behind those that
    somebody sits and waits for. `language` None is each person's own.
    """
    people = await writable(work, subscriber_nos)
    standing = await store.subscriptions_on(work, mailing_list.no, [one.no for one in people])
    asked = await store.asked(work, [str(one.mark) for one in people])
    letters = {mark: letters_since_a_click(some) for mark, some in asked.items()}
    fresh = [one for one in people if one.no not in standing]
    await add_missing(
        work, Subscription, [unconfirmed(work, one.no, mailing_list.no) for one in fresh]
    )
    await activity.record_many(work, [one.no for one in fresh], "asked", list=mailing_list.no)
    due = {
        one.no: one
        for one in people
        if (one.no not in standing or standing[one.no].state is SubscriptionState.UNCONFIRMED)
        and len(letters.get(str(one.mark), [])) < LETTERS_UNTIL_A_CLICK
        and _page(asked.get(str(one.mark), []), mailing_list.no, work.now) is None
    }
    made = await add_missing(
        work,
        Confirmation,
        [
            _row(
                work,
                mailing_list,
                mark=str(one.mark),
                wording=wording,
                language=language or one.language,
            )
            | {"subscriber_no": one.no}
            for one in due.values()
        ],
    )
    await post_many(
        work,
        [
            _letter(
                confirmation,
                due[confirmation.subscriber_no],
                _due(letters.get(confirmation.mark, []), work.now),
                lane=Lane.LETTERS,
            )
            for confirmation in made
            if confirmation.subscriber_no is not None
        ],
    )
    return list(due)


async def blind_confirmation(
    work: Work,
    mailing_list: MailingList,
    *,
    mark: str,
    wording: str,
    language: str,
    came: Came | None = None,
) -> Confirmation:
    """Make what a sign-up sees when no letter to confirm goes out.

    It looks and behaves like every other, also on a second sign-up: its code is only never sent.
    """
    row = _row(work, mailing_list, mark=mark, wording=wording, language=language, came=came)
    return await _blind(work, row)


async def join_at_once(
    work: Work,
    subscriber: Subscriber,
    mailing_list: MailingList,
    *,
    wording: str,
    language: str,
    came: Came,
) -> Confirmation:
    """Put somebody who is new to the roll on a list that asks for no letter, and welcome them.

    Their sign-up is one like every other, confirmed when it is made.
    """
    subscriber = await held(work, subscriber)
    row = _row(
        work,
        mailing_list,
        mark=str(subscriber.mark),
        wording=wording,
        language=language,
        came=came,
    )
    confirmation = await _make(
        work, {**row, "subscriber_no": subscriber.no, "confirmed_at": work.now}
    )
    said = Said(wording=wording, language=language, version=mailing_list.consent_version)
    await confirm_many(work, [subscriber], mailing_list, said, kind="agreed")
    await welcome(work, subscriber, mailing_list, language=language, once=f"{confirmation.no}")
    return confirmation


async def renew(work: Work, confirmation_no: int) -> Confirmation:
    """Send a fresh letter to one who opened a link that had run out: they do read their mail.

    One a day still; the three until a click are for those who never came.
    """
    old = await store.confirmation_by_no(work, confirmation_no)
    if old is None or old.subscriber_no is None:
        raise ConfirmationUnknown
    subscriber = await subscribers.hold(work, old.subscriber_no)
    mailing_list = await store.list_by_no(work, old.list_no)
    if subscriber is None or mailing_list is None or subscriber.mark != old.mark:
        raise ConfirmationUnknown
    if old.confirmed_at is not None or await store.is_suppressed(work, subscriber):
        return old
    asked = (await store.asked(work, [old.mark])).get(old.mark, [])
    letters = letters_since_a_click(asked)
    if letters and letters[-1] > work.now - LETTER_EVERY:
        return [one for one in asked if one.subscriber_no is not None][-1]
    row = _row(work, mailing_list, mark=old.mark, wording=old.wording, language=old.language)
    fresh = await _make(
        work,
        {
            **row,
            "subscriber_no": subscriber.no,
            "version": old.version,
            "form_no": old.form_no,
            "answers": old.answers,
            "answers_wait": old.answers_wait,
        },
    )
    await post(work, _letter(fresh, subscriber, work.now))
    return fresh


def letters_since_a_click(asked: Sequence[Confirmation]) -> list[datetime]:
    """Say when letters about sign-ups went to an address, or might have, since it last said yes."""
    went: list[datetime] = []
    for one in asked:
        if one.confirmed_at is not None:
            went = []
        elif one.subscriber_no is not None:
            went += [at for at in (one.made_at, one.reminded_at) if at is not None]
    return sorted(went)


def _page(asked: Sequence[Confirmation], list_no: int, now: datetime) -> Confirmation | None:
    """Give the sign-up whose page a new one for the same list is shown.

    Only the clock decides: what its owner has done since must not be seen from outside.
    """
    newest = next((one for one in reversed(asked) if one.list_no == list_no), None)
    if newest is None:
        return None
    lives = LETTER_EVERY if newest.remind_at is None else PAGE_LIVES
    return newest if newest.made_at > now - lives else None


def _due(letters: Sequence[datetime], now: datetime) -> datetime:
    """Say when the next letter may go, if each before it went as early as it might."""
    due = None
    for at in letters:
        due = at if due is None else max(at, due + LETTER_EVERY)
    return now if due is None else max(now, due + LETTER_EVERY)


async def _blind(work: Work, row: dict[str, Any]) -> Confirmation:
    asked = (await store.asked(work, [row["mark"]])).get(row["mark"], [])
    # Nobody's answers wait where nobody can confirm them.
    blind = {**row, "form_no": None, "answers": {}, "answers_wait": False}
    return _page(asked, row["list_no"], work.now) or await _make(work, blind)


def _row(
    work: Work,
    mailing_list: MailingList,
    *,
    mark: str,
    wording: str,
    language: str,
    came: Came | None = None,
) -> dict[str, Any]:
    return {
        "uid": new_uid(),
        "subscriber_no": None,
        "mark": mark,
        "list_no": mailing_list.no,
        "wording": wording,
        "language": language,
        "version": mailing_list.consent_version,
        "made_at": work.now,
        "remind_at": work.now + REMIND_AFTER if came is not None else None,
        "form_no": came.form_no if came is not None else None,
        "answers": came.answers if came is not None else {},
        "answers_wait": came is not None and came.form_no is not None,
    }


async def _make(work: Work, row: dict[str, Any]) -> Confirmation:
    [made] = await add_missing(work, Confirmation, [row])
    return made


async def _write(work: Work, page: Confirmation, values: dict[str, Any]) -> Confirmation:
    for name, value in values.items():
        setattr(page, name, value)
    await work.session.flush()
    return page


def _letter(
    confirmation: Confirmation,
    subscriber: Subscriber,
    due_at: datetime,
    tier_no: int | None = None,
    *,
    lane: Lane = Lane.URGENT,
) -> Post:
    return Post(
        kind="confirm",
        dedupe_key=f"confirm:{confirmation.no}",
        language=confirmation.language,
        facts={"confirmation": confirmation.no, "list": confirmation.list_no, "tier": tier_no},
        subscriber=subscriber.no,
        lane=lane,
        needs=Needs.NOTHING,
        due_at=due_at,
    )
