"""Deciding an act: who is counted, what is refused, who may, and what stops it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from mailer.accounts import store as accounts
from mailer.accounts.model import Account
from mailer.audit import store as audit
from mailer.bootstrap import House
from mailer.bulk import actions as bulk
from mailer.bulk import store
from mailer.bulk.deeds import TagNeeded
from mailer.bulk.model import BulkAct, BulkPerson, BulkState, Deed
from mailer.groups.actions import GroupOutOfReach
from mailer.kit.errors import Invalid
from mailer.kit.work import Door, Work
from mailer.subscribers.model import Subscriber
from mailer.tags import actions as tagging
from mailer.tags import store as tags
from tests import makers as make
from tests.bulk.acting import EVERYBODY, decided, done, undone
from tests.cast import Cast


async def tag(house: House) -> int:
    async with house.work() as work:
        return (await tagging.make(work, name="Driver")).no


async def tagged(house: House, no: int) -> int:
    async with house.work(reading=True) as work:
        return (await tags.how_many_have(work, no)).get(no, 0)


# --- counting -----------------------------------------------------------------------------------


async def test_who_joins_after_the_counting_is_not_touched(house: House, cast: Cast) -> None:
    no = await tag(house)
    act = await decided(house, cast, Deed.TAG, tree=EVERYBODY, tag=no)
    async with house.work() as work:
        await make.people(work, 3)
    act = await bulk.drive(house, act.uid)
    assert (act.touches, act.done, act.changed) == (4, 4, 4)


async def test_nobody_is_nobody(house: House, cast: Cast, work: Work) -> None:
    driver = await tagging.make(work, name="Driver")
    choices: list[dict[str, Any]] = [
        {"tree": {}},
        {"tree": {"all": []}},
        {"uids": []},
        {"uids": ["nowhere"]},
        {},
    ]
    for whom in choices:
        with pytest.raises(bulk.NobodyChosen):
            await bulk.propose(work, Deed.TAG, {"tag": driver.no}, **whom)


@pytest.mark.parametrize(
    ("deed", "facts", "field"),
    [
        (Deed.TAG, {}, "tag"),
        (Deed.UNTAG, {"tag": 99}, "tag"),
        (Deed.TIER, {}, "tier"),
        (Deed.TIER, {"tier": 2}, "reason"),
        (Deed.LIST, {"list": 99}, "list"),
        (Deed.LEAVE_LIST, {}, "list"),
        (Deed.GROUP, {}, "group"),
        (Deed.LEAVE_GROUP, {"group": 99}, "group"),
        (Deed.PAUSE, {}, "days"),
        (Deed.PAUSE, {"days": 366}, "days"),
    ],
)
async def test_what_a_deed_needs_is_asked_for(
    work: Work, cast: Cast, deed: Deed, facts: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await bulk.propose(work, deed, facts, uids=[cast.bo.uid])
    assert refused.value.facts["field"] == field


async def test_a_closed_tag_is_put_on_nobody(work: Work, cast: Cast) -> None:
    driver = await tagging.make(work, name="Driver")
    await tagging.close(work, driver)
    with pytest.raises(TagNeeded):
        await bulk.propose(work, Deed.TAG, {"tag": driver.no}, uids=[cast.bo.uid])


# --- deciding -----------------------------------------------------------------------------------


async def test_from_a_hundred_on_the_number_is_typed(house: House, cast: Cast) -> None:
    no = await tag(house)
    async with house.work(account=cast.amina.no, door=Door.ADMIN) as work:
        await make.people(work, 96)
        act = await bulk.propose(work, Deed.TAG, {"tag": no}, tree=EVERYBODY)
        assert act.touches == 100
        for typed in (None, 99, 0):
            with pytest.raises(bulk.NumberNeeded):
                await bulk.confirm(work, act, typed=typed)
        assert act.state is BulkState.WAITING
        await bulk.confirm(work, act, typed=100)
        assert (await bulk.confirm(work, act)).state is BulkState.WORKING  # twice is once


async def test_nothing_is_done_before_it_is_decided(house: House, cast: Cast) -> None:
    no = await tag(house)
    async with house.work(account=cast.amina.no) as work:
        await bulk.propose(work, Deed.TAG, {"tag": no}, tree=EVERYBODY)
    assert await bulk.work_some(house) is False
    assert await tagged(house, no) == 0


async def test_what_one_has_counted_another_does_not_decide(
    house: House, cast: Cast, work: Work
) -> None:
    driver = await tagging.make(work, name="Driver")
    amina, esra = make.by_account(work, cast.amina.no), make.by_account(work, cast.esra.no)
    act = await bulk.propose(amina, Deed.TAG, {"tag": driver.no}, tree=EVERYBODY)
    assert await store.by_uid(esra, act.uid) is None
    for verb in (bulk.confirm, bulk.leave):
        with pytest.raises(bulk.ActUnknown):
            await verb(esra, act)
    await bulk.confirm(amina, act)
    assert await store.by_uid(esra, act.uid) is act
    assert await store.recent(esra) == [act]


async def test_it_can_be_left_before_it_is_decided(house: House, cast: Cast, work: Work) -> None:
    driver = await tagging.make(work, name="Driver")
    act = await bulk.propose(work, Deed.TAG, {"tag": driver.no}, tree=EVERYBODY)
    await bulk.leave(work, act)
    await work.session.flush()
    assert await store.by_uid(work, act.uid) is None
    assert await work.session.scalar(select(func.count()).select_from(BulkPerson)) == 0


async def test_what_accounts_decide_is_on_record(house: House, cast: Cast) -> None:
    act = await done(house, cast, Deed.TAG, tree=EVERYBODY, tag=await tag(house))
    await undone(house, cast, act)
    async with house.work(reading=True) as work:
        lines = [line for line in (await audit.newest(work)).rows if "bulk" in line.act]
        assert [line.act for line in reversed(lines)] == [
            "bulk_confirmed",
            "bulk_done",
            "bulk_undo_begun",
            "bulk_undone",
        ]
        assert {line.account_no for line in lines} == {cast.amina.no}


# --- stopping and undoing -----------------------------------------------------------------------


async def test_stopping_keeps_what_was_done_and_it_can_be_undone(
    house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    no = await tag(house)
    monkeypatch.setattr(bulk.Pace, "of", lambda *_: 3)
    act = await decided(house, cast, Deed.TAG, tree=EVERYBODY, tag=no)
    assert await bulk.work_some(house)
    async with house.work(account=cast.amina.no) as work:
        work.session.add(act)
        await bulk.stop(work, act)
        await bulk.stop(work, act)
        with pytest.raises(bulk.ActDecided):
            await bulk.confirm(work, act)
        with pytest.raises(bulk.ActDecided):
            await bulk.leave(work, act)
    assert (act.state, act.done, act.changed) == (BulkState.STOPPED, 3, 3)
    assert await bulk.work_some(house) is False
    assert await tagged(house, no) == 3
    act = await undone(house, cast, act)
    assert act.returned == 3
    assert await tagged(house, no) == 0


async def test_what_is_complete_is_not_stopped_and_what_changed_nobody_not_undone(
    house: House, cast: Cast
) -> None:
    no = await tag(house)
    act = await done(house, cast, Deed.UNTAG, tree=EVERYBODY, tag=no)
    async with house.work(account=cast.amina.no) as work:
        work.session.add(act)
        with pytest.raises(bulk.ActOver):
            await bulk.stop(work, act)
        with pytest.raises(bulk.NothingToUndo):
            await bulk.undo(work, act)


async def test_after_thirty_days_it_stands(house: House, cast: Cast) -> None:
    act = await done(house, cast, Deed.TAG, tree=EVERYBODY, tag=await tag(house))
    async with house.work(account=cast.amina.no) as work:
        work.session.add(act)
        with pytest.raises(bulk.NothingToUndo):
            await bulk.undo(make.later(work, days=31), act)


async def test_undoing_twice_is_undoing_once(house: House, cast: Cast) -> None:
    act = await undone(
        house, cast, await done(house, cast, Deed.TAG, tree=EVERYBODY, tag=await tag(house))
    )
    async with house.work(account=cast.amina.no) as work:
        work.session.add(act)
        assert (await bulk.undo(work, act)).state is BulkState.UNDONE
    assert (act.returned, act.left) == (4, 0)


# --- what comes in between ----------------------------------------------------------------------


async def test_what_it_needs_may_go_meanwhile_and_then_it_ends_in_words(
    house: House, cast: Cast
) -> None:
    no = await tag(house)
    act = await decided(house, cast, Deed.TAG, tree=EVERYBODY, tag=no)
    async with house.work() as work:
        it = await tags.by_no(work, no)
        assert it
        await tagging.close(work, it)
    act = await bulk.drive(house, act.uid)
    assert (act.state, act.refused, act.changed) == (BulkState.STOPPED, "TagClosed", 0)


async def test_who_decided_and_lost_their_account_decides_no_more(house: House, cast: Cast) -> None:
    no = await tag(house)
    act = await decided(house, cast, Deed.TAG, tree=EVERYBODY, tag=no)
    async with house.work() as work:
        amina = await work.session.get_one(Account, cast.amina.no)
        amina.disabled_at = work.now
    act = await bulk.drive(house, act.uid)
    assert (act.state, act.refused) == (BulkState.STOPPED, "AccountClosed")
    assert await tagged(house, no) == 0


async def test_who_is_erased_meanwhile_is_left_alone(house: House, cast: Cast) -> None:
    no = await tag(house)
    act = await decided(house, cast, Deed.TAG, who=[cast.bo, cast.gil], tag=no)
    async with house.work() as work:
        await work.session.execute(
            update(Subscriber).where(Subscriber.no == cast.bo.no).values(erased_at=work.now),
            execution_options={"unscoped": "what the test makes so"},
        )
    act = await bulk.drive(house, act.uid)
    assert (act.touches, act.done, act.changed) == (2, 2, 1)


# --- scope --------------------------------------------------------------------------------------


async def test_whoever_cares_for_some_groups_touches_their_people_alone(
    house: House, cast: Cast
) -> None:
    no = await tag(house)
    async with house.work() as work:
        farid = make.seen_by(work, cast.harbour, account=cast.farid.no)
        both = [cast.bo.uid, cast.gil.uid]
        asked = await bulk.propose(farid, Deed.TAG, {"tag": no}, tree=EVERYBODY)
        act = await bulk.propose(farid, Deed.TAG, {"tag": no}, uids=both)
        assert (asked.touches, act.touches, act.scope) == (1, 1, [cast.harbour.no])
        await bulk.confirm(farid, act)
        with pytest.raises(GroupOutOfReach):
            await bulk.propose(farid, Deed.GROUP, {"group": cast.northgate.no}, uids=[cast.gil.uid])
    await bulk.drive(house, act.uid)
    async with house.work(reading=True) as work:
        assert set(await tags.since(work, [cast.bo.no, cast.gil.no], no)) == {cast.gil.no}


async def test_a_care_that_is_lost_meanwhile_is_lost(house: House, cast: Cast) -> None:
    no = await tag(house)
    async with house.work() as work:
        farid = make.seen_by(work, cast.harbour, account=cast.farid.no)
        act = await bulk.propose(farid, Deed.TAG, {"tag": no}, tree=EVERYBODY)
        await bulk.confirm(farid, act)
        await accounts.clear_scope(work, cast.farid.no)
    act = await bulk.drive(house, act.uid)
    assert (act.done, act.changed) == (1, 0)


async def test_who_took_people_out_of_their_sight_can_put_them_back(
    house: House, cast: Cast
) -> None:
    async with house.work() as work:
        farid = make.seen_by(work, cast.harbour, account=cast.farid.no)
        act = await bulk.propose(
            farid, Deed.LEAVE_GROUP, {"group": cast.harbour.no}, tree=EVERYBODY
        )
        await bulk.confirm(farid, act)
    act = await bulk.drive(house, act.uid)
    assert act.changed == 1
    async with house.work() as work:
        farid = make.seen_by(work, cast.harbour, account=cast.farid.no)
        mine = await store.by_uid(farid, act.uid)
        assert mine
        await bulk.undo(farid, mine)
    act = await bulk.drive(house, act.uid)
    assert (act.state, act.returned) == (BulkState.UNDONE, 1)


async def test_others_acts_are_not_there_for_whoever_cares_for_some_groups(
    house: House, cast: Cast
) -> None:
    act = await done(house, cast, Deed.TAG, tree=EVERYBODY, tag=await tag(house))
    async with house.work(reading=True) as work:
        farid = make.seen_by(work, cast.harbour, account=cast.farid.no)
        assert await store.by_uid(farid, act.uid) is None
        assert await store.recent(farid) == []


# --- forgetting ---------------------------------------------------------------------------------


async def aged(house: House, act: BulkAct, column: str, by: timedelta) -> None:
    async with house.work() as work:
        await work.session.execute(
            update(BulkAct).where(BulkAct.no == act.no).values({column: getattr(act, column) - by})
        )


async def rested(house: House) -> int:
    """Let the worker do all there is; give how many people of acts are still known."""
    while await bulk.work_some(house):
        pass
    async with house.work(reading=True) as work:
        return await work.session.scalar(select(func.count()).select_from(BulkPerson)) or 0


async def test_what_was_never_decided_is_forgotten_after_a_day(house: House, cast: Cast) -> None:
    async with house.work(account=cast.amina.no) as work:
        act = await bulk.propose(work, Deed.TAKE_OFF, {}, tree=EVERYBODY)
    assert await rested(house) == 4
    await aged(house, act, "made_at", timedelta(days=2))
    assert await rested(house) == 0
    async with house.work(reading=True) as work:
        assert await store.named(work, act.uid) is None


async def test_who_was_touched_is_forgotten_when_it_can_no_longer_be_undone(
    house: House, cast: Cast
) -> None:
    act = await done(house, cast, Deed.TAG, tree=EVERYBODY, tag=await tag(house))
    assert await rested(house) == 4
    await aged(house, act, "ended_at", timedelta(days=31))
    assert await rested(house) == 0
    async with house.work(reading=True) as work:
        kept = await store.named(work, act.uid)
        assert kept
        assert kept.changed == 4


# --- the worker ---------------------------------------------------------------------------------


async def test_a_batch_that_was_not_committed_is_done_again_and_once(
    house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    no = await tag(house)
    act = await decided(house, cast, Deed.TAG, tree=EVERYBODY, tag=no)

    async def fail(*_: object) -> None:
        raise RuntimeError("the power is cut")

    with monkeypatch.context() as cut, pytest.raises(RuntimeError):
        cut.setattr(store, "keep_before", fail)
        await bulk.work_some(house)
    assert await tagged(house, no) == 0
    act = await bulk.drive(house, act.uid)
    assert (act.done, act.changed) == (4, 4)


async def test_progress_is_told(house: House, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk.Pace, "of", lambda *_: 2)
    act = await decided(house, cast, Deed.TAG, tree=EVERYBODY, tag=await tag(house))
    seen: list[int] = []
    await bulk.drive(house, act.uid, lambda one: seen.append(one.done))
    assert seen == [2, 4, 4]
    with pytest.raises(bulk.ActUnknown):
        await bulk.drive(house, "nowhere")


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("number", "seconds", "size"),
    [
        (20, 0.005, 40),  # twice as many at most
        (20, 0.02, 10),  # half of what took all of the time
        (20, 1.0, 10),  # but never fewer than ten
        (400, 0.0, 400),
    ],
)
def test_batches_grow_slowly_and_shrink_at_once(number: int, seconds: float, size: int) -> None:
    pace = bulk.Pace()
    act = BulkAct(deed=Deed.TAG, state=BulkState.WORKING)
    assert pace.of(act) == bulk.Pace.FIRST
    pace.took((act.deed, act.state), number, seconds)
    assert pace.of(act) == size
