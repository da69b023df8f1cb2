"""An import that is killed again and again: nothing is there twice, and nothing is missing."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mailer.activity.model import Activity
from mailer.bootstrap import House
from mailer.consent.model import ConsentRecord, Subscription
from mailer.imports import store
from mailer.imports.model import Import, ImportState
from mailer.subscribers.model import Membership, Subscriber, visible
from mailer.tiers.model import ChosenTier, TierChange
from tests.cast import Cast
from tests.support.rooms import ROOT_KEY

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]

PEOPLE = 40_000
KILLS = 10
IMPORT = [sys.executable, "-m", "mailer.cli", "import"]
AGREED = ["--basis", "agreed", "--evidence", "Paper forms of the assembly, 12 May."]


def start(database: str, folder: Path, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*IMPORT, *words],
        env={
            "PATH": os.environ.get("PATH", ""),
            "ROLLCALL_DATA": str(folder),
            "ROLLCALL_DATABASE": database,
            "ROLLCALL_SECRET": ROOT_KEY,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def stands(house: House) -> tuple[ImportState | None, int, int, str]:
    async with house.work(reading=True) as work:
        newest = await store.recent(work, limit=1)
        if not newest:
            return None, 0, 0, ""
        one: Import = newest[0]
        return one.state, int(one.read_to.get("lines", 0)), one.cursor, one.uid


async def test_killed_ten_times_nothing_is_twice_and_nothing_missing(
    house: House, cast: Cast, database: str, tmp_path: Path
) -> None:
    file = tmp_path / "roll.csv"
    lines = (f"one{no}@example.org,One{no},Branch {no % 50}\n" for no in range(PEOPLE))
    file.write_text("email,first name,group\n" + "".join(lines))

    kills = 0
    while True:
        state, *before, uid = await stands(house)
        going_on = state in {ImportState.APPLYING, ImportState.APPLIED}
        words = ["resume", uid] if going_on else [str(file), *AGREED]
        process = start(database, tmp_path, *words)
        while kills < KILLS and process.poll() is None:
            await asyncio.sleep(0.01)
            now, *after, _ = await stands(house)
            if (now, after) != (state, before):
                await asyncio.sleep(random.uniform(0, 0.2))
                process.kill()
                kills += 1
                break
        assert await asyncio.to_thread(process.wait) in {0, -9}
        if process.returncode == 0:
            break
    state, _, _, uid = await stands(house)
    assert (state, kills) == (ImportState.APPLIED, KILLS)

    async with house.work(reading=True) as work:
        import_ = await store.by_uid(work, uid)
        assert import_
        assert (import_.done["lines"], import_.done["added"]) == (PEOPLE, PEOPLE)
        count = select(func.count(Subscriber.address.distinct()), func.count())
        named = count.where(Subscriber.address.like("one%"), visible(work))
        assert tuple((await work.session.execute(named)).one()) == (PEOPLE, PEOPLE)
        ours = select(Subscriber.no).where(Subscriber.address.like("one%"), visible(work))
        for kind in (Membership, Subscription, ConsentRecord, ChosenTier, TierChange, Activity):
            theirs = select(func.count()).where(kind.subscriber_no.in_(ours))
            assert await work.session.scalar(theirs) == PEOPLE, kind.__tablename__
