"""What can be asked about the campaigns somebody got, or was to get and did not.

Rows of deliveries are kept for a while only: of what is longer ago nobody can be asked.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, select

from mailer.campaigns.model import Campaign
from mailer.deliveries.fates import is_failed, is_refused, may_have_it
from mailer.deliveries.model import FIRST_RUN, Delivery, Reason, last_word
from mailer.kit.facets import (
    Args,
    Facet,
    Option,
    Parameter,
    Takes,
    choice,
    number_of,
    only_if,
    repeats,
    since,
)
from mailer.kit.i18n import N_, _, ngettext
from mailer.kit.work import Work
from mailer.outbox.model import DeliveryState
from mailer.subscribers.facets import not_erased

ANY = "any"
_MOST_OFFERED = 200

_HOWS = {"got": N_("got it"), "missed": N_("were to get it and did not")}

_SKIPPED = (
    Reason.SUPPRESSED,
    Reason.UNSUBSCRIBED,
    Reason.PAUSED,
    Reason.ONLY_URGENT,
    Reason.STOPPED,
    Reason.NO_ADDRESS,
    Reason.BAD_ADDRESS,
    Reason.CANCELLED,
)
_WHYS = {
    "refused": N_("their mail server refused it"),
    "failed": N_("it was given up after days of trying"),
    "waiting": N_("it has not gone out yet"),
}


async def _campaigns(work: Work, args: Args) -> list[Option]:
    """Offer the newest that have begun, and the one that is chosen, however old."""
    begun = (
        select(Campaign.no, Campaign.name)
        .where(Campaign.started_at.is_not(None))
        .order_by(Campaign.no.desc())
    )
    found = dict((await work.session.execute(begun.limit(_MOST_OFFERED))).all())
    chosen = number_of(args, "campaign")
    if chosen is not None and chosen not in found:
        found |= dict((await work.session.execute(begun.where(Campaign.no == chosen))).all())
    named = [Option(str(no), name) for no, name in found.items()]
    return [Option(ANY, N_("any campaign")), *named]


async def _whys(_work: Work, _args: Args) -> list[Option]:
    skipped = [Option(reason.value, last_word(reason.value)) for reason in _SKIPPED]
    return [*[Option(why, words) for why, words in _WHYS.items()], *skipped]


def _did_not_get_it(why: str | None) -> ColumnElement[bool]:
    match why:
        case None:
            return ~may_have_it()
        case "refused":
            return is_refused()
        case "failed":
            return is_failed(or_left_in_doubt=False)
        case "waiting":
            return Delivery.state.in_(_WAITING)
        case reason:
            return (Delivery.state == DeliveryState.SKIPPED) & (Delivery.reply == reason)


_WAITING = (
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.SENDING,
    DeliveryState.DEFERRED,
)


async def _written_to(work: Work, args: Args) -> Select[int]:
    """Look into the rows of the campaign, or of all that had begun or were going on lately.

    The key begins with the campaign, and there is no index by person: rows are written too often.
    """
    number = number_of(args, "campaign")
    found = select(Delivery.subscriber_no).where(
        Delivery.run == FIRST_RUN, not_erased(work, Delivery.subscriber_no)
    )
    if args["how"] == "got":
        found = found.where(may_have_it())
    else:
        found = found.where(_did_not_get_it(args.get("why")))
    if number is not None:
        return found.where(Delivery.campaign_no == number)
    lately = since(work, args["days"])
    found = found.where(
        Delivery.campaign_no.in_(await _going_on(work, lately)), Delivery.at >= lately
    )
    return repeats(found)


async def _going_on(work: Work, lately: datetime) -> list[int]:
    """Give the campaigns that were not over then."""
    found = await work.session.scalars(
        select(Campaign.no).where(
            Campaign.started_at.is_not(None),
            Campaign.ended_at.is_(None) | (Campaign.ended_at >= lately),
        )
    )
    return list(found)


async def _said(work: Work, args: Args, *, holds: bool) -> str:
    number = number_of(args, "campaign")
    if number is None:
        return _lately_said(args, holds=holds)
    name = await work.session.scalar(select(Campaign.name).where(Campaign.no == number))
    positive, negative = {
        "got": (N_("got “%(campaign)s”"), N_("did not get “%(campaign)s”")),
        "missed": (
            N_("were to get “%(campaign)s” and did not"),
            N_("were not to get “%(campaign)s”, or got it"),
        ),
    }[args["how"]]
    words = _(positive if holds else negative) % {"campaign": name or ""}
    return await _because(work, args, words)


def _lately_said(args: Args, *, holds: bool) -> str:
    if args["how"] == "got":
        words = (
            ngettext(
                "got a campaign in the last %(days)s day",
                "got a campaign in the last %(days)s days",
                args["days"],
            )
            if holds
            else ngettext(
                "got no campaign in the last %(days)s day",
                "got no campaign in the last %(days)s days",
                args["days"],
            )
        )
    else:
        words = (
            ngettext(
                "missed a campaign in the last %(days)s day",
                "missed a campaign in the last %(days)s days",
                args["days"],
            )
            if holds
            else ngettext(
                "missed no campaign in the last %(days)s day",
                "missed no campaign in the last %(days)s days",
                args["days"],
            )
        )
    return words % {"days": args["days"]}


async def _because(work: Work, args: Args, words: str) -> str:
    if "why" not in args:
        return words
    reasons = {option.value: option.words for option in await _whys(work, args)}
    return _("%(what)s (%(why)s)") % {"what": words, "why": _(reasons[args["why"]])}


FACETS = (
    Facet(
        name="campaign",
        group=N_("What we sent"),
        words=N_("of a campaign"),
        negated=N_("not of a campaign"),
        parameters=(
            Parameter(name="how", takes=Takes.ONE, words=N_("What"), options=choice(**_HOWS)),
            Parameter(name="campaign", takes=Takes.ONE, words=N_("Campaign"), options=_campaigns),
            Parameter(
                name="days",
                takes=Takes.DAYS,
                words=N_("In the last days"),
                fits=only_if("campaign", ANY),
            ),
            Parameter(
                name="why",
                takes=Takes.ONE,
                words=N_("Why"),
                needed=False,
                options=_whys,
                fits=only_if("how", "missed"),
            ),
        ),
        numbers=_written_to,
        sentence=_said,
    ),
)
