"""What is written down when somebody agrees to a list or takes that back, with its evidence."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec

from mailer.activity import actions as activity
from mailer.consent import store
from mailer.consent.model import ConsentRecord, MailingList, Subscription, SubscriptionState
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.organisation import store as organisation
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """The words of a yes, in their language.

    `version` is of the list's consent text, where that was what they read; `import_no` the file
    that it came by; `at` when they said it, where that was not just now.
    """

    wording: str
    language: str
    version: int | None = None
    import_no: int | None = None
    at: datetime | None = None


async def writable(work: Work, subscriber_nos: Collection[int]) -> list[Subscriber]:
    """Hold those of some people whom nothing forbids to write to."""
    people = [
        one
        for one in await subscribers.hold_many(work, subscriber_nos)
        if one.mark is not None and one.stopped_at is None and one.erased_at is None
    ]
    suppressed = await subscribers.suppressions(work, [str(one.mark) for one in people])
    return [one for one in people if one.mark not in suppressed]


async def confirm_many(
    work: Work,
    people: Sequence[Subscriber],
    mailing_list: MailingList,
    said: Said,
    *,
    kind: str,
    even_who_left: bool = False,
) -> list[int]:
    """Confirm the subscriptions of people who are held, with evidence; give whose are new.

    `kind` is what their timelines call it.
    """
    list_no = mailing_list.no
    standing = await store.subscriptions_on(work, list_no, [one.no for one in people])
    waiting = {SubscriptionState.UNCONFIRMED}
    if even_who_left:
        waiting.add(SubscriptionState.UNSUBSCRIBED)
    fresh = [one.no for one in people if one.no not in standing]
    again = [no for no, one in standing.items() if one.state in waiting]
    yes = {"state": SubscriptionState.CONFIRMED, "confirmed_at": said.at or work.now}
    await add_missing(
        work, Subscription, [{**unconfirmed(work, no, list_no), **yes} for no in fresh]
    )
    await store.set_subscriptions(work, list_no, again, {**yes, "ended_at": None})
    agreed = sorted([*fresh, *again])
    for record in await keep_given(work, agreed, mailing_list, said):
        await activity.record(work, record.subscriber_no, kind, list=list_no, record=record.no)
    return agreed


def unconfirmed(work: Work, subscriber_no: int, list_no: int) -> dict[str, object]:
    """Give the row of a subscription that waits for its owner's word."""
    return {
        "subscriber_no": subscriber_no,
        "list_no": list_no,
        "state": SubscriptionState.UNCONFIRMED,
        "asked_at": work.now,
    }


async def keep_given(
    work: Work, subscriber_nos: Collection[int], mailing_list: MailingList, said: Said
) -> Sequence[ConsentRecord]:
    """Keep what several people have agreed to."""
    return await _keep(work, subscriber_nos, mailing_list, said, given=True)


async def keep_taken_back(
    work: Work, subscriber_nos: Collection[int], mailing_list: MailingList, *, language: str
) -> Sequence[ConsentRecord]:
    """Keep that several people have taken their yes back."""
    said = Said(wording="", language=language)
    return await _keep(work, subscriber_nos, mailing_list, said, given=False)


async def _keep(
    work: Work,
    subscriber_nos: Collection[int],
    mailing_list: MailingList,
    said: Said,
    *,
    given: bool,
) -> Sequence[ConsentRecord]:
    controller = (await organisation.the_one(work)).name
    return await add_missing(
        work,
        ConsentRecord,
        [
            {
                "subscriber_no": no,
                "list_no": mailing_list.no,
                "purpose": mailing_list.slug,
                "controller": controller,
                "given": given,
                "wording": said.wording,
                "language": said.language,
                "version": said.version,
                "import_no": said.import_no,
                "door": work.door,
                "account_no": work.account,
                "at": said.at or work.now,
            }
            for no in subscriber_nos
        ],
    )
