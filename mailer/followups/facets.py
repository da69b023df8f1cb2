"""What can be asked about who waits for an organiser, and who was talked to."""

from sqlalchemy import Select, select

from mailer.followups.model import TALKED, FollowUp, FollowUpStep, StepKind
from mailer.kit.facets import Args, Facet, Parameter, Takes, choice, repeats, since
from mailer.kit.i18n import N_, _, ngettext
from mailer.kit.work import Work

_HOWS = {
    "waits": N_("wait for an organiser"),
    "called": N_("were called, whether or not anybody answered"),
    "talked": N_("were talked to"),
}


async def _followed(work: Work, args: Args) -> Select[int]:
    """Find who waits, counted from when it began; or who was called, from the call."""
    if args["how"] == "waits":
        waits = select(FollowUp.subscriber_no).where(FollowUp.resolved_at.is_(None))
        if "days" in args:
            waits = waits.where(FollowUp.opened_at >= since(work, args["days"]))
        return repeats(waits)
    called = select(FollowUpStep.subscriber_no).where(
        FollowUpStep.kind == StepKind.TRIED, FollowUpStep.undone_at.is_(None)
    )
    if args["how"] == "talked":
        called = called.where(FollowUpStep.outcome.in_(TALKED))
    if "days" in args:
        called = called.where(FollowUpStep.at >= since(work, args["days"]))
    return repeats(called)


async def _said(_work: Work, args: Args, *, holds: bool) -> str:
    positive, negative = {
        "waits": (N_("wait for an organiser"), N_("do not wait for an organiser")),
        "called": (N_("were called"), N_("were not called")),
        "talked": (N_("were talked to"), N_("were not talked to")),
    }[args["how"]]
    words = _(positive if holds else negative)
    if "days" not in args:
        return words
    lately = ngettext(
        "%(what)s in the last %(days)s day", "%(what)s in the last %(days)s days", args["days"]
    )
    return lately % {"what": words, "days": args["days"]}


FACETS = (
    Facet(
        name="follow_up",
        group=N_("What they did"),
        words=N_("are followed up, and"),
        negated=N_("are not followed up, or not so"),
        parameters=(
            Parameter(name="how", takes=Takes.ONE, words=N_("What"), options=choice(**_HOWS)),
            Parameter(name="days", takes=Takes.DAYS, words=N_("In the last days"), needed=False),
        ),
        numbers=_followed,
        sentence=_said,
    ),
)
