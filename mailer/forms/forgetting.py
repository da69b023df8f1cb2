"""Forgetting what sign-ups leave behind: answers that nobody said yes to, and where they came from.

A step of the worker.
"""

from datetime import timedelta

from mailer.consent import limiting
from mailer.consent import store as lists
from mailer.kit.rooms import Rooms
from mailer.kit.work import Work

ANSWERS_WAIT = timedelta(days=30)


async def forget_some(house: Rooms) -> bool:
    """Forget what has waited too long; there is never more at once."""
    async with house.work(reading=True) as work:
        answers = await lists.do_answers_wait(work, work.now - ANSWERS_WAIT)
        tallies = await limiting.are_tallies_old(work)
    if answers or tallies:
        async with house.work() as work:
            await forget_answers(work)
            await limiting.forget_tallies(work)
    return False


async def forget_answers(work: Work) -> int:
    """Forget the answers that nobody has said yes to within 30 days; say how many there were."""
    return await lists.forget_answers(work, work.now - ANSWERS_WAIT)
