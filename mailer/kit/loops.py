"""Loops: steps done again and again until the process is told to end.

A step claims a small batch, does it, records it, and says whether there may be more. SIGTERM and
SIGINT let the step in hand finish; nothing new is begun.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence

import structlog

log = structlog.get_logger()

Step = Callable[[], Awaitable[bool]]
"""Do one batch; True when there may be more at once."""

# After a step has failed the whole loop rests, doubling up to this many seconds: a database that
# is away must not be hammered, and must be found again soon after it is back.
_LONGEST_REST = 30.0


class Ending:
    """The wish that a process should end. Steps that take long look at it between batches."""

    def __init__(self) -> None:
        """Nobody has wished it yet."""
        self._wished = asyncio.Event()

    def is_wished(self) -> bool:
        """Say whether the process was told to end."""
        return self._wished.is_set()

    def wish(self) -> None:
        """Tell the process to end."""
        self._wished.set()

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait for the wish, at most so many seconds; True when it has come."""
        try:
            await asyncio.wait_for(self._wished.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def on_signals(self) -> None:
        """Take SIGTERM and SIGINT as the wish."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.wish)


async def run_loop(name: str, steps: Sequence[Step], *, pause: float, ending: Ending) -> None:
    """Do the steps in turn until the end is wished.

    `pause` is the rest in seconds when no step had work. A step that raises is recorded, with its
    kind and without its words (they may hold an address), and the loop rests before it goes on: a
    fault in one step must not end the others.
    """
    rest = pause
    while not ending.is_wished():
        more = False
        try:
            for step in steps:
                more = await step() or more
                if ending.is_wished():
                    return
        except Exception as fault:  # noqa: BLE001  # recorded; the loop is the last to catch it
            # Not the traceback: the words of a database's error may hold an address.
            log.error("step_failed", loop=name, fault=type(fault).__name__, rest=rest)  # noqa: TRY400
            await ending.wait(rest)
            rest = min(max(rest, 0.5) * 2, _LONGEST_REST)
            continue
        rest = pause
        # SQLite manners: even a busy loop leaves a moment in which others may write.
        await ending.wait(0.001 if more else pause)
