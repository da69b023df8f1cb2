"""Erasing a person: nothing that says who they were remains, but for a mark if they want one.

Every slice forgets its rows (`record.forget`). The row of the person stays, emptied: its number
stands in the counts of campaigns, which go on to sum to what was frozen, and is never given to
anybody else. Links in old mails lead nowhere from then on. Nobody can undo it.

A campaign that is being sent does not reach them any more: the last transaction before the body
finds their row empty and leaves them out.
"""

import enum
from collections.abc import Collection, Sequence

from mailer.activity import record as activity
from mailer.asks import record as asks
from mailer.audit import actions as audit
from mailer.bulk import record as bulk
from mailer.consent import record as consent
from mailer.consent import store as consents
from mailer.deliveries import record as deliveries
from mailer.deliveries.letters_of_roll import ERASED
from mailer.fields import record as fields
from mailer.followups import record as followups
from mailer.groups import record as groups
from mailer.imports import record as imports
from mailer.kit.errors import Forbidden
from mailer.kit.i18n import N_
from mailer.kit.rows import add_missing
from mailer.kit.work import Work
from mailer.outbox import record as letters
from mailer.outbox.actions import Post, post
from mailer.outbox.model import Lane, Needs
from mailer.phones import record as phones
from mailer.records import record as records
from mailer.subscribers import record as subscribers
from mailer.subscribers import store as people
from mailer.subscribers.actions import held
from mailer.subscribers.model import Subscriber, Suppression, SuppressionReason
from mailer.tags import record as tags
from mailer.tiers import record as tiers

# Higher rooms first: what names the row of another goes before that other.
_SLICES = (
    records,
    imports,
    bulk,
    deliveries,
    followups,
    asks,
    tiers,
    fields,
    phones,
    consent,
    tags,
    groups,
    subscribers,
    activity,
)


class ErasingIsForAll(Forbidden):
    """Erasing changes what other groups see, too. Please ask somebody who looks after everybody."""


class Remains(enum.StrEnum):
    """What remains of somebody."""

    MARK = "mark"  # a scrambled mark of their address, so that no file adds them again
    NOTHING = "nothing"


class Ground(enum.StrEnum):
    """Why somebody is erased. A choice and no text, for a text might say who they were."""

    THEY_DID = "they_did"  # by themselves, from a private link
    ASKED = "asked"
    DIED = "died"
    MISTAKE = "mistake"
    NOT_NEEDED = "not_needed"


GROUNDS = {
    Ground.THEY_DID: N_("They did it themselves"),
    Ground.ASKED: N_("They asked for it"),
    Ground.DIED: N_("They have died"),
    Ground.MISTAKE: N_("They were never to be on the roll"),
    Ground.NOT_NEEDED: N_("We have no reason to keep it any more"),
}
"""Each in words; everybody but the dead gets a letter."""

CHOICES = (Ground.ASKED, Ground.DIED, Ground.MISTAKE, Ground.NOT_NEEDED)
"""What an organiser can say."""


async def erase(work: Work, subscriber: Subscriber, *, remains: Remains, ground: Ground) -> None:
    """Leave nothing that says who somebody was, in no table; with them go the rows merged into it.

    They are told by one letter, unless they have died or are never written to; its address goes
    with it. Refuses for an account with a scope. Nothing takes it back.
    """
    ask_for_all(work)
    subscriber = await held(work, subscriber)
    numbers = await subscribers.with_merged(work, subscriber.no)
    marks = {mark for no in numbers for mark in await subscribers.marks_of(work, no)}
    to_addresses = [key for no in numbers for key in await _letters_to_addresses(work, no, marks)]
    marks -= await subscribers.others_have(work, marks, numbers)
    if ground is not Ground.DIED:
        await _tell(work, subscriber)
    for no in numbers:
        await letters.forget(work, no, dedupe_keys=to_addresses)
        for slice_ in _SLICES:
            await slice_.forget(work, no)
        await subscribers.empty(work, no)
    await _leave(work, sorted(marks), remains)
    await audit.note(
        work,
        "subscriber_erased",
        subscriber=subscriber.no,
        remains=remains.value,
        ground=ground.value,
    )


def ask_for_all(work: Work) -> None:
    """Refuse for an account with a scope."""
    if work.scope is not None:
        raise ErasingIsForAll


async def _tell(work: Work, subscriber: Subscriber) -> None:
    """Post the receipt while the address is known, unless it is never written to.

    To the address and not to the person: the outbox forgets an address when its letter is settled.
    """
    if subscriber.address is None or subscriber.stopped_at is not None:
        return
    if await consents.is_suppressed(work, subscriber):
        return
    await post(
        work,
        Post(
            kind=ERASED,
            dedupe_key=f"{ERASED}:{subscriber.no}",
            language=subscriber.language,
            address=subscriber.address,
            lane=Lane.URGENT,
            needs=Needs.NOTHING,
        ),
    )


async def _letters_to_addresses(work: Work, no: int, marks: Collection[str]) -> list[str]:
    """Name the letters that went to an address of somebody and not to their number."""
    changes = await people.address_changes_of(work, no)
    return [
        *[f"address-change-confirm:{change.no}" for change in changes],
        *[f"address-changed:{change.no}" for change in changes],
        *await records.letters_to_addresses(work, no, marks),
    ]


async def _leave(work: Work, marks: Sequence[str], remains: Remains) -> None:
    """Leave the marks of the addresses they had on the suppression list, or take them off it."""
    if remains is Remains.MARK:
        row = {
            "reason": SuppressionReason.ERASED,
            "at": work.now,
            "door": work.door,
            "account_no": work.account,
        }
        await add_missing(work, Suppression, [{"mark": mark, **row} for mark in marks])
        return
    for mark in marks:
        if (standing := await people.suppression(work, mark)) is not None:
            await people.lift(work, standing)
