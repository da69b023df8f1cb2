"""What can be asked about what somebody said yes to and did."""

from sqlalchemy import Select, select

from mailer.asks import store
from mailer.asks.model import STANDS, TO_DO, Ask, AskState, Pledge, PledgeState
from mailer.kit.facets import (
    Args,
    Facet,
    Option,
    Parameter,
    Takes,
    choice,
    number_of,
    repeats,
    since,
    uses_the,
)
from mailer.kit.i18n import N_, _, in_language, ngettext
from mailer.kit.work import Work

ANY = "any"

_HOWS = {
    "pledged": N_("said yes"),
    "done": N_("did it"),
    "not_done": N_("said yes, and have not done it"),
    "blocked": N_("need help with it"),
    "declined": N_("said no"),
}
_IS = {
    "pledged": Pledge.state.in_(STANDS),
    "done": Pledge.done_at.is_not(None),  # also who is asked again since
    "not_done": Pledge.state.in_(TO_DO),
    "blocked": Pledge.state == PledgeState.BLOCKED,
    "declined": Pledge.state == PledgeState.DECLINED,
}


async def _asks(work: Work, _args: Args) -> list[Option]:
    named = [Option(str(ask.no), in_language(ask.title)) for ask in await store.begun(work)]
    return [Option(ANY, N_("any ask")), *named]


async def _pledged(work: Work, args: Args) -> Select[int]:
    """Find who said yes, or did it. The days are counted from the yes, or from when it was done."""
    number = number_of(args, "ask")
    how = args["how"]
    found = select(Pledge.subscriber_no).where(_IS[how])
    if number is not None:
        found = found.where(Pledge.ask_no == number)
    if "days" in args:
        when = Pledge.done_at if how == "done" else Pledge.made_at
        found = found.where(when >= since(work, args["days"]))
    elif number is None:  # the index begins with the ask, and there are few
        found = found.where(Pledge.ask_no.in_(select(Ask.no).where(Ask.state != AskState.DRAFT)))
    return found if number is not None else repeats(found)


async def _said(work: Work, args: Args, *, holds: bool) -> str:
    number = number_of(args, "ask")
    ask = None if number is None else await store.by_no(work, number)
    positive, negative = {
        "pledged": (N_("said yes to %(ask)s"), N_("did not say yes to %(ask)s")),
        "done": (N_("have done %(ask)s"), N_("have not done %(ask)s")),
        "not_done": (
            N_("said yes to %(ask)s and have not done it"),
            N_("do not have %(ask)s still to do"),
        ),
        "blocked": (N_("need help with %(ask)s"), N_("do not need help with %(ask)s")),
        "declined": (N_("said no to %(ask)s"), N_("did not say no to %(ask)s")),
    }[args["how"]]
    named = _("“%(title)s”") % {"title": in_language(ask.title)} if ask else _("any ask")
    words = _(positive if holds else negative) % {"ask": named}
    if "days" not in args:
        return words
    lately = ngettext(
        "%(what)s in the last %(days)s day", "%(what)s in the last %(days)s days", args["days"]
    )
    return lately % {"what": words, "days": args["days"]}


FACETS = (
    Facet(
        name="ask",
        group=N_("What they did"),
        words=N_("were asked, and"),
        negated=N_("were not asked, or did not"),
        parameters=(
            Parameter(name="how", takes=Takes.ONE, words=N_("What"), options=choice(**_HOWS)),
            Parameter(name="ask", takes=Takes.ONE, words=N_("Ask"), options=_asks),
            Parameter(name="days", takes=Takes.DAYS, words=N_("In the last days"), needed=False),
        ),
        numbers=_pledged,
        sentence=_said,
        uses=uses_the("ask", "ask"),
    ),
)
