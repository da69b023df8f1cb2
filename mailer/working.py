"""A worker's process, `python -m mailer.working`: only what a worker needs is imported here.

`rollcall worker` becomes this process, and `rollcall serve` starts it beside the web server. With
the rest of the command line a worker would be a third larger.
"""

import asyncio
import gc
import os
import sys
from collections.abc import Coroutine

from mailer import settings as room
from mailer.activity.signals.following import follow_signals
from mailer.asks.reminding.actions import remind_due
from mailer.asks.upkeep import close_due, forget_offers, forget_words, give_days
from mailer.bootstrap import open_house
from mailer.bulk.actions import work_some
from mailer.consent.reminding import remind_some
from mailer.content.selftest import headers_hold
from mailer.followups.rounds.digest import tell_of_today
from mailer.followups.rounds.forgetting import forget_notes
from mailer.followups.rounds.looking import look_around
from mailer.forms.forgetting import forget_some
from mailer.imports import actions as imports
from mailer.imports import forgetting
from mailer.kit.logs import keep_records
from mailer.kit.loops import Ending
from mailer.records.looking import forget_looks
from mailer.settings import Settings, SettingsWrong
from mailer.tiers.census.counting import keep_census
from mailer.tiers.upkeep.keeping import keep_some
from mailer.worker import work_on

STEPS = (imports.work_some, work_some, follow_signals)
"""What somebody waits for."""

UPKEEP = (
    forgetting.forget_some,
    remind_some,
    remind_due,
    forget_some,
    forget_looks,
    keep_some,
    close_due,
    give_days,
    forget_offers,
    forget_words,
    look_around,
    forget_notes,
    tell_of_today,
    keep_census,
)
"""What is due by the day."""


def main() -> None:
    """Work until told to end; 2: the settings cannot be used, 3: this Python cannot be trusted."""
    keep_records()
    try:
        settings = room.from_environment(os.environ)  # noqa: TID251  # the edge reads it
    except SettingsWrong as wrong:
        _say(str(wrong))
        sys.exit(2)
    if problems := headers_hold():
        _say(*problems)
        sys.exit(3)
    # What is imported stays, and errands are no cycles: looking for rubbish among them costs a
    # tenth of the time, and finds none.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    _run(_work(settings))


async def _work(settings: Settings) -> None:
    ending = Ending()
    ending.on_signals()
    house = open_house(settings)
    try:
        await work_on(
            house,
            ending,
            steps=STEPS,
            upkeep=UPKEEP,
        )
    finally:
        await house.engine.dispose()


def _say(*lines: str) -> None:
    for line in lines:
        sys.stderr.write(f"{line}\n")


def _run(work: Coroutine[None, None, None]) -> None:
    """Run a worker on uvloop, which costs it 10 to 40 % less; on asyncio where there is none."""
    try:
        import uvloop  # noqa: PLC0415  # it does not exist for Windows
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


if __name__ == "__main__":
    main()
