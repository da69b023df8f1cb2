"""Holding a case: the person first, so that of two organisers one waits for the other."""

from mailer.accounts import store as accounts
from mailer.followups import store
from mailer.followups.model import FollowUp
from mailer.kit.errors import Conflict, NotFound
from mailer.kit.work import Work
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber


class CaseUnknown(NotFound):
    """There is no such follow-up, or it is about somebody who is not in your care."""


class CaseOver(Conflict):
    """This follow-up is over already."""


class WithSomebody(Conflict):
    """%(name)s is at it just now. Nobody is called by two people."""


async def held_case(work: Work, found: FollowUp) -> tuple[FollowUp, Subscriber]:
    """Give a case as it is now, and who waits, both kept until this unit of work ends."""
    subscriber = await subscribers.hold(work, found.subscriber_no)
    if subscriber is None or subscriber.erased_at or subscriber.stopped_at:
        raise CaseUnknown
    return await store.again(work, found), subscriber


async def open_case_of(work: Work, found: FollowUp) -> tuple[FollowUp, Subscriber]:
    """Give a case to do something about; refuses one that is over, or that somebody is at."""
    found, subscriber = await held_case(work, found)
    if not found.is_open:
        raise CaseOver
    await ask_nobody_is_at_it(work, found)
    return found, subscriber


async def ask_nobody_is_at_it(work: Work, found: FollowUp) -> None:
    """Refuse where another account holds a case."""
    holder = found.holder(work.now)
    if holder is not None and holder != work.account:
        account = await accounts.by_no(work, holder)
        raise WithSomebody(name=account.name if account else "")
