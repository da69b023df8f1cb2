"""What a step of the worker is given: something that begins units of work."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from mailer.kit.work import Work


class Rooms(Protocol):
    """What opens units of work: the house, or one that a test moves through time."""

    def work(self, *, reading: bool = False) -> AbstractAsyncContextManager[Work]:
        """Begin one."""
        ...
