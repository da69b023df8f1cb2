"""`rollcall serve` and `rollcall demo`, as somebody at a shell meets them."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.databases import PostgresCopies
from tests.support.processes import Kept
from tests.support.rooms import ROOT_KEY, free_port

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]


async def answers(address: str, seconds: float = 30) -> httpx.Response:
    async with asyncio.timeout(seconds), httpx.AsyncClient(base_url=address) as client:
        while True:
            try:
                return await client.get("/join")
            except httpx.TransportError:
                await asyncio.sleep(0.05)


def children(pid: int) -> list[tuple[str, int]]:
    """List the processes that a supervisor keeps: web and worker."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            line = (folder / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        # One that has just ended has no command line any more.
        if parent == pid and line[1:3] in ([b"-m", b"mailer.cli"], [b"-m", b"mailer.working"]):
            name = "worker" if line[2] == b"mailer.working" else line[3].decode()
            found.append((name, int(folder.name)))
    return sorted(found)


async def both(pid: int, besides: int = 0) -> dict[str, int]:
    """Wait until two are kept; one that was killed is not counted."""
    async with asyncio.timeout(30):
        while len(found := children(pid)) < 2 or besides in [number for _, number in found]:
            await asyncio.sleep(0.05)
        return {f"{name} {place}": number for place, (name, number) in enumerate(found, 1)}


async def test_serving_is_one_command_and_a_killed_process_comes_back(tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    log = tmp_path / "serve.log"
    log.touch()
    serving = Kept(
        [sys.executable, "-m", "mailer.cli", "serve"],
        log=log,
        environment={
            "ROLLCALL_DATA": str(tmp_path / "data"),
            "ROLLCALL_SECRET": ROOT_KEY,
            "ROLLCALL_PORT": str(port),
            "ROLLCALL_PUBLIC_URL": address,
            "ROLLCALL_SMTP_SECURITY": "none",
        },
    )
    try:
        assert (await answers(address)).status_code == 200
        kept = await both(serving.pid)

        os.kill(kept["web 1"], signal.SIGKILL)
        again = await both(serving.pid, besides=kept["web 1"])
        assert again["worker 2"] == kept["worker 2"]
        assert (await answers(address)).status_code == 200

        os.kill(serving.pid, signal.SIGTERM)
        assert await asyncio.to_thread(serving.keeper.wait, 40) == 0, log.read_text()
        assert children(serving.pid) == []
    finally:
        serving.stop()


async def test_several_workers_share_and_one_that_dies_comes_back(
    postgres_copies: PostgresCopies, tmp_path: Path
) -> None:
    log = tmp_path / "workers.log"
    log.touch()
    with postgres_copies.one(altered=False) as database:
        working = Kept(
            [sys.executable, "-m", "mailer.cli", "worker", "--processes", "2"],
            log=log,
            environment={
                "ROLLCALL_DATA": str(tmp_path / "data"),
                "ROLLCALL_DATABASE": database,
                "ROLLCALL_SECRET": ROOT_KEY,
                "ROLLCALL_SMTP_SECURITY": "none",
            },
        )
        try:
            kept = await both(working.pid)
            assert list(kept) == ["worker 1", "worker 2"]
            await said(log, "worker_began", times=2)

            os.kill(kept["worker 1"], signal.SIGKILL)
            again = await both(working.pid, besides=kept["worker 1"])
            assert kept["worker 2"] in again.values()
            await said(log, "worker_began", times=3)
            assert "process=worker number=1 code=-9 again_in=0.5" in log.read_text() or (
                "process=worker number=2 code=-9 again_in=0.5" in log.read_text()
            )

            os.kill(working.pid, signal.SIGTERM)
            assert await asyncio.to_thread(working.keeper.wait, 40) == 0, log.read_text()
            assert children(working.pid) == []
        finally:
            working.stop()


async def said(log: Path, event: str, *, times: int) -> None:
    async with asyncio.timeout(30):
        while log.read_text().count(event) < times:  # noqa: ASYNC240  # a short file
            await asyncio.sleep(0.05)


async def test_the_demo_sends_to_everybody_who_can_be_sent_to(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "mailer.cli",
        "demo",
        "--then",
        "leave",
        "--port",
        str(free_port()),
        env={"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    words = said.decode()
    assert process.returncode == 0, words
    assert re.search(r"\b500\s+sent\b", words), words
    assert re.search(r"\b500\s+mails are in the catcher", words), words
    assert len(re.findall(r"^\s+line \d+:", words, re.MULTILINE)) == 8
    assert "Traceback" not in words
    assert os.listdir(tmp_path) == []  # noqa: PTH208  # nothing stays
