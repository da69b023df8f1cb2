"""What cases are about, in words: an ask, a level, an alert."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from mailer.followups.model import CaseKind, FollowUp
from mailer.followups.subjects import store as subjects
from mailer.kit.i18n import in_language
from mailer.kit.work import Work

_Names = Callable[[Work, Collection[int]], Awaitable[Mapping[int, str]]]
_ALERTS: list[_Names] = []


def alerts_are_named_by(ask: _Names) -> None:
    """Let this name alerts by their numbers; campaigns stand above us."""
    _ALERTS[:] = [ask]


async def subjects_of(work: Work, cases: Sequence[FollowUp]) -> dict[int, str]:
    """Say what each case is about, by the number of the case; what is about nobody's is not in it.

    The caller has asked whether they may see whose the cases are.
    """
    answered = await subjects.pledges_about(work, cases)
    found = {no: in_language(ask.title) for no, (_pledge, ask) in answered.items()}
    for kind in (CaseKind.READY, CaseKind.QUIET):
        of_this = [case for case in cases if case.kind is kind]
        levels = await subjects.levels(work, kind, [case.subject_no for case in of_this])
        for case in of_this:
            if case.subject_no in levels:
                found[case.no] = in_language(levels[case.subject_no].name)
    alerts = {case.no: case.subject_no for case in cases if case.kind is CaseKind.ALERT}
    if alerts and _ALERTS:
        names = await _ALERTS[0](work, set(alerts.values()))
        found |= {no: names[subject] for no, subject in alerts.items() if subject in names}
    return found
