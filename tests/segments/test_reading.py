"""What is read from outside: kept as it is meant, or refused at the node, and at once."""

from typing import Any

import pytest

from mailer.kit.work import Work
from mailer.segments import asking, telling
from mailer.segments.tree import DEEPEST, MOST_NODES
from tests.segments import model

TAG: dict[str, Any] = {"is": "tag", "tag": "1"}


async def test_a_tree_is_kept_as_its_facets_want_it(asks: Work, world: model.World) -> None:
    said = {
        "all": [
            {"is": "tag", "tag": "1", "text": "left over from another choice"},
            {"not": "joined", "how": "last", "days": "30", "date": ""},
            {"is": "field", "field": "2", "how": "is", "number": "3,5"},
            {"any": []},
        ],
        "unheard": "of",
    }
    assert await asking.read(asks, said) == {
        "all": [
            TAG,
            {"not": "joined", "how": "last", "days": 30},
            {"is": "field", "field": "2", "how": "is", "number": 3.5},
            {"any": []},
        ]
    }


async def test_what_asks_nothing_is_nobody(asks: Work, world: model.World) -> None:
    empty: list[dict[str, Any]] = [
        {},
        {"all": []},
        {"any": []},
        {"none": []},
        {"all": [{"any": []}]},
        {"none": [{"all": []}]},
        {"all": [{"none": [{"any": []}]}]},
    ]
    for tree in empty:
        assert await asking.count(asks, tree) == 0, tree
    assert await asking.count(asks, {"everybody": True}) == len(world.who({"everybody": True}))


async def test_what_is_gone_says_so_and_never_makes_the_answer_larger(
    asks: Work, world: model.World
) -> None:
    for gone in ({"is": "tag", "tag": "99"}, {"not": "tag", "tag": "99"}, {"is": "no such facet"}):
        for tree in (gone, {"all": [TAG, gone]}, {"none": [gone]}, {"all": [{"none": [gone]}]}):
            assert await asking.count(asks, tree) == 0, tree
        assert await asking.count(asks, {"any": [TAG, gone]}) == len(world.who(TAG))
        with pytest.raises(asking.ConditionWrong) as refused:
            await asking.read(asks, {"all": [TAG, {"any": [TAG, gone]}]})
        assert refused.value.facts["path"] == "1.1"
        told = await telling.parts(asks, {"all": [TAG, gone]})
        assert [bool(part.wrong) for part in told.parts] == [False, True]


DEEP: dict[str, Any] = TAG
for _ in range(2000):
    DEEP = {"all": [DEEP]}

HOSTILE: list[Any] = [
    None,
    7,
    "everybody",
    [],
    {"everybody": 1},
    {"everybody": "true"},
    {"all": {}},
    {"all": [None]},
    {"is": ["tag"]},
    {"is": "x" * 65_536},
    {"is": "tag"},
    {"is": "tag", "tag": 1},
    {"is": "tag", "tag": "1" * 65_536},
    {"is": "tag", "tag": "1\x00"},
    {"is": "tag", "tag": "²"},
    {"is": "tag", "tag": ["1"] * 100_000},
    {"is": "tag", "tag": {"$ne": ""}},
    {"is": "place", "how": "city", "text": "x" * 65_536},
    {"is": "place", "how": "city", "text": "a\x00b"},
    {"is": "place", "how": "city", "text": "\ud800"},
    {"is": "place", "how": "region", "place": "x\x00"},
    {"is": "place", "how": "__class__", "text": "x"},
    {"is": "joined", "how": "last", "days": -1},
    {"is": "joined", "how": "last", "days": True},
    {"is": "joined", "how": "last", "days": 10**30},
    {"is": "joined", "how": "last", "days": "٣"},
    {"is": "joined", "how": "before", "date": "0001-01-01"},
    {"is": "joined", "how": "between", "date": "2026-01-01", "until": "9999-12-31"},
    {"is": "joined", "how": "before", "date": "2026-02-30"},
    {"is": "field", "field": "2", "how": "is", "number": "nan"},
    {"is": "field", "field": "2", "how": "is", "number": 10**400},
    {"is": "field", "field": "4", "how": "one_of", "values": [["bus"]]},
    {"is": "field", "field": "4", "how": "one_of", "values": []},
    {"is": "field", "field": "999", "how": "filled"},
    {"all": [TAG] * MOST_NODES},
    {"all": [TAG] * 1_000_000},
    DEEP,
]


@pytest.mark.parametrize("at", range(len(HOSTILE)))
async def test_hostile_questions_are_refused_at_once(
    asks: Work, world: model.World, at: int
) -> None:
    with pytest.raises((asking.ConditionWrong, asking.NotATree, asking.TooDeep, asking.TooMany)):
        await asking.read(asks, HOSTILE[at])


async def test_what_looks_like_a_pattern_is_text(asks: Work, world: model.World) -> None:
    for text in ("%", "_", "'; DROP TABLE subscriber; --", "\\", "[a-z]*", "n_rth"):
        tree = {"is": "place", "how": "city", "text": text}
        found = set(await asks.session.scalars(await asking.numbers(asks, tree)))
        assert found == world.who(tree), text


async def test_as_much_as_may_be_asked_is_answered(asks: Work, world: model.World) -> None:
    nested: dict[str, Any] = TAG
    for _ in range(DEEPEST - 1):
        nested = {"all": [nested]}
    assert await asking.count(asks, await asking.read(asks, nested)) == len(world.who(TAG))
    many = {"any": [{"not": "tag", "tag": "1"}] * (MOST_NODES - 1)}
    assert await asking.count(asks, await asking.read(asks, many)) == len(world.who(many))
