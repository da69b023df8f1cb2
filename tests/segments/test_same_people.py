"""The same people in, the same people out: SQL against plain Python, on both databases."""

import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from mailer.kit.work import Work
from mailer.segments import asking, compiling, store, telling
from mailer.subscribers import store as subscribers
from mailer.subscribers.model import Subscriber, visible
from tests.segments import model, questions

# Each example asks a dozen questions of a database, and on a busy machine that takes its time.
pytestmark = pytest.mark.timeout(240)

often = settings(
    max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


async def who(work: Work, tree: dict[str, Any]) -> list[int]:
    return sorted(await work.session.scalars(await asking.numbers(work, tree)))


def test_every_facet_is_in_the_model() -> None:
    known = {facet.name for facet in asking.facets()}
    assert known - {"import"} == model.FACETS.keys() == questions.BY_FACET.keys()


@given(tree=questions.CONDITIONS)
@settings(often, max_examples=150)
async def test_each_condition_is_true_of_those_of_whom_it_is(
    asks: Work, world: model.World, tree: dict[str, Any]
) -> None:
    assert await who(asks, tree) == sorted(world.who(tree)), tree


@given(tree=questions.TREES)
@often
async def test_nests_give_the_same_people(
    asks: Work, world: model.World, tree: dict[str, Any]
) -> None:
    found = await who(asks, tree)
    assert found == sorted(world.who(tree)), await telling.sentence(asks, tree)
    assert await asking.count(asks, tree) == len(found)
    counted = await asking.counted(asks, tree)
    active = world.who({"all": [tree, {"is": "state", "state": "active"}]})
    assert counted == asking.Counted(len(found), len(active))


@given(tree=questions.TREES)
@often
async def test_whoever_sees_some_groups_is_answered_about_their_people_alone(
    asks: Work, world: model.World, tree: dict[str, Any]
) -> None:
    for scope in ({101}, {101, 102}):
        theirs = dataclasses.replace(asks, scope=frozenset(scope))
        hidden = {str(no) for no in model.GROUPS if no not in scope}
        expected = world.who(_without(tree, hidden), frozenset(scope))
        found = await who(theirs, tree)
        assert found == sorted(expected), tree
        assert await asking.count(theirs, tree) == len(found)
        page = await asking.page(theirs, tree, limit=100)
        assert [one.no for one in page.rows] == found


def _without(tree: dict[str, Any], hidden: set[str]) -> dict[str, Any]:
    """Put what is not there in the place of groups that the actor must not ask about."""
    for nest in ("all", "any", "none"):
        if nest in tree:
            return {nest: [_without(one, hidden) for one in tree[nest]]}
    return {**tree, "group": model.GONE} if tree.get("group") in hidden else tree


@given(tree=questions.TREES, no=st.integers(1, model.PEOPLE))
@often
async def test_why_somebody_is_in_or_out_agrees_with_the_answer(
    asks: Work, world: model.World, tree: dict[str, Any], no: int
) -> None:
    somebody = await subscribers.by_no(asks, no)
    assert somebody is not None
    told = await telling.why(asks, tree, somebody)
    one = world.people[no]
    assert told.so is (no in world.who(tree)), tree
    for part in told.all_parts():
        if part.kind == telling.CONDITION and not part.wrong and one.living:
            assert part.so is model.answers(world, one, part.node), part.words


@given(tree=questions.TREES)
@settings(often, max_examples=15)
async def test_whatever_the_order_of_asking_the_answer_is_the_same(
    asks: Work, world: model.World, tree: dict[str, Any]
) -> None:
    """As if all sets were large, so that SQLite merges whatever comes in order."""
    many = compiling._MANY
    try:
        compiling._MANY = 0
        assert await who(asks, tree) == sorted(world.who(tree))
    finally:
        compiling._MANY = many


async def test_pages_go_on_where_the_last_one_ended(asks: Work, world: model.World) -> None:
    tree = {"is": "language", "language": "fr"}
    first = await asking.page(asks, tree, limit=5)
    second = await asking.page(asks, tree, after=first.next_after or 0, limit=1000)
    found = [one.no for one in [*first.rows, *second.rows]]
    assert found == sorted(world.who(tree))
    assert [one.no for one in await asking.sample(asks, tree, 3)] == found[:3]


async def test_a_condition_about_subscribers_can_stand_in_another_statement(
    asks: Work, world: model.World
) -> None:
    tree = {"any": [{"is": "tag", "tag": "1"}, {"not": "address"}]}
    found = await asks.session.scalars(
        select(Subscriber.no).where(await asking.where(asks, tree), visible(asks))
    )
    assert set(found) == world.who(tree)


async def test_sizes_tell_the_few_from_the_many(asks: Work, world: model.World) -> None:
    trees: list[dict[str, Any]] = [{"everybody": True}, {"is": "tag", "tag": "1"}, {"all": []}]
    asked = [await asking.numbers(asks, tree) for tree in trees]
    assert await store.sizes(asks, asked) == [len(world.who(tree)) for tree in trees]
