"""The letter of the day: each organiser who wants it is told in the morning who waits for them.

Counts and a link, and no names: it may be read over a shoulder. Where nobody waits there is none.
"""

import dataclasses
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec

from mailer.accounts import store as accounts
from mailer.accounts.model import Account, Power
from mailer.followups import hours
from mailer.followups.telling import store
from mailer.kit.rooms import Rooms
from mailer.kit.work import Work
from mailer.outbox.actions import Post, post_many

KIND = "digest"
MORNING_ENDS = timedelta(hours=4)
"""A worker that was away in the morning writes none at night."""


_Count = Callable[[Work], Awaitable[int]]
_ALERTS: list[_Count] = []


def alerts_are_counted_by(ask: _Count) -> None:
    """Let this count the alerts whose silent readers nobody calls; campaigns stand above us."""
    _ALERTS[:] = [ask]


class Today(msgspec.Struct, frozen=True, kw_only=True):
    """Who waits for an account: for whom it is late, who comes today, and whom nobody has yet.

    And the alerts that went out a day ago or before, and that nobody follows up.
    """

    late: int
    today: int
    nobodys: int
    alerts: int

    @property
    def is_quiet(self) -> bool:
        """Say whether nobody waits."""
        return not (self.late or self.today or self.nobodys or self.alerts)


async def tell_of_today(house: Rooms) -> bool:
    """Owe the letters of this morning, once a day, at eight where the organisation is."""
    async with house.work(reading=True) as work:
        morning = await hours.morning_of(work, await hours.today(work))
        is_morning = morning <= work.now < morning + MORNING_ENDS
        if not is_morning or not await store.is_round_due(work, KIND, morning - MORNING_ENDS):
            return False
    async with house.work() as work:
        taken = await store.take_round(work, KIND, morning - MORNING_ENDS)
        if taken is None:
            return False
        taken.at = work.now
        day = await hours.today(work)
        await post_many(
            work,
            [
                Post(
                    kind=KIND,
                    dedupe_key=f"{KIND}:{account.no}:{day.isoformat()}",
                    language=account.language,
                    account=account.no,
                )
                for account in await _wanting(work)
                if not (await today_of(work, account)).is_quiet
            ],
        )
    return False


async def _wanting(work: Work) -> list[Account]:
    """Give the accounts that want the letter: who said so, and who owns cases and said nothing."""
    wishes, owners = await store.wishes(work), await store.owners(work)
    return [
        account
        for account in await accounts.all_accounts(work)
        if account.may(Power.CHANGE_PEOPLE) and wishes.get(account.no, account.no in owners)
    ]


async def today_of(work: Work, account: Account) -> Today:
    """Count who waits for an account, among the people whom it may see."""
    seen = dataclasses.replace(work, scope=await accounts.scope_of(work, account))
    late, today = await store.of_today(seen, account.no, await hours.end_of_today(work))
    alerts = await _ALERTS[0](seen) if _ALERTS else 0
    return Today(late=late, today=today, nobodys=await store.nobodys(seen), alerts=alerts)


async def wants(work: Work, account: Account) -> bool:
    """Say whether an account gets the letter of the day."""
    wish = await store.wish_of(work, account.no)
    return account.no in await store.owners(work) if wish is None else wish


async def wish(work: Work, account: Account, *, wanted: bool) -> None:
    """Let an account have the letter of the day, or not. Twice is once."""
    await store.set_wish(work, account.no, wanted=wanted)
