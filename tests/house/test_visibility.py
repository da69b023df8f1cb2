"""The watch over reads of subscribers is itself tested, by planted faults."""

from typing import Any

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import aliased

from mailer.kit.secrets import Keys
from mailer.kit.work import Work, clock
from mailer.subscribers.model import Membership, Subscriber, visible
from mailer.tiers.model import TierChange
from tests.support.visibility import blind

KEYS = Keys(b"k" * 32)
WORK = Work(session=None, now=clock(), keys=KEYS, scope=frozenset({1}))  # type: ignore[arg-type]
EVERYBODY = Work(session=None, now=clock(), keys=KEYS)  # type: ignore[arg-type]
FRIEND = aliased(Subscriber)
COUNT = select(func.count(Subscriber.no))


@pytest.mark.parametrize(
    "statement",
    [
        select(Subscriber),
        select(Subscriber.no).where(Subscriber.no == 1),
        COUNT,
        select(TierChange).join(Subscriber),
        select(TierChange).where(TierChange.subscriber_no.in_(select(Subscriber.no))),
        select(TierChange.no, COUNT.scalar_subquery()),
        select(Subscriber).join(FRIEND, FRIEND.city == Subscriber.city).where(visible(WORK)),
        select(Subscriber.no).union(select(Subscriber.no).where(visible(WORK))),
        update(Subscriber).values(city="x"),
        delete(Subscriber),
        update(TierChange)
        .values(reason="x")
        .where(TierChange.subscriber_no.in_(select(Subscriber.no))),
        text("SELECT * FROM subscriber"),
        select(Subscriber).where(Subscriber.no.in_(select(Membership.subscriber_no))),
    ],
)
def test_a_blind_statement_is_seen(statement: Any) -> None:
    assert blind(statement)


@pytest.mark.parametrize("work", [WORK, EVERYBODY])
def test_one_that_asks_is_let_be(work: Work) -> None:
    for statement in [
        select(Subscriber).where(visible(work)),
        COUNT.where(Subscriber.no == 1, visible(work)),
        select(TierChange).join(Subscriber).where(visible(work)),
        select(TierChange).join(Subscriber, visible(work)),
        select(FRIEND).where(visible(work, FRIEND)),
        select(TierChange).where(TierChange.no == 1),
        update(Subscriber).values(city="x").where(visible(work)),
    ]:
        assert blind(statement) == [], str(statement)
