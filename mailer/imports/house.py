"""What an import's steps need of the house: to begin units of work."""

import contextlib
from typing import Protocol

from mailer.kit.work import Door, Work


class Rooms(Protocol):
    """What can begin a unit of work: the house."""

    def work(
        self, *, reading: bool = False, bulk: bool = False, door: Door = Door.SYSTEM
    ) -> contextlib.AbstractAsyncContextManager[Work]:
        """Begin one; `bulk` is one of many that follow each other."""
