"""Who opened somebody's page: noted for that person, who is told the role and the hour.

An observation and no fact of the roll: what opens the page is a GET, so it is written in a unit of
work of its own.
"""

from datetime import timedelta

from mailer.accounts.model import Account
from mailer.kit.rooms import Rooms
from mailer.kit.work import Work
from mailer.records import record
from mailer.records.model import Look
from mailer.subscribers.model import Subscriber

KEPT_FOR = timedelta(days=90)
ONCE_IN = timedelta(minutes=15)
"""Opening a page again and again within this is one look."""

_AT_ONCE = 1000


async def is_new(work: Work, subscriber: Subscriber) -> bool:
    """Say whether the account that acts has not looked at somebody just now."""
    return not await record.looked_since(work, subscriber.no, work.now - ONCE_IN)


async def note(work: Work, subscriber: Subscriber, account: Account) -> None:
    """Write down that an account looks at somebody."""
    if subscriber.erased_at is None and await is_new(work, subscriber):
        work.session.add(
            Look(
                subscriber_no=subscriber.no,
                account_no=account.no,
                role=account.role,
                at=work.now,
            )
        )


async def forget_looks(house: Rooms) -> bool:
    """Forget looks of more than 90 days ago, some at a time; False when there are none."""
    async with house.work(reading=True) as work:
        if not await record.is_a_look_older(work, work.now - KEPT_FOR):
            return False
    async with house.work() as work:
        return await record.forget_looks(work, work.now - KEPT_FOR, limit=_AT_ONCE) == _AT_ONCE
