"""Saying yes, telling that it is done, and taking it back."""

from datetime import timedelta

import pytest

from mailer.activity import store as activity
from mailer.asks import actions as asks
from mailer.asks import record, store
from mailer.asks.model import Ask, AskState, PledgeState
from mailer.kit.work import Work
from tests import makers as make
from tests.cast import Cast


async def an_ask(work: Work, number: int = 1, **how: object) -> Ask:
    said = {"state": AskState.OPEN, "deadline": None, **how}
    ask = Ask(uid=f"ask-{number}", title={"en": f"Ask {number}"}, made_at=work.now, **said)
    work.session.add(ask)
    await work.session.flush()
    return ask


async def test_saying_yes_twice_is_saying_yes_once(work: Work, cast: Cast) -> None:
    ask = await an_ask(work)
    first = await asks.pledge(work, cast.bo, ask, campaign_no=7)
    again = await asks.pledge(make.later(work, days=1), cast.bo, ask)
    assert (again.no, again.made_at, again.campaign_no) == (first.no, work.now, 7)
    assert (await activity.kinds(work, cast.bo.no))[-1] == "pledged"
    assert [entry.words for entry in await record.entries(work, cast.bo.no)] == [
        "Said yes to “Ask 1”"
    ]


async def test_a_closed_ask_takes_no_yes_and_a_standing_one_is_given(
    work: Work, cast: Cast
) -> None:
    ask = await an_ask(work, deadline=work.now + timedelta(days=1))
    standing = await asks.pledge(work, cast.bo, ask)
    late = make.later(work, days=2)
    assert (await asks.pledge(late, cast.bo, ask)).no == standing.no
    with pytest.raises(asks.AskClosed):
        await asks.pledge(late, cast.gil, ask)
    with pytest.raises(asks.AskClosed):
        await asks.pledge(work, cast.gil, await an_ask(work, 2, state=AskState.CLOSED))


async def test_the_first_day_of_having_done_it_stands(work: Work, cast: Cast) -> None:
    ask = await an_ask(work)
    with pytest.raises(asks.NotPledged):
        await asks.report_done(work, cast.bo, ask)
    await asks.pledge(work, cast.bo, ask)
    await asks.report_done(work, cast.bo, ask)
    done = await asks.report_done(make.later(work, days=3), cast.bo, ask)
    assert (done.state, done.done_at) == (PledgeState.DONE, work.now)
    with pytest.raises(asks.DoneAlready):
        await asks.withdraw(work, cast.bo, ask)
    assert (await activity.kinds(work, cast.bo.no))[-2:] == ["pledged", "pledge_done"]


async def test_a_yes_can_be_taken_back_and_given_anew(work: Work, cast: Cast) -> None:
    ask = await an_ask(work)
    with pytest.raises(asks.NotPledged):
        await asks.withdraw(work, cast.bo, ask)
    await asks.pledge(work, cast.bo, ask)
    await asks.withdraw(work, cast.bo, ask)
    assert (await asks.withdraw(work, cast.bo, ask)).state is PledgeState.WITHDRAWN
    later = make.later(work, days=1)
    anew = await asks.pledge(later, cast.bo, ask)
    assert (anew.state, anew.made_at) == (PledgeState.PLEDGED, later.now)
    kinds = (await activity.kinds(work, cast.bo.no))[-3:]
    assert kinds == ["pledged", "pledge_withdrawn", "pledged"]


async def test_pledges_go_with_a_merge_and_come_back_with_its_undo(work: Work, cast: Cast) -> None:
    one, two = await an_ask(work), await an_ask(work, 2)
    await asks.pledge(work, cast.bo, one)
    await asks.pledge(work, cast.bo, two)
    await asks.report_done(work, cast.bo, two)
    await asks.pledge(work, cast.gil, two)
    before = {no: await _told(work, no) for no in (cast.bo.no, cast.gil.no)}

    moved = await record.repoint(work, cast.bo.no, cast.gil.no)
    assert await _told(work, cast.bo.no) == set()
    assert {ask for ask, _ in await _told(work, cast.gil.no)} == {one.no, two.no}

    await record.restore(work, cast.bo.no, cast.gil.no, moved)
    assert {no: await _told(work, no) for no in before} == before
    await record.forget(work, cast.bo.no)
    assert await _told(work, cast.bo.no) == set()


async def _told(work: Work, no: int) -> set[tuple[int, PledgeState]]:
    return {(one.ask_no, one.state) for one in await store.pledges_of(work, no)}
