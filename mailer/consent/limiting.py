"""How many may sign up from one network in an hour: enough for a hall full of people on one wifi.

Whoever holds more networks than that is held up by the ration of letters to each address. What is
kept of a network is a mark that nobody without our key can turn back, for an hour.
"""

from datetime import datetime

from mailer.consent import store
from mailer.kit.errors import Conflict
from mailer.kit.work import Work

SIGN_UPS_AN_HOUR = 300


class TooManySignUps(Conflict):
    """Very many people sign up from your network just now. Please try again in an hour."""


async def note_sign_up(work: Work, network: str) -> None:
    """Count one sign-up from a network; refuse it when there were too many in this hour.

    Call it in one unit of work with the sign-up: what is refused for a mistake is not counted.
    """
    mark = work.keys.scramble("sign-ups", network)
    if await store.count_sign_up(work, mark, _hour(work)) > SIGN_UPS_AN_HOUR:
        raise TooManySignUps


async def are_tallies_old(work: Work) -> bool:
    """Say whether there is anything to forget."""
    return await store.are_tallies_old(work, _hour(work))


async def forget_tallies(work: Work) -> None:
    """Forget from which networks people came before this hour."""
    await store.forget_tallies(work, _hour(work))


def _hour(work: Work) -> datetime:
    return work.now.replace(minute=0, second=0, microsecond=0)
