"""Asking, agreeing, leaving, and never being written to again.

What somebody agreed to is kept in the words that were shown to them. Whoever asks by an open form
is told nothing about who is on the roll, and can send an address one letter a day and three in all
until its owner answers.
"""

import hmac
import re
from collections.abc import Collection, Sequence
from datetime import datetime

from mailer.activity import actions as activity
from mailer.audit import actions as audit
from mailer.consent import store
from mailer.consent.model import (
    CODE_LIVES,
    CODE_TRIES,
    LETTER_EVERY,
    LETTERS_UNTIL_A_CLICK,
    UNDO_FOR,
    Confirmation,
    ConsentRecord,
    MailingList,
    SubscriberState,
    Subscription,
    SubscriptionState,
)
from mailer.kit.errors import Conflict, Invalid, NotFound
from mailer.kit.ids import new_uid, slug
from mailer.kit.orm import Localised
from mailer.kit.rows import add_missing
from mailer.kit.texts import in_languages
from mailer.kit.work import Work
from mailer.organisation import store as organisation
from mailer.outbox.actions import Post, post, post_many
from mailer.outbox.model import Lane, Needs
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import SubscriberUnknown, held
from mailer.subscribers.model import Subscriber, Suppression, SuppressionReason, mark_of

_SIX_DIGITS = re.compile(r"[0-9]{6}")


class ConfirmationUnknown(NotFound):
    """There is no such sign-up, or it is long over. Please join again."""


class CodeWrong(Invalid):
    """That is not the code from our email. Please look again: it has six digits."""


class CodeSpent(Conflict):
    """This code no longer works. Please use the button in our email."""


class LeavingUnknown(NotFound):
    """There is nothing here that could be undone."""


class LeavingTooOld(Conflict):
    """This can no longer be undone: 30 days have gone by. Please join again."""


class StillSuppressed(Conflict):
    """This address asked never to be written to. Please talk to an organiser."""


class NoAddress(Conflict):
    """There is no address here that anybody could write to."""


class ComplaintStands(Conflict):
    """They told their mail provider that our mail is unwanted. Only they can join again."""


# --- lists ---------------------------------------------------------------------------------------

_DEFAULT_NAME = {"en": "Bulletin", "fr": "Bulletin"}
_DEFAULT_ABOUT = {
    "en": "What happened, what is next, and what you can do.",
    "fr": "Ce qui s’est passé, ce qui vient, et ce que vous pouvez faire.",
}
_DEFAULT_CONSENT = {
    "en": (
        "Yes, %(organisation)s may email me, as often as the level I chose says. "
        "I can change that or leave at any time, from any email, in two taps."
    ),
    "fr": (
        "Oui, %(organisation)s peut m’écrire par e-mail, au rythme du niveau que j’ai choisi. "
        "Je peux changer d’avis ou partir à tout moment, depuis n’importe quel e-mail, "
        "en deux clics."
    ),
}


async def furnish(work: Work) -> None:
    """Put in the list that every organisation starts with; once there is any, nothing is done."""
    if await store.any_list(work):
        return
    row = {
        "slug": "bulletin",
        "name": _DEFAULT_NAME,
        "about": _DEFAULT_ABOUT,
        "consent_text": _DEFAULT_CONSENT,
        "is_public": True,
        "double_opt_in": True,
        "made_at": work.now,
    }
    await add_missing(work, MailingList, [row])


async def open_list(
    work: Work,
    *,
    name: Localised,
    about: Localised,
    consent_text: Localised,
    is_public: bool,
    double_opt_in: bool = True,
) -> MailingList:
    """Open a list. Its slug is made of its name, with a number where that is taken."""
    described = _described(name, about, consent_text)
    called = slug(next(iter(described["name"].values())), longest=50)
    # In the addresses of pages "new" stands where the slug does: it is the list that is not yet.
    for number in range(2 if called == "new" else 1, 100):
        row = {
            "slug": called if number == 1 else f"{called}-{number}",
            "is_public": is_public,
            "double_opt_in": double_opt_in,
            "made_at": work.now,
            **described,
        }
        if opened := await add_missing(work, MailingList, [row]):
            await audit.note(work, "list_opened", list=opened[0].no)
            return opened[0]
    raise TooManyAlike(field="name")


class TooManyAlike(Conflict):
    """There are too many lists of this name."""


async def describe_list(
    work: Work,
    mailing_list: MailingList,
    *,
    name: Localised,
    about: Localised,
    consent_text: Localised,
    is_public: bool,
    double_opt_in: bool = True,
) -> MailingList:
    """Change a list's words. What people have agreed to stays on record as it was shown."""
    described = {
        **_described(name, about, consent_text),
        "is_public": is_public,
        "double_opt_in": double_opt_in,
    }
    mailing_list = await store.list_again(work, mailing_list)
    changed = [key for key, value in described.items() if getattr(mailing_list, key) != value]
    for key in changed:
        setattr(mailing_list, key, described[key])
    if changed:
        await audit.note(work, "list_described", list=mailing_list.no, fields=changed)
    return mailing_list


def _described(name: Localised, about: Localised, consent_text: Localised) -> dict[str, Localised]:
    return {
        "name": in_languages(name, longest=120, field="name", needed=True),
        "about": in_languages(about, longest=400, field="about"),
        "consent_text": in_languages(consent_text, longest=2000, field="consent_text", needed=True),
    }


async def wording_of(work: Work, mailing_list: MailingList, language: str) -> str:
    """Give a list's consent text as it is shown to somebody, with our name filled in."""
    return mailing_list.wording(language, (await organisation.the_one(work)).name)


# --- asking --------------------------------------------------------------------------------------


async def ask(
    work: Work,
    subscriber: Subscriber,
    mailing_list: MailingList,
    *,
    wording: str,
    language: str,
    tier_no: int | None = None,
) -> Confirmation:
    """Ask somebody by letter whether they want to be on a list.

    One letter a day and three until a click, for each address: within those bounds a new
    confirmation comes with a letter, beyond them the standing one is given again. Who never is
    written to gets none. Somebody who has left a list has left it until they confirm anew.
    """
    subscriber = await held(work, subscriber)
    if subscriber.mark is None:
        raise NoAddress(field="address")
    standing = await store.subscription(work, subscriber.no, mailing_list.no)
    if standing is not None and standing.state is SubscriptionState.CONFIRMED:
        return await _already_confirmed(work, subscriber, standing, wording, language)
    if subscriber.stopped_at is not None or await store.is_suppressed(work, subscriber):
        return await blind_confirmation(
            work, mailing_list, mark=subscriber.mark, wording=wording, language=language
        )
    if standing is None:
        await add_missing(work, Subscription, [_unconfirmed(work, subscriber.no, mailing_list.no)])
        await activity.record(work, subscriber.no, "asked", list=mailing_list.no)
    asked = (await store.asked_since_a_click(work, [subscriber.mark])).get(subscriber.mark, [])
    letters = _with_letters(asked)
    may_write = len(letters) < LETTERS_UNTIL_A_CLICK
    confirmation = _still_counts(asked, mailing_list.no, work.now)
    if confirmation is None:
        confirmation = await _new_confirmation(
            work,
            mailing_list,
            mark=subscriber.mark,
            wording=wording,
            language=language,
            subscriber_no=subscriber.no if may_write else None,
        )
    elif confirmation.subscriber_no is None and may_write:
        # It was made while there was nothing to confirm (they were on the list): now there is.
        confirmation.subscriber_no = subscriber.no
        confirmation.wording, confirmation.language = wording, language
        confirmation.made_at, confirmation.tries = work.now, 0
    else:
        return confirmation
    if confirmation.subscriber_no is not None:
        due_at = _due(letters, work.now)
        await post(work, _confirm_letter(confirmation, subscriber, due_at, tier_no))
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

    A file asks nobody who has left the list. Letters wait behind those that somebody sits and
    waits for. `language` None is each person's own.
    """
    people = await _writable(work, subscriber_nos)
    standing = await store.subscriptions_on(work, mailing_list.no, [one.no for one in people])
    every = await store.asked_since_a_click(work, [str(one.mark) for one in people])
    asked = {mark: _with_letters(some) for mark, some in every.items()}
    fresh = [one for one in people if one.no not in standing]
    await add_missing(
        work, Subscription, [_unconfirmed(work, one.no, mailing_list.no) for one in fresh]
    )
    await activity.record_many(work, [one.no for one in fresh], "asked", list=mailing_list.no)
    due = {
        one.no: one
        for one in people
        if (one.no not in standing or standing[one.no].state is SubscriptionState.UNCONFIRMED)
        and len(asked.get(str(one.mark), [])) < LETTERS_UNTIL_A_CLICK
        and _still_counts(asked.get(str(one.mark), []), mailing_list.no, work.now) is None
    }
    made = await add_missing(
        work,
        Confirmation,
        [
            _confirmation(
                work,
                mailing_list,
                mark=str(one.mark),
                wording=wording,
                language=language or one.language,
                subscriber_no=one.no,
            )
            for one in due.values()
        ],
    )
    letters = [
        _confirm_letter(
            confirmation,
            due[confirmation.subscriber_no],
            _due(asked.get(confirmation.mark, []), work.now),
            lane=Lane.LETTERS,
        )
        for confirmation in made
        if confirmation.subscriber_no is not None
    ]
    await post_many(work, letters)
    return list(due)


async def blind_confirmation(
    work: Work, mailing_list: MailingList, *, mark: str, wording: str, language: str
) -> Confirmation:
    """Make what a sign-up sees when no letter to confirm goes out.

    It looks and behaves like every other, also on a second sign-up: its code is only never sent.
    """
    asked = (await store.asked_since_a_click(work, [mark])).get(mark, [])
    open_one = _still_counts(asked, mailing_list.no, work.now)
    if open_one is not None:
        return open_one
    return await _new_confirmation(
        work, mailing_list, mark=mark, wording=wording, language=language, subscriber_no=None
    )


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
    asked = (await store.asked_since_a_click(work, [old.mark])).get(old.mark, [])
    letters = _with_letters(asked)
    if letters and letters[-1].made_at > work.now - LETTER_EVERY:
        return letters[-1]
    fresh = await _new_confirmation(
        work,
        mailing_list,
        mark=old.mark,
        wording=old.wording,
        language=old.language,
        subscriber_no=subscriber.no,
    )
    await post(work, _confirm_letter(fresh, subscriber, work.now))
    return fresh


def _still_counts(
    asked: Sequence[Confirmation], list_no: int, now: datetime
) -> Confirmation | None:
    """Give the sign-up that a new one for the same list would only repeat."""
    newest = next((one for one in reversed(asked) if one.list_no == list_no), None)
    if newest is None:
        return None
    rationed = len(asked) >= LETTERS_UNTIL_A_CLICK or newest.made_at > now - LETTER_EVERY
    return newest if rationed else None


def _with_letters(asked: Sequence[Confirmation]) -> list[Confirmation]:
    """Leave out the blind ones, for which no letter to confirm went out."""
    return [one for one in asked if one.subscriber_no is not None]


def _due(asked: Sequence[Confirmation], now: datetime) -> datetime:
    """Say when the next letter may go, if each before it went as early as it might."""
    due = None
    for one in asked:
        due = one.made_at if due is None else max(one.made_at, due + LETTER_EVERY)
    return now if due is None else max(now, due + LETTER_EVERY)


def _unconfirmed(work: Work, subscriber_no: int, list_no: int) -> dict[str, object]:
    return {
        "subscriber_no": subscriber_no,
        "list_no": list_no,
        "state": SubscriptionState.UNCONFIRMED,
        "asked_at": work.now,
    }


def _confirmation(
    work: Work,
    mailing_list: MailingList,
    *,
    mark: str,
    wording: str,
    language: str,
    subscriber_no: int | None,
) -> dict[str, object]:
    return {
        "uid": new_uid(),
        "subscriber_no": subscriber_no,
        "mark": mark,
        "list_no": mailing_list.no,
        "wording": wording,
        "language": language,
        "made_at": work.now,
    }


async def _new_confirmation(
    work: Work,
    mailing_list: MailingList,
    *,
    mark: str,
    wording: str,
    language: str,
    subscriber_no: int | None,
) -> Confirmation:
    row = _confirmation(
        work,
        mailing_list,
        mark=mark,
        wording=wording,
        language=language,
        subscriber_no=subscriber_no,
    )
    [made] = await add_missing(work, Confirmation, [row])
    return made


async def _already_confirmed(
    work: Work, subscriber: Subscriber, standing: Subscription, wording: str, language: str
) -> Confirmation:
    row = {
        "uid": new_uid(),
        "subscriber_no": subscriber.no,
        "mark": subscriber.mark,
        "list_no": standing.list_no,
        "wording": wording,
        "language": language,
        "made_at": work.now,
        "confirmed_at": standing.confirmed_at,
    }
    [made] = await add_missing(work, Confirmation, [row])
    return made


def _confirm_letter(
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


# --- agreeing ------------------------------------------------------------------------------------


def code_of(work: Work, confirmation: Confirmation) -> str:
    """Give the six digits that stand in the letter. They are kept nowhere."""
    return f"{int(work.keys.scramble('code', confirmation.uid), 16) % 1_000_000:06}"


async def confirm(work: Work, confirmation_no: int) -> Confirmation:
    """Take somebody's word that they want to be on the list. The first word counts."""
    return await _confirm(work, await store.confirmation_by_no(work, confirmation_no))


async def confirm_by_code(work: Work, uid: str, code: str) -> Confirmation:
    """Take the six digits from the letter for the same word.

    There are five tries, and a sign-up that sent no letter counts and refuses them just so. A try
    is written down although it is refused: do not undo the unit of work because of it. The code is
    looked at after the word was given, too: the name of the sign-up proves nothing.
    """
    confirmation = await store.confirmation_by_uid(work, uid)
    if confirmation is None:
        raise ConfirmationUnknown
    if work.now > confirmation.made_at + CODE_LIVES:
        raise CodeSpent(field="code")
    digits = "".join(code.split())
    if not _SIX_DIGITS.fullmatch(digits):
        raise CodeWrong(field="code")
    if not await store.count_try(work, confirmation, CODE_TRIES):
        raise CodeSpent(field="code")
    right = hmac.compare_digest(digits, code_of(work, confirmation))
    if not right or confirmation.subscriber_no is None:
        raise CodeWrong(field="code")
    return await _confirm(work, confirmation)


async def _confirm(work: Work, confirmation: Confirmation | None) -> Confirmation:
    if confirmation is None or confirmation.subscriber_no is None:
        raise ConfirmationUnknown
    subscriber = await subscribers.hold(work, confirmation.subscriber_no)
    if subscriber is None or subscriber.mark != confirmation.mark:
        raise ConfirmationUnknown  # they have another address since: this letter was to the old
    await work.session.refresh(confirmation)
    if confirmation.confirmed_at is not None:
        return confirmation
    confirmation.confirmed_at = work.now
    confirmed = await _agree(
        work,
        [subscriber],
        confirmation.list_no,
        wording=confirmation.wording,
        language=confirmation.language,
        kind="confirmed",
        even_who_left=True,
    )
    if confirmed:
        await post(
            work,
            Post(
                kind="welcome",
                dedupe_key=f"welcome:{confirmation.no}",
                language=confirmation.language,
                facts={"list": confirmation.list_no},
                subscriber=subscriber.no,
            ),
        )
    return confirmation


async def agree(
    work: Work, subscriber: Subscriber, mailing_list: MailingList, *, wording: str, language: str
) -> Confirmation | None:
    """Put somebody on one more list, from a page that only they could open.

    Where the list wants a letter confirmed by everybody, they are asked; else they are on it.
    """
    if mailing_list.double_opt_in:
        return await ask(work, subscriber, mailing_list, wording=wording, language=language)
    await _agree(
        work,
        [await held(work, subscriber)],
        mailing_list.no,
        wording=wording,
        language=language,
        kind="agreed",
        even_who_left=True,
    )
    return None


async def agree_many(
    work: Work,
    subscriber_nos: Collection[int],
    mailing_list: MailingList,
    *,
    wording: str,
    language: str,
) -> list[int]:
    """Record that many have agreed before, with the evidence as wording; give who is new.

    It brings back nobody who has left the list, is stopped or is never written to.
    """
    people = await _writable(work, subscriber_nos)
    return await _agree(
        work, people, mailing_list.no, wording=wording, language=language, kind="agreed"
    )


async def _writable(work: Work, subscriber_nos: Collection[int]) -> list[Subscriber]:
    people = [
        one
        for one in await subscribers.hold_many(work, subscriber_nos)
        if one.mark is not None and one.stopped_at is None and one.erased_at is None
    ]
    suppressed = await subscribers.suppressions(work, [str(one.mark) for one in people])
    return [one for one in people if one.mark not in suppressed]


async def _agree(
    work: Work,
    people: Sequence[Subscriber],
    list_no: int,
    *,
    wording: str,
    language: str,
    kind: str,
    even_who_left: bool = False,
) -> list[int]:
    """Confirm the subscriptions of people who are held, with evidence; give whose are new."""
    standing = await store.subscriptions_on(work, list_no, [one.no for one in people])
    waiting = {SubscriptionState.UNCONFIRMED}
    if even_who_left:
        waiting.add(SubscriptionState.UNSUBSCRIBED)
    fresh = [one.no for one in people if one.no not in standing]
    again = [no for no, one in standing.items() if one.state in waiting]
    yes = {"state": SubscriptionState.CONFIRMED, "confirmed_at": work.now}
    await add_missing(
        work, Subscription, [{**_unconfirmed(work, no, list_no), **yes} for no in fresh]
    )
    await store.set_subscriptions(work, list_no, again, {**yes, "ended_at": None})
    agreed = sorted([*fresh, *again])
    for record in await _record(work, agreed, list_no, given=True, wording=wording, in_=language):
        await activity.record(work, record.subscriber_no, kind, list=list_no, record=record.no)
    return agreed


async def _record(
    work: Work,
    subscriber_nos: Collection[int],
    list_no: int,
    *,
    given: bool,
    wording: str,
    in_: str,
) -> Sequence[ConsentRecord]:
    mailing_list = await store.list_by_no(work, list_no)
    assert mailing_list is not None
    controller = (await organisation.the_one(work)).name
    return await add_missing(
        work,
        ConsentRecord,
        [
            {
                "subscriber_no": no,
                "list_no": list_no,
                "purpose": mailing_list.slug,
                "controller": controller,
                "given": given,
                "wording": wording,
                "language": in_,
                "door": work.door,
                "account_no": work.account,
                "at": work.now,
            }
            for no in subscriber_nos
        ],
    )


# --- leaving -------------------------------------------------------------------------------------


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
        records += await _record(
            work, [subscriber.no], one.list_no, given=False, wording="", in_=subscriber.language
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
        one.ended_at = None
        one.state = SubscriptionState.UNCONFIRMED
        if one.confirmed_at is not None:
            one.state = SubscriptionState.CONFIRMED
            await _record(
                work,
                [subscriber.no],
                one.list_no,
                given=True,
                wording=await store.last_wording(work, subscriber.no, one.list_no),
                in_=subscriber.language,
            )
    if restored:
        await activity.record(
            work,
            subscriber.no,
            "came_back",
            record=record_no,
            lists=[one.list_no for one in restored],
        )
    return [one.list_no for one in ended if one.state is not SubscriptionState.UNSUBSCRIBED]


# --- never again ---------------------------------------------------------------------------------


async def take_off(
    work: Work,
    subscriber: Subscriber,
    *,
    reason: SuppressionReason = SuppressionReason.ASKED,
) -> None:
    """Never write to somebody's address again, by whatever list. They get no letter about it."""
    subscriber = await held(work, subscriber)
    if subscriber.mark is None:
        raise NoAddress
    if await _suppress(work, [subscriber.mark], reason):
        await activity.record(work, subscriber.no, "taken_off", reason=reason.value)
        await audit.note(work, "subscriber_taken_off", subscriber=subscriber.no, reason=reason)


async def put_back(work: Work, subscriber: Subscriber) -> None:
    """Take back that somebody is never written to, because they asked or it was a mistake.

    They are again where they stood: on the lists they had agreed to and not left. A complaint to
    their mail provider is not ours to take back.
    """
    subscriber = await held(work, subscriber)
    standing = await subscribers.suppression(work, subscriber.mark)
    if standing is None:
        return
    if standing.reason is SuppressionReason.COMPLAINT:
        raise ComplaintStands
    await subscribers.lift(work, standing)
    await activity.record(work, subscriber.no, "put_back")
    await audit.note(work, "subscriber_put_back", subscriber=subscriber.no, reason=standing.reason)


async def suppress_many(work: Work, addresses: Collection[str], reason: SuppressionReason) -> int:
    """Put many addresses on the suppression list, on the roll or not; give how many are new."""
    marks = {mark_of(work.keys, address) for address in addresses}
    new = await _suppress(work, sorted(marks), reason)
    known = await subscribers.by_marks(work, new)
    await activity.record_many(work, [one.no for one in known], "taken_off", reason=reason.value)
    if new:
        await audit.note(work, "addresses_suppressed", number=len(new), reason=reason)
    return len(new)


async def _suppress(work: Work, marks: Sequence[str], reason: SuppressionReason) -> list[str]:
    added = await add_missing(
        work,
        Suppression,
        [
            {
                "mark": mark,
                "reason": reason,
                "at": work.now,
                "door": work.door,
                "account_no": work.account,
            }
            for mark in marks
        ],
    )
    return [one.mark for one in added]


# --- where they stand ----------------------------------------------------------------------------


async def state_of(work: Work, subscriber: Subscriber) -> SubscriberState:
    """Say where somebody stands."""
    states = await store.states(work, [subscriber.no])
    if subscriber.no not in states:
        raise SubscriberUnknown
    return states[subscriber.no]


async def states_of(work: Work, people: Collection[Subscriber]) -> dict[int, SubscriberState]:
    """Say where each of several people stands; who may not be seen is left out."""
    return await store.states(work, [one.no for one in people])
