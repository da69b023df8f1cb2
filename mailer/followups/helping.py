"""A call for help: since when it stands, in whose words, and what was answered since.

A mail may be forwarded, and a link in it pressed by somebody else. So a call for help is answered
by its owner on a page of theirs, by an organiser, or by taking it back; an answer by a link of a
mail is shown beside it, and an organiser says when it is settled.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from mailer.asks import plain
from mailer.asks.model import Pledge, PledgeChange, PledgeState
from mailer.asks.reporting import SEAL, note_of
from mailer.followups.subjects import store as subjects
from mailer.kit.work import Door, Work

_FORWARDED = (Door.EMAIL, Door.SYSTEM)
"""Doors by which nobody answers a call for help: a link of a mail, and time."""


class Help(msgspec.Struct, frozen=True, kw_only=True):
    """A call for help that stands."""

    at: datetime
    words: str


async def help_of(work: Work, pledge: Pledge) -> Help | None:
    """Give the call for help that stands with a pledge; None where there is none, or no more."""
    changes = await subjects.answers_of(work, pledge.no)
    for place, change in enumerate(changes):
        if change.to_state is PledgeState.BLOCKED:
            words = _words_after(work, pledge, changes[:place])
            return Help(at=change.at, words=words)
        if change.door not in _FORWARDED:
            break
    if pledge.state is PledgeState.BLOCKED:
        # It came with another entry of theirs, and its steps did not.
        return Help(at=pledge.made_at, words=note_of(work, pledge))
    return None


def _words_after(work: Work, pledge: Pledge, since: Sequence[PledgeChange]) -> str:
    """Open what a pledge said before its newest steps: the first that replaced it kept it."""
    for change in reversed(since):
        if "note" in change.before:
            note = plain.read(change.before)["note"]
            return work.keys.unseal(SEAL, note) if note else ""
    return note_of(work, pledge)


async def may_end_it(work: Work, kind: str, door: Door, change_no: int | None) -> bool:
    """Say whether a line about an answer ends a call for help: an answer, or an undo of the call.

    `change_no` is the step that an undo took back.
    """
    if kind != "pledge_undone":
        return door not in _FORWARDED
    change = await subjects.change_of_pledge(work, change_no or 0)
    return change is not None and change.to_state is PledgeState.BLOCKED
