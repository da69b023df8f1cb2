"""No question about a fact reads all subscribers: each begins in an index."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from mailer.kit.work import Work
from mailer.segments import asking
from tests.segments import model

POSITIVE: list[dict[str, Any]] = [
    {"is": "tier", "how": "at_least", "tier": "2"},
    {"is": "tier_was", "tier": "1"},
    {"is": "tier_moved", "way": "up"},
    {"is": "tier_moved", "way": "any", "days": 30, "sources": ["self_link"]},
    {"is": "list", "list": "1", "state": "confirmed"},
    {"is": "list", "list": "1", "state": "confirmed", "days": 30},
    {"is": "list", "list": "1", "state": "unsubscribed", "days": 30},
    {"is": "consent", "list": "any"},
    {"is": "consent", "list": "1", "door": "import"},
    *[
        {"is": "state", "state": state}
        for state in ("active", "paused", "unsubscribed", "suppressed", "stopped")
    ],
    {"is": "tag", "tag": "1"},
    {"is": "field", "field": "1", "how": "begins", "text": "depot"},
    {"is": "field", "field": "2", "how": "at_least", "number": 3},
    {"is": "field", "field": "3", "how": "next", "days": 30},
    {"is": "field", "field": "5", "how": "one_of", "values": ["bus", "rail"]},
    {"is": "group", "group": "101", "role": "rep"},
    {"is": "group", "group": "any", "kind": "union"},
    {"is": "language", "language": "fr"},
    {"is": "place", "how": "city", "text": "north"},
    {"is": "place", "how": "postcode", "text": "n1"},
    {"is": "place", "how": "region", "place": "North"},
    {"is": "place", "how": "country", "place": "GB"},
    {"is": "place", "how": "time_zone", "place": "Europe/Paris"},
    {"is": "joined", "how": "last", "days": 30},
    {"is": "source", "how": "source", "source": "Fair"},
    {"is": "source", "how": "door", "door": "page"},
    {"not": "address"},
    {"is": "declared", "days": 30},
    {"is": "phone", "how": "may_call"},
    {"is": "ask", "how": "done", "ask": "any", "days": 30},
    {"is": "ask", "how": "not_done", "ask": "1"},
    {"is": "follow_up", "how": "waits", "days": 30},
    {"is": "follow_up", "how": "talked", "days": 30},
    {"is": "campaign", "how": "got", "campaign": "1"},
    {"is": "campaign", "how": "got", "campaign": "any", "days": 30},
    {"all": [{"is": "tag", "tag": "1"}, {"not": "tag", "tag": "2"}]},
    {"any": [{"is": "tag", "tag": "1"}, {"is": "place", "how": "region", "place": "North"}]},
    {"all": [{"is": "tag", "tag": "1"}, {"is": "state", "state": "active"}, {"not": "address"}]},
    {"all": [{"is": "list", "list": "1", "state": "confirmed"}, {"none": [{"not": "address"}]}]},
]


def test_every_facet_is_asked_here() -> None:
    asked = {one.get("is") or one.get("not") for one in POSITIVE}
    assert asked - {None} == model.FACETS.keys()


@pytest.mark.any_database
async def test_no_positive_question_scans_the_roll(asks: Work, world: model.World) -> None:
    scans = {}
    for tree in POSITIVE:
        asked = await asking.numbers(asks, tree)
        said = asked.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        plan = await asks.session.execute(
            text(f"EXPLAIN QUERY PLAN {said}").bindparams(),
            execution_options={"unscoped": "a plan reads nobody"},
        )
        # A scan of a partial index reads those alone who are in it: the erased, the stopped.
        found = [row[-1] for row in plan if row[-1].startswith("SCAN subscriber")]
        found = [step for step in found if not step.endswith(FEW)]
        if found:
            scans[str(tree)] = found
    assert scans == {}


FEW = ("ix_subscriber_erased", "ix_subscriber_stopped", "ix_subscriber_unwritten")
