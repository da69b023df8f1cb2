"""`rollcall serve` and `rollcall demo`, as somebody at a shell meets them."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.processes import Kept
from tests.support.rooms import ROOT_KEY, free_port

pytestmark = [pytest.mark.story, pytest.mark.timeout(150)]


async def answers(address: str, seconds: float = 30) -> httpx.Response:
    async with asyncio.timeout(seconds), httpx.AsyncClient(base_url=address) as client:
        while True:
            try:
                return await client.get("/join")
            except httpx.TransportError:
                await asyncio.sleep(0.05)


def children(pid: int) -> dict[str, int]:
    """Name the processes that a supervisor keeps: web and worker."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            line = (folder / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        # One that has just ended has no command line any more.
        if parent == pid and line[-2:-1] in ([b"web"], [b"worker"]):
            found[line[-2].decode()] = int(folder.name)
    return found


async def both(pid: int, besides: int = 0) -> dict[str, int]:
    async with asyncio.timeout(30):
        while len(found := children(pid)) < 2 or besides in found.values():
            await asyncio.sleep(0.05)
        return found


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

        os.kill(kept["web"], signal.SIGKILL)
        again = await both(serving.pid, besides=kept["web"])
        assert again["worker"] == kept["worker"]
        assert (await answers(address)).status_code == 200

        os.kill(serving.pid, signal.SIGTERM)
        assert await asyncio.to_thread(serving.keeper.wait, 40) == 0, log.read_text()
        assert children(serving.pid) == {}
    finally:
        serving.stop()


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
