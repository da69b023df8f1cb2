"""How much of a list somebody hears: all of it, or only what is urgent."""

from mailer.activity import actions as activity
from mailer.consent import store
from mailer.consent.model import MailingList
from mailer.kit.work import Work
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber


async def hear_only_urgent(work: Work, subscriber: Subscriber, mailing_list: MailingList) -> bool:
    """Leave somebody out of the newsletters of a list; its alerts still reach them.

    Their consent to the list stands as it is. Say whether that is new.
    """
    subscriber = await held(work, subscriber)
    is_new = await store.hear_only_urgent(work, subscriber.no, mailing_list.no)
    if is_new:
        await activity.record(work, subscriber.no, "only_urgent", list=mailing_list.no)
    return is_new


async def hear_all(work: Work, subscriber: Subscriber, mailing_list: MailingList) -> bool:
    """Let somebody hear all of a list again; say whether that is new."""
    subscriber = await held(work, subscriber)
    is_new = await store.hear_all(work, subscriber.no, [mailing_list.no])
    if is_new:
        await activity.record(work, subscriber.no, "all_of_it", list=mailing_list.no)
    return is_new
