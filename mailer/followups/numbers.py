"""Whether the telephone number that is written down turned out to be somebody else's.

A number is known by the consent that came with it, so that nothing of the number itself is kept.
"""

from datetime import datetime

from mailer.activity import store as timeline
from mailer.followups import store
from mailer.followups.model import HELD_FOR, TALKED, FollowUp, Outcome
from mailer.kit.work import Work
from mailer.phones import store as phones

WAS_RIGHT = TALKED | {Outcome.NOT_NOW, Outcome.NEVER_CALL}
"""After these somebody was at the other end."""

DIALLED = "dialled"  # the fact of a step: with which consent the number came that was wrong


async def dialled(work: Work, found: FollowUp) -> int | None:
    """Give with which consent the number came that was dialled for a case; None if unknown.

    Whoever took the case and wrote down another number before saying that one was wrong meant the
    one before.
    """
    phone = await phones.of(work, found.subscriber_no)
    if phone is None or phone.sealed is None:
        return None
    noted = await timeline.lines_of(work, found.subscriber_no, kinds=("phone_noted",), limit=1)
    if found.held_until is not None and noted and noted[0].at > found.held_until - HELD_FOR:
        return None
    return phone.consent_no


async def wrong_since(work: Work, subscriber_no: int) -> datetime | None:
    """Give when the number that stands was found to be wrong; None where it was not.

    It holds until somebody talked to them after all. The caller has asked whether they may be seen.
    """
    phone = await phones.of(work, subscriber_no)
    if phone is None or phone.consent_no is None:
        return None
    found: datetime | None = None
    for step in await store.steps_with(work, subscriber_no):
        if step.undone_at is not None:
            continue
        if step.outcome is Outcome.WRONG_NUMBER and step.before.get(DIALLED) == phone.consent_no:
            found = step.at
        elif step.outcome in WAS_RIGHT:
            found = None
    return found
