"""Choosing: which ask a campaign offers to whom.

Each person's best open ask is one that they have not answered, that is meant for people like them
and for their level, and that fits into the minutes a month for which their level asks. Of those it
is the one that was offered to them least recently, and what never was before what was; among equals
the one with the nearest deadline. Where none is left, nothing is offered.
"""

from collections.abc import Sequence

from sqlalchemy import Select

from mailer.asks import store
from mailer.asks.model import Ask
from mailer.asks.offers import store as offers
from mailer.kit.work import Work

AT_MOST = 12
"""Asks among which a campaign chooses: each stands in what is compiled, in every language."""


async def candidates(work: Work) -> Sequence[Ask]:
    """Give the open asks that have room, the nearest deadline first; 12 at most."""
    found = await store.open_asks(work)
    fit: list[Ask] = []
    while found and len(fit) < AT_MOST:
        fit += await _with_room(work, found[:AT_MOST])
        found = found[AT_MOST:]
    return fit[:AT_MOST]


async def _with_room(work: Work, some: Sequence[Ask]) -> list[Ask]:
    taken = await store.places_taken(work, [one.no for one in some if one.capacity is not None])
    return [one for one in some if one.capacity is None or taken.get(one.no, 0) < one.capacity]


async def takes_too_long(work: Work, ask: Ask) -> bool:
    """Say whether an ask takes more time than any level gives: only the highest is offered it."""
    return await offers.takes_too_long(work, ask)


async def choose(
    work: Work, campaign_no: int, recipients: Select[int], among: Sequence[Ask]
) -> None:
    """Write down each recipient's best ask among some; who has none gets no row.

    `recipients` gives the numbers of people.
    """
    await offers.write_best(work, campaign_no, recipients, among)


async def offer(work: Work, campaign_no: int, recipients: Select[int], ask: Ask) -> None:
    """Write down that a campaign offers one ask to all who get it and may be offered it.

    An organiser chose it, so it need not fit into the minutes of anybody's level; but whoever has
    answered it, for whom it is not meant, or who is below its level is not offered it.
    """
    await offers.write_one(work, campaign_no, recipients, ask)


async def best_for(work: Work, subscriber_no: int) -> Ask | None:
    """Give the best open ask of one person, by the same rule. The caller asked whether they may."""
    return await offers.best_for(work, subscriber_no, await candidates(work))


async def forget(work: Work, campaign_no: int) -> None:
    """Take back what a campaign was to offer: it goes back to draft, or never goes."""
    await offers.forget(work, campaign_no)


async def take_back(work: Work, campaign_no: int, people: Select[int]) -> None:
    """Take back what a campaign was to offer to some, whom it never reached.

    `people` gives their numbers.
    """
    await offers.take_back(work, campaign_no, people)
