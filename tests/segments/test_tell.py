"""Questions in words: as one plain sentence, and as what there is to fill in."""

from typing import Any

import pytest

from mailer.kit.facets import Takes
from mailer.kit.i18n import speaking
from mailer.kit.work import Work
from mailer.segments import telling
from mailer.subscribers.actions import SubscriberUnknown
from mailer.tiers import store as ladder
from tests import makers as make
from tests.cast import Cast
from tests.segments import model

FRENCH: dict[str, Any] = {"is": "language", "language": "fr"}
NEW: dict[str, Any] = {"is": "joined", "how": "last", "days": 30}
TAGGED: dict[str, Any] = {"not": "tag", "tag": "1"}


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({}, "Nobody: nothing has been asked yet"),
        ({"everybody": True}, "Everybody on the roll"),
        (FRENCH, "People who are written to in Français"),
        (
            {"all": [FRENCH, NEW, TAGGED]},
            (
                "People who are written to in Français, and who joined in the last 30 days, and who"
                " do not have the tag T1"
            ),
        ),
        (
            {"any": [FRENCH, NEW]},
            "People who are written to in Français or joined in the last 30 days",
        ),
        (
            {"all": [{"any": [FRENCH, NEW]}, {"none": [TAGGED, {"is": "address"}]}]},
            (
                "People who either are written to in Français or joined in the last 30 days, but"
                " not those who do not have the tag T1 or have an email address"
            ),
        ),
        (
            {"all": [FRENCH, {"any": []}]},
            "People who are written to in Français, and who are nobody yet",
        ),
    ],
)
async def test_a_question_is_one_plain_sentence(
    asks: Work, world: model.World, tree: dict[str, Any], said: str
) -> None:
    with speaking("en"):
        assert await telling.sentence(asks, tree) == said


async def test_what_is_to_be_filled_in_depends_on_what_was_said(
    asks: Work, world: model.World
) -> None:
    async def names(**args: str) -> list[str]:
        return [one.name for one in await telling.controls(asks, {"is": "field", **args})]

    assert await names() == ["field"]
    assert await names(field=str(model.NUMBER)) == ["field", "how"]
    number = {"field": str(model.NUMBER), "how": "between"}
    assert await names(**number) == ["field", "how", "number", "most"]
    assert await names(field=str(model.CHOICE), how="one_of") == ["field", "how", "values"]
    [*_, values] = await telling.controls(
        asks, {"is": "field", "field": str(model.CHOICE), "how": "one_of", "values": ["bus"]}
    )
    assert (values.takes, values.value) == (Takes.SEVERAL, ["bus"])
    assert [option.value for option in values.options] == list(model.SLUGS)
    assert await telling.controls(asks, {"is": "no such facet"}) == []


async def test_why_tells_each_condition_and_nothing_of_those_one_may_not_see(
    work: Work, cast: Cast
) -> None:
    [follower, *_] = await ladder.ladder(work)
    tree = {
        "all": [
            {"is": "tier", "how": "is", "tier": str(follower.no)},
            {"is": "language", "language": "en"},
            {"is": "tag", "tag": "99"},
        ]
    }
    told = await telling.why(work, tree, cast.gil)
    assert (told.so, [part.so for part in told.parts]) == (False, [True, False, None])
    assert told.parts[2].wrong
    with pytest.raises(SubscriberUnknown):
        await telling.why(make.seen_by(work, cast.harbour), tree, cast.bo)
