"""What can be asked about the level somebody is on, was on, and how they moved."""

from collections.abc import Callable

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, or_, select

from mailer.kit.facets import (
    Args,
    Facet,
    Option,
    Parameter,
    Takes,
    choice,
    number_of,
    repeats,
    several,
    since,
    uses_the,
)
from mailer.kit.i18n import N_, _, in_language, ngettext
from mailer.kit.work import Work
from mailer.subscribers.facets import not_erased
from mailer.tiers import store
from mailer.tiers.model import ChosenTier, Source, Tier, TierChange

_GROUP = N_("How far they go")


async def _tiers(work: Work, _args: Args) -> list[Option]:
    return [Option(str(tier.no), in_language(tier.name)) for tier in await store.ladder(work)]


async def _tier(work: Work, args: Args) -> Tier:
    found = await store.by_no(work, int(args["tier"]))
    assert found is not None  # reading the condition has looked
    return found


_TIER = Parameter(name="tier", takes=Takes.ONE, words=N_("Level"), options=_tiers)


# --- now ------------------------------------------------------------------------------------------

_REACHES: dict[str, Callable[[int, int], bool]] = {
    "is": lambda rank, asked: rank == asked,
    "at_least": lambda rank, asked: rank >= asked,
    "at_most": lambda rank, asked: rank <= asked,
}


async def _on_tier(work: Work, args: Args) -> Select[int]:
    asked = (await _tier(work, args)).rank
    reaches = _REACHES[args["how"]]
    tiers = [tier.no for tier in await store.ladder(work) if reaches(tier.rank, asked)]
    return select(ChosenTier.subscriber_no).where(ChosenTier.tier_no.in_(tiers))


async def _on_tier_said(work: Work, args: Args, *, holds: bool) -> str:
    words = {
        "is": (N_("are on the level %(tier)s"), N_("are not on the level %(tier)s")),
        "at_least": (
            N_("are on the level %(tier)s or higher"),
            N_("are not on the level %(tier)s or higher"),
        ),
        "at_most": (
            N_("are on the level %(tier)s or lower"),
            N_("are not on the level %(tier)s or lower"),
        ),
    }[args["how"]]
    return _(words[0 if holds else 1]) % {"tier": in_language((await _tier(work, args)).name)}


NOW = Facet(
    name="tier",
    group=_GROUP,
    words=N_("are on the level"),
    negated=N_("are not on the level"),
    parameters=(
        Parameter(
            name="how",
            takes=Takes.ONE,
            words=N_("How"),
            options=choice(
                **{"is": N_("exactly"), "at_least": N_("or higher"), "at_most": N_("or lower")}
            ),
        ),
        _TIER,
    ),
    numbers=_on_tier,
    sentence=_on_tier_said,
    uses=uses_the("tier", "tier"),
)


# --- before ---------------------------------------------------------------------------------------


def _moved(work: Work, *conditions: ColumnElement[bool]) -> Select[int]:
    """Give those who moved and stayed there or went on: an undone move is none, nor is its undo."""
    return repeats(
        select(TierChange.subscriber_no).where(
            # As the index has it, word for word.
            TierChange.from_no.is_not(None),
            TierChange.undone_at.is_(None),
            TierChange.source != bindparam(None, Source.UNDO, literal_execute=True),
            *conditions,
            not_erased(work, TierChange.subscriber_no),
        )
    )


async def _was_on_tier(work: Work, args: Args) -> Select[int]:
    return _moved(work, TierChange.from_no == number_of(args, "tier"))


async def _was_on_tier_said(work: Work, args: Args, *, holds: bool) -> str:
    words = (
        _("were on the level %(tier)s before")
        if holds
        else _("were never on the level %(tier)s before")
    )
    return words % {"tier": in_language((await _tier(work, args)).name)}


BEFORE = Facet(
    name="tier_was",
    group=_GROUP,
    words=N_("were before on the level"),
    negated=N_("were never before on the level"),
    parameters=(_TIER,),
    numbers=_was_on_tier,
    sentence=_was_on_tier_said,
    uses=uses_the("tier", "tier"),
)


# --- moving ---------------------------------------------------------------------------------------

_SOURCES = {
    Source.SELF_LINK.value: N_("by themselves, from an email"),
    Source.SELF_FORM.value: N_("by themselves, on a page"),
    Source.ASSIGNED.value: N_("by an organiser"),
    Source.ACCEPTED.value: N_("because they asked"),
    Source.LAPSED.value: N_("because they had not been heard of"),
    Source.IMPORT.value: N_("by a file"),
    Source.API.value: N_("by another program"),
}


async def _who_moved(work: Work, args: Args) -> Select[int]:
    conditions = [await _in_direction(work, args["way"])]
    if "days" in args:
        conditions.append(TierChange.made_at >= since(work, args["days"]))
    if sources := several(args, "sources"):
        conditions.append(TierChange.source.in_([Source(source) for source in sources]))
    return _moved(work, *conditions)


async def _in_direction(work: Work, way: str) -> ColumnElement[bool]:
    """Name the moves by where they lead: an index has both ends, and a ladder has few rungs."""
    ladder = await store.ladder(work)
    moves: list[ColumnElement[bool]] = []
    for left in ladder:
        reached = [
            tier.no
            for tier in ladder
            if tier is not left and (way == "any" or (tier.rank > left.rank) is (way == "up"))
        ]
        if reached:
            moves.append(and_(TierChange.from_no == left.no, TierChange.to_no.in_(reached)))
    return or_(false(), *moves)


async def _who_moved_said(_work: Work, args: Args, *, holds: bool) -> str:
    positive, negative = {
        "up": (N_("moved up"), N_("did not move up")),
        "down": (N_("moved down"), N_("did not move down")),
        "any": (N_("moved up or down"), N_("moved neither up nor down")),
    }[args["way"]]
    words = _(positive if holds else negative)
    if "days" in args:
        lately = ngettext(
            "%(what)s in the last %(days)s day", "%(what)s in the last %(days)s days", args["days"]
        )
        words = lately % {"what": words, "days": args["days"]}
    how = [_(_SOURCES[source]) for source in several(args, "sources")]
    for number, one in enumerate(how):
        joined = _("%(some)s or %(last)s") if number else _("%(some)s, %(last)s")
        words = joined % {"some": words, "last": one}
    return words


MOVED = Facet(
    name="tier_moved",
    group=_GROUP,
    words=N_("moved"),
    negated=N_("did not move"),
    parameters=(
        Parameter(
            name="way",
            takes=Takes.ONE,
            words=N_("Which way"),
            options=choice(up=N_("up"), down=N_("down"), any=N_("up or down")),
        ),
        Parameter(name="days", takes=Takes.DAYS, words=N_("In the last days"), needed=False),
        Parameter(
            name="sources",
            takes=Takes.SEVERAL,
            words=N_("How"),
            needed=False,
            options=choice(**_SOURCES),
        ),
    ),
    numbers=_who_moved,
    sentence=_who_moved_said,
)

FACETS = (NOW, BEFORE, MOVED)
