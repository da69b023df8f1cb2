"""Whatever two organisers do about a case, in whatever order: no state is undefined.

And whatever is done twice is done once.
"""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from mailer.accounts.model import Account
from mailer.bootstrap import House
from mailer.followups import caring, opening, settling, store
from mailer.followups.model import CaseKind, CaseState, FollowUp, Outcome
from mailer.kit.errors import Refusal
from mailer.kit.work import Door, Work
from tests import makers as make
from tests.cast import Cast
from tests.support.following import now as case_now

Deed = Callable[[Work, FollowUp], Awaitable[object]]


def drawn(chance: random.Random, cast: Cast, step: int) -> Deed:
    """Draw what is done next."""
    outcome = chance.choice(list(Outcome))
    to: Account | None = chance.choice([cast.amina, cast.esra, cast.farid, None])

    async def settle(work: Work, case: FollowUp) -> object:
        call_at = work.now + timedelta(days=2)
        return await settling.settle(work, case, outcome, call_at=call_at, words=f"Call {step}.")

    async def undo(work: Work, case: FollowUp) -> object:
        steps = await store.steps_of(work, case.no)
        return await settling.take_back(work, case, steps[0].no if steps else 0)

    async def assign(work: Work, case: FollowUp) -> object:
        return await caring.assign(work, case, to)

    async def note(work: Work, case: FollowUp) -> object:
        return await caring.note(work, case, f"Note {step}.")

    async def write(work: Work, case: FollowUp) -> object:
        return await caring.write(work, case, f"Letter {step}.")

    return chance.choice(
        [settle, settle, undo, undo, assign, note, write, caring.take, caring.let_go]
    )


async def seen(work: Work, case: FollowUp) -> list[object]:
    """Give all that is known of a case, and of what was done about it."""
    now = await store.by_no(work, case.no)
    assert now is not None
    columns = [getattr(now, column.key) for column in FollowUp.__table__.columns]
    steps = await store.steps_of(work, case.no)
    return [*columns, *[(one.no, one.undone_at) for one in steps]]


def ask_that_it_is_defined(case: FollowUp) -> None:
    is_over = case.state is CaseState.RESOLVED
    assert (case.resolved_at is not None) == is_over
    assert (case.resolution is not None) == is_over
    if not is_over:
        assert (case.owner_no is None) == (case.state is CaseState.NEW)
    assert (case.held_by is None) == (case.held_until is None)
    assert case.due_at >= case.opened_at
    assert case.tries >= 0


@pytest.mark.parametrize("kind", [CaseKind.BLOCKED, CaseKind.READY])
@pytest.mark.parametrize("seed", range(3))
async def test_any_walk(house: House, cast: Cast, kind: CaseKind, seed: int) -> None:
    chance = random.Random(seed)
    async with house.work() as work:
        case = await opening.open_case(work, cast.bo, kind, subject_no=5)
    refused = done = hours = 0
    for step in range(40):
        hours += chance.choice([0, 1, 30])
        account: Account = chance.choice([cast.amina, cast.esra])
        deed = drawn(chance, cast, step)
        try:
            async with house.work(account=account.no, door=Door.ADMIN) as work:
                await deed(make.later(work, hours=hours), case)
                once = await seen(work, case)
        except Refusal:
            refused += 1
            continue
        done += 1
        ask_that_it_is_defined(await case_now(house, case))
        if deed.__name__ == "undo":
            continue  # the next newest is another step
        async with house.work(account=account.no, door=Door.ADMIN) as work:
            await deed(make.later(work, hours=hours), case)
            again = await seen(work, case)
        assert again == once or deed.__name__ == "take", f"{deed.__name__} twice"
    assert done > 5
    assert refused > 0
