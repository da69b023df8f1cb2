"""How fast messages may go: limits that all workers keep to together."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from mailer.bootstrap import House
from mailer.campaigns.model import Kind
from mailer.deliveries import permits
from mailer.deliveries.pacing import Pacer
from mailer.kit.i18n import speaking
from mailer.kit.secrets import Keys
from mailer.kit.work import Door, Work
from mailer.relays import actions as relays
from mailer.relays import ruling, store
from mailer.relays.model import DomainPace, Relay, RelayHour
from tests.cast import Cast
from tests.support.pacing import FIRST, NOON, Hours, changed, limited, pacer, taken_now

MAIL = Kind.NEWSLETTER
BIG = "big.example"


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture(autouse=True)
def gathered(cast: Cast) -> None:
    """Everybody is there, and with them the relay of the settings and the rules."""


async def carried(house: House, no: int = FIRST) -> int:
    async with house.work(reading=True) as work:
        counts = select(RelayHour.count).where(RelayHour.relay_no == no)
        tallies = (await work.session.scalars(counts)).all()
    return sum(tallies)


async def domain_of(house: House, domain: str = BIG) -> DomainPace | None:
    async with house.work(reading=True) as work:
        return await store.pace_of(work, domain)


async def second_relay(house: House) -> int:
    async with house.work(door=Door.ADMIN) as work:
        relay = await relays.add(
            work,
            name="Second",
            host="mail.example.net",
            port=587,
            security="starttls",
            user="us",
            password="pass word",
        )
        return relay.no


async def sent_in(
    seconds: float, hours: Hours, *pacers: Pacer, domain: str = "example.org", tick: float = 0.05
) -> list[datetime]:
    """Let engines take whatever they may, as often as they can; give the moments."""
    moments = []
    for no in range(round(seconds / tick)):
        if no % round(0.25 / tick) == 0:
            for one in pacers:
                await one.look()
        for one in pacers:
            while one.allows(FIRST, MAIL) and one.take(FIRST, domain):
                moments.append(hours.at)
        hours.pass_(tick)
    return moments


def most_within(moments: list[datetime], seconds: float) -> int:
    """Count the most that went in any stretch of so many seconds."""
    ordered = sorted(moments)
    most, first = 0, 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] >= timedelta(seconds=seconds):
            first += 1
        most = max(most, last - first + 1)
    return most


# --- without limits -------------------------------------------------------------------------------


async def test_before_it_has_looked_nothing_may_go(house: House, hours: Hours) -> None:
    blind = Pacer(house.work, house.settings, moment=hours.moment, ticks=hours.ticks)

    assert not blind.allows(FIRST, MAIL)
    assert not blind.take(FIRST, BIG)
    assert blind.why() is None
    assert await blind.look()
    assert blind.allows(FIRST, MAIL)


async def test_where_nothing_is_limited_everything_may_go(house: House, hours: Hours) -> None:
    ours = await pacer(house, hours)

    assert taken_now(ours, most=5000) == 5000
    assert ours.why() is None
    assert not await ours.look()


async def test_what_went_is_counted_all_the_same(house: House, hours: Hours) -> None:
    ours = await pacer(house, hours)
    taken_now(ours, most=30)
    ours.take_letter(FIRST, BIG)
    ours.give_back(FIRST, BIG)

    hours.pass_(5)
    await ours.look()
    assert await carried(house) == 30
    taken_now(ours, most=7)
    await ours.close()
    assert await carried(house) == 37


async def test_it_looks_at_the_clock_of_the_database(house: House) -> None:
    async with house.work(reading=True) as work:
        assert abs(await store.moment(work) - work.now) < timedelta(seconds=5)


# --- relays ---------------------------------------------------------------------------------------


async def test_the_relay_of_the_settings_is_the_first(house: House, hours: Hours) -> None:
    await limited(house, connections=3, weight=2)
    [route] = (await pacer(house, hours)).routes()

    settings = house.settings
    assert (route.no, route.host, route.port) == (FIRST, settings.smtp_host, settings.smtp_port)
    assert (route.security, route.connections, route.weight) == ("none", 3, 2)
    assert repr(route) == "<Route 1>"


async def test_another_relay_comes_with_its_password(house: House, hours: Hours) -> None:
    no = await second_relay(house)
    ours = await pacer(house, hours)

    route = ours.routes()[1]
    assert (route.no, route.name, route.host, route.user) == (
        no,
        "Second",
        "mail.example.net",
        "us",
    )
    assert (route.password, route.connections, route.weight) == ("pass word", 8, 1)
    before = ours.routes()
    hours.pass_(2)
    await ours.look()
    assert ours.routes() is before


async def test_a_relay_whose_password_cannot_be_read_is_left_alone(
    house: House, hours: Hours
) -> None:
    no = await second_relay(house)
    async with house.work() as work:
        relay = await work.session.get_one(Relay, no)
        relay.password_sealed = Keys(b"another key, of thirty-two octet").seal("relay", "x")
    ours = await pacer(house, hours)

    assert [route.no for route in ours.routes()] == [FIRST]
    assert not ours.allows(no, MAIL)


async def test_switching_a_relay_off_acts_within_a_second(house: House, hours: Hours) -> None:
    ours = await pacer(house, hours)
    async with house.work() as work:
        await relays.switch_off(work, await work.session.get_one(Relay, FIRST))

    hours.pass_(1)
    assert await ours.look()
    assert ours.routes() == ()
    assert not ours.allows(FIRST, MAIL)
    why = ours.why()
    assert why is not None
    assert why() == "No mail server is switched on."


# --- so many a second -----------------------------------------------------------------------------


async def test_a_limit_is_spread_evenly_over_the_second(house: House, hours: Hours) -> None:
    await limited(house, per_second=20)
    ours = await pacer(house, hours)

    moments = await sent_in(5, hours, ours)

    assert 90 <= len(moments) <= 101
    # 20 and the one at the edge; what is left over from a tick before may go half a second late.
    assert most_within(moments, 1) <= 22


async def test_two_workers_share_a_limit_and_never_exceed_it(house: House, hours: Hours) -> None:
    await limited(house, per_second=40)
    workers = [await pacer(house, hours) for _ in range(2)]

    moments = await sent_in(5, hours, *workers)

    assert 180 <= len(moments) <= 201
    assert most_within(moments, 1) <= 43


async def test_what_was_not_used_in_time_does_not_go_all_at_once(
    house: House, hours: Hours
) -> None:
    await limited(house, per_second=20)
    ours = await pacer(house, hours)
    await sent_in(2, hours, ours)

    await ours.look()
    hours.pass_(30)
    await ours.look()
    hours.pass_(0.25)

    assert taken_now(ours) <= 6  # a quarter of a second


async def test_a_worker_that_is_killed_wastes_at_most_what_it_held(
    house: House, hours: Hours
) -> None:
    await limited(house, per_second=40)
    killed, heir = await pacer(house, hours), await pacer(house, hours)
    before = await sent_in(3, hours, killed, heir)

    after = await sent_in(3, hours, heir)

    assert len(before) + len(after) >= 240 - 20 - 10  # half a second of permits, and two edges
    assert most_within(before + after, 1) <= 43


async def test_a_limit_is_changed_while_it_is_kept(house: House, hours: Hours) -> None:
    await limited(house, per_second=10)
    ours = await pacer(house, hours)
    assert len(await sent_in(5, hours, ours)) <= 51

    await limited(house, per_second=100)
    await sent_in(1.25, hours, ours)
    assert len(await sent_in(2, hours, ours)) >= 190

    await limited(house)
    hours.pass_(1)
    assert await ours.look()
    assert taken_now(ours, most=5000) == 5000


async def test_a_worker_that_waited_is_woken_when_permits_come(house: House, hours: Hours) -> None:
    await limited(house, per_second=2)
    ours = await pacer(house, hours)
    taken_now(ours)

    hours.pass_(0.1)
    assert not await ours.look()
    hours.pass_(0.5)
    assert await ours.look()


async def test_a_clock_that_is_put_back_stops_nothing_for_long(house: House, hours: Hours) -> None:
    await limited(house, per_second=10)
    ours = await pacer(house, hours)
    await sent_in(2, hours, ours)

    hours.jump(hours=-1)
    await sent_in(31, hours, ours, tick=0.25)

    assert len(await sent_in(5, hours, ours)) >= 45


async def test_letters_wait_for_nothing_and_campaigns_make_up_for_them(
    house: House, hours: Hours
) -> None:
    await limited(house, per_second=10, per_hour=1000)
    ours = await pacer(house, hours)
    taken_now(ours)

    for _ in range(30):
        ours.take_letter(FIRST, BIG)
    moments = await sent_in(5, hours, ours)

    assert len(moments) <= 25  # of 50, three seconds are the letters'
    await ours.close()
    assert await carried(house) == len(moments) + 30 + 1


async def test_letters_alone_reserve_nothing(house: House, hours: Hours) -> None:
    await limited(house, per_hour=100)
    ours = await pacer(house, hours)
    hours.pass_(1)  # what the first look took has run out

    for _ in range(3):
        ours.take_letter(FIRST, BIG)
    await ours.look()

    assert await carried(house) == 3
    assert taken_now(ours) == 0


async def test_what_came_to_nothing_goes_to_somebody_else(house: House, hours: Hours) -> None:
    await limited(house, per_hour=8)
    ours = await pacer(house, hours)
    assert taken_now(ours) == 8

    ours.give_back(FIRST, BIG)

    assert taken_now(ours) == 1


# --- so many an hour and a day --------------------------------------------------------------------


async def test_an_hour_holds_its_number_and_the_next_begins_anew(
    house: House, hours: Hours
) -> None:
    await limited(house, per_hour=100)
    workers = [await pacer(house, hours) for _ in range(2)]

    assert len(await sent_in(10, hours, *workers, tick=0.25)) == 100
    why = workers[0].why()
    assert why is not None
    assert "in an hour" in why()
    hours.pass_(3590 - 0.25)
    assert await sent_in(0.25, hours, *workers, tick=0.25) == []  # the last moment of the hour
    assert len(await sent_in(10, hours, *workers, tick=0.25)) == 100
    assert workers[0].why() is not None
    assert await carried(house) == 200


async def test_workers_that_ask_at_the_same_moment_share_what_is_left(
    house: House, hours: Hours
) -> None:
    await limited(house, per_hour=30)
    workers = [
        Pacer(house.work, house.settings, moment=hours.moment, ticks=hours.ticks) for _ in range(4)
    ]
    taken = 0
    for _ in range(8):
        await asyncio.gather(*[one.look() for one in workers])
        taken += sum(taken_now(one) for one in workers)
        hours.pass_(0.5)

    assert taken == 30
    assert await carried(house) == 30


async def test_no_permit_outlives_its_hour(house: House, hours: Hours) -> None:
    await limited(house, per_hour=100)
    hours.pass_(3599.9)
    ours = await pacer(house, hours)

    hours.pass_(0.2)
    assert taken_now(ours) == 0

    assert len(await sent_in(10, hours, ours, tick=0.25)) == 100


async def test_a_day_is_one_of_the_organisation(house: House, hours: Hours) -> None:
    await changed(
        house, ruling.set_hours, quiet_from="", quiet_until="", time_zone="America/Toronto"
    )
    await limited(house, per_day=50)
    hours.at = datetime(2026, 6, 12, 3, 30, tzinfo=UTC)  # 23:30 on the eleventh
    ours = await pacer(house, hours)

    assert len(await sent_in(10, hours, ours, tick=0.25)) == 50
    why = ours.why()
    assert why is not None
    with speaking("en"):
        assert "today" in why()
    hours.pass_(1799 - 10)
    assert await sent_in(0.5, hours, ours, tick=0.25) == []
    hours.pass_(1)  # past midnight
    assert len(await sent_in(10, hours, ours, tick=0.25)) == 50
    assert await carried(house) == 100


async def test_what_was_reserved_and_not_used_is_given_back(house: House, hours: Hours) -> None:
    await limited(house, per_day=50)
    ours, other = await pacer(house, hours), await pacer(house, hours)
    taken_now(ours, most=3)
    await ours.close()
    assert await carried(house) == 3 + 8  # what the other holds

    assert len(await sent_in(10, hours, other, tick=0.25)) == 47
    assert await carried(house) == 50


async def test_permits_that_ran_out_are_given_back_too(house: House, hours: Hours) -> None:
    await limited(house, per_day=50)
    await pacer(house, hours)  # holds some, and nobody uses them
    ours = await pacer(house, hours)
    hours.pass_(6)
    await ours.look()

    assert await carried(house) == 8


async def test_a_relay_warms_up_day_by_day(house: House, hours: Hours) -> None:
    async with house.work() as work:
        relay = await work.session.get_one(Relay, FIRST)
        await relays.warm_up(work, relay, first=20, growth=50)
        relay.warm_up_from = NOON.date()
    await limited(house, per_day=60)
    ours = await pacer(house, hours)

    days = []
    for _ in range(5):
        days.append(len(await sent_in(8, hours, ours, tick=0.25)))
        hours.pass_(86400 - 8)
    assert days == [20, 30, 45, 60, 60]


# --- quiet hours ----------------------------------------------------------------------------------


async def test_at_night_nothing_goes_but_what_is_urgent(house: House, hours: Hours) -> None:
    await changed(
        house, ruling.set_hours, quiet_from="21:00", quiet_until="08:00", time_zone="Europe/London"
    )
    hours.at = datetime(2026, 6, 11, 19, 59, 58, tzinfo=UTC)  # 20:59:58 in London
    ours = await pacer(house, hours)
    assert ours.allows(FIRST, MAIL)
    assert ours.why() is None

    hours.pass_(2)
    assert await ours.look()
    assert not ours.allows(FIRST, MAIL)
    assert ours.allows(FIRST, Kind.ALERT)
    why = ours.why()
    assert why is not None
    assert why() == "Quiet hours. It goes on at 08:00 (Europe/London)."
    assert ours.why(Kind.ALERT) is None

    hours.pass_(11 * 3600)
    assert await ours.look()
    assert ours.allows(FIRST, MAIL)


# --- domains --------------------------------------------------------------------------------------


async def test_a_domain_that_asks_for_it_is_slowed_to_half_of_its_pace(
    house: House, hours: Hours
) -> None:
    ours = await pacer(house, hours)
    for _ in range(10):  # 60 a second for ten seconds: 3,600 a minute
        for _message in range(60):
            ours.take(FIRST, BIG)
        hours.pass_(1)

    ours.hear(BIG, 421, "4.7.28 big.example: unusual rate from bo@example.org, slow down")
    await ours.look()

    pace = await domain_of(house)
    assert pace is not None
    assert pace.pace_at(hours.at) == 1800
    assert (pace.code, pace.reply) == (421, "4.7.28 big.example: unusual rate from … slow down")
    assert 280 <= len(await sent_in(10, hours, ours, domain=BIG)) <= 301
    assert taken_now(ours, most=500) == 500  # other domains go as before


async def test_answers_to_the_pace_before_do_not_slow_it_again(house: House, hours: Hours) -> None:
    ours, other = await pacer(house, hours), await pacer(house, hours)
    for _ in range(600):
        ours.take(FIRST, BIG)
    hours.pass_(1)
    for one in (ours, other, ours):
        one.hear(BIG, 450, "4.7.1 later")
        await one.look()
    assert (await domain_of(house) or DomainPace()).pace_at(hours.at) == 18_000

    hours.pass_(10)
    other.hear(BIG, 450, "4.7.1 later")
    await other.look()
    assert (await domain_of(house) or DomainPace()).pace_at(hours.at) == 9000


async def test_all_workers_keep_to_the_pace_of_a_domain(house: House, hours: Hours) -> None:
    workers = [await pacer(house, hours) for _ in range(2)]
    await changed(house, ruling.set_pace, domain=BIG, per_minute=120)
    hours.pass_(1)

    moments = await sent_in(10, hours, *workers, domain=BIG)

    assert 18 <= len(moments) <= 21
    assert most_within(moments, 1) <= 3


async def test_a_domain_recovers_by_itself_and_its_row_goes(house: House, hours: Hours) -> None:
    ours = await pacer(house, hours)
    for _ in range(200):
        ours.take(FIRST, BIG)
    hours.pass_(1)
    ours.hear(BIG, 421, "slow down")
    await ours.look()
    slow = await domain_of(house)
    assert slow is not None

    hours.pass_(60 + 300)
    assert slow.pace_at(hours.at) == pytest.approx(6000 * 2**0.5)
    hours.pass_(300)
    await ours.look()

    assert await domain_of(house) is None
    assert taken_now(ours, domain=BIG, most=500) == 500


async def test_a_pace_by_hand_stays_when_the_domain_has_recovered(
    house: House, hours: Hours
) -> None:
    await changed(house, ruling.set_pace, domain=BIG, per_minute=60)
    ours = await pacer(house, hours)
    ours.hear(BIG, 421, "slow down")
    await ours.look()
    assert (await domain_of(house) or DomainPace()).pace_at(hours.at) == 6

    hours.pass_(3600)
    await ours.look()

    pace = await domain_of(house)
    assert pace is not None
    assert (pace.pace_at(hours.at), pace.code, pace.reply) == (60, None, "")


async def test_letting_a_domain_go_acts_within_a_second(house: House, hours: Hours) -> None:
    await changed(house, ruling.set_pace, domain=BIG, per_minute=1)
    ours = await pacer(house, hours)
    assert taken_now(ours, domain=BIG) == 1

    await changed(house, ruling.let_go, domain=BIG)
    hours.pass_(1)
    assert await ours.look()
    assert taken_now(ours, domain=BIG, most=100) == 100


async def test_a_letter_to_a_slow_domain_goes_and_is_made_up_for(
    house: House, hours: Hours
) -> None:
    await changed(house, ruling.set_pace, domain=BIG, per_minute=60)
    ours = await pacer(house, hours)
    assert taken_now(ours, domain=BIG) == 1
    for _ in range(5):
        ours.take_letter(FIRST, BIG)

    assert 4 <= len(await sent_in(10, hours, ours, domain=BIG)) <= 6
    await ours.close()
    assert await carried(house) >= 10


async def test_a_relay_without_a_permit_keeps_that_of_the_domain(
    house: House, hours: Hours
) -> None:
    await limited(house, per_hour=1)
    await changed(house, ruling.set_pace, domain=BIG, per_minute=6)
    ours = await pacer(house, hours)
    assert ours.take(FIRST, "other.example")

    assert not ours.take(FIRST, BIG)
    await limited(house)
    hours.pass_(1)
    await ours.look()
    assert ours.take(FIRST, BIG)
    ours.give_back(FIRST, BIG)
    assert ours.take(FIRST, BIG)
    assert not ours.take(FIRST, BIG)


async def test_what_was_taken_before_there_were_limits_can_be_given_back(
    house: House, hours: Hours
) -> None:
    ours = await pacer(house, hours)
    assert ours.take(FIRST, BIG)
    await limited(house, per_hour=1)
    await changed(house, ruling.set_pace, domain=BIG, per_minute=6)
    hours.pass_(1)
    await ours.look()

    ours.give_back(FIRST, BIG)
    assert taken_now(ours) == 1


async def test_what_says_nothing_of_our_pace_slows_nothing(house: House, hours: Hours) -> None:
    ours = await pacer(house, hours)
    ours.hear(BIG, 452, "4.2.2 mailbox full")
    ours.hear("", 421, "slow down")
    await ours.look()

    async with house.work(reading=True) as work:
        assert await store.all_paces(work) == []


async def test_a_domain_that_was_slowed_again_has_not_recovered(house: House) -> None:
    await changed(house, permits.slow_down, domain=BIG, now=NOON, observed=90, code=421, reply="")

    await changed(house, permits.let_recovered_go, domains=[BIG], now=NOON)

    assert await domain_of(house) is not None


async def test_a_relay_that_is_gone_is_not_counted_for(house: House) -> None:
    await changed(house, permits.tally, counts={(99, NOON): 5, (FIRST, NOON): 0})

    assert await carried(house, 99) == 0


# --- the database goes away -----------------------------------------------------------------------


async def test_without_the_database_it_goes_on_with_what_it_knows(
    house: House, hours: Hours
) -> None:
    is_away = False

    @asynccontextmanager
    async def open_work(**how: Any) -> AsyncGenerator[Work]:
        if is_away:
            raise OperationalError("SELECT 1", {}, OSError("gone"))
        async with house.work(**how) as work:
            yield work

    opening: Any = open_work
    assert isinstance(opening(), AbstractAsyncContextManager)
    await limited(house, per_second=10)
    ours = Pacer(opening, house.settings, moment=hours.moment, ticks=hours.ticks)
    await ours.look()

    is_away = True
    hours.pass_(1)
    assert not await ours.look()
    assert not await ours.look()
    assert [route.no for route in ours.routes()] == [FIRST]
    assert taken_now(ours) <= 5
    ours.hear(BIG, 421, "slow down")
    await ours.close()

    is_away = False
    await ours.look()
    assert await domain_of(house) is not None
    assert len(await sent_in(2, hours, ours)) >= 15
