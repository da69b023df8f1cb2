"""Two workers whose beats are lost: what one says of its own must not touch what is another's."""

from collections.abc import Generator
from datetime import timedelta

import pytest
from sqlalchemy import update

from mailer.bootstrap import House
from mailer.deliveries.beating import Settled
from mailer.deliveries.model import Reason, Worker
from mailer.outbox.model import DeliveryState
from tests.cast import Cast
from tests.support.databases import PostgresCopies
from tests.support.ledgers import begun, marked, opened, states

pytestmark = pytest.mark.any_database  # which is PostgreSQL, whatever was asked for


@pytest.fixture
def database(postgres_copies: PostgresCopies) -> Generator[str]:
    with postgres_copies.one(altered=False) as url:
        yield url


async def test_what_was_never_begun_is_not_said_of_anothers_mark(house: House, cast: Cast) -> None:
    """The first asks in a beat that is lost before its commit, and is then silent for long."""
    campaign = await begun(house)
    async with opened(house) as silent, opened(house) as other:
        claims = await silent.claim(campaign, after=0, limit=100)
        async with house.work() as work:
            await work.session.execute(
                update(Worker)
                .where(Worker.no == silent.worker)
                .values(seen_at=work.now - timedelta(hours=1))
            )
        await other.watch()
        assert await marked(other, campaign)

        never_begun = [
            Settled(
                one.key,
                attempt,
                DeliveryState.QUEUED,
                reply=Reason.NOT_BEGUN.value,
                worker=silent.worker,
            )
            for one in claims
            for attempt in (one.attempt, one.attempt + 1)
        ]
        await silent.beat(never_begun, [], [campaign])

        assert set((await states(house, campaign)).values()) == {DeliveryState.SENDING}
