"""The same house at a later hour, for steps that open units of work by themselves."""

import contextlib
from collections.abc import AsyncGenerator

from mailer.bootstrap import House
from mailer.kit.work import Work
from tests import makers as make


class Later:
    """The house so much later: `Later(house, days=3)`."""

    def __init__(self, house: House, **by: float) -> None:
        self._house, self._by = house, by

    @contextlib.asynccontextmanager
    async def work(self, *, reading: bool = False) -> AsyncGenerator[Work]:
        async with self._house.work(reading=reading) as work:
            yield make.later(work, **self._by)
