"""Saying yes, saying no, and taking it back."""

import asyncio
from datetime import timedelta

import pytest

from mailer.activity import store as activity
from mailer.asks import actions as asks
from mailer.asks import record, store
from mailer.asks.model import Pledge, PledgeState
from mailer.bootstrap import House
from mailer.kit.work import Door, Work
from mailer.outbox import store as outbox
from mailer.subscribers import actions as subscribers
from mailer.subscribers.model import Subscriber
from mailer.tiers import store as ladder
from mailer.tiers.model import SignKind
from tests import makers as make
from tests.cast import Cast


async def kinds_of_letters(work: Work, no: int) -> list[str]:
    return sorted(letter.kind for letter in await outbox.letters_to(work, no))


async def test_saying_yes_twice_is_saying_yes_once(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    first = await asks.pledge(work, cast.bo, ask, campaign_no=7)
    again = await asks.pledge(make.later(work, days=1), cast.bo, ask)
    assert (again.no, again.made_at, again.campaign_no) == (first.no, work.now, 7)
    assert (await activity.kinds(work, cast.bo.no))[-1] == "pledged"
    assert [entry.words for entry in await record.entries(work, cast.bo.no)] == [
        "Said yes to “Write a letter”"
    ]


async def test_a_yes_is_told_by_letter_with_the_step_that_undoes_it(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    said = await asks.pledge(work, cast.bo, ask)
    await asks.pledge(work, cast.bo, ask)
    change = await store.last_change(work, said.no)
    assert change is not None
    [letter] = [
        one for one in await outbox.letters_to(work, cast.bo.no) if one.kind == "pledge-receipt"
    ]
    assert letter.facts == {"pledge": said.no, "change": change.no}


async def test_where_support_is_promised_a_letter_says_that_it_is_coming(
    work: Work, cast: Cast
) -> None:
    before = await kinds_of_letters(work, cast.bo.no)
    await asks.pledge(work, cast.bo, await make.ask(work, needs_support=True))
    after = await kinds_of_letters(work, cast.bo.no)
    assert sorted([*before, "pledge-receipt", "support-is-coming"]) == after


async def test_whoever_has_no_address_is_owed_no_letter(work: Work, cast: Cast) -> None:
    nadia = await subscribers.add(work, address=None, first_name="Nadia")
    said = await asks.pledge(make.through(work, Door.ADMIN), nadia, await make.ask(work))
    assert (said.state, said.door) == (PledgeState.PLEDGED, Door.ADMIN)
    assert await kinds_of_letters(work, nadia.no) == []


async def test_a_closed_ask_takes_no_yes_and_a_standing_one_is_given(
    work: Work, cast: Cast
) -> None:
    ask = await make.ask(work, deadline=work.now + timedelta(days=1))
    standing = await asks.pledge(work, cast.bo, ask)
    late = make.later(work, days=2)
    assert (await asks.pledge(late, cast.bo, ask)).no == standing.no
    with pytest.raises(asks.AskClosed):
        await asks.pledge(late, cast.gil, ask)
    closed = await asks.close_ask(work, await make.ask(work, "Another"))
    with pytest.raises(asks.AskClosed):
        await asks.pledge(work, cast.gil, closed)
    draft = await asks.draft(work, title={"en": "Not yet"})
    for verb in (asks.pledge, asks.decline):
        with pytest.raises(asks.AskClosed):
            await verb(work, cast.gil, draft)


async def test_the_last_place_is_given_once(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, capacity=1)
    await asks.pledge(work, cast.bo, ask)
    with pytest.raises(asks.Full):
        await asks.pledge(work, cast.gil, ask)
    assert (await asks.pledge(work, cast.bo, ask)).state is PledgeState.PLEDGED
    await asks.withdraw(work, cast.bo, ask)
    assert (await asks.pledge(work, cast.gil, ask)).state is PledgeState.PLEDGED


async def test_of_two_who_want_the_last_place_at_the_same_time_one_gets_it(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        ask = await make.ask(work, capacity=1)

    async def say_yes(somebody: Subscriber) -> Pledge:
        async with house.work(door=Door.EMAIL) as work:
            return await asks.pledge(work, somebody, ask)

    said = await asyncio.gather(say_yes(cast.bo), say_yes(cast.gil), return_exceptions=True)
    assert sorted(type(one).__name__ for one in said) == ["Full", "Pledge"]


async def test_an_ask_from_a_level_on_says_which(work: Work, cast: Cast) -> None:
    ask = await make.ask(work, minimum_tier_no=cast.supporter.no)
    with pytest.raises(asks.TierTooLow) as refused:
        await asks.pledge(work, cast.gil, ask)
    assert "Supporter" in refused.value.said()
    assert (await asks.pledge(work, cast.bo, ask)).state is PledgeState.PLEDGED


async def test_a_yes_that_was_taken_back_can_be_said_anew(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    with pytest.raises(asks.NotPledged):
        await asks.withdraw(work, cast.bo, ask)
    await asks.pledge(work, cast.bo, ask)
    await asks.withdraw(work, cast.bo, ask)
    assert (await asks.withdraw(work, cast.bo, ask)).state is PledgeState.WITHDRAWN
    later = make.later(work, days=2)
    anew = await asks.pledge(later, cast.bo, ask)
    assert (anew.state, anew.made_at, anew.done_at) == (PledgeState.PLEDGED, later.now, None)
    assert [one.no for one in await store.pledges_of(work, cast.bo.no)] == [anew.no]


async def test_saying_no_is_remembered_once_and_can_be_thought_over(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    no = await asks.decline(work, cast.bo, ask)
    assert (await asks.decline(make.later(work, days=1), cast.bo, ask)).made_at == no.made_at
    with pytest.raises(asks.NotPledged):
        await asks.withdraw(work, cast.bo, ask)
    yes = await asks.pledge(work, cast.bo, ask)
    assert (yes.no, yes.state) == (no.no, PledgeState.PLEDGED)
    assert (await asks.decline(work, cast.bo, ask)).state is PledgeState.DECLINED
    kinds = await activity.kinds(work, cast.bo.no)
    assert kinds[-3:] == ["pledge_declined", "pledged", "pledge_declined"]


async def test_a_yes_is_a_sign_as_long_as_it_stands_and_moves_nobody(
    work: Work, cast: Cast
) -> None:
    stood = await ladder.chosen(work, cast.gil.no)
    for number in range(2):
        await asks.pledge(work, cast.gil, await make.ask(work, f"Ask {number}"))
    suggested = await ladder.suggested(work, cast.gil.no)
    assert suggested is not None
    assert suggested[1].no == cast.supporter.no  # twice two points, and three are needed
    assert await ladder.chosen(work, cast.gil.no) == stood

    ask = await make.ask(work, "To and fro")
    for day in range(5):
        on = make.later(work, days=day)
        await asks.pledge(on, cast.bo, ask)
        await asks.withdraw(on, cast.bo, ask)
    signs = await ladder.signs_of(work, cast.bo.no, since=work.now - timedelta(days=180))
    assert [kind for kind, _at in signs if kind is SignKind.PLEDGED] == []


async def test_a_file_and_time_itself_are_not_thanked(work: Work, cast: Cast) -> None:
    before = await kinds_of_letters(work, cast.bo.no)
    for door in (Door.IMPORT, Door.SYSTEM):
        ask = await make.ask(work, door.value)
        await asks.pledge(make.through(work, door), cast.bo, ask)
    assert await kinds_of_letters(work, cast.bo.no) == before


async def test_nobody_answers_for_people_they_may_not_see(work: Work, cast: Cast) -> None:
    ask = await make.ask(work)
    farid = make.seen_by(work, cast.harbour, account=cast.farid.no)
    for verb in (asks.pledge, asks.decline, asks.withdraw, asks.report_done):
        with pytest.raises(subscribers.SubscriberUnknown):
            await verb(farid, cast.bo, ask)
    assert (await asks.pledge(farid, cast.gil, ask)).state is PledgeState.PLEDGED
