"""What can be asked about somebody's own columns, and about what they did themselves."""

from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute

from mailer.activity.model import DECLARED, Activity
from mailer.kit.distinct import distinct
from mailer.kit.facets import (
    Args,
    Facet,
    Option,
    Parameter,
    Takes,
    beginning,
    choice,
    day_in_words,
    in_order,
    only_if,
    repeats,
    since,
    within,
)
from mailer.kit.i18n import N_, _, ngettext, own_name
from mailer.kit.work import Door, Work
from mailer.subscribers.model import Subscriber, visible

_EMPTY: ColumnElement[str] = literal_column("''")


def living(work: Work, *conditions: ColumnElement[bool]) -> Select[int]:
    """Give the numbers of those on the roll who meet conditions about their own columns."""
    return select(Subscriber.no).where(Subscriber.erased_at.is_(None), *conditions, visible(work))


def not_erased(work: Work, no: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Leave out who was erased, of a table that keeps rows of them: few, and an index of theirs."""
    return no.not_in(select(Subscriber.no).where(Subscriber.erased_at.is_not(None), visible(work)))


def _said(column: InstrumentedAttribute[Any]) -> tuple[ColumnElement[bool], ...]:
    """Repeat the condition of the index word for word, or it would not be used."""
    return (column != _EMPTY,)


async def _words_on_the_roll(
    work: Work, column: InstrumentedAttribute[str], chosen: object
) -> list[str]:
    """Give what stands in a column, and what is chosen though nobody has it any more."""
    conditions = (Subscriber.erased_at.is_(None), *_said(column), visible(work))
    found = set(await distinct(work, column, *conditions))
    if isinstance(chosen, str) and chosen:
        found.add(chosen)
    return sorted(found)


# --- language -------------------------------------------------------------------------------------


async def _languages(work: Work, args: Args) -> list[Option]:
    found = await _words_on_the_roll(work, Subscriber.language, args.get("language"))
    return [Option(code, own_name(code)) for code in found]


async def _of_language(work: Work, args: Args) -> Select[int]:
    speaks = Subscriber.language == args["language"]
    return in_order(living(work, speaks, *_said(Subscriber.language)))


async def _language_said(_work: Work, args: Args, *, holds: bool) -> str:
    words = (
        _("are written to in %(language)s") if holds else _("are not written to in %(language)s")
    )
    return words % {"language": own_name(args["language"])}


LANGUAGE = Facet(
    name="language",
    group=N_("Who they are"),
    words=N_("are written to in"),
    negated=N_("are not written to in"),
    parameters=(
        Parameter(name="language", takes=Takes.ONE, words=N_("Language"), options=_languages),
    ),
    numbers=_of_language,
    sentence=_language_said,
)


# --- place ----------------------------------------------------------------------------------------

_PLACES = {
    "city": N_("the town begins with"),
    "postcode": N_("the postcode begins with"),
    "region": N_("the region is"),
    "country": N_("the country is"),
    "time_zone": N_("the time zone is"),
}
_BEGINNINGS = ("city", "postcode")
_COLUMNS: dict[str, InstrumentedAttribute[str]] = {
    "city": Subscriber.city,
    "postcode": Subscriber.postcode,
    "region": Subscriber.region,
    "country": Subscriber.country,
    "time_zone": Subscriber.time_zone,
}


async def _places(work: Work, args: Args) -> list[Option]:
    how = args.get("how")
    if how not in _PLACES or how in _BEGINNINGS:
        return []
    found = await _words_on_the_roll(work, _COLUMNS[how], args.get("place"))
    return [Option(place, place) for place in found]


async def _of_place(work: Work, args: Args) -> Select[int]:
    how = args["how"]
    column = _COLUMNS[how]
    if how in _BEGINNINGS:
        return beginning(
            column.expression, args["text"], lambda one: living(work, one, *_said(column))
        )
    return in_order(living(work, column == args["place"], *_said(column)))


async def _place_said(_work: Work, args: Args, *, holds: bool) -> str:
    words = {
        "city": (
            N_("live in a town that begins with “%(what)s”"),
            N_("do not live in a town that begins with “%(what)s”"),
        ),
        "postcode": (
            N_("have a postcode that begins with “%(what)s”"),
            N_("do not have a postcode that begins with “%(what)s”"),
        ),
        "region": (
            N_("live in the region %(what)s"),
            N_("do not live in the region %(what)s"),
        ),
        "country": (
            N_("live in the country %(what)s"),
            N_("do not live in the country %(what)s"),
        ),
        "time_zone": (
            N_("live in the time zone %(what)s"),
            N_("do not live in the time zone %(what)s"),
        ),
    }[args["how"]]
    return _(words[0 if holds else 1]) % {"what": args.get("text") or args["place"]}


PLACE = Facet(
    name="place",
    group=N_("Who they are"),
    words=N_("live where"),
    negated=N_("do not live where"),
    parameters=(
        Parameter(name="how", takes=Takes.ONE, words=N_("How"), options=choice(**_PLACES)),
        Parameter(
            name="text", takes=Takes.TEXT, words=N_("Beginning"), fits=only_if("how", *_BEGINNINGS)
        ),
        Parameter(
            name="place",
            takes=Takes.ONE,
            words=N_("Place"),
            options=_places,
            fits=only_if("how", "region", "country", "time_zone"),
        ),
    ),
    numbers=_of_place,
    sentence=_place_said,
)


# --- joining --------------------------------------------------------------------------------------

DAYS = Parameter(name="days", takes=Takes.DAYS, words=N_("Days"), fits=only_if("how", "last"))
DATE = Parameter(
    name="date",
    takes=Takes.DATE,
    words=N_("Date"),
    fits=only_if("how", "before", "after", "between"),
)
UNTIL = Parameter(name="until", takes=Takes.DATE, words=N_("Until"), fits=only_if("how", "between"))


async def _joined(work: Work, args: Args) -> Select[int]:
    joined_at = Subscriber.joined_at.expression
    if args["how"] == "last":
        return living(work, joined_at >= since(work, args["days"]))
    return living(work, within(joined_at, args))


async def _joined_said(_work: Work, args: Args, *, holds: bool) -> str:
    if args["how"] == "last":
        words = (
            ngettext(
                "joined in the last %(days)s day", "joined in the last %(days)s days", args["days"]
            )
            if holds
            else ngettext(
                "did not join in the last %(days)s day",
                "did not join in the last %(days)s days",
                args["days"],
            )
        )
        return words % {"days": args["days"]}
    words = {
        "before": (N_("joined before %(date)s"), N_("did not join before %(date)s")),
        "after": (N_("joined after %(date)s"), N_("did not join after %(date)s")),
        "between": (
            N_("joined from %(date)s to %(until)s"),
            N_("did not join from %(date)s to %(until)s"),
        ),
    }[args["how"]][0 if holds else 1]
    until = day_in_words(args["until"]) if "until" in args else ""
    return _(words) % {"date": day_in_words(args["date"]), "until": until}


JOINED = Facet(
    name="joined",
    group=N_("How they came"),
    words=N_("joined"),
    negated=N_("did not join"),
    parameters=(
        Parameter(
            name="how",
            takes=Takes.ONE,
            words=N_("When"),
            options=choice(
                last=N_("in the last days"),
                before=N_("before"),
                after=N_("after"),
                between=N_("between"),
            ),
        ),
        DAYS,
        DATE,
        UNTIL,
    ),
    numbers=_joined,
    sentence=_joined_said,
)

DOORS = {
    Door.PAGE.value: N_("a page of ours"),
    Door.EMAIL.value: N_("a link in an email"),
    Door.ADMIN.value: N_("an organiser"),
    Door.IMPORT.value: N_("a file"),
    Door.API.value: N_("another program"),
    Door.CLI.value: N_("the server’s command line"),
    Door.SYSTEM.value: N_("Rollcall itself"),
}


async def _sources(work: Work, args: Args) -> list[Option]:
    found = await _words_on_the_roll(work, Subscriber.source, args.get("source"))
    return [Option(source, source) for source in found]


async def _of_source(work: Work, args: Args) -> Select[int]:
    if args["how"] == "door":
        came = Subscriber.door == Door(args["door"])
        return in_order(living(work, came, *_said(Subscriber.door)))
    return in_order(living(work, Subscriber.source == args["source"], *_said(Subscriber.source)))


async def _source_said(_work: Work, args: Args, *, holds: bool) -> str:
    if args["how"] == "door":
        words = _("came by %(door)s") if holds else _("did not come by %(door)s")
        return words % {"door": _(DOORS[args["door"]])}
    words = _("came from “%(source)s”") if holds else _("did not come from “%(source)s”")
    return words % {"source": args["source"]}


SOURCE = Facet(
    name="source",
    group=N_("How they came"),
    words=N_("came from"),
    negated=N_("did not come from"),
    parameters=(
        Parameter(
            name="how",
            takes=Takes.ONE,
            words=N_("How"),
            options=choice(source=N_("the source"), door=N_("the door")),
        ),
        Parameter(
            name="source",
            takes=Takes.ONE,
            words=N_("Source"),
            options=_sources,
            fits=only_if("how", "source"),
        ),
        Parameter(
            name="door",
            takes=Takes.ONE,
            words=N_("Door"),
            options=choice(**DOORS),
            fits=only_if("how", "door"),
        ),
    ),
    numbers=_of_source,
    sentence=_source_said,
)


# --- an address -----------------------------------------------------------------------------------


async def _with_address(work: Work, _args: Args) -> Select[int]:
    return living(work, Subscriber.address_key.is_not(None))


async def _without_address(work: Work, _args: Args) -> Select[int]:
    return living(work, Subscriber.address_key.is_(None))


async def _address_said(_work: Work, _args: Args, *, holds: bool) -> str:
    return _("have an email address") if holds else _("have no email address")


ADDRESS = Facet(
    name="address",
    group=N_("How they are reached"),
    words=N_("have an email address"),
    negated=N_("have no email address"),
    parameters=(),
    numbers=_with_address,
    sentence=_address_said,
    others=_without_address,
)


# --- signs of life --------------------------------------------------------------------------------


async def _declared(work: Work, args: Args) -> Select[int]:
    return repeats(
        select(Activity.subscriber_no).where(
            Activity.at >= since(work, args["days"]),
            # Written out, as in the index: SQLite does not look into parameters.
            Activity.door.in_(bindparam(None, DECLARED, expanding=True, literal_execute=True)),
            not_erased(work, Activity.subscriber_no),
        )
    )


async def _declared_said(_work: Work, args: Args, *, holds: bool) -> str:
    words = (
        ngettext(
            "did something themselves in the last %(days)s day",
            "did something themselves in the last %(days)s days",
            args["days"],
        )
        if holds
        else ngettext(
            "did nothing themselves in the last %(days)s day",
            "did nothing themselves in the last %(days)s days",
            args["days"],
        )
    )
    return words % {"days": args["days"]}


DECLARED_LATELY = Facet(
    name="declared",
    group=N_("What they did"),
    words=N_("did something themselves, by email or on a page, in the last days"),
    negated=N_("did nothing themselves, by email or on a page, in the last days"),
    parameters=(Parameter(name="days", takes=Takes.DAYS, words=N_("Days")),),
    numbers=_declared,
    sentence=_declared_said,
)

FACETS = (LANGUAGE, PLACE, JOINED, SOURCE, ADDRESS, DECLARED_LATELY)
