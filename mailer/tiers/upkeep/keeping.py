"""The worker's step: one batch of whatever time has made due on the ladder."""

from functools import partial

from mailer.kit.rooms import Rooms
from mailer.kit.work import Work
from mailer.tiers import store as tiers
from mailer.tiers.model import ANSWER_WITHIN, Tier
from mailer.tiers.requesting import expire_requests
from mailer.tiers.upkeep import lapsing, rounds, store, yearly
from mailer.tiers.upkeep.store import Stretch

REQUESTS = 50
YEARLY = "yearly"


async def keep_some(house: Rooms) -> bool:
    """End requests that nobody answered, go on with what was asked, walk on; say if there is more.

    Each is a unit of work of its own; where nothing is due nothing is written.
    """
    async with house.work(reading=True) as work:
        requests = await tiers.waits_since(work, work.now - ANSWER_WITHIN)
        questions = await store.is_a_question_due(work)
        walks: dict[str, rounds.Walk] = {
            _name(tier): partial(_ask, tier)
            for tier in lapsing.may_lapse(await tiers.ladder(work))
            if await rounds.is_due(work, _name(tier))
        }
        if await rounds.is_due(work, YEARLY):
            walks[YEARLY] = _tell
    more = False
    if requests:
        async with house.work() as work:
            more |= await expire_requests(work, limit=REQUESTS) == REQUESTS
    if questions:
        async with house.work() as work:
            more |= await lapsing.go_on(work) == lapsing.BATCH
    for name, walk in walks.items():
        async with house.work() as work:
            more |= await rounds.go_on(work, name, walk)
    return more


def _name(tier: Tier) -> str:
    return f"lapse {tier.no}"


async def _ask(tier: Tier, work: Work, after: int, most: int) -> tuple[Stretch, int]:
    stretch = await lapsing.ask_the_quiet(work, tier, after=after, most=most, limit=rounds.STRETCH)
    return stretch, len(stretch.people)


async def _tell(work: Work, after: int, most: int) -> tuple[Stretch, int]:
    stretch = await yearly.tell_the_next(work, after=after, most=most, limit=rounds.STRETCH)
    return stretch, len(stretch.people)
