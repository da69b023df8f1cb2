"""What can be asked about somebody's lists, how they agreed, and where they stand."""

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Exists,
    Select,
    and_,
    exists,
    not_,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from mailer.consent import store
from mailer.consent.model import (
    ConsentRecord,
    MailingList,
    SubscriberState,
    Subscription,
    SubscriptionState,
)
from mailer.kit.facets import (
    Args,
    Facet,
    Option,
    Parameter,
    Takes,
    choice,
    in_order,
    number_of,
    repeats,
    since,
    uses_the,
)
from mailer.kit.i18n import N_, _, in_language
from mailer.kit.work import Door, Work
from mailer.subscribers.facets import DOORS, living, not_erased
from mailer.subscribers.model import Subscriber, Suppression, visible

ANY = "any"


async def _lists(work: Work, _args: Args) -> list[Option]:
    """Offer the closed lists too: whoever was on them is still asked about."""
    return [Option(str(one.no), in_language(one.name)) for one in await store.all_lists(work)]


async def _any_list(work: Work, args: Args) -> list[Option]:
    return [Option(ANY, N_("any list")), *await _lists(work, args)]


async def _name_of_list(work: Work, args: Args) -> str:
    number = number_of(args, "list")
    found = None if number is None else await store.list_by_no(work, number)
    return in_language(found.name) if found else _("any list")


# --- on a list ------------------------------------------------------------------------------------

_STATES = {
    SubscriptionState.CONFIRMED.value: N_("are on it"),
    SubscriptionState.UNCONFIRMED.value: N_("have not confirmed it"),
    SubscriptionState.UNSUBSCRIBED.value: N_("have left it"),
}
_WHEN = {
    SubscriptionState.CONFIRMED: Subscription.confirmed_at,
    SubscriptionState.UNCONFIRMED: Subscription.asked_at,
    SubscriptionState.UNSUBSCRIBED: Subscription.ended_at,
}


async def _on_list(work: Work, args: Args) -> Select[int]:
    state = SubscriptionState(args["state"])
    found = select(Subscription.subscriber_no).where(
        Subscription.list_no == number_of(args, "list"), Subscription.state == state
    )
    if "days" in args:
        return found.where(_WHEN[state] >= since(work, args["days"]))
    return in_order(found)


async def _list_said(work: Work, args: Args, *, holds: bool) -> str:
    words = (_LISTED_LATELY if "days" in args else _LISTED)[SubscriptionState(args["state"])]
    return _(words[0 if holds else 1]) % {
        "list": await _name_of_list(work, args),
        "days": args.get("days", 0),
    }


_LISTED = {
    SubscriptionState.CONFIRMED: (
        N_("are on the list %(list)s"),
        N_("are not on the list %(list)s"),
    ),
    SubscriptionState.UNCONFIRMED: (
        N_("have not confirmed the list %(list)s yet"),
        N_("are not waiting to confirm the list %(list)s"),
    ),
    SubscriptionState.UNSUBSCRIBED: (
        N_("have left the list %(list)s"),
        N_("have not left the list %(list)s"),
    ),
}
_LISTED_LATELY = {
    SubscriptionState.CONFIRMED: (
        N_("came to the list %(list)s in the last %(days)s days"),
        N_("did not come to the list %(list)s in the last %(days)s days"),
    ),
    SubscriptionState.UNCONFIRMED: (
        N_("were asked in the last %(days)s days to confirm the list %(list)s, and have not"),
        N_("do not wait since the last %(days)s days to confirm the list %(list)s"),
    ),
    SubscriptionState.UNSUBSCRIBED: (
        N_("left the list %(list)s in the last %(days)s days"),
        N_("did not leave the list %(list)s in the last %(days)s days"),
    ),
}


LIST = Facet(
    name="list",
    group=N_("Lists and consent"),
    words=N_("on the list"),
    negated=N_("not on the list"),
    parameters=(
        Parameter(name="list", takes=Takes.ONE, words=N_("List"), options=_lists),
        Parameter(name="state", takes=Takes.ONE, words=N_("How"), options=choice(**_STATES)),
        Parameter(name="days", takes=Takes.DAYS, words=N_("In the last days"), needed=False),
    ),
    numbers=_on_list,
    sentence=_list_said,
    uses=uses_the("list", "list"),
)


# --- how they agreed ------------------------------------------------------------------------------


async def _agreed(work: Work, args: Args) -> Select[int]:
    number = number_of(args, "list")
    found = select(ConsentRecord.subscriber_no).where(
        ConsentRecord.given, not_erased(work, ConsentRecord.subscriber_no)
    )
    if number is None:
        found = found.where(ConsentRecord.list_no.in_(select(MailingList.no)))
    else:
        found = found.where(ConsentRecord.list_no == number)
    if "door" in args:
        found = found.where(ConsentRecord.door == Door(args["door"]))
    return repeats(found)


async def _agreed_said(work: Work, args: Args, *, holds: bool) -> str:
    facts = {"list": await _name_of_list(work, args)}
    if "door" not in args:
        words = _("agreed once to %(list)s") if holds else _("never agreed to %(list)s")
        return words % facts
    words = (
        _("agreed to %(list)s by %(door)s") if holds else _("did not agree to %(list)s by %(door)s")
    )
    return words % {**facts, "door": _(DOORS[args["door"]])}


CONSENT = Facet(
    name="consent",
    group=N_("Lists and consent"),
    words=N_("agreed to"),
    negated=N_("did not agree to"),
    parameters=(
        Parameter(name="list", takes=Takes.ONE, words=N_("List"), options=_any_list),
        Parameter(
            name="door", takes=Takes.ONE, words=N_("By"), needed=False, options=choice(**DOORS)
        ),
    ),
    numbers=_agreed,
    sentence=_agreed_said,
    uses=uses_the("list", "list"),
)


# --- where they stand -----------------------------------------------------------------------------


def out_of_reach(work: Work) -> CompoundSelect[int]:
    """Give those whom nobody may write to, though they agreed: few, and an index for each reason.

    Who was erased is not among them, nor who has no address.
    """
    return union_all(_stopped(work), _suppressed(work), _on_a_break(work))


def _stopped(work: Work) -> Select[int]:
    return living(work, Subscriber.stopped_at.is_not(None))


def _suppressed(work: Work) -> Select[int]:
    return living(work, Subscriber.mark.in_(select(Suppression.mark)))


def _on_a_break(work: Work) -> Select[int]:
    return living(work, Subscriber.paused_until.is_not(None), Subscriber.paused_until > work.now)


def subscribed(state: SubscriptionState) -> Select[int]:
    """Give those with a subscription of this state to any list; one may come several times."""
    return select(Subscription.subscriber_no).where(
        # Through the index that begins with the list: there are few.
        Subscription.list_no.in_(select(MailingList.no)),
        Subscription.state == state,
    )


_OTHER = aliased(Subscription)


async def _in_state(work: Work, args: Args) -> Select[int]:
    """Give those in a state, as `model.state_from` derives it: the first that is true holds."""
    never = union_all(_stopped(work), _suppressed(work))
    no = Subscription.subscriber_no
    match SubscriberState(args["state"]):
        case SubscriberState.STOPPED:
            return _stopped(work)
        case SubscriberState.SUPPRESSED:
            return _suppressed(work).where(Subscriber.stopped_at.is_(None))
        case SubscriberState.PAUSED:
            return _on_a_break(work).where(
                _has(SubscriptionState.CONFIRMED), Subscriber.no.not_in(never)
            )
        case SubscriberState.UNSUBSCRIBED:
            stays = exists().where(
                _OTHER.subscriber_no == no, _OTHER.state != SubscriptionState.UNSUBSCRIBED
            )
            left = subscribed(SubscriptionState.UNSUBSCRIBED)
            return repeats(left.where(~stays, no.not_in(never)))
        case SubscriberState.PENDING:
            anything = (
                exists()
                .where(
                    _OTHER.subscriber_no == Subscriber.no,
                    _OTHER.state != SubscriptionState.UNCONFIRMED,
                )
                .correlate(Subscriber)
            )
            asked = _has(SubscriptionState.UNCONFIRMED)
            confirmed = _has(SubscriptionState.CONFIRMED)
            return living(work, (asked & ~confirmed) | ~anything, Subscriber.no.not_in(never))
        case _:
            agreed = subscribed(SubscriptionState.CONFIRMED)
            return repeats(agreed.where(no.not_in(out_of_reach(work))))


def _is_active(work: Work, args: Args, no: ColumnElement[int]) -> ColumnElement[bool] | None:
    return is_in_reach(work, no) if args["state"] == SubscriberState.ACTIVE else None


def is_in_reach(work: Work, no: ColumnElement[int]) -> ColumnElement[bool]:
    """Say of one number whether they are active: by their subscriptions, and then their row.

    Of few, that is cheaper than the sets.
    """
    agreed = exists().where(_OTHER.subscriber_no == no, _OTHER.state == SubscriptionState.CONFIRMED)
    never = exists().where(
        _PERSON.no == no,
        or_(
            _PERSON.stopped_at.is_not(None),
            store.is_paused_at(work.now, _PERSON),
            store.is_suppressed_sql(_PERSON),
        ),
        visible(work, _PERSON),
    )
    return and_(agreed, not_(never))


_PERSON = aliased(Subscriber)


def _has(state: SubscriptionState) -> Exists:
    found = exists().where(_OTHER.subscriber_no == Subscriber.no, _OTHER.state == state)
    return found.correlate(Subscriber)


_STANDS = {
    SubscriberState.ACTIVE.value: (N_("are active"), N_("are not active")),
    SubscriberState.PENDING.value: (N_("have not confirmed yet"), N_("are not pending")),
    SubscriberState.PAUSED.value: (N_("are on a break"), N_("are not on a break")),
    SubscriberState.UNSUBSCRIBED.value: (N_("have left all lists"), N_("have not left all lists")),
    SubscriberState.SUPPRESSED.value: (
        N_("must never be written to"),
        N_("are not among those who must never be written to"),
    ),
    SubscriberState.STOPPED.value: (
        N_("were stopped by an organiser"),
        N_("were not stopped by an organiser"),
    ),
}


async def _state_said(_work: Work, args: Args, *, holds: bool) -> str:
    return _(_STANDS[args["state"]][0 if holds else 1])


STATE = Facet(
    name="state",
    group=N_("Lists and consent"),
    words=N_("stand like this"),
    negated=N_("do not stand like this"),
    parameters=(
        Parameter(
            name="state",
            takes=Takes.ONE,
            words=N_("How they stand"),
            options=choice(**{state: words[0] for state, words in _STANDS.items()}),
        ),
    ),
    numbers=_in_state,
    holds=_is_active,
    sentence=_state_said,
)

FACETS = (LIST, CONSENT, STATE)
