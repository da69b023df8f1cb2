"""Whoever sends slowly keeps nobody else waiting."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from mailer.bootstrap import House
from mailer.kit.tokens import Purpose
from tests.cast import Cast


@pytest.mark.parametrize("place", ["/join", "/u/{token}", "/l/{token}", "/my", "/display"])
async def test_a_form_that_never_ends_locks_nothing(
    web: httpx.AsyncClient, house: House, cast: Cast, place: str
) -> None:
    async with house.work(reading=True) as work:
        token = work.signer.token(
            Purpose.UNSUBSCRIBE, cast.bo.no, subject=cast.bulletin.no, now=work.now
        )

    begun = asyncio.Event()

    async def never_ending() -> AsyncGenerator[bytes]:
        yield b"answer"
        begun.set()
        await asyncio.Event().wait()

    slow = asyncio.create_task(
        web.post(
            place.replace("{token}", token),
            content=never_ending(),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
    )
    try:
        async with asyncio.timeout(10):
            await begun.wait()
            async with house.work() as work:  # a writer, who would wait for the lock
                assert work.now
    finally:
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
