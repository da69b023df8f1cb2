"""How often at most somebody hears from us: as their level says, or less often than that.

Where the two differ the fewer emails win: the engine keeps both promises (`deliveries.promising`).
"""

from mailer.activity import actions as activity
from mailer.consent import store
from mailer.consent.model import Pace
from mailer.kit.errors import Invalid
from mailer.kit.work import Work
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber

AS_THE_LEVEL_SAYS = "level"


class PaceUnknown(Invalid):
    """Please choose how often at most we may write."""


async def hear_at_most(work: Work, subscriber: Subscriber, pace: str) -> bool:
    """Write to somebody no more often than this, or as their level says; say whether that is new.

    Alerts still reach them.
    """
    if pace not in {AS_THE_LEVEL_SAYS, *Pace}:
        raise PaceUnknown(field="pace")
    subscriber = await held(work, subscriber)
    if pace == AS_THE_LEVEL_SAYS:
        is_new = await store.hear_as_promised(work, subscriber.no) is not None
    else:
        is_new = await store.hear_at_most(work, subscriber.no, Pace(pace))
    if is_new:
        await activity.record(work, subscriber.no, "at_most", pace=pace)
    return is_new
