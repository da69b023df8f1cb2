"""Correcting: what was wrong is said to those who got it, and to nobody else.

A correction is a campaign of its own, with words, a review and a confirmation like any other. Who
gets it is decided when it is frozen: exactly those to whom the first was handed over by then, as
far as they may still be written to.
"""

from mailer.audit import actions as audit
from mailer.campaigns import composing, store
from mailer.campaigns.model import Campaign, Kind
from mailer.kit.errors import Conflict
from mailer.kit.i18n import N_, _, speaking
from mailer.kit.work import Work

_SUBJECT = N_("Correction: %(subject)s")
_ALONE = N_("A correction")  # where the subject is too long to be marked
_LONGEST = 250  # as composing takes them


class NobodyHasIt(Conflict):
    """This campaign has not begun, so nobody has anything to be corrected. Change it instead."""


async def correct(work: Work, first: Campaign) -> Campaign:
    """Begin a correction: an alert that still says what the first said, with a subject to tell.

    The subject is marked in each language in which the first is written.
    """
    if first.started_at is None:
        raise NobodyHasIt
    correction = await composing.begin(
        work, name=(_("Correction: %(name)s") % {"name": first.name})[:200], kind=Kind.ALERT
    )
    correction.corrects_no = first.no
    correction.list_no = first.list_no
    correction.to_everybody = True  # of those who got it, whatever their level is now
    correction.in_archive = first.in_archive
    await work.session.flush()
    written = await store.newest_revision(work, first)
    if written is not None:
        words = {code: _marked(code, said) for code, said in written.document.items()}
        await composing.revise(work, correction, words=words)
    await audit.note(work, "correction_begun", campaign=first.no)
    return correction


def _marked(code: str, said: dict[str, str]) -> dict[str, str]:
    """Say in a subject that this is a correction; of a correction it is said already."""
    with speaking(code):
        mark = _(_SUBJECT)
        alone = _(_ALONE)
    if not said["subject"] or said["subject"].startswith(mark % {"subject": ""}):
        return said
    marked = mark % {"subject": said["subject"]}
    # Cut short it might end within a merge field.
    return {**said, "subject": marked if len(marked) <= _LONGEST else alone}
