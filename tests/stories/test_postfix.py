"""A real Postfix takes a campaign of three thousand, refusing some for now and some for good."""

import asyncio
import os
from collections import Counter
from collections.abc import Generator

import pytest
from sqlalchemy import select

from mailer.bootstrap import House
from mailer.deliveries.naming import Namer
from mailer.outbox.model import DeliveryState
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.cast import Cast
from tests.support.debian import Unavailable
from tests.support.postfix import Postfix
from tests.support.rooms import Rooms
from tests.support.sending import counts, make_due, no_letters, ready, rows, until_sent

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]

PEOPLE = 3000
SENT, REFUSED, DEFERRED = DeliveryState.SENT, DeliveryState.REFUSED, DeliveryState.DEFERRED
NOT_NOW = "450 4.2.1 The mailbox is being moved"
NOBODY = "550 5.1.1 There is nobody of this name"


@pytest.fixture
def postfix() -> Generator[Postfix]:
    if os.geteuid() != 0:
        pytest.skip("the master of Postfix insists on being root")
    try:
        server = Postfix()
    except Unavailable as missing:
        pytest.skip(str(missing))
    with server:
        yield server


async def test_a_real_postfix_has_what_we_call_sent_and_no_complaint(
    house: House, cast: Cast, postfix: Postfix, rooms: Rooms
) -> None:
    async with house.work() as work:
        people = await make.people(work, PEOPLE - 2)
        away = {one.address for one in people[::100] if one.address}
        gone = {one.address for one in people[50::100] if one.address}
    await no_letters(house)
    postfix.refuse(dict.fromkeys(away, NOT_NOW) | dict.fromkeys(gone, NOBODY))
    postfix.reload()
    no = await ready(house)

    first = rooms.worker(relay_port=postfix.port)
    expected = {
        SENT: PEOPLE - len(away) - len(gone),
        DEFERRED: len(away),
        REFUSED: len(gone),
    }
    async with asyncio.timeout(120):
        while await counts(house, no) != expected:
            await asyncio.sleep(0.2)
    await asyncio.to_thread(first.stop)

    postfix.refuse(dict.fromkeys(gone, NOBODY))  # those who were away are back
    postfix.reload()
    await make_due(house)
    rooms.worker(relay_port=postfix.port)
    await until_sent(house, no)

    assert await counts(house, no) == {SENT: PEOPLE - len(gone), REFUSED: len(gone)}
    async with asyncio.timeout(60):
        while len(postfix.delivered()) < PEOPLE - len(gone):
            await asyncio.sleep(0.1)
    await said_the_same(house, postfix, no, gone)
    assert "step_failed" not in rooms.said()


async def said_the_same(house: House, postfix: Postfix, no: int, gone: set[str]) -> None:
    """Compare the rows with the log of Postfix: the same people, each once, nothing amiss."""
    found = await rows(house, no)
    told_sent = {number for number, row in found.items() if row.state == SENT}
    namer = Namer(house.keys)
    keys = [namer.read(name) for name in postfix.taken().values()]
    taken = Counter(key.number for key in keys if key and key.campaign == no)
    assert taken == dict.fromkeys(told_sent, 1)

    async with house.work(reading=True) as work:
        everybody = await work.session.execute(
            select(Subscriber.no, Subscriber.address).where(Subscriber.no.in_(found)),
            execution_options={"unscoped": "a test looks at everybody"},
        )
        addresses = {number: address for number, address in everybody if address}
    assert Counter(postfix.delivered()) == Counter(addresses[number] for number in told_sent)
    refused = {number for number, row in found.items() if row.state == REFUSED}
    assert {addresses[number] for number in refused} == gone
    assert all(found[number].code == 550 for number in refused)
    assert postfix.complaints() == []
