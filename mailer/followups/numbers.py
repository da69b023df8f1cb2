"""Whether the telephone number that is written down turned out to be somebody else's."""

from datetime import datetime

from mailer.activity import store as timeline
from mailer.followups import store
from mailer.followups.model import TALKED, Outcome
from mailer.kit.work import Work


async def wrong_since(work: Work, subscriber_no: int) -> datetime | None:
    """Give when somebody's number was found to be wrong; None where it was not.

    It holds until another number is written down, or somebody talked to them after all. The caller
    has asked whether they may be seen.
    """
    found: datetime | None = None
    for step in await store.steps_with(work, subscriber_no):
        if step.undone_at is not None:
            continue
        if step.outcome is Outcome.WRONG_NUMBER:
            found = step.at
        elif step.outcome in TALKED:
            found = None
    if found is None:
        return None
    noted = await timeline.lines_of(work, subscriber_no, kinds=("phone_noted",), limit=1)
    return None if noted and noted[0].at > found else found
