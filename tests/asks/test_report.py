"""Telling what became of a yes."""

import dataclasses
import functools
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailer.activity import store as activity
from mailer.asks import actions as asks
from mailer.asks import store
from mailer.asks.model import Pledge, PledgeState, Turn
from mailer.kit.work import Work
from mailer.relays import ruling as relays
from mailer.subscribers import actions as subscribers
from mailer.tiers import store as ladder
from mailer.tiers.model import SignKind
from tests import makers as make
from tests.cast import Cast

PEOPLE = {"en": "people recruited"}


async def test_the_first_day_of_having_done_it_stands(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    await asks.pledge(work, cast.bo, ask)
    await asks.report_done(work, cast.bo, ask)
    done = await asks.report_done(make.later(work, days=3), cast.bo, ask)
    assert (done.state, done.done_at, done.times) == (PledgeState.DONE, work.now, 1)
    for verb in (asks.withdraw, asks.decline):
        with pytest.raises(asks.DoneAlready):
            await verb(work, cast.bo, ask)
    with pytest.raises(asks.DoneAlready):
        await asks.not_yet(work, cast.bo, ask, until=None)
    with pytest.raises(asks.DoneAlready):
        await asks.need_help(work, cast.bo, ask, words="too late")
    assert (await activity.kinds(work, cast.bo.no))[-2:] == ["pledged", "pledge_done"]


async def test_who_did_it_without_a_yes_has_said_yes_by_doing_it(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    done = await asks.report_done(work, cast.bo, ask, campaign_no=7)
    assert (done.state, done.made_at, done.times) == (PledgeState.DONE, work.now, 1)
    assert done.campaign_no == 7
    said = await asks.pledge(work, cast.gil, ask, campaign_no=7)
    assert (await asks.report_done(work, cast.gil, ask, campaign_no=8)).campaign_no == 7
    assert said.no != done.no

    closed = await asks.close_ask(work, await make.ask(work, "Over"))
    with pytest.raises(asks.NotPledged):
        await asks.report_done(work, cast.bo, closed)


async def test_it_can_be_reported_after_the_ask_was_closed(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    await asks.pledge(work, cast.bo, ask)
    await asks.close_ask(work, ask)
    assert (await asks.report_done(work, cast.bo, ask)).is_done


async def test_how_many_a_note_and_a_link_are_kept_and_can_be_added_later(
    work: Work, cast: Cast
) -> None:
    ask = await make.ask(work, unit=PEOPLE)
    await asks.report_done(work, cast.bo, ask)
    more = await asks.report_done(
        make.later(work, days=1),
        cast.bo,
        ask,
        amount=5,
        note="They all came\nto the meeting.",
        link="https://example.org/photo?n=1",
    )
    assert (more.amount, more.times, more.done_at) == (5, 1, work.now)
    assert asks.note_of(work, more) == "They all came\nto the meeting."
    assert asks.link_of(work, more) == "https://example.org/photo?n=1"
    assert more.note is not None
    assert b"They all" not in more.note
    assert more.link is not None
    assert b"example" not in more.link

    steps = len(await store.changes_of(work, cast.bo.no))
    same = await asks.report_done(
        work,
        cast.bo,
        ask,
        amount=5,
        note="They all came\nto the meeting.",
        link="https://example.org/photo?n=1",
    )
    assert len(await store.changes_of(work, cast.bo.no)) == steps
    assert same.amount == 5
    assert (await asks.report_done(work, cast.bo, ask, amount=7)).amount == 7


async def test_an_ask_that_counts_nothing_takes_no_number(work: Work, cast: Cast) -> None:
    done = await asks.report_done(work, cast.bo, await make.ask(work), amount=3)
    assert done.amount is None


@pytest.mark.parametrize("amount", [0, -1, 1_000_001])
async def test_an_amount_has_its_range(work: Work, cast: Cast, amount: int) -> None:
    ask = await make.ask(work, unit=PEOPLE)
    with pytest.raises(asks.AmountOutOfRange) as refused:
        await asks.report_done(work, cast.bo, ask, amount=amount)
    assert refused.value.facts["field"] == "amount"
    assert await store.pledge_of(work, cast.bo.no, ask.no) is None


@pytest.mark.parametrize("link", ["javascript:alert(1)", "example.org", "https://", "ftp://a.b/c"])
async def test_a_link_leads_to_a_page(work: Work, cast: Cast, link: str) -> None:
    with pytest.raises(asks.LinkWrong):
        await asks.report_done(work, cast.bo, await make.ask(work), link=link)


async def test_a_habit_is_counted_once_a_day(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, turn=Turn.STANDING, unit=PEOPLE)
    noon = make.later(work, hours=0)
    noon = make.later(noon, seconds=-(noon.now - noon.now.replace(hour=12)).total_seconds())
    await asks.report_done(noon, cast.bo, ask, amount=2)
    again = await asks.report_done(make.later(noon, hours=2), cast.bo, ask)
    assert (again.times, again.amount) == (1, 2)
    tomorrow = make.later(noon, days=1)
    more = await asks.report_done(tomorrow, cast.bo, ask, amount=3)
    assert (more.times, more.amount, more.done_at) == (2, 5, tomorrow.now)
    assert (await asks.report_done(tomorrow, cast.bo, ask, amount=4)).amount == 6  # 2 and 4
    signs = await ladder.signs_of(work, cast.bo.no, since=noon.now - timedelta(days=9))
    assert [kind for kind, _at in signs].count(SignKind.DONE) == 2


HABITS: dict[PledgeState, Callable[..., Awaitable[Pledge]]] = {
    PledgeState.WITHDRAWN: asks.withdraw,
    PledgeState.DECLINED: asks.decline,
    PledgeState.IN_PROGRESS: functools.partial(asks.not_yet, until=None),
    PledgeState.BLOCKED: functools.partial(asks.need_help, words="How?"),
}


@pytest.mark.parametrize("state", HABITS)
async def test_a_habit_can_be_left_and_taken_up_again(
    work: Work, cast: Cast, state: PledgeState
) -> None:
    ask = await make.ask(work, turn=Turn.STANDING, unit=PEOPLE)
    noon = dataclasses.replace(work, now=work.now.replace(hour=12))
    done = await asks.report_done(noon, cast.bo, ask, amount=2)
    await asks.verify(make.by_account(noon, cast.esra.no), done)

    left = await HABITS[state](noon, cast.bo, ask)
    assert (left.state, left.times, left.amount, left.verified_at) == (state, 1, 2, None)

    evening = make.later(noon, hours=2)
    again = await asks.report_done(evening, cast.bo, ask)
    assert (again.state, again.times, again.amount) == (PledgeState.DONE, 1, 2)
    await HABITS[state](evening, cast.bo, ask)
    more = await asks.report_done(evening, cast.bo, ask, amount=5)
    assert (more.times, more.amount) == (1, 5)
    tomorrow = await asks.report_done(make.later(noon, days=1), cast.bo, ask, amount=1)
    assert (tomorrow.times, tomorrow.amount) == (2, 6)


async def test_the_day_of_a_habit_is_that_of_the_organisation(work: Work, cast: Cast) -> None:
    await relays.set_hours(work, quiet_from="", quiet_until="", time_zone="Pacific/Auckland")
    ask = await make.ask(work, turn=Turn.STANDING)
    # 10:00 and 14:00 in UTC are two days in Auckland, which is 12 or 13 hours ahead.
    morning = dataclasses.replace(work, now=work.now.replace(hour=10, minute=0))
    await asks.report_done(morning, cast.bo, ask)
    assert (await asks.report_done(make.later(morning, hours=4), cast.bo, ask)).times == 2


async def test_not_yet_keeps_a_date_of_their_own_and_lets_them_be_reminded_anew(
    work: Work, cast: Cast
) -> None:
    ask = await make.ask(work)
    said = await asks.pledge(work, cast.bo, ask)
    await store.change(work, said, reminded_at=work.now, asked_at=work.now)
    until = (work.now + timedelta(days=9)).date()
    later = await asks.not_yet(work, cast.bo, ask, until=until)
    assert later.state is PledgeState.IN_PROGRESS
    assert later.due_at == datetime(until.year, until.month, until.day, 23, 59, 59, tzinfo=UTC)
    assert (later.reminded_at, later.asked_at) == (None, None)
    steps = len(await store.changes_of(work, cast.bo.no))
    await asks.not_yet(work, cast.bo, ask, until=until)
    assert len(await store.changes_of(work, cast.bo.no)) == steps


async def test_not_yet_without_a_day_waits_for_the_date_of_the_ask_or_for_a_week(
    work: Work, cast: Cast
) -> None:
    ask = await make.ask(work, deadline=work.now + timedelta(days=2))
    await asks.pledge(work, cast.bo, ask)
    before = await asks.not_yet(work, cast.bo, ask, until=None)
    assert (before.due_at, before.ends(ask)) == (None, ask.deadline)

    late = make.later(work, days=3)
    after = await asks.not_yet(late, cast.bo, ask, until=None)
    in_a_week = (late.now + timedelta(days=7)).date()
    assert after.ends(ask) == datetime.combine(in_a_week, time(23, 59, 59), UTC)
    assert after.due(ask) is None, "nobody gave this day"
    assert after.asked_at is None

    steps, ends = len(await store.changes_of(work, cast.bo.no)), after.ends(ask)
    await asks.not_yet(make.later(late, minutes=1), cast.bo, ask, until=None)
    assert len(await store.changes_of(work, cast.bo.no)) == steps
    again = await asks.not_yet(make.later(late, days=1), cast.bo, ask, until=None)
    assert ends is not None
    assert again.ends(ask) == ends + timedelta(days=1)


async def test_a_date_ends_with_the_day_of_the_organisation(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    await asks.pledge(work, cast.bo, ask)
    zone = ZoneInfo("Pacific/Auckland")
    today = work.now.astimezone(zone).date()
    later = await asks.not_yet(work, cast.bo, ask, until=today, zone=zone)
    assert later.due_at is not None
    assert later.due_at.astimezone(zone).date() == today
    assert (later.due_at + timedelta(seconds=1)).astimezone(zone).date() > today


@pytest.mark.parametrize("days", [-1, 367])
async def test_a_date_is_from_today_on_within_a_year(work: Work, cast: Cast, days: int) -> None:
    ask = await make.ask(work)
    await asks.pledge(work, cast.bo, ask)
    until: date = work.now.astimezone(UTC).date() + timedelta(days=days)
    with pytest.raises(asks.DateOutOfRange):
        await asks.not_yet(work, cast.bo, ask, until=until)


async def test_not_yet_needs_a_yes(work: Work, cast: Cast) -> None:
    with pytest.raises(asks.NotPledged):
        await asks.not_yet(work, cast.bo, await make.ask(work), until=None)


async def test_words_of_help_are_sealed_and_stand_in_no_timeline(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    await asks.pledge(work, cast.bo, ask)
    blocked = await asks.need_help(work, cast.bo, ask, words="My manager  found out.")
    assert blocked.state is PledgeState.BLOCKED
    assert asks.note_of(work, blocked) == "My manager found out."
    assert blocked.note is not None
    assert b"manager" not in blocked.note
    [line] = await activity.lines_of(work, cast.bo.no, kinds=("pledge_blocked",))
    assert line.facts == {"ask": ask.no, "pledge": blocked.no}

    steps = len(await store.changes_of(work, cast.bo.no))
    for words in ("My manager found out.", ""):
        await asks.need_help(make.later(work, minutes=14), cast.bo, ask, words=words)
    assert len(await store.changes_of(work, cast.bo.no)) == steps
    other = await asks.need_help(work, cast.bo, ask, words="It is worse.")
    assert asks.note_of(work, other) == "It is worse."
    assert len(await store.changes_of(work, cast.bo.no)) == steps + 1


@pytest.mark.parametrize("words", ["How?", ""])
async def test_who_asks_for_help_again_after_a_while_is_heard_again(
    work: Work, cast: Cast, words: str
) -> None:
    ask = await make.ask(work)
    await asks.need_help(work, cast.bo, ask, words="How?")
    later = make.later(work, minutes=16)
    again = await asks.need_help(later, cast.bo, ask, words=words)
    assert asks.note_of(work, again) == "How?"
    assert (await activity.kinds(work, cast.bo.no))[-2:] == ["pledge_blocked", "pledge_blocked"]


async def test_help_is_let_in_as_a_yes_is_and_what_is_done_is_done(work: Work, cast: Cast) -> None:
    few = await make.ask(work, capacity=1)
    high = await make.ask(work, minimum_tier_no=cast.supporter.no)
    await asks.pledge(work, cast.bo, few)
    with pytest.raises(asks.Full):
        await asks.need_help(work, cast.gil, few, words="How?")
    with pytest.raises(asks.TierTooLow):
        await asks.need_help(work, cast.gil, high, words="How?")
    assert await store.pledges_of(work, cast.gil.no) == []
    for ask in (few, high):
        assert (await asks.report_done(work, cast.gil, ask)).is_done
    blocked = await asks.need_help(work, cast.bo, few, words="How?")
    assert blocked.state is PledgeState.BLOCKED, "who has a place keeps it"


async def test_help_with_an_open_ask_is_a_yes_with_help(work: Work, cast: Cast) -> None:
    blocked = await asks.need_help(work, cast.bo, await make.ask(work), words="How?")
    assert (blocked.state, blocked.made_at) == (PledgeState.BLOCKED, work.now)
    closed = await asks.close_ask(work, await make.ask(work, "Over"))
    with pytest.raises(asks.NotPledged):
        await asks.need_help(work, cast.bo, closed, words="How?")


async def test_an_organiser_confirms_what_was_reported(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    said = await asks.pledge(work, cast.bo, ask)
    esra = make.by_account(work, cast.esra.no)
    with pytest.raises(asks.NotDone):
        await asks.verify(esra, said)
    done = await asks.report_done(work, cast.bo, ask, note="Look.")
    sure = await asks.verify(esra, done)
    assert (sure.state, sure.verified_at, sure.verified_by) == (
        PledgeState.VERIFIED,
        work.now,
        cast.esra.no,
    )
    assert (await asks.verify(make.later(esra, days=1), done)).verified_at == work.now
    assert asks.note_of(work, await asks.report_done(work, cast.bo, ask, note="More.")) == "Look."
    farid = make.seen_by(work, cast.harbour, account=cast.farid.no)
    with pytest.raises(subscribers.SubscriberUnknown):
        await asks.verify(farid, done)


async def test_doing_what_shows_somebody_ready_suggests_that_level(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, suggested_tier_no=cast.activist.no)
    await asks.pledge(work, cast.gil, ask)
    assert await ladder.suggested(work, cast.gil.no) is None
    await asks.report_done(work, cast.gil, ask)
    suggested = await ladder.suggested(work, cast.gil.no)
    assert suggested is not None
    assert suggested[1].no == cast.activist.no
    stands = await ladder.chosen(work, cast.gil.no)
    assert stands is not None
    assert stands.no == cast.follower.no
