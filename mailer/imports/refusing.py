"""The ways an import says no, which several of its verbs share."""

from mailer.kit.errors import Conflict, Forbidden, Invalid, NotFound
from mailer.kit.work import Work


class ImportUnknown(NotFound):
    """There is no such import."""


class ListNeeded(Invalid):
    """Please choose the list that these people join."""


class BasisNeeded(Invalid):
    """Please say how these people agreed, or that they are to be asked."""


class EvidenceNeeded(Invalid):
    """Please write down when and how they agreed, in one sentence or more. It is kept as proof."""


class NobodyToImport(Conflict):
    """No line of this file changes anything, so there is nothing to import."""


class AlreadyDecided(Conflict):
    """This file was decided on before. Read it again to import it once more."""


class AlreadyApplied(Conflict):
    """This import is complete, so there is nothing left to stop."""


class NotRead(Conflict):
    """This file is still being read. Please wait until every line has been looked at."""


class NothingToUndo(Conflict):
    """Nothing of this file was imported, so there is nothing to undo."""


class StillApplying(Conflict):
    """This import is still going on. Stop it first; then what was done can be undone."""


class AlreadyMailed(Conflict):
    """People of this file have been written to since, so it can no longer be undone as a whole."""


class UndoTooLate(Conflict):
    """This can no longer be undone: 7 days have gone by."""


class ImportOutOfReach(Forbidden):
    """A file may name anybody. Files are for those who may see everybody on the roll."""


def refuse_scoped(work: Work) -> None:
    """Refuse whoever sees only the people of some groups."""
    if work.scope is not None:
        raise ImportOutOfReach
