"""What can be asked about somebody's telephone: whether there is one, and never the number."""

from sqlalchemy import Select, select

from mailer.kit.facets import Args, Facet, Parameter, Takes, choice
from mailer.kit.i18n import N_, _
from mailer.kit.work import Work
from mailer.phones.model import Phone

_HOWS = {
    "has": N_("we have a number of"),
    "may_call": N_("may be called"),
    "never": N_("asked never to be called"),
}


async def _with_phone(_work: Work, args: Args) -> Select[int]:
    found = select(Phone.subscriber_no)
    match args["how"]:
        case "never":
            return found.where(Phone.never_call)
        case "may_call":
            return found.where(Phone.sealed.is_not(None), Phone.never_call.is_(False))
        case _:
            return found.where(Phone.sealed.is_not(None))


async def _said(_work: Work, args: Args, *, holds: bool) -> str:
    positive, negative = {
        "has": (N_("have a phone number with us"), N_("have no phone number with us")),
        "may_call": (N_("may be called"), N_("may not be called")),
        "never": (N_("asked never to be called"), N_("did not ask never to be called")),
    }[args["how"]]
    return _(positive if holds else negative)


FACETS = (
    Facet(
        name="phone",
        group=N_("How they are reached"),
        words=N_("by phone"),
        negated=N_("not by phone"),
        parameters=(
            Parameter(name="how", takes=Takes.ONE, words=N_("How"), options=choice(**_HOWS)),
        ),
        numbers=_with_phone,
        sentence=_said,
    ),
)
