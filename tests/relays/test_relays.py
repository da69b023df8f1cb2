"""Adding a relay, describing it, saying what it may carry, and removing it."""

from datetime import timedelta
from typing import Any

import pytest

from mailer.audit import store as audits
from mailer.kit.errors import Refusal
from mailer.kit.secrets import Keys
from mailer.kit.texts import TextMissing, TextTooLong
from mailer.kit.work import Work
from mailer.relays import actions as relays
from mailer.relays import store
from mailer.relays.model import OF_SETTINGS, Relay, Security
from tests import makers as make
from tests.cast import Cast

GOOD: dict[str, Any] = {
    "name": "The provider",
    "host": "smtp.example.net",
    "port": 587,
    "security": "starttls",
    "user": "rollcall",
    "password": "a pass word ",
}
UNLIMITED: dict[str, Any] = dict.fromkeys(
    ("weight", "connections", "per_second", "per_hour", "per_day")
)


async def acts(work: Work) -> list[str]:
    await work.session.flush()
    return [line.act for line in (await audits.newest(work)).rows]


async def first(work: Work) -> Relay:
    return (await store.all_relays(work))[0]


# --- the relay of the settings --------------------------------------------------------------------


async def test_every_house_begins_with_the_relay_of_its_settings(work: Work) -> None:
    await relays.furnish(work)
    await relays.furnish(work)

    [relay] = await store.all_relays(work)
    assert (relay.no, relay.is_of_settings, relay.is_on) == (OF_SETTINGS, True, True)
    assert (relay.weight, relay.connections, relay.is_limited) == (1, None, False)
    rules = await store.the_rules(work)
    assert (rules.quiet_from, rules.time_zone) == (None, "UTC")
    assert (rules.bounce_brake, rules.bounces_from) == (50, 50)
    assert (rules.complaint_brake, rules.complaints_from) == (1, 1000)


async def test_what_is_in_the_settings_is_changed_there(cast: Cast, work: Work) -> None:
    relay = await first(work)
    with pytest.raises(relays.RelayOfSettings):
        await relays.describe(work, relay, **GOOD)
    await relays.switch_off(work, relay)
    with pytest.raises(relays.RelayOfSettings):
        await relays.remove(work, relay)


# --- adding and describing ------------------------------------------------------------------------


async def test_a_relay_is_added_and_its_password_sealed(cast: Cast, work: Work) -> None:
    relay = await relays.add(work, **GOOD)

    assert (relay.no, relay.is_of_settings, relay.is_on) == (2, False, True)
    assert (relay.name, relay.host, relay.port) == ("The provider", "smtp.example.net", 587)
    assert (relay.security, relay.user) == (Security.STARTTLS, "rollcall")
    assert b"pass" not in (relay.password_sealed or b"")
    assert relays.password_of(relay, work.keys) == "a pass word "
    assert relays.password_of(relay, Keys(b"lost, and this is another, alas.")) is None
    assert await store.by_uid(work, relay.uid) is relay
    assert (await relays.add(work, **GOOD | {"user": "", "password": ""})).no == 3
    assert (await acts(work))[:2] == ["relay_added", "relay_added"]


@pytest.mark.parametrize(
    ("wrong", "refusal", "field"),
    [
        ({"name": " "}, TextMissing, "name"),
        ({"name": "x" * 81}, TextTooLong, "name"),
        ({"host": ""}, relays.HostUnreadable, "host"),
        ({"host": "smtp.example.net:587"}, relays.HostUnreadable, "host"),
        ({"host": "https://smtp.example.net/"}, relays.HostUnreadable, "host"),
        ({"host": "smtp example.net"}, relays.HostUnreadable, "host"),
        ({"host": "-x.example.net"}, relays.HostUnreadable, "host"),
        ({"host": "10.0.0.256"}, relays.HostUnreadable, "host"),
        ({"host": "é" * 70 + ".example"}, relays.HostUnreadable, "host"),
        ({"host": ".".join(["label" * 9] * 6)}, relays.HostUnreadable, "host"),
        ({"port": None}, relays.PortUnreadable, "port"),
        ({"port": 0}, relays.PortUnreadable, "port"),
        ({"port": 65536}, relays.PortUnreadable, "port"),
        ({"security": "ssl"}, relays.SecurityUnknown, "security"),
        ({"user": ""}, relays.PasswordAlone, "user"),
        ({"security": "none"}, relays.PasswordInClear, "security"),
        ({"security": "none", "password": ""}, relays.InClear, "security"),
        ({"security": "none", "password": "", "host": "8.8.8.8"}, relays.InClear, "security"),
    ],
)
async def test_what_no_mail_could_go_through_is_refused_at_its_field(
    cast: Cast, work: Work, wrong: dict[str, Any], refusal: type[Refusal], field: str
) -> None:
    with pytest.raises(refusal) as refused:
        await relays.add(work, **GOOD | wrong)
    assert refused.value.facts["field"] == field
    assert len(await store.all_relays(work)) == 1


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" SMTP.Example.NET. ", "smtp.example.net"),
        ("mail.bücher.example", "mail.xn--bcher-kva.example"),
        ("[2001:db8::0:1]", "2001:db8::1"),
        ("192.0.2.7", "192.0.2.7"),
        ("relay", "relay"),
    ],
)
async def test_a_host_is_kept_as_it_is_looked_up(
    cast: Cast, work: Work, typed: str, kept: str
) -> None:
    assert (await relays.add(work, **GOOD | {"host": typed})).host == kept


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "::1", "10.1.2.3", "localhost", "relay", "mx.internal"]
)
async def test_only_nearby_is_there_no_need_of_encryption(
    cast: Cast, work: Work, host: str
) -> None:
    near = GOOD | {"host": host, "security": "none", "password": "", "port": 25}
    assert (await relays.add(work, **near)).security is Security.NONE


async def test_an_empty_password_keeps_the_one_there_is(cast: Cast, work: Work) -> None:
    relay = await relays.add(work, **GOOD)

    await relays.describe(work, relay, **GOOD | {"password": "", "port": 465, "security": "tls"})
    assert relays.password_of(relay, work.keys) == "a pass word "
    assert (relay.port, relay.security) == (465, Security.TLS)

    await relays.describe(work, relay, **GOOD | {"password": "new"})
    assert relays.password_of(relay, work.keys) == "new"

    await relays.describe(work, relay, **GOOD | {"password": "", "user": ""})
    assert relays.password_of(relay, work.keys) == ""


async def test_a_password_is_not_sent_to_another_host(cast: Cast, work: Work) -> None:
    relay = await relays.add(work, **GOOD)

    with pytest.raises(relays.PasswordOfAnother) as refused:
        await relays.describe(work, relay, **GOOD | {"password": "", "host": "evil.example"})
    assert refused.value.facts["field"] == "password"
    assert relay.host == "smtp.example.net"
    with pytest.raises(relays.PasswordInClear):
        await relays.describe(work, relay, **GOOD | {"password": "", "security": "none"})


# --- how much it may carry ------------------------------------------------------------------------


async def test_limits_are_set_and_taken_away(cast: Cast, work: Work) -> None:
    relay = await first(work)
    limits = {"weight": 3, "connections": 4, "per_second": 5, "per_hour": 600, "per_day": 7000}

    await relays.set_limits(work, relay, **limits)
    assert {field: getattr(relay, field) for field in limits} == limits

    await relays.set_limits(work, relay, **UNLIMITED)
    assert (relay.weight, relay.connections, relay.is_limited) == (1, None, False)
    before = await acts(work)
    await relays.set_limits(work, relay, **UNLIMITED)
    assert await acts(work) == before
    assert before[:2] == ["relay_limited", "relay_limited"]


@pytest.mark.parametrize(
    ("field", "number"),
    [
        ("weight", -1),
        ("weight", 101),
        ("connections", 0),
        ("connections", 201),
        ("per_second", 0),
        ("per_second", 10_001),
        ("per_hour", 0),
        ("per_day", -5),
        ("per_day", 100_000_001),
    ],
)
async def test_a_limit_that_is_none_is_refused_at_its_field(
    cast: Cast, work: Work, field: str, number: int
) -> None:
    with pytest.raises(relays.OutOfRange) as refused:
        await relays.set_limits(work, await first(work), **UNLIMITED | {field: number})
    assert refused.value.facts["field"] == field
    assert str(relays.MOST[field]) in refused.value.said()


async def test_a_weight_of_nothing_makes_a_spare(cast: Cast, work: Work) -> None:
    spare = await relays.add(work, **GOOD)
    await relays.set_limits(work, spare, **UNLIMITED | {"weight": 0, "per_second": 5})

    assert await store.carrying(work) == [await first(work)]
    assert await store.expected_rate(work) is None
    await relays.switch_off(work, await first(work))
    assert await store.carrying(work) == [spare]
    assert await store.expected_rate(work) == 5.0
    assert await store.how_long(work, 500, pace=None) == timedelta(seconds=100)
    await relays.switch_off(work, spare)
    assert await store.expected_rate(work) == 0.0
    assert await store.how_long(work, 500, pace=1.0) is None


async def test_a_warm_up_begins_today_and_can_be_ended(cast: Cast, work: Work) -> None:
    relay = await first(work)
    await relays.warm_up(work, relay, first=100, growth=30)

    assert (relay.warm_up_from, relay.is_limited) == (work.now.date(), True)
    assert (await store.allotments(work, [relay]))[relay.no].day_limit == 100
    await relays.end_warm_up(work, relay)
    await relays.end_warm_up(work, relay)
    assert (relay.warm_up_from, relay.is_limited) == (None, False)
    assert (await acts(work))[:2] == ["relay_warm", "relay_warmed_up"]


@pytest.mark.parametrize(
    ("first_day", "growth", "field"),
    [
        (9, 50, "warm_up_first"),
        (None, 50, "warm_up_first"),
        (100, 9, "warm_up_growth"),
        (100, 201, "warm_up_growth"),
    ],
)
async def test_a_plan_that_never_ends_is_refused(
    cast: Cast, work: Work, first_day: int | None, growth: int, field: str
) -> None:
    with pytest.raises(relays.OutOfRange) as refused:
        await relays.warm_up(work, await first(work), first=first_day, growth=growth)
    assert refused.value.facts["field"] == field


# --- switching off and removing -------------------------------------------------------------------


async def test_a_relay_is_switched_off_and_on(cast: Cast, work: Work) -> None:
    relay = await first(work)
    await relays.switch_off(work, relay)
    await relays.switch_off(make.later(work, days=1), relay)
    assert (relay.is_on, relay.off_at) == (False, work.now)

    await relays.switch_on(work, relay)
    await relays.switch_on(work, relay)
    assert relay.is_on
    assert (await acts(work))[:2] == ["relay_switched_on", "relay_switched_off"]


async def test_only_what_is_switched_off_can_be_removed(cast: Cast, work: Work) -> None:
    relay = await relays.add(work, **GOOD)
    with pytest.raises(relays.RelayIsOn):
        await relays.remove(work, relay)

    await relays.switch_off(work, relay)
    await relays.remove(work, relay)
    assert [one.no for one in await store.all_relays(work)] == [OF_SETTINGS]
    assert (await acts(work))[0] == "relay_removed"
