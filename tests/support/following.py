"""Follow-ups, committed: who waits, and what organisers did about it."""

from mailer.accounts.model import Account
from mailer.activity.signals.following import follow_signals
from mailer.asks import reporting
from mailer.asks.model import Ask
from mailer.bootstrap import House
from mailer.followups import opening, store
from mailer.followups.model import CaseKind, FollowUp, Outcome
from mailer.followups.queue import store as queues
from mailer.followups.queue.store import View, Whose
from mailer.followups.settling import settle
from mailer.kit.work import Door
from mailer.subscribers.model import Subscriber
from tests.support.waiting import Later

WORDS = "My chair refused to put the motion on the agenda."


async def followed(house: House | Later) -> None:
    """Let the worker react to all that has happened."""
    while await follow_signals(house):
        pass


async def blocked(house: House, who: Subscriber, ask: Ask, words: str = WORDS) -> FollowUp:
    """Let somebody ask for help, and give the case that is opened by it."""
    async with house.work(door=Door.EMAIL) as work:
        await reporting.need_help(work, who, ask, words=words)
    await followed(house)
    return (await open_cases(house, who, CaseKind.BLOCKED))[0]


async def remembered(
    house: House, who: Subscriber, account: Account, words: str = "Ask how it went."
) -> FollowUp:
    """Let an organiser remember somebody."""
    async with house.work(account=account.no, door=Door.ADMIN) as work:
        return await opening.remember(work, who, words=words)


async def called(
    house: House, case: FollowUp, account: Account, outcome: Outcome, words: str = ""
) -> FollowUp:
    """Let an organiser have called."""
    async with house.work(account=account.no, door=Door.ADMIN) as work:
        return await settle(work, case, outcome, words=words)


async def open_cases(house: House, who: Subscriber, *kinds: CaseKind) -> list[FollowUp]:
    """Give for what somebody waits; of some kinds where some are named."""
    async with house.work(reading=True) as work:
        found = await store.open_of(work, who.no)
    return [one for one in found if not kinds or one.kind in kinds]


async def now(house: House, case: FollowUp) -> FollowUp:
    """Give a case as it is now."""
    async with house.work(reading=True) as work:
        found = await store.by_no(work, case.no)
    assert found is not None
    return found


async def waiting(
    house: House, account: Account, whose: Whose = Whose.ALL
) -> list[tuple[str, CaseKind]]:
    """Give who is in the queue and why, in its order."""
    async with house.work(reading=True) as work:
        found = await queues.queue(work, View(account_no=account.no, whose=whose), limit=100)
    return [(row.person.first_name, row.case.kind) for row in found.rows]
