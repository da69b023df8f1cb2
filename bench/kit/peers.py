"""Fetching what others send with, into a temporary folder, by their own package managers."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PEERS = Path(__file__).parents[1] / "peers"
UV = Path(sys.executable).with_name("uv")


class PeerMissing(Exception):
    """Somebody cannot take part; the message says why."""


def nodemailer(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Fetch nodemailer and handlebars; give the command and its environment."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise PeerMissing(f"{program} is not installed")
    _fetch(
        [
            "npm",
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(folder),
            "nodemailer",
            "handlebars",
        ]
    )
    return (
        ["node", str(PEERS / "with_nodemailer.cjs")],
        {**os.environ, "NODE_PATH": str(folder / "node_modules")},
    )


def django(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Fetch Django; give the command and its environment."""
    if not UV.exists():
        raise PeerMissing("there is no .venv/bin/uv: run make .venv/ready")
    _fetch(
        [
            str(UV),
            "pip",
            "install",
            "--quiet",
            "--python",
            sys.executable,
            "--target",
            str(folder),
            "django",
        ]
    )
    return (
        [sys.executable, str(PEERS / "with_django.py")],
        {**os.environ, "PYTHONPATH": str(folder)},
    )


def plain() -> tuple[list[str], dict[str, str]]:
    """Give the command of plain aiosmtplib, which we have."""
    return [sys.executable, str(PEERS / "plain.py")], dict(os.environ)


def _fetch(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise PeerMissing(f"it could not be fetched: {words[-1] if words else command[0]}")
