"""The queue: who comes first, whose it is, and who may see it."""

import dataclasses
from datetime import timedelta

import pytest

from mailer.accounts.actions import disable
from mailer.accounts.model import Account
from mailer.bootstrap import House
from mailer.followups import caring, opening, store
from mailer.followups.model import CaseKind, FollowUp, Outcome, Rank
from mailer.followups.queue import store as queues
from mailer.followups.queue.store import View, Whose
from mailer.kit.work import Door, Work
from mailer.subscribers.model import Subscriber
from tests import makers as make
from tests.cast import Cast
from tests.support.following import called, waiting


async def waits(
    work: Work, who: Subscriber, kind: CaseKind, *, hours: float = 0, owner: int | None = None
) -> FollowUp:
    """Let somebody have waited for so long, for whoever comes unless an owner is named."""
    case = await opening.open_case(work, who, kind, subject_no=3)
    since = work.now - timedelta(hours=hours)
    return await store.change(work, case, {"next_at": since, "owner_no": owner})


async def people(work: Work, *names: str) -> list[Subscriber]:
    return [await make.person(work, first_name=name) for name in names]


async def test_the_order_in_which_to_call(house: House, cast: Cast) -> None:
    async with house.work() as work:
        found = await people(work, "Alert", "Quiet", "Ready", "Help", "Due", "Promised")
        alert, quiet, ready, help_, due, promised = found
        await waits(work, alert, CaseKind.ALERT, hours=99)
        await waits(work, quiet, CaseKind.QUIET, hours=50)
        await waits(work, ready, CaseKind.READY)
        await waits(work, help_, CaseKind.BLOCKED, hours=2)
        await waits(work, due, CaseKind.PAST_DUE, hours=1)
        call_back = await waits(work, promised, CaseKind.QUIET)
        await store.change(work, call_back, {"rank": Rank.CALL_BACK})
    assert [name for name, _kind in await waiting(house, cast.amina)] == [
        "Promised",
        "Due",
        "Help",
        "Ready",
        "Quiet",
        "Alert",
    ]


async def test_among_those_alike_who_has_waited_longest(house: House, cast: Cast) -> None:
    async with house.work() as work:
        lately, long_ago, between = await people(work, "Lately", "Long ago", "Between")
        await waits(work, lately, CaseKind.BLOCKED, hours=1)
        await waits(work, long_ago, CaseKind.SUPPORT, hours=9)
        await waits(work, between, CaseKind.MANUAL, hours=5)
    named = [name for name, _kind in await waiting(house, cast.amina)]
    assert named == ["Long ago", "Between", "Lately"]


async def test_pages_go_on_where_the_last_ended(cast: Cast, work: Work) -> None:
    for number, who in enumerate(await people(work, *[f"P{no}" for no in range(7)])):
        kind = CaseKind.BLOCKED if number % 2 else CaseKind.QUIET
        await waits(work, who, kind, hours=number // 3)
    view = View(account_no=cast.amina.no, whose=Whose.ALL)
    whole = [row.case.no for row in (await queues.queue(work, view, limit=100)).rows]

    seen: list[int] = []
    after = ""
    for _page in range(9):
        page = await queues.queue(work, view, after=after, limit=2)
        seen += [row.case.no for row in page.rows]
        if page.next_after is None:
            break
        after = page.rows[-1].case.uid

    assert seen == whole
    assert len(whole) == 7


async def test_who_comes_back_later_is_not_in_it_yet(cast: Cast, work: Work) -> None:
    await waits(work, cast.bo, CaseKind.BLOCKED, hours=-3)
    view = View(account_no=cast.amina.no, whose=Whose.ALL)
    assert (await queues.queue(work, view)).rows == []
    assert await queues.later(work, view) == 1
    hours_later = make.later(work, hours=4)
    assert len((await queues.queue(hours_later, view)).rows) == 1
    assert await queues.later(hours_later, view) == 0


async def test_mine_and_nobodys_but_not_what_another_is_at(house: House, cast: Cast) -> None:
    async with house.work() as work:
        mine, free, hers = await people(work, "Mine", "Free", "Hers")
        await waits(work, mine, CaseKind.BLOCKED, owner=cast.amina.no)
        held = await waits(work, free, CaseKind.BLOCKED)
        await waits(work, hers, CaseKind.BLOCKED, owner=cast.esra.no)

    async def named(whose: Whose) -> list[str]:
        return [name for name, _kind in await waiting(house, cast.amina, whose)]

    assert await named(Whose.NEXT) == ["Mine", "Free"]
    assert await named(Whose.MINE) == ["Mine"]
    assert await named(Whose.ALL) == ["Mine", "Free", "Hers"]
    async with house.work(account=cast.esra.no, door=Door.ADMIN) as work:
        await caring.take(work, held)
    assert await named(Whose.NEXT) == ["Mine"]


async def test_what_a_closed_account_looked_after_is_nobodys(house: House, cast: Cast) -> None:
    async with house.work() as work:
        await waits(work, cast.bo, CaseKind.BLOCKED, owner=cast.esra.no)
    assert await waiting(house, cast.amina, Whose.NEXT) == []
    async with house.work(door=Door.CLI) as work:
        await disable(work, await work.session.get_one(Account, cast.esra.no))
    assert await waiting(house, cast.amina, Whose.NEXT) == [("Bo", CaseKind.BLOCKED)]


async def test_of_one_group(cast: Cast, work: Work) -> None:
    await waits(work, cast.bo, CaseKind.BLOCKED)
    await waits(work, cast.gil, CaseKind.BLOCKED)
    view = View(account_no=cast.amina.no, whose=Whose.ALL, group_no=cast.harbour.no)
    assert [row.person.no for row in (await queues.queue(work, view)).rows] == [cast.gil.no]
    assert (await queues.counts(work, view)).all == 1


async def test_who_sees_some_groups_sees_no_other_wait(cast: Cast, work: Work) -> None:
    bos = await waits(work, cast.bo, CaseKind.BLOCKED)
    gils = await waits(work, cast.gil, CaseKind.BLOCKED)
    farids = make.seen_by(work, cast.harbour, account=cast.farid.no)
    view = View(account_no=cast.farid.no, whose=Whose.ALL)

    assert [row.case.no for row in (await queues.queue(farids, view)).rows] == [gils.no]
    assert (await queues.counts(farids, view)).all == 1
    assert await store.by_uid(farids, bos.uid) is None
    nobodys = dataclasses.replace(farids, scope=frozenset())
    assert (await queues.queue(nobodys, view)).rows == []


async def test_counts_say_for_how_many_it_is_late(cast: Cast, work: Work) -> None:
    late = await waits(work, cast.bo, CaseKind.BLOCKED)
    await store.change(work, late, {"due_at": work.now - timedelta(hours=1)})
    await waits(work, cast.gil, CaseKind.QUIET)

    count = await queues.counts(work, View(account_no=cast.amina.no, whose=Whose.ALL))

    assert count.by_rank == {Rank.HELP: 1, Rank.QUIET: 1}
    assert (count.all, count.overdue) == (2, 1)


@pytest.mark.parametrize("outcome", [Outcome.REACHED, Outcome.NO_ANSWER])
async def test_who_was_called_is_out_of_it(house: House, cast: Cast, outcome: Outcome) -> None:
    async with house.work() as work:
        case = await waits(work, cast.bo, CaseKind.READY)
    await called(house, case, cast.amina, outcome)
    assert await waiting(house, cast.amina) == []
