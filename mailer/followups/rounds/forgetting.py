"""The worker's step: what was noted about a case is forgotten a year after it has ended.

That there was a call, and what came of it, stays in the timeline.
"""

from mailer.followups.model import NOTES_KEPT_FOR
from mailer.followups.rounds import store
from mailer.kit.rooms import Rooms

_AT_ONCE = 200


async def forget_notes(house: Rooms) -> bool:
    """Forget the notes of cases that ended more than a year ago, some at a time."""
    async with house.work(reading=True) as work:
        if not await store.is_any_noted(work, work.now - NOTES_KEPT_FOR):
            return False
    async with house.work() as work:
        before = work.now - NOTES_KEPT_FOR
        return await store.forget_notes(work, before, limit=_AT_ONCE) == _AT_ONCE
