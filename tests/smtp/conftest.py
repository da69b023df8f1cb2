"""A server that misbehaves, in each of the three ways of talking to it."""

from collections.abc import AsyncGenerator

import pytest

from tests.smtp.chaos import MODES, Chaos


@pytest.fixture(params=list(MODES))
async def chaos(request: pytest.FixtureRequest) -> AsyncGenerator[Chaos]:
    async with Chaos(offers=MODES[request.param]) as chaos:
        yield chaos
