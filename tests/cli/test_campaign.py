"""`rollcall campaign`: the same verbs as the pages, for when these cannot be reached."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from mailer.bootstrap import House
from mailer.campaigns.model import Campaign, CampaignState
from mailer.campaigns.sending import hold
from mailer.outbox.model import DeliveryState
from mailer.relays.model import DomainPace
from tests.cast import Cast
from tests.support.campaigning import as_it_is, became, begun, ended, scheduled
from tests.support.rooms import ROOT_KEY
from tests.support.sending import counts

pytestmark = pytest.mark.any_database

SENT, REFUSED, FAILED, QUEUED, SKIPPED = (
    DeliveryState.SENT,
    DeliveryState.REFUSED,
    DeliveryState.FAILED,
    DeliveryState.QUEUED,
    DeliveryState.SKIPPED,
)


def campaign(house: House, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command on the test's own database."""
    return subprocess.run(
        [sys.executable, "-m", "mailer.cli", "campaign", *arguments],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "NO_COLOR": "1",
            "COLUMNS": "200",
            "ROLLCALL_DATA": str(tmp_path / "data"),
            "ROLLCALL_DATABASE": house.settings.database,
            "ROLLCALL_SECRET": ROOT_KEY,
            "ROLLCALL_UNDO_SECONDS": "60",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


async def test_it_shows_how_far_one_has_come_and_what_keeps_it(
    house: House, cast: Cast, tmp_path: Path
) -> None:
    one = await begun(house, cast)
    await became(house, one, SKIPPED, cast.gil.no, reply="unsubscribed")
    async with house.work() as work:
        slow = DomainPace(domain="example.org")
        slow.slow_down(work.now, observed=60.0, code=421, reply="4.7.28 later")
        work.session.add(slow)

    said = campaign(house, tmp_path, "show", str(one.no)).stdout

    assert "The right to work: sending" in said
    assert "1  queued" in said
    assert "1  skipped: Left the list" in said
    assert "example.org has 30 a minute: 1 wait. 421 4.7.28 later" in said


async def test_it_says_when_it_will_be_done(house: House, cast: Cast, tmp_path: Path) -> None:
    one = await begun(house, cast)
    await became(house, one, SENT, cast.gil.no, code=250)
    async with house.work() as work:
        work.session.add(one)
        one.started_at = work.now - timedelta(hours=1)

    said = campaign(house, tmp_path, "show", str(one.no)).stdout

    assert "UTC, at 1 a minute." in said


async def test_those_whom_it_did_not_reach_are_tried_again(
    house: House, cast: Cast, tmp_path: Path
) -> None:
    one = await begun(house, cast)
    await became(house, one, FAILED, cast.bo.no, reply="4.2.2 full")
    await became(house, one, REFUSED, cast.gil.no, reply="5.1.1 no")
    await ended(house, one)

    failed = campaign(house, tmp_path, "again", str(one.no))
    after_failed = await counts(house, one.no)
    both = campaign(house, tmp_path, "again", str(one.no), "--refused")

    assert "1 tried again." in failed.stdout
    assert after_failed == {QUEUED: 1, REFUSED: 1}
    assert "1 tried again." in both.stdout
    assert await counts(house, one.no) == {QUEUED: 2}
    assert (await as_it_is(house, one)).state is CampaignState.SENDING


async def test_a_correction_is_begun(house: House, cast: Cast, tmp_path: Path) -> None:
    one = await begun(house, cast)

    said = campaign(house, tmp_path, "correct", str(one.no))
    unknown = campaign(house, tmp_path, "correct", "999")

    async with house.work(reading=True) as work:
        found = await work.session.scalars(select(Campaign).where(Campaign.corrects_no == one.no))
        correction = found.one()
    assert f"{correction.no}: Correction: The right to work" in said.stdout
    assert unknown.returncode != 0
    assert "There is no such campaign." in unknown.stdout + unknown.stderr


async def test_it_is_stopped_for_good_by_those_who_say_so(
    house: House, cast: Cast, tmp_path: Path
) -> None:
    one = await begun(house, cast)

    unsure = campaign(house, tmp_path, "stop", str(one.no))
    still = (await as_it_is(house, one)).state
    sure = campaign(house, tmp_path, "stop", str(one.no), "--for-good")
    again = campaign(house, tmp_path, "again", str(one.no))

    assert unsure.returncode == 1
    assert still is CampaignState.SENDING
    assert "Stopped." in sure.stdout
    assert (await as_it_is(house, one)).state is CampaignState.CANCELLED
    assert "Nothing of it is sent again." in again.stdout + again.stderr


async def test_what_is_held_is_released(house: House, cast: Cast, tmp_path: Path) -> None:
    one = await scheduled(house, cast)
    async with house.work() as work:
        work.session.add(one)
        await hold(work, one, reason="Its time passed.")

    assert "Released." in campaign(house, tmp_path, "release", str(one.no)).stdout
    released = await as_it_is(house, one)
    assert released.state is CampaignState.SCHEDULED
    assert released.send_at
    async with house.work(reading=True) as work:
        assert released.send_at - work.now < timedelta(seconds=60)
