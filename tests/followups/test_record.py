"""What is told of follow-ups, and what becomes of them in a merge and an erasure."""

import pytest

from mailer.asks import reporting
from mailer.asks.model import Ask
from mailer.bootstrap import House
from mailer.followups import record, store
from mailer.followups.model import CaseKind, FollowUp, Outcome, Resolution
from mailer.followups.rounds.looking import look_around
from mailer.followups.subjects import store as subjects
from mailer.kit.work import Door
from mailer.records import erasing, merging
from mailer.records.erasing import Ground, Remains
from tests.cast import Cast
from tests.support.asking import opened, pledged
from tests.support.following import blocked, called, followed, now, open_cases, remembered


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


@pytest.mark.parametrize("keeps", ["bo", "gil"])
async def test_a_call_for_help_outlives_a_merge_of_two_who_answered_the_same_ask(
    house: House, cast: Cast, ask: Ask, case: FollowUp, keeps: str
) -> None:
    kept, other = (cast.bo, cast.gil) if keeps == "bo" else (cast.gil, cast.bo)
    await pledged(house, cast.gil, ask)
    async with house.work(door=Door.ADMIN) as work:
        made = await merging.merge(work, kept, other)
    await looked_and_followed(house)
    [standing] = await open_cases(house, kept, CaseKind.BLOCKED)
    assert standing.no == case.no
    async with house.work(reading=True) as work:
        assert set(await subjects.pledges_about(work, [standing])) == {standing.no}

    async with house.work(door=Door.ADMIN) as work:
        await merging.undo(work, made.no)
    await looked_and_followed(house)

    [back] = await open_cases(house, cast.bo, CaseKind.BLOCKED)
    assert (back.no, back.subject_no) == (case.no, case.subject_no)
    assert await open_cases(house, cast.gil) == []


async def looked_and_followed(house: House) -> None:
    await followed(house)
    while await look_around(house):
        pass


async def test_two_calls_for_help_with_one_ask_are_one_and_two_again(
    house: House, cast: Cast, ask: Ask, case: FollowUp
) -> None:
    gils = await blocked(house, cast.gil, ask)
    async with house.work(door=Door.ADMIN) as work:
        made = await merging.merge(work, cast.gil, cast.bo)
    await looked_and_followed(house)
    assert len(await open_cases(house, cast.gil)) == 1

    async with house.work(door=Door.ADMIN) as work:
        await merging.undo(work, made.no)

    for who, theirs in ((cast.bo, case), (cast.gil, gils)):
        [back] = await open_cases(house, who)
        assert (back.no, back.subject_no) == (theirs.no, theirs.subject_no)


async def test_a_case_that_was_opened_while_they_were_one_goes_home_with_its_pledge(
    house: House, cast: Cast, ask: Ask
) -> None:
    await pledged(house, cast.bo, ask)
    async with house.work(door=Door.ADMIN) as work:
        made = await merging.merge(work, cast.gil, cast.bo)
    opened_since = await blocked(house, cast.gil, ask)
    async with house.work(door=Door.ADMIN) as work:
        await merging.undo(work, made.no)
    assert [one.no for one in await open_cases(house, cast.bo)] == [opened_since.no]
    assert await open_cases(house, cast.gil) == []


async def test_a_case_that_stood_for_two_calls_for_help_goes_home(
    house: House, cast: Cast, ask: Ask, case: FollowUp
) -> None:
    await pledged(house, cast.gil, ask)
    async with house.work(door=Door.ADMIN) as work:
        made = await merging.merge(work, cast.gil, cast.bo)
    await blocked(house, cast.gil, ask, words="I need help, too.")
    async with house.work(door=Door.ADMIN) as work:
        await merging.undo(work, made.no)
    assert [one.no for one in await open_cases(house, cast.bo)] == [case.no]


async def test_a_call_for_help_that_nobody_reacted_to_yet_outlives_a_merge(
    house: House, cast: Cast, ask: Ask
) -> None:
    await pledged(house, cast.gil, ask)
    async with house.work(door=Door.EMAIL) as work:
        await reporting.need_help(work, cast.bo, ask, words="He shouts.")
    async with house.work(door=Door.ADMIN) as work:
        await merging.merge(work, cast.gil, cast.bo)
    await looked_and_followed(house)
    assert len(await open_cases(house, cast.gil, CaseKind.BLOCKED)) == 1


async def test_my_data_names_what_each_case_is_about(
    house: House, cast: Cast, case: FollowUp
) -> None:
    async with house.work(reading=True) as work:
        [cases, _steps] = await record.known(work, cast.bo.no)
    assert [row["about"] for row in cases.rows] == ["Pass the model motion"]


async def test_erasing_leaves_nothing(house: House, cast: Cast, case: FollowUp) -> None:
    await called(house, case, cast.esra, Outcome.NO_ANSWER, "His chair was there.")
    async with house.work(door=Door.ADMIN) as work:
        await erasing.erase(work, cast.bo, remains=Remains.NOTHING, ground=Ground.ASKED)
    async with house.work(reading=True) as work:
        assert await store.cases_of(work, cast.bo.no) == []
        assert await store.steps_with(work, cast.bo.no) == []
        assert await store.by_no(work, case.no) is None
