"""Composing an ask: what may be said, and when people are asked."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from mailer.asks import actions as asks
from mailer.asks import store
from mailer.asks.model import AskState, Evidence, Turn
from mailer.audit import store as audit
from mailer.bootstrap import House
from mailer.kit.errors import Invalid
from mailer.kit.texts import TextMissing, TextTooLong
from mailer.kit.work import Door, Work
from mailer.tiers import laddering as tiers
from tests import makers as make
from tests.cast import Cast

TITLE = {"en": "Write a letter", "fr": "Écrire une lettre"}


async def test_a_draft_says_what_was_typed_and_nobody_is_asked(work: Work, cast: Cast) -> None:
    demand = await asks.raise_demand(work, title={"en": "Papers for all"}, text={})
    deadline = work.now + timedelta(days=9)
    ask = await asks.draft(
        work,
        title=TITLE,
        demand_no=demand.no,
        text={"en": " One line.\r\n\r\nAnother  line. "},
        why={"en": "It works."},
        minutes=10,
        unit={"en": "letters"},
        target=500,
        audience=["ally", "member", "member"],
        minimum_tier_no=cast.supporter.no,
        suggested_tier_no=cast.activist.no,
        turn=Turn.REPEAT,
        repeat_days=30,
        risk={"en": "You may be seen."},
        rights={"en": "You may be silent."},
        support_contact=" Esra,  +44 20 7946 0000 ",
        evidence=Evidence.LINK,
        needs_support=True,
        capacity=40,
        deadline=deadline,
    )
    assert (ask.state, ask.version, ask.title) == (AskState.DRAFT, 1, TITLE)
    assert ask.text == {"en": "One line.\n\nAnother line."}
    assert ask.audience == ["member", "ally"]
    assert ask.support_contact == "Esra, +44 20 7946 0000"
    assert (ask.repeat_days, ask.target, ask.capacity, ask.deadline) == (30, 500, 40, deadline)
    assert (ask.is_counted, ask.has_risk, ask.is_open(work.now)) == (True, True, False)
    assert await store.open_asks(work) == []
    assert [one.no for one in await store.asks_of(work, demand.no)] == [ask.no]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"title": {"en": " "}}, "title"),
        ({"title": {"en": "x" * 161}}, "title"),
        ({"text": {"en": "x" * 4001}}, "text"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": 10_001}, "minutes"),
        ({"target": 0}, "target"),
        ({"capacity": -1}, "capacity"),
        ({"audience": ["member", "boss"]}, "audience"),
        ({"minimum_tier_no": 999}, "minimum_tier_no"),
        ({"suggested_tier_no": 999}, "suggested_tier_no"),
        ({"demand_no": 999}, "demand_no"),
        ({"turn": Turn.REPEAT}, "repeat_days"),
        ({"turn": Turn.REPEAT, "repeat_days": 366}, "repeat_days"),
        ({"support_contact": "x" * 301}, "support_contact"),
    ],
)
async def test_what_cannot_be_is_refused_at_its_field(
    work: Work, cast: Cast, said: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await asks.draft(work, **{"title": TITLE, **said})
    assert refused.value.facts["field"] == field
    assert isinstance(refused.value, TextMissing | TextTooLong) or refused.value.said()
    ask = await make.ask(work)
    with pytest.raises(type(refused.value)):
        await asks.revise(work, ask, version=ask.version, **{"title": TITLE, **said})
    assert (await store.again(work, ask)).version == 1


async def test_only_what_repeats_has_days(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, turn=Turn.REPEAT, repeat_days=30)
    once = await asks.revise(work, ask, version=1, title=ask.title, turn=Turn.ONCE)
    assert once.repeat_days is None
    drafted = await asks.draft(work, title=TITLE, turn=Turn.STANDING, repeat_days=9)
    assert drafted.repeat_days is None


async def test_a_revision_changes_what_is_named_and_the_same_again_nothing(
    work: Work, cast: Cast
) -> None:
    ask = await make.ask(work, minutes=10, why={"en": "Because."})
    changed = await asks.revise(work, ask, version=1, title=ask.title, minutes=20)
    assert (changed.minutes, changed.why, changed.version) == (20, {"en": "Because."}, 2)
    again = await asks.revise(work, ask, version=1, title=ask.title, minutes=20)
    assert again.version == 2
    with pytest.raises(asks.ChangedMeanwhile):
        await asks.revise(work, ask, version=1, title=ask.title, minutes=30)
    assert (await store.again(work, ask)).minutes == 20


async def test_whom_one_can_turn_to_is_said_where_there_is_a_risk(work: Work, cast: Cast) -> None:
    drafted = await asks.draft(work, title=TITLE, risk={"en": "You may be seen."})
    with pytest.raises(asks.ContactMissing) as refused:
        await asks.open_ask(work, drafted)
    assert refused.value.facts["field"] == "support_contact"
    ask = await asks.revise(work, drafted, version=1, title=TITLE, support_contact="Esra")
    await asks.open_ask(work, ask)
    with pytest.raises(asks.ContactMissing):
        await asks.revise(work, ask, version=2, title=TITLE, support_contact="")


async def test_opening_and_closing_keep_their_first_dates(work: Work, cast: Cast) -> None:
    drafted = await asks.draft(work, title=TITLE)
    for verb in (asks.close_ask, asks.reopen_ask):
        with pytest.raises(asks.NeverOpened):
            await verb(work, drafted)
    await asks.open_ask(work, drafted)
    later = make.later(work, days=1)
    assert (await asks.open_ask(later, drafted)).opened_at == work.now
    closed = await asks.close_ask(later, drafted)
    assert (closed.state, closed.closed_at) == (AskState.CLOSED, later.now)
    assert (await asks.close_ask(make.later(work, days=2), drafted)).closed_at == later.now
    opened = await asks.reopen_ask(make.later(work, days=3), drafted)
    assert (opened.state, opened.opened_at, opened.closed_at) == (AskState.OPEN, work.now, None)
    acts = [line.act for line in (await audit.newest(work)).rows if line.act.startswith("ask_")]
    assert sorted(acts) == ["ask_closed", "ask_drafted", "ask_opened", "ask_opened"]


async def test_what_is_over_is_not_opened(work: Work, cast: Cast) -> None:
    drafted = await asks.draft(work, title=TITLE, deadline=work.now + timedelta(days=1))
    late = make.later(work, days=2)
    with pytest.raises(asks.DeadlineGone):
        await asks.open_ask(late, drafted)
    opened = await asks.open_ask(work, drafted)
    with pytest.raises(asks.DeadlineGone):
        await asks.revise(late, opened, version=1, title=TITLE, minutes=5)
    moved = await asks.revise(
        late, opened, version=1, title=TITLE, deadline=late.now + timedelta(days=9)
    )
    assert moved.is_open(late.now)


async def test_a_demand_is_raised_told_and_won(work: Work, cast: Cast) -> None:
    demand = await asks.raise_demand(work, title={"en": "Papers for all"}, text={"en": "Now."})
    for verb in (asks.win, asks.close, asks.reopen):
        with pytest.raises(asks.NotOpenYet):
            await verb(work, demand)
    assert await store.open_demands(work) == []
    opened = await asks.open_demand(work, demand)
    assert (opened.state, opened.opened_at) == ("open", work.now)
    assert (await asks.open_demand(make.later(work, days=1), demand)).opened_at == work.now
    told = await asks.describe(
        work,
        demand,
        version=1,
        title=demand.title,
        text=demand.text,
        progress={"en": "Three councils voted for it."},
    )
    assert (told.version, told.progress) == (2, {"en": "Three councils voted for it."})
    with pytest.raises(asks.ChangedMeanwhile):
        await asks.describe(work, demand, version=1, title=demand.title, text={}, progress={})
    with pytest.raises(TextMissing):
        await asks.describe(work, demand, version=2, title={}, text={}, progress={})
    won = await asks.win(work, demand)
    assert (won.state, won.closed_at) == ("won", work.now)
    assert (await asks.win(make.later(work, days=1), demand)).closed_at == work.now
    assert [one.no for one in await store.open_demands(work)] == [demand.no]
    again = await asks.reopen(work, demand)
    assert (again.state, again.closed_at) == ("open", None)
    assert (await asks.reopen(work, demand)).state == "open"
    assert (await asks.close(work, demand)).state == "closed"
    assert await store.open_demands(work) == []
    assert (await store.demands_by_nos(work, [demand.no]))[demand.no].no == demand.no


async def test_a_level_that_was_closed_since_stays_where_it_was_named(
    work: Work, cast: Cast
) -> None:
    named: asks.AskFields = {
        "minimum_tier_no": cast.activist.no,
        "suggested_tier_no": cast.organiser.no,
    }
    ask = await make.ask(work, **named)
    await tiers.close_tier(work, cast.activist)
    await tiers.close_tier(work, cast.organiser)
    revised = await asks.revise(
        work, ask, version=ask.version, title={"en": "Another title"}, **named
    )
    assert revised.minimum_tier_no == cast.activist.no
    with pytest.raises(asks.LevelUnknown):
        await asks.revise(
            work,
            ask,
            version=ask.version,
            title=ask.title,
            minimum_tier_no=cast.organiser.no,
        )
    with pytest.raises(asks.LevelUnknown):
        await asks.draft(work, title=TITLE, minimum_tier_no=cast.activist.no)


async def test_two_who_take_the_same_at_the_same_time_get_one_draft(
    house: House, cast: Cast
) -> None:
    key = asks.LIBRARY[0].key

    async def take() -> int:
        async with house.work(door=Door.ADMIN) as work:
            return (await asks.take_from_library(work, key)).no

    first, second = await asyncio.gather(take(), take())
    assert first == second
    async with house.work(reading=True) as work:
        assert len(await store.all_asks(work)) == 1


async def test_every_ask_of_the_library_is_a_whole_draft_in_both_languages(
    work: Work, cast: Cast
) -> None:
    assert len({one.key for one in asks.LIBRARY}) == len(asks.LIBRARY) >= 12
    for shipped in asks.LIBRARY:
        for words in (shipped.title, shipped.why, shipped.text):
            assert words.keys() == {"en", "fr"}
        taken = await asks.take_from_library(work, shipped.key)
        assert (taken.state, taken.title) == (AskState.DRAFT, shipped.title)
        assert (await asks.take_from_library(work, shipped.key)).no == taken.no
        await asks.revise(work, taken, version=1, title=taken.title, support_contact="Esra")
        await asks.open_ask(work, taken)
        await asks.close_ask(work, taken)
        assert (await asks.take_from_library(work, shipped.key)).no != taken.no
    with pytest.raises(asks.NotInLibrary):
        await asks.take_from_library(work, "no-such-ask")
