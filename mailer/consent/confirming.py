"""Agreeing: the owner's word, by the link in a letter, by its six digits, or on their own page."""

import hmac
import re
from collections.abc import Collection
from datetime import datetime

from mailer.activity import actions as activity
from mailer.consent import store
from mailer.consent.agreeing import Said, confirm_many, writable
from mailer.consent.asking import ConfirmationUnknown, ask
from mailer.consent.model import CODE_LIVES, CODE_TRIES, Confirmation, MailingList
from mailer.consent.welcoming import welcome
from mailer.kit.errors import Conflict, Invalid
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber

_SIX_DIGITS = re.compile(r"[0-9]{6}")


class CodeWrong(Invalid):
    """That is not the code from our email. Please look again: it has six digits."""


class CodeSpent(Conflict):
    """This code no longer works. Please use the button in our email."""


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


async def decline(work: Work, confirmation_no: int) -> Confirmation:
    """Take the word of an address's owner that it was not they: no reminder goes there.

    They may still say yes. Once they have, this does nothing.
    """
    confirmation = await store.confirmation_by_no(work, confirmation_no)
    confirmation, subscriber, _mailing_list = await _theirs(work, confirmation)
    if confirmation.confirmed_at is None and confirmation.declined_at is None:
        confirmation.declined_at = work.now
        await activity.record(work, subscriber.no, "declined", list=confirmation.list_no)
    return confirmation


async def _theirs(
    work: Work, confirmation: Confirmation | None
) -> tuple[Confirmation, Subscriber, MailingList]:
    """Hold whoever a letter went to; they must still have the address that it went to."""
    if confirmation is None or confirmation.subscriber_no is None:
        raise ConfirmationUnknown
    subscriber = await subscribers.hold(work, confirmation.subscriber_no)
    mailing_list = await store.list_by_no(work, confirmation.list_no)
    if subscriber is None or mailing_list is None or subscriber.mark != confirmation.mark:
        raise ConfirmationUnknown
    await work.session.refresh(confirmation)
    return confirmation, subscriber, mailing_list


async def _confirm(work: Work, found: Confirmation | None) -> Confirmation:
    confirmation, subscriber, mailing_list = await _theirs(work, found)
    if confirmation.confirmed_at is not None:
        return confirmation
    confirmation.confirmed_at = work.now
    confirmed = await confirm_many(
        work,
        [subscriber],
        mailing_list,
        Said(
            wording=confirmation.wording,
            language=confirmation.language,
            version=confirmation.version,
        ),
        kind="confirmed",
        even_who_left=True,
    )
    if confirmed:
        language = confirmation.language
        await welcome(work, subscriber, mailing_list, language=language, once=f"{confirmation.no}")
    return confirmation


async def agree(
    work: Work, subscriber: Subscriber, mailing_list: MailingList, *, wording: str, language: str
) -> Confirmation | None:
    """Put somebody on one more list, from a page that only they could open.

    Where the list wants a letter confirmed by everybody, they are asked; else they are on it, and
    are welcomed.
    """
    if mailing_list.double_opt_in:
        return await ask(work, subscriber, mailing_list, wording=wording, language=language)
    subscriber = await held(work, subscriber)
    agreed = await confirm_many(
        work,
        [subscriber],
        mailing_list,
        Said(wording=wording, language=language, version=mailing_list.consent_version),
        kind="agreed",
        even_who_left=True,
    )
    if agreed:
        once = f"{mailing_list.no}:{subscriber.no}:{int(work.now.timestamp())}"
        await welcome(work, subscriber, mailing_list, language=language, once=once)
    return None


async def agree_many(
    work: Work,
    subscriber_nos: Collection[int],
    mailing_list: MailingList,
    *,
    wording: str,
    language: str,
    import_no: int | None = None,
    at: datetime | None = None,
) -> list[int]:
    """Record that many have agreed before, with the evidence as wording; give who is new.

    `at` is when, where the evidence says so. It brings back nobody who has left the list, is
    stopped or is never written to, and welcomes nobody.
    """
    said = Said(wording=wording, language=language, import_no=import_no, at=at)
    people = await writable(work, subscriber_nos)
    return await confirm_many(work, people, mailing_list, said, kind="agreed")
