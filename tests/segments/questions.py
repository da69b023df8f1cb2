"""Questions of every sort, for Hypothesis: each facet with what it can say, and nests of them."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from tests.segments import model

DAYS = st.sampled_from((0, 1, 7, 19, 20, 21, 40, 36_500))
DATES = st.integers(-45, 20).map(
    lambda days: (model.day(model.NOW) + timedelta(days=days)).isoformat()
)
DOORS = st.sampled_from(("page", "import", "email"))
TIERS = st.sampled_from(("1", "2", "3", "4"))


def asked(name: str, /, **args: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Ask one facet, of those of whom it is true or of the others; `maybe_` is said or not."""
    needed = {key: value for key, value in args.items() if not key.startswith("maybe_")}
    maybe = {key.removeprefix("maybe_"): args[key] for key in args if key.startswith("maybe_")}
    said = st.fixed_dictionaries(needed, optional=maybe)
    return st.tuples(st.sampled_from(("is", "not")), said).map(lambda one: {one[0]: name, **one[1]})


def one_of(*words: str) -> st.SearchStrategy[str]:
    return st.sampled_from(words)


def dated(name: str, **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        asked(name, **fixed, how=one_of("before", "after"), date=DATES),
        asked(name, **fixed, how=st.just("between"), date=DATES, until=DATES),
    )


def of_field(field: int, how: str, /, **args: st.SearchStrategy[Any]) -> Any:
    return asked("field", field=st.just(str(field)), how=st.just(how), **args)


TEXTS = one_of("depot", "DEPOT", "Depot N", "office_", "off%", "é", "ÉLAN", "Depot 5")
NUMBERS = st.sampled_from((-3.0, -2.5, 0.0, 3.0, 11.5, 12.0))
CHOSEN = st.lists(one_of(*model.SLUGS), min_size=1, max_size=3)

FIELDS = st.one_of(
    *[of_field(number, "filled") for number in model.KINDS],
    *[of_field(model.TEXT, how, text=TEXTS) for how in ("is", "begins")],
    *[of_field(model.NUMBER, how, number=NUMBERS) for how in ("is", "at_least", "at_most")],
    of_field(model.NUMBER, "between", number=NUMBERS, most=NUMBERS),
    of_field(model.DATE, "is", date=DATES),
    dated("field", field=st.just(str(model.DATE))),
    *[of_field(model.DATE, how, days=DAYS) for how in ("last", "next")],
    *[of_field(number, "one_of", values=CHOSEN) for number in (model.CHOICE, model.CHOICES)],
    *[of_field(model.YES_NO, answer) for answer in ("yes", "no")],
)

BY_FACET: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "tier": asked("tier", how=one_of("is", "at_least", "at_most"), tier=TIERS),
    "tier_was": asked("tier_was", tier=TIERS),
    "tier_moved": asked(
        "tier_moved",
        way=one_of("up", "down", "any"),
        maybe_days=DAYS,
        maybe_sources=st.lists(one_of("self_link", "assigned"), min_size=1, max_size=2),
    ),
    "list": asked(
        "list",
        list=one_of("1", "12", model.GONE),
        state=one_of("confirmed", "unconfirmed", "unsubscribed"),
        maybe_days=DAYS,
    ),
    "consent": asked("consent", list=one_of("any", "1", "12"), maybe_door=DOORS),
    "state": asked(
        "state",
        state=one_of("active", "pending", "paused", "unsubscribed", "suppressed", "stopped"),
    ),
    "tag": asked("tag", tag=one_of("1", "2", "3", model.GONE)),
    "field": FIELDS,
    "group": st.one_of(
        asked(
            "group",
            group=one_of("101", "102", "103", model.GONE),
            maybe_role=one_of("member", "rep", "officer", "contact"),
        ),
        asked(
            "group",
            group=st.just("any"),
            maybe_kind=one_of("union", "branch", "chapter"),
            maybe_sector=st.just("transport"),
            maybe_role=one_of("member", "rep"),
        ),
    ),
    "language": asked("language", language=one_of("en", "fr", "de")),
    "place": st.one_of(
        asked("place", how=st.just("city"), text=one_of("north", "NORTH", "é", "south_", "%", "n")),
        asked("place", how=st.just("postcode"), text=one_of("n1", "N1 5", "%", "_")),
        asked("place", how=st.just("region"), place=one_of("North", "West")),
        asked("place", how=st.just("country"), place=one_of("GB", "DE")),
        asked("place", how=st.just("time_zone"), place=st.just("Europe/Paris")),
    ),
    "joined": st.one_of(dated("joined"), asked("joined", how=st.just("last"), days=DAYS)),
    "source": st.one_of(
        asked("source", how=st.just("source"), source=one_of("Fair", "Strike")),
        asked("source", how=st.just("door"), door=DOORS),
    ),
    "address": asked("address"),
    "declared": asked("declared", days=DAYS),
    "phone": asked("phone", how=one_of("has", "may_call", "never")),
    "ask": asked(
        "ask",
        how=one_of("pledged", "done", "not_done", "blocked", "declined"),
        ask=one_of("any", "1", "2"),
        maybe_days=DAYS,
    ),
    "follow_up": asked("follow_up", how=one_of("waits", "called", "talked"), maybe_days=DAYS),
    "campaign": st.one_of(
        asked("campaign", how=st.just("got"), campaign=one_of("1", "2", model.GONE)),
        asked("campaign", how=st.just("got"), campaign=st.just("any"), days=DAYS),
        asked(
            "campaign",
            how=st.just("missed"),
            campaign=one_of("1", "2"),
            maybe_why=one_of("refused", "failed", "waiting", "paused", "suppressed"),
        ),
        asked("campaign", how=st.just("missed"), campaign=st.just("any"), days=DAYS),
    ),
}

CONDITIONS = st.one_of(*BY_FACET.values())


def nests(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(one_of("all", "any", "none"), st.lists(inner, max_size=4)).map(
        lambda one: {one[0]: one[1]}
    )


def _deepen(levels: int) -> st.SearchStrategy[Any]:
    inner: st.SearchStrategy[Any] = st.one_of(CONDITIONS, st.just({"everybody": True}))
    for _ in range(levels):
        inner = st.one_of(CONDITIONS, nests(inner))
    return inner


TREES = nests(_deepen(2))
