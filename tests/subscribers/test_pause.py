"""Breaks, and being stopped."""

from datetime import timedelta

import pytest

from mailer.activity import store as activity
from mailer.consent.actions import state_of
from mailer.consent.model import SubscriberState
from mailer.kit.work import Work
from mailer.outbox import store as outbox
from mailer.subscribers.actions import (
    PauseOutOfRange,
    pause,
    resume,
    start_again,
    stop_silently,
)
from tests import makers as make
from tests.cast import Cast


async def kinds_of_letters(work: Work, no: int) -> list[str]:
    return [letter.kind for letter in await outbox.letters_to(work, no)]


async def test_a_pause_ends_by_itself(cast: Cast, work: Work) -> None:
    until = await pause(work, cast.bo)

    assert until == work.now + timedelta(days=30)
    assert await state_of(work, cast.bo) is SubscriberState.PAUSED
    after = make.later(work, days=30, seconds=1)
    assert await state_of(after, cast.bo) is SubscriberState.ACTIVE
    assert "paused" in await kinds_of_letters(work, cast.bo.no)


async def test_pausing_again_changes_nothing_on_the_same_day(cast: Cast, work: Work) -> None:
    until = await pause(work, cast.bo)
    assert await pause(make.later(work, hours=23), cast.bo) == until
    assert (await kinds_of_letters(work, cast.bo.no)).count("paused") == 1

    assert await pause(make.later(work, days=10), cast.bo) == until + timedelta(days=10)


async def test_a_shorter_pause_does_not_cut_a_longer_one(cast: Cast, work: Work) -> None:
    until = await pause(work, cast.bo, days=60)
    assert await pause(work, cast.bo, days=7) == until


@pytest.mark.parametrize("days", [0, 366])
async def test_a_pause_has_bounds(cast: Cast, work: Work, days: int) -> None:
    with pytest.raises(PauseOutOfRange):
        await pause(work, cast.bo, days=days)


async def test_a_pause_is_ended_before_its_time(cast: Cast, work: Work) -> None:
    await pause(work, cast.bo)
    await resume(work, cast.bo)
    await resume(work, cast.bo)

    assert await state_of(work, cast.bo) is SubscriberState.ACTIVE
    assert (await activity.kinds(work, cast.bo.no)).count("resumed") == 1


async def test_somebody_is_stopped_silently_and_may_begin_again(cast: Cast, work: Work) -> None:
    before = await kinds_of_letters(work, cast.bo.no)
    await stop_silently(work, cast.bo)
    await stop_silently(work, cast.bo)

    assert await state_of(work, cast.bo) is SubscriberState.STOPPED
    assert await kinds_of_letters(work, cast.bo.no) == before

    await start_again(work, cast.bo)
    await start_again(work, cast.bo)

    assert await state_of(work, cast.bo) is SubscriberState.ACTIVE
    assert (await activity.kinds(work, cast.bo.no))[-2:] == ["stopped", "started_again"]
