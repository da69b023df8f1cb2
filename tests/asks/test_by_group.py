"""How far an ask has come in each group."""

from mailer.asks import composing, pledging, reporting
from mailer.asks.by_group.store import OfGroup, of_groups
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

    assert await of_groups(work, [ask.no]) == [
        OfGroup(cast.northgate.no, ask.no, pledged=5, blocked=1, done=1, declined=1),
        OfGroup(cast.harbour.no, ask.no, pledged=1, blocked=1, done=0),
    ]


async def test_who_is_in_none_counts_in_none_and_a_yes_taken_back_is_none(
    cast: Cast, work: Work
) -> None:
    ask = await opened(work)
    await pledging.pledge(work, cast.dana, ask)
    await pledging.pledge(work, cast.bo, ask)
    await pledging.withdraw(work, cast.bo, ask)

    assert await of_groups(work, [ask.no]) == []


async def test_only_groups_are_counted_that_the_actor_looks_after(cast: Cast, work: Work) -> None:
    ask = await opened(work)
    await pledging.pledge(work, cast.bo, ask)
    await pledging.pledge(work, cast.gil, ask)

    found = await of_groups(make.seen_by(work, cast.harbour), [ask.no])

    assert found == [OfGroup(cast.harbour.no, ask.no, pledged=1)]


async def test_several_asks_are_counted_each_by_itself(cast: Cast, work: Work) -> None:
    ask, other = await opened(work), await opened(work)
    for one in (ask, other):
        await pledging.pledge(work, cast.bo, one)
    await pledging.pledge(work, cast.chidi, ask)

    assert await of_groups(work, [ask.no, other.no]) == [
        OfGroup(cast.northgate.no, ask.no, pledged=2),
        OfGroup(cast.northgate.no, other.no, pledged=1),
    ]
