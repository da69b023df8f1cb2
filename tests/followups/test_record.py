"""What is told of follow-ups, and what becomes of them in a merge and an erasure."""

import pytest

from mailer.asks.model import Ask
from mailer.bootstrap import House
from mailer.followups import record, store
from mailer.followups.model import FollowUp, Outcome, Resolution
from mailer.kit.work import Door
from mailer.records import erasing, merging
from mailer.records.erasing import Ground, Remains
from tests.cast import Cast
from tests.support.asking import opened
from tests.support.following import blocked, called, now, open_cases, remembered


@pytest.fixture
async def ask(house: House, cast: Cast) -> Ask:
    return await opened(house, "Pass the model motion")


@pytest.fixture
async def case(house: House, cast: Cast, ask: Ask) -> FollowUp:
    return await blocked(house, cast.bo, ask)


async def test_a_timeline_says_that_and_not_what(house: House, cast: Cast, case: FollowUp) -> None:
    await called(house, case, cast.esra, Outcome.NO_ANSWER, "His chair was there.")

    async with house.work(reading=True) as work:
        told = await record.entries(work, cast.bo.no)

    assert {(one.words, one.details, one.account_no) for one in told} == {
        ("A follow-up was opened", "Asked for help", None),
        ("Nobody answered", "", cast.esra.no),
    }
    assert "chair" not in repr(told)


async def test_what_settled_itself_is_told(house: House, cast: Cast, case: FollowUp) -> None:
    async with house.work() as work:
        await store.end_by_itself(work, case)
        told = await record.entries(work, cast.bo.no)
    assert "A follow-up has ended" in {one.words for one in told}


async def test_the_person_reads_all_that_was_written(
    house: House, cast: Cast, case: FollowUp
) -> None:
    await called(house, case, cast.esra, Outcome.REACHED, "Leila helps them.")
    async with house.work(reading=True) as work:
        cases, steps = await record.known(work, cast.bo.no)
    assert steps.rows[0]["words"] == "Leila helps them."
    assert cases.rows[0]["ended_at"] is not None
    assert "Esra" not in repr(steps)


async def test_who_turns_out_to_be_one_waits_once(house: House, cast: Cast, case: FollowUp) -> None:
    bos = await remembered(house, cast.bo, cast.amina, "For Bo.")
    gils = await remembered(house, cast.gil, cast.amina, "For Gil.")
    async with house.work(door=Door.ADMIN) as work:
        made = await merging.merge(work, cast.gil, cast.bo)

    standing = await open_cases(house, cast.gil)
    assert {one.no for one in standing} == {gils.no, case.no}
    assert (await now(house, bos)).resolution is Resolution.MERGED
    assert await open_cases(house, cast.bo) == []

    async with house.work(door=Door.ADMIN) as work:
        await merging.undo(work, made.no)

    assert {one.no for one in await open_cases(house, cast.bo)} == {bos.no, case.no}
    assert [one.no for one in await open_cases(house, cast.gil)] == [gils.no]
    async with house.work(reading=True) as work:
        steps = await store.steps_with(work, cast.bo.no)
        assert [store.words_of(work, one) for one in steps] == ["For Bo."]


async def test_what_was_settled_while_they_were_one_stays_settled(
    house: House, cast: Cast, case: FollowUp
) -> None:
    async with house.work(door=Door.ADMIN) as work:
        made = await merging.merge(work, cast.gil, cast.bo)
    await called(house, case, cast.amina, Outcome.REACHED)
    async with house.work(door=Door.ADMIN) as work:
        await merging.undo(work, made.no)
    settled = await now(house, case)
    assert settled.subscriber_no == cast.bo.no
    assert settled.resolution is Resolution.REACHED


async def test_erasing_leaves_nothing(house: House, cast: Cast, case: FollowUp) -> None:
    await called(house, case, cast.esra, Outcome.NO_ANSWER, "His chair was there.")
    async with house.work(door=Door.ADMIN) as work:
        await erasing.erase(work, cast.bo, remains=Remains.NOTHING, ground=Ground.ASKED)
    async with house.work(reading=True) as work:
        assert await store.cases_of(work, cast.bo.no) == []
        assert await store.steps_with(work, cast.bo.no) == []
        assert await store.by_no(work, case.no) is None
