"""Choosing each reader's best ask, in SQL, against a model in plain Python."""

import dataclasses
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from mailer.asks import actions as asks
from mailer.asks import choosing, store
from mailer.asks.model import Ask, AskFor, Offer
from mailer.asks.offers import store as offers
from mailer.bootstrap import House
from mailer.groups import actions as groups
from mailer.groups.model import Group, GroupKind
from mailer.kit.work import Work
from mailer.subscribers.model import GroupRole, Subscriber, visible
from mailer.tiers import store as ladder
from mailer.tiers.model import Tier
from tests import makers as make
from tests.cast import Cast

TITLES = st.sampled_from(["follower", "supporter", "activist", "organiser"])


# --- a small world --------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Somebody:
    """One reader: the level they stand on, and what they are in groups of which kind."""

    level: str | None
    groups: tuple[tuple[GroupKind | None, GroupRole, bool], ...]  # the last: it was closed
    answered: frozenset[int]  # places of asks
    offered: tuple[tuple[int, int], ...]  # campaign and place of the ask


@dataclasses.dataclass(frozen=True)
class Wanted:
    """One ask."""

    audience: tuple[AskFor, ...]
    minutes: int | None
    least: str | None
    deadline: int | None  # days from now


SPEAKERS = (GroupRole.OFFICER, GroupRole.CONTACT)
UNIONS = (GroupKind.UNION, GroupKind.BRANCH, GroupKind.CHAPTER, GroupKind.FEDERATION, None)


def best(one: Somebody, wanted: Sequence[Wanted], rungs_of: Sequence[Tier]) -> int | None:
    """Give the place of the best ask of somebody, by the rule as it is told."""
    rungs = {tier.slug: tier for tier in rungs_of}
    here = rungs[one.level or "follower"]
    fitting = [
        place
        for place, ask in enumerate(wanted)
        if place not in one.answered
        and (not ask.audience or any(_is(one, whom) for whom in ask.audience))
        and (ask.least is None or here.rank >= rungs[ask.least].rank)
        and (ask.minutes is None or ask.minutes <= here.minutes or here is rungs_of[-1])
    ]
    last = {place: max((c for c, p in one.offered if p == place), default=0) for place in fitting}
    days = {place: wanted[place].deadline for place in fitting}
    order = sorted(fitting, key=lambda place: (last[place], days[place] or 10_000, place))
    return order[0] if order else None


def _is(one: Somebody, whom: AskFor) -> bool:
    standing = [(kind, role) for kind, role, is_closed in one.groups if not is_closed]
    is_member = any(kind in UNIONS for kind, _role in standing)
    match whom:
        case AskFor.MEMBER:
            return is_member
        case AskFor.REP:
            return any(role is GroupRole.REP for _kind, role in standing)
        case AskFor.BRANCH:
            local = (GroupKind.BRANCH, GroupKind.CHAPTER)
            return any(kind in local and role in SPEAKERS for kind, role in standing)
        case AskFor.FEDERATION:
            return any(kind is GroupKind.FEDERATION and role in SPEAKERS for kind, role in standing)
        case AskFor.ALLY:
            return not is_member


KINDS = st.sampled_from([*GroupKind, None])
PEOPLE = st.lists(
    st.builds(
        Somebody,
        level=st.none() | TITLES,
        groups=st.lists(
            st.tuples(KINDS, st.sampled_from(GroupRole), st.booleans()),
            max_size=2,
            unique_by=lambda group: (group[0], group[2]),
        ).map(tuple),
        answered=st.frozensets(st.integers(0, 3), max_size=2),
        offered=st.lists(
            st.tuples(st.integers(1, 3), st.integers(0, 3)),
            max_size=3,
            unique_by=lambda offer: offer[0],
        ).map(tuple),
    ),
    min_size=1,
    max_size=5,
)
ASKS = st.lists(
    st.builds(
        Wanted,
        audience=st.lists(st.sampled_from(AskFor), max_size=2, unique=True).map(tuple),
        minutes=st.sampled_from([None, 5, 10, 30, 60, 500]),
        least=st.none() | TITLES,
        deadline=st.sampled_from([None, 3, 9]),
    ),
    min_size=1,
    max_size=4,
)


class Rooms:
    """A work in which examples happen, and after which nothing of them is left."""

    def __init__(self, work: Work, rungs: Sequence[Tier]) -> None:
        self.work = work
        self.ladder = rungs
        self.groups: dict[tuple[GroupKind | None, bool], Group] = {}

    async def group(self, kind: GroupKind | None, *, is_closed: bool) -> Group:
        if (kind, is_closed) not in self.groups:
            name = f"{kind} {'closed' if is_closed else 'open'}"
            self.groups[kind, is_closed] = await groups.found(self.work, name=name, kind=kind)
        return self.groups[kind, is_closed]


@pytest.fixture
async def rooms(cast: Cast, work: Work) -> Rooms:
    return Rooms(work, await ladder.ladder(work))


async def settle(rooms: Rooms, people: Sequence[Somebody], wanted: Sequence[Wanted]) -> None:
    work = rooms.work
    rungs = {tier.slug: tier for tier in rooms.ladder}
    opened = []
    for number, ask in enumerate(wanted):
        deadline = None if ask.deadline is None else work.now + timedelta(days=ask.deadline)
        opened.append(
            await make.ask(
                work,
                f"Ask {number}",
                audience=[whom.value for whom in ask.audience],
                minutes=ask.minutes,
                minimum_tier_no=rungs[ask.least].no if ask.least else None,
                deadline=deadline,
            )
        )
    living = []
    for one in people:
        somebody = await make.person(work, tier=rungs[one.level] if one.level else None)
        living.append(somebody)
        for kind, role, is_closed in one.groups:
            group = await rooms.group(kind, is_closed=is_closed)
            await groups.join(work, somebody, group, role=role)
        for place in one.answered:
            if place < len(opened):
                await asks.decline(work, somebody, opened[place])
        work.session.add_all(
            [
                Offer(
                    campaign_no=campaign,
                    subscriber_no=somebody.no,
                    ask_no=opened[place].no,
                    at=work.now,
                )
                for campaign, place in one.offered
                if place < len(opened)
            ]
        )
    for (_kind, is_closed), group in rooms.groups.items():
        if is_closed:
            group.closed_at = work.now
    await work.session.flush()
    places = {ask.no: place for place, ask in enumerate(opened)}
    chosen = await chosen_for(work, 9, *living)
    for one, somebody in zip(people, living, strict=True):
        expected = best(one, wanted, rooms.ladder)
        found = chosen.get(somebody.no)
        assert (None if found is None else places[found]) == expected, one
        # To one person on a page the same is offered, but what was offered last comes last now.
        theirs = await choosing.best_for(work, somebody.no)
        assert (theirs is None) == (expected is None)


@given(people=PEOPLE, wanted=ASKS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
async def test_the_same_asks_are_chosen_as_by_hand(
    rooms: Rooms, people: list[Somebody], wanted: list[Wanted]
) -> None:
    transaction = await rooms.work.session.begin_nested()
    try:
        await settle(rooms, people, wanted)
    finally:
        await transaction.rollback()
        rooms.groups.clear()


# --- what the model leaves out --------------------------------------------------------------------


async def chosen_for(work: Work, campaign_no: int, *people: Subscriber) -> dict[int, int]:
    numbers = [one.no for one in people]
    recipients = select(Subscriber.no).where(Subscriber.no.in_(numbers), visible(work))
    await choosing.choose(work, campaign_no, recipients, await choosing.candidates(work))
    return await offers.offered(work, campaign_no, numbers)


async def test_what_is_full_closed_or_over_is_offered_to_nobody(work: Work, cast: Cast) -> None:
    full = await make.ask(work, "Full", capacity=1)
    await asks.pledge(work, cast.bo, full)
    await asks.close_ask(work, await make.ask(work, "Closed"))
    await asks.draft(work, title={"en": "Draft"})
    await make.ask(work, "Over", deadline=work.now + timedelta(hours=1))
    late = make.later(work, hours=2)
    assert await choosing.candidates(late) == []
    assert await chosen_for(late, 1, cast.gil) == {}
    assert await choosing.best_for(late, cast.gil.no) is None


async def test_what_takes_a_day_is_offered_on_the_highest_level_and_on_no_other(
    work: Work, cast: Cast
) -> None:
    long = [shipped for shipped in asks.LIBRARY if (shipped.minutes or 0) > cast.organiser.minutes]
    assert long, "there are such"
    asked = [await asks.open_ask(work, await _with_contact(work, one.key)) for one in long]
    organiser = await make.person(work, tier=cast.organiser)
    activist = await make.person(work, tier=cast.activist)
    for who, many in ((organiser, len(asked)), (activist, 0)):
        found = {await _next(work, who, asked) for _ask in asked}
        assert len(found - {None}) == many


async def _with_contact(work: Work, key: str) -> Ask:
    """Take an ask from the library, for everybody, with somebody to turn to where it needs one."""
    taken = await asks.take_from_library(work, key)
    return await asks.revise(
        work,
        taken,
        version=taken.version,
        title=taken.title,
        audience=[],
        support_contact="The office",
    )


async def _next(work: Work, who: Subscriber, asked: list[Ask]) -> int | None:
    """Give what is best for somebody, who says no to it so that another one can be."""
    best_one = await choosing.best_for(work, who.no)
    if best_one is None or best_one.no not in {ask.no for ask in asked}:
        return None
    await asks.decline(work, who, best_one)
    return best_one.no


async def test_an_only_answer_that_was_undone_is_none(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    said = await asks.pledge(work, cast.gil, ask)
    change = await store.last_change(work, said.no)
    assert change is not None
    assert await choosing.best_for(work, cast.gil.no) is None
    await asks.undo(work, change.no, subscriber=cast.gil)
    assert (await chosen_for(work, 1, cast.gil)) == {cast.gil.no: ask.no}

    await asks.pledge(work, cast.gil, ask)
    await asks.withdraw(work, cast.gil, ask)
    assert await choosing.best_for(work, cast.gil.no) is None, "they said that they will not"


async def test_whoever_is_asked_again_is_asked_something_else_first(work: Work, cast: Cast) -> None:
    one, two = await make.ask(work, "One"), await make.ask(work, "Two")
    said = [(await chosen_for(work, campaign, cast.gil))[cast.gil.no] for campaign in range(1, 5)]
    assert said == [one.no, two.no, one.no, two.no]
    theirs = await choosing.best_for(work, cast.gil.no)
    assert theirs is not None
    assert theirs.no == one.no


async def test_a_campaign_that_goes_back_to_draft_has_offered_nothing(
    work: Work, cast: Cast
) -> None:
    await make.ask(work)
    assert await chosen_for(work, 1, cast.gil)
    await choosing.forget(work, 1)
    assert await offers.offered(work, 1, [cast.gil.no]) == {}


async def test_at_most_twelve_compete_the_nearest_deadlines_first(house: House, cast: Cast) -> None:
    async with house.work() as work:
        made: list[Ask] = [
            await make.ask(work, f"Ask {n}", deadline=work.now + timedelta(days=20 - n))
            for n in range(14)
        ]
        found = await choosing.candidates(work)
    assert [one.no for one in found] == [one.no for one in reversed(made)][: choosing.AT_MOST]
