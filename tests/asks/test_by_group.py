"""How far an ask has come in each group."""

from mailer.asks import composing, pledging, reporting
from mailer.asks.by_group.store import Answers, added, of_groups
from mailer.asks.model import Ask
from mailer.groups import actions as groups
from mailer.kit.work import Work
from tests import makers as make
from tests.cast import Cast


async def opened(work: Work) -> Ask:
    ask = await composing.draft(work, title={"en": "Put it on the agenda"})
    return await composing.open_ask(work, ask)


async def test_answers_are_counted_in_every_group_of_those_who_gave_them(
    cast: Cast, work: Work
) -> None:
    ask, other = await opened(work), await opened(work)
    await groups.join(work, cast.gil, cast.northgate)
    for person in await make.people(work, 3, group=cast.northgate):
        await pledging.pledge(work, person, ask)
    await make.people(work, 2, group=cast.harbour)
    await reporting.report_done(work, cast.bo, ask)
    await reporting.need_help(work, cast.gil, ask, words="")
    await pledging.decline(work, cast.chidi, ask)
    await pledging.pledge(work, cast.bo, other)

    assert await of_groups(work, [ask.no]) == {
        cast.northgate.no: Answers(pledged=5, blocked=1, done=1, declined=1),
        cast.harbour.no: Answers(pledged=1, blocked=1, done=0),
    }


async def test_who_is_in_none_counts_in_none_and_a_yes_taken_back_is_none(
    cast: Cast, work: Work
) -> None:
    ask = await opened(work)
    await pledging.pledge(work, cast.dana, ask)
    await pledging.pledge(work, cast.bo, ask)
    await pledging.withdraw(work, cast.bo, ask)

    assert await of_groups(work, [ask.no]) == {}


async def test_only_groups_are_counted_that_the_actor_looks_after(cast: Cast, work: Work) -> None:
    ask = await opened(work)
    await pledging.pledge(work, cast.bo, ask)
    await pledging.pledge(work, cast.gil, ask)

    found = await of_groups(make.seen_by(work, cast.harbour), [ask.no])

    assert found == {cast.harbour.no: Answers(pledged=1)}


async def test_whoever_answered_two_asks_counts_twice(cast: Cast, work: Work) -> None:
    ask, other = await opened(work), await opened(work)
    for one in (ask, other):
        await pledging.pledge(work, cast.bo, one)
    await pledging.decline(work, cast.chidi, ask)

    found = await of_groups(work, [ask.no, other.no])

    assert found == {cast.northgate.no: Answers(pledged=2, declined=1)}
    assert added([*found.values(), Answers(pledged=1, done=1)]) == Answers(
        pledged=3, declined=1, done=1
    )
