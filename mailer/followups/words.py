"""What cases, outcomes and ends are called."""

from mailer.followups.model import CaseKind, CaseState, Outcome, Resolution, StepKind
from mailer.kit.i18n import N_

KINDS: dict[CaseKind, str] = {
    CaseKind.BLOCKED: N_("Asked for help"),
    CaseKind.SUPPORT: N_("Was promised support"),
    CaseKind.PAST_DUE: N_("Let a date go by"),
    CaseKind.READY: N_("Is ready to step up"),
    CaseKind.QUIET: N_("Has gone quiet"),
    CaseKind.ALERT: N_("Has not read an alert"),
    CaseKind.MANUAL: N_("To be remembered"),
}
STATES: dict[CaseState, str] = {
    CaseState.NEW: N_("Nobody’s yet"),
    CaseState.ASSIGNED: N_("Somebody looks after it"),
    CaseState.CONTACTED: N_("They were reached, and it goes on"),
    CaseState.WAITING: N_("It comes back"),
    CaseState.RESOLVED: N_("Over"),
}
OUTCOMES: dict[Outcome, str] = {
    Outcome.REACHED: N_("We spoke, and it is settled"),
    Outcome.CALL_BACK: N_("We spoke, and call again"),
    Outcome.NO_ANSWER: N_("Nobody answered"),
    Outcome.LEFT_MESSAGE: N_("A message was left"),
    Outcome.NOT_NOW: N_("It was no good time"),
    Outcome.WRONG_NUMBER: N_("The number was wrong"),
    Outcome.NEVER_CALL: N_("They do not want to be called"),
}
RESOLUTIONS: dict[Resolution, str] = {
    Resolution.REACHED: N_("We spoke, and it is settled"),
    Resolution.ANSWERED: N_("It settled itself"),
    Resolution.NOT_NOW: N_("They did not want to"),
    Resolution.NOT_REACHED: N_("They could not be reached"),
    Resolution.NOTED: N_("Something was noted"),
    Resolution.MERGED: N_("It goes on in another one"),
}
STEPS: dict[StepKind, str] = {
    StepKind.TRIED: N_("A call"),
    StepKind.ASSIGNED: N_("Passed on"),
    StepKind.NOTED: N_("A note"),
    StepKind.WROTE: N_("An email"),
    StepKind.ENDED: N_("Ended: they have answered otherwise"),
    StepKind.DATED: N_("Another day was set"),
}
