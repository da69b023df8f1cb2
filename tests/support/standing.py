"""Where somebody stands, read anew."""

from mailer.asks import store as asks
from mailer.asks.model import Ask, Pledge
from mailer.bootstrap import House
from mailer.subscribers.model import Subscriber
from mailer.tiers import store as ladder


async def level_of(house: House, who: Subscriber) -> str:
    """Name the level that holds for somebody; none, where none does."""
    async with house.work(reading=True) as work:
        tier = await ladder.chosen(work, who.no)
        return tier.slug if tier else ""


async def answer_of(house: House, who: Subscriber, ask: Ask) -> Pledge | None:
    """Give what somebody has answered to an ask."""
    async with house.work(reading=True) as work:
        return await asks.pledge_of(work, who.no, ask.no)
