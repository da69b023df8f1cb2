"""Asks in every state, committed, made by the verbs."""

from typing import Any

from mailer.asks import composing, demands, pledging
from mailer.asks.model import Ask, Demand, Pledge
from mailer.bootstrap import House
from mailer.kit.work import Door
from mailer.subscribers.model import Subscriber

TITLE = {
    "en": "Put a standing item on the agenda",
    "fr": "Mettez un point à l’ordre du jour",
}


async def drafted(house: House, title: str | dict[str, str] = "", **said: Any) -> Ask:
    """Write an ask down."""
    words = {"en": title} if isinstance(title, str) else title
    async with house.work(door=Door.ADMIN) as work:
        return await composing.draft(work, title=words if title else TITLE, **said)


async def opened(house: House, title: str | dict[str, str] = "", **said: Any) -> Ask:
    """Write an ask down and open it."""
    ask = await drafted(house, title, **said)
    async with house.work(door=Door.ADMIN) as work:
        return await composing.open_ask(work, ask)


async def closed(house: House, title: str | dict[str, str] = "", **said: Any) -> Ask:
    """Let an ask have been open."""
    ask = await opened(house, title, **said)
    async with house.work(door=Door.ADMIN) as work:
        return await composing.close_ask(work, ask)


async def pledged(house: House, who: Subscriber, ask: Ask) -> Pledge:
    """Let somebody say yes."""
    async with house.work(door=Door.PAGE) as work:
        return await pledging.pledge(work, who, ask)


async def raised(house: House, title: str, text: str = "") -> Demand:
    """Raise a demand, and open it."""
    async with house.work(door=Door.ADMIN) as work:
        demand = await demands.raise_demand(work, title={"en": title}, text={"en": text})
        return await demands.open_demand(work, demand)
