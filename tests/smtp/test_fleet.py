"""Several relays: shares by weight, spares, rests, and changes while they carry."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec
import pytest

from mailer.deliveries.transport import Errand, Route, Trouble, Verdict
from mailer.smtp import Fleet
from mailer.smtp.rules import DEADLINES, Phase
from tests.smtp.carrying import SHORT, carrying, until
from tests.smtp.chaos import MODES, Chaos, Drop, Hang, Reset, Say, Slowly
from tests.smtp.office import Office, Persistent, errand

ACCEPTED = Verdict.ACCEPTED


def route(no: int, chaos: Chaos, **more: Any) -> Route:
    return Route(
        **{
            "no": no,
            "name": f"relay {no}",
            "host": "127.0.0.1",
            "port": chaos.port,
            "security": "none",
            "connections": 4,
            **more,
        }
    )


def crowd(size: int, first: int = 0) -> list[Errand]:
    return [errand(number) for number in range(first, first + size)]


async def feed(office: Office, fleet: Fleet, is_so: Callable[[], Any]) -> None:
    """Have no end of errands, until something is so."""
    numbers = itertools.count(100_000)
    async with asyncio.timeout(20):
        while not is_so():
            office.line.extend(errand(next(numbers)) for _ in range(20 - len(office.line)))
            fleet.wake()
            await asyncio.sleep(0.005)


@pytest.fixture(params=["pipelined", "bdat"])
async def one(request: pytest.FixtureRequest) -> AsyncGenerator[Chaos]:
    async with Chaos(offers=MODES[request.param]) as chaos:
        yield chaos


@pytest.fixture
async def two() -> AsyncGenerator[Chaos]:
    async with Chaos() as chaos:
        yield chaos


async def test_shares_follow_the_weights_all_along(one: Chaos, two: Chaos) -> None:
    office = Office(*crowd(8))

    async with carrying(office, route(1, one, weight=3), route(2, two, weight=1)) as fleet:
        await until(lambda: one.open == two.open == 4)
        await until(lambda: len(office.outcomes()) == 8)
        office.took.clear()
        office.line.extend(crowd(400, first=8))
        fleet.wake()
        for so_many in (100, 200, 400):
            await until(lambda: office.took.total() >= so_many)  # noqa: B023  # awaited at once
            # Within two rounds of sixteen.
            assert abs(office.took[1] - office.took.total() * 3 / 4) <= 32

    assert len(one.accepted) + len(two.accepted) == 408
    assert office.verdicts() == {ACCEPTED}


async def test_a_quick_relay_keeps_to_its_share_beside_a_slow_one(one: Chaos, two: Chaos) -> None:
    two.always("END", Slowly(pause=0.002))
    office = Office(*crowd(8))

    async with carrying(office, route(1, one), route(2, two)) as fleet:
        await until(lambda: one.open == two.open == 4)
        office.line.extend(crowd(300, first=8))
        fleet.wake()
        await until(lambda: len(office.outcomes()) == 308)

    assert abs(office.took[1] - office.took[2]) <= 40


async def test_nobody_waits_for_a_relay_that_takes_nothing(one: Chaos, two: Chaos) -> None:
    two.always("END", Hang())
    office = Office(*crowd(200))

    async with carrying(office, route(1, one), route(2, two, connections=1)):
        await until(lambda: len(one.accepted) >= 196)
        two.hang_up()


async def test_nobody_waits_for_a_relay_that_has_reached_its_limit(one: Chaos, two: Chaos) -> None:
    office = Office(*crowd(60))

    async with carrying(office, route(1, one), route(2, two)):
        await until(lambda: len(office.outcomes()) == 60)
        office.spent = {2}
        before = len(two.accepted)
        office.line.extend(crowd(200, first=60))
        await until(lambda: len(office.outcomes()) == 260)

    assert before
    assert len(two.accepted) == before


async def test_a_spare_stands_in_while_no_other_is_well(one: Chaos, two: Chaos) -> None:
    office = Persistent(*crowd(20))

    async with carrying(office, route(1, one), route(2, two, weight=0)) as fleet:
        await until(lambda: len(office.final()) == 20)
        assert not two.connections

        for step in ("CONNECT", "MAIL", "RSET"):
            one.always(step, Say(reply="421 4.3.2 bye"))
        office.line.extend(crowd(20, first=20))
        fleet.wake()
        await until(lambda: len(office.final()) == 40)
        assert len(two.accepted) == 20

        one.heal()
        await feed(office, fleet, lambda: len(one.accepted) > 40)
        await until(lambda: not office.line)
        spared = len(two.accepted)
        office.line.extend(crowd(100, first=1000))
        fleet.wake()
        await until(lambda: 1099 in office.final())

    assert len(two.accepted) == spared


async def test_one_that_is_away_is_stood_in_for_and_comes_back_by_itself(
    one: Chaos, two: Chaos
) -> None:
    one.always("CONNECT", Reset())
    office = Office(*crowd(100))

    async with carrying(office, route(1, one), route(2, two), first_rest=0.05) as fleet:
        await until(lambda: len(office.outcomes()) == 100)
        assert len(two.accepted) == 100
        assert set(office.troubled) == {1}

        one.heal()
        await feed(office, fleet, lambda: len(one.accepted) > 100)

    assert office.verdicts() == {ACCEPTED}


async def test_a_rest_doubles_and_is_ended_by_one_connection(one: Chaos) -> None:
    one.always("CONNECT", Drop())
    office = Office(*crowd(50))

    async with carrying(office, route(1, one), first_rest=0.3) as fleet:
        await until(lambda: one.connections >= 4)  # all at first
        assert one.connections == 4
        await until(lambda: one.connections == 5)  # after 0.3 s, one
        await until(lambda: one.connections == 6)  # after 0.6 s more
        assert len(office.troubles) >= 5
        one.heal()
        await until(lambda: len(office.outcomes()) == 50)
        fleet.wake()

    assert {kind for kind, _words in office.troubles} == {Trouble.AWAY}
    assert office.wells == 1 + max(0, one.connections - 7)


async def test_a_server_that_lets_us_in_and_takes_nothing_rests_longer_each_time(
    one: Chaos,
) -> None:
    """Each connection puts a message in doubt, so coming back at once would cost dear."""
    one.always("MAIL", Drop())
    office = Office(*crowd(40))

    async with carrying(office, route(1, one, connections=1), first_rest=0.1):
        await until(lambda: len(office.troubles) == 3)
        assert one.connections == 3
        assert not office.wells or office.wells == 1
        one.heal()
        await until(lambda: one.accepted)


@pytest.mark.parametrize("password", ["right", "wrong"])
async def test_a_relay_that_shuts_us_out_does_not_stop_the_others(
    two: Chaos, password: str
) -> None:
    async with Chaos(password="right") as one:
        first = route(1, one, user="roll", password=password)
        office = Office(*crowd(50))

        async with carrying(office, first, route(2, two)):
            await until(lambda: len(office.outcomes()) == 50)

        assert office.verdicts() == {ACCEPTED}
        assert bool(one.accepted) is (password == "right")
        assert {kind for kind, _words in office.troubles} == (
            set() if password == "right" else {Trouble.SHUT}
        )
        assert set(office.troubled) <= {1}


async def test_tls_that_is_hidden_shuts_only_its_own_relay(one: Chaos, two: Chaos) -> None:
    office = Office(*crowd(50))

    async with carrying(office, route(1, one, security="starttls"), route(2, two)):
        await until(lambda: len(two.accepted) == 50)
        await until(lambda: office.troubles)

    assert Counter(kind for kind, _words in office.troubles).keys() == {Trouble.SHUT}
    assert not [command for command in one.commands if command.startswith("MAIL")]


async def test_421_at_work_halves_the_connections_and_they_come_back(one: Chaos) -> None:
    office = Office(*crowd(80))

    async with carrying(office, route(1, one)) as fleet:
        await until(lambda: len(office.outcomes()) == 80 and one.open == 4)
        one.plan("END", Say(reply="421 4.7.0 slow down"))
        office.line.extend(crowd(80, first=80))
        fleet.wake()
        await until(lambda: one.open == 2)
        await until(lambda: len(office.outcomes()) == 160)
        await feed(office, fleet, lambda: one.open == 4)

    assert one.open == 0
    assert one.connections == 6
    assert not office.troubles


async def test_a_server_that_allows_fewer_connections_is_not_in_trouble(one: Chaos) -> None:
    office = Office(*crowd(10))

    async with carrying(office, route(1, one, connections=1)) as fleet:
        await until(lambda: len(office.outcomes()) == 10)
        one.always("CONNECT", Say(reply="421 4.7.0 too many connections"))
        fleet.use([route(1, one, connections=4)])
        office.line.extend(crowd(200, first=10))
        fleet.wake()
        await until(lambda: len(office.outcomes()) == 210)

    assert one.connections > 1
    assert not office.troubles


# Changes while they carry. ------------------------------------------------------------------------


async def test_a_relay_that_is_added_carries_and_one_that_is_taken_away_leaves_politely(
    one: Chaos, two: Chaos
) -> None:
    one.always("END", Slowly(pause=0.002))
    office = Office(*crowd(100))

    async with carrying(office, route(1, one)) as fleet:
        await until(lambda: len(office.outcomes()) > 10)
        fleet.use([route(2, two)])
        await until(lambda: len(office.outcomes()) == 100)
        await until(lambda: not one.open)
        assert one.commands[-1] == "QUIT"

    assert office.verdicts() == {ACCEPTED}
    assert len(one.accepted) < 60
    assert len(one.accepted) + len(two.accepted) == 100


async def test_another_name_or_weight_needs_no_new_connection(one: Chaos) -> None:
    office = Office(*crowd(20))
    before = route(1, one)

    async with carrying(office, before) as fleet:
        await until(lambda: len(office.outcomes()) == 20)
        count = one.connections
        fleet.use([msgspec.structs.replace(before, name="other", weight=7)])
        office.line.extend(crowd(20, first=20))
        fleet.wake()
        await until(lambda: len(office.outcomes()) == 40)
        assert one.connections == count
        assert "QUIT" not in one.commands


async def test_another_password_needs_a_new_connection() -> None:
    async with Chaos(password="right") as one:
        office = Office(*crowd(1))
        before = route(1, one, user="roll", password="wrong")

        async with carrying(office, before, first_rest=60) as fleet:
            await until(lambda: office.troubles)
            fleet.use([msgspec.structs.replace(before, password="right")])
            await until(lambda: one.accepted)


async def test_fewer_connections_are_kept_at_once(one: Chaos) -> None:
    office = Office(*crowd(80))

    async with carrying(office, route(1, one)) as fleet:
        await until(lambda: len(office.outcomes()) == 80 and one.open == 4)
        fleet.use([route(1, one, connections=1)])
        await until(lambda: one.open == 1)
        office.line.extend(crowd(20, first=80))
        fleet.wake()
        await until(lambda: len(office.outcomes()) == 100)
        assert one.open == 1


async def test_without_any_relay_errands_wait(one: Chaos) -> None:
    office = Office(*crowd(10))

    async with carrying(office, route(1, one)) as fleet:
        await until(lambda: len(office.outcomes()) == 10)
        fleet.use([])
        office.line.extend(crowd(10, first=10))
        await until(lambda: not one.open)
        assert fleet.connections() == 0
        fleet.use([route(1, one)])
        await until(lambda: len(office.outcomes()) == 20)


# Addresses that are not ASCII. --------------------------------------------------------------------


async def test_what_needs_utf8_waits_for_the_relay_that_knows_it(one: Chaos, two: Chaos) -> None:
    two.offers.append("SMTPUTF8")
    office = Office(errand(1, needs_utf8=True))
    office.spent = {2}

    async with carrying(office, route(1, one), route(2, two)) as fleet:
        await until(office.outcomes)
        outcome = office.outcomes()[1]
        assert (outcome.verdict, outcome.code) == (Verdict.DEFERRED, 450)
        assert outcome.reply.startswith("4.6.7 ")

        office.spent = {1}
        office.line.append(errand(2, needs_utf8=True))
        fleet.wake()
        await until(lambda: two.accepted)


async def test_deadlines_end_what_hangs_on_any_relay(one: Chaos, two: Chaos) -> None:
    one.plan("MAIL", Hang())
    office = Office(*crowd(10))
    assert DEADLINES[Phase.BODY] == 600  # a slow 250 must not become a duplicate

    async with carrying(office, route(1, one, connections=1), route(2, two), deadlines=SHORT):
        await until(lambda: len(office.outcomes()) == 10)

    assert len(two.accepted) >= 5
