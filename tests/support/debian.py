"""Programs of Debian's, unpacked beside the tree: nothing is installed, nothing is configured.

Postfix is wanted for its `smtp-sink` and `smtp-source`, which bench/ measures against, and for a
real Postfix that a story sends to. It is fetched once by `apt-get download` and kept in
build/debian. This is also a script that imports nothing of ours, so that .ci/run can fetch it
before there is a Python environment:

    python3 tests/support/debian.py postfix
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

CACHE = Path(__file__).parents[2] / "build" / "debian"


class Unavailable(Exception):
    """What was wanted cannot be had here; the message says why and what would help."""


def unpacked(package: str) -> Path:
    """Give the folder that stands for `/` in a package of Debian's; fetch it the first time."""
    folder = CACHE / package
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        # Made beside and then renamed: an interrupted run leaves nothing that looks whole.
        with tempfile.TemporaryDirectory(dir=CACHE) as beside:
            making = Path(beside) / "root"
            _fetch([package], making)
            if _lacks_libraries(making):
                _fetch(_libraries_of(package), making)
            making.rename(folder)
    return folder


def library_path(folder: Path) -> str:
    """Give the LD_LIBRARY_PATH with which its programs find their own libraries."""
    found = {str(file.parent) for file in folder.rglob("*.so*")}
    return ":".join(sorted(found))


def _fetch(packages: list[str], into: Path) -> None:
    for tool, package in (("apt-get", "apt"), ("dpkg", "dpkg")):
        if shutil.which(tool) is None:
            raise Unavailable(f"{tool} is not here ({package}): this needs Debian or one like it.")
    with tempfile.TemporaryDirectory() as fetched:
        try:
            subprocess.run(
                ["apt-get", "download", "-qq", *packages],
                cwd=fetched,
                check=True,
                capture_output=True,
                timeout=120,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            said = (error.stderr or b"").decode(errors="replace").strip().splitlines()
            raise Unavailable(
                f"Debian’s {', '.join(packages)} could not be fetched"
                f" ({said[-1] if said else 'no answer'})."
                " Is there a network, and was `apt-get update` ever run here?"
            ) from error
        for archive in sorted(Path(fetched).glob("*.deb")):
            subprocess.run(["dpkg", "-x", archive, into], check=True, capture_output=True)


def _lacks_libraries(folder: Path) -> bool:
    environment = {**os.environ, "LD_LIBRARY_PATH": library_path(folder)}
    for program in _programs(folder):
        said = subprocess.run(
            ["ldd", program], env=environment, capture_output=True, text=True, check=False
        )
        if "not found" in said.stdout:
            return True
    return False


def _programs(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                if opened.read(4) == b"\x7fELF":
                    yield file


def _libraries_of(package: str) -> list[str]:
    said = subprocess.run(
        ["apt-cache", "depends", "--no-recommends", "--no-suggests", package],
        capture_output=True,
        text=True,
        check=True,
    )
    named = [line.partition("Depends: ")[2].strip() for line in said.stdout.splitlines()]
    return [name for name in named if name.startswith("lib")]


if __name__ == "__main__":
    try:
        for wanted in sys.argv[1:]:
            print(unpacked(wanted))
    except Unavailable as unavailable:
        sys.exit(str(unavailable))
